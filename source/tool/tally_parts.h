/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the parts of the tally share: adding a session, merging, sorting.
 *
 * Invariant: only tally*.c include it.
 */
#ifndef NTSIGN_TALLY_PARTS_H
#define NTSIGN_TALLY_PARTS_H

#include "ntsign/text.h"
#include "tally.h"

/* tally.c: the entry of that key. NULL where the table's bound leaves it out,
 * or without memory, which sticks. */
void *ntsign_tally_get(struct ntsign_tally *tally, struct ntsign_table *table,
		       struct ntsign_slice key, bool *made);
void ntsign_tally_names(struct ntsign_tally *tally, struct ntsign_names *names,
			uint16_t most, struct ntsign_slice text);
/* The word of a text, "" where there is none; *text is where it stands. */
struct ntsign_word *ntsign_tally_word(struct ntsign_tally *tally,
				      struct ntsign_slice slice,
				      const char **text);

/* tally_session.c */
void ntsign_tally_session(struct ntsign_tally *tally,
			  struct ntsign_tally_client *client,
			  const struct ntsign_entry *entry);
enum ntsign_family ntsign_tally_family(struct ntsign_slice dialect);
void ntsign_tally_facts_clear(struct ntsign_words *words,
			      struct ntsign_tally_facts *facts);
/* tally_merge.c */
void ntsign_tally_merge_account(struct ntsign_tally *into,
				struct ntsign_tally_account *a,
				const struct ntsign_tally_account *from);
/* tally_facts.c: of both whose texts may be of other words */
void ntsign_tally_facts_merge(struct ntsign_tally *tally,
			      struct ntsign_tally_facts *facts,
			      const struct ntsign_tally_facts *from);

/* A key of several parts, put together without memory of its own. */
struct ntsign_tally_key {
	size_t len;
	char text[4 * (4 * NTSIGN_TEXT_MAX + 1) + 64];
};

void ntsign_tally_key_add(struct ntsign_tally_key *key,
			  struct ntsign_slice part);

#endif
