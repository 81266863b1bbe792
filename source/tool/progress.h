/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How far a long reading is, on the terminal of who waits for it.
 *
 * Invariant: nothing is written where standard error is no terminal, nor in
 * the first second; and nothing stays when it is over.
 */
#ifndef NTSIGN_PROGRESS_H
#define NTSIGN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct ntsign_progress {
	bool terminal, shown;
	int64_t began, last;	/* milliseconds */
	uint64_t total;		/* bytes, 0: not known */
};

void ntsign_progress_start(struct ntsign_progress *progress, uint64_t total);
void ntsign_progress_show(struct ntsign_progress *progress, uint64_t done);
void ntsign_progress_end(struct ntsign_progress *progress);

#endif
