/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A tally made ready to be read.
 *
 * Invariant: the order of every list depends on what is in it, and on
 * nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "ntsign/address.h"
#include "tally_parts.h"

/* ---- what belongs together ---- */

static void join_names(struct ntsign_tally *tally)
{
	size_t i;

	for (i = 0; i < tally->clients.count; i++) {
		struct ntsign_tally_client *c = tally->clients.list[i];

		if (!ntsign_names_merge(&tally->words, &c->accounts,
					NTSIGN_TALLY_NAMES +
					NTSIGN_TALLY_STRANGERS,
					&c->strangers)) {
			tally->no_memory = true;
		}
		ntsign_names_clear(&tally->words, &c->strangers);
	}
}

/* What was tried with an account's name counts for the account. */
static void join_strangers(struct ntsign_tally *tally)
{
	size_t i;

	/* the bound is for what the records make: both fit */
	tally->accounts.most = 0;
	for (i = 0; i < tally->strangers.count; i++) {
		struct ntsign_tally_account *stranger =
			tally->strangers.list[i];
		struct ntsign_slice key = {
			.text = stranger->key,
			.len = stranger->key_len,
		};
		struct ntsign_tally_account *a = NULL;
		bool made = false;

		a = ntsign_tally_get(tally, &tally->accounts, key, &made);
		if (a != NULL) {
			ntsign_tally_merge_account(tally, a, stranger);
		}
	}
	tally->accounts.omitted = tally->accounts.omitted ||
				  tally->strangers.omitted;
	ntsign_table_clear(&tally->strangers);
}

static void join_signers(struct ntsign_tally *tally)
{
	uint64_t counted = 0;
	size_t i;

	for (i = 0; i < tally->accounts.count; i++) {
		struct ntsign_tally_account *a = tally->accounts.list[i];
		const char *name = strchr(a->key, '\\');
		const struct ntsign_tally_signer *signer = NULL;

		name = name != NULL ? name + 1 : a->key;
		signer = ntsign_table_find(&tally->signers,
					   ntsign_slice_of(name));
		if (signer != NULL) {
			a->proven = true;
			memcpy(a->verified, signer->verified,
			       sizeof(a->verified));
		}
		counted += a->count.sessions;
	}
	tally->account_sessions_omitted -= counted;
}

static void count_notes(struct ntsign_tally *tally)
{
	size_t i;

	for (i = 0; i < tally->notes.count; i++) {
		const struct ntsign_tally_note *n = tally->notes.list[i];

		tally->notes_omitted -= n->count;
	}
}

/* ---- order ---- */

/* An entry with the address that its key is, or starts with. */
struct place {
	struct ntsign_address address;
	bool parsed;
	struct ntsign_keyed *entry;
};

static void read_place(struct place *place, struct ntsign_keyed *entry)
{
	char text[64] = "";
	size_t len = strcspn(entry->key, "\n");

	*place = (struct place){ .entry = entry };
	if (len < sizeof(text)) {
		memcpy(text, entry->key, len);
		place->parsed = ntsign_address_parse(text, &place->address);
	}
}

static int compare_keys(const struct ntsign_keyed *a,
			const struct ntsign_keyed *b)
{
	return ntsign_slice_compare(
		(struct ntsign_slice){ .text = a->key, .len = a->key_len },
		(struct ntsign_slice){ .text = b->key, .len = b->key_len });
}

/* IPv4 before IPv6 before texts that are no address, each in order. */
static int compare_places(const void *a, const void *b)
{
	const struct place *left = a;
	const struct place *right = b;
	int order = 0;

	if (left->parsed != right->parsed) {
		return left->parsed ? -1 : 1;
	}
	if (left->parsed) {
		if (left->address.len != right->address.len) {
			return left->address.len < right->address.len ? -1 : 1;
		}
		order = memcmp(left->address.bytes, right->address.bytes,
			       left->address.len);
	}
	return order != 0 ? order : compare_keys(left->entry, right->entry);
}

static void sort_places(struct ntsign_tally *tally, struct ntsign_table *table)
{
	struct place *places = NULL;
	size_t i;

	if (table->count < 2) {
		return;
	}
	places = calloc(table->count, sizeof(*places));
	if (places == NULL) {
		tally->no_memory = true;
		return;
	}
	for (i = 0; i < table->count; i++) {
		read_place(&places[i], table->list[i]);
	}
	qsort(places, table->count, sizeof(*places), compare_places);
	for (i = 0; i < table->count; i++) {
		table->list[i] = places[i].entry;
	}
	free(places);
}

static int compare_accounts(const void *a, const void *b)
{
	return compare_keys(*(const struct ntsign_keyed *const *)a,
			    *(const struct ntsign_keyed *const *)b);
}

static int compare_notes(const void *a, const void *b)
{
	const struct ntsign_tally_note *left =
		*(const struct ntsign_tally_note *const *)a;
	const struct ntsign_tally_note *right =
		*(const struct ntsign_tally_note *const *)b;
	int order = ntsign_moment_compare(&left->span.first,
					  &right->span.first);

	return order != 0 ? order : compare_accounts(a, b);
}

static int compare_skips(const void *a, const void *b)
{
	const struct ntsign_tally_skip *left =
		*(const struct ntsign_tally_skip *const *)a;
	const struct ntsign_tally_skip *right =
		*(const struct ntsign_tally_skip *const *)b;

	if (left->source.place != right->source.place) {
		return left->source.place < right->source.place ? -1 : 1;
	}
	if (left->line != right->line) {
		return left->line < right->line ? -1 : 1;
	}
	return compare_accounts(a, b);
}

static void sort_list(struct ntsign_table *table,
		      int (*compare)(const void *a, const void *b))
{
	if (table->count > 1) {
		qsort(table->list, table->count, sizeof(table->list[0]),
		      compare);
	}
}

void ntsign_tally_sort(struct ntsign_tally *tally)
{
	if (!ntsign_table_prune(&tally->accounts) ||
	    !ntsign_table_prune(&tally->strangers) ||
	    !ntsign_table_prune(&tally->signers) ||
	    !ntsign_table_prune(&tally->notes)) {
		tally->no_memory = true;
	}
	join_names(tally);
	join_strangers(tally);
	join_signers(tally);
	count_notes(tally);
	sort_places(tally, &tally->clients);
	sort_places(tally, &tally->mismatches);
	sort_places(tally, &tally->quirks);
	sort_places(tally, &tally->turned_away);
	sort_list(&tally->accounts, compare_accounts);
	sort_list(&tally->notes, compare_notes);
	sort_list(&tally->skips, compare_skips);
}
