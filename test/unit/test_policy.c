/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests the matrix, the verdicts and the rows that clients are put in.
 *
 * Invariant: the 36 cells stand here as the article prints them, row by row,
 * and not in the form in which policy.c holds them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ntsign/policy.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define REQ NTSIGN_SIGNING_REQUIRED
#define ENA NTSIGN_SIGNING_ENABLED
#define DIS NTSIGN_SIGNING_DISABLED

/* KB916846, "Interoperability matrix (text version)". */
static const char columns[] =
	"Patched Required|Patched Enabled|Patched Disabled|"
	"Unpatched Required|Unpatched Enabled|Unpatched Disabled";
static const char *const article[][2] = {
	{ "Patched Required",
	  "Signed|Signed|Signed|Signed|Signed|No communication" },
	{ "Patched Enabled",
	  "Signed|Signed|Not signed|Signed|Signed|Not signed" },
	{ "Patched Disabled",
	  "Signed|Not signed|Not signed|Signed|Not signed|Not signed" },
	{ "Unpatched Required",
	  "Signed|Signed|No communication|Signed|Signed|No communication" },
	{ "Unpatched Enabled",
	  "Signed|Signed|Not signed|Signed|Signed|Not signed" },
	{ "Unpatched Disabled",
	  "No communication|Not signed|Not signed|"
	  "No communication|Not signed|Not signed" },
};

/* The n-th part of a text separated by "|". */
static void part_copy(const char *text, size_t n, char *part, size_t size)
{
	size_t len = 0;

	for (; n > 0; n--) {
		text = strchr(text, '|');
		assert_non_null(text);
		text++;
	}
	len = strcspn(text, "|");
	assert_true(len < size);
	memcpy(part, text, len);
	part[len] = '\0';
}

static struct ntsign_party party_of(const char *words)
{
	struct ntsign_party party = {
		.patched = strncmp(words, "Patched ", 8) == 0,
	};
	const char *state = strchr(words, ' ') + 1;

	if (strcmp(state, "Required") == 0) {
		party.signing = REQ;
	} else if (strcmp(state, "Enabled") == 0) {
		party.signing = ENA;
	} else {
		assert_string_equal(state, "Disabled");
		party.signing = DIS;
	}
	return party;
}

static enum ntsign_outcome outcome_of(const char *words)
{
	if (strcmp(words, "Signed") == 0) {
		return NTSIGN_OUTCOME_SIGNED;
	}
	if (strcmp(words, "Not signed") == 0) {
		return NTSIGN_OUTCOME_NOT_SIGNED;
	}
	assert_string_equal(words, "No communication");
	return NTSIGN_OUTCOME_NO_COMMUNICATION;
}

static void test_matrix(void **state)
{
	size_t cells = 0;
	size_t row = 0;
	size_t column = 0;

	(void)state;
	for (row = 0; row < ARRAY_LEN(article); row++) {
		struct ntsign_party client = party_of(article[row][0]);

		for (column = 0; column < 6; column++) {
			char server_words[32] = "";
			char cell[32] = "";
			enum ntsign_outcome got = 0;

			part_copy(columns, column, server_words,
				  sizeof(server_words));
			part_copy(article[row][1], column, cell,
				  sizeof(cell));
			got = ntsign_policy_expected(NTSIGN_FAMILY_SMB1,
						     client,
						     party_of(server_words));
			if (got != outcome_of(cell)) {
				fail_msg("client %s, server %s: %s, not %s",
					 article[row][0], server_words,
					 ntsign_outcome_name(got), cell);
			}
			cells++;
		}
	}
	assert_int_equal(cells, 36);
}

static void test_matrix_smb2(void **state)
{
	unsigned int i = 0;

	(void)state;
	/* every combination of patched and signing on both sides */
	for (i = 0; i < 36; i++) {
		struct ntsign_party client = { i & 1, i / 4 % 3 };
		struct ntsign_party server = { i & 2, i / 12 };
		enum ntsign_outcome wanted = NTSIGN_OUTCOME_NOT_SIGNED;

		if (client.signing == REQ || server.signing == REQ) {
			wanted = NTSIGN_OUTCOME_SIGNED;
		}
		assert_int_equal(ntsign_policy_expected(NTSIGN_FAMILY_SMB2,
							client, server),
				 wanted);
	}
}

static void test_matrix_outside(void **state)
{
	struct ntsign_party good = { true, REQ };
	struct ntsign_party bad = { true, NTSIGN_SIGNING_COUNT };
	struct ntsign_party worse = { true, (enum ntsign_signing)-1 };
	unsigned int family = 0;

	(void)state;
	for (family = 0; family < 2; family++) {
		assert_int_equal(ntsign_policy_expected(family, good, bad),
				 NTSIGN_OUTCOME_NO_COMMUNICATION);
		assert_int_equal(ntsign_policy_expected(family, bad, good),
				 NTSIGN_OUTCOME_NO_COMMUNICATION);
		assert_int_equal(ntsign_policy_expected(family, worse, worse),
				 NTSIGN_OUTCOME_NO_COMMUNICATION);
	}
	assert_int_equal(ntsign_policy_expected(2, good, good),
			 NTSIGN_OUTCOME_NO_COMMUNICATION);
}

#define SIGNED NTSIGN_OUTCOME_SIGNED
#define UNSIGNED NTSIGN_OUTCOME_NOT_SIGNED
#define NOCOMM NTSIGN_OUTCOME_NO_COMMUNICATION
#define NONE NTSIGN_MISMATCH_NONE
#define SETTINGS NTSIGN_MISMATCH_SETTINGS
#define OUTCOME NTSIGN_MISMATCH_OUTCOME
#define SMB1 NTSIGN_FAMILY_SMB1
#define SMB2 NTSIGN_FAMILY_SMB2

static const struct {
	const char *what;
	struct ntsign_session_facts facts;
	struct ntsign_session_verdict verdict;
} verdicts[] = {
	{ "signed as expected",
	  { SMB1, { true, ENA }, { true, REQ }, .established = true,
	    .signing = true },
	  { SIGNED, SIGNED, NONE } },
	{ "unsigned as expected",
	  { SMB1, { true, DIS }, { true, ENA }, .established = true },
	  { UNSIGNED, UNSIGNED, NONE } },
	{ "stock smbd's NT4-style defect: let in and served unsigned",
	  { SMB1, { true, ENA }, { true, REQ }, .established = true },
	  { SIGNED, UNSIGNED, OUTCOME } },
	{ "the same where the settings contradict as well",
	  { SMB1, { true, DIS }, { true, REQ }, .established = true },
	  { SIGNED, UNSIGNED, OUTCOME } },
	{ "a session that must not be",
	  { SMB1, { false, DIS }, { true, REQ }, .established = true },
	  { NOCOMM, UNSIGNED, OUTCOME } },
	{ "refused as the matrix says: settings",
	  { SMB1, { false, DIS }, { true, REQ }, .refused = true },
	  { NOCOMM, NOCOMM, SETTINGS } },
	{ "refused though the matrix says signed",
	  { SMB1, { true, REQ }, { true, ENA }, .refused = true },
	  { SIGNED, NOCOMM, OUTCOME } },
	{ "refused for a key that is too weak",
	  { SMB1, { true, REQ }, { true, ENA }, .refused = true,
	    .key_bits = 40, .minimum_key_bits = 56 },
	  { SIGNED, NOCOMM, SETTINGS } },
	{ "refused for another reason, with a key that will do",
	  { SMB1, { true, REQ }, { true, ENA }, .refused = true,
	    .key_bits = 56, .minimum_key_bits = 56 },
	  { SIGNED, NOCOMM, OUTCOME } },
	{ "refused though the matrix says not signed",
	  { SMB1, { true, DIS }, { true, DIS }, .refused = true },
	  { UNSIGNED, NOCOMM, OUTCOME } },
	{ "signed by the update: settings contradict, the cell holds",
	  { SMB1, { true, REQ }, { true, DIS }, .established = true,
	    .signing = true },
	  { SIGNED, SIGNED, SETTINGS } },
	{ "and the other way round",
	  { SMB1, { true, DIS }, { true, REQ }, .established = true,
	    .signing = true },
	  { SIGNED, SIGNED, SETTINGS } },
	{ "wrong password",
	  { SMB1, { true, ENA }, { true, REQ }, .established = false },
	  { SIGNED, NOCOMM, NONE } },
	{ "wrong password, settings contradict",
	  { SMB1, { true, REQ }, { false, DIS }, .established = false },
	  { NOCOMM, NOCOMM, SETTINGS } },
	{ "wrong password, nobody says established but signing is set",
	  { SMB1, { true, ENA }, { true, REQ }, .signing = true },
	  { SIGNED, NOCOMM, NONE } },
	{ "SMB1 signed where it must not be",
	  { SMB1, { true, DIS }, { true, DIS }, .established = true,
	    .signing = true },
	  { UNSIGNED, SIGNED, OUTCOME } },
	{ "SMB2 signed",
	  { SMB2, { true, ENA }, { true, REQ }, .established = true,
	    .signing = true },
	  { SIGNED, SIGNED, NONE } },
	{ "SMB2 unsigned",
	  { SMB2, { true, ENA }, { true, ENA }, .established = true },
	  { UNSIGNED, UNSIGNED, NONE } },
	{ "SMB2 encrypted though nobody requires signing",
	  { SMB2, { true, ENA }, { true, ENA }, .established = true,
	    .signing = true },
	  { UNSIGNED, SIGNED, NONE } },
	{ "SMB2 unsigned though required",
	  { SMB2, { true, REQ }, { true, ENA }, .established = true },
	  { SIGNED, UNSIGNED, OUTCOME } },
	{ "SMB2 refused though it may be unsigned",
	  { SMB2, { true, ENA }, { true, ENA }, .refused = true },
	  { UNSIGNED, NOCOMM, OUTCOME } },
	{ "SMB2 has no disabled to contradict required",
	  { SMB2, { true, REQ }, { true, DIS }, .established = true,
	    .signing = true },
	  { SIGNED, SIGNED, NONE } },
	{ "SMB2 the other way round, wrong password",
	  { SMB2, { true, DIS }, { true, REQ }, .established = false },
	  { SIGNED, NOCOMM, NONE } },
	{ "a key that is too weak",
	  { SMB2, { true, ENA }, { true, REQ }, .established = true,
	    .signing = true, .key_bits = 56, .minimum_key_bits = 128 },
	  { SIGNED, SIGNED, SETTINGS } },
	{ "a key that is just strong enough",
	  { SMB1, { true, ENA }, { true, REQ }, .established = true,
	    .signing = true, .key_bits = 56, .minimum_key_bits = 56 },
	  { SIGNED, SIGNED, NONE } },
	{ "no key known, whatever is asked for",
	  { SMB1, { true, ENA }, { true, REQ }, .established = true,
	    .signing = true, .minimum_key_bits = 128 },
	  { SIGNED, SIGNED, NONE } },
	{ "a weak key comes second to the outcome",
	  { SMB1, { true, ENA }, { true, REQ }, .established = true,
	    .key_bits = 40, .minimum_key_bits = 56 },
	  { SIGNED, UNSIGNED, OUTCOME } },
};

static void test_judge(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(verdicts); i++) {
		struct ntsign_session_verdict got =
			ntsign_policy_judge(&verdicts[i].facts);
		struct ntsign_session_verdict wanted = verdicts[i].verdict;

		if (got.expected != wanted.expected ||
		    got.outcome != wanted.outcome ||
		    got.mismatch != wanted.mismatch)
		{
			fail_msg("%s: expected %s, outcome %s, mismatch %s",
				 verdicts[i].what,
				 ntsign_outcome_name(got.expected),
				 ntsign_outcome_name(got.outcome),
				 ntsign_mismatch_name(got.mismatch));
		}
	}
}

/* In every cell: what the matrix says is no mismatch of outcome, and what it
 * does not say is one. */
static void test_judge_cells(void **state)
{
	unsigned int i = 0;

	(void)state;
	for (i = 0; i < 36 * 3; i++) {
		unsigned int happened = i / 36;
		struct ntsign_session_facts facts = {
			.family = SMB1,
			.client = { i & 1, i / 4 % 3 },
			.server = { i & 2, i / 12 % 3 },
			.established = happened != NOCOMM,
			.refused = happened == NOCOMM,
			.signing = happened == SIGNED,
		};
		struct ntsign_session_verdict got =
			ntsign_policy_judge(&facts);

		assert_int_equal(got.outcome, happened);
		assert_int_equal(got.mismatch == OUTCOME,
				 got.expected != happened);
	}
}

static void test_names(void **state)
{
	static const char *const signing[] = { "required", "enabled",
					       "disabled" };
	static const char *const outcome[] = { "signed", "not_signed",
					       "no_communication" };
	static const char *const mismatch[] = { "none", "settings",
						"outcome" };
	static const char *const none[] = { "", "Required", "signe",
					    "signed ", "invalid" };
	enum ntsign_signing s = DIS;
	enum ntsign_outcome o = UNSIGNED;
	enum ntsign_mismatch m = SETTINGS;
	unsigned int i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(none); i++) {
		assert_false(ntsign_signing_from_name(none[i], &s));
		assert_false(ntsign_outcome_from_name(none[i], &o));
		assert_false(ntsign_mismatch_from_name(none[i], &m));
		assert_int_equal(s, DIS);
		assert_int_equal(o, UNSIGNED);
		assert_int_equal(m, SETTINGS);
	}
	for (i = 0; i < 3; i++) {
		assert_string_equal(ntsign_signing_name(i), signing[i]);
		assert_string_equal(ntsign_outcome_name(i), outcome[i]);
		assert_string_equal(ntsign_mismatch_name(i), mismatch[i]);
		assert_true(ntsign_signing_from_name(signing[i], &s));
		assert_true(ntsign_outcome_from_name(outcome[i], &o));
		assert_true(ntsign_mismatch_from_name(mismatch[i], &m));
		assert_int_equal(s, i);
		assert_int_equal(o, i);
		assert_int_equal(m, i);
	}
	assert_string_equal(ntsign_signing_name(3), "invalid");
	assert_string_equal(ntsign_outcome_name(3), "invalid");
	assert_string_equal(ntsign_mismatch_name(-1), "invalid");
}

static void test_rows(void **state)
{
	(void)state;
	assert_int_equal(ntsign_policy_smb1_client(0), DIS);
	assert_int_equal(ntsign_policy_smb1_client(0xFFFF & ~0x0014), DIS);
	assert_int_equal(ntsign_policy_smb1_client(0x0004), ENA);
	assert_int_equal(ntsign_policy_smb1_client(0x0010), REQ);
	assert_int_equal(ntsign_policy_smb1_client(0xC817), REQ);
	assert_int_equal(ntsign_policy_smb1_client(0xC807), ENA);

	assert_int_equal(ntsign_policy_smb2_client(0, 0), ENA);
	assert_int_equal(ntsign_policy_smb2_client(1, 1), ENA);
	assert_int_equal(ntsign_policy_smb2_client(3, 1), REQ);
	assert_int_equal(ntsign_policy_smb2_client(1, 2), REQ);
	assert_int_equal(ntsign_policy_smb2_client(0xFFFD, 0xFFFD), ENA);
}

/* What a server shows in its NEGOTIATE response, [MS-CIFS] 2.2.4.52.2. */
struct offer {
	bool enabled;	/* SecurityMode 0x04 */
	bool required;	/* SecurityMode 0x08 */
};

static struct offer offer_of(enum ntsign_signing server)
{
	struct offer offer = {
		.enabled = server != DIS,
		.required = server == REQ,
	};

	return offer;
}

#define GIVES_UP -1

/*
 * The Flags2 bits of a client's session setup, or that it gives up after
 * NEGOTIATE. The update taught a client that requires to go on where the
 * server offers nothing, and one that has signing disabled to sign where it
 * has to.
 */
static int flags2_of(struct ntsign_party client, struct offer offer)
{
	switch (client.signing) {
	case REQ:
		if (!client.patched && !offer.enabled) {
			return GIVES_UP;
		}
		return 0x0014;
	case ENA:
		return offer.enabled ? 0x0004 : 0;
	default:
		return client.patched && offer.required ? 0x0004 : 0;
	}
}

/* What comes of a client and a server that decides by what it hears. */
static enum ntsign_outcome play(struct ntsign_party client,
				struct ntsign_party server, bool bsrspyl)
{
	int flags2 = flags2_of(client, offer_of(server.signing));

	if (flags2 == GIVES_UP) {
		return NTSIGN_OUTCOME_NO_COMMUNICATION;
	}
	if (bsrspyl) {
		/* Samba's client, which says it in the signature alone */
		assert_int_equal(flags2, 0x0004);
		flags2 = 0;
	}
	/* other bits of Flags2 do not matter */
	switch (ntsign_policy_smb1_decide(server,
					  (uint16_t)(flags2 | 0xC803),
					  bsrspyl)) {
	case NTSIGN_ACTION_SIGN:
		return NTSIGN_OUTCOME_SIGNED;
	case NTSIGN_ACTION_NOT_SIGN:
		return NTSIGN_OUTCOME_NOT_SIGNED;
	default:
		return NTSIGN_OUTCOME_NO_COMMUNICATION;
	}
}

/* The article's 36 cells come out of what both sides do on the wire. */
static void test_decide_cells(void **state)
{
	size_t row = 0;
	size_t column = 0;

	(void)state;
	for (row = 0; row < ARRAY_LEN(article); row++) {
		struct ntsign_party client = party_of(article[row][0]);

		for (column = 0; column < 6; column++) {
			char server_words[32] = "";
			char cell[32] = "";
			struct ntsign_party server = { false, REQ };
			enum ntsign_outcome got = 0;

			part_copy(columns, column, server_words,
				  sizeof(server_words));
			part_copy(article[row][1], column, cell,
				  sizeof(cell));
			server = party_of(server_words);
			got = play(client, server, false);
			if (got != outcome_of(cell) ||
			    got != ntsign_policy_expected(SMB1, client,
							  server))
			{
				fail_msg("client %s, server %s: %s, not %s",
					 article[row][0], server_words,
					 ntsign_outcome_name(got), cell);
			}
			/* where it signs only because it has to */
			if (client.patched && client.signing == DIS &&
			    server.signing == REQ)
			{
				assert_int_equal(play(client, server, true),
						 got);
			}
		}
	}
}

/*
 * What a server hears, all of it, also what no client of the article says:
 * s signs, n does not sign, - refuses. CONTRACT, section 3: by the column and
 * the words on the wire, never by whether the client has the update.
 */
static const struct {
	const char *server;
	/* Flags2 0, 0x0004, 0x0010, 0x0014 */
	const char *plain;
	const char *bsrspyl;
} decisions[] = {
	{ "Patched Required", "-sss", "ssss" },
	{ "Patched Enabled", "nsss", "nsss" },
	{ "Patched Disabled", "nnss", "nnss" },
	{ "Unpatched Required", "-sss", "ssss" },
	{ "Unpatched Enabled", "nsss", "nsss" },
	{ "Unpatched Disabled", "nn--", "nn--" },
};

static void test_decide(void **state)
{
	static const uint16_t flags2[] = { 0, 0x0004, 0x0010, 0x0014 };
	static const char letters[] = {
		[NTSIGN_ACTION_SIGN] = 's',
		[NTSIGN_ACTION_NOT_SIGN] = 'n',
		[NTSIGN_ACTION_REFUSE] = '-',
	};
	size_t i = 0;
	size_t n = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(decisions); i++) {
		struct ntsign_party server = party_of(decisions[i].server);

		for (n = 0; n < 8; n++) {
			bool bsrspyl = n >= 4;
			const char *wanted = bsrspyl ? decisions[i].bsrspyl :
						       decisions[i].plain;
			enum ntsign_action got = ntsign_policy_smb1_decide(
				server, flags2[n % 4], bsrspyl);

			if (letters[got] != wanted[n % 4]) {
				fail_msg("%s, Flags2 0x%04x, BSRSPYL %d: %c",
					 decisions[i].server, flags2[n % 4],
					 bsrspyl, letters[got]);
			}
		}
	}
}

static void test_decide_outside(void **state)
{
	unsigned int n = 0;

	(void)state;
	for (n = 0; n < 16; n++) {
		struct ntsign_party bad = { n & 1, NTSIGN_SIGNING_COUNT };
		struct ntsign_party worse = { n & 1,
					      (enum ntsign_signing)-1 };
		uint16_t flags2 = (uint16_t)((n & 2) << 1 | (n & 4) << 2);

		assert_int_equal(ntsign_policy_smb1_decide(bad, flags2,
							   n & 8),
				 NTSIGN_ACTION_REFUSE);
		assert_int_equal(ntsign_policy_smb1_decide(worse, flags2,
							   n & 8),
				 NTSIGN_ACTION_REFUSE);
	}
}

static const struct {
	const char *native_os;
	bool unpatched;
} systems[] = {
	{ NULL, false },
	{ "", false },
	{ "Unix", false },
	{ "Samba", false },
	{ "Windows", false },
	{ "Windows NT", true },
	{ "Windows NT ", false },
	{ "Windows NT 1381", true },
	{ "Windows NT 1381 Service Pack 6", true },
	{ "Windows NT 1382", false },
	{ "Windows NT 1381a", false },
	{ "Windows NT 1057", true },
	{ "Windows NT 100", true },
	{ "Windows NT 99", false },
	{ "Windows NT 4", true },
	{ "Windows NT 4.0", true },
	{ "Windows NT 4.0 Server", true },
	{ "Windows NT 4.0.1381", false },
	{ "Windows NT 4.", false },
	{ "Windows NT 4.x", false },
	{ "Windows NT 3.51", true },
	{ "Windows NT 5", false },
	{ "Windows NT 5.0", false },
	{ "Windows NT 10.0", false },
	{ "Windows NT 100.0", false },
	{ "Windows NT 99999", false },
	{ "Windows NT 4294968677", false },
	{ "Windows NT x", false },
	{ "Windows NT\t4.0", false },
	{ "Windows NTFS", false },
	{ "Windows NX 1381", false },
	{ "Windows 200X 2195", false },
	{ "windows nt 1381", false },
	{ "Windows 2000", true },
	{ "Windows 2000 2195", true },
	{ "Windows 2000 5.0", true },
	{ "Windows 20000", false },
	{ "Windows 2000\t", false },
	{ "WINDOWS 2000 2195", false },
	{ " Windows 2000 2195", false },
	{ "Windows 2002 2600", false },
	{ "Windows 2002 Service Pack 3 2600", false },
	{ "Windows Server 2003 3790 Service Pack 2", false },
	{ "Windows 5.1", false },
};

static void test_systems(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(systems); i++) {
		const char *name = systems[i].native_os;

		if (ntsign_policy_os_unpatched(name) != systems[i].unpatched) {
			fail_msg("\"%s\": not %d", name != NULL ? name : "",
				 systems[i].unpatched);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_matrix_smb2),
		cmocka_unit_test(test_matrix_outside),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_judge_cells),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_decide_cells),
		cmocka_unit_test(test_decide),
		cmocka_unit_test(test_decide_outside),
		cmocka_unit_test(test_systems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
