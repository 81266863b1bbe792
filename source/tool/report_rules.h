/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign report --suggest-rules`: signing rules that require signing of all
 * that can, with exceptions for the others.
 *
 * Invariant: a rule is for addresses that were seen and need it; but one for
 * a /64 of IPv6, in which a client takes its addresses as it likes.
 */
#ifndef NTSIGN_REPORT_RULES_H
#define NTSIGN_REPORT_RULES_H

#include "ntsign/address.h"
#include "report_forecast.h"

/* A client whose address is one. */
struct ntsign_rules_client {
	const struct ntsign_tally_client *client;
	struct ntsign_address address;
	enum ntsign_exception exception;
	enum ntsign_signing state;	/* of a RULE */
};

struct ntsign_rules_rule {
	char block[64];			/* ADDRESS or ADDRESS/BITS */
	enum ntsign_signing state;
	/* those of clients[] from first to before end that need a RULE */
	size_t first, end, count;
};

struct ntsign_rules {
	/* in the order of the addresses */
	struct ntsign_rules_client *clients;
	size_t client_count;
	struct ntsign_rules_rule *rules;
	size_t count;
	/* from here on the tally's clients have no address */
	size_t no_address;
	char until[16];			/* the rules' last day */
};

/* A talloc child of mem_ctx; NULL when memory runs out. */
struct ntsign_rules *ntsign_rules_suggest(TALLOC_CTX *mem_ctx,
					  const struct ntsign_report *report);

/* The value of `ntsign:signing rules'. A talloc child of mem_ctx; NULL when
 * memory runs out. */
char *ntsign_rules_value(TALLOC_CTX *mem_ctx,
			 const struct ntsign_rules *rules);

#endif
