/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the parts of `ntsign report` for people print with.
 *
 * Invariant: text from a record reaches the page through ntsign_page_safe()
 * and ntsign_page_names() only.
 */
#ifndef NTSIGN_REPORT_PAGE_H
#define NTSIGN_REPORT_PAGE_H

#include "report.h"

struct ntsign_page {
	FILE *f;
	TALLOC_CTX *mem_ctx;	/* for what is freed with the page */
	size_t columns;
	bool colour;
	bool no_memory;		/* sticky */
};

/*
 * Texts are children of page->mem_ctx; without memory they are "" and
 * page->no_memory is set.
 */

/* A text of a record's, fit for a terminal. */
const char *ntsign_page_safe(struct ntsign_page *page, const char *text);
/* A timestamp without its fraction. */
const char *ntsign_page_time(struct ntsign_page *page,
			     const struct ntsign_moment *moment);
/* "patched enabled" */
const char *ntsign_page_party(struct ntsign_page *page, struct ntsign_party p);
/* "LABEL a, b" of a set of names, appended behind "; "; NULL stays NULL, and
 * is what comes back without memory. */
char *ntsign_page_names(struct ntsign_page *page, char *text,
			const char *label, const struct ntsign_names *names);

/* "s" for all counts but 1. */
const char *ntsign_page_plural(uint64_t count);

/* Prints a heading behind an empty line. */
void ntsign_page_heading(struct ntsign_page *page, const char *text);
/* Prints words of a safe text with line breaks where the page ends. */
void ntsign_page_wrapped(struct ntsign_page *page, const char *indent,
			 const char *text);

/* ---- sections in files of their own ---- */

/* --what-if: report_forecast_text.c */
void ntsign_report_prospects(struct ntsign_page *page,
			     const struct ntsign_report *report);

#endif
