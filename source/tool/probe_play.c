/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plays one client row of the matrix against a server.
 *
 * Each step returns whether the play goes on. One that ends it has written
 * either an outcome or an error into the result.
 *
 * Invariant: from the first signed answer on every answer is signed, with
 * the number that is due, or the client gives up.
 */
#include <string.h>

#include "probe_message.h"
#include "probe_play.h"
#include "probe_spnego.h"
#include "probe_status.h"
#include "probe_token.h"

/* How far from the expected number a signature's own is looked for. */
#define WINDOW 8

#define NAME_NEGOTIATE "NEGOTIATE"
#define NAME_SETUP "SESSION_SETUP_ANDX"
#define NAME_TREE_CONNECT "TREE_CONNECT_ANDX"
#define NAME_ECHO "ECHO"
#define NAME_TREE_DISCONNECT "TREE_DISCONNECT"

#define SIGNING_BITS \
	(NTSIGN_FLAGS2_SIGNATURES | NTSIGN_FLAGS2_SIGNATURES_REQUIRED)

struct player {
	const struct ntsign_play_part *part;
	struct ntsign_play_result *result;
	struct ntsign_link *link;
	struct ntsign_negotiated server;
	struct ntsign_row_plan plan;
	struct ntsign_message_header header;
	/* the key that messages are signed with, a secret */
	uint8_t *key;
	size_t key_len;
	/* requests are signed, and answers have to be */
	bool is_signing;
	/* of the next request; 0 until the session setup is over */
	uint32_t sequence;
};

const char *ntsign_setup_name(enum ntsign_setup setup)
{
	return setup == NTSIGN_SETUP_NT4 ? "nt4" : "ntlmssp";
}

/* ---- how it ends ---- */

/* An error; a text that could not be made is the error. */
static bool fail(struct player *p, const char *text)
{
	p->result->error = text != NULL ? text : "out of memory";
	return false;
}

static bool fail_text(struct player *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool fail_text(struct player *p, const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = talloc_vasprintf(p->result, format, ap);
	va_end(ap);
	return fail(p, text);
}

static bool end_text(struct player *p, enum ntsign_ended_by by,
		     const char *at, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* No communication. */
static bool end_text(struct player *p, enum ntsign_ended_by by,
		     const char *at, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	p->result->reason = talloc_vasprintf(p->result, format, ap);
	va_end(ap);
	if (p->result->reason == NULL) {
		return fail(p, NULL);
	}
	p->result->outcome = NTSIGN_OUTCOME_NO_COMMUNICATION;
	p->result->ended_by = by;
	p->result->ended_at = at;
	return false;
}

/* Whether a server may cut this client off because of signing. */
static bool signing_matters(const struct player *p)
{
	return p->is_signing || p->plan.flags2 != 0 ||
	       (p->server.security_mode & NTSIGN_MESSAGE_REQUIRES) != 0;
}

static const char *how_signed(const struct player *p)
{
	return p->is_signing ? "signed" : "not signed";
}

/* The server has closed the connection. */
static bool cut_off(struct player *p, const char *at)
{
	bool requires = (p->server.security_mode &
			 NTSIGN_MESSAGE_REQUIRES) != 0;

	if (p->sequence == 0 || !signing_matters(p)) {
		return fail_text(p, "the server cut the connection off at %s",
				 at);
	}
	return end_text(p, NTSIGN_ENDED_BY_SERVER, at,
			"the server%s cut the connection off at %s, which "
			"was %s", requires ? " requires signing and" : "", at,
			how_signed(p));
}

/* ---- signatures ---- */

static bool signature_of(struct player *p, const uint8_t *message, size_t len,
			 uint32_t sequence, uint8_t signature[8])
{
	return ntsign_crypto_signature(p->part->crypto, p->key, p->key_len,
				       message, len, sequence, signature);
}

static bool matches(struct player *p, const struct ntsign_reply *reply,
		    const uint8_t *message, size_t len, uint32_t sequence)
{
	uint8_t signature[8] = { 0 };

	return signature_of(p, message, len, sequence, signature) &&
	       memcmp(signature, reply->signature, sizeof(signature)) == 0;
}

/* What an answer's signature is, the number that is due being given. */
static enum ntsign_verdict judge(struct player *p,
				 const struct ntsign_reply *reply,
				 const uint8_t *message, size_t len,
				 uint32_t sequence)
{
	if (p->key != NULL && matches(p, reply, message, len, sequence)) {
		p->result->verified++;
		return NTSIGN_VERDICT_GOOD;
	}
	if (ntsign_message_unsigned(reply)) {
		return NTSIGN_VERDICT_UNSIGNED;
	}
	return p->key != NULL ? NTSIGN_VERDICT_BAD : NTSIGN_VERDICT_UNCHECKED;
}

/* The client gives up because of a bad signature; finds what number it would
 * be good for. */
static bool bad_signature(struct player *p, const char *at,
			  const struct ntsign_reply *reply,
			  const uint8_t *message, size_t len,
			  uint32_t expected)
{
	struct ntsign_play_result *r = p->result;
	uint32_t skew = 0;

	r->bad_signature = true;
	r->expected_sequence = expected;
	for (skew = 1; skew <= WINDOW && r->matched_sequence == -1; skew++) {
		if (matches(p, reply, message, len, expected + skew)) {
			r->matched_sequence = expected + skew;
		} else if (skew <= expected &&
			   matches(p, reply, message, len, expected - skew)) {
			r->matched_sequence = expected - skew;
		}
	}
	if (r->matched_sequence != -1) {
		return end_text(p, NTSIGN_ENDED_BY_CLIENT, at,
				"bad signature: the answer to %s is signed "
				"with sequence number %u, expected was %u",
				at, (unsigned int)r->matched_sequence,
				expected);
	}
	return end_text(p, NTSIGN_ENDED_BY_CLIENT, at,
			"bad signature: that of the answer to %s is not the "
			"one of sequence number %u, nor of any near it", at,
			expected);
}

static bool not_signed(struct player *p, const char *at, uint32_t expected)
{
	p->result->bad_signature = true;
	p->result->expected_sequence = expected;
	return end_text(p, NTSIGN_ENDED_BY_CLIENT, at,
			"missing signature: the answer to %s is not signed, "
			"expected was sequence number %u", at, expected);
}

/* ---- requests and answers ---- */

/* An answer, with the bytes it lies in. */
struct answer {
	uint8_t *message;
	size_t len;
	struct ntsign_reply reply;
	struct ntsign_play_message *note;
};

static struct ntsign_play_message *note_request(struct player *p,
						const char *name)
{
	struct ntsign_play_result *r = p->result;
	struct ntsign_play_message *note = NULL;

	if (r->message_count == NTSIGN_PLAY_MESSAGES_MAX) {
		return NULL;
	}
	note = &r->messages[r->message_count++];
	note->name = name;
	note->flags2 = p->header.flags2;
	note->is_signed = p->is_signing;
	note->security_mode = -1;
	note->sequence = p->is_signing ? (int64_t)p->sequence : -1;
	return note;
}

/* Writes the signature, or what stands in its place. */
static bool seal(struct player *p, struct ntsign_bytes *request,
		 struct ntsign_play_message *note)
{
	uint8_t *field = NULL;

	if (request->failed || note == NULL) {
		return fail(p, NULL);
	}
	field = request->data + NTSIGN_MESSAGE_SIGNATURE_AT;
	if (p->is_signing) {
		return signature_of(p, request->data, request->len,
				    p->sequence, field) ||
		       fail(p, "OpenSSL cannot sign");
	}
	if (request->data[4] == NTSIGN_MESSAGE_SESSION_SETUP &&
	    (p->header.flags2 & NTSIGN_FLAGS2_SIGNATURES) != 0) {
		/* what Windows sends before there is a key */
		memcpy(field, "BSRSPYL ", NTSIGN_MESSAGE_SIGNATURE_LEN);
		note->filler = true;
	}
	return true;
}

/* What is not SMB1 at all. */
static bool no_smb1(struct player *p, const char *how)
{
	p->result->no_smb1 = true;
	return fail(p, how);
}

static bool take_answer(struct player *p, const char *name, uint8_t command,
			struct answer *a)
{
	if (command == NTSIGN_MESSAGE_NEGOTIATE && a->len >= 4 &&
	    memcmp(a->message, "\xFESMB", 4) == 0) {
		return no_smb1(p, "it answers with SMB2");
	}
	if (!ntsign_message_parse(a->message, a->len, &a->reply)) {
		return fail_text(p, "the server's answer to %s is no whole "
				 "SMB1 message", name);
	}
	if (a->reply.command != command || a->reply.mid != p->header.mid) {
		return fail_text(p, "the server answers something else than "
				 "%s", name);
	}
	a->note->answered = true;
	a->note->status = a->reply.status;
	a->note->answer_flags2 = a->reply.flags2;
	return true;
}

/*
 * What the client makes of an answer's signature. Where it does not sign it
 * looks all the same, for -v. Answers to session setups are looked at when
 * more is known.
 */
static bool check_answer(struct player *p, const char *name, struct answer *a)
{
	uint32_t expected = p->sequence + 1;

	if (p->sequence == 0) {
		a->note->verdict = ntsign_message_unsigned(&a->reply) ?
					   NTSIGN_VERDICT_UNSIGNED :
					   NTSIGN_VERDICT_UNCHECKED;
		return true;
	}
	a->note->verdict = judge(p, &a->reply, a->message, a->len, expected);
	p->sequence += 2;
	if (!p->is_signing) {
		return true;
	}
	switch (a->note->verdict) {
	case NTSIGN_VERDICT_GOOD:
		return true;
	case NTSIGN_VERDICT_UNSIGNED:
		return not_signed(p, name, expected);
	case NTSIGN_VERDICT_BAD:
	case NTSIGN_VERDICT_UNCHECKED:
		break;
	}
	return bad_signature(p, name, &a->reply, a->message, a->len, expected);
}

/*
 * Sends a request and waits for its answer, whose signature is then found
 * good where there has to be one.
 */
static bool exchange(struct player *p, const char *name,
		     struct ntsign_bytes *request, struct answer *a)
{
	enum ntsign_link_result result = NTSIGN_LINK_OK;

	a->note = note_request(p, name);
	if (!seal(p, request, a->note)) {
		return false;
	}
	result = ntsign_link_send(p->link, request->data, request->len);
	if (result == NTSIGN_LINK_OK) {
		result = ntsign_link_receive(p->link, p->link, &a->message,
					     &a->len);
	}
	if (result == NTSIGN_LINK_CLOSED &&
	    request->data[4] == NTSIGN_MESSAGE_NEGOTIATE) {
		return no_smb1(p, "it closes the connection at NEGOTIATE");
	}
	if (result == NTSIGN_LINK_CLOSED) {
		return cut_off(p, name);
	}
	if (result != NTSIGN_LINK_OK) {
		return fail_text(p, "%s: the server %s", name,
				 p->link->why != NULL ? p->link->why :
							"out of memory");
	}
	return take_answer(p, name, request->data[4], a) &&
	       check_answer(p, name, a);
}

/* A new request's place and number. */
static struct ntsign_bytes new_request(struct player *p)
{
	struct ntsign_bytes request = { .mem_ctx = p->link };

	p->header.mid++;
	return request;
}

/* ---- NEGOTIATE ---- */

static bool check_server(struct player *p)
{
	const struct ntsign_negotiated *s = &p->server;
	bool extended = (s->capabilities & NTSIGN_MESSAGE_CAP_EXTENDED) != 0;

	if ((s->security_mode & NTSIGN_MESSAGE_USER_LEVEL) == 0) {
		return fail(p, "the server has share-level security: there "
			    "are no user sessions to sign");
	}
	if ((s->capabilities & NTSIGN_MESSAGE_CAP_UNICODE) == 0) {
		return fail(p, "the server has no Unicode, which the probe "
			    "needs");
	}
	if (p->part->setup == NTSIGN_SETUP_NTLMSSP && !extended) {
		return fail(p, "the server does not offer extended security: "
			    "try --setup nt4");
	}
	if (p->part->setup == NTSIGN_SETUP_NT4 && extended) {
		return fail(p, "the server insists on extended security: try "
			    "--setup ntlmssp");
	}
	if (!extended && !s->has_challenge) {
		return fail(p, "the server asks for the password in plain "
			    "text, which the probe does not send");
	}
	return true;
}

static bool negotiate(struct player *p)
{
	struct ntsign_bytes request = new_request(p);
	struct answer a = { .len = 0 };

	p->header.flags2 = NTSIGN_MESSAGE_LONG_NAMES |
			   NTSIGN_MESSAGE_NT_STATUS | NTSIGN_FLAGS2_UNICODE;
	if (p->part->setup == NTSIGN_SETUP_NTLMSSP) {
		p->header.flags2 |= NTSIGN_FLAGS2_EXTENDED_SECURITY;
	}
	ntsign_message_negotiate(&request, &p->header);
	if (!exchange(p, NAME_NEGOTIATE, &request, &a)) {
		return false;
	}
	if (a.reply.status != NTSIGN_STATUS_OK) {
		return fail_text(p, "the server answered " NAME_NEGOTIATE
				 " with %s",
				 ntsign_status_text(p->result,
						    a.reply.status));
	}
	switch (ntsign_message_negotiated(&a.reply, &p->server)) {
	case NTSIGN_NEGOTIATION_DONE:
		break;
	case NTSIGN_NEGOTIATION_NO_DIALECT:
		return no_smb1(p, "it takes no dialect \""
				  NTSIGN_MESSAGE_DIALECT "\"");
	case NTSIGN_NEGOTIATION_MALFORMED:
		return fail(p, "the server's answer to NEGOTIATE is "
			    "malformed");
	}
	a.note->security_mode = p->server.security_mode;
	p->result->negotiated = true;
	p->result->security_mode = p->server.security_mode;
	p->result->capabilities = p->server.capabilities;
	return check_server(p);
}

/* ---- SESSION_SETUP_ANDX ---- */

static bool keep_key(struct player *p, const uint8_t *key,
		     const uint8_t *response, size_t len)
{
	p->key_len = NTSIGN_NTLM_KEY_LEN + len;
	p->key = talloc_array(p->link, uint8_t, p->key_len);
	if (p->key == NULL) {
		return fail(p, NULL);
	}
	memcpy(p->key, key, NTSIGN_NTLM_KEY_LEN);
	if (len > 0) {
		memcpy(p->key + NTSIGN_NTLM_KEY_LEN, response, len);
	}
	return true;
}

/* A session setup that did not succeed. */
static bool refused(struct player *p, uint32_t status)
{
	const char *text = ntsign_status_text(p->result, status);
	bool nt4 = p->part->setup == NTSIGN_SETUP_NT4;

	if (text == NULL) {
		return fail(p, NULL);
	}
	if (status == NTSIGN_STATUS_ACCESS_DENIED) {
		p->result->status = status;
		return end_text(p, NTSIGN_ENDED_BY_SERVER, NAME_SETUP,
				"the server answered " NAME_SETUP
				" with %s", text);
	}
	if (ntsign_status_is_logon(status) ||
	    (nt4 && status == NTSIGN_STATUS_INVALID_PARAMETER)) {
		/* the latter is Samba's answer to NTLMv2 without NTLMSSP */
		return fail_text(p, "could not log on: %s%s", text, !nt4 ? "" :
				 " (if the password is right, the server may "
				 "not take this kind of NT4-style logon; "
				 "Samba: `raw NTLMv2 auth', `ntlm auth')");
	}
	return fail_text(p, "the server answered " NAME_SETUP " with %s",
			 text);
}

/* The client knows the key: is the answer signed, and what of it if not? */
static bool begin_signing(struct player *p, struct answer *a)
{
	const uint32_t expected = 1;

	a->note->sequence = 0;	/* the request's, which is not signed */
	a->note->verdict = judge(p, &a->reply, a->message, a->len, expected);
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
		return bad_signature(p, NAME_SETUP, &a->reply, a->message,
				     a->len, expected);
	}
	if (p->plan.insists) {
		return end_text(p, NTSIGN_ENDED_BY_CLIENT, NAME_SETUP,
				"the client gave up: it requires signing, and "
				"the answer to " NAME_SETUP " is not signed");
	}
	p->header.flags2 &= (uint16_t)~SIGNING_BITS;
	return true;
}

/* The final answer. */
static bool established(struct player *p, struct answer *a, bool extended)
{
	struct ntsign_established e = { .action = 0 };

	if (a->reply.status != NTSIGN_STATUS_OK) {
		return refused(p, a->reply.status);
	}
	if (!ntsign_message_established(p->result, &a->reply, extended, &e)) {
		return fail(p, "the server's answer to " NAME_SETUP
			    " is malformed");
	}
	p->result->native_os = e.native_os;
	p->result->native_lanman = e.native_lanman;
	p->header.uid = a->reply.uid;
	if ((e.action & NTSIGN_MESSAGE_GUEST) != 0) {
		return fail(p, "could not log on: the server let the user in "
			    "as a guest only, whose session has no key");
	}
	return begin_signing(p, a);
}

static void fill_logon(const struct player *p,
		       struct ntsign_message_logon *logon)
{
	logon->user = p->part->account->user;
	logon->domain = p->part->account->domain;
	logon->max_mpx = p->server.max_mpx;
	logon->session_key = p->server.session_key;
}

/* The answers to the challenge, and the key: [MS-CIFS] 3.1.4.1 has the
 * response behind the session key. */
static bool answer_challenge(struct player *p,
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
		ok = ntsign_ntlm_v1(p->link, p->part->crypto,
				    p->part->account, p->server.challenge,
				    response);
	} else {
		ok = ntsign_crypto_random(p->part->crypto, client.challenge,
					  sizeof(client.challenge)) &&
		     ntsign_ntlm_v2(p->link, p->part->crypto,
				    p->part->account, p->server.challenge,
				    &client, response);
	}
	if (ok) {
		ok = keep_key(p, response->key, response->nt,
			      response->nt_len);
	} else {
		fail(p, "OpenSSL cannot work out the answer to the challenge");
	}
	ntsign_crypto_wipe(response->key, sizeof(response->key));
	return ok;
}

static bool setup_nt4(struct player *p)
{
	struct ntsign_ntlm_response response = { .nt = NULL };
	struct ntsign_message_logon logon = { .lm = NULL };
	struct ntsign_bytes request = new_request(p);
	struct answer a = { .len = 0 };

	if (!answer_challenge(p, &response)) {
		return false;
	}
	fill_logon(p, &logon);
	logon.lm = response.lm;
	logon.lm_len = sizeof(response.lm);
	logon.nt = response.nt;
	logon.nt_len = response.nt_len;
	ntsign_message_setup_nt4(&request, &p->header, &logon);
	return exchange(p, NAME_SETUP, &request, &a) &&
	       established(p, &a, false);
}

/* One leg: a token goes, an answer comes. */
static bool setup_leg(struct player *p, const struct ntsign_bytes *blob,
		      struct answer *a)
{
	struct ntsign_message_logon logon = { .lm = NULL };
	struct ntsign_bytes request = new_request(p);

	if (blob->failed) {
		return fail(p, NULL);
	}
	fill_logon(p, &logon);
	logon.nt = blob->data;
	logon.nt_len = blob->len;
	ntsign_message_setup_extended(&request, &p->header, &logon);
	return exchange(p, NAME_SETUP, &request, a);
}

/* The NTLMSSP challenge in the first leg's answer. */
static bool find_challenge(struct player *p, const struct answer *a,
			   struct ntsign_token_facts *facts)
{
	struct ntsign_established e = { .action = 0 };
	struct ntsign_spnego_reply reply = { .token = NULL };
	struct ntsign_token_challenge challenge = { .flags = 0 };

	if (a->reply.status == NTSIGN_STATUS_OK) {
		return fail(p, "the server ended the session setup before "
			    "the client has said who it is");
	}
	if (a->reply.status != NTSIGN_STATUS_MORE_PROCESSING) {
		return refused(p, a->reply.status);
	}
	if (!ntsign_message_established(p->result, &a->reply, true, &e)) {
		return fail(p, "the server's answer to " NAME_SETUP
			    " is malformed");
	}
	if (!ntsign_spnego_parse(e.blob, e.blob_len, &reply)) {
		return fail(p, "the security token in the server's answer to "
			    NAME_SETUP " is malformed");
	}
	if (reply.other_mechanism || reply.state == NTSIGN_SPNEGO_REJECT) {
		return fail(p, "the server does not take NTLMSSP");
	}
	if (reply.token == NULL ||
	    !ntsign_token_challenge_parse(reply.token, reply.token_len,
					  &challenge)) {
		return fail(p, "the NTLMSSP challenge of the server is "
			    "malformed");
	}
	if ((challenge.flags & NTSIGN_TOKEN_UNICODE) == 0) {
		return fail(p, "the NTLMSSP challenge of the server has no "
			    "Unicode, which the probe needs");
	}
	facts->challenge = reply.token;
	facts->challenge_len = reply.token_len;
	p->header.uid = a->reply.uid;
	return true;
}

/* The second leg's blob: who the client is, and where the server wants it a
 * signature of what SPNEGO has negotiated. */
static bool authenticate(struct player *p, struct ntsign_token_facts *facts,
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
	     !ntsign_token_mic(crypto, session, false, mechanisms, len,
			       mic))) {
		return fail(p, "OpenSSL cannot work out the answer to the "
			    "challenge");
	}
	ntsign_spnego_answer(blob, token.data, token.len,
			     session->has_mic ? mic : NULL);
	return keep_key(p, session->key, NULL, 0);
}

/* The server's signature of what SPNEGO has negotiated, where there is one. */
static bool check_negotiation(struct player *p,
			      const struct ntsign_token_session *session,
			      const struct answer *a)
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
		return fail(p, "the security token in the server's answer to "
			    NAME_SETUP " is malformed");
	}
	if (reply.mic == NULL) {
		return true;
	}
	if (!ntsign_token_mic(p->part->crypto, session, true, mechanisms, len,
			      mic) ||
	    reply.mic_len != sizeof(mic) ||
	    memcmp(reply.mic, mic, sizeof(mic)) != 0) {
		return fail(p, "the server's signature of the SPNEGO "
			    "negotiation is bad");
	}
	return true;
}

static bool setup_legs(struct player *p, struct ntsign_token_facts *facts,
		       struct ntsign_token_session *session)
{
	struct ntsign_bytes hello = { .mem_ctx = p->link };
	struct ntsign_bytes first = { .mem_ctx = p->link };
	struct ntsign_bytes second = { .mem_ctx = p->link };
	struct answer a = { .len = 0 };
	struct answer b = { .len = 0 };

	ntsign_token_negotiate(&hello, facts->ntlmv1);
	ntsign_spnego_init(&first, hello.data, hello.len);
	if (!setup_leg(p, &first, &a) || !find_challenge(p, &a, facts)) {
		return false;
	}
	facts->negotiate = hello.data;
	facts->negotiate_len = hello.len;
	return authenticate(p, facts, session, &second) &&
	       setup_leg(p, &second, &b) &&
	       check_negotiation(p, session, &b) && established(p, &b, true);
}

static bool setup_ntlmssp(struct player *p)
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

static bool session_setup(struct player *p)
{
	p->plan = ntsign_row_decide(p->part->client, p->server.security_mode);
	if (p->plan.gives_up) {
		return end_text(p, NTSIGN_ENDED_BY_CLIENT, NAME_NEGOTIATE,
				"the client gave up after " NAME_NEGOTIATE
				": it requires signing, which the server does "
				"not offer");
	}
	p->header.flags2 |= p->plan.flags2;
	if (p->part->setup == NTSIGN_SETUP_NT4) {
		return setup_nt4(p);
	}
	return setup_ntlmssp(p);
}

/* ---- afterwards ---- */

/* The server denies access to a request in the session. */
static bool denied(struct player *p, const char *at)
{
	p->result->status = NTSIGN_STATUS_ACCESS_DENIED;
	return end_text(p, NTSIGN_ENDED_BY_SERVER, at,
			"the server answered %s, which was %s, with "
			"STATUS_ACCESS_DENIED", at, how_signed(p));
}

static bool echo(struct player *p)
{
	struct ntsign_bytes request = new_request(p);
	struct answer a = { .len = 0 };

	ntsign_message_echo(&request, &p->header);
	if (!exchange(p, NAME_ECHO, &request, &a)) {
		return false;
	}
	if (a.reply.status == NTSIGN_STATUS_ACCESS_DENIED) {
		return denied(p, NAME_ECHO);
	}
	if (a.reply.status != NTSIGN_STATUS_OK) {
		return fail_text(p, "the server answered ECHO with %s",
				 ntsign_status_text(p->result,
						    a.reply.status));
	}
	return true;
}

static bool tree_connect(struct player *p)
{
	const char *share = p->part->server->share;
	struct ntsign_bytes request = new_request(p);
	struct answer a = { .len = 0 };

	p->header.tid = 0xFFFF;
	ntsign_message_tree_connect(&request, &p->header,
				    p->part->server->host, share);
	if (!exchange(p, NAME_TREE_CONNECT, &request, &a)) {
		return false;
	}
	if (a.reply.status == NTSIGN_STATUS_ACCESS_DENIED) {
		/* because of the signature, or of the share's permissions?
		 * An ECHO needs none. */
		if (!echo(p)) {
			return p->result->error == NULL ?
				denied(p, NAME_TREE_CONNECT) : false;
		}
		return fail_text(p, "the user may not use the share \"%s\": "
				 "STATUS_ACCESS_DENIED (this is not about "
				 "signing: the server answers an ECHO)",
				 share);
	}
	if (a.reply.status != NTSIGN_STATUS_OK) {
		return fail_text(p, "could not connect to the share \"%s\": "
				 "%s", share,
				 ntsign_status_text(p->result,
						    a.reply.status));
	}
	p->header.tid = a.reply.tid;
	return true;
}

static bool tree_disconnect(struct player *p)
{
	struct ntsign_bytes request = new_request(p);
	struct answer a = { .len = 0 };

	ntsign_message_tree_disconnect(&request, &p->header);
	if (!exchange(p, NAME_TREE_DISCONNECT, &request, &a)) {
		return false;
	}
	if (a.reply.status == NTSIGN_STATUS_ACCESS_DENIED) {
		return denied(p, NAME_TREE_DISCONNECT);
	}
	if (a.reply.status != NTSIGN_STATUS_OK) {
		return fail_text(p, "the server answered " NAME_TREE_DISCONNECT
				 " with %s",
				 ntsign_status_text(p->result,
						    a.reply.status));
	}
	return true;
}

/* All went well. */
static bool succeed(struct player *p)
{
	struct ntsign_play_result *r = p->result;

	if (p->is_signing) {
		r->outcome = NTSIGN_OUTCOME_SIGNED;
		r->reason = talloc_asprintf(
			r, "every answer from the session setup's on is "
			"signed, %u signatures verified", r->verified);
	} else {
		r->outcome = NTSIGN_OUTCOME_NOT_SIGNED;
		r->reason = p->plan.flags2 != 0 ?
				    "the client offered to sign, the server "
				    "did not and serves it unsigned" :
				    "the server serves requests that are not "
				    "signed";
	}
	return r->reason != NULL || fail(p, NULL);
}

static bool open_link(struct player *p, TALLOC_CTX *mem_ctx)
{
	const struct ntsign_play_server *server = p->part->server;
	char *why = NULL;

	p->link = ntsign_link_open(mem_ctx, server->host, server->port,
				   server->timeout, &why);
	if (p->link == NULL) {
		return fail_text(p, "no connection: %s",
				 why != NULL ? why : "out of memory");
	}
	memcpy(p->result->address, p->link->address,
	       sizeof(p->result->address));
	return true;
}

struct ntsign_play_result *ntsign_play(TALLOC_CTX *mem_ctx,
				       const struct ntsign_play_part *part)
{
	uint64_t start = ntsign_link_clock();
	struct ntsign_play_result *result =
		talloc_zero(mem_ctx, struct ntsign_play_result);
	TALLOC_CTX *frame = talloc_new(result);
	struct player p = { .part = part, .result = result };

	if (result == NULL || frame == NULL) {
		TALLOC_FREE(result);
		return NULL;
	}
	result->matched_sequence = -1;
	(void)(open_link(&p, frame) && negotiate(&p) && session_setup(&p) &&
	       tree_connect(&p) && echo(&p) && tree_disconnect(&p) &&
	       succeed(&p));
	ntsign_crypto_wipe(p.key, p.key_len);
	TALLOC_FREE(frame);
	result->elapsed = ntsign_link_clock() - start;
	return result;
}
