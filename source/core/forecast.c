/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What would come of a client if the server were in another state.
 *
 * Invariant: nothing here allocates, does I/O, reads a clock or a global.
 */
#include "ntsign/forecast.h"

#include <assert.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define SIDES (2 * NTSIGN_SIGNING_COUNT)

static const char *const change_names[] = {
	[NTSIGN_CHANGE_LOSES_ACCESS] = "loses_access",
	[NTSIGN_CHANGE_UNKNOWN] = "unknown",
	[NTSIGN_CHANGE_BECOMES_SIGNED] = "becomes_signed",
	[NTSIGN_CHANGE_BECOMES_UNSIGNED] = "becomes_unsigned",
	[NTSIGN_CHANGE_GAINS_ACCESS] = "gains_access",
	[NTSIGN_CHANGE_UNAFFECTED] = "unaffected",
};
static_assert(ARRAY_LEN(change_names) == NTSIGN_CHANGE_COUNT,
	      "every change has a name");

static const char *const proof_names[] = {
	[NTSIGN_PROOF_NONE] = "none",
	[NTSIGN_PROOF_CLAIM] = "claim",
	[NTSIGN_PROOF_PROTOCOL] = "protocol",
	[NTSIGN_PROOF_SIGNED] = "signed",
	[NTSIGN_PROOF_VERIFIED] = "verified",
};
static_assert(ARRAY_LEN(proof_names) == NTSIGN_PROOF_COUNT,
	      "every proof has a name");

static const char *const doubt_names[] = {
	[NTSIGN_DOUBT_NONE] = "none",
	[NTSIGN_DOUBT_NOT_OFFERED] = "not_offered",
	[NTSIGN_DOUBT_FORCED] = "forced",
};
static_assert(ARRAY_LEN(doubt_names) == NTSIGN_DOUBT_COUNT,
	      "every doubt has a name");

static const char *name_of(const char *const *names, size_t count,
			   unsigned int value)
{
	return value < count ? names[value] : "invalid";
}

const char *ntsign_change_name(enum ntsign_change change)
{
	return name_of(change_names, NTSIGN_CHANGE_COUNT, change);
}

const char *ntsign_proof_name(enum ntsign_proof proof)
{
	return name_of(proof_names, NTSIGN_PROOF_COUNT, proof);
}

const char *ntsign_doubt_name(enum ntsign_doubt doubt)
{
	return name_of(doubt_names, NTSIGN_DOUBT_COUNT, doubt);
}

/* ---- rows ---- */

/* Bits 0 to 5 of unsigned_smb1 are the client's row, met by a server that
 * offered signing; 6 to 11 the same, met by one that did not. */
static unsigned int side_number(struct ntsign_party party)
{
	return (party.patched ? 0U : NTSIGN_SIGNING_COUNT) +
	       (unsigned int)party.signing;
}

static struct ntsign_party side_of(unsigned int number)
{
	struct ntsign_party party = {
		.patched = number < NTSIGN_SIGNING_COUNT,
		.signing = number % NTSIGN_SIGNING_COUNT,
	};

	return party;
}

uint16_t ntsign_forecast_unsigned(struct ntsign_party client,
				  struct ntsign_party server)
{
	unsigned int number = side_number(client);

	if (number >= SIDES) {
		return 0;
	}
	if (server.signing == NTSIGN_SIGNING_DISABLED) {
		number += SIDES;
	}
	return (uint16_t)(1U << number);
}

static enum ntsign_outcome expected_of(enum ntsign_family family,
				       struct ntsign_party client,
				       enum ntsign_signing state)
{
	struct ntsign_party server = { .patched = true, .signing = state };

	return ntsign_policy_expected(family, client, server);
}

/* ---- proof ---- */

/* Its signing was switched off, and no signature was ever good: it does not
 * sign, whatever it says. Only SMB1 switches it off. */
static bool fails_to_sign(const struct ntsign_forecast_facts *facts)
{
	return facts->downgraded && !facts->verified[NTSIGN_FAMILY_SMB1];
}

static bool smb1_proven(const struct ntsign_forecast_facts *facts)
{
	return facts->verified[NTSIGN_FAMILY_SMB1] ||
	       (facts->was_signed[NTSIGN_FAMILY_SMB1] &&
		!fails_to_sign(facts));
}

enum ntsign_proof ntsign_forecast_proof(
	const struct ntsign_forecast_facts *facts)
{
	bool smb2 = facts->family == NTSIGN_FAMILY_SMB2;

	if (!facts->seen || facts->keyless) {
		return NTSIGN_PROOF_NONE;
	}
	if (facts->verified[facts->family]) {
		return NTSIGN_PROOF_VERIFIED;
	}
	if (facts->was_signed[facts->family] &&
	    (smb2 || !fails_to_sign(facts))) {
		return NTSIGN_PROOF_SIGNED;
	}
	if (smb2) {
		return NTSIGN_PROOF_PROTOCOL;
	}
	return facts->claims ? NTSIGN_PROOF_CLAIM : NTSIGN_PROOF_NONE;
}

enum ntsign_doubt ntsign_forecast_doubt(
	const struct ntsign_forecast_facts *facts)
{
	if (!facts->seen || facts->family != NTSIGN_FAMILY_SMB1) {
		/* in SMB2 either says what it requires, whatever it meets */
		return NTSIGN_DOUBT_NONE;
	}
	if (facts->client.signing == NTSIGN_SIGNING_DISABLED &&
	    facts->server.signing == NTSIGN_SIGNING_DISABLED) {
		return NTSIGN_DOUBT_NOT_OFFERED;
	}
	if (facts->client.signing == NTSIGN_SIGNING_ENABLED &&
	    facts->server.signing == NTSIGN_SIGNING_REQUIRED) {
		return NTSIGN_DOUBT_FORCED;
	}
	return NTSIGN_DOUBT_NONE;
}

/* ---- forecasts ---- */

static enum ntsign_change compare(enum ntsign_outcome had,
				  enum ntsign_outcome would)
{
	if (had == would) {
		return NTSIGN_CHANGE_UNAFFECTED;
	}
	if (would == NTSIGN_OUTCOME_NO_COMMUNICATION) {
		return NTSIGN_CHANGE_LOSES_ACCESS;
	}
	if (had == NTSIGN_OUTCOME_NO_COMMUNICATION) {
		return NTSIGN_CHANGE_GAINS_ACCESS;
	}
	return would == NTSIGN_OUTCOME_SIGNED ? NTSIGN_CHANGE_BECOMES_SIGNED :
						NTSIGN_CHANGE_BECOMES_UNSIGNED;
}

enum ntsign_change ntsign_forecast_matrix(
	const struct ntsign_forecast_facts *facts, enum ntsign_signing state)
{
	enum ntsign_outcome would = NTSIGN_OUTCOME_NO_COMMUNICATION;

	if (!facts->seen) {
		return NTSIGN_CHANGE_UNKNOWN;
	}
	if (!facts->keyless || state != NTSIGN_SIGNING_REQUIRED) {
		would = expected_of(facts->family, facts->client, state);
	}
	return compare(facts->outcome, would);
}

static enum ntsign_change forecast_keyless(
	const struct ntsign_forecast_facts *facts, enum ntsign_signing state)
{
	enum ntsign_outcome had = facts->outcome;
	enum ntsign_outcome would = NTSIGN_OUTCOME_NO_COMMUNICATION;

	if (state != NTSIGN_SIGNING_REQUIRED) {
		would = expected_of(facts->family, facts->client, state);
	}
	if (would == NTSIGN_OUTCOME_SIGNED &&
	    had != NTSIGN_OUTCOME_SIGNED) {
		/* a connection may be signed with the key of another one */
		would = NTSIGN_OUTCOME_NOT_SIGNED;
	}
	return compare(had, would);
}

/* An SMB1 client that says it signs, and does not. */
static enum ntsign_change forecast_failing(
	const struct ntsign_forecast_facts *facts, enum ntsign_signing state,
	enum ntsign_outcome would)
{
	enum ntsign_outcome had = facts->outcome;

	if (had == NTSIGN_OUTCOME_SIGNED) {
		had = NTSIGN_OUTCOME_NOT_SIGNED;
	}
	if (would == NTSIGN_OUTCOME_SIGNED) {
		if (state != NTSIGN_SIGNING_REQUIRED) {
			/* stock smbd switches it off again, enforce does not */
			return NTSIGN_CHANGE_UNKNOWN;
		}
		would = NTSIGN_OUTCOME_NO_COMMUNICATION;
	}
	return compare(had, would);
}

enum ntsign_change ntsign_forecast_client(
	const struct ntsign_forecast_facts *facts, enum ntsign_signing state)
{
	bool smb2 = facts->family == NTSIGN_FAMILY_SMB2;
	enum ntsign_outcome would = NTSIGN_OUTCOME_NO_COMMUNICATION;

	if (!facts->seen) {
		return NTSIGN_CHANGE_UNKNOWN;
	}
	if (facts->keyless) {
		return forecast_keyless(facts, state);
	}
	if (smb2 && facts->encrypted &&
	    facts->outcome != NTSIGN_OUTCOME_NO_COMMUNICATION) {
		return NTSIGN_CHANGE_UNAFFECTED;
	}
	would = expected_of(facts->family, facts->client, state);
	if (!smb2 && fails_to_sign(facts)) {
		return forecast_failing(facts, state, would);
	}
	if (would == NTSIGN_OUTCOME_SIGNED &&
	    facts->outcome != NTSIGN_OUTCOME_SIGNED &&
	    ntsign_forecast_proof(facts) < NTSIGN_PROOF_PROTOCOL) {
		return NTSIGN_CHANGE_UNKNOWN;
	}
	return compare(facts->outcome, would);
}

/* What comes of one kind of SMB1 session that stood unsigned. */
static enum ntsign_change forecast_unsigned(
	const struct ntsign_forecast_facts *facts, unsigned int number,
	enum ntsign_signing state)
{
	bool offered = number < SIDES;
	struct ntsign_party client = side_of(number % SIDES);
	enum ntsign_outcome would = expected_of(NTSIGN_FAMILY_SMB1, client,
						state);

	if (would == NTSIGN_OUTCOME_SIGNED && !smb1_proven(facts)) {
		return NTSIGN_CHANGE_UNKNOWN;
	}
	/* who was not offered it says nothing, and may be able to */
	if (would == NTSIGN_OUTCOME_NO_COMMUNICATION &&
	    (offered || !smb1_proven(facts))) {
		return NTSIGN_CHANGE_LOSES_ACCESS;
	}
	return NTSIGN_CHANGE_UNAFFECTED;
}

/* SMB1 without signing is refused already where it comes from. */
static bool is_refused_now(const struct ntsign_forecast_facts *facts)
{
	return facts->family == NTSIGN_FAMILY_SMB1 &&
	       facts->outcome == NTSIGN_OUTCOME_NO_COMMUNICATION &&
	       facts->server.signing == NTSIGN_SIGNING_REQUIRED;
}

enum ntsign_change ntsign_forecast_earlier(
	const struct ntsign_forecast_facts *facts, enum ntsign_signing state)
{
	enum ntsign_change worst = NTSIGN_CHANGE_UNAFFECTED;
	unsigned int number = 0;

	if (is_refused_now(facts)) {
		return worst;
	}
	if (fails_to_sign(facts) && state != NTSIGN_SIGNING_DISABLED) {
		worst = state == NTSIGN_SIGNING_REQUIRED ?
				NTSIGN_CHANGE_LOSES_ACCESS :
				NTSIGN_CHANGE_UNKNOWN;
	}
	for (number = 0; number < 2 * SIDES; number++) {
		enum ntsign_change change = NTSIGN_CHANGE_UNAFFECTED;

		if ((facts->unsigned_smb1 & (1U << number)) != 0) {
			change = forecast_unsigned(facts, number, state);
		}
		if (change < worst) {
			worst = change;
		}
	}
	return worst;
}

/* ---- exceptions ---- */

/*
 * Whether it said nothing of signing to a server that did not offer it: where
 * it is offered it may sign, and nothing has shown that it can.
 */
static bool may_be_tempted(const struct ntsign_forecast_facts *facts)
{
	static const struct ntsign_party server = {
		.signing = NTSIGN_SIGNING_DISABLED,
	};
	struct ntsign_party client = { .signing = NTSIGN_SIGNING_DISABLED };
	uint16_t rows = ntsign_forecast_unsigned(client, server);

	client.patched = true;
	rows |= ntsign_forecast_unsigned(client, server);
	return (facts->unsigned_smb1 & rows) != 0 && !smb1_proven(facts);
}

static bool goes_on(const struct ntsign_forecast_facts *facts,
		    enum ntsign_signing state)
{
	if (state == NTSIGN_SIGNING_ENABLED && may_be_tempted(facts)) {
		return false;
	}
	return ntsign_forecast_client(facts, state) > NTSIGN_CHANGE_UNKNOWN &&
	       ntsign_forecast_earlier(facts, state) > NTSIGN_CHANGE_UNKNOWN;
}

enum ntsign_exception ntsign_forecast_exception(
	const struct ntsign_forecast_facts *facts, enum ntsign_signing *state)
{
	/* it has access, of one kind or another */
	bool has = facts->outcome != NTSIGN_OUTCOME_NO_COMMUNICATION ||
		   facts->unsigned_smb1 != 0 || facts->downgraded;

	if (!facts->seen || !has || goes_on(facts, NTSIGN_SIGNING_REQUIRED)) {
		return NTSIGN_EXCEPTION_NONE;
	}
	if (goes_on(facts, NTSIGN_SIGNING_ENABLED)) {
		*state = NTSIGN_SIGNING_ENABLED;
		return NTSIGN_EXCEPTION_RULE;
	}
	if (goes_on(facts, NTSIGN_SIGNING_DISABLED)) {
		*state = NTSIGN_SIGNING_DISABLED;
		return NTSIGN_EXCEPTION_RULE;
	}
	return NTSIGN_EXCEPTION_HELPLESS;
}
