/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tables of a page.
 *
 * Invariant: each has a caption, and each of its cells a head for its column
 * and one for its row.
 */
#include "html_table.h"

#include <inttypes.h>
#include <string.h>

#include "html.h"

/* With fewer rows there is nothing to look for. */
#define ROWS_TO_FILTER 8
/* So many need small letters on paper. */
#define COLUMNS_WIDE 17

static const char *sort_name(enum ntsign_html_sort sort)
{
	switch (sort) {
	case NTSIGN_HTML_NUMBER:
		return "number";
	case NTSIGN_HTML_TIME:
		return "time";
	case NTSIGN_HTML_PLACE:
		return "place";
	case NTSIGN_HTML_TEXT:
		break;
	}
	return "text";
}

static void write_choices(FILE *f, const struct ntsign_html_table *table)
{
	size_t i;

	if (table->choice_count == 0) {
		return;
	}
	fprintf(f, "<label for=\"%s-choice\">Show</label>\n"
		"<select id=\"%s-choice\">\n"
		"<option value=\"\">all %ss</option>\n", table->id, table->id,
		table->unit);
	for (i = 0; i < table->choice_count; i++) {
		fprintf(f, "<option value=\"%s\">%s</option>\n",
			table->choices[i].value, table->choices[i].label);
	}
	fprintf(f, "</select>\n");
}

/* The script shows it, and fills the two lines of text. */
static void write_controls(FILE *f, const struct ntsign_html_table *table)
{
	if (table->rows >= ROWS_TO_FILTER) {
		fprintf(f, "<div class=\"controls\" id=\"%s-controls\" "
			"hidden>\n<label for=\"%s-find\">Find</label>\n"
			"<input type=\"search\" id=\"%s-find\" "
			"autocomplete=\"off\" spellcheck=\"false\">\n",
			table->id, table->id, table->id);
		write_choices(f, table);
		fprintf(f, "<button type=\"button\" id=\"%s-clear\">Show all "
			"again</button>\n</div>\n", table->id);
	}
	fprintf(f, "<p class=\"count\" role=\"status\" id=\"%s-count\">",
		table->id);
	ntsign_html_count(f, table->rows);
	fprintf(f, " %s%s</p>\n", table->unit, table->rows == 1 ? "" : "s");
}

static void write_column(FILE *f, const struct ntsign_html_column *column)
{
	fprintf(f, "<th scope=\"col\" data-key=\"%s\" data-sort=\"%s\"%s>%s"
		"</th>\n", column->key, sort_name(column->sort),
		column->sort == NTSIGN_HTML_PLACE ?
			" aria-sort=\"ascending\"" : "", column->label);
}

void ntsign_html_table_open(FILE *f, const struct ntsign_html_table *table)
{
	size_t i;

	write_controls(f, table);
	fprintf(f, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
		"aria-labelledby=\"%s%s%s-caption\">\n",
		table->grouped ? table->id : "",
		table->grouped ? "-heading " : "", table->id);
	fprintf(f, "<table class=\"list%s\" id=\"%s\" data-unit=\"%s\">\n"
		"<caption id=\"%s-caption\">%s</caption>\n<thead>\n<tr>\n",
		table->column_count >= COLUMNS_WIDE ? " wide" : "",
		table->id, table->unit, table->id, table->caption);
	for (i = 0; i < table->column_count; i++) {
		write_column(f, &table->columns[i]);
	}
	fprintf(f, "</tr>\n</thead>\n<tbody>\n");
}

/* HTML lets the ends of rows and cells be left out. */
void ntsign_html_table_close(FILE *f)
{
	fprintf(f, "</tbody>\n</table>\n</div>\n");
}

void ntsign_html_row(FILE *f, const char *text)
{
	(void)fputs("<tr><th scope=\"row\">", f);
	ntsign_html_text(f, text);
	(void)fputc('\n', f);
}

void ntsign_html_cell(FILE *f, const char *text)
{
	(void)fputs("<td>", f);
	ntsign_html_text(f, text);
	(void)fputc('\n', f);
}

void ntsign_html_cell_long(FILE *f, const char *text)
{
	(void)fputs("<td class=\"l\">", f);
	ntsign_html_text(f, text);
	(void)fputc('\n', f);
}

void ntsign_html_cell_count(FILE *f, uint64_t count)
{
	/* nothing to see, but for those who look for it */
	(void)fputs(count == 0 ? "<td class=\"n z\">" : "<td class=\"n\">", f);
	ntsign_html_count(f, count);
	(void)fputc('\n', f);
}

void ntsign_html_cell_names(FILE *f, const struct ntsign_names *names)
{
	(void)fputs("<td class=\"l\">", f);
	ntsign_html_names(f, names);
	(void)fputc('\n', f);
}

void ntsign_html_cell_span(FILE *f, const struct ntsign_span *span)
{
	(void)fputs("<td class=\"t\">", f);
	if (span->seen) {
		ntsign_html_moment(f, &span->first);
	}
	(void)fputs("\n<td class=\"t\">", f);
	if (span->seen) {
		ntsign_html_moment(f, &span->last);
	}
	(void)fputc('\n', f);
}
