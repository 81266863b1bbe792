/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign report --format json`: one object, for programs.
 *
 * Invariant: the output is ASCII, so that no text from a record can reach a
 * terminal as anything but letters.
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

static json_t *table_json(
	const struct ntsign_report *report, const struct ntsign_table *table,
	json_t *(*entry_json)(const struct ntsign_report *report,
			      const void *entry))
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < table->count; i++) {
		if (json_array_append_new(
			    list, entry_json(report, table->list[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
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

/* One key of the whole; takes over value. */
static bool add(json_t *root, const char *key, json_t *value)
{
	return json_object_set_new(root, key, value) == 0;
}

static bool add_totals(json_t *root, const struct ntsign_tally *t)
{
	return add(root, "records", count_json(t->records)) &&
	       add(root, "skipped", count_json(t->skipped)) &&
	       add(root, "suppressed", count_json(t->suppressed)) &&
	       add(root, "lost", count_json(t->lost)) &&
	       add(root, "sessions", count_json(t->count.sessions)) &&
	       add_counts(root, &t->count) &&
	       add(root, "unplaced", count_json(t->unplaced)) &&
	       add(root, "refused", count_json(t->refused)) &&
	       add(root, "exposed", count_json(t->exposed)) &&
	       add(root, "encrypted", count_json(t->encrypted)) &&
	       add(root, "signatures",
		   json_pack("{s:o, s:o, s:o, s:o}",
			     "verified", count_json(t->verified),
			     "bad", count_json(t->bad),
			     "missing", count_json(t->missing),
			     "downgraded", count_json(t->downgraded)));
}

static bool add_tables(json_t *root, const struct ntsign_report *report)
{
	const struct ntsign_tally *t = report->tally;

	return add(root, "matrix", cells_json(t)) &&
	       add(root, "clients",
		   table_json(report, &t->clients, ntsign_json_client)) &&
	       add(root, "accounts",
		   table_json(report, &t->accounts, ntsign_json_account)) &&
	       add(root, "accountSessionsOmitted",
		   count_json(t->account_sessions_omitted)) &&
	       add(root, "sessionsOverTime", trend_json(&t->trend)) &&
	       add(root, "mismatches",
		   table_json(report, &t->mismatches, ntsign_json_mismatch)) &&
	       add(root, "quirks",
		   table_json(report, &t->quirks, ntsign_json_quirk)) &&
	       add(root, "turnedAway",
		   table_json(report, &t->turned_away,
			      ntsign_json_turned_away)) &&
	       add(root, "notes", table_json(report, &t->notes, note_json)) &&
	       add(root, "notesOmitted", count_json(t->notes_omitted)) &&
	       add(root, "skippedLines",
		   table_json(report, &t->skips, skip_json));
}

static bool add_what_if(json_t *root, const struct ntsign_report *report)
{
	return !report->what_if ||
	       add(root, "whatIf", ntsign_prospect_totals_json(
			   report->tally, report->state));
}

bool ntsign_report_json(FILE *f, const struct ntsign_report *report)
{
	const struct ntsign_span *span = &report->tally->span;
	json_t *root = json_pack("{s:s, s:o, s:o, s:o}",
				 "article", NTSIGN_ARTICLE,
				 "files", files_json(report),
				 "firstSeen", first_json(span),
				 "lastSeen", last_json(span));
	bool ok = root != NULL && add_totals(root, report->tally) &&
		  add_what_if(root, report) && add_tables(root, report);

	/* a write that fails shows in f */
	if (ok) {
		(void)json_dumpf(root, f, JSON_INDENT(2) | JSON_ENSURE_ASCII);
		(void)fputc('\n', f);
	}
	json_decref(root);
	return ok;
}
