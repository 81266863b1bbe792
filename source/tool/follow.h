/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A record as one line for people.
 *
 * Invariant: the line is safe for a terminal, whatever the record holds.
 */
#ifndef NTSIGN_FOLLOW_H
#define NTSIGN_FOLLOW_H

#include "reader.h"

/*
 * The line without its newline, a talloc child of mem_ctx; NULL when memory
 * runs out. *alarm: whether it is about something that should not be: a
 * mismatch, a refusal, a bad signature.
 */
char *ntsign_follow_line(TALLOC_CTX *mem_ctx, const struct ntsign_entry *entry,
			 bool *alarm);

#endif
