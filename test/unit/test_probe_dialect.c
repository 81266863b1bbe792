/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests the probe's SMB2 NEGOTIATE.
 *
 * Invariant: replies are read from memory of just their size, so that the
 * sanitizers see a step too far.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ntsign/smb2.h"
#include "../../source/tool/probe_bytes.c"
#include "../../source/tool/probe_dialect.c"

/* The answer of a server that speaks 3.1.1. */
static struct ntsign_bytes reply_of(uint16_t dialect)
{
	struct ntsign_bytes b = { .mem_ctx = NULL };

	ntsign_bytes_put(&b, "\xFESMB\x40", 5);
	ntsign_bytes_zero(&b, 59);
	ntsign_bytes_set32(&b, 16, FLAG_REPLY);
	ntsign_bytes_put16(&b, REPLY_SIZE);
	ntsign_bytes_put16(&b, 3);
	ntsign_bytes_put16(&b, dialect);
	ntsign_bytes_put16(&b, 3);
	ntsign_bytes_put(&b, "0123456789abcdef", 16);
	ntsign_bytes_put32(&b, 0x4F);
	ntsign_bytes_put32(&b, 100);
	ntsign_bytes_put32(&b, 200);
	ntsign_bytes_put32(&b, 300);
	ntsign_bytes_zero(&b, 20);
	ntsign_bytes_put32(&b, 128);
	ntsign_bytes_put(&b, "\1\0\6\0\0\0\0\0\1\0\0\0\1\0\0\0", 16);
	ntsign_bytes_put(&b, "\2\0\4\0\0\0\0\0\1\0\4\0\0\0\0\0", 16);
	ntsign_bytes_put(&b, "\x08\0\4\0\0\0\0\0\1\0\2\0", 12);
	assert_false(b.failed);
	return b;
}

static bool parse(const uint8_t *data, size_t len,
		  struct ntsign_dialect_reply *reply)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	bool ok = false;

	memcpy(copy, data, len);
	ok = ntsign_dialect_parse(copy, len, reply);
	free(copy);
	return ok;
}

static void test_reply(void **state)
{
	struct ntsign_bytes b = reply_of(0x0311);
	struct ntsign_dialect_reply r = { .status = 1 };
	size_t len;

	(void)state;
	assert_true(parse(b.data, b.len, &r));
	assert_int_equal(r.status, 0);
	assert_int_equal(r.security_mode, 3);
	assert_int_equal(r.dialect, 0x0311);
	assert_memory_equal(r.guid, "0123456789abcdef", 16);
	assert_int_equal(r.capabilities, 0x4F);
	assert_int_equal(r.max_transact, 100);
	assert_int_equal(r.max_read, 200);
	assert_int_equal(r.max_write, 300);
	assert_int_equal(r.hash, 1);
	assert_int_equal(r.cipher, 4);
	assert_int_equal(r.signing, 2);
	for (len = 0; len < b.len; len++) {
		assert_false(parse(b.data, len, &r));
	}
	TALLOC_FREE(b.data);
}

/* Older dialects have no contexts, whatever stands there. */
static void test_older(void **state)
{
	struct ntsign_bytes b = reply_of(0x0302);
	struct ntsign_dialect_reply r = { .status = 1 };

	(void)state;
	assert_true(parse(b.data, 128, &r));
	assert_int_equal(r.cipher, NTSIGN_DIALECT_NO_ALGORITHM);
	assert_int_equal(r.signing, NTSIGN_DIALECT_NO_ALGORITHM);
	assert_false(parse(b.data, 127, &r));
	TALLOC_FREE(b.data);
}

static void test_changed(void **state)
{
	static const struct {
		size_t at;
		uint16_t value;
	} cases[] = {
		{ 0, 0 },		/* the mark */
		{ 4, 63 },		/* the header's size */
		{ 12, 1 },		/* the command */
		{ 16, 0 },		/* a request */
		{ 64, 64 },		/* the body's size */
		{ 70, 4 },		/* more contexts than there are */
		{ 124, 120 },		/* contexts in the body */
		{ 124, 132 },		/* not at a boundary of 8 bytes */
		{ 126, 0xFFFF },	/* far away */
		{ 130, 0xFFFF },	/* a context that is too long */
		{ 130, 5 },		/* one that is too short */
		{ 136, 0 },		/* no algorithm */
		{ 136, 2 },		/* two */
	};
	struct ntsign_dialect_reply r = { .status = 1 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ntsign_bytes b = reply_of(0x0311);

		ntsign_bytes_set16(&b, cases[i].at, cases[i].value);
		assert_false(parse(b.data, b.len, &r));
		TALLOC_FREE(b.data);
	}
}

static void test_refused(void **state)
{
	struct ntsign_bytes b = reply_of(0x0311);
	struct ntsign_dialect_reply r = { .status = 1 };

	(void)state;
	ntsign_bytes_set32(&b, 8, 0xC00000BB);
	assert_true(parse(b.data, 73, &r));
	assert_int_equal(r.status, 0xC00000BB);
	TALLOC_FREE(b.data);
}

/* Requests are what the module's own parser takes. */
static void test_request(void **state)
{
	static const uint16_t all[] = { 0x0202, 0x0210, 0x0300, 0x0302,
					0x0311 };
	static const uint16_t ciphers[] = { 2, 1 };
	size_t i;

	(void)state;
	for (i = 1; i <= sizeof(all) / sizeof(all[0]); i++) {
		struct ntsign_dialect_offer offer = {
			.dialects = all, .dialect_count = i,
			.ciphers = ciphers, .cipher_count = 2,
			.signings = ciphers, .signing_count = 1,
		};
		struct ntsign_bytes b = { .mem_ctx = NULL };
		struct ntsign_smb2_negotiate *n = NULL;

		ntsign_dialect_request(&b, &offer);
		assert_false(b.failed);
		n = ntsign_smb2_negotiate_parse(NULL, b.data, b.len);
		assert_non_null(n);
		assert_int_equal(n->count, i);
		assert_int_equal(n->dialects[i - 1], all[i - 1]);
		if (i == 5) {
			size_t at = get32(b.data + 92);

			assert_int_equal(at % 8, 0);
			assert_int_equal(get16(b.data + 96), 3);
			assert_int_equal(get16(b.data + at), 1);
			assert_int_equal(get16(b.data + at + 2), 38);
			assert_memory_equal(b.data + at + 48,
					    "\2\0\6\0\0\0\0\0\2\0\2\0\1\0",
					    14);
		}
		talloc_free(n);
		TALLOC_FREE(b.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reply),
		cmocka_unit_test(test_older),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
