/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign report --format json`: one object, for programs.
 *
 * Invariant: the output is ASCII, so that no text from a record can reach a
 * terminal as anything but letters; and of the tables one entry at a time is
 * in memory.
 */
#include <jansson.h>
#include <string.h>

#include "ntsign/text.h"
#include "report.h"
#include "report_forecast.h"
#include "report_json.h"
#include "tool.h"

/* json_pack() and the setters answer a missing value with an error, which
 * ends up in the NULL that the whole comes to. */

json_t *ntsign_json_names(const struct ntsign_names *names)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < names->count; i++) {
		if (json_array_append_new(
			    list, json_string(names->list[i]->text))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *party_json(struct ntsign_party party)
{
	return json_pack("{s:b, s:s}", "patched", party.patched, "signing",
			 ntsign_signing_name(party.signing));
}

static json_t *count_json(uint64_t count)
{
	return json_integer((json_int_t)count);
}

/* Adds the outcomes' counts to an object. */
static bool add_counts(json_t *object,
		       const struct ntsign_tally_sessions *count)
{
	unsigned int i;

	for (i = 0; i < NTSIGN_OUTCOME_COUNT; i++) {
		enum ntsign_outcome outcome = (enum ntsign_outcome)i;

		if (json_object_set_new(object, ntsign_outcome_name(outcome),
					count_json(count->outcome[i])) != 0) {
			return false;
		}
	}
	return json_object_set_new(object, "failed",
				   count_json(count->failed)) == 0;
}

json_t *ntsign_json_cell(const struct ntsign_tally_cell *cell)
{
	json_t *object = json_pack("{s:o, s:o, s:s, s:o}",
				   "client", party_json(cell->client),
				   "server", party_json(cell->server),
				   "expected",
				   ntsign_outcome_name(cell->expected),
				   "sessions",
				   count_json(cell->count.sessions));

	if (object != NULL && !add_counts(object, &cell->count)) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *cells_json(const struct ntsign_tally *tally)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < NTSIGN_TALLY_CELLS; i++) {
		if (tally->cells[i].count.sessions == 0) {
			continue;
		}
		if (json_array_append_new(
			    list, ntsign_json_cell(&tally->cells[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *first_json(const struct ntsign_span *span)
{
	char text[NTSIGN_MOMENT_TEXT];

	return span->seen ? json_string(ntsign_span_first(span, text)) :
			    json_null();
}

static json_t *last_json(const struct ntsign_span *span)
{
	char text[NTSIGN_MOMENT_TEXT];

	return span->seen ? json_string(ntsign_span_last(span, text)) :
			    json_null();
}

/* With --what-if: what would come of a client or an account. */
static bool add_prospect(json_t *object, const struct ntsign_report *report,
			 struct ntsign_prospect prospect)
{
	return !report->what_if ||
	       ntsign_prospect_add_json(object, &prospect);
}

json_t *ntsign_json_client(const struct ntsign_report *report,
			   const void *entry)
{
	const struct ntsign_tally_client *c = entry;
	json_t *object = json_pack(
		"{s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:b, s:o, s:o, "
		"s:o, s:o}",
		"address", c->key,
		"firstSeen", first_json(&c->span),
		"lastSeen", last_json(&c->span),
		"sessions", count_json(c->count.sessions),
		"proven", c->proven,
		"dialects", ntsign_json_names(&c->dialects),
		"accounts", ntsign_json_names(&c->accounts),
		"nativeOs", ntsign_json_names(&c->native_os),
		"moreNames", c->dialects.more || c->accounts.more ||
			c->native_os.more,
		"badSignatures", count_json(c->bad),
		"missingSignatures", count_json(c->missing),
		"downgraded", count_json(c->downgraded),
		"exposed", count_json(c->exposed));

	if (object == NULL || !add_counts(object, &c->count) ||
	    !add_prospect(object, report, ntsign_prospect_client(
			  c, report->state))) {
		json_decref(object);
		return NULL;
	}
	return object;
}

json_t *ntsign_json_account(const struct ntsign_report *report,
			    const void *entry)
{
	const struct ntsign_tally_account *a = entry;
	json_t *object = json_pack(
		"{s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:b, s:o}",
		"account", a->key,
		"known", a->known,
		"proven", a->proven,
		"firstSeen", first_json(&a->span),
		"lastSeen", last_json(&a->span),
		"sessions", count_json(a->count.sessions),
		"addresses", ntsign_json_names(&a->addresses),
		"moreAddresses", a->addresses.more,
		"exposed", count_json(a->exposed));

	if (object == NULL || !add_counts(object, &a->count) ||
	    !add_prospect(object, report, ntsign_prospect_account(
			  a, report->state))) {
		json_decref(object);
		return NULL;
	}
	return object;
}

json_t *ntsign_json_interval(const struct ntsign_trend *trend, size_t i)
{
	const uint64_t *sessions = trend->sessions[i];
	const struct ntsign_moment begin = {
		.time = (trend->start + (int64_t)i) * trend->width * 1000000,
	};
	char text[NTSIGN_MOMENT_TEXT];

	return json_pack("{s:s, s:o, s:o, s:o, s:o}",
			 "begin", ntsign_moment_text(&begin, text),
			 "signed",
			 count_json(sessions[NTSIGN_TREND_SIGNED]),
			 "not_signed",
			 count_json(sessions[NTSIGN_TREND_NOT_SIGNED]),
			 "no_communication",
			 count_json(sessions[NTSIGN_TREND_REFUSED]),
			 "failed",
			 count_json(sessions[NTSIGN_TREND_FAILED]));
}

/* Sessions over time: all intervals from the first to the last, whose times
 * are UTC. */
static json_t *trend_json(const struct ntsign_trend *trend)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < trend->count; i++) {
		if (json_array_append_new(
			    list, ntsign_json_interval(trend, i))) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:I, s:o}", "seconds", (json_int_t)trend->width,
			 "intervals", list);
}

json_t *ntsign_json_mismatch(const struct ntsign_report *report,
			     const void *entry)
{
	const struct ntsign_tally_mismatch *m = entry;

	return json_pack(
		"{s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:b, s:o, s:o, s:o, "
		"s:s, s:o, s:o, s:s, s:s}",
		"address", m->address,
		"dialect", m->dialect,
		"setup", m->setup,
		"client", party_json(m->client),
		"server", party_json(m->server),
		"mismatch", ntsign_mismatch_name(m->mismatch),
		"expected", ntsign_outcome_name(m->expected),
		"outcome", ntsign_outcome_name(m->outcome),
		"keyless", m->keyless,
		"count", count_json(m->count),
		"refused", count_json(m->refused),
		"failed", count_json(m->failed),
		"reason", m->reason,
		"firstSeen", first_json(&m->span),
		"lastSeen", last_json(&m->span),
		"article", m->article,
		"explanation", ntsign_tally_explain(m));
}

json_t *ntsign_json_quirk(const struct ntsign_report *report, const void *entry)
{
	const struct ntsign_tally_quirk *q = entry;

	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s?}",
			 "address", q->address,
			 "article", q->article,
			 "event", q->event,
			 "accounts", ntsign_json_names(&q->accounts),
			 "count", count_json(q->count),
			 "firstSeen", first_json(&q->span),
			 "lastSeen", last_json(&q->span),
			 "explanation", ntsign_tally_explain_quirk(q));
}

json_t *ntsign_json_turned_away(const struct ntsign_report *report,
				const void *entry)
{
	const struct ntsign_tally_turned_away *t = entry;

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}",
			 "address", t->address,
			 "reason", t->reason,
			 "offered", ntsign_json_names(&t->offered),
			 "count", count_json(t->count),
			 "firstSeen", first_json(&t->span),
			 "lastSeen", last_json(&t->span));
}

static json_t *note_json(const struct ntsign_report *report,
			 const void *entry)
{
	const struct ntsign_tally_note *n = entry;

	return json_pack("{s:s, s:s, s:o, s:o, s:o}",
			 "event", n->event,
			 "message", n->message,
			 "count", count_json(n->count),
			 "firstSeen", first_json(&n->span),
			 "lastSeen", last_json(&n->span));
}

static json_t *skip_json(const struct ntsign_report *report,
			 const void *entry)
{
	const struct ntsign_tally_skip *s = entry;

	return json_pack("{s:s, s:o, s:s, s:o, s:s}",
			 "why", s->key,
			 "count", count_json(s->count),
			 "file", s->source.name,
			 "line", count_json(s->line),
			 "detail", s->detail);
}

static json_t *files_json(const struct ntsign_report *report)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < report->file_count; i++) {
		char *name = ntsign_text_string(NULL, report->files[i]);
		int ret = json_array_append_new(list, json_string(name));

		TALLOC_FREE(name);
		if (ret != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* Files that could not be read to their end. */
static json_t *problems_json(const struct ntsign_reading *reading)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < reading->count; i++) {
		const struct ntsign_reading_file *file = &reading->files[i];
		char *name = NULL;
		int ret = 0;

		if (file->problem == NULL) {
			continue;
		}
		name = ntsign_text_string(NULL, file->path);
		ret = json_array_append_new(
			list, json_pack("{s:s, s:s}", "file", name, "problem",
					file->problem));
		TALLOC_FREE(name);
		if (ret != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* ---- the whole, which is never in memory as such ---- */

struct out {
	FILE *f;		/* a write that fails shows there */
	const struct ntsign_report *report;
	bool begun;		/* the object has a member already */
	bool no_memory;
};

static void put_value(struct out *out, const json_t *value)
{
	(void)json_dumpf(value, out->f, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
}

static void put_key(struct out *out, const char *key)
{
	fprintf(out->f, "%s\n  \"%s\": ", out->begun ? "," : "{", key);
	out->begun = true;
}

/* A member of the whole; takes over value. */
static void put(struct out *out, const char *key, json_t *value)
{
	if (value == NULL) {
		out->no_memory = true;
		return;
	}
	put_key(out, key);
	put_value(out, value);
	json_decref(value);
}

/* The members of an object, as the whole's own; takes it over. */
static void put_members(struct out *out, json_t *object)
{
	const char *key = NULL;
	json_t *value = NULL;

	if (object == NULL) {
		out->no_memory = true;
		return;
	}
	json_object_foreach(object, key, value) {
		put_key(out, key);
		put_value(out, value);
	}
	json_decref(object);
}

/* A table, an entry a line. */
static void put_table(struct out *out, const char *key,
		      const struct ntsign_table *table,
		      json_t *(*entry_json)(const struct ntsign_report *report,
					    const void *entry))
{
	size_t i;

	put_key(out, key);
	fputc('[', out->f);
	for (i = 0; i < table->count && !out->no_memory; i++) {
		json_t *entry = entry_json(out->report, table->list[i]);

		if (entry == NULL) {
			out->no_memory = true;
			break;
		}
		fprintf(out->f, "%s\n    ", i > 0 ? "," : "");
		put_value(out, entry);
		json_decref(entry);
	}
	fprintf(out->f, "%s]", table->count > 0 ? "\n  " : "");
}

static json_t *counts_json(const struct ntsign_tally_sessions *count)
{
	json_t *object = json_object();

	if (object != NULL && !add_counts(object, count)) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static void put_totals(struct out *out, const struct ntsign_tally *t)
{
	put(out, "records", count_json(t->records));
	put(out, "skipped", count_json(t->skipped));
	put(out, "outside", count_json(t->outside));
	put(out, "suppressed", count_json(t->suppressed));
	put(out, "lost", count_json(t->lost));
	put(out, "sessions", count_json(t->count.sessions));
	put_members(out, counts_json(&t->count));
	put(out, "unplaced", count_json(t->unplaced));
	put(out, "refused", count_json(t->refused));
	put(out, "exposed", count_json(t->exposed));
	put(out, "encrypted", count_json(t->encrypted));
	put(out, "signatures",
	    json_pack("{s:o, s:o, s:o, s:o}",
		      "verified", count_json(t->verified),
		      "bad", count_json(t->bad),
		      "missing", count_json(t->missing),
		      "downgraded", count_json(t->downgraded)));
}

static void put_tables(struct out *out, const struct ntsign_tally *t)
{
	put(out, "matrix", cells_json(t));
	put_table(out, "clients", &t->clients, ntsign_json_client);
	put_table(out, "accounts", &t->accounts, ntsign_json_account);
	put(out, "accountSessionsOmitted",
	    count_json(t->account_sessions_omitted));
	put(out, "sessionsOverTime", trend_json(&t->trend));
	put_table(out, "mismatches", &t->mismatches, ntsign_json_mismatch);
	put_table(out, "quirks", &t->quirks, ntsign_json_quirk);
	put_table(out, "turnedAway", &t->turned_away,
		  ntsign_json_turned_away);
	put_table(out, "notes", &t->notes, note_json);
	put(out, "notesOmitted", count_json(t->notes_omitted));
	put_table(out, "skippedLines", &t->skips, skip_json);
}

bool ntsign_report_json(FILE *f, const struct ntsign_report *report)
{
	const struct ntsign_tally *t = report->tally;
	struct out out = { .f = f, .report = report };

	put(&out, "article", json_string(NTSIGN_ARTICLE));
	put(&out, "files", files_json(report));
	put(&out, "firstSeen", first_json(&t->span));
	put(&out, "lastSeen", last_json(&t->span));
	put(&out, "complete", json_boolean(report->reading->whole));
	put(&out, "problems", problems_json(report->reading));
	put_totals(&out, t);
	if (report->what_if) {
		put(&out, "whatIf",
		    ntsign_prospect_totals_json(t, report->state));
	}
	put_tables(&out, t);
	fprintf(f, "\n}\n");
	return !out.no_memory;
}
