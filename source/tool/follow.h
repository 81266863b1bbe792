/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A record as one line for people.
 *
 * Invariant: the line is safe for a terminal, whatever the record holds.
 */
#ifndef NTSIGN_FOLLOW_H
#define NTSIGN_FOLLOW_H

#include "reader.h"

/* The line without its newline, a talloc child of mem_ctx; NULL when memory
 * runs out. */
char *ntsign_follow_line(TALLOC_CTX *mem_ctx,
			 const struct ntsign_entry *entry);

/*
 * Whether a record is about something that should not be: a mismatch, a
 * client refused or turned away, a bad, missing or downgraded signature, a
 * quirk, or anything that the module has to say of itself but that it has
 * started.
 */
bool ntsign_follow_alarm(const struct ntsign_entry *entry);

#endif
