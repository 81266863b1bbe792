/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Audit records summed up.
 *
 * Invariant: what is kept of a record is a count, a time, or a name that has
 * not been seen before; every text is cut at NTSIGN_TEXT_MAX characters.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "ntsign/address.h"
#include "ntsign/text.h"
#include "tally.h"
#include "tool.h"

/* What every entry of a table starts with. */
struct keyed {
	const char *key;
};

static int compare_keys(const void *a, const void *b)
{
	const struct keyed *left = a;
	const struct keyed *right = b;

	return strcmp(left->key, right->key);
}

static void keep_entry(void *entry)
{
	(void)entry;
}

static int tally_destructor(struct ntsign_tally *tally)
{
	tdestroy(tally->clients.index, keep_entry);
	tdestroy(tally->mismatches.index, keep_entry);
	tdestroy(tally->quirks.index, keep_entry);
	tdestroy(tally->turned_away.index, keep_entry);
	tdestroy(tally->notes.index, keep_entry);
	tdestroy(tally->skips.index, keep_entry);
	return 0;
}

struct ntsign_tally *ntsign_tally_new(TALLOC_CTX *mem_ctx)
{
	struct ntsign_tally *tally = talloc_zero(mem_ctx, struct ntsign_tally);

	if (tally != NULL) {
		talloc_set_destructor(tally, tally_destructor);
	}
	return tally;
}

/* Appends an entry whose key is not in the table yet. */
static bool table_add(struct ntsign_tally *tally,
		      struct ntsign_tally_table *table, void *entry)
{
	if ((table->count & (table->count - 1)) == 0) {
		size_t size = table->count == 0 ? 1 : table->count * 2;
		void **list = talloc_realloc(tally, table->list, void *, size);

		if (list == NULL) {
			return false;
		}
		table->list = list;
	}
	if (tsearch(entry, &table->index, compare_keys) == NULL) {
		return false;
	}
	table->list[table->count++] = entry;
	return true;
}

/*
 * The entry of that key, made with zeroed memory if there is none. NULL when
 * memory runs out, which sticks. *made: whether it is a new one.
 */
static void *table_get(struct ntsign_tally *tally,
		       struct ntsign_tally_table *table, const char *key,
		       size_t size, bool *made)
{
	struct keyed wanted = { .key = key };
	void *found = NULL;
	struct keyed *entry = NULL;

	*made = false;
	if (key == NULL) {
		tally->no_memory = true;
		return NULL;
	}
	found = tfind(&wanted, &table->index, compare_keys);
	if (found != NULL) {
		return *(void **)found;
	}
	entry = talloc_zero_size(tally, size);
	if (entry != NULL) {
		entry->key = talloc_strdup(entry, key);
	}
	if (entry == NULL || entry->key == NULL ||
	    !table_add(tally, table, entry)) {
		TALLOC_FREE(entry);
		tally->no_memory = true;
		return NULL;
	}
	*made = true;
	return entry;
}

/* A text of a record, cut; "" where it has none. */
static char *copy_text(struct ntsign_tally *tally, TALLOC_CTX *mem_ctx,
		       const char *text)
{
	char *copy = ntsign_text_string(mem_ctx, text);

	if (copy == NULL) {
		tally->no_memory = true;
	}
	return copy;
}

static void span_add(struct ntsign_tally_span *span,
		     const struct ntsign_entry *entry)
{
	if (!span->seen || entry->time < span->first) {
		span->first = entry->time;
		snprintf(span->first_text, sizeof(span->first_text), "%s",
			 entry->timestamp);
	}
	if (!span->seen || entry->time >= span->last) {
		span->last = entry->time;
		snprintf(span->last_text, sizeof(span->last_text), "%s",
			 entry->timestamp);
	}
	span->seen = true;
}

static void names_add(struct ntsign_tally *tally,
		      struct ntsign_tally_names *names, TALLOC_CTX *mem_ctx,
		      const char *text)
{
	char *name = NULL;
	size_t i = 0;

	if (text == NULL || text[0] == '\0') {
		return;
	}
	name = copy_text(tally, mem_ctx, text);
	if (name == NULL) {
		return;
	}
	while (i < names->count && strcmp(names->list[i], name) < 0) {
		i++;
	}
	if (i < names->count && strcmp(names->list[i], name) == 0) {
		TALLOC_FREE(name);
		return;
	}
	if (names->count == NTSIGN_TALLY_NAMES) {
		names->more = true;
		TALLOC_FREE(name);
		return;
	}
	memmove(&names->list[i + 1], &names->list[i],
		(names->count - i) * sizeof(names->list[0]));
	names->list[i] = name;
	names->count++;
}

/* A session as its record has it. */
struct seen {
	bool placed;		/* client, server and both outcomes known */
	struct ntsign_party client, server;
	enum ntsign_outcome expected, outcome;
	enum ntsign_mismatch mismatch;
	bool refused;
	bool failed;
};

static bool read_party(const struct ntsign_entry *entry, const char *name,
		       struct ntsign_party *party)
{
	json_t *object = json_object_get(entry->body, name);
	json_t *patched = json_object_get(object, "patched");
	const char *signing =
		json_string_value(json_object_get(object, "signing"));

	if (!json_is_boolean(patched) || signing == NULL) {
		return false;
	}
	party->patched = json_is_true(patched);
	return ntsign_signing_from_name(signing, &party->signing);
}

static bool read_outcome(const struct ntsign_entry *entry, const char *name,
			 enum ntsign_outcome *outcome)
{
	const char *text = ntsign_entry_text(entry, name);

	return text != NULL && ntsign_outcome_from_name(text, outcome);
}

/* A logon that failed, and not because of signing. */
static bool is_failed(const struct seen *seen, const char *status)
{
	if (seen->outcome != NTSIGN_OUTCOME_NO_COMMUNICATION ||
	    seen->expected == NTSIGN_OUTCOME_NO_COMMUNICATION) {
		return false;
	}
	if (seen->refused || seen->mismatch == NTSIGN_MISMATCH_OUTCOME) {
		return false;
	}
	return status == NULL || strcmp(status, "NT_STATUS_OK") != 0;
}

static struct seen read_session(const struct ntsign_entry *entry)
{
	struct seen seen = { .placed = false };
	const char *mismatch = ntsign_entry_text(entry, "mismatch");

	seen.placed = read_party(entry, "client", &seen.client) &&
		      read_party(entry, "server", &seen.server) &&
		      read_outcome(entry, "expected", &seen.expected) &&
		      read_outcome(entry, "outcome", &seen.outcome);
	if (mismatch != NULL) {
		(void)ntsign_mismatch_from_name(mismatch, &seen.mismatch);
	}
	seen.refused = ntsign_entry_bool(entry, "refused");
	seen.failed = seen.placed &&
		      is_failed(&seen, ntsign_entry_text(entry, "status"));
	return seen;
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

static size_t side_index(struct ntsign_party party)
{
	return (party.patched ? 0 : NTSIGN_SIGNING_COUNT) +
	       (size_t)party.signing;
}

static void cell_add(struct ntsign_tally *tally, const struct seen *seen)
{
	size_t i = side_index(seen->client) * NTSIGN_TALLY_SIDES +
		   side_index(seen->server);
	struct ntsign_tally_cell *cell = NULL;

	i = i * NTSIGN_OUTCOME_COUNT + (size_t)seen->expected;
	cell = &tally->cells[i];
	cell->client = seen->client;
	cell->server = seen->server;
	cell->expected = seen->expected;
	sessions_add(&cell->count, seen);
}

static void mismatch_fill(struct ntsign_tally *tally,
			  struct ntsign_tally_mismatch *m,
			  const struct ntsign_entry *entry,
			  const struct seen *seen, const char *address)
{
	const char *article = ntsign_entry_text(entry, "article");
	const char *reason = ntsign_entry_text(entry, "reason");

	m->address = copy_text(tally, m, address);
	m->dialect = copy_text(tally, m, ntsign_entry_text(entry, "dialect"));
	m->setup = copy_text(tally, m, ntsign_entry_text(entry, "setup"));
	m->article = copy_text(tally, m,
			       article != NULL ? article : NTSIGN_ARTICLE);
	m->reason = copy_text(tally, m, reason != NULL ? reason : "");
	m->client = seen->client;
	m->server = seen->server;
	m->mismatch = seen->mismatch;
	m->expected = seen->expected;
	m->outcome = seen->outcome;
}

static void mismatch_add(struct ntsign_tally *tally,
			 const struct ntsign_entry *entry,
			 const struct seen *seen, const char *address)
{
	struct ntsign_tally_mismatch *m = NULL;
	bool keyless = ntsign_entry_bool(entry, "anonymous") ||
		       ntsign_entry_bool(entry, "guest");
	char *dialect = NULL;
	char *setup = NULL;
	char *reason = NULL;
	char *key = NULL;
	bool made = false;

	reason = copy_text(tally, tally, ntsign_entry_text(entry, "reason"));
	dialect = copy_text(tally, tally, ntsign_entry_text(entry, "dialect"));
	setup = copy_text(tally, tally, ntsign_entry_text(entry, "setup"));
	if (dialect != NULL && setup != NULL && reason != NULL) {
		key = talloc_asprintf(
			tally, "%s\n%s\n%s\n%s\n%zu %zu %d %d %d %d", address,
			dialect, setup, reason, side_index(seen->client),
			side_index(seen->server), seen->mismatch,
			seen->expected, seen->outcome, keyless);
	}
	m = table_get(tally, &tally->mismatches, key, sizeof(*m), &made);
	TALLOC_FREE(key);
	TALLOC_FREE(setup);
	TALLOC_FREE(dialect);
	TALLOC_FREE(reason);
	if (m == NULL) {
		return;
	}
	if (made) {
		mismatch_fill(tally, m, entry, seen, address);
		m->keyless = keyless;
	}
	m->count++;
	m->refused += seen->refused ? 1 : 0;
	m->failed += seen->failed ? 1 : 0;
	span_add(&m->span, entry);
}

static void add_session(struct ntsign_tally *tally,
			struct ntsign_tally_client *client,
			const struct ntsign_entry *entry)
{
	struct seen seen = read_session(entry);

	sessions_add(&tally->count, &seen);
	sessions_add(&client->count, &seen);
	tally->refused += seen.refused ? 1 : 0;
	tally->encrypted += ntsign_entry_bool(entry, "encrypted") ? 1 : 0;
	names_add(tally, &client->dialects, client,
		  ntsign_entry_text(entry, "dialect"));
	names_add(tally, &client->accounts, client,
		  ntsign_entry_text(entry, "account"));
	names_add(tally, &client->native_os, client,
		  ntsign_entry_text(entry, "nativeOs"));
	if (!seen.placed) {
		tally->unplaced++;
		return;
	}
	cell_add(tally, &seen);
	if (seen.mismatch != NTSIGN_MISMATCH_NONE) {
		mismatch_add(tally, entry, &seen, client->key);
	}
}

static void add_signature(struct ntsign_tally *tally,
			  struct ntsign_tally_client *client,
			  const struct ntsign_entry *entry)
{
	const char *event = ntsign_entry_text(entry, "event");

	if (event == NULL) {
		return;
	} else if (strcmp(event, "verified") == 0) {
		tally->verified++;
		client->proven = true;
	} else if (strcmp(event, "bad") == 0) {
		tally->bad++;
		client->bad++;
	} else if (strcmp(event, "missing") == 0) {
		tally->missing++;
		client->missing++;
	} else if (strcmp(event, "downgraded") == 0) {
		tally->downgraded++;
		client->downgraded++;
	}
}

static void add_turned_away(struct ntsign_tally *tally,
			    struct ntsign_tally_client *client,
			    const struct ntsign_entry *entry)
{
	char *reason = copy_text(tally, tally,
				 ntsign_entry_text(entry, "reason"));
	char *key = talloc_asprintf(tally, "%s\n%s", client->key, reason);
	struct ntsign_tally_turned_away *t = NULL;
	json_t *name = NULL;
	size_t i = 0;
	bool made = false;

	t = table_get(tally, &tally->turned_away, key, sizeof(*t), &made);
	TALLOC_FREE(key);
	if (t == NULL) {
		TALLOC_FREE(reason);
		return;
	}
	if (made) {
		t->address = copy_text(tally, t, client->key);
		t->reason = talloc_move(t, &reason);
	}
	TALLOC_FREE(reason);
	json_array_foreach(json_object_get(entry->body, "offered"), i, name) {
		names_add(tally, &t->offered, t, json_string_value(name));
	}
	t->count++;
	span_add(&t->span, entry);
}

static void add_connection(struct ntsign_tally *tally,
			   struct ntsign_tally_client *client,
			   const struct ntsign_entry *entry)
{
	const char *event = ntsign_entry_text(entry, "event");

	names_add(tally, &client->dialects, client,
		  ntsign_entry_text(entry, "dialect"));
	if (event != NULL && strcmp(event, "turned_away") == 0) {
		add_turned_away(tally, client, entry);
	}
}

static void add_quirk(struct ntsign_tally *tally,
		      struct ntsign_tally_client *client,
		      const struct ntsign_entry *entry)
{
	char *article = copy_text(tally, tally,
				  ntsign_entry_text(entry, "article"));
	char *event = copy_text(tally, tally,
				ntsign_entry_text(entry, "event"));
	char *key = talloc_asprintf(tally, "%s\n%s\n%s", client->key, article,
				    event);
	struct ntsign_tally_quirk *q = NULL;
	bool made = false;

	q = table_get(tally, &tally->quirks, key, sizeof(*q), &made);
	TALLOC_FREE(key);
	if (q != NULL && made) {
		q->address = copy_text(tally, q, client->key);
		q->article = talloc_move(q, &article);
		q->event = talloc_move(q, &event);
	}
	TALLOC_FREE(article);
	TALLOC_FREE(event);
	if (q != NULL) {
		q->count++;
		names_add(tally, &q->accounts, q,
			  ntsign_entry_text(entry, "account"));
		span_add(&q->span, entry);
	}
}

static void add_note(struct ntsign_tally *tally,
		     const struct ntsign_entry *entry, const char *event)
{
	char *message = copy_text(tally, tally,
				  ntsign_entry_text(entry, "message"));
	char *key = talloc_asprintf(tally, "%s\n%s", event, message);
	struct ntsign_tally_note *n = NULL;
	bool made = false;

	n = table_get(tally, &tally->notes, key, sizeof(*n), &made);
	TALLOC_FREE(key);
	if (n != NULL && made) {
		n->event = copy_text(tally, n, event);
		n->message = talloc_move(n, &message);
	}
	TALLOC_FREE(message);
	if (n != NULL) {
		n->count++;
		span_add(&n->span, entry);
	}
}

static void add_audit(struct ntsign_tally *tally,
		      const struct ntsign_entry *entry)
{
	const char *event = ntsign_entry_text(entry, "event");
	int64_t count = ntsign_entry_int(entry, "count");

	if (event == NULL) {
		return;
	}
	if (count < 0) {
		count = 0;
	}
	if (strcmp(event, "suppressed") == 0) {
		tally->suppressed += (uint64_t)count;
		return;
	}
	if (strcmp(event, "failure") == 0) {
		tally->lost += (uint64_t)count;
	}
	if (strcmp(event, "configuration") == 0 ||
	    strcmp(event, "failure") == 0 ||
	    strcmp(event, "emulating") == 0) {
		if (tally->notes.count < NTSIGN_TALLY_NOTES) {
			add_note(tally, entry, event);
		} else {
			tally->notes_omitted++;
		}
	}
}

/* The types that speak of a client. */
static const struct {
	const char *type;
	void (*add)(struct ntsign_tally *tally,
		    struct ntsign_tally_client *client,
		    const struct ntsign_entry *entry);
} client_types[] = {
	{ "SMBSession", add_session },
	{ "SMBConnection", add_connection },
	{ "SMBSignature", add_signature },
	{ "SMBQuirk", add_quirk },
	{ "SMBTree", NULL },
};

static void add_client_record(struct ntsign_tally *tally,
			      const struct ntsign_entry *entry, size_t type)
{
	char *address = ntsign_entry_address(tally, entry);
	struct ntsign_tally_client *client = NULL;
	bool made = false;

	client = table_get(tally, &tally->clients, address, sizeof(*client),
			   &made);
	TALLOC_FREE(address);
	if (client == NULL) {
		return;
	}
	span_add(&client->span, entry);
	if (client_types[type].add != NULL) {
		client_types[type].add(tally, client, entry);
	}
}

static void add_record(struct ntsign_tally *tally,
		       const struct ntsign_entry *entry)
{
	size_t i;

	tally->records++;
	span_add(&tally->span, entry);
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

static void add_skip(struct ntsign_tally *tally, const char *file,
		     const struct ntsign_line *line,
		     const struct ntsign_entry *entry)
{
	struct ntsign_tally_skip *skip = NULL;
	bool made = false;

	tally->skipped++;
	skip = table_get(tally, &tally->skips, entry->why, sizeof(*skip),
			 &made);
	if (skip == NULL) {
		return;
	}
	if (made) {
		skip->file = copy_text(tally, skip, file);
		skip->detail = copy_text(tally, skip, entry->detail);
		skip->line = line->number;
	}
	skip->count++;
}

void ntsign_tally_line(struct ntsign_tally *tally, const char *file,
		       const struct ntsign_line *line)
{
	struct ntsign_entry entry = { .root = NULL };

	if (!ntsign_entry_parse(line, &entry)) {
		add_skip(tally, file, line, &entry);
		return;
	}
	add_record(tally, &entry);
	ntsign_entry_free(&entry);
}

/* IPv4 before IPv6 before texts that are no address, each in order. */
static int compare_addresses(const char *a, const char *b)
{
	struct ntsign_address left = { .len = 0 };
	struct ntsign_address right = { .len = 0 };
	bool left_ok = ntsign_address_parse(a, &left);
	bool right_ok = ntsign_address_parse(b, &right);

	if (left_ok != right_ok) {
		return left_ok ? -1 : 1;
	}
	if (!left_ok) {
		return strcmp(a, b);
	}
	if (left.len != right.len) {
		return left.len < right.len ? -1 : 1;
	}
	return memcmp(left.bytes, right.bytes, left.len);
}

/* A key is the address, or starts with it and goes on after a newline. */
static int compare_entries(const void *a, const void *b)
{
	const struct keyed *left = *(const struct keyed *const *)a;
	const struct keyed *right = *(const struct keyed *const *)b;
	size_t left_len = strcspn(left->key, "\n");
	size_t right_len = strcspn(right->key, "\n");
	char *left_text = NULL;
	char *right_text = NULL;
	int order = 0;

	left_text = talloc_strndup(NULL, left->key, left_len);
	right_text = talloc_strndup(NULL, right->key, right_len);
	if (left_text != NULL && right_text != NULL) {
		order = compare_addresses(left_text, right_text);
	}
	TALLOC_FREE(left_text);
	TALLOC_FREE(right_text);
	return order != 0 ? order : strcmp(left->key, right->key);
}

static void sort_table(struct ntsign_tally_table *table)
{
	if (table->count > 1) {
		qsort(table->list, table->count, sizeof(table->list[0]),
		      compare_entries);
	}
}

void ntsign_tally_sort(struct ntsign_tally *tally)
{
	sort_table(&tally->clients);
	sort_table(&tally->mismatches);
	sort_table(&tally->quirks);
	sort_table(&tally->turned_away);
}
