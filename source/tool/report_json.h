/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entries of a report as JSON objects, which are what the CSV has too.
 *
 * Invariant: each is NULL when memory runs out, and the caller's else.
 */
#ifndef NTSIGN_REPORT_JSON_H
#define NTSIGN_REPORT_JSON_H

#include <jansson.h>

#include "report.h"

json_t *ntsign_json_names(const struct ntsign_names *names);
json_t *ntsign_json_cell(const struct ntsign_tally_cell *cell);
json_t *ntsign_json_interval(const struct ntsign_trend *trend, size_t i);

/* entry: one of the table's list */
json_t *ntsign_json_client(const struct ntsign_report *report,
			   const void *entry);
json_t *ntsign_json_account(const struct ntsign_report *report,
			    const void *entry);
json_t *ntsign_json_mismatch(const struct ntsign_report *report,
			     const void *entry);
json_t *ntsign_json_quirk(const struct ntsign_report *report,
			  const void *entry);
json_t *ntsign_json_turned_away(const struct ntsign_report *report,
				const void *entry);

#endif
