/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One client that is being played: how it ends, and how it talks.
 *
 * Invariant: an answer is looked at only when it is whole, and the one to the
 * request that was sent last.
 */
#include <string.h>

#include "probe_player.h"
#include "probe_status.h"

/* How far from the expected number a signature's own is looked for. */
#define WINDOW 8

/* ---- how it ends ---- */

bool ntsign_player_fail(struct ntsign_player *p, const char *text)
{
	p->result->error = text != NULL ? text : "out of memory";
	return false;
}

bool ntsign_player_fail_text(struct ntsign_player *p, const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = talloc_vasprintf(p->result, format, ap);
	va_end(ap);
	return ntsign_player_fail(p, text);
}

bool ntsign_player_end(struct ntsign_player *p, enum ntsign_ended_by by,
		       const char *at, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	p->result->reason = talloc_vasprintf(p->result, format, ap);
	va_end(ap);
	if (p->result->reason == NULL) {
		return ntsign_player_fail(p, NULL);
	}
	p->result->outcome = NTSIGN_OUTCOME_NO_COMMUNICATION;
	p->result->ended_by = by;
	p->result->ended_at = at;
	return false;
}

/* Whether a server may cut this client off because of signing. */
static bool signing_matters(const struct ntsign_player *p)
{
	return p->is_signing || p->plan.flags2 != 0 ||
	       (p->server.security_mode & NTSIGN_MESSAGE_REQUIRES) != 0;
}

const char *ntsign_player_how(const struct ntsign_player *p)
{
	return p->is_signing ? "signed" : "not signed";
}

/* The server has closed the connection. */
static bool cut_off(struct ntsign_player *p, const char *at)
{
	bool requires = (p->server.security_mode & NTSIGN_MESSAGE_REQUIRES) !=
			0;

	if (p->sequence == 0 || !signing_matters(p)) {
		return ntsign_player_fail_text(
			p, "the server cut the connection off at %s", at);
	}
	return ntsign_player_end(
		p, NTSIGN_ENDED_BY_SERVER, at,
		"the server%s cut the connection off at %s, which was %s",
		requires ? " requires signing and" : "", at,
		ntsign_player_how(p));
}

/* ---- signatures ---- */

static bool signature_of(struct ntsign_player *p, const uint8_t *message,
			 size_t len, uint32_t sequence, uint8_t signature[8])
{
	return ntsign_crypto_signature(p->part->crypto, p->key, p->key_len,
				       message, len, sequence, signature);
}

static bool matches(struct ntsign_player *p,
		    const struct ntsign_player_answer *a, uint32_t sequence)
{
	uint8_t signature[8] = { 0 };

	return signature_of(p, a->message, a->len, sequence, signature) &&
	       memcmp(signature, a->reply.signature, sizeof(signature)) == 0;
}

enum ntsign_verdict ntsign_player_judge(struct ntsign_player *p,
					const struct ntsign_player_answer *a,
					uint32_t sequence)
{
	if (p->key != NULL && matches(p, a, sequence)) {
		p->result->verified++;
		return NTSIGN_VERDICT_GOOD;
	}
	if (ntsign_message_unsigned(&a->reply)) {
		return NTSIGN_VERDICT_UNSIGNED;
	}
	return p->key != NULL ? NTSIGN_VERDICT_BAD : NTSIGN_VERDICT_UNCHECKED;
}

bool ntsign_player_bad_signature(struct ntsign_player *p, const char *at,
				 const struct ntsign_player_answer *a,
				 uint32_t expected)
{
	struct ntsign_play_result *r = p->result;
	uint32_t skew = 0;

	r->bad_signature = true;
	r->expected_sequence = expected;
	for (skew = 1; skew <= WINDOW && r->matched_sequence == -1; skew++) {
		if (matches(p, a, expected + skew)) {
			r->matched_sequence = expected + skew;
		} else if (skew <= expected && matches(p, a, expected - skew)) {
			r->matched_sequence = expected - skew;
		}
	}
	if (r->matched_sequence != -1) {
		return ntsign_player_end(
			p, NTSIGN_ENDED_BY_CLIENT, at,
			"bad signature: the answer to %s is signed with "
			"sequence number %u, expected was %u", at,
			(unsigned int)r->matched_sequence, expected);
	}
	return ntsign_player_end(
		p, NTSIGN_ENDED_BY_CLIENT, at,
		"bad signature: that of the answer to %s is not the one of "
		"sequence number %u, nor of any near it", at, expected);
}

static bool not_signed(struct ntsign_player *p, const char *at,
		       uint32_t expected)
{
	p->result->bad_signature = true;
	p->result->expected_sequence = expected;
	return ntsign_player_end(
		p, NTSIGN_ENDED_BY_CLIENT, at,
		"missing signature: the answer to %s is not signed, expected "
		"was sequence number %u", at, expected);
}

/* ---- requests and answers ---- */

static struct ntsign_play_message *note_request(struct ntsign_player *p,
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
static bool seal(struct ntsign_player *p, struct ntsign_bytes *request,
		 struct ntsign_play_message *note)
{
	uint8_t *field = NULL;

	if (request->failed || note == NULL) {
		return ntsign_player_fail(p, NULL);
	}
	field = request->data + NTSIGN_MESSAGE_SIGNATURE_AT;
	if (p->is_signing) {
		return signature_of(p, request->data, request->len, p->sequence,
				    field) ||
		       ntsign_player_fail(p, "OpenSSL cannot sign");
	}
	if (request->data[4] == NTSIGN_MESSAGE_SESSION_SETUP &&
	    (p->header.flags2 & NTSIGN_FLAGS2_SIGNATURES) != 0) {
		/* what Windows sends before there is a key */
		memcpy(field, "BSRSPYL ", NTSIGN_MESSAGE_SIGNATURE_LEN);
		note->filler = true;
	}
	return true;
}

bool ntsign_player_no_smb1(struct ntsign_player *p, const char *how)
{
	p->result->no_smb1 = true;
	return ntsign_player_fail(p, how);
}

static bool take_answer(struct ntsign_player *p, const char *name,
			uint8_t command, struct ntsign_player_answer *a)
{
	if (command == NTSIGN_MESSAGE_NEGOTIATE && a->len >= 4 &&
	    memcmp(a->message, "\xFESMB", 4) == 0) {
		return ntsign_player_no_smb1(p, "it answers with SMB2");
	}
	if (!ntsign_message_parse(a->message, a->len, &a->reply)) {
		return ntsign_player_fail_text(
			p, "the server's answer to %s is no whole SMB1 message",
			name);
	}
	if (a->reply.command != command || a->reply.mid != p->header.mid) {
		return ntsign_player_fail_text(
			p, "the server answers something else than %s", name);
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
static bool check_answer(struct ntsign_player *p, const char *name,
			 struct ntsign_player_answer *a)
{
	uint32_t expected = p->sequence + 1;

	if (p->sequence == 0) {
		a->note->verdict = ntsign_message_unsigned(&a->reply) ?
					   NTSIGN_VERDICT_UNSIGNED :
					   NTSIGN_VERDICT_UNCHECKED;
		return true;
	}
	a->note->verdict = ntsign_player_judge(p, a, expected);
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
	return ntsign_player_bad_signature(p, name, a, expected);
}

bool ntsign_player_exchange(struct ntsign_player *p, const char *name,
			    struct ntsign_bytes *request,
			    struct ntsign_player_answer *a)
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
		return ntsign_player_no_smb1(
			p, "it closes the connection at NEGOTIATE");
	}
	if (result == NTSIGN_LINK_CLOSED) {
		return cut_off(p, name);
	}
	if (result != NTSIGN_LINK_OK) {
		return ntsign_player_fail_text(
			p, "%s: the server %s", name,
			p->link->why != NULL ? p->link->why : "out of memory");
	}
	return take_answer(p, name, request->data[4], a) &&
	       check_answer(p, name, a);
}

struct ntsign_bytes ntsign_player_request(struct ntsign_player *p)
{
	struct ntsign_bytes request = { .mem_ctx = p->link };

	p->header.mid++;
	return request;
}
