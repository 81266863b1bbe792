/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign report --format prometheus`: for node_exporter's textfile collector.
 *
 * Invariant: nothing but numbers comes from the records. Names and labels are
 * texts of this program, so that there are as many series after a year, and
 * whatever clients call themselves, as on the first day.
 */
#include <inttypes.h>
#include <string.h>

#include "report.h"
#include "tool.h"

static void head(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void counter(FILE *f, const char *name, uint64_t value,
		    const char *help)
{
	head(f, name, "counter", help);
	fprintf(f, "%s %" PRIu64 "\n", name, value);
}

static void labelled(FILE *f, const char *name, const char *label,
		     const char *text, uint64_t value)
{
	fprintf(f, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, text, value);
}

static void write_sessions(FILE *f, const struct ntsign_tally *t)
{
	static const char name[] = "ntsign_sessions_total";
	unsigned int i;

	head(f, name, "counter", "Session setups, by what came of them; failed "
	     "for another reason than signing; unplaced without the fields "
	     "that tell.");
	for (i = 0; i < NTSIGN_OUTCOME_COUNT; i++) {
		labelled(f, name, "outcome",
			 ntsign_outcome_name((enum ntsign_outcome)i),
			 t->count.outcome[i]);
	}
	labelled(f, name, "outcome", "failed", t->count.failed);
	labelled(f, name, "outcome", "unplaced", t->unplaced);
	counter(f, "ntsign_refused_total", t->refused,
		"Session setups that the module refused.");
	counter(f, "ntsign_encrypted_sessions_total", t->encrypted,
		"Session setups whose sessions are encrypted.");
}

static void write_mismatches(FILE *f, const struct ntsign_tally *t)
{
	static const char name[] = "ntsign_mismatches_total";
	uint64_t settings = 0;
	uint64_t outcome = 0;
	size_t i;

	for (i = 0; i < t->mismatches.count; i++) {
		const struct ntsign_tally_mismatch *m = t->mismatches.list[i];

		if (m->mismatch == NTSIGN_MISMATCH_SETTINGS) {
			settings += m->count;
		} else if (m->mismatch == NTSIGN_MISMATCH_OUTCOME) {
			outcome += m->count;
		}
	}
	head(f, name, "counter", "Session setups with a mismatch: of the two "
	     "sides' settings, or of the outcome with the matrix.");
	labelled(f, name, "mismatch", "settings", settings);
	labelled(f, name, "mismatch", "outcome", outcome);
}

static void write_signatures(FILE *f, const struct ntsign_tally *t)
{
	static const char name[] = "ntsign_signatures_total";

	head(f, name, "counter", "Sessions with a first good signature, "
	     "requests with a bad or missing one, and downgrades.");
	labelled(f, name, "event", "verified", t->verified);
	labelled(f, name, "event", "bad", t->bad);
	labelled(f, name, "event", "missing", t->missing);
	labelled(f, name, "event", "downgraded", t->downgraded);
}

/* The events of quirks that the module records; others are counted as other. */
static const struct {
	const char *article, *event;
} quirks[] = {
	{ "Q275020", "triggered" },
	{ "Q275020", "desynchronised" },
	{ "Q275020", "resynchronised" },
	{ "Q264684", "malformed" },
	{ "Q264684", "unread" },
	{ "Q264684", "unreadable" },
	{ "Q264684", "outage" },
	{ "Q264684", "unavailable" },
	{ "Q322051", "undecryptable" },
	{ "Q192749", "failed" },
	{ "Q192749", "waited" },
	{ "other", "other" },
};
#define QUIRKS (sizeof(quirks) / sizeof(quirks[0]))

static size_t quirk_index(const struct ntsign_tally_quirk *quirk)
{
	size_t i = 0;

	while (i < QUIRKS - 1 &&
	       (strcmp(quirks[i].article, quirk->article) != 0 ||
		strcmp(quirks[i].event, quirk->event) != 0)) {
		i++;
	}
	return i;
}

static void write_quirks(FILE *f, const struct ntsign_tally *t)
{
	static const char name[] = "ntsign_quirk_events_total";
	uint64_t counts[QUIRKS] = { 0 };
	size_t i;

	for (i = 0; i < t->quirks.count; i++) {
		const struct ntsign_tally_quirk *quirk = t->quirks.list[i];

		counts[quirk_index(quirk)] += quirk->count;
	}
	head(f, name, "counter", "Events of the quirks, by article.");
	for (i = 0; i < QUIRKS; i++) {
		fprintf(f, "%s{article=\"%s\",event=\"%s\"} %" PRIu64 "\n",
			name, quirks[i].article, quirks[i].event, counts[i]);
	}
}

static void write_clients(FILE *f, const struct ntsign_tally *t)
{
	static const char name[] = "ntsign_clients";
	uint64_t turned_away = 0;
	uint64_t proven = 0;
	size_t i;

	for (i = 0; i < t->clients.count; i++) {
		const struct ntsign_tally_client *c = t->clients.list[i];

		proven += c->proven ? 1 : 0;
	}
	for (i = 0; i < t->turned_away.count; i++) {
		const struct ntsign_tally_turned_away *away =
			t->turned_away.list[i];

		turned_away += away->count;
	}
	head(f, name, "gauge", "Client addresses in the records: proven to "
	     "sign by a verified signature, or not.");
	labelled(f, name, "state", "proven", proven);
	labelled(f, name, "state", "unproven", t->clients.count - proven);
	counter(f, "ntsign_turned_away_total", turned_away,
		"Connections that ended before a session setup, without a "
		"dialect in common.");
}

static const char *party_name(unsigned int side)
{
	static const char *const names[NTSIGN_TALLY_SIDES] = {
		[NTSIGN_SIGNING_REQUIRED] = "patched-required",
		[NTSIGN_SIGNING_ENABLED] = "patched-enabled",
		[NTSIGN_SIGNING_DISABLED] = "patched-disabled",
		[NTSIGN_SIGNING_COUNT + NTSIGN_SIGNING_REQUIRED] =
			"unpatched-required",
		[NTSIGN_SIGNING_COUNT + NTSIGN_SIGNING_ENABLED] =
			"unpatched-enabled",
		[NTSIGN_SIGNING_COUNT + NTSIGN_SIGNING_DISABLED] =
			"unpatched-disabled",
	};

	return names[side];
}

static unsigned int party_side(struct ntsign_party party)
{
	return (party.patched ? 0 : NTSIGN_SIGNING_COUNT) +
	       (unsigned int)party.signing;
}

/* What was expected is no label: SMB1 and SMB2 differ in that. */
static void write_cell(FILE *f, const struct ntsign_tally *t,
		       unsigned int client, unsigned int server)
{
	struct ntsign_tally_sessions sum = { .sessions = 0 };
	unsigned int o;
	size_t i;

	for (i = 0; i < NTSIGN_TALLY_CELLS; i++) {
		const struct ntsign_tally_cell *cell = &t->cells[i];

		if (cell->count.sessions == 0 ||
		    party_side(cell->client) != client ||
		    party_side(cell->server) != server) {
			continue;
		}
		sum.sessions += cell->count.sessions;
		sum.failed += cell->count.failed;
		for (o = 0; o < NTSIGN_OUTCOME_COUNT; o++) {
			sum.outcome[o] += cell->count.outcome[o];
		}
	}
	if (sum.sessions == 0) {
		return;
	}
	for (o = 0; o <= NTSIGN_OUTCOME_COUNT; o++) {
		bool failed = o == NTSIGN_OUTCOME_COUNT;

		fprintf(f, "ntsign_matrix_sessions_total{client=\"%s\","
			"server=\"%s\",outcome=\"%s\"} %" PRIu64 "\n",
			party_name(client), party_name(server),
			failed ? "failed" :
			ntsign_outcome_name((enum ntsign_outcome)o),
			failed ? sum.failed : sum.outcome[o]);
	}
}

static void write_matrix(FILE *f, const struct ntsign_tally *t)
{
	unsigned int client, server;

	head(f, "ntsign_matrix_sessions_total", "counter", "Session setups in "
	     "the cells of the signing matrix that occur, by outcome.");
	for (client = 0; client < NTSIGN_TALLY_SIDES; client++) {
		for (server = 0; server < NTSIGN_TALLY_SIDES; server++) {
			write_cell(f, t, client, server);
		}
	}
}

static void write_time(FILE *f, const char *name, int64_t time,
		       const char *help)
{
	uint64_t size = time < 0 ? -(uint64_t)time : (uint64_t)time;

	head(f, name, "gauge", help);
	fprintf(f, "%s %s%" PRIu64 ".%06" PRIu64 "\n", name,
		time < 0 ? "-" : "", size / 1000000, size % 1000000);
}

bool ntsign_report_prometheus(FILE *f, const struct ntsign_report *report)
{
	const struct ntsign_tally *t = report->tally;

	head(f, "ntsign_complete", "gauge", "1 where all of the audit files "
	     "could be read, 0 where one is cut off or damaged.");
	fprintf(f, "ntsign_complete %d\n", report->reading->whole ? 1 : 0);
	counter(f, "ntsign_records_total", t->records,
		"Records in the audit files.");
	counter(f, "ntsign_skipped_lines_total", t->skipped,
		"Lines of the audit files that are no records.");
	counter(f, "ntsign_suppressed_records_total", t->suppressed,
		"Records that the module counted and did not write.");
	counter(f, "ntsign_lost_records_total", t->lost,
		"Records that could not be written.");
	write_sessions(f, t);
	write_mismatches(f, t);
	write_signatures(f, t);
	write_quirks(f, t);
	write_clients(f, t);
	write_matrix(f, t);
	if (t->span.seen) {
		write_time(f, "ntsign_first_record_timestamp_seconds",
			   t->span.first.time,
			   "When the first record was written.");
		write_time(f, "ntsign_last_record_timestamp_seconds",
			   t->span.last.time,
			   "When the last record was written.");
	}
	return true;
}
