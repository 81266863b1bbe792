/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What would come of a client if the server were in another state.
 *
 * Invariant: nothing here allocates, does I/O, reads a clock or a global; and
 * where it is not certain that a client would keep its access, the answer is
 * not that it would.
 */
#ifndef NTSIGN_FORECAST_H
#define NTSIGN_FORECAST_H

#include <stdbool.h>
#include <stdint.h>

#include "ntsign/policy.h"

/* What would change, the most urgent first. */
enum ntsign_change {
	NTSIGN_CHANGE_LOSES_ACCESS,
	NTSIGN_CHANGE_UNKNOWN,
	NTSIGN_CHANGE_BECOMES_SIGNED,
	NTSIGN_CHANGE_BECOMES_UNSIGNED,
	NTSIGN_CHANGE_GAINS_ACCESS,
	NTSIGN_CHANGE_UNAFFECTED,
};
#define NTSIGN_CHANGE_COUNT 6

/* How far it is known that a client can sign, the least first. */
enum ntsign_proof {
	/* it has no key, or has never said a word of signing */
	NTSIGN_PROOF_NONE,
	/* it says so, SMB1 */
	NTSIGN_PROOF_CLAIM,
	/* every client of SMB2 and later has to be able to: [MS-SMB2]
	 * 3.2.5.3 */
	NTSIGN_PROOF_PROTOCOL,
	/* a session of its came out signed */
	NTSIGN_PROOF_SIGNED,
	/* a signature of its was verified */
	NTSIGN_PROOF_VERIFIED,
};
#define NTSIGN_PROOF_COUNT 5

/* Why the row that a client was seen in may not be its own policy. */
enum ntsign_doubt {
	NTSIGN_DOUBT_NONE,
	/* it met a server that did not offer signing, and said nothing of it */
	NTSIGN_DOUBT_NOT_OFFERED,
	/* it met a server that required signing, and may sign only then */
	NTSIGN_DOUBT_FORCED,
};
#define NTSIGN_DOUBT_COUNT 3

/* What is known of a client or an account. */
struct ntsign_forecast_facts {
	/* there was a session that the matrix speaks of: not only connections
	 * and logons that failed of their password. The last such session had
	 * what follows, up to `encrypted`. */
	bool seen;
	enum ntsign_family family;
	struct ntsign_party client, server;
	enum ntsign_outcome outcome;
	bool encrypted;
	/* all of them, some of them were anonymous or guest: without a key */
	bool keyless, some_keyless;
	/* it has said that it can sign */
	bool claims;
	/* by family: a session came out signed, a signature was verified */
	bool was_signed[NTSIGN_FAMILY_COUNT];
	bool verified[NTSIGN_FAMILY_COUNT];
	/* smbd switched its signing off because of a bad or missing signature
	 */
	bool downgraded;
	/* SMB1 sessions with a key that stood unsigned: all that
	 * ntsign_forecast_unsigned() gave for them, put together with | */
	uint16_t unsigned_smb1;
};

/* "loses_access" …, "verified" …, "forced" …; "invalid" outside the enums */
const char *ntsign_change_name(enum ntsign_change change);
const char *ntsign_proof_name(enum ntsign_proof proof);
const char *ntsign_doubt_name(enum ntsign_doubt doubt);

/* The bit for such a session, of unsigned_smb1. */
uint16_t ntsign_forecast_unsigned(struct ntsign_party client,
				  struct ntsign_party server);

/*
 * By the matrix alone: the outcome that it has for the row the client was
 * last seen in, under an updated server in that state, against the outcome
 * that there was. A client without a key, which had access, loses it where
 * signing is required. UNKNOWN where there is no row.
 */
enum ntsign_change ntsign_forecast_matrix(
	const struct ntsign_forecast_facts *facts, enum ntsign_signing state);

/*
 * With what else is known. UNKNOWN, too, where the matrix has it sign and
 * nothing but its word, or not even that, is there to show that it can. An
 * encrypted session stays as it is, one without a key is never signed, and
 * an SMB1 client whose signing was switched off and never verified does not
 * sign.
 */
enum ntsign_change ntsign_forecast_client(
	const struct ntsign_forecast_facts *facts, enum ntsign_signing state);

/*
 * What would come of its SMB1 sessions that stood unsigned, or became so,
 * whatever it was last seen as: LOSES_ACCESS, UNKNOWN, or UNAFFECTED where they are no reason
 * to worry. There may be more than one client behind an address, and one
 * client may speak SMB1 and SMB2. Where the last session was one of SMB1 that
 * a server refused which required signing, those before it are of the past.
 */
enum ntsign_change ntsign_forecast_earlier(
	const struct ntsign_forecast_facts *facts, enum ntsign_signing state);

/* How far it is known that it can sign in the family it was last seen in. */
enum ntsign_proof ntsign_forecast_proof(
	const struct ntsign_forecast_facts *facts);

enum ntsign_doubt ntsign_forecast_doubt(
	const struct ntsign_forecast_facts *facts);

/* What it takes to require signing of everybody else. */
enum ntsign_exception {
	/* no rule: nothing is known against requiring signing of it */
	NTSIGN_EXCEPTION_NONE,
	/* a rule, with the strictest state under which it goes on as now */
	NTSIGN_EXCEPTION_RULE,
	/* it would have to sign under every rule, and may not be able to */
	NTSIGN_EXCEPTION_HELPLESS,
};

/* *state is set for a RULE. */
enum ntsign_exception ntsign_forecast_exception(
	const struct ntsign_forecast_facts *facts, enum ntsign_signing *state);

#endif
