/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NTLMSSP messages as a client makes and reads them.
 *
 * Invariant: what a server sent is read within its bounds, or not at all.
 */
#include <string.h>

#include "probe_token.h"

#define TYPE_NEGOTIATE 1
#define TYPE_CHALLENGE 2
#define TYPE_AUTHENTICATE 3

/* [MS-NLMP] 2.2.2.1 */
#define AV_EOL 0
#define AV_FLAGS 6
#define AV_TIMESTAMP 7
#define AV_FLAGS_MIC 0x00000002

/* Places in an AUTHENTICATE message. */
#define AT_FIELDS 12
#define AT_MIC 72
#define FIELDS 6
#define MECHANISMS_MAX 64
#define MIC_LEN 16

static const char mark[8] = "NTLMSSP";

static uint32_t wanted_flags(bool ntlmv1)
{
	uint32_t flags = NTSIGN_TOKEN_UNICODE | NTSIGN_TOKEN_REQUEST_TARGET |
			 NTSIGN_TOKEN_SIGN | NTSIGN_TOKEN_NTLM |
			 NTSIGN_TOKEN_ALWAYS_SIGN | NTSIGN_TOKEN_KEY_128 |
			 NTSIGN_TOKEN_KEY_EXCHANGE | NTSIGN_TOKEN_KEY_56;

	if (!ntlmv1) {
		flags |= NTSIGN_TOKEN_SESSION_SECURITY |
			 NTSIGN_TOKEN_TARGET_INFO;
	}
	return flags;
}

/*
 * Reads the AV pair at *at and moves behind it. False when there is none
 * whole. The value begins 4 bytes after the pair.
 */
static bool av_next(const uint8_t *info, size_t len, size_t *at,
		    uint16_t *id, uint16_t *size)
{
	if (len - *at < 4) {
		return false;
	}
	*id = get16(info + *at);
	*size = get16(info + *at + 2);
	if (len - *at - 4 < *size) {
		return false;
	}
	*at += 4 + (size_t)*size;
	return true;
}

/* Walks the AV pairs up to their end. */
static bool av_read(struct ntsign_token_challenge *c)
{
	size_t at = 0;
	uint16_t id = 0;
	uint16_t size = 0;

	while (av_next(c->target_info, c->target_info_len, &at, &id, &size)) {
		if (id == AV_EOL) {
			c->target_info_len = at;
			return size == 0;
		}
		if (id == AV_TIMESTAMP) {
			if (size != 8) {
				return false;
			}
			c->has_time = true;
			c->time = get64(c->target_info + at - 8);
		}
	}
	return false;
}

bool ntsign_token_challenge_parse(const uint8_t *data, size_t len,
				  struct ntsign_token_challenge *challenge)
{
	struct ntsign_token_challenge c = { .has_time = false };
	size_t size = 0;
	size_t offset = 0;

	if (len < 32 || memcmp(data, mark, sizeof(mark)) != 0 ||
	    get32(data + 8) != TYPE_CHALLENGE) {
		return false;
	}
	c.flags = get32(data + 20);
	memcpy(c.challenge, data + 24, sizeof(c.challenge));
	if ((c.flags & NTSIGN_TOKEN_TARGET_INFO) != 0 && len >= 48) {
		size = get16(data + 40);
		offset = get32(data + 44);
	}
	if (size > 0) {
		if (offset < 48 || offset > len || size > len - offset) {
			return false;
		}
		c.target_info = data + offset;
		c.target_info_len = size;
		if (!av_read(&c)) {
			return false;
		}
	}
	*challenge = c;
	return true;
}

void ntsign_token_negotiate(struct ntsign_bytes *out, bool ntlmv1)
{
	unsigned int i;

	ntsign_bytes_put(out, mark, sizeof(mark));
	ntsign_bytes_put32(out, TYPE_NEGOTIATE);
	ntsign_bytes_put32(out, wanted_flags(ntlmv1));
	for (i = 0; i < 2; i++) {	/* no domain, no workstation */
		ntsign_bytes_put32(out, 0);
		ntsign_bytes_put32(out, 32);
	}
}

/* The AV pairs that go back: the server's, and that there is a MIC. */
static void put_target_info(struct ntsign_bytes *out,
			    const struct ntsign_token_challenge *c)
{
	uint32_t flags = c->has_time ? AV_FLAGS_MIC : 0;
	size_t at = 0;
	uint16_t id = AV_EOL;
	uint16_t size = 0;

	while (av_next(c->target_info, c->target_info_len, &at, &id, &size) &&
	       id != AV_EOL) {
		if (id == AV_FLAGS && size == 4) {
			flags |= get32(c->target_info + at - 4);
			continue;
		}
		ntsign_bytes_put(out, c->target_info + at - size - 4,
				 (size_t)size + 4);
	}
	if (flags != 0) {
		ntsign_bytes_put16(out, AV_FLAGS);
		ntsign_bytes_put16(out, 4);
		ntsign_bytes_put32(out, flags);
	}
	ntsign_bytes_put32(out, AV_EOL);
}

static bool respond(struct ntsign_crypto *crypto,
		    const struct ntsign_token_facts *facts,
		    const struct ntsign_token_challenge *c,
		    TALLOC_CTX *mem_ctx,
		    struct ntsign_ntlm_response *response)
{
	struct ntsign_bytes info = { .mem_ctx = mem_ctx };
	struct ntsign_ntlm_client client = {
		.time = c->has_time ? c->time : facts->now,
		.no_lm = c->has_time,
	};

	if (facts->ntlmv1) {
		return ntsign_ntlm_v1(mem_ctx, crypto, facts->account,
				      c->challenge, response);
	}
	put_target_info(&info, c);
	if (info.failed) {
		return false;
	}
	memcpy(client.challenge, facts->client_challenge, 8);
	client.target_info = info.data;
	client.target_info_len = info.len;
	return ntsign_ntlm_v2(mem_ctx, crypto, facts->account, c->challenge,
			      &client, response);
}

/* Adds what a field of the head stands for, and says so in the head. */
static void put_field(struct ntsign_bytes *out, unsigned int field,
		      const uint8_t *data, size_t len)
{
	size_t at = AT_FIELDS + 8 * (size_t)field;

	if (len > UINT16_MAX) {
		out->failed = true;
		return;
	}
	ntsign_bytes_set16(out, at, (uint16_t)len);
	ntsign_bytes_set16(out, at + 2, (uint16_t)len);
	ntsign_bytes_set32(out, at + 4, (uint32_t)out->len);
	ntsign_bytes_put(out, data, len);
}

static void put_text_field(struct ntsign_bytes *out, unsigned int field,
			   const char *text)
{
	struct ntsign_bytes wide = { .mem_ctx = out->mem_ctx };

	ntsign_bytes_put_text(&wide, text);
	if (wide.failed) {
		out->failed = true;
	} else {
		put_field(out, field, wide.data, wide.len);
	}
	TALLOC_FREE(wide.data);
}

/* MIC over the three messages, its own place being zero. */
static bool put_mic(struct ntsign_crypto *crypto,
		    const struct ntsign_token_facts *facts,
		    const uint8_t key[NTSIGN_NTLM_KEY_LEN],
		    struct ntsign_bytes *out)
{
	struct ntsign_bytes all = { .mem_ctx = out->mem_ctx };
	bool ok = false;

	ntsign_bytes_put(&all, facts->negotiate, facts->negotiate_len);
	ntsign_bytes_put(&all, facts->challenge, facts->challenge_len);
	ntsign_bytes_put(&all, out->data, out->len);
	ok = !all.failed &&
	     ntsign_crypto_hmac_md5(crypto, key, NTSIGN_NTLM_KEY_LEN,
				    all.data, all.len, out->data + AT_MIC);
	TALLOC_FREE(all.data);
	return ok;
}

static bool put_message(struct ntsign_crypto *crypto,
			const struct ntsign_token_facts *facts,
			const struct ntsign_token_challenge *c,
			const struct ntsign_ntlm_response *response,
			struct ntsign_bytes *out,
			struct ntsign_token_session *session)
{
	uint32_t flags = wanted_flags(facts->ntlmv1) & c->flags;
	bool exchange = (flags & NTSIGN_TOKEN_KEY_EXCHANGE) != 0;
	bool mic = c->has_time && !facts->ntlmv1;
	uint8_t *key = session->key;
	uint8_t sealed[NTSIGN_NTLM_KEY_LEN];

	session->flags = flags;
	session->has_mic = mic &&
			   (flags & NTSIGN_TOKEN_SESSION_SECURITY) != 0;
	memcpy(key, exchange ? facts->random_key : response->key,
	       NTSIGN_NTLM_KEY_LEN);
	if (exchange && !ntsign_crypto_rc4(crypto, response->key, key,
					   NTSIGN_NTLM_KEY_LEN, sealed)) {
		return false;
	}
	ntsign_bytes_put(out, mark, sizeof(mark));
	ntsign_bytes_put32(out, TYPE_AUTHENTICATE);
	ntsign_bytes_zero(out, FIELDS * 8);
	ntsign_bytes_put32(out, flags);
	if (mic) {
		ntsign_bytes_zero(out, 8 + MIC_LEN);	/* version, MIC */
	}
	put_text_field(out, 2, facts->account->domain);
	put_text_field(out, 3, facts->account->user);
	put_text_field(out, 4, facts->workstation);
	put_field(out, 0, response->lm, sizeof(response->lm));
	put_field(out, 1, response->nt, response->nt_len);
	put_field(out, 5, sealed, exchange ? sizeof(sealed) : 0);
	return !out->failed && (!mic || put_mic(crypto, facts, key, out));
}

bool ntsign_token_authenticate(struct ntsign_crypto *crypto,
			       const struct ntsign_token_facts *facts,
			       struct ntsign_bytes *out,
			       struct ntsign_token_session *session)
{
	struct ntsign_token_challenge c;
	struct ntsign_ntlm_response response = { .nt = NULL };
	TALLOC_CTX *frame = talloc_new(out->mem_ctx);
	bool ok = frame != NULL &&
		  ntsign_token_challenge_parse(facts->challenge,
					       facts->challenge_len, &c) &&
		  (c.flags & NTSIGN_TOKEN_UNICODE) != 0 &&
		  respond(crypto, facts, &c, frame, &response) &&
		  put_message(crypto, facts, &c, &response, out, session);

	ntsign_crypto_wipe(response.key, sizeof(response.key));
	TALLOC_FREE(frame);
	return ok;
}

/* A key out of a key and a text, its end included: [MS-NLMP] 3.4.5. */
static bool derive(struct ntsign_crypto *crypto, const uint8_t *key,
		   size_t key_len, const char *text, uint8_t derived[16])
{
	uint8_t both[NTSIGN_NTLM_KEY_LEN + 64];
	size_t len = strlen(text) + 1;
	bool ok = false;

	memcpy(both, key, key_len);
	memcpy(both + key_len, text, len);
	ok = ntsign_crypto_md5(crypto, both, key_len + len, derived);
	ntsign_crypto_wipe(both, sizeof(both));
	return ok;
}

bool ntsign_token_mic(struct ntsign_crypto *crypto,
		      const struct ntsign_token_session *session,
		      bool by_server, const uint8_t *message, size_t len,
		      uint8_t mic[NTSIGN_TOKEN_MIC_LEN])
{
	size_t strength = (session->flags & NTSIGN_TOKEN_KEY_128) != 0 ? 16 :
			  (session->flags & NTSIGN_TOKEN_KEY_56) != 0 ? 7 : 5;
	/* the number of the message, which is the first, and the message */
	uint8_t numbered[4 + MECHANISMS_MAX] = { 0 };
	uint8_t signing[16];
	uint8_t sealing[16];
	uint8_t digest[16];
	bool ok = len <= MECHANISMS_MAX &&
		  derive(crypto, session->key, NTSIGN_NTLM_KEY_LEN,
			 by_server ? "session key to server-to-client signing "
				     "key magic constant" :
				     "session key to client-to-server signing "
				     "key magic constant", signing) &&
		  derive(crypto, session->key, strength,
			 by_server ? "session key to server-to-client sealing "
				     "key magic constant" :
				     "session key to client-to-server sealing "
				     "key magic constant", sealing);

	if (ok) {
		memcpy(numbered + 4, message, len);
		ok = ntsign_crypto_hmac_md5(crypto, signing, sizeof(signing),
					    numbered, 4 + len, digest);
	}
	memset(mic, 0, NTSIGN_TOKEN_MIC_LEN);
	mic[0] = 1;	/* version */
	if (ok && (session->flags & NTSIGN_TOKEN_KEY_EXCHANGE) != 0) {
		ok = ntsign_crypto_rc4(crypto, sealing, digest, 8, mic + 4);
	} else if (ok) {
		memcpy(mic + 4, digest, 8);
	}
	ntsign_crypto_wipe(signing, sizeof(signing));
	ntsign_crypto_wipe(sealing, sizeof(sealing));
	return ok;
}
