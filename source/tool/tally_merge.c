/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tallies brought together.
 *
 * Invariant: every step gives the same whichever tally is added to which:
 * sums, the earlier or the later of two, the union of sets.
 */
#include <string.h>

#include "tally_parts.h"

static void add_sessions(struct ntsign_tally_sessions *count,
			 const struct ntsign_tally_sessions *from)
{
	size_t i;

	count->sessions += from->sessions;
	count->failed += from->failed;
	for (i = 0; i < NTSIGN_OUTCOME_COUNT; i++) {
		count->outcome[i] += from->outcome[i];
	}
}

static void add_names(struct ntsign_tally *into, struct ntsign_names *names,
		      uint16_t most, const struct ntsign_names *from)
{
	if (!ntsign_names_merge(&into->words, names, most, from)) {
		into->no_memory = true;
	}
}

static void add_verified(bool *verified, const bool *from)
{
	size_t i;

	for (i = 0; i < NTSIGN_FAMILY_COUNT; i++) {
		verified[i] = verified[i] || from[i];
	}
}

static void copy_word(struct ntsign_tally *into, struct ntsign_word **word,
		      const char **text, const char *from)
{
	*word = ntsign_tally_word(into, ntsign_slice_of(from), text);
}

static void merge_client(struct ntsign_tally *into, void *entry,
			 const void *other, bool made)
{
	struct ntsign_tally_client *c = entry;
	const struct ntsign_tally_client *from = other;

	ntsign_span_merge(&c->span, &from->span);
	add_sessions(&c->count, &from->count);
	c->exposed += from->exposed;
	c->bad += from->bad;
	c->missing += from->missing;
	c->downgraded += from->downgraded;
	c->proven = c->proven || from->proven;
	add_verified(c->verified, from->verified);
	add_names(into, &c->dialects, NTSIGN_TALLY_NAMES, &from->dialects);
	add_names(into, &c->native_os, NTSIGN_TALLY_NAMES, &from->native_os);
	add_names(into, &c->accounts, NTSIGN_TALLY_NAMES, &from->accounts);
	add_names(into, &c->strangers, NTSIGN_TALLY_STRANGERS,
		  &from->strangers);
	ntsign_tally_facts_merge(into, &c->facts, &from->facts);
}

void ntsign_tally_merge_account(struct ntsign_tally *into,
				struct ntsign_tally_account *a,
				const struct ntsign_tally_account *from)
{
	a->known = a->known || from->known;
	ntsign_span_merge(&a->span, &from->span);
	add_sessions(&a->count, &from->count);
	a->exposed += from->exposed;
	add_names(into, &a->addresses, NTSIGN_TALLY_ADDRESSES,
		  &from->addresses);
	ntsign_tally_facts_merge(into, &a->facts, &from->facts);
}

static void merge_account(struct ntsign_tally *into, void *entry,
			  const void *other, bool made)
{
	ntsign_tally_merge_account(into, entry, other);
}

static void merge_mismatch(struct ntsign_tally *into, void *entry,
			   const void *other, bool made)
{
	struct ntsign_tally_mismatch *m = entry;
	const struct ntsign_tally_mismatch *from = other;

	if (made) {
		copy_word(into, &m->address_word, &m->address, from->address);
		copy_word(into, &m->dialect_word, &m->dialect, from->dialect);
		copy_word(into, &m->setup_word, &m->setup, from->setup);
		copy_word(into, &m->article_word, &m->article, from->article);
		copy_word(into, &m->reason_word, &m->reason, from->reason);
		m->client = from->client;
		m->server = from->server;
		m->mismatch = from->mismatch;
		m->expected = from->expected;
		m->outcome = from->outcome;
		m->keyless = from->keyless;
	}
	m->count += from->count;
	m->refused += from->refused;
	m->failed += from->failed;
	ntsign_span_merge(&m->span, &from->span);
}

static void merge_quirk(struct ntsign_tally *into, void *entry,
			const void *other, bool made)
{
	struct ntsign_tally_quirk *q = entry;
	const struct ntsign_tally_quirk *from = other;

	if (made) {
		copy_word(into, &q->address_word, &q->address, from->address);
		copy_word(into, &q->article_word, &q->article, from->article);
		copy_word(into, &q->event_word, &q->event, from->event);
	}
	q->count += from->count;
	add_names(into, &q->accounts, NTSIGN_TALLY_NAMES, &from->accounts);
	ntsign_span_merge(&q->span, &from->span);
}

static void merge_turned_away(struct ntsign_tally *into, void *entry,
			      const void *other, bool made)
{
	struct ntsign_tally_turned_away *t = entry;
	const struct ntsign_tally_turned_away *from = other;

	if (made) {
		copy_word(into, &t->address_word, &t->address, from->address);
		copy_word(into, &t->reason_word, &t->reason, from->reason);
	}
	t->count += from->count;
	add_names(into, &t->offered, NTSIGN_TALLY_NAMES, &from->offered);
	ntsign_span_merge(&t->span, &from->span);
}

static void merge_note(struct ntsign_tally *into, void *entry,
		       const void *other, bool made)
{
	struct ntsign_tally_note *n = entry;
	const struct ntsign_tally_note *from = other;

	if (made) {
		copy_word(into, &n->event_word, &n->event, from->event);
		copy_word(into, &n->message_word, &n->message, from->message);
	}
	n->count += from->count;
	ntsign_span_merge(&n->span, &from->span);
}

static void merge_skip(struct ntsign_tally *into, void *entry,
		       const void *other, bool made)
{
	struct ntsign_tally_skip *s = entry;
	const struct ntsign_tally_skip *from = other;

	s->count += from->count;
	if (made || from->source.place < s->source.place ||
	    (from->source.place == s->source.place && from->line < s->line)) {
		s->source = from->source;
		s->line = from->line;
		memcpy(s->detail, from->detail, sizeof(s->detail));
	}
}

static void merge_signer(struct ntsign_tally *into, void *entry,
			 const void *other, bool made)
{
	struct ntsign_tally_signer *s = entry;
	const struct ntsign_tally_signer *from = other;

	add_verified(s->verified, from->verified);
}

static void merge_table(struct ntsign_tally *into, struct ntsign_table *table,
			const struct ntsign_table *from,
			void (*merge)(struct ntsign_tally *into, void *entry,
				      const void *other, bool made))
{
	size_t i;

	for (i = 0; i < from->count; i++) {
		const struct ntsign_keyed *other = from->list[i];
		struct ntsign_slice key = {
			.text = other->key,
			.len = other->key_len,
		};
		bool made = false;
		void *entry = ntsign_tally_get(into, table, key, &made);

		if (entry != NULL) {
			merge(into, entry, other, made);
		}
	}
	table->omitted = table->omitted || from->omitted;
}

static void merge_totals(struct ntsign_tally *into,
			 const struct ntsign_tally *from)
{
	into->no_memory = into->no_memory || from->no_memory;
	into->records += from->records;
	into->skipped += from->skipped;
	into->outside += from->outside;
	into->suppressed += from->suppressed;
	into->lost += from->lost;
	into->unplaced += from->unplaced;
	into->refused += from->refused;
	into->encrypted += from->encrypted;
	into->exposed += from->exposed;
	into->verified += from->verified;
	into->bad += from->bad;
	into->missing += from->missing;
	into->downgraded += from->downgraded;
	into->notes_omitted += from->notes_omitted;
	into->account_sessions_omitted += from->account_sessions_omitted;
	ntsign_span_merge(&into->span, &from->span);
	add_sessions(&into->count, &from->count);
	ntsign_trend_merge(&into->trend, &from->trend);
}

static void merge_cells(struct ntsign_tally *into,
			const struct ntsign_tally *from)
{
	size_t i;

	for (i = 0; i < NTSIGN_TALLY_CELLS; i++) {
		struct ntsign_tally_sessions count = into->cells[i].count;

		if (from->cells[i].count.sessions > 0) {
			into->cells[i] = from->cells[i];
			add_sessions(&into->cells[i].count, &count);
		}
	}
}

void ntsign_tally_merge(struct ntsign_tally *into,
			const struct ntsign_tally *from)
{
	merge_totals(into, from);
	merge_cells(into, from);
	merge_table(into, &into->clients, &from->clients, merge_client);
	merge_table(into, &into->accounts, &from->accounts, merge_account);
	merge_table(into, &into->strangers, &from->strangers, merge_account);
	merge_table(into, &into->signers, &from->signers, merge_signer);
	merge_table(into, &into->mismatches, &from->mismatches,
		    merge_mismatch);
	merge_table(into, &into->quirks, &from->quirks, merge_quirk);
	merge_table(into, &into->turned_away, &from->turned_away,
		    merge_turned_away);
	merge_table(into, &into->notes, &from->notes, merge_note);
	merge_table(into, &into->skips, &from->skips, merge_skip);
}
