/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests the NTLMSSP parser with real messages, changed ones and cut ones.
 *
 * Invariant: every message is handed over in memory of its exact length, so
 * that a sanitizer or valgrind sees any byte read behind it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ntsign/ntlmssp.h"
#include "failing_malloc.h"
#include "frames.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define UNICODE NTSIGN_NTLMSSP_UNICODE
#define LM_KEY NTSIGN_NTLMSSP_LM_KEY
#define ESS NTSIGN_NTLMSSP_EXTENDED_SESSIONSECURITY
#define B128 NTSIGN_NTLMSSP_128
#define B56 NTSIGN_NTLMSSP_56

static struct ntsign_ntlmssp *parse(TALLOC_CTX *ctx, const void *data,
				    size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct ntsign_ntlmssp *got = NULL;

	assert_non_null(copy);
	memcpy(copy, data, len);
	got = ntsign_ntlmssp_parse(ctx, copy, len, 0);
	free(copy);
	return got;
}

static void test_real(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct ntsign_ntlmssp *got = NULL;

	(void)state;
	got = parse(ctx, ntlmssp_negotiate, sizeof(ntlmssp_negotiate));
	assert_non_null(got);
	assert_int_equal(got->type, NTSIGN_NTLMSSP_NEGOTIATE);
	assert_int_equal(got->flags, 0x62088215);
	assert_null(got->account);

	got = parse(ctx, ntlmssp_challenge, sizeof(ntlmssp_challenge));
	assert_non_null(got);
	assert_int_equal(got->type, NTSIGN_NTLMSSP_CHALLENGE);
	assert_int_equal(got->flags, 0x628A8215);
	assert_null(got->domain);

	got = parse(ctx, ntlmssp_authenticate, sizeof(ntlmssp_authenticate));
	assert_non_null(got);
	assert_int_equal(got->type, NTSIGN_NTLMSSP_AUTHENTICATE);
	assert_int_equal(got->flags, 0x62088215);
	assert_string_equal(got->account, "games");
	assert_string_equal(got->domain, "WORKGROUP");
	assert_string_equal(got->workstation, "VM");
	assert_int_equal(got->lm_response_len, 24);
	assert_int_equal(got->nt_response_len, 228);
	assert_false(got->anonymous);
	assert_string_equal(ntsign_ntlmssp_version(got), "NTLMv2");
	assert_int_equal(ntsign_ntlmssp_key_bits(got->flags), 128);

	got = parse(ctx, ntlmssp_anonymous, sizeof(ntlmssp_anonymous));
	assert_non_null(got);
	assert_string_equal(got->account, "");
	assert_string_equal(got->domain, "");
	assert_string_equal(got->workstation, "");
	assert_true(got->anonymous);
	assert_string_equal(ntsign_ntlmssp_version(got), "anonymous");
	talloc_free(ctx);
}

static void test_cut(void **state)
{
	static const struct {
		const uint8_t *message;
		size_t len;
		size_t least;	/* what it takes to be one */
	} rows[] = {
		{ ntlmssp_negotiate, sizeof(ntlmssp_negotiate), 16 },
		/* the target name ends there */
		{ ntlmssp_challenge, sizeof(ntlmssp_challenge), 0x38 + 18 },
		/* the session key, its last 16 bytes, may be missing */
		{ ntlmssp_authenticate, sizeof(ntlmssp_authenticate),
		  sizeof(ntlmssp_authenticate) - 16 },
	};
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = 0;

		for (len = 0; len <= rows[i].len; len++) {
			struct ntsign_ntlmssp *got =
				parse(NULL, rows[i].message, len);

			if ((got != NULL) != (len >= rows[i].least)) {
				fail_msg("row %zu, %zu bytes: %p", i, len,
					 (void *)got);
			}
			talloc_free(got);
		}
	}
}

static void test_marks(void **state)
{
	uint8_t copy[sizeof(ntlmssp_negotiate)];
	size_t i = 0;

	(void)state;
	for (i = 0; i < 8; i++) {
		memcpy(copy, ntlmssp_negotiate, sizeof(copy));
		copy[i] ^= 0x20;
		assert_null(parse(NULL, copy, sizeof(copy)));
	}
	/* types 0, 4 and one that would be 1 in its lowest byte */
	memcpy(copy, ntlmssp_negotiate, sizeof(copy));
	copy[8] = 0;
	assert_null(parse(NULL, copy, sizeof(copy)));
	copy[8] = 4;
	assert_null(parse(NULL, copy, sizeof(copy)));
	copy[8] = 1;
	copy[11] = 1;
	assert_null(parse(NULL, copy, sizeof(copy)));
}

/* An AUTHENTICATE message of one's own. */
struct maker {
	uint8_t bytes[512];
	size_t len;
};

static void put_field(struct maker *maker, size_t at, const char *data,
		      uint16_t len)
{
	uint8_t *p = maker->bytes + at;

	p[0] = p[2] = len & 0xFF;
	p[1] = p[3] = len >> 8;
	p[4] = maker->len & 0xFF;
	p[5] = (uint8_t)(maker->len >> 8);
	memcpy(maker->bytes + maker->len, data, len);
	maker->len += len;
}

#define TEXT(text) text, sizeof(text) - 1
#define ZEROS "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static const struct {
	const char *what;
	uint32_t flags;
	size_t fixed;		/* length of the fixed part: 64 or 52 */
	const char *lm;
	uint16_t lm_len;
	uint16_t nt_len;
	const char *account;
	uint16_t account_len;
	uint16_t key_len;
	bool anonymous;
	const char *version;
	const char *wanted;	/* the account */
} logons[] = {
	{ "NTLMv2", UNICODE, 64, TEXT(ZEROS), 25, TEXT("a\0b\0"), 16,
	  false, "NTLMv2", "ab" },
	{ "NTLMv1", UNICODE, 64, TEXT(ZEROS), 24, TEXT("a\0"), 0,
	  false, "NTLMv1", "a" },
	{ "NTLMv2 session", UNICODE | ESS, 64, TEXT(ZEROS), 24, TEXT("a\0"),
	  0, false, "NTLMv2 session", "a" },
	{ "NTLMv2 with extended session security", UNICODE | ESS, 64,
	  TEXT(ZEROS), 32, TEXT("a\0"), 0, false, "NTLMv2", "a" },
	{ "LM", UNICODE, 64, TEXT(ZEROS), 0, TEXT("a\0"), 0,
	  false, "LM", "a" },
	{ "OEM", 0, 64, TEXT(ZEROS), 24, TEXT("a\xFC"), 0,
	  false, "NTLMv1", "a\xEF\xBF\xBD" },
	{ "OEM, ended early", 0, 64, TEXT(ZEROS), 24, TEXT("a\0b"), 0,
	  false, "NTLMv1", "a" },
	{ "Windows 9x, no flags", 0, 52, TEXT(ZEROS), 24, TEXT("a"), 0,
	  false, "NTLMv1", "a" },
	{ "Windows 9x, hardly anything", 0, 52, TEXT(""), 0, TEXT("a"), 0,
	  false, "LM", "a" },
	{ "anonymous, nothing", UNICODE, 64, TEXT(""), 0, TEXT(""), 0,
	  true, "anonymous", "" },
	{ "anonymous, one zero byte", UNICODE, 64, TEXT("\0"), 0, TEXT(""),
	  0, true, "anonymous", "" },
	{ "one byte, not zero", UNICODE, 64, TEXT("x"), 0, TEXT(""), 0,
	  false, "LM", "" },
	{ "two zero bytes", UNICODE, 64, TEXT("\0\0"), 0, TEXT(""), 0,
	  false, "LM", "" },
	{ "no name, but a response", UNICODE, 64, TEXT("\0"), 24, TEXT(""),
	  0, false, "NTLMv1", "" },
	{ "a name, but no response", UNICODE, 64, TEXT("\0"), 0, TEXT("a\0"),
	  0, false, "LM", "a" },
};

static struct maker logon_make(size_t i)
{
	struct maker maker = { .len = logons[i].fixed };
	const uint32_t flags = logons[i].flags;
	size_t n = 0;

	memcpy(maker.bytes, "NTLMSSP\0\3\0\0\0", 12);
	put_field(&maker, 12, logons[i].lm, logons[i].lm_len);
	put_field(&maker, 20, ZEROS, logons[i].nt_len);
	put_field(&maker, 28, "", 0);
	put_field(&maker, 36, logons[i].account, logons[i].account_len);
	put_field(&maker, 44, "", 0);
	if (logons[i].fixed == 64) {
		put_field(&maker, 52, ZEROS, logons[i].key_len);
		for (n = 0; n < 4; n++) {
			maker.bytes[60 + n] = (uint8_t)(flags >> (8 * n));
		}
	}
	return maker;
}

static void test_logons(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(logons); i++) {
		struct maker maker = logon_make(i);
		struct ntsign_ntlmssp *got = parse(ctx, maker.bytes,
						   maker.len);
		const char *version = NULL;

		if (got == NULL) {
			fail_msg("%s: not a message", logons[i].what);
		}
		version = ntsign_ntlmssp_version(got);
		if (got->anonymous != logons[i].anonymous ||
		    strcmp(version, logons[i].version) != 0 ||
		    strcmp(got->account, logons[i].wanted) != 0 ||
		    got->flags != logons[i].flags)
		{
			fail_msg("%s: %s, %s, 0x%08X", logons[i].what,
				 version, got->account, got->flags);
		}
		assert_int_equal(got->lm_response_len, logons[i].lm_len);
		assert_int_equal(got->nt_response_len, logons[i].nt_len);
		assert_string_equal(got->domain, "");
		assert_string_equal(got->workstation, "");
	}
	talloc_free(ctx);
}

/* Every pointer of the fixed part, led out of the message. */
static void test_pointers(void **state)
{
	static const struct {
		uint16_t len;
		uint32_t offset;	/* added to the message's length */
		bool good;
	} rows[] = {
		{ 1, (uint32_t)-1, true },
		{ 1, 0, false },
		{ 2, (uint32_t)-1, false },
		{ 0xFFFF, (uint32_t)-1, false },
		{ 1, 1, false },
		{ 0, 1, true },
		{ 0, 0x7FFFFFFF, true },
		{ 1, 0x7FFFFFFF, false },
		/* offset 0xFFFFFFFF: in 32 bits its end would be 0 */
		{ 1, 0xFFFFFFFF - (uint32_t)sizeof(ntlmssp_authenticate),
		  false },
		{ 0xFFFF,
		  0xFFFF0001 - (uint32_t)sizeof(ntlmssp_authenticate),
		  false },
	};
	size_t at = 0;
	size_t i = 0;

	(void)state;
	for (at = 12; at < 52; at += 8) {
		for (i = 0; i < ARRAY_LEN(rows); i++) {
			uint8_t copy[sizeof(ntlmssp_authenticate)];
			uint32_t offset = (uint32_t)sizeof(copy) +
					  rows[i].offset;
			struct ntsign_ntlmssp *got = NULL;
			size_t n = 0;

			memcpy(copy, ntlmssp_authenticate, sizeof(copy));
			copy[at] = rows[i].len & 0xFF;
			copy[at + 1] = rows[i].len >> 8;
			for (n = 0; n < 4; n++) {
				copy[at + 4 + n] =
					(uint8_t)(offset >> (8 * n));
			}
			got = parse(NULL, copy, sizeof(copy));
			if ((got != NULL) != rows[i].good) {
				fail_msg("pointer at %zu, row %zu", at, i);
			}
			talloc_free(got);
		}
	}
}

/* Samba takes an AUTHENTICATE whose session key is out of bounds for one
 * without flags; its text is what the CHALLENGE says. */
static void test_no_flags(void **state)
{
	uint8_t copy[sizeof(ntlmssp_authenticate)];
	struct ntsign_ntlmssp *whole = NULL;
	struct ntsign_ntlmssp *got = NULL;
	size_t zero = 0;

	(void)state;
	whole = parse(NULL, ntlmssp_authenticate, sizeof(copy));
	assert_non_null(whole);
	assert_true(whole->flags & UNICODE);
	for (zero = 0; zero < 2; zero++) {
		memcpy(copy, ntlmssp_authenticate, sizeof(copy));
		if (zero) {
			memset(copy + 60, 0, 4);
		} else {
			memset(copy + 52, 0xFF, 2);
		}
		got = ntsign_ntlmssp_parse(NULL, copy, sizeof(copy), UNICODE);
		assert_non_null(got);
		assert_int_equal(got->flags, 0);
		assert_string_equal(got->account, whole->account);
		talloc_free(got);
		got = ntsign_ntlmssp_parse(NULL, copy, sizeof(copy), 0);
		assert_non_null(got);
		assert_string_not_equal(got->account, whole->account);
		talloc_free(got);
		/* the message's own flags come first */
		got = ntsign_ntlmssp_parse(NULL, ntlmssp_authenticate,
					   sizeof(copy), ESS);
		assert_string_equal(got->account, whole->account);
		talloc_free(got);
	}
	talloc_free(whole);
}

static void test_challenge_pointer(void **state)
{
	uint8_t copy[sizeof(ntlmssp_challenge)];
	struct ntsign_ntlmssp *got = NULL;

	(void)state;
	memcpy(copy, ntlmssp_challenge, sizeof(copy));
	copy[16] = 0xFF;
	assert_null(parse(NULL, copy, sizeof(copy)));
	copy[12] = 0;
	got = parse(NULL, copy, 32);
	assert_non_null(got);
	talloc_free(got);
	assert_null(parse(NULL, copy, 31));
}

/* [MS-NLMP] 3.4.5.3, all combinations of the four flags it asks for. */
static const struct {
	uint32_t flags;
	unsigned int bits;
} keys[] = {
	{ 0, 128 },
	{ B56, 128 },
	{ B128, 128 },
	{ B128 | B56, 128 },
	{ LM_KEY, 40 },
	{ LM_KEY | B56, 56 },
	{ LM_KEY | B128, 40 },
	{ LM_KEY | B128 | B56, 56 },
	{ ESS, 40 },
	{ ESS | B56, 56 },
	{ ESS | B128, 128 },
	{ ESS | B128 | B56, 128 },
	{ ESS | LM_KEY, 40 },
	{ ESS | LM_KEY | B56, 56 },
	{ ESS | LM_KEY | B128, 128 },
	{ ESS | LM_KEY | B128 | B56, 128 },
};

static void test_keys(void **state)
{
	const uint32_t others = ~(uint32_t)(LM_KEY | ESS | B128 | B56);
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(keys); i++) {
		assert_int_equal(ntsign_ntlmssp_key_bits(keys[i].flags),
				 keys[i].bits);
		assert_int_equal(ntsign_ntlmssp_key_bits(keys[i].flags |
							 others),
				 keys[i].bits);
	}
}

static void test_no_memory(void **state)
{
	size_t n = 0;
	bool failed = true;

	(void)state;
	if (!FAILING_MALLOC_WORKS) {
		skip();
	}
	for (n = 0; failed; n++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		struct ntsign_ntlmssp *got = NULL;

		failing_malloc_arm(n);
		got = ntsign_ntlmssp_parse(ctx, ntlmssp_authenticate,
					   sizeof(ntlmssp_authenticate), 0);
		failed = failing_malloc_disarm();
		assert_int_equal(got == NULL, failed);
		if (failed) {
			assert_int_equal(talloc_total_blocks(ctx), 1);
		}
		talloc_free(ctx);
	}
	/* the message and its three texts */
	assert_int_equal(n, 4 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_logons),
		cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_no_flags),
		cmocka_unit_test(test_challenge_pointer),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
