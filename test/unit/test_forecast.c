/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests the forecasts: every row, state and outcome, with and without a key
 * and a proof.
 *
 * Invariant: what has to come of each stands here letter by letter, and is
 * computed by nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ntsign/forecast.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define REQ NTSIGN_SIGNING_REQUIRED
#define ENA NTSIGN_SIGNING_ENABLED
#define DIS NTSIGN_SIGNING_DISABLED

#define SMB1 NTSIGN_FAMILY_SMB1
#define SMB2 NTSIGN_FAMILY_SMB2

static const enum ntsign_signing states[] = { REQ, ENA, DIS };
static const enum ntsign_outcome outcomes[] = {
	NTSIGN_OUTCOME_SIGNED,
	NTSIGN_OUTCOME_NOT_SIGNED,
	NTSIGN_OUTCOME_NO_COMMUNICATION,
};

/*
 * What changes: l loses access, ~ unknown, s becomes signed, u becomes
 * unsigned, g gains access, = unaffected. Three letters for each state the
 * server would be in (required, enabled, disabled), for a client whose
 * session was signed, not signed, or not there.
 */
struct row {
	enum ntsign_family family;
	struct ntsign_party client;
	const char *matrix;		/* by the matrix alone */
	const char *matrix_keyless;
	const char *proven;		/* and with what else is known */
	const char *unproven;
	const char *keyless;
	const char *failing;		/* its signing was switched off */
};

static const struct row rows[] = {
	{ SMB1, { true, REQ }, "=sg =sg =sg", "ll= =sg =sg",
	  "=sg =sg =sg", "=~~ =~~ =~~", "ll= ==g ==g", "ll= ~~~ ~~~" },
	{ SMB1, { true, ENA }, "=sg =sg u=g", "ll= =sg u=g",
	  "=sg =sg u=g", "=~~ =~~ u=g", "ll= ==g u=g", "ll= ~~~ ==g" },
	{ SMB1, { true, DIS }, "=sg u=g u=g", "ll= u=g u=g",
	  "=sg u=g u=g", "=~~ u=g u=g", "ll= u=g u=g", "ll= ==g ==g" },
	{ SMB1, { false, REQ }, "=sg =sg ll=", "ll= =sg ll=",
	  "=sg =sg ll=", "=~~ =~~ ll=", "ll= ==g ll=", "ll= ~~~ ll=" },
	{ SMB1, { false, ENA }, "=sg =sg u=g", "ll= =sg u=g",
	  "=sg =sg u=g", "=~~ =~~ u=g", "ll= ==g u=g", "ll= ~~~ ==g" },
	{ SMB1, { false, DIS }, "ll= u=g u=g", "ll= u=g u=g",
	  "ll= u=g u=g", "ll= u=g u=g", "ll= u=g u=g", "ll= ==g ==g" },
	/* every SMB2 client can sign, and smbd never switches it off */
	{ SMB2, { true, REQ }, "=sg =sg =sg", "ll= =sg =sg",
	  "=sg =sg =sg", "=sg =sg =sg", "ll= ==g ==g", "=sg =sg =sg" },
	{ SMB2, { true, ENA }, "=sg u=g u=g", "ll= u=g u=g",
	  "=sg u=g u=g", "=sg u=g u=g", "ll= u=g u=g", "=sg u=g u=g" },
	{ SMB2, { true, DIS }, "=sg u=g u=g", "ll= u=g u=g",
	  "=sg u=g u=g", "=sg u=g u=g", "ll= u=g u=g", "=sg u=g u=g" },
	{ SMB2, { false, ENA }, "=sg u=g u=g", "ll= u=g u=g",
	  "=sg u=g u=g", "=sg u=g u=g", "ll= u=g u=g", "=sg u=g u=g" },
};

static char letter_of(enum ntsign_change change)
{
	static const char letters[] = "l~sug=";

	assert_true((unsigned int)change < NTSIGN_CHANGE_COUNT);
	return letters[change];
}

/* All states and outcomes of a client, as a row's text has them. */
static void letters_of(
	struct ntsign_forecast_facts facts,
	enum ntsign_change (*forecast)(
		const struct ntsign_forecast_facts *facts,
		enum ntsign_signing state),
	char text[12])
{
	size_t at = 0;
	size_t s = 0;
	size_t o = 0;

	for (s = 0; s < ARRAY_LEN(states); s++) {
		for (o = 0; o < ARRAY_LEN(outcomes); o++) {
			facts.outcome = outcomes[o];
			text[at++] = letter_of(forecast(&facts, states[s]));
		}
		text[at++] = s + 1 < ARRAY_LEN(states) ? ' ' : '\0';
	}
}

static struct ntsign_forecast_facts facts_of(const struct row *row)
{
	struct ntsign_forecast_facts facts = {
		.seen = true,
		.family = row->family,
		.client = row->client,
		.server = { .patched = true, .signing = ENA },
	};

	return facts;
}

static void test_matrix(void **state)
{
	char text[12];
	size_t i = 0;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct ntsign_forecast_facts facts = facts_of(&rows[i]);
		int p = 0;

		letters_of(facts, ntsign_forecast_matrix, text);
		assert_string_equal(text, rows[i].matrix);
		facts.keyless = true;
		letters_of(facts, ntsign_forecast_matrix, text);
		assert_string_equal(text, rows[i].matrix_keyless);

		/* nothing else changes what the matrix says */
		facts = facts_of(&rows[i]);
		facts.claims = true;
		facts.encrypted = true;
		facts.downgraded = true;
		facts.some_keyless = true;
		facts.unsigned_smb1 = 0xFFF;
		for (p = 0; p < 2; p++) {
			facts.verified[rows[i].family] = p == 1;
			facts.was_signed[rows[i].family] = p == 1;
			letters_of(facts, ntsign_forecast_matrix, text);
			assert_string_equal(text, rows[i].matrix);
		}
	}
}

static void test_client(void **state)
{
	char text[12];
	size_t i = 0;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		enum ntsign_family family = rows[i].family;
		enum ntsign_family other = family == SMB1 ? SMB2 : SMB1;
		struct ntsign_forecast_facts facts = facts_of(&rows[i]);

		letters_of(facts, ntsign_forecast_client, text);
		assert_string_equal(text, rows[i].unproven);
		facts.claims = true;
		letters_of(facts, ntsign_forecast_client, text);
		assert_string_equal(text, rows[i].unproven);
		/* what was seen in one family proves nothing of the other */
		facts.verified[other] = true;
		facts.was_signed[other] = true;
		letters_of(facts, ntsign_forecast_client, text);
		assert_string_equal(text, rows[i].unproven);

		facts.was_signed[family] = true;
		letters_of(facts, ntsign_forecast_client, text);
		assert_string_equal(text, rows[i].proven);
		facts.was_signed[family] = false;
		facts.verified[family] = true;
		letters_of(facts, ntsign_forecast_client, text);
		assert_string_equal(text, rows[i].proven);
		/* once it was good, however often it was bad */
		facts.downgraded = true;
		letters_of(facts, ntsign_forecast_client, text);
		assert_string_equal(text, rows[i].proven);
	}
}

static void test_keyless(void **state)
{
	char text[12];
	size_t i = 0;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct ntsign_forecast_facts facts = facts_of(&rows[i]);

		facts.keyless = true;
		facts.some_keyless = true;
		letters_of(facts, ntsign_forecast_client, text);
		assert_string_equal(text, rows[i].keyless);
		/* nothing gives it a key */
		facts.claims = true;
		facts.encrypted = true;
		facts.verified[SMB1] = true;
		facts.verified[SMB2] = true;
		letters_of(facts, ntsign_forecast_client, text);
		assert_string_equal(text, rows[i].keyless);
	}
}

static void test_failing(void **state)
{
	char text[12];
	size_t i = 0;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct ntsign_forecast_facts facts = facts_of(&rows[i]);

		facts.downgraded = true;
		facts.claims = true;
		letters_of(facts, ntsign_forecast_client, text);
		assert_string_equal(text, rows[i].failing);
		/* a session that set out to be signed is no proof then */
		facts.was_signed[rows[i].family] = true;
		letters_of(facts, ntsign_forecast_client, text);
		assert_string_equal(text, rows[i].failing);
	}
}

static void test_encrypted(void **state)
{
	char text[12];
	size_t i = 0;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct ntsign_forecast_facts facts = facts_of(&rows[i]);

		facts.encrypted = true;
		letters_of(facts, ntsign_forecast_client, text);
		assert_string_equal(text, rows[i].family == SMB2 ?
					  "==g ==g ==g" : rows[i].unproven);
	}
}

/* Without a session there is nothing to say. */
static void test_unseen(void **state)
{
	struct ntsign_forecast_facts facts = {
		.seen = false,
		.claims = true,
		.keyless = true,
		.verified = { true, true },
	};
	enum ntsign_signing exception = ENA;
	size_t s = 0;

	for (s = 0; s < ARRAY_LEN(states); s++) {
		assert_int_equal(ntsign_forecast_matrix(&facts, states[s]),
				 NTSIGN_CHANGE_UNKNOWN);
		assert_int_equal(ntsign_forecast_client(&facts, states[s]),
				 NTSIGN_CHANGE_UNKNOWN);
		assert_int_equal(ntsign_forecast_earlier(&facts, states[s]),
				 NTSIGN_CHANGE_UNAFFECTED);
	}
	assert_int_equal(ntsign_forecast_proof(&facts), NTSIGN_PROOF_NONE);
	assert_int_equal(ntsign_forecast_doubt(&facts), NTSIGN_DOUBT_NONE);
	assert_int_equal(ntsign_forecast_exception(&facts, &exception),
			 NTSIGN_EXCEPTION_NONE);
}

static void test_proof(void **state)
{
	static const struct {
		enum ntsign_family family;
		bool keyless, claims, was_signed, verified, downgraded;
		enum ntsign_proof proof;
	} cases[] = {
		{ SMB1, 0, 0, 0, 0, 0, NTSIGN_PROOF_NONE },
		{ SMB1, 0, 1, 0, 0, 0, NTSIGN_PROOF_CLAIM },
		{ SMB1, 0, 1, 1, 0, 0, NTSIGN_PROOF_SIGNED },
		{ SMB1, 0, 1, 1, 1, 0, NTSIGN_PROOF_VERIFIED },
		{ SMB1, 0, 0, 0, 1, 0, NTSIGN_PROOF_VERIFIED },
		{ SMB1, 0, 1, 1, 0, 1, NTSIGN_PROOF_CLAIM },
		{ SMB1, 0, 0, 1, 0, 1, NTSIGN_PROOF_NONE },
		{ SMB1, 0, 1, 1, 1, 1, NTSIGN_PROOF_VERIFIED },
		{ SMB1, 1, 1, 1, 1, 0, NTSIGN_PROOF_NONE },
		{ SMB2, 0, 0, 0, 0, 0, NTSIGN_PROOF_PROTOCOL },
		{ SMB2, 0, 1, 0, 0, 1, NTSIGN_PROOF_PROTOCOL },
		{ SMB2, 0, 1, 1, 0, 1, NTSIGN_PROOF_SIGNED },
		{ SMB2, 0, 1, 1, 1, 0, NTSIGN_PROOF_VERIFIED },
		{ SMB2, 1, 1, 0, 1, 0, NTSIGN_PROOF_NONE },
	};
	size_t i = 0;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		enum ntsign_family other = cases[i].family == SMB1 ? SMB2 :
								     SMB1;
		struct ntsign_forecast_facts facts = {
			.seen = true,
			.family = cases[i].family,
			.keyless = cases[i].keyless,
			.claims = cases[i].claims,
			.downgraded = cases[i].downgraded,
		};

		facts.was_signed[cases[i].family] = cases[i].was_signed;
		facts.verified[cases[i].family] = cases[i].verified;
		assert_int_equal(ntsign_forecast_proof(&facts),
				 cases[i].proof);
		if (cases[i].downgraded) {
			continue;
		}
		facts.was_signed[other] = true;
		facts.verified[other] = true;
		assert_int_equal(ntsign_forecast_proof(&facts),
				 cases[i].proof);
	}
}

static void test_doubt(void **state)
{
	size_t c = 0;
	size_t s = 0;

	for (c = 0; c < ARRAY_LEN(states); c++) {
		for (s = 0; s < ARRAY_LEN(states); s++) {
			struct ntsign_forecast_facts facts = {
				.seen = true,
				.client = { true, states[c] },
				.server = { true, states[s] },
			};
			enum ntsign_doubt doubt = NTSIGN_DOUBT_NONE;

			if (states[c] == DIS && states[s] == DIS) {
				doubt = NTSIGN_DOUBT_NOT_OFFERED;
			}
			if (states[c] == ENA && states[s] == REQ) {
				doubt = NTSIGN_DOUBT_FORCED;
			}
			assert_int_equal(ntsign_forecast_doubt(&facts), doubt);
			facts.family = SMB2;
			assert_int_equal(ntsign_forecast_doubt(&facts),
					 NTSIGN_DOUBT_NONE);
		}
	}
}

/* SMB1 sessions that stood unsigned: a row, whether the server offered
 * signing, and what comes of them in each state, unproven and proven. */
static const struct {
	struct ntsign_party client;
	bool offered;
	const char *unproven, *proven;
} unsigned_rows[] = {
	{ { true, REQ }, true, "~~~", "===" },
	{ { true, REQ }, false, "~~~", "===" },
	{ { true, ENA }, true, "~~=", "===" },
	{ { true, ENA }, false, "~~=", "===" },
	{ { true, DIS }, true, "~==", "===" },
	{ { true, DIS }, false, "~==", "===" },
	{ { false, REQ }, true, "~~l", "==l" },
	{ { false, REQ }, false, "~~l", "===" },
	{ { false, ENA }, true, "~~=", "===" },
	{ { false, ENA }, false, "~~=", "===" },
	{ { false, DIS }, true, "l==", "l==" },
	{ { false, DIS }, false, "l==", "===" },
};

static void earlier_is(const struct ntsign_forecast_facts *facts,
		       const char *letters)
{
	char text[4] = "";
	size_t s = 0;

	for (s = 0; s < ARRAY_LEN(states); s++) {
		text[s] = letter_of(ntsign_forecast_earlier(facts, states[s]));
	}
	assert_string_equal(text, letters);
}

static void test_earlier(void **state)
{
	struct ntsign_forecast_facts all = { .seen = true, .family = SMB2 };
	uint16_t seen = 0;
	size_t i = 0;

	for (i = 0; i < ARRAY_LEN(unsigned_rows); i++) {
		struct ntsign_party server = {
			.patched = true,
			.signing = unsigned_rows[i].offered ? ENA : DIS,
		};
		struct ntsign_forecast_facts facts = {
			.seen = true,
			.family = SMB2,
			.verified[SMB2] = true,
			.unsigned_smb1 = ntsign_forecast_unsigned(
				unsigned_rows[i].client, server),
		};

		/* each has a bit of its own */
		assert_true(facts.unsigned_smb1 != 0);
		assert_int_equal(seen & facts.unsigned_smb1, 0);
		seen |= facts.unsigned_smb1;
		server.patched = false;
		assert_int_equal(facts.unsigned_smb1, ntsign_forecast_unsigned(
					 unsigned_rows[i].client, server));
		if (unsigned_rows[i].offered) {
			server.signing = REQ;
			assert_int_equal(facts.unsigned_smb1,
					 ntsign_forecast_unsigned(
						 unsigned_rows[i].client,
						 server));
		}

		earlier_is(&facts, unsigned_rows[i].unproven);
		facts.verified[SMB1] = true;
		earlier_is(&facts, unsigned_rows[i].proven);
		facts.verified[SMB1] = false;
		facts.was_signed[SMB1] = true;
		earlier_is(&facts, unsigned_rows[i].proven);
	}
	/* the worst of all counts */
	all.unsigned_smb1 = seen;
	earlier_is(&all, "l~l");
	all.unsigned_smb1 = 0;
	earlier_is(&all, "===");
	/* signing that was switched off: it stood unsigned then */
	all.downgraded = true;
	all.was_signed[SMB1] = true;
	earlier_is(&all, "l~=");
	all.verified[SMB1] = true;
	earlier_is(&all, "===");
	/* what has been refused in the meantime is no news */
	all.family = SMB1;
	all.verified[SMB1] = false;
	all.unsigned_smb1 = seen;
	all.outcome = NTSIGN_OUTCOME_NO_COMMUNICATION;
	all.server.signing = ENA;
	earlier_is(&all, "l~l");
	all.server.signing = REQ;
	earlier_is(&all, "===");
	all.outcome = NTSIGN_OUTCOME_NOT_SIGNED;
	earlier_is(&all, "l~l");
	all.outcome = NTSIGN_OUTCOME_NO_COMMUNICATION;
	all.family = SMB2;
	earlier_is(&all, "l~l");
	/* rows that are none */
	assert_int_equal(ntsign_forecast_unsigned(
		(struct ntsign_party){ false, (enum ntsign_signing)3 },
		(struct ntsign_party){ true, ENA }), 0);
}

/* Which rule lets a client go on as it does: a letter for the outcome signed,
 * not signed and none; e enabled, d disabled, ! none does, - none needed. */
static void exception_is(struct ntsign_forecast_facts facts,
			 const char *letters)
{
	static const char names[] = { [REQ] = 'r', [ENA] = 'e', [DIS] = 'd' };
	char text[4] = "";
	size_t o = 0;

	for (o = 0; o < ARRAY_LEN(outcomes); o++) {
		enum ntsign_signing state = REQ;

		facts.outcome = outcomes[o];
		switch (ntsign_forecast_exception(&facts, &state)) {
		case NTSIGN_EXCEPTION_NONE:
			assert_int_equal(state, REQ);
			text[o] = '-';
			break;
		case NTSIGN_EXCEPTION_RULE:
			text[o] = names[state];
			break;
		case NTSIGN_EXCEPTION_HELPLESS:
			assert_int_equal(state, REQ);
			text[o] = '!';
			break;
		}
	}
	assert_string_equal(text, letters);
}

static void test_exception(void **state)
{
	static const struct {
		enum ntsign_family family;
		struct ntsign_party client;
		const char *unproven, *proven, *keyless, *failing;
	} cases[] = {
		{ SMB1, { true, REQ }, "-!-", "---", "ee-", "!!!" },
		{ SMB1, { true, ENA }, "-d-", "---", "ee-", "ddd" },
		{ SMB1, { true, DIS }, "-e-", "---", "ee-", "ddd" },
		{ SMB1, { false, REQ }, "-!-", "---", "ee-", "!!d" },
		{ SMB1, { false, ENA }, "-d-", "---", "ee-", "ddd" },
		{ SMB1, { false, DIS }, "ee-", "ee-", "ee-", "ddd" },
		{ SMB2, { true, REQ }, "---", "---", "ee-", "ddd" },
		{ SMB2, { true, ENA }, "---", "---", "ee-", "ddd" },
	};
	size_t i = 0;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct ntsign_forecast_facts facts = {
			.seen = true,
			.family = cases[i].family,
			.client = cases[i].client,
			.server = { true, ENA },
		};

		exception_is(facts, cases[i].unproven);
		facts.keyless = true;
		exception_is(facts, cases[i].keyless);
		facts.keyless = false;
		facts.downgraded = true;
		exception_is(facts, cases[i].failing);
		facts.verified[SMB1] = true;
		facts.verified[SMB2] = true;
		exception_is(facts, cases[i].proven);
	}
}

/* An address that was last seen signing, and had unsigned SMB1 sessions. */
static void test_exception_earlier(void **state)
{
	static const struct ntsign_party server = { true, ENA };
	struct ntsign_forecast_facts facts = {
		.seen = true,
		.family = SMB2,
		.client = { true, REQ },
		.verified[SMB2] = true,
	};

	exception_is(facts, "---");
	facts.unsigned_smb1 = ntsign_forecast_unsigned(
		(struct ntsign_party){ true, DIS }, server);
	exception_is(facts, "eee");
	/* with one that would be signed, if it can */
	facts.unsigned_smb1 |= ntsign_forecast_unsigned(
		(struct ntsign_party){ true, ENA }, server);
	exception_is(facts, "ddd");
	facts.verified[SMB1] = true;
	exception_is(facts, "---");
	/* who was not offered signing is better not offered it now */
	facts.verified[SMB1] = false;
	facts.unsigned_smb1 = ntsign_forecast_unsigned(
		(struct ntsign_party){ true, DIS },
		(struct ntsign_party){ true, DIS });
	exception_is(facts, "ddd");
	facts.unsigned_smb1 = ntsign_forecast_unsigned(
		(struct ntsign_party){ false, DIS },
		(struct ntsign_party){ true, DIS });
	exception_is(facts, "ddd");
	facts.verified[SMB1] = true;
	exception_is(facts, "---");
	/* but for one that has shown that it can sign, and does not */
	facts.family = SMB1;
	facts.client = (struct ntsign_party){ false, DIS };
	facts.server = server;
	exception_is(facts, "ee-");
}

static void test_names(void **state)
{
	static const char *const changes[] = {
		"loses_access", "unknown", "becomes_signed",
		"becomes_unsigned", "gains_access", "unaffected",
	};
	static const char *const proofs[] = {
		"none", "claim", "protocol", "signed", "verified",
	};
	static const char *const doubts[] = { "none", "not_offered", "forced" };
	unsigned int i = 0;

	assert_int_equal(ARRAY_LEN(changes), NTSIGN_CHANGE_COUNT);
	for (i = 0; i < NTSIGN_CHANGE_COUNT; i++) {
		assert_string_equal(ntsign_change_name(i), changes[i]);
	}
	assert_string_equal(ntsign_change_name(i), "invalid");
	assert_int_equal(ARRAY_LEN(proofs), NTSIGN_PROOF_COUNT);
	for (i = 0; i < NTSIGN_PROOF_COUNT; i++) {
		assert_string_equal(ntsign_proof_name(i), proofs[i]);
	}
	assert_string_equal(ntsign_proof_name(i), "invalid");
	assert_int_equal(ARRAY_LEN(doubts), NTSIGN_DOUBT_COUNT);
	for (i = 0; i < NTSIGN_DOUBT_COUNT; i++) {
		assert_string_equal(ntsign_doubt_name(i), doubts[i]);
	}
	assert_string_equal(ntsign_doubt_name(i), "invalid");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_keyless),
		cmocka_unit_test(test_failing),
		cmocka_unit_test(test_encrypted),
		cmocka_unit_test(test_unseen),
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_doubt),
		cmocka_unit_test(test_earlier),
		cmocka_unit_test(test_exception),
		cmocka_unit_test(test_exception_earlier),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
