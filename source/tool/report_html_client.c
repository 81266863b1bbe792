/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients and accounts, a row each.
 *
 * Invariant: the rows have as many cells as there are columns, in their
 * order.
 */
#include "html.h"
#include "html_table.h"
#include "report_html.h"

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* As many as there can be, with all that comes of --what-if. */
#define COLUMNS_MOST 32
#define CHOICES_MOST 24

static const char *yes_or_no(bool yes)
{
	return yes ? "yes" : "no";
}

/* The numbers that clients and accounts have, in this order. */
#define NUMBER_COLUMNS \
	{ "sessions", "Session setups", NTSIGN_HTML_NUMBER }, \
	{ "signed", "Signed", NTSIGN_HTML_NUMBER }, \
	{ "not_signed", "Not signed", NTSIGN_HTML_NUMBER }, \
	{ "no_communication", "No communi&shy;cation", NTSIGN_HTML_NUMBER }, \
	{ "failed", "Failed", NTSIGN_HTML_NUMBER }, \
	{ "exposed", "Exposed", NTSIGN_HTML_NUMBER }

#define NUMBER_CHOICES \
	{ "signed&gt;", "with signed sessions" }, \
	{ "not_signed&gt;", "with sessions not signed" }, \
	{ "no_communication&gt;", "with no communication" }, \
	{ "failed&gt;", "with failed logons" }, \
	{ "exposed&gt;", "with exposed sessions" }, \
	{ "proven=yes", "proven to sign" }, \
	{ "proven=no", "not proven to sign" }

static void write_numbers(FILE *f, const struct ntsign_tally_sessions *count,
			  uint64_t exposed)
{
	unsigned int i;

	ntsign_html_cell_count(f, count->sessions);
	for (i = 0; i < NTSIGN_OUTCOME_COUNT; i++) {
		ntsign_html_cell_count(f, count->outcome[i]);
	}
	ntsign_html_cell_count(f, count->failed);
	ntsign_html_cell_count(f, exposed);
}

/* A table's columns and choices: its own, and those of --what-if. */
struct form {
	struct ntsign_html_column columns[COLUMNS_MOST];
	size_t column_count;
	struct ntsign_html_choice choices[CHOICES_MOST];
	size_t choice_count;
};

static void add_columns(struct form *form,
			const struct ntsign_html_column *columns, size_t count)
{
	size_t i;

	for (i = 0; i < count && form->column_count < COLUMNS_MOST; i++) {
		form->columns[form->column_count++] = columns[i];
	}
}

static void add_choices(struct form *form,
			const struct ntsign_html_choice *choices, size_t count)
{
	size_t i;

	for (i = 0; i < count && form->choice_count < CHOICES_MOST; i++) {
		form->choices[form->choice_count++] = choices[i];
	}
}

static struct form make_form(bool what_if,
			     const struct ntsign_html_column *columns,
			     size_t column_count,
			     const struct ntsign_html_choice *choices,
			     size_t choice_count)
{
	struct form form = { .column_count = 0 };

	add_columns(&form, columns, 1);
	if (what_if) {
		add_columns(&form, &ntsign_report_html_forecast_first, 1);
		add_choices(&form, ntsign_report_html_forecast_choices,
			    NTSIGN_CHANGE_COUNT);
	}
	add_columns(&form, columns + 1, column_count - 1);
	add_choices(&form, choices, choice_count);
	if (what_if) {
		add_columns(&form, ntsign_report_html_forecast_last,
			    NTSIGN_HTML_FORECAST_LAST);
	}
	return form;
}

static bool write_client(FILE *f, const struct ntsign_report *report,
			 const struct ntsign_tally_client *c)
{
	struct ntsign_prospect prospect = ntsign_prospect_client(
		c, report->state);

	ntsign_html_row(f, c->key);
	if (report->what_if) {
		ntsign_report_html_cell_forecast(f, &prospect);
	}
	write_numbers(f, &c->count, c->exposed);
	ntsign_html_cell(f, yes_or_no(c->proven));
	ntsign_html_cell_span(f, &c->span);
	ntsign_html_cell_names(f, &c->dialects);
	ntsign_html_cell_names(f, &c->accounts);
	ntsign_html_cell_names(f, &c->native_os);
	ntsign_html_cell_count(f, c->bad);
	ntsign_html_cell_count(f, c->missing);
	ntsign_html_cell_count(f, c->downgraded);
	return !report->what_if ||
	       ntsign_report_html_cells_evidence(f, &prospect);
}

bool ntsign_report_html_clients(FILE *f, const struct ntsign_report *report)
{
	static const struct ntsign_html_column columns[] = {
		{ "address", "Address", NTSIGN_HTML_PLACE },
		NUMBER_COLUMNS,
		{ "proven", "Proven", NTSIGN_HTML_TEXT },
		{ "firstSeen", "First seen", NTSIGN_HTML_TIME },
		{ "lastSeen", "Last seen", NTSIGN_HTML_TIME },
		{ "dialects", "Dialects", NTSIGN_HTML_TEXT },
		{ "accounts", "Accounts", NTSIGN_HTML_TEXT },
		{ "nativeOs", "Systems", NTSIGN_HTML_TEXT },
		{ "badSignatures", "Bad signatures", NTSIGN_HTML_NUMBER },
		{ "missingSignatures", "Missing signatures",
		  NTSIGN_HTML_NUMBER },
		{ "downgraded", "Signing switched off", NTSIGN_HTML_NUMBER },
	};
	static const struct ntsign_html_choice choices[] = {
		NUMBER_CHOICES,
		{ "badSignatures&gt;", "with bad signatures" },
		{ "missingSignatures&gt;", "with missing signatures" },
		{ "downgraded&gt;", "with signing switched off" },
	};
	const struct ntsign_table *list = &report->tally->clients;
	const struct form form = make_form(report->what_if, columns,
					   COUNT_OF(columns), choices,
					   COUNT_OF(choices));
	const struct ntsign_html_table table = {
		.id = "clients",
		.caption = "Clients by address, with their session setups",
		.unit = "client",
		.columns = form.columns,
		.column_count = form.column_count,
		.choices = form.choices,
		.choice_count = form.choice_count,
		.rows = list->count,
	};
	bool ok = true;
	size_t i;

	fprintf(f, "<section id=\"clients-section\" "
		"aria-labelledby=\"clients-heading\">\n"
		"<h2 id=\"clients-heading\">Clients</h2>\n"
		"<p class=\"note\">Proven: a signature of this client's was "
		"verified; it does sign, and does not only say so. Exposed: "
		"unsigned sessions with a key that could have signed, and not "
		"encrypted; they can be relayed.</p>\n");
	ntsign_html_table_open(f, &table);
	for (i = 0; ok && i < list->count; i++) {
		ok = write_client(f, report, list->list[i]);
	}
	ntsign_html_table_close(f);
	fprintf(f, "</section>\n");
	return ok;
}

static bool write_account(FILE *f, const struct ntsign_report *report,
			  const struct ntsign_tally_account *a)
{
	struct ntsign_prospect prospect = ntsign_prospect_account(
		a, report->state);

	ntsign_html_row(f, a->key);
	if (report->what_if) {
		ntsign_report_html_cell_forecast(f, &prospect);
	}
	write_numbers(f, &a->count, a->exposed);
	ntsign_html_cell(f, yes_or_no(a->known));
	ntsign_html_cell(f, yes_or_no(a->proven));
	ntsign_html_cell_span(f, &a->span);
	ntsign_html_cell_names(f, &a->addresses);
	return !report->what_if ||
	       ntsign_report_html_cells_evidence(f, &prospect);
}

bool ntsign_report_html_accounts(FILE *f, const struct ntsign_report *report)
{
	static const struct ntsign_html_column columns[] = {
		{ "account", "Account", NTSIGN_HTML_PLACE },
		NUMBER_COLUMNS,
		{ "known", "Has logged on", NTSIGN_HTML_TEXT },
		{ "proven", "Proven", NTSIGN_HTML_TEXT },
		{ "firstSeen", "First seen", NTSIGN_HTML_TIME },
		{ "lastSeen", "Last seen", NTSIGN_HTML_TIME },
		{ "addresses", "Clients", NTSIGN_HTML_TEXT },
	};
	static const struct ntsign_html_choice choices[] = {
		NUMBER_CHOICES,
		{ "known=yes", "that have logged on" },
		{ "known=no", "that have only been tried" },
	};
	const struct ntsign_table *list = &report->tally->accounts;
	const struct form form = make_form(report->what_if, columns,
					   COUNT_OF(columns), choices,
					   COUNT_OF(choices));
	const struct ntsign_html_table table = {
		.id = "accounts",
		.caption = "Accounts by name, with their session setups",
		.unit = "account",
		.columns = form.columns,
		.column_count = form.column_count,
		.choices = form.choices,
		.choice_count = form.choice_count,
		.rows = list->count,
	};
	uint64_t omitted = report->tally->account_sessions_omitted;
	bool ok = true;
	size_t i;

	fprintf(f, "<section id=\"accounts-section\" "
		"aria-labelledby=\"accounts-heading\">\n"
		"<h2 id=\"accounts-heading\">Accounts</h2>\n"
		"<p class=\"note\">Has logged on: with a password or a ticket, "
		"from anywhere. The others are names that somebody has tried, "
		"or that were let in as a guest. Proven: a signature was "
		"verified of this name, in whatever domain.</p>\n");
	ntsign_html_table_open(f, &table);
	for (i = 0; ok && i < list->count; i++) {
		ok = write_account(f, report, list->list[i]);
	}
	ntsign_html_table_close(f);
	if (omitted > 0) {
		fprintf(f, "<p><span data-key=\"accountSessionsOmitted\">");
		ntsign_html_count(f, omitted);
		fprintf(f, "</span> session setups more had names that are "
			"left out here.</p>\n");
	}
	fprintf(f, "</section>\n");
	return ok;
}
