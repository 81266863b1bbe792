/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tables of a page, which can be sorted and filtered where scripts run.
 *
 * Invariant: without a script every row is there, in the order in which it
 * was written, and no control that would do nothing is shown.
 */
#ifndef NTSIGN_HTML_TABLE_H
#define NTSIGN_HTML_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "moment.h"
#include "words.h"

enum ntsign_html_sort {
	NTSIGN_HTML_TEXT,
	NTSIGN_HTML_NUMBER,
	NTSIGN_HTML_TIME,
	/* texts whose order is the one in which they are written: addresses;
	 * not more than one column */
	NTSIGN_HTML_PLACE,
};

struct ntsign_html_column {
	const char *key;	/* what the JSON report calls it */
	const char *label;
	enum ntsign_html_sort sort;
};

/* A choice of rows: value "KEY&gt;", where that column's number is greater
 * than 0, or "KEY=TEXT", where that is all it says. */
struct ntsign_html_choice {
	const char *value;
	const char *label;
};

/* Texts of this program only: they are written as they are. */
struct ntsign_html_table {
	const char *id;
	const char *caption;
	bool grouped;		/* one of several with this caption, below a
				 * heading "ID-heading" that tells them apart */
	const char *unit;	/* one row: "client" */
	const struct ntsign_html_column *columns;
	size_t column_count;
	const struct ntsign_html_choice *choices;
	size_t choice_count;
	size_t rows;
};

/* All up to the first row. */
void ntsign_html_table_open(FILE *f, const struct ntsign_html_table *table);
void ntsign_html_table_close(FILE *f);

/* ---- rows ---- */

/* Begins one, whose head is the text. */
void ntsign_html_row(FILE *f, const char *text);
/* Cells, each in the next column. */
void ntsign_html_cell(FILE *f, const char *text);
/* Of a text that is a sentence or more. */
void ntsign_html_cell_long(FILE *f, const char *text);
void ntsign_html_cell_count(FILE *f, uint64_t count);
void ntsign_html_cell_names(FILE *f, const struct ntsign_names *names);
/* Two, of the first and the last time. */
void ntsign_html_cell_span(FILE *f, const struct ntsign_span *span);

#endif
