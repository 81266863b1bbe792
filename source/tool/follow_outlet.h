/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the lines go: standard output, many lines at a time.
 *
 * Invariant: a reader that does not read holds up the command and loses no
 * line, but does not keep a signal from ending it.
 */
#ifndef NTSIGN_FOLLOW_OUTLET_H
#define NTSIGN_FOLLOW_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

struct ntsign_outlet;

/* NULL when memory runs out. */
struct ntsign_outlet *ntsign_outlet_new(TALLOC_CTX *mem_ctx);
/* Adds bytes. False, here and below: it has failed, which was said, and it
 * stays so. */
bool ntsign_outlet_put(struct ntsign_outlet *outlet, const char *text,
		       size_t len);
/* Writes all there is; after a signal, as much as is taken at once. */
bool ntsign_outlet_flush(struct ntsign_outlet *outlet);

#endif
