/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A session's record in the tally.
 *
 * Invariant: a name that a client has only claimed never takes the place of
 * one that has logged on.
 */
#include <string.h>

#include "ntsign/forecast.h"
#include "tally_parts.h"
#include "tool.h"

/* A session as its record has it. */
struct seen {
	bool placed;		/* client, server and both outcomes known */
	struct ntsign_party client, server;
	enum ntsign_outcome expected, outcome;
	enum ntsign_mismatch mismatch;
	enum ntsign_family family;
	struct ntsign_slice dialect, native_os, account;
	struct ntsign_moment at;
	bool ok;		/* its status is success */
	bool refused;
	bool failed;		/* and not because of signing */
	bool keyless;		/* anonymous or guest */
	bool encrypted;
	bool exposed;		/* stands, and can be relayed */
};

static bool read_outcome(const struct ntsign_entry *entry,
			 enum ntsign_field field, enum ntsign_outcome *outcome)
{
	struct ntsign_slice text = ntsign_entry_slice(entry, field);
	unsigned int i;

	for (i = 0; i < NTSIGN_OUTCOME_COUNT; i++) {
		enum ntsign_outcome value = (enum ntsign_outcome)i;

		if (ntsign_slice_is(text, ntsign_outcome_name(value))) {
			*outcome = value;
			return true;
		}
	}
	return false;
}

static void read_mismatch(const struct ntsign_entry *entry, struct seen *seen)
{
	struct ntsign_slice text =
		ntsign_entry_slice(entry, NTSIGN_FIELD_MISMATCH);
	unsigned int i;

	for (i = 0; i < NTSIGN_MISMATCH_COUNT; i++) {
		enum ntsign_mismatch value = (enum ntsign_mismatch)i;

		if (ntsign_slice_is(text, ntsign_mismatch_name(value))) {
			seen->mismatch = value;
		}
	}
}

/* A logon that failed, and not because of signing. */
static bool is_failed(const struct seen *seen)
{
	if (seen->outcome != NTSIGN_OUTCOME_NO_COMMUNICATION ||
	    seen->expected == NTSIGN_OUTCOME_NO_COMMUNICATION) {
		return false;
	}
	if (seen->refused || seen->mismatch == NTSIGN_MISMATCH_OUTCOME) {
		return false;
	}
	return !seen->ok;
}

enum ntsign_family ntsign_tally_family(struct ntsign_slice dialect)
{
	return dialect.len >= 4 && memcmp(dialect.text, "SMB", 3) == 0 &&
			       dialect.text[3] >= '2' ?
		       NTSIGN_FAMILY_SMB2 : NTSIGN_FAMILY_SMB1;
}

static struct seen read_session(const struct ntsign_entry *entry)
{
	struct seen s = {
		.dialect = ntsign_entry_slice(entry, NTSIGN_FIELD_DIALECT),
		.native_os = ntsign_entry_slice(entry, NTSIGN_FIELD_NATIVE_OS),
		.account = ntsign_entry_slice(entry, NTSIGN_FIELD_ACCOUNT),
		.at = entry->moment,
		.refused = ntsign_entry_flag(entry, NTSIGN_FIELD_REFUSED),
		.encrypted = ntsign_entry_flag(entry, NTSIGN_FIELD_ENCRYPTED),
	};

	s.placed = ntsign_entry_party(entry, NTSIGN_FIELD_CLIENT, &s.client) &&
		   ntsign_entry_party(entry, NTSIGN_FIELD_SERVER, &s.server) &&
		   read_outcome(entry, NTSIGN_FIELD_EXPECTED, &s.expected) &&
		   read_outcome(entry, NTSIGN_FIELD_OUTCOME, &s.outcome);
	read_mismatch(entry, &s);
	s.family = ntsign_tally_family(s.dialect);
	s.keyless = ntsign_entry_flag(entry, NTSIGN_FIELD_ANONYMOUS) ||
		    ntsign_entry_flag(entry, NTSIGN_FIELD_GUEST);
	s.ok = ntsign_slice_is(ntsign_entry_slice(entry, NTSIGN_FIELD_STATUS),
			       "NT_STATUS_OK");
	s.failed = s.placed && is_failed(&s);
	s.exposed = s.placed && s.ok && !s.encrypted && !s.keyless &&
		    s.outcome == NTSIGN_OUTCOME_NOT_SIGNED;
	return s;
}

static void sessions_add(struct ntsign_tally_sessions *count,
			 const struct seen *seen)
{
	count->sessions++;
	if (!seen->placed) {
		return;
	}
	if (seen->failed) {
		count->failed++;
	} else {
		count->outcome[seen->outcome]++;
	}
}

/* ---- facts ---- */

bool ntsign_tally_is_keyless(const struct ntsign_tally_facts *facts)
{
	return facts->keyless && !facts->keyed;
}

void ntsign_tally_facts_clear(struct ntsign_words *words,
			      struct ntsign_tally_facts *facts)
{
	ntsign_words_drop(words, facts->dialect);
	ntsign_words_drop(words, facts->native_os);
	facts->dialect = NULL;
	facts->native_os = NULL;
}

static struct ntsign_slice word_slice(const struct ntsign_word *word)
{
	struct ntsign_slice slice = { .text = NULL };

	if (word != NULL) {
		slice.text = word->text;
		slice.len = word->len;
	}
	return slice;
}

/* All that decides which of two sessions of one moment is the later one. */
static unsigned int side_number(struct ntsign_party party)
{
	return (party.patched ? 0U : NTSIGN_SIGNING_COUNT) +
	       (unsigned int)party.signing;
}

static unsigned int facts_number(const struct ntsign_tally_facts *f)
{
	unsigned int n = side_number(f->client);

	n = n * NTSIGN_TALLY_SIDES + side_number(f->server);
	n = n * NTSIGN_OUTCOME_COUNT + (unsigned int)f->expected;
	n = n * NTSIGN_OUTCOME_COUNT + (unsigned int)f->outcome;
	n = n * NTSIGN_FAMILY_COUNT + (unsigned int)f->family;
	return n * 2 + (f->encrypted ? 1U : 0U);
}

/* Whether b's session is later than a's, by more than nothing. */
static bool is_later(const struct ntsign_tally_facts *a,
		     const struct ntsign_tally_facts *b,
		     struct ntsign_slice dialect, struct ntsign_slice native_os)
{
	int order = ntsign_moment_compare(&a->at, &b->at);
	unsigned int left = 0;
	unsigned int right = 0;

	if (!a->seen || order != 0) {
		return !a->seen || order < 0;
	}
	left = facts_number(a);
	right = facts_number(b);
	if (left != right) {
		return left < right;
	}
	order = ntsign_slice_compare(word_slice(a->dialect),
				     ntsign_slice_cut(dialect));
	if (order == 0) {
		order = ntsign_slice_compare(word_slice(a->native_os),
					     ntsign_slice_cut(native_os));
	}
	return order < 0;
}

/* Makes *word that of the text, NULL for none. */
static void set_word(struct ntsign_tally *tally, struct ntsign_word **word,
		     struct ntsign_slice text)
{
	struct ntsign_word *taken = NULL;

	text = ntsign_slice_cut(text);
	if (ntsign_slice_compare(word_slice(*word), text) == 0) {
		return;
	}
	if (text.len > 0) {
		taken = ntsign_words_take(&tally->words, text);
		tally->no_memory = tally->no_memory || taken == NULL;
	}
	ntsign_words_drop(&tally->words, *word);
	*word = taken;
}

/* Takes over a later session; the flags are the caller's. */
static void set_last(struct ntsign_tally *tally,
		     struct ntsign_tally_facts *facts,
		     const struct ntsign_tally_facts *last,
		     struct ntsign_slice dialect, struct ntsign_slice native_os)
{
	if (!is_later(facts, last, dialect, native_os)) {
		return;
	}
	facts->seen = true;
	facts->at = last->at;
	facts->client = last->client;
	facts->server = last->server;
	facts->expected = last->expected;
	facts->outcome = last->outcome;
	facts->family = last->family;
	facts->encrypted = last->encrypted;
	set_word(tally, &facts->dialect, dialect);
	set_word(tally, &facts->native_os, native_os);
}

/* What a session with a key shows of the ability to sign. */
static void add_signing(struct ntsign_tally_facts *facts,
			const struct seen *seen)
{
	if (seen->outcome == NTSIGN_OUTCOME_SIGNED && !seen->encrypted) {
		facts->was_signed[seen->family] = true;
	}
	if (seen->outcome == NTSIGN_OUTCOME_NOT_SIGNED &&
	    seen->family == NTSIGN_FAMILY_SMB1) {
		facts->unsigned_smb1 |= ntsign_forecast_unsigned(
			seen->client, seen->server);
	}
}

static void facts_add(struct ntsign_tally *tally,
		      struct ntsign_tally_facts *facts,
		      const struct seen *seen)
{
	struct ntsign_tally_facts last = {
		.at = seen->at,
		.client = seen->client,
		.server = seen->server,
		.expected = seen->expected,
		.outcome = seen->outcome,
		.family = seen->family,
		.encrypted = seen->encrypted,
	};

	if (!seen->placed) {
		return;
	}
	if (seen->client.signing != NTSIGN_SIGNING_DISABLED) {
		facts->claims = true;
	}
	if (seen->failed) {
		facts->failed = true;
		return;
	}
	if (seen->keyless) {
		facts->keyless = true;
	} else {
		facts->keyed = true;
		add_signing(facts, seen);
	}
	set_last(tally, facts, &last, seen->dialect, seen->native_os);
}

void ntsign_tally_facts_merge(struct ntsign_tally *tally,
			      struct ntsign_tally_facts *facts,
			      const struct ntsign_tally_facts *from)
{
	size_t i;

	facts->failed = facts->failed || from->failed;
	facts->keyless = facts->keyless || from->keyless;
	facts->keyed = facts->keyed || from->keyed;
	facts->claims = facts->claims || from->claims;
	facts->unsigned_smb1 |= from->unsigned_smb1;
	for (i = 0; i < NTSIGN_FAMILY_COUNT; i++) {
		facts->was_signed[i] = facts->was_signed[i] ||
				       from->was_signed[i];
	}
	if (from->seen) {
		set_last(tally, facts, from, word_slice(from->dialect),
			 word_slice(from->native_os));
	}
}

/* ---- where a session counts ---- */

static void cell_add(struct ntsign_tally *tally, const struct seen *seen)
{
	size_t i = side_number(seen->client) * NTSIGN_TALLY_SIDES +
		   side_number(seen->server);
	struct ntsign_tally_cell *cell = NULL;

	i = i * NTSIGN_OUTCOME_COUNT + (size_t)seen->expected;
	cell = &tally->cells[i];
	cell->client = seen->client;
	cell->server = seen->server;
	cell->expected = seen->expected;
	sessions_add(&cell->count, seen);
}

static void trend_add(struct ntsign_tally *tally, const struct seen *seen)
{
	static const enum ntsign_trend_kind kinds[] = {
		[NTSIGN_OUTCOME_SIGNED] = NTSIGN_TREND_SIGNED,
		[NTSIGN_OUTCOME_NOT_SIGNED] = NTSIGN_TREND_NOT_SIGNED,
		[NTSIGN_OUTCOME_NO_COMMUNICATION] = NTSIGN_TREND_REFUSED,
	};

	ntsign_trend_add(&tally->trend, seen->at.time,
			 seen->failed ? NTSIGN_TREND_FAILED :
					kinds[seen->outcome], 1);
}

static void mismatch_fill(struct ntsign_tally *tally,
			  struct ntsign_tally_mismatch *m,
			  const struct ntsign_entry *entry,
			  const struct seen *seen, const char *address)
{
	struct ntsign_slice article =
		ntsign_entry_slice(entry, NTSIGN_FIELD_ARTICLE);

	if (article.text == NULL) {
		article = ntsign_slice_of(NTSIGN_ARTICLE);
	}
	m->address_word = ntsign_tally_word(tally, ntsign_slice_of(address),
					    &m->address);
	m->dialect_word = ntsign_tally_word(tally, seen->dialect, &m->dialect);
	m->setup_word = ntsign_tally_word(
		tally, ntsign_entry_slice(entry, NTSIGN_FIELD_SETUP),
		&m->setup);
	m->article_word = ntsign_tally_word(tally, article, &m->article);
	m->reason_word = ntsign_tally_word(
		tally, ntsign_entry_slice(entry, NTSIGN_FIELD_REASON),
		&m->reason);
	m->client = seen->client;
	m->server = seen->server;
	m->mismatch = seen->mismatch;
	m->expected = seen->expected;
	m->outcome = seen->outcome;
	m->keyless = seen->keyless;
}

static void mismatch_add(struct ntsign_tally *tally,
			 const struct ntsign_entry *entry,
			 const struct seen *seen, const char *address)
{
	const char numbers[] = {
		(char)('0' + side_number(seen->client)),
		(char)('0' + side_number(seen->server)),
		(char)('0' + seen->mismatch), (char)('0' + seen->expected),
		(char)('0' + seen->outcome), seen->keyless ? '1' : '0',
	};
	struct ntsign_tally_key key;
	struct ntsign_tally_mismatch *m = NULL;
	bool made = false;

	key.len = 0;
	ntsign_tally_key_add(&key, ntsign_slice_of(address));
	ntsign_tally_key_add(&key, seen->dialect);
	ntsign_tally_key_add(&key,
			     ntsign_entry_slice(entry, NTSIGN_FIELD_SETUP));
	ntsign_tally_key_add(&key,
			     ntsign_entry_slice(entry, NTSIGN_FIELD_REASON));
	ntsign_tally_key_add(&key, (struct ntsign_slice){
		.text = numbers, .len = sizeof(numbers) });
	/* the rest decides on it in our own records, not in all there can be */
	ntsign_tally_key_add(&key,
			     ntsign_entry_slice(entry, NTSIGN_FIELD_ARTICLE));
	m = ntsign_tally_get(tally, &tally->mismatches,
			     (struct ntsign_slice){ .text = key.text,
						    .len = key.len }, &made);
	if (m == NULL) {
		return;
	}
	if (made) {
		mismatch_fill(tally, m, entry, seen, address);
	}
	m->count++;
	m->refused += seen->refused ? 1 : 0;
	m->failed += seen->failed ? 1 : 0;
	ntsign_span_add(&m->span, &entry->moment);
}

static void account_add(struct ntsign_tally *tally,
			const struct ntsign_entry *entry,
			const struct seen *seen, const char *address)
{
	struct ntsign_slice domain =
		ntsign_entry_slice(entry, NTSIGN_FIELD_DOMAIN);
	bool known = seen->ok && !seen->keyless;
	struct ntsign_tally_account *a = NULL;
	struct ntsign_tally_key key;
	bool made = false;

	if (seen->account.len == 0) {
		return;
	}
	tally->account_sessions_omitted++;	/* until sorted: all */
	key.len = 0;
	if (domain.len > 0) {
		ntsign_tally_key_add(&key, domain);
		key.text[key.len - 1] = '\\';
	}
	ntsign_tally_key_add(&key, seen->account);
	a = ntsign_tally_get(tally, known ? &tally->accounts :
					    &tally->strangers,
			     (struct ntsign_slice){ .text = key.text,
						    .len = key.len - 1 },
			     &made);
	if (a == NULL) {
		return;
	}
	a->known = known;
	ntsign_span_add(&a->span, &entry->moment);
	sessions_add(&a->count, seen);
	a->exposed += seen->exposed ? 1 : 0;
	ntsign_tally_names(tally, &a->addresses, NTSIGN_TALLY_ADDRESSES,
			   ntsign_slice_of(address));
	facts_add(tally, &a->facts, seen);
}

void ntsign_tally_session(struct ntsign_tally *tally,
			  struct ntsign_tally_client *client,
			  const struct ntsign_entry *entry)
{
	struct seen seen = read_session(entry);
	bool known = seen.ok && !seen.keyless;

	sessions_add(&tally->count, &seen);
	sessions_add(&client->count, &seen);
	tally->refused += seen.refused ? 1 : 0;
	tally->exposed += seen.exposed ? 1 : 0;
	client->exposed += seen.exposed ? 1 : 0;
	tally->encrypted +=
		ntsign_entry_flag(entry, NTSIGN_FIELD_ENCRYPTED) ? 1 : 0;
	ntsign_tally_names(tally, &client->dialects, NTSIGN_TALLY_NAMES,
			   seen.dialect);
	ntsign_tally_names(tally, &client->native_os, NTSIGN_TALLY_NAMES,
			   seen.native_os);
	if (known) {
		ntsign_tally_names(tally, &client->accounts,
				   NTSIGN_TALLY_NAMES, seen.account);
	} else {
		ntsign_tally_names(tally, &client->strangers,
				   NTSIGN_TALLY_STRANGERS, seen.account);
	}
	account_add(tally, entry, &seen, client->key);
	facts_add(tally, &client->facts, &seen);
	if (!seen.placed) {
		tally->unplaced++;
		return;
	}
	cell_add(tally, &seen);
	trend_add(tally, &seen);
	if (seen.mismatch != NTSIGN_MISMATCH_NONE) {
		mismatch_add(tally, entry, &seen, client->key);
	}
}
