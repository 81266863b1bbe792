/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign report --what-if`: forecasts for the clients and accounts of a
 * tally, and words for them.
 *
 * Invariant: what is forecast is ntsign/forecast.h's; here are its facts.
 */
#ifndef NTSIGN_REPORT_FORECAST_H
#define NTSIGN_REPORT_FORECAST_H

#include <jansson.h>

#include "ntsign/forecast.h"
#include "report.h"

/* Of one client or account, for one state of the server. */
struct ntsign_prospect {
	const struct ntsign_tally_facts *last;	/* where facts.seen */
	struct ntsign_forecast_facts facts;
	enum ntsign_signing state;
	/* by the matrix alone (`whatIf'); of the last session and of SMB1
	 * sessions that stood unsigned earlier; and the worse of these two,
	 * which is the answer (`forecast') */
	enum ntsign_change matrix, last_change, earlier, change;
	enum ntsign_proof proof;
	enum ntsign_doubt doubt;
};

struct ntsign_prospect ntsign_prospect_client(
	const struct ntsign_tally_client *client, enum ntsign_signing state);
struct ntsign_prospect ntsign_prospect_account(
	const struct ntsign_tally_account *account, enum ntsign_signing state);

/* How many of each change there are. */
struct ntsign_prospect_counts {
	uint64_t matrix[NTSIGN_CHANGE_COUNT];
	uint64_t change[NTSIGN_CHANGE_COUNT];
};

/* Of all clients; of all accounts. */
struct ntsign_prospect_counts ntsign_prospect_clients(
	const struct ntsign_tally *tally, enum ntsign_signing state);
struct ntsign_prospect_counts ntsign_prospect_accounts(
	const struct ntsign_tally *tally, enum ntsign_signing state);

/* "Lose access" ...; static texts. */
const char *ntsign_prospect_title(enum ntsign_change change);
/* A sentence on what to do about those, a static text. */
const char *ntsign_prospect_advice(enum ntsign_change change,
				   enum ntsign_signing state);
/*
 * What the forecast rests on, in words: how far it is known that it can sign,
 * and what there is to doubt. Nothing of it comes from a record. A talloc
 * child of mem_ctx; NULL when memory runs out.
 */
char *ntsign_prospect_words(TALLOC_CTX *mem_ctx,
			    const struct ntsign_prospect *prospect);

/* Adds `whatIf', `forecast' and `evidence' to an object. */
bool ntsign_prospect_add_json(json_t *object,
			      const struct ntsign_prospect *prospect);
/* The totals: the state, and how many clients and accounts of each change. */
json_t *ntsign_prospect_totals_json(const struct ntsign_tally *tally,
				    enum ntsign_signing state);

#endif
