/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a mismatch comes from, and what an event of a quirk means, in one
 * sentence.
 *
 * Invariant: a sentence claims no more than the record's own fields show.
 */
#include <string.h>

#include "tally.h"

static bool is_smb1(const struct ntsign_tally_mismatch *m)
{
	return strcmp(m->dialect, "NT1") == 0;
}

static bool is_nt4(const struct ntsign_tally_mismatch *m)
{
	return is_smb1(m) && strcmp(m->setup, "nt4") == 0;
}

/* Where the logon failed, it was not the settings that kept the client out. */
static const char *explain_settings(const struct ntsign_tally_mismatch *m)
{
	bool failed = m->failed > 0;

	if (strcmp(m->article, "Q322051") != 0 &&
	    m->server.signing == NTSIGN_SIGNING_REQUIRED &&
	    m->client.signing == NTSIGN_SIGNING_DISABLED) {
		return failed ?
			"the server requires signing, which the client has "
			"disabled; that is not why the logon failed" :
			"the server requires signing, which the client has "
			"disabled";
	}
	if (strcmp(m->article, "Q322051") != 0 &&
	    m->client.signing == NTSIGN_SIGNING_REQUIRED &&
	    m->server.signing == NTSIGN_SIGNING_DISABLED) {
		return failed ?
			"the client requires signing, which the server has "
			"disabled; that is not why the logon failed" :
			"the client requires signing, which the server has "
			"disabled";
	}
	return failed ?
		"the session's key is weaker than ntsign:minimum key bits "
		"asks for; that is not why the logon failed" :
		"the session's key is weaker than ntsign:minimum key bits "
		"asks for";
}

/* The matrix has no session, and there is one. */
static const char *explain_let_in(const struct ntsign_tally_mismatch *m)
{
	if (m->server.signing != NTSIGN_SIGNING_REQUIRED) {
		return "the client requires signing, which the server has "
		       "disabled, and the session went on unsigned";
	}
	if (is_nt4(m)) {
		return "the server requires signing and the client does not "
		       "sign: smbd loses the session key of an NT4-style "
		       "session setup and serves such a client unsigned, "
		       "where the matrix has no session at all";
	}
	return "the server requires signing and the client does not sign: "
	       "smbd grants the session and cuts the client off at its next "
	       "request, where the matrix has no session at all";
}

static const char *explain_unsigned(const struct ntsign_tally_mismatch *m)
{
	if (m->keyless || strcmp(m->setup, "anonymous") == 0) {
		return "an anonymous or guest session has no key to sign with";
	}
	if (m->expected == NTSIGN_OUTCOME_NO_COMMUNICATION) {
		return explain_let_in(m);
	}
	if (is_nt4(m)) {
		return "smbd loses the session key of an NT4-style session "
		       "setup, so signing never starts";
	}
	return "the matrix has a session with these settings signed, and it "
	       "is not";
}

static const char *explain_ended(const struct ntsign_tally_mismatch *m)
{
	if (m->refused != 0 &&
	    (m->keyless || strcmp(m->setup, "anonymous") == 0)) {
		return "an anonymous or guest session has no key to sign "
		       "with, and is refused where signing is required";
	}
	if (m->refused != 0) {
		return "the matrix has a session for these settings; the "
		       "module refused it, for the reason given";
	}
	if (is_nt4(m) && m->expected == NTSIGN_OUTCOME_SIGNED) {
		return "smbd loses the session key of an NT4-style session "
		       "setup, so signing never starts and a client that "
		       "requires it cannot connect";
	}
	return "the matrix has a session for these settings, and none came "
	       "about";
}

const char *ntsign_tally_explain(const struct ntsign_tally_mismatch *m)
{
	if (m->mismatch == NTSIGN_MISMATCH_SETTINGS) {
		return explain_settings(m);
	}
	switch (m->outcome) {
	case NTSIGN_OUTCOME_NOT_SIGNED:
		return explain_unsigned(m);
	case NTSIGN_OUTCOME_NO_COMMUNICATION:
		return explain_ended(m);
	case NTSIGN_OUTCOME_SIGNED:
		break;
	}
	return "the session is signed, where the matrix does not have it "
	       "signed";
}

static const struct {
	const char *article, *event, *meaning;
} quirks[] = {
	{ "Q275020", "triggered",
	  "a request came while another session was being set up on its "
	  "signing connection; from here on a client that has the defect is "
	  "out of step" },
	{ "Q275020", "desynchronised",
	  "a request was signed with another sequence number than the "
	  "server's: the client is out of step" },
	{ "Q275020", "resynchronised",
	  "a client that was out of step was taken back into it" },
	{ "Q264684", "malformed",
	  "a request to the remote registry that does not hold together, as "
	  "MS00-040's did" },
	{ "Q264684", "unreadable",
	  "requests to the remote registry were passed on unread, because "
	  "they are sealed or not in NDR" },
	{ "Q264684", "outage",
	  "such a request has taken the emulated registry down, until `ntsign "
	  "reset`" },
	{ "Q264684", "unavailable",
	  "the emulated registry was down, and winreg could not be opened" },
	{ "Q322051", "undecryptable",
	  "the emulated server could not decrypt a sealed request" },
	{ "Q192749", "failed",
	  "another session setup held the certificate's credential handle, "
	  "and this one failed, as emulated" },
	{ "Q192749", "waited",
	  "another session setup held the certificate's credential handle, "
	  "and this one waited for it" },
};

const char *ntsign_tally_explain_quirk(const struct ntsign_tally_quirk *quirk)
{
	size_t i;

	for (i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++) {
		if (strcmp(quirk->article, quirks[i].article) == 0 &&
		    strcmp(quirk->event, quirks[i].event) == 0) {
			return quirks[i].meaning;
		}
	}
	return NULL;
}
