/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * --what-if: how many would lose access, and for each client and account
 * what would come of it and how that is known.
 *
 * Invariant: the forecasts are report_forecast.h's; nothing is added to them.
 */
#include "html.h"
#include "html_table.h"
#include "report_html.h"
#include "tool.h"

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

const struct ntsign_html_column ntsign_report_html_forecast_first = {
	"forecast", "Forecast", NTSIGN_HTML_TEXT,
};

const struct ntsign_html_column ntsign_report_html_forecast_last
	[NTSIGN_HTML_FORECAST_LAST] = {
	{ "whatIf", "By the matrix alone", NTSIGN_HTML_TEXT },
	{ "evidence", "How that is known", NTSIGN_HTML_TEXT },
	{ "evidence.lastSeen", "Last session", NTSIGN_HTML_TIME },
	{ "evidence.dialect", "Its dialect", NTSIGN_HTML_TEXT },
	{ "evidence.row", "Its client", NTSIGN_HTML_TEXT },
	{ "evidence.server", "Its server", NTSIGN_HTML_TEXT },
	{ "evidence.outcome", "It came to", NTSIGN_HTML_TEXT },
};

/* The values are ntsign_prospect_title()'s. */
const struct ntsign_html_choice ntsign_report_html_forecast_choices
	[NTSIGN_CHANGE_COUNT] = {
	{ "forecast=Lose access", "that would lose access" },
	{ "forecast=Unknown", "of which it is unknown" },
	{ "forecast=Become signed", "that would become signed" },
	{ "forecast=Become unsigned", "that would become unsigned" },
	{ "forecast=Gain access", "that would gain access" },
	{ "forecast=Unaffected", "that would be unaffected" },
};

void ntsign_report_html_cell_forecast(FILE *f,
				      const struct ntsign_prospect *prospect)
{
	ntsign_html_cell(f, ntsign_prospect_title(prospect->change));
}

static void write_last(FILE *f, const struct ntsign_prospect *p)
{
	const struct ntsign_tally_facts *last = p->last;

	if (!p->facts.seen) {
		(void)fputs("<td>\n<td>\n<td>\n<td>\n<td>\n", f);
		return;
	}
	(void)fputs("<td class=\"t\">", f);
	ntsign_html_moment(f, &last->at);
	(void)fputc('\n', f);
	ntsign_html_cell(f, last->dialect != NULL ? last->dialect->text : "");
	ntsign_report_html_cell_party(f, p->facts.client);
	ntsign_report_html_cell_party(f, p->facts.server);
	fprintf(f, "<td>%s%s\n", ntsign_output_outcome(p->facts.outcome),
		p->facts.encrypted ? ", encrypted" : "");
}

bool ntsign_report_html_cells_evidence(FILE *f,
				       const struct ntsign_prospect *prospect)
{
	char *words = ntsign_prospect_words(NULL, prospect);

	if (words == NULL) {
		return false;
	}
	ntsign_html_cell(f, ntsign_prospect_title(prospect->matrix));
	ntsign_html_cell_long(f, words);
	TALLOC_FREE(words);
	write_last(f, prospect);
	return true;
}

static void write_changes(FILE *f, const struct ntsign_report *report)
{
	static const struct ntsign_html_column columns[] = {
		{ "forecast", "Forecast", NTSIGN_HTML_PLACE },
		{ "forecast.clients", "Clients", NTSIGN_HTML_NUMBER },
		{ "forecast.accounts", "Accounts", NTSIGN_HTML_NUMBER },
		{ "clients", "Clients, by the matrix alone",
		  NTSIGN_HTML_NUMBER },
		{ "accounts", "Accounts, by the matrix alone",
		  NTSIGN_HTML_NUMBER },
		{ "advice", "What to do", NTSIGN_HTML_TEXT },
	};
	const struct ntsign_html_table table = {
		.id = "what-if",
		.caption = "What would come of clients and accounts",
		.unit = "forecast",
		.columns = columns,
		.column_count = COUNT_OF(columns),
		.rows = NTSIGN_CHANGE_COUNT,
	};
	struct ntsign_prospect_counts clients =
		ntsign_prospect_clients(report->tally, report->state);
	struct ntsign_prospect_counts accounts =
		ntsign_prospect_accounts(report->tally, report->state);
	unsigned int i;

	ntsign_html_table_open(f, &table);
	for (i = 0; i < NTSIGN_CHANGE_COUNT; i++) {
		enum ntsign_change change = (enum ntsign_change)i;

		ntsign_html_row(f, ntsign_prospect_title(change));
		ntsign_html_cell_count(f, clients.change[i]);
		ntsign_html_cell_count(f, accounts.change[i]);
		ntsign_html_cell_count(f, clients.matrix[i]);
		ntsign_html_cell_count(f, accounts.matrix[i]);
		ntsign_html_cell_long(f, ntsign_prospect_advice(
			change, report->state));
	}
	ntsign_html_table_close(f);
}

void ntsign_report_html_forecast(FILE *f, const struct ntsign_report *report)
{
	if (!report->what_if) {
		return;
	}
	fprintf(f, "<section id=\"what-if-section\" "
		"aria-labelledby=\"what-if-heading\">\n"
		"<h2 id=\"what-if-heading\">What if signing were "
		"<span data-key=\"state\">%s</span></h2>\n"
		"<p>What would come of those that were seen here, if the "
		"server were patched and in that state. The forecast goes by "
		"what is known of each; the matrix alone by the row it was "
		"last seen in. Which they are is in the lists of "
		"<a href=\"#clients-section\">clients</a> and "
		"<a href=\"#accounts-section\">accounts</a>.</p>\n",
		ntsign_signing_name(report->state));
	write_changes(f, report);
	fprintf(f, "</section>\n");
}
