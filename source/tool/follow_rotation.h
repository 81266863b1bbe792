/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which files have, or had, the name that is followed.
 *
 * Invariant: a file that had the name since the last look, if only for a
 * moment, is named as long as it lies in the same directory.
 */
#ifndef NTSIGN_FOLLOW_ROTATION_H
#define NTSIGN_FOLLOW_ROTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

struct ntsign_rotation;

/* NULL when memory runs out. Without inotify there is only polling. */
struct ntsign_rotation *ntsign_rotation_new(TALLOC_CTX *mem_ctx,
					    const char *path);
/* Wants to be woken by changes of an open file, until *watch is given to
 * ntsign_rotation_forget(). */
void ntsign_rotation_watch(struct ntsign_rotation *rotation, int fd,
			   int *watch);
void ntsign_rotation_forget(struct ntsign_rotation *rotation, int watch);

/* Waits until there may be something new, or a signal has come. */
void ntsign_rotation_wait(struct ntsign_rotation *rotation);

/* Takes in what has happened. True when a file has lost the name since. */
bool ntsign_rotation_look(struct ntsign_rotation *rotation);
/*
 * The files that lost the name since ntsign_rotation_clear(), oldest first:
 * how many, and where each is now, NULL where it is gone.
 */
size_t ntsign_rotation_count(const struct ntsign_rotation *rotation);
const char *ntsign_rotation_moved(const struct ntsign_rotation *rotation,
				  size_t place);
void ntsign_rotation_clear(struct ntsign_rotation *rotation);

#endif
