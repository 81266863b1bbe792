/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests the probe's NTLM with the examples of [MS-NLMP] 4.2, and its signature
 * with a message that smbclient signed.
 *
 * Invariant: no expected value was worked out by the code it tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../source/tool/probe_bytes.c"
#include "../../source/tool/probe_crypto.c"
#include "../../source/tool/probe_ntlm.c"
#include "../../source/tool/probe_token.c"
#include "frames.h"

/* [MS-NLMP] 4.2.1 */
static const struct ntsign_ntlm_account account = {
	.user = "User", .domain = "Domain", .password = "Password",
};
static const uint8_t server_challenge[8] = {
	0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
};
static const uint8_t client_challenge[8] = {
	0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
};
/* 4.2.4: the domain's and the server's NetBIOS names */
static const uint8_t pairs[] = {
	0x02, 0x00, 0x0c, 0x00, 'D', 0, 'o', 0, 'm', 0, 'a', 0, 'i', 0,
	'n', 0, 0x01, 0x00, 0x0c, 0x00, 'S', 0, 'e', 0, 'r', 0, 'v', 0,
	'e', 0, 'r', 0, 0x00, 0x00, 0x00, 0x00,
};
/* 4.2.4.1.2 */
static const uint8_t key_v2[16] = {
	0x8d, 0xe4, 0x0c, 0xca, 0xdb, 0xc1, 0x4a, 0x82,
	0xf1, 0x5c, 0xb0, 0xad, 0x0d, 0xe9, 0x5c, 0xa3,
};
/* 4.2.4.2.2 */
static const uint8_t proof_v2[16] = {
	0x68, 0xcd, 0x0a, 0xb8, 0x51, 0xe5, 0x1c, 0x96,
	0xaa, 0xbc, 0x92, 0x7b, 0xeb, 0xef, 0x6a, 0x1c,
};

static struct ntsign_crypto *crypto;

static int set_up(void **state)
{
	const char *why = NULL;

	(void)state;
	crypto = ntsign_crypto_new(NULL, &why);
	return crypto != NULL && why == NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	TALLOC_FREE(crypto);
	return 0;
}

static void test_v1(void **state)
{
	/* 4.2.2.2.1, 4.2.2.1.2 */
	static const uint8_t nt[24] = {
		0x67, 0xc4, 0x30, 0x11, 0xf3, 0x02, 0x98, 0xa2,
		0xad, 0x35, 0xec, 0xe6, 0x4f, 0x16, 0x33, 0x1c,
		0x44, 0xbd, 0xbe, 0xd9, 0x27, 0x84, 0x1f, 0x94,
	};
	static const uint8_t key[16] = {
		0xd8, 0x72, 0x62, 0xb0, 0xcd, 0xe4, 0xb1, 0xcb,
		0x74, 0x99, 0xbe, 0xcc, 0xcd, 0xf1, 0x07, 0x84,
	};
	struct ntsign_ntlm_response r = { .nt = NULL };

	(void)state;
	assert_true(ntsign_ntlm_v1(NULL, crypto, &account, server_challenge,
				   &r));
	assert_int_equal(r.nt_len, 24);
	assert_memory_equal(r.nt, nt, 24);
	assert_memory_equal(r.lm, nt, 24);
	assert_memory_equal(r.key, key, 16);
	TALLOC_FREE(r.nt);
}

static struct ntsign_ntlm_client client_of(bool no_lm)
{
	struct ntsign_ntlm_client client = {
		.target_info = pairs, .target_info_len = sizeof(pairs),
		.no_lm = no_lm,
	};

	memcpy(client.challenge, client_challenge, 8);
	return client;
}

static void test_v2(void **state)
{
	/* 4.2.4.2.1 */
	static const uint8_t lm[24] = {
		0x86, 0xc3, 0x50, 0x97, 0xac, 0x9c, 0xec, 0x10,
		0x25, 0x54, 0x76, 0x4a, 0x57, 0xcc, 0xcc, 0x19,
		0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
	};
	static const uint8_t no_lm[24] = { 0 };
	struct ntsign_ntlm_client client = client_of(false);
	struct ntsign_ntlm_response r = { .nt = NULL };

	(void)state;
	assert_true(ntsign_ntlm_v2(NULL, crypto, &account, server_challenge,
				   &client, &r));
	assert_memory_equal(r.lm, lm, 24);
	assert_memory_equal(r.nt, proof_v2, 16);
	assert_int_equal(r.nt_len, 16 + 28 + sizeof(pairs) + 4);
	assert_memory_equal(r.nt + 44, pairs, sizeof(pairs));
	assert_memory_equal(r.key, key_v2, 16);
	TALLOC_FREE(r.nt);

	client = client_of(true);
	assert_true(ntsign_ntlm_v2(NULL, crypto, &account, server_challenge,
				   &client, &r));
	assert_memory_equal(r.lm, no_lm, 24);
	assert_memory_equal(r.key, key_v2, 16);
	TALLOC_FREE(r.nt);
}

/* Letters have their upper case whatever the locale is. */
static void test_upper(void **state)
{
	struct ntsign_bytes lower = { .mem_ctx = NULL };
	struct ntsign_bytes upper = { .mem_ctx = NULL };

	(void)state;
	put_upper(&lower, "m\u00fcller \u00df \u0436 \U0001F600 Z9");
	ntsign_bytes_put_text(&upper, "M\u00dcLLER \u00df \u0416 "
				      "\U0001F600 Z9");
	assert_false(lower.failed);
	assert_int_equal(lower.len, upper.len);
	assert_memory_equal(lower.data, upper.data, upper.len);
	TALLOC_FREE(lower.data);
	TALLOC_FREE(upper.data);
}

static void test_no_text(void **state)
{
	const struct ntsign_ntlm_account odd = {
		.user = "User", .domain = "\xff", .password = "Password",
	};
	const struct ntsign_ntlm_account worse = {
		.user = "User", .domain = "", .password = "\xc0\x80",
	};
	struct ntsign_ntlm_client client = client_of(false);
	struct ntsign_ntlm_response r = { .nt = NULL };
	TALLOC_CTX *frame = talloc_new(NULL);

	(void)state;
	assert_false(ntsign_ntlm_v2(frame, crypto, &odd, server_challenge,
				    &client, &r));
	assert_false(ntsign_ntlm_v2(frame, crypto, &worse, server_challenge,
				    &client, &r));
	assert_false(ntsign_ntlm_v1(frame, crypto, &worse, server_challenge,
				    &r));
	TALLOC_FREE(frame);
}

/* ---- NTLMSSP ---- */

/* A CHALLENGE message; more are AV pairs before the example's. */
static struct ntsign_bytes challenge_of(uint32_t flags, const uint8_t *more,
					size_t len)
{
	struct ntsign_bytes b = { .mem_ctx = NULL };

	ntsign_bytes_put(&b, "NTLMSSP", 8);
	ntsign_bytes_put32(&b, 2);
	ntsign_bytes_zero(&b, 8);
	ntsign_bytes_put32(&b, flags);
	ntsign_bytes_put(&b, server_challenge, 8);
	ntsign_bytes_zero(&b, 8);
	ntsign_bytes_put16(&b, (uint16_t)(len + sizeof(pairs)));
	ntsign_bytes_put16(&b, (uint16_t)(len + sizeof(pairs)));
	ntsign_bytes_put32(&b, 48);
	ntsign_bytes_put(&b, more, len);
	ntsign_bytes_put(&b, pairs, sizeof(pairs));
	assert_false(b.failed);
	return b;
}

static struct ntsign_token_facts facts_of(const struct ntsign_bytes *c)
{
	struct ntsign_token_facts facts = {
		.account = &account, .workstation = "COMPUTER",
		.negotiate = (const uint8_t *)"hello", .negotiate_len = 5,
		.challenge = c->data, .challenge_len = c->len,
	};

	memset(facts.client_challenge, 0xaa, 8);
	memset(facts.random_key, 0x55, 16);
	return facts;
}

/* A field of an AUTHENTICATE message. */
static const uint8_t *field(const struct ntsign_bytes *b, unsigned int n,
			    size_t *len)
{
	const uint8_t *at = b->data + 12 + 8 * n;

	*len = get16(at);
	assert_true(get32(at + 4) + *len <= b->len);
	return b->data + get32(at + 4);
}

#define FLAGS_V2 0xE2888215	/* with SIGN, KEY_EXCH, 128 and 56 */

static void test_authenticate(void **state)
{
	/* 4.2.4.2.3 */
	static const uint8_t sealed[16] = {
		0xc5, 0xda, 0xd2, 0x54, 0x4f, 0xc9, 0x79, 0x90,
		0x94, 0xce, 0x1c, 0xe9, 0x0b, 0xc9, 0xd0, 0x3e,
	};
	struct ntsign_bytes c = challenge_of(FLAGS_V2, NULL, 0);
	struct ntsign_token_facts facts = facts_of(&c);
	struct ntsign_token_session session = { .flags = 0 };
	struct ntsign_bytes out = { .mem_ctx = NULL };
	size_t len = 0;

	(void)state;
	assert_true(ntsign_token_authenticate(crypto, &facts, &out,
					      &session));
	assert_memory_equal(session.key, facts.random_key, 16);
	assert_false(session.has_mic);
	assert_memory_equal(field(&out, 1, &len), proof_v2, 16);
	assert_memory_equal(field(&out, 2, &len), "D\0o\0m\0a\0i\0n\0", 12);
	assert_memory_equal(field(&out, 3, &len), "U\0s\0e\0r\0", 8);
	assert_memory_equal(field(&out, 5, &len), sealed, 16);
	assert_int_equal(len, 16);
	/* flags are those of both sides */
	assert_int_equal(get32(out.data + 60), session.flags);
	assert_int_equal(session.flags & ~(uint32_t)FLAGS_V2, 0);
	TALLOC_FREE(out.data);
	TALLOC_FREE(c.data);
}

static void test_weak(void **state)
{
	/* no key exchange, NTLMv1 */
	struct ntsign_bytes c = challenge_of(NTSIGN_TOKEN_UNICODE |
					     NTSIGN_TOKEN_NTLM, NULL, 0);
	struct ntsign_token_facts facts = facts_of(&c);
	struct ntsign_token_session session = { .flags = 0 };
	struct ntsign_bytes out = { .mem_ctx = NULL };
	size_t len = 0;

	(void)state;
	facts.ntlmv1 = true;
	assert_true(ntsign_token_authenticate(crypto, &facts, &out,
					      &session));
	field(&out, 1, &len);
	assert_int_equal(len, 24);
	field(&out, 5, &len);
	assert_int_equal(len, 0);
	assert_int_equal(session.key[0], 0xd8);
	TALLOC_FREE(out.data);
	TALLOC_FREE(c.data);

	c = challenge_of(NTSIGN_TOKEN_NTLM, NULL, 0);	/* no Unicode */
	facts = facts_of(&c);
	out = (struct ntsign_bytes){ .mem_ctx = NULL };
	assert_false(ntsign_token_authenticate(crypto, &facts, &out,
					       &session));
	TALLOC_FREE(out.data);
	TALLOC_FREE(c.data);
}

/* A timestamp makes for a MIC, its flag, and no LM response. */
static void test_mic(void **state)
{
	static const uint8_t more[] = {
		0x06, 0, 4, 0, 1, 0, 0, 0,
		0x07, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8,
	};
	static const uint8_t none[24] = { 0 };
	struct ntsign_bytes c = challenge_of(FLAGS_V2, more, sizeof(more));
	struct ntsign_token_facts facts = facts_of(&c);
	struct ntsign_token_session session = { .flags = 0 };
	struct ntsign_bytes out = { .mem_ctx = NULL };
	struct ntsign_bytes all = { .mem_ctx = NULL };
	uint8_t mic[16];
	const uint8_t *nt = NULL;
	size_t len = 0;

	(void)state;
	facts.now = 77;
	assert_true(ntsign_token_authenticate(crypto, &facts, &out,
					      &session));
	assert_true(session.has_mic);
	assert_memory_equal(field(&out, 0, &len), none, 24);
	nt = field(&out, 1, &len);
	assert_memory_equal(nt + 24, more + 12, 8);
	/* the pairs without the server's flags, then both sides' */
	assert_memory_equal(nt + 44, more + 8, 12);
	assert_memory_equal(nt + 44 + 12, pairs, sizeof(pairs) - 4);
	assert_memory_equal(nt + 44 + 12 + sizeof(pairs) - 4,
			    "\6\0\4\0\3\0\0\0\0\0\0", 12);
	memcpy(mic, out.data + 72, 16);
	memset(out.data + 72, 0, 16);
	ntsign_bytes_put(&all, "hello", 5);
	ntsign_bytes_put(&all, c.data, c.len);
	ntsign_bytes_put(&all, out.data, out.len);
	assert_true(ntsign_crypto_hmac_md5(crypto, session.key, 16, all.data,
					   all.len, out.data + 72));
	assert_memory_equal(mic, out.data + 72, 16);
	TALLOC_FREE(all.data);
	TALLOC_FREE(out.data);
	TALLOC_FREE(c.data);
}

static void test_derived_keys(void **state)
{
	/* 4.2.4.4: of the random session key */
	static const uint8_t sealing[16] = {
		0x59, 0xf6, 0x00, 0x97, 0x3c, 0xc4, 0x96, 0x0a,
		0x25, 0x48, 0x0a, 0x7c, 0x19, 0x6e, 0x4c, 0x58,
	};
	static const uint8_t signing[16] = {
		0x47, 0x88, 0xdc, 0x86, 0x1b, 0x47, 0x82, 0xf3,
		0x5d, 0x43, 0xfd, 0x98, 0xfe, 0x1a, 0x2d, 0x39,
	};
	struct ntsign_token_session session = { .flags = 0 };
	uint8_t key[16];
	uint8_t mic[16];
	uint8_t message[MECHANISMS_MAX + 1] = { 0 };

	(void)state;
	memset(key, 0x55, sizeof(key));
	assert_true(derive(crypto, key, 16, "session key to client-to-server "
			   "sealing key magic constant", mic));
	assert_memory_equal(mic, sealing, 16);
	assert_true(derive(crypto, key, 16, "session key to client-to-server "
			   "signing key magic constant", mic));
	assert_memory_equal(mic, signing, 16);
	assert_true(ntsign_token_mic(crypto, &session, true, message,
				     MECHANISMS_MAX, mic));
	assert_memory_equal(mic, "\1\0\0\0", 4);
	assert_memory_equal(mic + 12, "\0\0\0\0", 4);
	assert_false(ntsign_token_mic(crypto, &session, true, message,
				      MECHANISMS_MAX + 1, mic));
}

/* Every length, from memory of just that size. */
static void test_challenge_cut(void **state)
{
	struct ntsign_bytes c = challenge_of(FLAGS_V2, NULL, 0);
	struct ntsign_token_challenge found = { .flags = 1 };
	size_t len;

	(void)state;
	for (len = 0; len <= c.len; len++) {
		uint8_t *copy = malloc(len > 0 ? len : 1);
		bool whole = len == c.len || (len >= 32 && len < 48);

		memcpy(copy, c.data, len);
		assert_int_equal(ntsign_token_challenge_parse(copy, len,
							      &found),
				 whole);
		free(copy);
	}
	assert_int_equal(found.flags, FLAGS_V2);
	assert_int_equal(found.target_info_len, sizeof(pairs));
	assert_false(found.has_time);
	TALLOC_FREE(c.data);
}

/* ---- SMB1 ---- */

static void test_signature(void **state)
{
	uint8_t signature[8] = { 0 };

	(void)state;
	assert_true(ntsign_crypto_signature(
		crypto, frame_signed_key, sizeof(frame_signed_key),
		frame_signed, sizeof(frame_signed), 2, signature));
	assert_memory_equal(signature, frame_signed + 14, 8);
	assert_true(ntsign_crypto_signature(
		crypto, frame_signed_key, sizeof(frame_signed_key),
		frame_signed, sizeof(frame_signed), 0x01000002, signature));
	assert_memory_not_equal(signature, frame_signed + 14, 8);
	assert_false(ntsign_crypto_signature(crypto, NULL, 0, frame_signed,
					     31, 2, signature));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v1),
		cmocka_unit_test(test_v2),
		cmocka_unit_test(test_upper),
		cmocka_unit_test(test_no_text),
		cmocka_unit_test(test_authenticate),
		cmocka_unit_test(test_weak),
		cmocka_unit_test(test_mic),
		cmocka_unit_test(test_derived_keys),
		cmocka_unit_test(test_challenge_cut),
		cmocka_unit_test(test_signature),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
