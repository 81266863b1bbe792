/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The session setup: with extended security, and NT4-style.
 *
 * Invariant: the key is known before the answer that is signed with it comes.
 */
#include <string.h>

#include "probe_player.h"
#include "probe_spnego.h"
#include "probe_status.h"
#include "probe_token.h"

#define SIGNING_BITS \
	(NTSIGN_FLAGS2_SIGNATURES | NTSIGN_FLAGS2_SIGNATURES_REQUIRED)

static const char nt4_hint[] =
	" (if the password is right, the server may not take this kind of "
	"NT4-style logon; Samba: `raw NTLMv2 auth', `ntlm auth')";

static bool keep_key(struct ntsign_player *p, const uint8_t *key,
		     const uint8_t *response, size_t len)
{
	p->key_len = NTSIGN_NTLM_KEY_LEN + len;
	p->key = talloc_array(p->link, uint8_t, p->key_len);
	if (p->key == NULL) {
		return ntsign_player_fail(p, NULL);
	}
	memcpy(p->key, key, NTSIGN_NTLM_KEY_LEN);
	if (len > 0) {
		memcpy(p->key + NTSIGN_NTLM_KEY_LEN, response, len);
	}
	return true;
}

/* A session setup that did not succeed. */
static bool refused(struct ntsign_player *p, uint32_t status)
{
	const char *text = ntsign_status_text(p->result, status);
	bool nt4 = p->part->setup == NTSIGN_SETUP_NT4;

	if (text == NULL) {
		return ntsign_player_fail(p, NULL);
	}
	if (status == NTSIGN_STATUS_ACCESS_DENIED) {
		p->result->status = status;
		return ntsign_player_end(
			p, NTSIGN_ENDED_BY_SERVER, NTSIGN_PLAYER_SETUP,
			"the server answered SESSION_SETUP_ANDX with %s", text);
	}
	if (ntsign_status_is_logon(status) ||
	    (nt4 && status == NTSIGN_STATUS_INVALID_PARAMETER)) {
		/* the latter is Samba's answer to NTLMv2 without NTLMSSP */
		return ntsign_player_fail_text(
			p, "could not log on: %s%s", text, nt4 ? nt4_hint : "");
	}
	return ntsign_player_fail_text(
		p, "the server answered SESSION_SETUP_ANDX with %s", text);
}

/* The client knows the key: is the answer signed, and what of it if not? */
static bool begin_signing(struct ntsign_player *p,
			  struct ntsign_player_answer *a)
{
	const uint32_t expected = 1;

	a->note->sequence = 0; /* the request's, which is not signed */
	a->note->verdict = ntsign_player_judge(p, a, expected);
	p->sequence = 2;
	if (p->plan.flags2 == 0) {
		return true;
	}
	switch (a->note->verdict) {
	case NTSIGN_VERDICT_GOOD:
		p->is_signing = true;
		return true;
	case NTSIGN_VERDICT_UNSIGNED:
		break;
	case NTSIGN_VERDICT_BAD:
	case NTSIGN_VERDICT_UNCHECKED:
		return ntsign_player_bad_signature(p, NTSIGN_PLAYER_SETUP, a,
						   expected);
	}
	if (p->plan.insists) {
		return ntsign_player_end(
			p, NTSIGN_ENDED_BY_CLIENT, NTSIGN_PLAYER_SETUP,
			"the client gave up: it requires signing, and the "
			"answer to SESSION_SETUP_ANDX is not signed");
	}
	p->header.flags2 &= (uint16_t)~SIGNING_BITS;
	return true;
}

/* The final answer. */
static bool established(struct ntsign_player *p, struct ntsign_player_answer *a,
			bool extended)
{
	struct ntsign_established e = { .action = 0 };

	if (a->reply.status != NTSIGN_STATUS_OK) {
		return refused(p, a->reply.status);
	}
	if (!ntsign_message_established(p->result, &a->reply, extended, &e)) {
		return ntsign_player_fail(
			p,
			"the server's answer to SESSION_SETUP_ANDX is "
			"malformed");
	}
	p->result->native_os = e.native_os;
	p->result->native_lanman = e.native_lanman;
	p->header.uid = a->reply.uid;
	if ((e.action & NTSIGN_MESSAGE_GUEST) != 0) {
		return ntsign_player_fail(
			p,
			"could not log on: the server let the user in as a "
			"guest only, whose session has no key");
	}
	return begin_signing(p, a);
}

static void fill_logon(const struct ntsign_player *p,
		       struct ntsign_message_logon *logon)
{
	/*
	 * A server cannot tell whether a client has the update, but by its
	 * system: Windows 2000 never had it, XP had it with Service Pack 3.
	 */
	if (p->part->client.patched) {
		logon->native_os = "Windows 2002 Service Pack 3 2600";
		logon->native_lanman = "Windows 2002 5.1";
	} else {
		logon->native_os = "Windows 2000 2195";
		logon->native_lanman = "Windows 2000 5.0";
	}
	logon->user = p->part->account->user;
	logon->domain = p->part->account->domain;
	logon->max_mpx = p->server.max_mpx;
	logon->session_key = p->server.session_key;
}

/* The answers to the challenge, and the key: [MS-CIFS] 3.1.4.1 has the
 * response behind the session key. */
static bool answer_challenge(struct ntsign_player *p,
			     struct ntsign_ntlm_response *response)
{
	static const uint8_t no_pairs[4] = { 0 };
	struct ntsign_ntlm_client client = {
		.time = ntsign_ntlm_now(),
		.target_info = no_pairs,
		.target_info_len = sizeof(no_pairs),
	};
	bool ok = false;

	if (p->part->ntlmv1) {
		ok = ntsign_ntlm_v1(p->link, p->part->crypto, p->part->account,
				    p->server.challenge, response);
	} else {
		ok = ntsign_crypto_random(p->part->crypto, client.challenge,
					  sizeof(client.challenge)) &&
		     ntsign_ntlm_v2(p->link, p->part->crypto, p->part->account,
				    p->server.challenge, &client, response);
	}
	if (ok) {
		ok = keep_key(p, response->key, response->nt, response->nt_len);
	} else {
		ntsign_player_fail(
			p,
			"OpenSSL cannot work out the answer to the challenge");
	}
	ntsign_crypto_wipe(response->key, sizeof(response->key));
	return ok;
}

static bool setup_nt4(struct ntsign_player *p)
{
	struct ntsign_ntlm_response response = { .nt = NULL };
	struct ntsign_message_logon logon = { .lm = NULL };
	struct ntsign_bytes request = ntsign_player_request(p);
	struct ntsign_player_answer a = { .len = 0 };

	if (!answer_challenge(p, &response)) {
		return false;
	}
	fill_logon(p, &logon);
	logon.lm = response.lm;
	logon.lm_len = sizeof(response.lm);
	logon.nt = response.nt;
	logon.nt_len = response.nt_len;
	ntsign_message_setup_nt4(&request, &p->header, &logon);
	return ntsign_player_exchange(p, NTSIGN_PLAYER_SETUP, &request, &a) &&
	       established(p, &a, false);
}

/* One leg: a token goes, an answer comes. */
static bool setup_leg(struct ntsign_player *p, const struct ntsign_bytes *blob,
		      struct ntsign_player_answer *a)
{
	struct ntsign_message_logon logon = { .lm = NULL };
	struct ntsign_bytes request = ntsign_player_request(p);

	if (blob->failed) {
		return ntsign_player_fail(p, NULL);
	}
	fill_logon(p, &logon);
	logon.nt = blob->data;
	logon.nt_len = blob->len;
	ntsign_message_setup_extended(&request, &p->header, &logon);
	return ntsign_player_exchange(p, NTSIGN_PLAYER_SETUP, &request, a);
}

/* The NTLMSSP challenge in the first leg's answer. */
static bool find_challenge(struct ntsign_player *p,
			   const struct ntsign_player_answer *a,
			   struct ntsign_token_facts *facts)
{
	struct ntsign_established e = { .action = 0 };
	struct ntsign_spnego_reply reply = { .token = NULL };
	struct ntsign_token_challenge challenge = { .flags = 0 };

	if (a->reply.status == NTSIGN_STATUS_OK) {
		return ntsign_player_fail(
			p,
			"the server ended the session setup before the "
			"client has said who it is");
	}
	if (a->reply.status != NTSIGN_STATUS_MORE_PROCESSING) {
		return refused(p, a->reply.status);
	}
	if (!ntsign_message_established(p->result, &a->reply, true, &e)) {
		return ntsign_player_fail(
			p,
			"the server's answer to SESSION_SETUP_ANDX is "
			"malformed");
	}
	if (!ntsign_spnego_parse(e.blob, e.blob_len, &reply)) {
		return ntsign_player_fail(
			p,
			"the security token in the server's answer to "
			"SESSION_SETUP_ANDX is malformed");
	}
	if (reply.other_mechanism || reply.state == NTSIGN_SPNEGO_REJECT) {
		return ntsign_player_fail(
			p, "the server does not take NTLMSSP");
	}
	if (reply.token == NULL ||
	    !ntsign_token_challenge_parse(reply.token, reply.token_len,
					  &challenge)) {
		return ntsign_player_fail(
			p, "the NTLMSSP challenge of the server is malformed");
	}
	if ((challenge.flags & NTSIGN_TOKEN_UNICODE) == 0) {
		return ntsign_player_fail(
			p,
			"the NTLMSSP challenge of the server has no Unicode, "
			"which the probe needs");
	}
	facts->challenge = reply.token;
	facts->challenge_len = reply.token_len;
	p->header.uid = a->reply.uid;
	return true;
}

/* The second leg's blob: who the client is, and where the server wants it a
 * signature of what SPNEGO has negotiated. */
static bool authenticate(struct ntsign_player *p,
			 struct ntsign_token_facts *facts,
			 struct ntsign_token_session *session,
			 struct ntsign_bytes *blob)
{
	struct ntsign_crypto *crypto = p->part->crypto;
	struct ntsign_bytes token = { .mem_ctx = p->link };
	uint8_t mic[NTSIGN_TOKEN_MIC_LEN];
	size_t len = 0;
	const uint8_t *mechanisms = ntsign_spnego_mechanisms(&len);

	if (!ntsign_crypto_random(crypto, facts->client_challenge,
				  sizeof(facts->client_challenge)) ||
	    !ntsign_crypto_random(crypto, facts->random_key,
				  sizeof(facts->random_key)) ||
	    !ntsign_token_authenticate(crypto, facts, &token, session) ||
	    (session->has_mic &&
	     !ntsign_token_mic(crypto, session, false, mechanisms, len, mic))) {
		return ntsign_player_fail(
			p,
			"OpenSSL cannot work out the answer to the challenge");
	}
	ntsign_spnego_answer(blob, token.data, token.len,
			     session->has_mic ? mic : NULL);
	return keep_key(p, session->key, NULL, 0);
}

/* The server's signature of what SPNEGO has negotiated, where there is one. */
static bool check_negotiation(struct ntsign_player *p,
			      const struct ntsign_token_session *session,
			      const struct ntsign_player_answer *a)
{
	struct ntsign_established e = { .action = 0 };
	struct ntsign_spnego_reply reply = { .token = NULL };
	uint8_t mic[NTSIGN_TOKEN_MIC_LEN];
	size_t len = 0;
	const uint8_t *mechanisms = ntsign_spnego_mechanisms(&len);

	if (a->reply.status != NTSIGN_STATUS_OK || !session->has_mic ||
	    !ntsign_message_established(p->link, &a->reply, true, &e) ||
	    e.blob_len == 0) {
		return true;
	}
	if (!ntsign_spnego_parse(e.blob, e.blob_len, &reply)) {
		return ntsign_player_fail(
			p,
			"the security token in the server's answer to "
			"SESSION_SETUP_ANDX is malformed");
	}
	if (reply.mic == NULL) {
		return true;
	}
	if (!ntsign_token_mic(p->part->crypto, session, true, mechanisms, len,
			      mic) ||
	    reply.mic_len != sizeof(mic) ||
	    memcmp(reply.mic, mic, sizeof(mic)) != 0) {
		return ntsign_player_fail(
			p,
			"the server's signature of the SPNEGO negotiation is "
			"bad");
	}
	return true;
}

static bool setup_legs(struct ntsign_player *p,
		       struct ntsign_token_facts *facts,
		       struct ntsign_token_session *session)
{
	struct ntsign_bytes hello = { .mem_ctx = p->link };
	struct ntsign_bytes first = { .mem_ctx = p->link };
	struct ntsign_bytes second = { .mem_ctx = p->link };
	struct ntsign_player_answer a = { .len = 0 };
	struct ntsign_player_answer b = { .len = 0 };

	ntsign_token_negotiate(&hello, facts->ntlmv1);
	ntsign_spnego_init(&first, hello.data, hello.len);
	if (!setup_leg(p, &first, &a) || !find_challenge(p, &a, facts)) {
		return false;
	}
	facts->negotiate = hello.data;
	facts->negotiate_len = hello.len;
	return authenticate(p, facts, session, &second) &&
	       setup_leg(p, &second, &b) && check_negotiation(p, session, &b) &&
	       established(p, &b, true);
}

static bool setup_ntlmssp(struct ntsign_player *p)
{
	struct ntsign_token_session session = { .has_mic = false };
	struct ntsign_token_facts facts = {
		.account = p->part->account,
		.workstation = "NTSIGN",
		.ntlmv1 = p->part->ntlmv1,
		.now = ntsign_ntlm_now(),
	};
	bool ok = setup_legs(p, &facts, &session);

	ntsign_crypto_wipe(&session, sizeof(session));
	ntsign_crypto_wipe(facts.random_key, sizeof(facts.random_key));
	return ok;
}

bool ntsign_player_setup(struct ntsign_player *p)
{
	p->plan = ntsign_row_decide(p->part->client, p->server.security_mode);
	if (p->plan.gives_up) {
		return ntsign_player_end(
			p, NTSIGN_ENDED_BY_CLIENT, NTSIGN_PLAYER_NEGOTIATE,
			"the client gave up after NEGOTIATE: it requires "
			"signing, which the server does not offer");
	}
	p->header.flags2 |= p->plan.flags2;
	if (p->part->setup == NTSIGN_SETUP_NT4) {
		return setup_nt4(p);
	}
	return setup_ntlmssp(p);
}
