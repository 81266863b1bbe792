/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SMB2 NEGOTIATE as a client makes and reads it.
 *
 * Invariant: negotiate contexts are walked forward only, each at the 8 byte
 * boundary behind the one before.
 */
#include <string.h>

#include "probe_dialect.h"

#define HEADER_LEN 64
#define REPLY_LEN 64		/* of the body, without its buffer */
#define REQUEST_SIZE 36
#define REPLY_SIZE 65		/* as StructureSize counts */

#define FLAG_REPLY 0x00000001
#define SIGNING_ENABLED 0x0001
/* DFS, leasing, large MTU, multichannel, persistent handles, directory
 * leasing, encryption */
#define OUR_CAPABILITIES 0x0000007F

/* [MS-SMB2] 2.2.3.1 */
#define CONTEXT_PREAUTH 0x0001
#define CONTEXT_ENCRYPTION 0x0002
#define CONTEXT_SIGNING 0x0008
#define HASH_SHA512 0x0001

static const char mark[4] = { (char)0xFE, 'S', 'M', 'B' };

/* [MS-SMB2] 2.2.1.2 */
static void put_header(struct ntsign_bytes *out)
{
	ntsign_bytes_put(out, mark, sizeof(mark));
	ntsign_bytes_put16(out, HEADER_LEN);
	ntsign_bytes_zero(out, 6);		/* credits charged, status */
	ntsign_bytes_put16(out, 0);		/* NEGOTIATE */
	ntsign_bytes_put16(out, 1);		/* credits wanted */
	ntsign_bytes_zero(out, HEADER_LEN - 16);
}

static void put_padding(struct ntsign_bytes *out)
{
	while (out->len % 8 != 0 && !out->failed) {
		ntsign_bytes_put8(out, 0);
	}
}

static void put_list(struct ntsign_bytes *out, const uint16_t *list,
		     size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		ntsign_bytes_put16(out, list[i]);
	}
}

/* A context that is a count and a list. */
static void put_list_context(struct ntsign_bytes *out, uint16_t type,
			     const uint16_t *list, size_t count)
{
	put_padding(out);
	ntsign_bytes_put16(out, type);
	ntsign_bytes_put16(out, (uint16_t)(2 + 2 * count));
	ntsign_bytes_put32(out, 0);
	ntsign_bytes_put16(out, (uint16_t)count);
	put_list(out, list, count);
}

/* Returns how many contexts these are. */
static uint16_t put_contexts(struct ntsign_bytes *out,
			     const struct ntsign_dialect_offer *offer)
{
	uint16_t count = 1;

	put_padding(out);
	ntsign_bytes_put16(out, CONTEXT_PREAUTH);
	ntsign_bytes_put16(out, 6 + NTSIGN_DIALECT_SALT_LEN);
	ntsign_bytes_put32(out, 0);
	ntsign_bytes_put16(out, 1);
	ntsign_bytes_put16(out, NTSIGN_DIALECT_SALT_LEN);
	ntsign_bytes_put16(out, HASH_SHA512);
	ntsign_bytes_put(out, offer->salt, NTSIGN_DIALECT_SALT_LEN);
	if (offer->cipher_count > 0) {
		put_list_context(out, CONTEXT_ENCRYPTION, offer->ciphers,
				 offer->cipher_count);
		count++;
	}
	if (offer->signing_count > 0) {
		put_list_context(out, CONTEXT_SIGNING, offer->signings,
				 offer->signing_count);
		count++;
	}
	return count;
}

/* The highest dialect offered. */
static uint16_t highest(const struct ntsign_dialect_offer *offer)
{
	uint16_t most = 0;
	size_t i;

	for (i = 0; i < offer->dialect_count; i++) {
		most = offer->dialects[i] > most ? offer->dialects[i] : most;
	}
	return most;
}

void ntsign_dialect_request(struct ntsign_bytes *out,
			    const struct ntsign_dialect_offer *offer)
{
	static const uint8_t no_guid[16] = { 0 };
	uint16_t most = highest(offer);
	size_t contexts_at = 0;
	size_t at = 0;

	put_header(out);
	ntsign_bytes_put16(out, REQUEST_SIZE);
	ntsign_bytes_put16(out, (uint16_t)offer->dialect_count);
	ntsign_bytes_put16(out, SIGNING_ENABLED);
	ntsign_bytes_put16(out, 0);
	ntsign_bytes_put32(out, most >= NTSIGN_DIALECT_3_00 ?
					OUR_CAPABILITIES : 0);
	ntsign_bytes_put(out, most > NTSIGN_DIALECT_2_02 ? offer->guid :
							   no_guid, 16);
	contexts_at = out->len;
	ntsign_bytes_zero(out, 8);
	put_list(out, offer->dialects, offer->dialect_count);
	if (most < NTSIGN_DIALECT_3_11) {
		return;
	}
	put_padding(out);
	at = out->len;
	ntsign_bytes_set32(out, contexts_at, (uint32_t)at);
	ntsign_bytes_set16(out, contexts_at + 4, put_contexts(out, offer));
}

/* The first algorithm of a context's list; the server names one. Its data:
 * a count, skip more bytes, and the list. */
static bool read_choice(const uint8_t *data, size_t len, size_t skip,
			uint16_t *choice)
{
	if (len < 4 + skip || get16(data) != 1) {
		return false;
	}
	*choice = get16(data + 2 + skip);
	return true;
}

static bool read_context(uint16_t type, const uint8_t *data, size_t len,
			 struct ntsign_dialect_reply *reply)
{
	switch (type) {
	case CONTEXT_PREAUTH:
		return read_choice(data, len, 2, &reply->hash);
	case CONTEXT_ENCRYPTION:
		return read_choice(data, len, 0, &reply->cipher);
	case CONTEXT_SIGNING:
		return read_choice(data, len, 0, &reply->signing);
	default:
		return true;
	}
}

/* [MS-SMB2] 2.2.4.1 */
static bool read_contexts(const uint8_t *data, size_t len, size_t at,
			  unsigned int count,
			  struct ntsign_dialect_reply *reply)
{
	if (count > 0 && (at < HEADER_LEN + REPLY_LEN || at % 8 != 0)) {
		return false;
	}
	while (count > 0) {
		size_t size = 0;

		if (at > len || len - at < 8) {
			return false;
		}
		size = get16(data + at + 2);
		if (size > len - at - 8 ||
		    !read_context(get16(data + at), data + at + 8, size,
				  reply)) {
			return false;
		}
		at += (8 + size + 7) / 8 * 8;
		count--;
	}
	return true;
}

bool ntsign_dialect_parse(const uint8_t *data, size_t len,
			  struct ntsign_dialect_reply *reply)
{
	struct ntsign_dialect_reply r = {
		.cipher = NTSIGN_DIALECT_NO_ALGORITHM,
		.signing = NTSIGN_DIALECT_NO_ALGORITHM,
		.hash = NTSIGN_DIALECT_NO_ALGORITHM,
	};
	const uint8_t *body = data + HEADER_LEN;

	if (len < HEADER_LEN + 2 || memcmp(data, mark, sizeof(mark)) != 0 ||
	    get16(data + 4) != HEADER_LEN || get16(data + 12) != 0 ||
	    (get32(data + 16) & FLAG_REPLY) == 0) {
		return false;
	}
	r.status = get32(data + 8);
	if (r.status != 0) {
		*reply = r;
		return true;
	}
	if (len < HEADER_LEN + REPLY_LEN || get16(body) != REPLY_SIZE) {
		return false;
	}
	r.security_mode = get16(body + 2);
	r.dialect = get16(body + 4);
	memcpy(r.guid, body + 8, sizeof(r.guid));
	r.capabilities = get32(body + 24);
	r.max_transact = get32(body + 28);
	r.max_read = get32(body + 32);
	r.max_write = get32(body + 36);
	if (r.dialect == NTSIGN_DIALECT_3_11 &&
	    !read_contexts(data, len, get32(body + 60), get16(body + 6),
			   &r)) {
		return false;
	}
	*reply = r;
	return true;
}
