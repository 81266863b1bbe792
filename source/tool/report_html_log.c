/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the audit says of itself: who never came to a session setup, what the
 * module had to say, and what could not be read.
 *
 * Invariant: where there is nothing to show the page says so.
 */
#include "html.h"
#include "html_table.h"
#include "report_html.h"

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

void ntsign_report_html_turned_away(FILE *f, const struct ntsign_tally *tally)
{
	static const struct ntsign_html_column columns[] = {
		{ "address", "Address", NTSIGN_HTML_PLACE },
		{ "reason", "Why", NTSIGN_HTML_TEXT },
		{ "offered", "Dialects offered", NTSIGN_HTML_TEXT },
		{ "count", "Times", NTSIGN_HTML_NUMBER },
		{ "firstSeen", "First seen", NTSIGN_HTML_TIME },
		{ "lastSeen", "Last seen", NTSIGN_HTML_TIME },
	};
	const struct ntsign_table *list = &tally->turned_away;
	const struct ntsign_html_table table = {
		.id = "turned-away",
		.caption = "Clients turned away before a session setup",
		.unit = "client",
		.columns = columns,
		.column_count = COUNT_OF(columns),
		.rows = list->count,
	};
	size_t i;

	fprintf(f, "<h3>Turned away before a session setup</h3>\n");
	if (list->count == 0) {
		fprintf(f, "<p>None.</p>\n");
		return;
	}
	ntsign_html_table_open(f, &table);
	for (i = 0; i < list->count; i++) {
		const struct ntsign_tally_turned_away *a = list->list[i];

		ntsign_html_row(f, a->address);
		ntsign_html_cell(f, a->reason);
		ntsign_html_cell_names(f, &a->offered);
		ntsign_html_cell_count(f, a->count);
		ntsign_html_cell_span(f, &a->span);
	}
	ntsign_html_table_close(f);
}

void ntsign_report_html_notes(FILE *f, const struct ntsign_tally *tally)
{
	static const struct ntsign_html_column columns[] = {
		{ "event", "Event", NTSIGN_HTML_TEXT },
		{ "message", "Message", NTSIGN_HTML_TEXT },
		{ "count", "Times", NTSIGN_HTML_NUMBER },
		{ "firstSeen", "First seen", NTSIGN_HTML_TIME },
		{ "lastSeen", "Last seen", NTSIGN_HTML_TIME },
	};
	const struct ntsign_table *list = &tally->notes;
	const struct ntsign_html_table table = {
		.id = "notes",
		.caption = "What the module said of itself",
		.unit = "message",
		.columns = columns,
		.column_count = COUNT_OF(columns),
		.rows = list->count,
	};
	size_t i;

	fprintf(f, "<h3>The module's own messages</h3>\n");
	if (list->count == 0) {
		fprintf(f, "<p>None.</p>\n");
		return;
	}
	ntsign_html_table_open(f, &table);
	for (i = 0; i < list->count; i++) {
		const struct ntsign_tally_note *n = list->list[i];

		ntsign_html_row(f, n->event);
		ntsign_html_cell(f, n->message);
		ntsign_html_cell_count(f, n->count);
		ntsign_html_cell_span(f, &n->span);
	}
	ntsign_html_table_close(f);
	if (tally->notes_omitted > 0) {
		fprintf(f, "<p><span data-key=\"notesOmitted\">");
		ntsign_html_count(f, tally->notes_omitted);
		fprintf(f, "</span> more are not shown.</p>\n");
	}
}

void ntsign_report_html_skips(FILE *f, const struct ntsign_tally *tally)
{
	static const struct ntsign_html_column columns[] = {
		{ "why", "Why", NTSIGN_HTML_TEXT },
		{ "count", "Lines", NTSIGN_HTML_NUMBER },
		{ "file", "First in", NTSIGN_HTML_TEXT },
		{ "line", "Line", NTSIGN_HTML_NUMBER },
		{ "detail", "Detail", NTSIGN_HTML_TEXT },
	};
	const struct ntsign_table *list = &tally->skips;
	const struct ntsign_html_table table = {
		.id = "skipped-lines",
		.caption = "Lines that are no records, by the reason",
		.unit = "reason",
		.columns = columns,
		.column_count = COUNT_OF(columns),
		.rows = list->count,
	};
	size_t i;

	fprintf(f, "<h3>Lines skipped</h3>\n");
	if (list->count == 0) {
		fprintf(f, "<p>None.</p>\n");
		return;
	}
	ntsign_html_table_open(f, &table);
	for (i = 0; i < list->count; i++) {
		const struct ntsign_tally_skip *s = list->list[i];

		ntsign_html_row(f, s->key);
		ntsign_html_cell_count(f, s->count);
		ntsign_html_cell(f, s->source.name);
		ntsign_html_cell_count(f, s->line);
		ntsign_html_cell(f, s->detail);
	}
	ntsign_html_table_close(f);
}
