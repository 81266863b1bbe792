/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which records are shown.
 *
 * Invariant: a record is shown when it passes every kind of filter that was
 * given, and one of those of a kind.
 */
#ifndef NTSIGN_FOLLOW_FILTER_H
#define NTSIGN_FOLLOW_FILTER_H

#include "ntsign/address.h"
#include "reader.h"

/* All zero: every record. */
struct ntsign_filter {
	bool alarms;			/* only what ntsign_follow_alarm() is */
	unsigned int types;		/* bits, by ntsign_record_type; 0: all */
	struct ntsign_block *clients;	/* talloc arrays, NULL: all */
	const char **accounts;
};

/*
 * Each adds one. False where the text is none: then *why, a static text, says
 * what is wrong with it, or that there is no memory.
 */
bool ntsign_filter_add_client(TALLOC_CTX *mem_ctx,
			      struct ntsign_filter *filter, const char *text,
			      const char **why);
/* NAME or DOMAIN\NAME; case does not count. text has to stay. */
bool ntsign_filter_add_account(TALLOC_CTX *mem_ctx,
			       struct ntsign_filter *filter, const char *text,
			       const char **why);
/* The name of a type of record; case does not count. */
bool ntsign_filter_add_type(struct ntsign_filter *filter, const char *text,
			    const char **why);

bool ntsign_filter_match(const struct ntsign_filter *filter,
			 const struct ntsign_entry *entry);

#endif
