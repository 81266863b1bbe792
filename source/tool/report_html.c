/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign report --format html`: one page that needs nothing else.
 *
 * Invariant: the page has one style and one script, both of this program and
 * named in its policy by their hashes; nothing else in it can run or be
 * fetched, whatever a record says.
 */
#include <inttypes.h>
#include <string.h>

#include "html.h"
#include "html_table.h"
#include "ntsign_config.h"
#include "report_html.h"
#include "report_html_parts.h"
#include "tool.h"

void ntsign_report_html_cell_party(FILE *f, struct ntsign_party party)
{
	fprintf(f, "<td>%s %s\n", party.patched ? "patched" : "unpatched",
		ntsign_signing_name(party.signing));
}

/* ---- what stands before the sections ---- */

static void write_head(FILE *f, const struct ntsign_tally *t)
{
	fprintf(f, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
		"<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" "
		"content=\"default-src 'none'; style-src '%s'; "
		"script-src '%s'; base-uri 'none'; form-action 'none'\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n"
		"<meta name=\"viewport\" "
		"content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta name=\"generator\" content=\"ntsign %s\">\n"
		"<title>SMB signing audit", NTSIGN_REPORT_CSS_HASH,
		NTSIGN_REPORT_JS_HASH, NTSIGN_VERSION);
	if (t->span.seen) {
		(void)fputs(", ", f);
		ntsign_html_moment(f, &t->span.first);
		(void)fputs(" to ", f);
		ntsign_html_moment(f, &t->span.last);
	}
	fprintf(f, "</title>\n<style>%s</style>\n<script>%s</script>\n"
		"</head>\n", ntsign_report_css, ntsign_report_js);
}

static void write_files(FILE *f, const struct ntsign_report *report)
{
	size_t i;

	fprintf(f, "<p>Read from ");
	for (i = 0; i < report->file_count; i++) {
		const char *name = report->files[i];

		(void)fputs(i > 0 ? ", <code class=\"file\">" :
				    "<code class=\"file\">", f);
		ntsign_html_text(f, strcmp(name, "-") == 0 ?
					    "(standard input)" : name);
		(void)fputs("</code>", f);
	}
	fprintf(f, ".</p>\n");
}

/* What a reader has to know before any count: it is not of all. */
static bool write_problems(FILE *f, const struct ntsign_reading *reading)
{
	size_t i;

	for (i = 0; i < reading->count; i++) {
		const struct ntsign_reading_file *file = &reading->files[i];
		char *words = ntsign_reading_words(NULL, file);

		if (words == NULL) {
			return false;
		}
		if (words[0] != '\0') {
			fprintf(f, "<p class=\"problem\"><code "
				"class=\"file\">");
			ntsign_html_text(f, file->path);
			fprintf(f, "</code>: ");
			ntsign_html_text(f, words);
			fprintf(f, ".</p>\n");
		}
		TALLOC_FREE(words);
	}
	return true;
}

static void write_span(FILE *f, const struct ntsign_tally *t)
{
	fprintf(f, "<p><span data-key=\"records\">");
	ntsign_html_count(f, t->records);
	fprintf(f, "</span> record%s", t->records == 1 ? "" : "s");
	if (t->span.seen) {
		fprintf(f, " from <time data-key=\"firstSeen\">");
		ntsign_html_moment(f, &t->span.first);
		fprintf(f, "</time> to <time data-key=\"lastSeen\">");
		ntsign_html_moment(f, &t->span.last);
		fprintf(f, "</time>");
	}
	if (t->outside > 0) {
		fprintf(f, ", and <span data-key=\"outside\">");
		ntsign_html_count(f, t->outside);
		fprintf(f, "</span> of other times, left out");
	}
	fprintf(f, ". All times on this page are in UTC.</p>\n");
}

static void write_contents(FILE *f, bool what_if)
{
	static const struct {
		const char *id, *label;
	} sections[] = {
		{ "what-if-section", "What if" },
		{ "matrix-section", "Signing matrix" },
		{ "trend-section", "Over time" },
		{ "clients-section", "Clients" },
		{ "accounts-section", "Accounts" },
		{ "mismatches-section", "Mismatches" },
		{ "quirks-section", "Quirks" },
		{ "log-section", "The audit itself" },
		{ "articles-section", "Articles" },
	};
	size_t i = what_if ? 0 : 1;

	fprintf(f, "<nav aria-label=\"Sections\">\n<ul>\n");
	for (; i < sizeof(sections) / sizeof(sections[0]); i++) {
		fprintf(f, "<li><a href=\"#%s\">%s</a></li>\n",
			sections[i].id, sections[i].label);
	}
	fprintf(f, "</ul>\n</nav>\n");
}

/* ---- numbers ---- */

struct number {
	const char *key, *label, *note;
	uint64_t count;
	const char *fill;	/* of the chart; NULL: not in it */
	bool always;		/* shown when it is 0 as well */
};

static void write_number(FILE *f, const struct number *number)
{
	if (number->count == 0 && !number->always) {
		return;
	}
	fprintf(f, "<div>\n<dt>");
	if (number->fill != NULL) {
		fprintf(f, "<svg class=\"swatch\" aria-hidden=\"true\" "
			"width=\"14\" height=\"14\"><rect width=\"14\" "
			"height=\"14\" fill=\"url(#fill-%s)\"/></svg>",
			number->fill);
	}
	fprintf(f, "%s</dt>\n<dd><span class=\"big\" data-key=\"%s\">",
		number->label, number->key);
	ntsign_html_count(f, number->count);
	fprintf(f, "</span>");
	if (number->note != NULL) {
		fprintf(f, " <span class=\"note\">%s</span>", number->note);
	}
	fprintf(f, "</dd>\n</div>\n");
}

static void write_totals(FILE *f, const struct ntsign_tally *t)
{
	const uint64_t *outcome = t->count.outcome;
	const struct number numbers[] = {
		{ "sessions", "Session setups", "all that ended",
		  t->count.sessions, NULL, true },
		{ "signed", "Signed", NULL, outcome[NTSIGN_OUTCOME_SIGNED],
		  "signed", true },
		{ "not_signed", "Not signed", NULL,
		  outcome[NTSIGN_OUTCOME_NOT_SIGNED], "not-signed", true },
		{ "no_communication", "No communication",
		  "kept out over signing",
		  outcome[NTSIGN_OUTCOME_NO_COMMUNICATION],
		  "no-communication", true },
		{ "failed", "Failed", "for another reason, mostly passwords",
		  t->count.failed, "failed", true },
		{ "exposed", "Exposed", "unsigned with a key that could have "
		  "signed, and not encrypted: can be relayed", t->exposed,
		  NULL, true },
		{ "encrypted", "Encrypted", "counts as signed", t->encrypted,
		  NULL, false },
		{ "refused", "Refused", "by the module", t->refused, NULL,
		  false },
		{ "unplaced", "Incomplete", "records with fields missing, "
		  "not in the matrix", t->unplaced, NULL, false },
	};
	size_t i;

	fprintf(f, "<dl class=\"numbers\">\n");
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		write_number(f, &numbers[i]);
	}
	fprintf(f, "</dl>\n");
}

static void write_signatures(FILE *f, const struct ntsign_tally *t)
{
	const struct number numbers[] = {
		{ "skipped", "Lines skipped", "no records, see below",
		  t->skipped, NULL, true },
		{ "suppressed", "Suppressed", "records: too many a second "
		  "from one client", t->suppressed, NULL, true },
		{ "lost", "Lost", "records: the audit file could not be "
		  "written", t->lost, NULL, true },
		{ "signatures.verified", "Signatures verified",
		  "the first of a session", t->verified, NULL, true },
		{ "signatures.bad", "Bad signatures", NULL, t->bad, NULL,
		  true },
		{ "signatures.missing", "Missing signatures", NULL,
		  t->missing, NULL, true },
		{ "signatures.downgraded", "Signing switched off",
		  "by smbd, at a bad signature", t->downgraded, NULL, true },
	};
	size_t i;

	fprintf(f, "<dl class=\"numbers\">\n");
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		write_number(f, &numbers[i]);
	}
	fprintf(f, "</dl>\n");
}

bool ntsign_report_html(FILE *f, const struct ntsign_report *report)
{
	const struct ntsign_tally *t = report->tally;
	bool ok = true;

	write_head(f, t);
	fprintf(f, "<body>\n");
	ntsign_report_html_fills(f);
	fprintf(f, "<a class=\"skip\" href=\"#main\">Skip to the "
		"report</a>\n<header>\n<h1>SMB signing audit</h1>\n");
	write_files(f, report);
	ok = write_problems(f, report->reading);
	write_span(f, t);
	write_contents(f, report->what_if);
	fprintf(f, "</header>\n<main id=\"main\">\n<section "
		"aria-labelledby=\"totals-heading\">\n<h2 "
		"id=\"totals-heading\">Session setups</h2>\n");
	write_totals(f, t);
	fprintf(f, "</section>\n");
	ntsign_report_html_forecast(f, report);
	ntsign_report_html_matrix(f, t);
	ntsign_report_html_trend(f, &t->trend);
	ok = ok && ntsign_report_html_clients(f, report) &&
	     ntsign_report_html_accounts(f, report) &&
	     ntsign_report_html_mismatches(f, t) &&
	     ntsign_report_html_quirks(f, t);
	fprintf(f, "<section id=\"log-section\" "
		"aria-labelledby=\"log-heading\">\n"
		"<h2 id=\"log-heading\">The audit itself</h2>\n");
	write_signatures(f, t);
	ntsign_report_html_turned_away(f, t);
	ntsign_report_html_notes(f, t);
	ntsign_report_html_skips(f, t);
	fprintf(f, "</section>\n");
	ntsign_report_html_articles(f, t);
	fprintf(f, "</main>\n<footer>\n<p>Written by ntsign %s. This page "
		"fetches nothing and runs nothing but its own script.</p>\n"
		"</footer>\n</body>\n</html>\n", NTSIGN_VERSION);
	return ok;
}
