/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests the probe's SPNEGO.
 *
 * Invariant: every message that is cut off or changed is read from memory of
 * just its size, so that the sanitizers see a step too far.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../source/tool/probe_bytes.c"
#include "../../source/tool/probe_spnego.c"

/* smbd's answer to a first leg, its NTLMSSP message cut to four bytes */
static const uint8_t real[] = {
	0xA1, 0x1B, 0x30, 0x19,
	0xA0, 0x03, 0x0A, 0x01, 0x01,
	0xA1, 0x0C, 0x06, 0x0A, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37,
	0x02, 0x02, 0x0A,
	0xA2, 0x04, 0x04, 0x02, 'N', 'T',
};
/* what smbclient sends first, the message being "NTLM" */
static const uint8_t init[] = {
	0x60, 0x22, 0x06, 0x06, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x02,
	0xA0, 0x18, 0x30, 0x16,
	0xA0, 0x0E, 0x30, 0x0C, 0x06, 0x0A, 0x2B, 0x06, 0x01, 0x04, 0x01,
	0x82, 0x37, 0x02, 0x02, 0x0A,
	0xA2, 0x04, 0x04, 0x02, 'N', 'T',
};

static bool parse(const uint8_t *data, size_t len,
		  struct ntsign_spnego_reply *reply)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	bool ok = false;

	memcpy(copy, data, len);
	ok = ntsign_spnego_parse(copy, len, reply);
	/* the token lies in the copy */
	reply->token = reply->token != NULL ? data + (reply->token - copy) :
					      NULL;
	free(copy);
	return ok;
}

static void test_real(void **state)
{
	struct ntsign_spnego_reply reply = { .token = NULL };

	(void)state;
	assert_true(parse(real, sizeof(real), &reply));
	assert_int_equal(reply.state, NTSIGN_SPNEGO_INCOMPLETE);
	assert_false(reply.other_mechanism);
	assert_int_equal(reply.token_len, 2);
	assert_memory_equal(reply.token, "NT", 2);
	assert_null(reply.mic);
}

static void test_cut(void **state)
{
	struct ntsign_spnego_reply reply = { .token = NULL };
	uint8_t longer[sizeof(real) + 1] = { 0 };
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(real); len++) {
		assert_false(parse(real, len, &reply));
	}
	memcpy(longer, real, sizeof(real));
	assert_false(parse(longer, sizeof(longer), &reply));
}

#define TOKEN_AT 23

/* A changed length or tag never fits, but that a token may be a signature. */
static void test_changed(void **state)
{
	static const size_t places[] = { 0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11,
					 12, TOKEN_AT, 24, 25, 26 };
	struct ntsign_spnego_reply reply = { .token = NULL };
	size_t i;
	unsigned int value;

	(void)state;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		uint8_t copy[sizeof(real)];

		memcpy(copy, real, sizeof(real));
		for (value = 0; value < 256; value++) {
			bool good = value == real[places[i]] ||
				    (places[i] == TOKEN_AT && value == 0xA3);

			copy[places[i]] = (uint8_t)value;
			assert_int_equal(parse(copy, sizeof(copy), &reply),
					 good);
		}
	}
}

static void test_lengths(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		bool good;
	} cases[] = {
		{ "\xA1\x02\x30\x00", 4, true },
		{ "\xA1\x80\x30\x00\x00\x00", 6, false },
		{ "\xA1\x81\x02\x30\x00", 5, false },
		{ "\xA1\x82\x00\x02\x30\x00", 6, false },
		{ "\xA1\x84\x00\x00\x00\x02\x30\x00", 8, false },
		{ "\xA1\xFF\x30\x00", 4, false },
		{ "\xA1\x83\xFF\xFF\xFF\x30\x00", 7, false },
		{ "\xA1\x07\x30\x05\xA0\x03\x0A\x01\x04", 9, false },
		{ "\xA1\x08\x30\x06\xA0\x04\x0A\x02\x00\x01", 10, false },
		{ "\xA1\x09\x30\x07\xA0\x05\x0A\x01\x01\x0A\x00", 11, false },
	};
	struct ntsign_spnego_reply reply = { .token = NULL };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse((const uint8_t *)cases[i].data,
				       cases[i].len, &reply),
				 cases[i].good);
	}
}

static void test_init(void **state)
{
	struct ntsign_bytes out = { .mem_ctx = NULL };

	(void)state;
	ntsign_spnego_init(&out, (const uint8_t *)"NT", 2);
	assert_false(out.failed);
	assert_int_equal(out.len, sizeof(init));
	assert_memory_equal(out.data, init, sizeof(init));
	TALLOC_FREE(out.data);
}

/* What is written is read again, whatever length its lengths take. */
static void test_round_trip(void **state)
{
	static const size_t lengths[] = { 0, 1, 100, 127, 128, 240, 255, 256,
					  1000, 60000 };
	static uint8_t token[60000];
	static const uint8_t mic[16] = { 1 };
	size_t i;

	(void)state;
	for (i = 0; i < 2 * sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct ntsign_bytes out = { .mem_ctx = NULL };
		struct ntsign_spnego_reply reply = { .token = NULL };
		const uint8_t *with = i % 2 == 0 ? mic : NULL;

		ntsign_spnego_answer(&out, token, lengths[i / 2], with);
		assert_false(out.failed);
		assert_true(ntsign_spnego_parse(out.data, out.len, &reply));
		assert_int_equal(reply.state, NTSIGN_SPNEGO_NONE);
		assert_int_equal(reply.token_len, lengths[i / 2]);
		assert_int_equal(reply.mic_len, with != NULL ? 16 : 0);
		TALLOC_FREE(out.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
