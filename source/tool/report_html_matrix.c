/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The signing matrix as a heat map.
 *
 * Invariant: what a cell's colour says stands in it as a number, and what the
 * article says of it stands there too.
 */
#include <inttypes.h>
#include <stdbool.h>

#include "html.h"
#include "report_html.h"
#include "tool.h"

/* Shades but for the one of no sessions. */
#define SHADES 5

static const struct ntsign_party sides[] = {
	{ true, NTSIGN_SIGNING_REQUIRED }, { true, NTSIGN_SIGNING_ENABLED },
	{ true, NTSIGN_SIGNING_DISABLED }, { false, NTSIGN_SIGNING_REQUIRED },
	{ false, NTSIGN_SIGNING_ENABLED }, { false, NTSIGN_SIGNING_DISABLED },
};

static bool is_side(struct ntsign_party a, struct ntsign_party b)
{
	return a.patched == b.patched && a.signing == b.signing;
}

/* Each shade stands for so many binary digits. */
static unsigned int digits_of(uint64_t count)
{
	unsigned int digits = 0;

	for (; count > 0; count >>= 1) {
		digits++;
	}
	return digits;
}

static uint64_t place_sessions(const struct ntsign_tally *t,
			       struct ntsign_party client,
			       struct ntsign_party server)
{
	uint64_t sessions = 0;
	size_t i;

	for (i = 0; i < NTSIGN_TALLY_CELLS; i++) {
		const struct ntsign_tally_cell *cell = &t->cells[i];

		if (cell->count.sessions > 0 && is_side(cell->client, client) &&
		    is_side(cell->server, server)) {
			sessions += cell->count.sessions;
		}
	}
	return sessions;
}

static uint64_t most_sessions(const struct ntsign_tally *t)
{
	uint64_t most = 0;
	size_t i;

	for (i = 0; i < 36; i++) {
		uint64_t sessions = place_sessions(t, sides[i / 6],
						   sides[i % 6]);

		most = sessions > most ? sessions : most;
	}
	return most;
}

static void write_part(FILE *f, uint64_t count, const char *key,
		       const char *label, bool good, const char **between)
{
	if (count == 0) {
		return;
	}
	fprintf(f, "%s%s<span data-key=\"%s\">", *between,
		good ? "" : "<strong class=\"bad\">! ", key);
	ntsign_html_count(f, count);
	fprintf(f, "</span> %s%s", label, good ? "" : "</strong>");
	*between = ",<br>";
}

/* One of the tally's cells: what came of sessions that should have come to
 * one and the same. */
static void write_entry(FILE *f, const struct ntsign_tally_cell *cell,
			enum ntsign_outcome article)
{
	const char *between = "";
	unsigned int i;

	fprintf(f, "<div class=\"entry\" data-expected=\"%s\">\n"
		"<span class=\"big\" data-key=\"sessions\">",
		ntsign_outcome_name(cell->expected));
	ntsign_html_count(f, cell->count.sessions);
	fprintf(f, "</span>\n");
	if (cell->expected != article) {
		fprintf(f, "<span class=\"note\">expected here: %s</span>\n",
			ntsign_output_outcome(cell->expected));
	}
	fprintf(f, "<span class=\"parts\">");
	for (i = 0; i < NTSIGN_OUTCOME_COUNT; i++) {
		enum ntsign_outcome outcome = (enum ntsign_outcome)i;

		write_part(f, cell->count.outcome[i],
			   ntsign_outcome_name(outcome),
			   ntsign_output_outcome(outcome),
			   outcome == cell->expected, &between);
	}
	write_part(f, cell->count.failed, "failed", "failed", true, &between);
	fprintf(f, "</span>\n</div>\n");
}

static void write_place(FILE *f, const struct ntsign_tally *t,
			struct ntsign_party client, struct ntsign_party server,
			uint64_t most)
{
	uint64_t sessions = place_sessions(t, client, server);
	enum ntsign_outcome article = NTSIGN_OUTCOME_NO_COMMUNICATION;
	unsigned int shade = 0;
	size_t i;

	article = ntsign_policy_expected(NTSIGN_FAMILY_SMB1, client, server);
	if (sessions > 0) {
		shade = (digits_of(sessions) * SHADES + digits_of(most) - 1) /
			digits_of(most);
	}
	fprintf(f, "<td class=\"heat%u\" data-article=\"%s\">\n"
		"<span class=\"article\">%s</span>\n", shade,
		ntsign_outcome_name(article),
		ntsign_output_outcome(article));
	for (i = 0; i < NTSIGN_TALLY_CELLS; i++) {
		const struct ntsign_tally_cell *cell = &t->cells[i];

		if (cell->count.sessions > 0 && is_side(cell->client, client) &&
		    is_side(cell->server, server)) {
			write_entry(f, cell, article);
		}
	}
	if (sessions == 0) {
		fprintf(f, "<span class=\"z\">no sessions</span>\n");
	}
	fprintf(f, "</td>\n");
}

static void write_columns(FILE *f)
{
	size_t i;

	fprintf(f, "<colgroup><col class=\"side\"><col class=\"side\">"
		"</colgroup>\n"
		"<colgroup span=\"3\"></colgroup>\n"
		"<colgroup span=\"3\"></colgroup>\n<thead>\n<tr>\n"
		"<td colspan=\"2\" rowspan=\"2\"></td>\n"
		"<th scope=\"colgroup\" colspan=\"3\">Patched server</th>\n"
		"<th scope=\"colgroup\" colspan=\"3\">Unpatched server</th>\n"
		"</tr>\n<tr>\n");
	for (i = 0; i < 6; i++) {
		fprintf(f, "<th scope=\"col\">%s</th>\n",
			ntsign_signing_name(sides[i].signing));
	}
	fprintf(f, "</tr>\n</thead>\n");
}

static void write_row(FILE *f, const struct ntsign_tally *t, size_t row,
		      uint64_t most)
{
	size_t i;

	if (row % 3 == 0) {
		fprintf(f, "<tbody>\n");
	}
	fprintf(f, "<tr>\n");
	if (row % 3 == 0) {
		fprintf(f, "<th scope=\"rowgroup\" rowspan=\"3\">%s "
			"client</th>\n", row == 0 ? "Patched" : "Unpatched");
	}
	fprintf(f, "<th scope=\"row\">%s</th>\n",
		ntsign_signing_name(sides[row].signing));
	for (i = 0; i < 6; i++) {
		write_place(f, t, sides[row], sides[i], most);
	}
	fprintf(f, "</tr>\n");
	if (row % 3 == 2) {
		fprintf(f, "</tbody>\n");
	}
}

void ntsign_report_html_matrix(FILE *f, const struct ntsign_tally *tally)
{
	uint64_t most = most_sessions(tally);
	size_t i;

	fprintf(f, "<section id=\"matrix-section\" "
		"aria-labelledby=\"matrix-heading\">\n"
		"<h2 id=\"matrix-heading\">Signing matrix</h2>\n"
		"<p>Rows are clients, columns the state that the server was "
		"in. Each cell begins with what the article "
		"<a href=\"#KB916846\">KB916846</a> says of it; the stronger its "
		"colour, the more sessions it has. <strong class=\"bad\">!</strong> "
		"marks sessions that came to something else than they should "
		"have.</p>\n"
		"<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
		"aria-labelledby=\"matrix-caption\">\n"
		"<table class=\"matrix\" id=\"matrix\">\n"
		"<caption id=\"matrix-caption\">Session setups by the signing "
		"state of client and server</caption>\n");
	write_columns(f);
	for (i = 0; i < 6; i++) {
		write_row(f, tally, i, most);
	}
	fprintf(f, "</table>\n</div>\n"
		"<p class=\"note\">In SMB2 and later a side that does not "
		"require signing counts as enabled, and two such sides do not "
		"sign; there a cell says what was expected instead. Failed: "
		"logons that failed for another reason than signing.</p>\n"
		"</section>\n");
}
