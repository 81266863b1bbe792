/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sections of `ntsign report --format html`, each from its heading to its
 * end.
 *
 * Invariant: a section shows what the JSON report has, and says so where
 * there is nothing to show.
 */
#ifndef NTSIGN_REPORT_HTML_H
#define NTSIGN_REPORT_HTML_H

#include <stdbool.h>
#include <stdio.h>

#include "html_table.h"
#include "report.h"
#include "report_forecast.h"

/* The patterns that tell the kinds of sessions from each other. */
void ntsign_report_html_fills(FILE *f);
void ntsign_report_html_matrix(FILE *f, const struct ntsign_tally *tally);
void ntsign_report_html_trend(FILE *f, const struct ntsign_trend *trend);
/* Nothing without --what-if. */
void ntsign_report_html_forecast(FILE *f, const struct ntsign_report *report);
/* These four return false when memory runs out. */
bool ntsign_report_html_clients(FILE *f, const struct ntsign_report *report);
bool ntsign_report_html_accounts(FILE *f, const struct ntsign_report *report);
bool ntsign_report_html_mismatches(FILE *f, const struct ntsign_tally *tally);
bool ntsign_report_html_quirks(FILE *f, const struct ntsign_tally *tally);
void ntsign_report_html_turned_away(FILE *f, const struct ntsign_tally *tally);
void ntsign_report_html_notes(FILE *f, const struct ntsign_tally *tally);
void ntsign_report_html_skips(FILE *f, const struct ntsign_tally *tally);
/* What the articles say that mismatches and quirks name. */
void ntsign_report_html_articles(FILE *f, const struct ntsign_tally *tally);

/* ---- with --what-if: more columns of clients and accounts ---- */

#define NTSIGN_HTML_FORECAST_LAST 7

/* One behind the first column, the others at the end. */
extern const struct ntsign_html_column ntsign_report_html_forecast_first;
extern const struct ntsign_html_column ntsign_report_html_forecast_last
	[NTSIGN_HTML_FORECAST_LAST];
extern const struct ntsign_html_choice ntsign_report_html_forecast_choices
	[NTSIGN_CHANGE_COUNT];

/* Their cells. The second one's false: no memory. */
void ntsign_report_html_cell_forecast(FILE *f,
				      const struct ntsign_prospect *prospect);
bool ntsign_report_html_cells_evidence(FILE *f,
				       const struct ntsign_prospect *prospect);

/* ---- words that several have in common ---- */

/* "patched required", in a cell */
void ntsign_report_html_cell_party(FILE *f, struct ntsign_party party);
/* A cell with an article's name, linked to where it is explained. */
void ntsign_report_html_cell_article(FILE *f, const char *article);

#endif
