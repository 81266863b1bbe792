/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The signing matrix of KB916846 and what follows from it.
 *
 * Invariant: nothing here allocates, does I/O, reads a clock or a global.
 */
#include "ntsign/policy.h"

#include <assert.h>
#include <string.h>

#define REQ NTSIGN_SIGNING_REQUIRED
#define ENA NTSIGN_SIGNING_ENABLED
#define DIS NTSIGN_SIGNING_DISABLED

#define SIGNED NTSIGN_OUTCOME_SIGNED
#define NOT_SIGNED NTSIGN_OUTCOME_NOT_SIGNED
#define NO_COMM NTSIGN_OUTCOME_NO_COMMUNICATION

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static const char *const signing_names[] = {
	[REQ] = "required",
	[ENA] = "enabled",
	[DIS] = "disabled",
};
static_assert(ARRAY_LEN(signing_names) == NTSIGN_SIGNING_COUNT,
	      "every signing policy has a name");

static const char *const outcome_names[] = {
	[SIGNED] = "signed",
	[NOT_SIGNED] = "not_signed",
	[NO_COMM] = "no_communication",
};
static_assert(ARRAY_LEN(outcome_names) == NTSIGN_OUTCOME_COUNT,
	      "every outcome has a name");

static const char *const mismatch_names[] = {
	[NTSIGN_MISMATCH_NONE] = "none",
	[NTSIGN_MISMATCH_SETTINGS] = "settings",
	[NTSIGN_MISMATCH_OUTCOME] = "outcome",
};
static_assert(ARRAY_LEN(mismatch_names) == NTSIGN_MISMATCH_COUNT,
	      "every kind of mismatch has a name");

/* matrix[client patched][client signing][server patched][server signing] */
static const enum ntsign_outcome matrix[2][NTSIGN_SIGNING_COUNT]
				       [2][NTSIGN_SIGNING_COUNT] = {
	[true][REQ] = {
		[true] = { [REQ] = SIGNED, [ENA] = SIGNED, [DIS] = SIGNED },
		[false] = { [REQ] = SIGNED, [ENA] = SIGNED, [DIS] = NO_COMM },
	},
	[true][ENA] = {
		[true] = { [REQ] = SIGNED, [ENA] = SIGNED,
			   [DIS] = NOT_SIGNED },
		[false] = { [REQ] = SIGNED, [ENA] = SIGNED,
			    [DIS] = NOT_SIGNED },
	},
	[true][DIS] = {
		[true] = { [REQ] = SIGNED, [ENA] = NOT_SIGNED,
			   [DIS] = NOT_SIGNED },
		[false] = { [REQ] = SIGNED, [ENA] = NOT_SIGNED,
			    [DIS] = NOT_SIGNED },
	},
	[false][REQ] = {
		[true] = { [REQ] = SIGNED, [ENA] = SIGNED, [DIS] = NO_COMM },
		[false] = { [REQ] = SIGNED, [ENA] = SIGNED, [DIS] = NO_COMM },
	},
	[false][ENA] = {
		[true] = { [REQ] = SIGNED, [ENA] = SIGNED,
			   [DIS] = NOT_SIGNED },
		[false] = { [REQ] = SIGNED, [ENA] = SIGNED,
			    [DIS] = NOT_SIGNED },
	},
	[false][DIS] = {
		[true] = { [REQ] = NO_COMM, [ENA] = NOT_SIGNED,
			   [DIS] = NOT_SIGNED },
		[false] = { [REQ] = NO_COMM, [ENA] = NOT_SIGNED,
			    [DIS] = NOT_SIGNED },
	},
};

static const char *name_of(const char *const *names, size_t count,
			   unsigned int value)
{
	if (value >= count) {
		return "invalid";
	}
	return names[value];
}

static bool name_find(const char *const *names, size_t count,
		      const char *name, unsigned int *value)
{
	unsigned int i = 0;

	for (i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0) {
			*value = i;
			return true;
		}
	}
	return false;
}

const char *ntsign_signing_name(enum ntsign_signing signing)
{
	return name_of(signing_names, NTSIGN_SIGNING_COUNT, signing);
}

const char *ntsign_outcome_name(enum ntsign_outcome outcome)
{
	return name_of(outcome_names, NTSIGN_OUTCOME_COUNT, outcome);
}

const char *ntsign_mismatch_name(enum ntsign_mismatch mismatch)
{
	return name_of(mismatch_names, NTSIGN_MISMATCH_COUNT, mismatch);
}

bool ntsign_signing_from_name(const char *name, enum ntsign_signing *signing)
{
	unsigned int value = 0;

	if (!name_find(signing_names, NTSIGN_SIGNING_COUNT, name, &value)) {
		return false;
	}
	*signing = value;
	return true;
}

bool ntsign_outcome_from_name(const char *name, enum ntsign_outcome *outcome)
{
	unsigned int value = 0;

	if (!name_find(outcome_names, NTSIGN_OUTCOME_COUNT, name, &value)) {
		return false;
	}
	*outcome = value;
	return true;
}

bool ntsign_mismatch_from_name(const char *name,
			       enum ntsign_mismatch *mismatch)
{
	unsigned int value = 0;

	if (!name_find(mismatch_names, NTSIGN_MISMATCH_COUNT, name, &value)) {
		return false;
	}
	*mismatch = value;
	return true;
}

enum ntsign_outcome ntsign_policy_expected(enum ntsign_family family,
					   struct ntsign_party client,
					   struct ntsign_party server)
{
	unsigned int client_signing = client.signing;
	unsigned int server_signing = server.signing;

	if (client_signing >= NTSIGN_SIGNING_COUNT ||
	    server_signing >= NTSIGN_SIGNING_COUNT)
	{
		return NTSIGN_OUTCOME_NO_COMMUNICATION;
	}

	switch (family) {
	case NTSIGN_FAMILY_SMB1:
		return matrix[client.patched][client_signing]
			     [server.patched][server_signing];
	case NTSIGN_FAMILY_SMB2:
		if (client_signing == NTSIGN_SIGNING_REQUIRED ||
		    server_signing == NTSIGN_SIGNING_REQUIRED)
		{
			return NTSIGN_OUTCOME_SIGNED;
		}
		return NTSIGN_OUTCOME_NOT_SIGNED;
	}

	return NTSIGN_OUTCOME_NO_COMMUNICATION;
}

/*
 * One side requires what the other has disabled. SMB2 knows no "disabled":
 * there it is "not required", and nothing contradicts that.
 */
static bool settings_mismatch(const struct ntsign_session_facts *facts)
{
	enum ntsign_signing client = facts->client.signing;
	enum ntsign_signing server = facts->server.signing;

	if (facts->family != NTSIGN_FAMILY_SMB1) {
		return false;
	}
	if (client == NTSIGN_SIGNING_REQUIRED) {
		return server == NTSIGN_SIGNING_DISABLED;
	}
	if (server == NTSIGN_SIGNING_REQUIRED) {
		return client == NTSIGN_SIGNING_DISABLED;
	}
	return false;
}

/* The server's administrator requires a key that the session has not. */
static bool key_too_weak(const struct ntsign_session_facts *facts)
{
	return facts->key_bits != 0 &&
	       facts->key_bits < facts->minimum_key_bits;
}

static bool outcome_mismatch(const struct ntsign_session_facts *facts,
			     enum ntsign_outcome expected,
			     enum ntsign_outcome outcome)
{
	if (!facts->established && !facts->refused) {
		return false;
	}
	if (facts->family == NTSIGN_FAMILY_SMB2 &&
	    expected == NTSIGN_OUTCOME_NOT_SIGNED &&
	    outcome == NTSIGN_OUTCOME_SIGNED)
	{
		return false;
	}
	return outcome != expected;
}

struct ntsign_session_verdict ntsign_policy_judge(
	const struct ntsign_session_facts *facts)
{
	struct ntsign_session_verdict verdict = {
		.expected = ntsign_policy_expected(facts->family,
						   facts->client,
						   facts->server),
		.outcome = NTSIGN_OUTCOME_NO_COMMUNICATION,
		.mismatch = NTSIGN_MISMATCH_NONE,
	};

	if (facts->established) {
		verdict.outcome = facts->signing ? NTSIGN_OUTCOME_SIGNED :
						   NTSIGN_OUTCOME_NOT_SIGNED;
	}

	if (facts->refused && key_too_weak(facts)) {
		/* the key is what came in between, not the signing */
		verdict.mismatch = NTSIGN_MISMATCH_SETTINGS;
	} else if (outcome_mismatch(facts, verdict.expected,
				    verdict.outcome)) {
		verdict.mismatch = NTSIGN_MISMATCH_OUTCOME;
	} else if (settings_mismatch(facts) || key_too_weak(facts)) {
		verdict.mismatch = NTSIGN_MISMATCH_SETTINGS;
	}

	return verdict;
}

enum ntsign_signing ntsign_policy_smb1_client(uint16_t flags2)
{
	if (flags2 & NTSIGN_FLAGS2_SIGNATURES_REQUIRED) {
		return NTSIGN_SIGNING_REQUIRED;
	}
	if (flags2 & NTSIGN_FLAGS2_SIGNATURES) {
		return NTSIGN_SIGNING_ENABLED;
	}
	return NTSIGN_SIGNING_DISABLED;
}

enum ntsign_signing ntsign_policy_smb2_client(uint16_t negotiate_mode,
					      uint16_t session_mode)
{
	if ((negotiate_mode | session_mode) & NTSIGN_SMB2_SIGNING_REQUIRED) {
		return NTSIGN_SIGNING_REQUIRED;
	}
	return NTSIGN_SIGNING_ENABLED;
}

enum ntsign_action ntsign_policy_smb1_decide(struct ntsign_party server,
					     uint16_t flags2, bool bsrspyl)
{
	enum ntsign_signing client = ntsign_policy_smb1_client(flags2);
	unsigned int signing = server.signing;

	switch (signing) {
	case NTSIGN_SIGNING_REQUIRED:
		return client != NTSIGN_SIGNING_DISABLED || bsrspyl ?
			NTSIGN_ACTION_SIGN : NTSIGN_ACTION_REFUSE;
	case NTSIGN_SIGNING_ENABLED:
		return client != NTSIGN_SIGNING_DISABLED ?
			NTSIGN_ACTION_SIGN : NTSIGN_ACTION_NOT_SIGN;
	case NTSIGN_SIGNING_DISABLED:
		if (client != NTSIGN_SIGNING_REQUIRED) {
			return NTSIGN_ACTION_NOT_SIGN;
		}
		/* only an updated server signs what it did not offer */
		return server.patched ? NTSIGN_ACTION_SIGN :
					NTSIGN_ACTION_REFUSE;
	default:
		return NTSIGN_ACTION_REFUSE;
	}
}

/* Takes leading decimal digits; false when there is none or too many. */
static bool take_number(const char **text, unsigned int *number)
{
	const char *p = *text;
	unsigned int value = 0;
	size_t digits = strspn(p, "0123456789");

	if (digits == 0 || digits > 5) {
		return false;
	}
	for (; digits > 0; digits--) {
		value = value * 10 + (unsigned int)(*p - '0');
		p++;
	}
	*text = p;
	*number = value;
	return true;
}

/*
 * "4.0", "3.51" or a build number up to 1381, that of Windows NT 4.0; then
 * the end or a space. A number without a point is a version up to 99 and a
 * build from 100 on.
 */
static bool nt_version_old(const char *text)
{
	unsigned int major = 0;
	unsigned int minor = 0;
	bool old = false;

	if (!take_number(&text, &major)) {
		return false;
	}
	if (*text == '.') {
		text++;
		if (!take_number(&text, &minor)) {
			return false;
		}
		old = major <= 4;
	} else {
		old = major <= 4 || (major >= 100 && major <= 1381);
	}
	return old && (*text == '\0' || *text == ' ');
}

bool ntsign_policy_os_unpatched(const char *native_os)
{
	static const char nt[] = "Windows NT";
	static const char w2k[] = "Windows 2000";
	const char *rest = NULL;

	if (native_os == NULL) {
		return false;
	}
	if (strncmp(native_os, w2k, sizeof(w2k) - 1) == 0) {
		rest = native_os + sizeof(w2k) - 1;
		return *rest == '\0' || *rest == ' ';
	}
	if (strncmp(native_os, nt, sizeof(nt) - 1) == 0) {
		rest = native_os + sizeof(nt) - 1;
		if (*rest == '\0') {
			return true;
		}
		return *rest == ' ' && nt_version_old(rest + 1);
	}
	return false;
}
