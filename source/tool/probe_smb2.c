/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks a server what it offers and requires in each dialect of SMB2.
 *
 * Invariant: a server that closes the connection or answers with an error
 * has said no; one that answers nonsense or nothing has not answered.
 */
#include <string.h>
#include <sys/random.h>

#include "probe_play.h"
#include "probe_smb2.h"
#include "probe_status.h"

/* A number of the protocol, and its name. */
struct name {
	uint16_t number;
	const char *text;
	const char *key;
};

static const struct name dialect_names[NTSIGN_SMB2_DIALECTS] = {
	{ NTSIGN_DIALECT_2_02, "SMB 2.0.2", "SMB2_02" },
	{ NTSIGN_DIALECT_2_10, "SMB 2.1", "SMB2_10" },
	{ NTSIGN_DIALECT_3_00, "SMB 3.0", "SMB3_00" },
	{ NTSIGN_DIALECT_3_02, "SMB 3.0.2", "SMB3_02" },
	{ NTSIGN_DIALECT_3_11, "SMB 3.1.1", "SMB3_11" },
};

/* [MS-SMB2] 2.2.3.1.2 and 2.2.3.1.7 */
static const struct name cipher_names[] = {
	{ 0x0002, "AES-128-GCM", NULL },
	{ 0x0001, "AES-128-CCM", NULL },
	{ 0x0004, "AES-256-GCM", NULL },
	{ 0x0003, "AES-256-CCM", NULL },
};
static const struct name signing_names[] = {
	{ 0x0002, "AES-GMAC", NULL },
	{ 0x0001, "AES-CMAC", NULL },
	{ 0x0000, "HMAC-SHA256", NULL },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *ntsign_smb2_name(uint16_t dialect)
{
	size_t i;

	for (i = 0; i < COUNT(dialect_names); i++) {
		if (dialect_names[i].number == dialect) {
			return dialect_names[i].text;
		}
	}
	return "SMB2";
}

const char *ntsign_smb2_key(uint16_t dialect)
{
	size_t i;

	for (i = 0; i < COUNT(dialect_names); i++) {
		if (dialect_names[i].number == dialect) {
			return dialect_names[i].key;
		}
	}
	return "SMB2";
}

const char *ntsign_smb2_capability(uint32_t bit, bool key)
{
	/* [MS-SMB2] 2.2.4 */
	static const struct {
		const char *text;
		const char *key;
	} names[] = {
		{ "DFS", "dfs" },
		{ "leases", "leasing" },
		{ "large MTU", "largeMtu" },
		{ "multichannel", "multiChannel" },
		{ "persistent handles", "persistentHandles" },
		{ "directory leases", "directoryLeasing" },
		{ "encryption", "encryption" },
		{ "notifications", "notifications" },
	};
	size_t i;

	for (i = 0; i < COUNT(names); i++) {
		if (bit == (uint32_t)1 << i) {
			return key ? names[i].key : names[i].text;
		}
	}
	return NULL;
}

/* ---- one question ---- */

enum answer {
	ANSWER_YES,
	ANSWER_NO,
	ANSWER_NONE,	/* *why says what went wrong */
};

static enum answer take_answer(TALLOC_CTX *mem_ctx, const uint8_t *data,
			       size_t len, const struct ntsign_dialect_offer *o,
			       struct ntsign_dialect_reply *reply,
			       const char **why)
{
	size_t i;

	(void)mem_ctx;
	if (len >= 4 && memcmp(data, "\xFFSMB", 4) == 0) {
		return ANSWER_NO;
	}
	if (!ntsign_dialect_parse(data, len, reply)) {
		*why = "the server's answer to an SMB2 NEGOTIATE is malformed";
		return ANSWER_NONE;
	}
	if (reply->status != NTSIGN_STATUS_OK) {
		return ANSWER_NO;
	}
	for (i = 0; i < o->dialect_count; i++) {
		if (o->dialects[i] == reply->dialect) {
			return ANSWER_YES;
		}
	}
	*why = "the server answers with an SMB2 dialect that it was not "
	       "offered";
	return ANSWER_NONE;
}

static enum answer talk(TALLOC_CTX *mem_ctx, struct ntsign_link *link,
			struct ntsign_dialect_offer *offer,
			struct ntsign_dialect_reply *reply, const char **why)
{
	struct ntsign_bytes request = { .mem_ctx = link };
	enum ntsign_link_result result = NTSIGN_LINK_OK;
	uint8_t *data = NULL;
	size_t len = 0;

	ntsign_dialect_request(&request, offer);
	if (request.failed) {
		return ANSWER_NONE;
	}
	result = ntsign_link_send(link, request.data, request.len);
	if (result == NTSIGN_LINK_OK) {
		result = ntsign_link_receive(link, link, &data, &len);
	}
	if (result == NTSIGN_LINK_CLOSED) {
		return ANSWER_NO;
	}
	if (result != NTSIGN_LINK_OK) {
		*why = talloc_asprintf(mem_ctx, "SMB2 NEGOTIATE: the server "
				       "%s", link->why);
		return ANSWER_NONE;
	}
	return take_answer(mem_ctx, data, len, offer, reply, why);
}

/* address: 64 bytes, or NULL */
static enum answer ask(TALLOC_CTX *mem_ctx,
		       const struct ntsign_play_server *server,
		       struct ntsign_dialect_offer *offer,
		       struct ntsign_dialect_reply *reply, char *address,
		       const char **why)
{
	char *trouble = NULL;
	struct ntsign_link *link = NULL;
	enum answer answer = ANSWER_NONE;

	*why = "out of memory";
	if (getrandom(offer->guid, sizeof(offer->guid), 0) !=
		    (ssize_t)sizeof(offer->guid) ||
	    getrandom(offer->salt, sizeof(offer->salt), 0) !=
		    (ssize_t)sizeof(offer->salt)) {
		*why = "the system has no random numbers";
		return ANSWER_NONE;
	}
	link = ntsign_link_open(mem_ctx, server->host, server->port,
				server->timeout, &trouble);
	if (link == NULL) {
		if (trouble != NULL) {
			*why = talloc_asprintf(mem_ctx, "no connection: %s",
					       trouble);
		}
		return ANSWER_NONE;
	}
	if (address != NULL) {
		memcpy(address, link->address, sizeof(link->address));
	}
	answer = talk(mem_ctx, link, offer, reply, why);
	TALLOC_FREE(link);
	return answer;
}

/* ---- all of them ---- */

static void add(struct ntsign_smb2_algorithms *list, const char *name)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (strcmp(list->names[i], name) == 0) {
			return;
		}
	}
	if (list->count < NTSIGN_SMB2_ALGORITHMS_MAX) {
		list->names[list->count++] = name;
	}
}

/* Adds the algorithm that the server chose, if it chose one of these. */
static void add_choice(struct ntsign_smb2_algorithms *list,
		       const struct name *names, size_t count,
		       uint16_t choice)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (names[i].number == choice) {
			add(list, names[i].text);
		}
	}
}

/* 3.1.1: the server chooses among what it is offered; so first all, then
 * each by itself. */
static enum answer ask_3_11(struct ntsign_smb2 *smb2,
			    const struct ntsign_play_server *server,
			    struct ntsign_smb2_dialect *d)
{
	static const uint16_t dialect = NTSIGN_DIALECT_3_11;
	uint16_t ciphers[COUNT(cipher_names)];
	uint16_t signings[COUNT(signing_names)];
	struct ntsign_dialect_reply reply = { .status = 0 };
	enum answer answer = ANSWER_NONE;
	size_t i;

	for (i = 0; i < COUNT(ciphers); i++) {
		ciphers[i] = cipher_names[i].number;
	}
	for (i = 0; i < COUNT(signings); i++) {
		signings[i] = signing_names[i].number;
	}
	for (i = 0; i <= COUNT(ciphers) + COUNT(signings); i++) {
		struct ntsign_dialect_offer offer = {
			.dialects = &dialect, .dialect_count = 1,
			.ciphers = ciphers, .cipher_count = COUNT(ciphers),
			.signings = signings,
			.signing_count = COUNT(signings),
		};

		if (i > 0 && i <= COUNT(ciphers)) {
			offer.ciphers = &ciphers[i - 1];
			offer.cipher_count = 1;
		} else if (i > COUNT(ciphers)) {
			offer.signings = &signings[i - 1 - COUNT(ciphers)];
			offer.signing_count = 1;
		}
		answer = ask(smb2, server, &offer, &reply, smb2->address,
			     &smb2->error);
		if (answer == ANSWER_NONE || (answer == ANSWER_NO && i == 0)) {
			return answer;
		}
		if (answer == ANSWER_NO) {
			continue;	/* not with this algorithm */
		}
		if (i == 0) {
			d->reply = reply;
		}
		add_choice(&d->ciphers, cipher_names, COUNT(cipher_names),
			   reply.cipher);
		add_choice(&d->signings, signing_names, COUNT(signing_names),
			   reply.signing);
	}
	if (d->signings.count == 0) {
		add(&d->signings, "AES-CMAC");
	}
	return ANSWER_YES;
}

/* The dialects whose algorithms are fixed: [MS-SMB2] 3.1.4.1, 3.1.4.3. */
static enum answer ask_older(struct ntsign_smb2 *smb2,
			     const struct ntsign_play_server *server,
			     struct ntsign_smb2_dialect *d)
{
	struct ntsign_dialect_offer offer = {
		.dialects = &d->dialect, .dialect_count = 1,
	};
	bool new = d->dialect >= NTSIGN_DIALECT_3_00;
	enum answer answer = ask(smb2, server, &offer, &d->reply,
				 smb2->address, &smb2->error);

	if (answer != ANSWER_YES) {
		return answer;
	}
	add(&d->signings, new ? "AES-CMAC" : "HMAC-SHA256");
	if (new && (d->reply.capabilities & NTSIGN_DIALECT_ENCRYPTION) != 0) {
		add(&d->ciphers, "AES-128-CCM");
	}
	return ANSWER_YES;
}

struct ntsign_smb2 *ntsign_smb2_ask(TALLOC_CTX *mem_ctx,
				    const struct ntsign_play_server *server)
{
	struct ntsign_smb2 *smb2 = talloc_zero(mem_ctx, struct ntsign_smb2);
	uint64_t start = ntsign_link_clock();
	size_t i;

	for (i = 0; smb2 != NULL && i < NTSIGN_SMB2_DIALECTS; i++) {
		struct ntsign_smb2_dialect *d = &smb2->dialects[i];
		enum answer answer = ANSWER_NONE;

		d->dialect = dialect_names[i].number;
		answer = d->dialect == NTSIGN_DIALECT_3_11 ?
				 ask_3_11(smb2, server, d) :
				 ask_older(smb2, server, d);
		if (answer == ANSWER_NONE) {
			return smb2;
		}
		smb2->error = NULL;
		d->offered = answer == ANSWER_YES;
		smb2->offered += d->offered ? 1 : 0;
	}
	if (smb2 != NULL) {
		smb2->elapsed = ntsign_link_clock() - start;
	}
	return smb2;
}

uint16_t ntsign_smb2_best(TALLOC_CTX *mem_ctx,
			  const struct ntsign_play_server *server)
{
	uint16_t dialects[NTSIGN_SMB2_DIALECTS];
	struct ntsign_dialect_offer offer = {
		.dialects = dialects, .dialect_count = NTSIGN_SMB2_DIALECTS,
		.ciphers = &cipher_names[0].number, .cipher_count = 1,
	};
	struct ntsign_dialect_reply reply = { .status = 0 };
	const char *why = NULL;
	size_t i;

	for (i = 0; i < NTSIGN_SMB2_DIALECTS; i++) {
		dialects[i] = dialect_names[i].number;
	}
	if (ask(mem_ctx, server, &offer, &reply, NULL, &why) != ANSWER_YES) {
		return 0;
	}
	return reply.dialect;
}
