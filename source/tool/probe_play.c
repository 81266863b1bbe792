/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plays one client row of the matrix against a server.
 *
 * Invariant: steps are taken in their order, and none after one has said that
 * the play is over.
 */
#include <string.h>

#include "probe_player.h"
#include "probe_status.h"

const char *ntsign_setup_name(enum ntsign_setup setup)
{
	return setup == NTSIGN_SETUP_NT4 ? "nt4" : "ntlmssp";
}

/* ---- NEGOTIATE ---- */

static bool check_server(struct ntsign_player *p)
{
	const struct ntsign_negotiated *s = &p->server;
	bool extended = (s->capabilities & NTSIGN_MESSAGE_CAP_EXTENDED) != 0;

	if ((s->security_mode & NTSIGN_MESSAGE_USER_LEVEL) == 0) {
		return ntsign_player_fail(
			p,
			"the server has share-level security: there are no "
			"user sessions to sign");
	}
	if ((s->capabilities & NTSIGN_MESSAGE_CAP_UNICODE) == 0) {
		return ntsign_player_fail(
			p, "the server has no Unicode, which the probe needs");
	}
	if (p->part->setup == NTSIGN_SETUP_NTLMSSP && !extended) {
		return ntsign_player_fail(
			p,
			"the server does not offer extended security: try "
			"--setup nt4");
	}
	if (p->part->setup == NTSIGN_SETUP_NT4 && extended) {
		return ntsign_player_fail(
			p,
			"the server insists on extended security: try "
			"--setup ntlmssp");
	}
	if (!extended && !s->has_challenge) {
		return ntsign_player_fail(
			p,
			"the server asks for the password in plain text, "
			"which the probe does not send");
	}
	return true;
}

static bool negotiate(struct ntsign_player *p)
{
	struct ntsign_bytes request = ntsign_player_request(p);
	struct ntsign_player_answer a = { .len = 0 };

	p->header.flags2 = NTSIGN_MESSAGE_LONG_NAMES |
			   NTSIGN_MESSAGE_NT_STATUS | NTSIGN_FLAGS2_UNICODE;
	if (p->part->setup == NTSIGN_SETUP_NTLMSSP) {
		p->header.flags2 |= NTSIGN_FLAGS2_EXTENDED_SECURITY;
	}
	ntsign_message_negotiate(&request, &p->header);
	if (!ntsign_player_exchange(p, NTSIGN_PLAYER_NEGOTIATE, &request, &a)) {
		return false;
	}
	if (a.reply.status != NTSIGN_STATUS_OK) {
		return ntsign_player_fail_text(
			p, "the server answered NEGOTIATE with %s",
			ntsign_status_text(p->result, a.reply.status));
	}
	switch (ntsign_message_negotiated(&a.reply, &p->server)) {
	case NTSIGN_NEGOTIATION_DONE:
		break;
	case NTSIGN_NEGOTIATION_NO_DIALECT:
		return ntsign_player_no_smb1(
			p, "it takes no dialect \"NT LM 0.12\"");
	case NTSIGN_NEGOTIATION_MALFORMED:
		return ntsign_player_fail(
			p, "the server's answer to NEGOTIATE is malformed");
	}
	a.note->security_mode = p->server.security_mode;
	p->result->negotiated = true;
	p->result->security_mode = p->server.security_mode;
	p->result->capabilities = p->server.capabilities;
	return check_server(p);
}

/* ---- afterwards ---- */

/* The server denies access to a request in the session. */
static bool denied(struct ntsign_player *p, const char *at)
{
	p->result->status = NTSIGN_STATUS_ACCESS_DENIED;
	return ntsign_player_end(
		p, NTSIGN_ENDED_BY_SERVER, at,
		"the server answered %s, which was %s, with "
		"STATUS_ACCESS_DENIED", at, ntsign_player_how(p));
}

static bool echo(struct ntsign_player *p)
{
	struct ntsign_bytes request = ntsign_player_request(p);
	struct ntsign_player_answer a = { .len = 0 };

	ntsign_message_echo(&request, &p->header);
	if (!ntsign_player_exchange(p, NTSIGN_PLAYER_ECHO, &request, &a)) {
		return false;
	}
	if (a.reply.status == NTSIGN_STATUS_ACCESS_DENIED) {
		return denied(p, NTSIGN_PLAYER_ECHO);
	}
	if (a.reply.status != NTSIGN_STATUS_OK) {
		return ntsign_player_fail_text(
			p, "the server answered ECHO with %s",
			ntsign_status_text(p->result, a.reply.status));
	}
	return true;
}

static bool tree_connect(struct ntsign_player *p)
{
	const char *share = p->part->server->share;
	struct ntsign_bytes request = ntsign_player_request(p);
	struct ntsign_player_answer a = { .len = 0 };

	p->header.tid = 0xFFFF;
	ntsign_message_tree_connect(&request, &p->header, p->part->server->host,
				    share);
	if (!ntsign_player_exchange(p, NTSIGN_PLAYER_TREE_CONNECT, &request,
				    &a)) {
		return false;
	}
	if (a.reply.status == NTSIGN_STATUS_ACCESS_DENIED) {
		/* because of the signature, or of the share's permissions?
		 * An ECHO needs none. */
		if (!echo(p)) {
			return p->result->error == NULL &&
			       denied(p, NTSIGN_PLAYER_TREE_CONNECT);
		}
		return ntsign_player_fail_text(
			p,
			"the user may not use the share \"%s\": "
			"STATUS_ACCESS_DENIED (this is not about signing: the "
			"server answers an ECHO)", share);
	}
	if (a.reply.status != NTSIGN_STATUS_OK) {
		return ntsign_player_fail_text(
			p, "could not connect to the share \"%s\": %s", share,
			ntsign_status_text(p->result, a.reply.status));
	}
	p->header.tid = a.reply.tid;
	return true;
}

static bool tree_disconnect(struct ntsign_player *p)
{
	struct ntsign_bytes request = ntsign_player_request(p);
	struct ntsign_player_answer a = { .len = 0 };

	ntsign_message_tree_disconnect(&request, &p->header);
	if (!ntsign_player_exchange(p, NTSIGN_PLAYER_TREE_DISCONNECT, &request,
				    &a)) {
		return false;
	}
	if (a.reply.status == NTSIGN_STATUS_ACCESS_DENIED) {
		return denied(p, NTSIGN_PLAYER_TREE_DISCONNECT);
	}
	if (a.reply.status != NTSIGN_STATUS_OK) {
		return ntsign_player_fail_text(
			p, "the server answered TREE_DISCONNECT with %s",
			ntsign_status_text(p->result, a.reply.status));
	}
	return true;
}

/* All went well. */
static bool succeed(struct ntsign_player *p)
{
	struct ntsign_play_result *r = p->result;

	if (p->is_signing) {
		r->outcome = NTSIGN_OUTCOME_SIGNED;
		r->reason = talloc_asprintf(
			r, "every answer from the session setup's on is "
			"signed, %u signatures verified", r->verified);
	} else if (p->plan.flags2 != 0) {
		r->outcome = NTSIGN_OUTCOME_NOT_SIGNED;
		r->reason = "the client offered to sign, the server did not "
			    "and serves it unsigned";
	} else {
		r->outcome = NTSIGN_OUTCOME_NOT_SIGNED;
		r->reason = "the server serves requests that are not signed";
	}
	return r->reason != NULL || ntsign_player_fail(p, NULL);
}

static bool open_link(struct ntsign_player *p, TALLOC_CTX *mem_ctx)
{
	const struct ntsign_play_server *server = p->part->server;
	char *why = NULL;

	p->link = ntsign_link_open(mem_ctx, server->host, server->port,
				   server->timeout, &why);
	if (p->link == NULL) {
		return ntsign_player_fail_text(
			p, "no connection: %s",
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
	struct ntsign_player p = { .part = part, .result = result };

	if (result == NULL || frame == NULL) {
		TALLOC_FREE(frame);
		TALLOC_FREE(result);
		return NULL;
	}
	result->matched_sequence = -1;
	(void)(open_link(&p, frame) && negotiate(&p) &&
	       ntsign_player_setup(&p) && tree_connect(&p) && echo(&p) &&
	       tree_disconnect(&p) && succeed(&p));
	ntsign_crypto_wipe(p.key, p.key_len);
	TALLOC_FREE(frame);
	result->elapsed = ntsign_link_clock() - start;
	return result;
}
