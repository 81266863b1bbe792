/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The forms of `ntsign report`.
 *
 * Invariant: every form says the same; none computes what the tally lacks.
 */
#ifndef NTSIGN_REPORT_H
#define NTSIGN_REPORT_H

#include <stdio.h>
#include <time.h>

#include "reading.h"
#include "tally.h"

struct ntsign_report {
	const struct ntsign_tally *tally;	/* sorted */
	const char *const *files;		/* as on the command line */
	size_t file_count;
	const struct ntsign_reading *reading;	/* what became of them */
	/* --what-if: the server's state that is asked about */
	bool what_if;
	enum ntsign_signing state;
	/* --table: which one of the CSV; NULL: the first */
	const char *table;
	/* --suggest-rules: seconds since 1970, and how long exceptions last */
	time_t now;
	unsigned int exception_days;
};

/* Each writes one form; false when memory ran out. Errors of f stay in f. */
bool ntsign_report_text(FILE *f, const struct ntsign_report *report);
bool ntsign_report_json(FILE *f, const struct ntsign_report *report);
bool ntsign_report_html(FILE *f, const struct ntsign_report *report);
bool ntsign_report_prometheus(FILE *f, const struct ntsign_report *report);
bool ntsign_report_rules_text(FILE *f, const struct ntsign_report *report);
bool ntsign_report_rules_json(FILE *f, const struct ntsign_report *report);
bool ntsign_report_csv(FILE *f, const struct ntsign_report *report);

/* Whether there is a table of that name in the CSV. */
bool ntsign_report_csv_has(const char *table);

#endif
