/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Audit records summed up.
 *
 * Invariant: what is kept of a record is a count, a time, or a name that has
 * not been seen before; every text is cut at NTSIGN_TEXT_MAX characters.
 */
#include <string.h>

#include "tally_parts.h"

/* ---- tallies ---- */

static void clear_client(void *entry, void *private_data)
{
	struct ntsign_tally_client *client = entry;
	struct ntsign_words *words = private_data;

	ntsign_names_clear(words, &client->dialects);
	ntsign_names_clear(words, &client->native_os);
	ntsign_names_clear(words, &client->accounts);
	ntsign_names_clear(words, &client->strangers);
	ntsign_tally_facts_clear(words, &client->facts);
}

static void clear_account(void *entry, void *private_data)
{
	struct ntsign_tally_account *account = entry;
	struct ntsign_words *words = private_data;

	ntsign_names_clear(words, &account->addresses);
	ntsign_tally_facts_clear(words, &account->facts);
}

static void clear_mismatch(void *entry, void *private_data)
{
	struct ntsign_tally_mismatch *m = entry;
	struct ntsign_words *words = private_data;

	ntsign_words_drop(words, m->address_word);
	ntsign_words_drop(words, m->dialect_word);
	ntsign_words_drop(words, m->setup_word);
	ntsign_words_drop(words, m->article_word);
	ntsign_words_drop(words, m->reason_word);
}

static void clear_quirk(void *entry, void *private_data)
{
	struct ntsign_tally_quirk *q = entry;
	struct ntsign_words *words = private_data;

	ntsign_words_drop(words, q->address_word);
	ntsign_words_drop(words, q->article_word);
	ntsign_words_drop(words, q->event_word);
	ntsign_names_clear(words, &q->accounts);
}

static void clear_turned_away(void *entry, void *private_data)
{
	struct ntsign_tally_turned_away *t = entry;
	struct ntsign_words *words = private_data;

	ntsign_words_drop(words, t->address_word);
	ntsign_words_drop(words, t->reason_word);
	ntsign_names_clear(words, &t->offered);
}

static void clear_note(void *entry, void *private_data)
{
	struct ntsign_tally_note *n = entry;
	struct ntsign_words *words = private_data;

	ntsign_words_drop(words, n->event_word);
	ntsign_words_drop(words, n->message_word);
}

static int tally_destructor(struct ntsign_tally *tally)
{
	ntsign_table_clear(&tally->clients);
	ntsign_table_clear(&tally->accounts);
	ntsign_table_clear(&tally->strangers);
	ntsign_table_clear(&tally->signers);
	ntsign_table_clear(&tally->mismatches);
	ntsign_table_clear(&tally->quirks);
	ntsign_table_clear(&tally->turned_away);
	ntsign_table_clear(&tally->notes);
	ntsign_table_clear(&tally->skips);
	ntsign_words_clear(&tally->words);
	return 0;
}

struct ntsign_tally *ntsign_tally_new(TALLOC_CTX *mem_ctx)
{
	struct ntsign_tally *t = talloc_zero(mem_ctx, struct ntsign_tally);
	void *words = NULL;

	if (t == NULL) {
		return NULL;
	}
	t->range.since = INT64_MIN;
	t->range.until = INT64_MAX;
	words = &t->words;
	ntsign_table_init(&t->clients, sizeof(struct ntsign_tally_client), 0,
			  clear_client, words);
	ntsign_table_init(&t->accounts, sizeof(struct ntsign_tally_account),
			  NTSIGN_TALLY_ACCOUNTS, clear_account, words);
	ntsign_table_init(&t->strangers, sizeof(struct ntsign_tally_account),
			  NTSIGN_TALLY_ALL_STRANGERS, clear_account, words);
	ntsign_table_init(&t->signers, sizeof(struct ntsign_tally_signer),
			  NTSIGN_TALLY_ACCOUNTS, NULL, NULL);
	ntsign_table_init(&t->mismatches,
			  sizeof(struct ntsign_tally_mismatch), 0,
			  clear_mismatch, words);
	ntsign_table_init(&t->quirks, sizeof(struct ntsign_tally_quirk), 0,
			  clear_quirk, words);
	ntsign_table_init(&t->turned_away,
			  sizeof(struct ntsign_tally_turned_away), 0,
			  clear_turned_away, words);
	ntsign_table_init(&t->notes, sizeof(struct ntsign_tally_note),
			  NTSIGN_TALLY_NOTES, clear_note, words);
	ntsign_table_init(&t->skips, sizeof(struct ntsign_tally_skip), 0, NULL,
			  NULL);
	talloc_set_destructor(t, tally_destructor);
	return t;
}

/* Sets, words and entries are several pieces of memory each. */
#define ENTRY_EXTRA 192

static size_t table_size(const struct ntsign_table *table)
{
	return table->count * (table->entry_size + ENTRY_EXTRA);
}

size_t ntsign_tally_size(const struct ntsign_tally *tally)
{
	return sizeof(*tally) + table_size(&tally->clients) +
	       table_size(&tally->accounts) + table_size(&tally->strangers) +
	       table_size(&tally->signers) + table_size(&tally->mismatches) +
	       table_size(&tally->quirks) + table_size(&tally->turned_away);
}

/* ---- what the parts share ---- */

void *ntsign_tally_get(struct ntsign_tally *tally, struct ntsign_table *table,
		       struct ntsign_slice key, bool *made)
{
	bool omitted = false;
	void *entry = ntsign_table_get(table, key, made, &omitted);

	if (entry == NULL && !omitted) {
		tally->no_memory = true;
	}
	return entry;
}

void ntsign_tally_names(struct ntsign_tally *tally, struct ntsign_names *names,
			uint16_t most, struct ntsign_slice text)
{
	if (!ntsign_names_add(&tally->words, names, most, text)) {
		tally->no_memory = true;
	}
}

struct ntsign_word *ntsign_tally_word(struct ntsign_tally *tally,
				      struct ntsign_slice slice,
				      const char **text)
{
	struct ntsign_word *word = NULL;

	if (slice.text == NULL) {
		slice.text = "";
	}
	word = ntsign_words_take(&tally->words, slice);
	if (word == NULL) {
		tally->no_memory = true;
	}
	*text = word != NULL ? word->text : "";
	return word;
}

void ntsign_tally_key_add(struct ntsign_tally_key *key,
			  struct ntsign_slice part)
{
	part = ntsign_slice_cut(part);
	if (part.len > sizeof(key->text) - key->len - 1) {
		part.len = sizeof(key->text) - key->len - 1;
	}
	if (part.len > 0) {
		memcpy(key->text + key->len, part.text, part.len);
		key->len += part.len;
	}
	key->text[key->len++] = '\n';
}

static struct ntsign_slice key_slice(const struct ntsign_tally_key *key)
{
	return (struct ntsign_slice){ .text = key->text, .len = key->len };
}

/* ---- records by their type ---- */

/* Which family a signature was verified in; both where it is not said. */
static void add_verified(bool verified[NTSIGN_FAMILY_COUNT],
			 const struct ntsign_entry *entry)
{
	struct ntsign_slice dialect =
		ntsign_entry_slice(entry, NTSIGN_FIELD_DIALECT);
	enum ntsign_family family = ntsign_tally_family(dialect);

	if (dialect.len == 0 || family == NTSIGN_FAMILY_SMB1) {
		verified[NTSIGN_FAMILY_SMB1] = true;
	}
	if (dialect.len == 0 || family == NTSIGN_FAMILY_SMB2) {
		verified[NTSIGN_FAMILY_SMB2] = true;
	}
}

static void add_signer(struct ntsign_tally *tally,
		       const struct ntsign_entry *entry)
{
	struct ntsign_tally_signer *signer = NULL;
	struct ntsign_slice account =
		ntsign_entry_slice(entry, NTSIGN_FIELD_ACCOUNT);
	bool made = false;

	if (account.len > 0) {
		signer = ntsign_tally_get(tally, &tally->signers,
					  ntsign_slice_cut(account), &made);
	}
	if (signer != NULL) {
		add_verified(signer->verified, entry);
	}
}

static void add_signature(struct ntsign_tally *tally,
			  struct ntsign_tally_client *client,
			  const struct ntsign_entry *entry)
{
	struct ntsign_slice event =
		ntsign_entry_slice(entry, NTSIGN_FIELD_EVENT);

	if (ntsign_slice_is(event, "verified")) {
		tally->verified++;
		client->proven = true;
		add_verified(client->verified, entry);
		add_signer(tally, entry);
	} else if (ntsign_slice_is(event, "bad")) {
		tally->bad++;
		client->bad++;
	} else if (ntsign_slice_is(event, "missing")) {
		tally->missing++;
		client->missing++;
	} else if (ntsign_slice_is(event, "downgraded")) {
		tally->downgraded++;
		client->downgraded++;
	}
}

static void add_turned_away(struct ntsign_tally *tally,
			    struct ntsign_tally_client *client,
			    const struct ntsign_entry *entry)
{
	struct ntsign_slice reason =
		ntsign_entry_slice(entry, NTSIGN_FIELD_REASON);
	struct ntsign_slice address = ntsign_slice_of(client->key);
	struct ntsign_tally_turned_away *t = NULL;
	struct ntsign_tally_key key;
	size_t count = ntsign_entry_list_count(entry, "offered");
	size_t i = 0;
	bool made = false;

	key.len = 0;
	ntsign_tally_key_add(&key, address);
	ntsign_tally_key_add(&key, reason);
	t = ntsign_tally_get(tally, &tally->turned_away, key_slice(&key),
			     &made);
	if (t == NULL) {
		return;
	}
	if (made) {
		t->address_word = ntsign_tally_word(tally, address,
						    &t->address);
		t->reason_word = ntsign_tally_word(tally, reason, &t->reason);
	}
	for (i = 0; i < count; i++) {
		ntsign_tally_names(tally, &t->offered, NTSIGN_TALLY_NAMES,
				   ntsign_slice_of(ntsign_entry_list_text(
					   entry, "offered", i)));
	}
	t->count++;
	ntsign_span_add(&t->span, &entry->moment);
}

static void add_connection(struct ntsign_tally *tally,
			   struct ntsign_tally_client *client,
			   const struct ntsign_entry *entry)
{
	ntsign_tally_names(tally, &client->dialects, NTSIGN_TALLY_NAMES,
			   ntsign_entry_slice(entry, NTSIGN_FIELD_DIALECT));
	if (ntsign_slice_is(ntsign_entry_slice(entry, NTSIGN_FIELD_EVENT),
			    "turned_away")) {
		add_turned_away(tally, client, entry);
	}
}

static void add_quirk(struct ntsign_tally *tally,
		      struct ntsign_tally_client *client,
		      const struct ntsign_entry *entry)
{
	struct ntsign_slice address = ntsign_slice_of(client->key);
	struct ntsign_slice article =
		ntsign_entry_slice(entry, NTSIGN_FIELD_ARTICLE);
	struct ntsign_slice event =
		ntsign_entry_slice(entry, NTSIGN_FIELD_EVENT);
	struct ntsign_tally_quirk *q = NULL;
	struct ntsign_tally_key key;
	bool made = false;

	key.len = 0;
	ntsign_tally_key_add(&key, address);
	ntsign_tally_key_add(&key, article);
	ntsign_tally_key_add(&key, event);
	q = ntsign_tally_get(tally, &tally->quirks, key_slice(&key), &made);
	if (q == NULL) {
		return;
	}
	if (made) {
		q->address_word = ntsign_tally_word(tally, address,
						    &q->address);
		q->article_word = ntsign_tally_word(tally, article,
						    &q->article);
		q->event_word = ntsign_tally_word(tally, event, &q->event);
	}
	q->count++;
	ntsign_tally_names(tally, &q->accounts, NTSIGN_TALLY_NAMES,
			   ntsign_entry_slice(entry, NTSIGN_FIELD_ACCOUNT));
	ntsign_span_add(&q->span, &entry->moment);
}

static void add_note(struct ntsign_tally *tally,
		     const struct ntsign_entry *entry,
		     struct ntsign_slice event)
{
	struct ntsign_slice message =
		ntsign_entry_slice(entry, NTSIGN_FIELD_MESSAGE);
	struct ntsign_tally_note *n = NULL;
	struct ntsign_tally_key key;
	bool made = false;

	tally->notes_omitted++;		/* until they are sorted: all */
	key.len = 0;
	ntsign_tally_key_add(&key, event);
	ntsign_tally_key_add(&key, message);
	n = ntsign_tally_get(tally, &tally->notes, key_slice(&key), &made);
	if (n == NULL) {
		return;
	}
	if (made) {
		n->event_word = ntsign_tally_word(tally, event, &n->event);
		n->message_word = ntsign_tally_word(tally, message,
						    &n->message);
	}
	n->count++;
	ntsign_span_add(&n->span, &entry->moment);
}

static void add_audit(struct ntsign_tally *tally,
		      const struct ntsign_entry *entry)
{
	struct ntsign_slice event =
		ntsign_entry_slice(entry, NTSIGN_FIELD_EVENT);
	int64_t count = ntsign_entry_int(entry, "count");

	if (count < 0) {
		count = 0;
	}
	if (ntsign_slice_is(event, "suppressed")) {
		tally->suppressed += (uint64_t)count;
		return;
	}
	if (ntsign_slice_is(event, "failure")) {
		tally->lost += (uint64_t)count;
	}
	if (ntsign_slice_is(event, "configuration") ||
	    ntsign_slice_is(event, "failure") ||
	    ntsign_slice_is(event, "emulating")) {
		add_note(tally, entry, event);
	}
}

/* The types that speak of a client. */
static const struct {
	const char *type;
	void (*add)(struct ntsign_tally *tally,
		    struct ntsign_tally_client *client,
		    const struct ntsign_entry *entry);
} client_types[] = {
	{ "SMBSession", ntsign_tally_session },
	{ "SMBConnection", add_connection },
	{ "SMBSignature", add_signature },
	{ "SMBQuirk", add_quirk },
	{ "SMBTree", NULL },
};

static void add_client_record(struct ntsign_tally *tally,
			      const struct ntsign_entry *entry, size_t type)
{
	char buffer[NTSIGN_ENTRY_ADDRESS];
	struct ntsign_slice address = ntsign_entry_remote(entry, buffer);
	struct ntsign_tally_client *client = NULL;
	bool made = false;

	client = ntsign_tally_get(tally, &tally->clients, address, &made);
	if (client == NULL) {
		return;
	}
	ntsign_span_add(&client->span, &entry->moment);
	if (client_types[type].add != NULL) {
		client_types[type].add(tally, client, entry);
	}
}

static void add_record(struct ntsign_tally *tally,
		       const struct ntsign_entry *entry)
{
	size_t i;

	if (entry->time < tally->range.since ||
	    entry->time >= tally->range.until) {
		tally->outside++;
		return;
	}
	tally->records++;
	ntsign_span_add(&tally->span, &entry->moment);
	if (strcmp(entry->type, "SMBAudit") == 0) {
		add_audit(tally, entry);
		return;
	}
	for (i = 0; i < sizeof(client_types) / sizeof(client_types[0]); i++) {
		if (strcmp(entry->type, client_types[i].type) == 0) {
			add_client_record(tally, entry, i);
			return;
		}
	}
}

static void add_skip(struct ntsign_tally *tally,
		     const struct ntsign_tally_source *source,
		     const struct ntsign_line *line,
		     const struct ntsign_entry *entry)
{
	struct ntsign_tally_skip *skip = NULL;
	bool made = false;

	tally->skipped++;
	skip = ntsign_tally_get(tally, &tally->skips,
				ntsign_slice_of(entry->why), &made);
	if (skip == NULL) {
		return;
	}
	skip->count++;
	if (made || source->place < skip->source.place ||
	    (source->place == skip->source.place &&
	     line->number < skip->line)) {
		skip->source = *source;
		skip->line = line->number;
		memcpy(skip->detail, entry->detail, sizeof(skip->detail));
	}
}

void ntsign_tally_line(struct ntsign_tally *tally,
		       struct ntsign_parser *parser,
		       const struct ntsign_tally_source *source,
		       const struct ntsign_line *line)
{
	struct ntsign_entry entry;

	if (!ntsign_entry_parse(parser, line, &entry)) {
		add_skip(tally, source, line, &entry);
		return;
	}
	add_record(tally, &entry);
}
