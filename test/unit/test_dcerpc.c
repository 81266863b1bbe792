/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests how DCE/RPC PDUs are taken apart: whole, cut, with every number that
 * matters exchanged, in both byte orders.
 *
 * Invariant: every PDU is handed over in memory of its exact length, so that
 * a sanitizer or valgrind sees any byte read behind it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ntsign/dcerpc.h"
#include "pdus.h"

#define ONLY (NTSIGN_DCERPC_FIRST | NTSIGN_DCERPC_LAST)

static uint8_t *exact(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, data, len);
	return copy;
}

/* The parts of the PDU that point into it are compared, not kept. */
static bool parse(const uint8_t *data, size_t len,
		  struct ntsign_dcerpc_pdu *pdu, const void *body,
		  size_t body_len)
{
	uint8_t *copy = exact(data, len);
	bool good = ntsign_dcerpc_parse(copy, len, pdu);

	if (good) {
		assert_int_equal(pdu->body_len, body_len);
		assert_memory_equal(pdu->body, body, body_len);
	}
	free(copy);
	return good;
}

static void test_request(void **state)
{
	struct pdu pdu = pdu_request(ONLY, 7, 3, 15, "stub", 4);
	struct ntsign_dcerpc_pdu got;
	size_t n = 0;

	(void)state;
	assert_true(parse(pdu.data, pdu.len, &got, "stub", 4));
	assert_int_equal(got.type, NTSIGN_DCERPC_REQUEST);
	assert_int_equal(got.flags, ONLY);
	assert_int_equal(got.call_id, 7);
	assert_int_equal(got.context, 3);
	assert_int_equal(got.opnum, 15);
	assert_false(got.big_endian);
	assert_false(got.auth.present);
	for (n = 0; n < pdu.len; n++) {
		assert_false(parse(pdu.data, n, &got, NULL, 0));
	}
	/* a header that does not say how long it is */
	pdu.len++;
	assert_false(parse(pdu.data, pdu.len, &got, NULL, 0));
	assert_int_equal(got.call_id, 7);

	pdu = pdu_start(NTSIGN_DCERPC_REQUEST, ONLY, 1);
	pdu_add(&pdu, "1234567", 7);
	assert_false(parse(pdu.data, pdu.len, &got, NULL, 0));
	pdu_add(&pdu, "8", 1);
	assert_true(parse(pdu.data, pdu.len, &got, "", 0));
}

static void test_object(void **state)
{
	struct pdu pdu = pdu_request(ONLY | NTSIGN_DCERPC_OBJECT, 7, 3, 15,
				     "0123456789abcdefstub", 20);
	struct ntsign_dcerpc_pdu got;

	(void)state;
	assert_true(parse(pdu.data, pdu.len, &got, "stub", 4));
	pdu = pdu_request(ONLY | NTSIGN_DCERPC_OBJECT, 7, 3, 15,
			  "0123456789abcde", 15);
	assert_false(parse(pdu.data, pdu.len, &got, NULL, 0));
}

static void test_big_endian(void **state)
{
	static const uint8_t request[] = {
		5, 0, 0, 3, 0, 0, 0, 0, 0, 44, 0, 8, 0, 0, 1, 2,
		0, 0, 0, 4, 0, 5, 0, 6, 'a', 'b', 'c', 0xFF,
		10, 5, 1, 0, 1, 2, 3, 4, 't', 'o', 'k', 'e', 'n', 0, 0, 0,
	};
	struct ntsign_dcerpc_pdu got;

	(void)state;
	assert_true(parse(request, sizeof(request), &got, "abc", 3));
	assert_true(got.big_endian);
	assert_int_equal(got.call_id, 0x102);
	assert_int_equal(got.context, 5);
	assert_int_equal(got.opnum, 6);
	assert_true(got.auth.present);
	assert_int_equal(got.auth.type, 10);
	assert_int_equal(got.auth.level, 5);
	assert_int_equal(got.auth.context, 0x01020304);
	assert_int_equal(got.auth.token_len, 8);
}

static void test_trailer(void **state)
{
	struct pdu pdu = pdu_request(ONLY, 1, 0, 0, "stub", 4);
	struct ntsign_dcerpc_pdu got;

	(void)state;
	pdu_auth(&pdu, 9, 6, 77, "token", 5, 12);
	assert_true(parse(pdu.data, pdu.len, &got, "stub", 4));
	assert_int_equal(got.auth.context, 77);
	/* more padding than there is stub */
	pdu.data[24 + 16 + 2] = 17;
	assert_false(parse(pdu.data, pdu.len, &got, NULL, 0));
	pdu.data[24 + 16 + 2] = 16;
	assert_true(parse(pdu.data, pdu.len, &got, "", 0));
	/* a longer token than there is room for */
	pdu_put16(pdu.data + 10, 22);
	assert_false(parse(pdu.data, pdu.len, &got, NULL, 0));
	pdu_put16(pdu.data + 10, 0xFFFF);
	assert_false(parse(pdu.data, pdu.len, &got, NULL, 0));
}

static const struct {
	unsigned int offset;
	uint8_t value;
	bool good;
} heads[] = {
	{ 0, 4, false }, { 0, 6, false },	/* version */
	{ 1, 1, true }, { 1, 2, false },
	{ 2, 0xFF, true },			/* type: the caller's */
	{ 4, 0x00, false },			/* big-endian: its length */
	{ 4, 0x11, false }, { 4, 0x20, false },	/* EBCDIC, no order */
	{ 5, 1, false },			/* not IEEE */
	{ 6, 1, true }, { 7, 1, true },		/* reserved */
	{ 8, 15, false }, { 8, 16, true },	/* length */
};

static void test_next(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct pdu pdu = pdu_start(NTSIGN_DCERPC_CO_CANCEL, ONLY, 1);
		size_t len = 0;
		enum ntsign_dcerpc_next next;

		assert_int_equal(ntsign_dcerpc_next(pdu.data, 15, &len),
				 NTSIGN_DCERPC_MORE);
		pdu.data[heads[i].offset] = heads[i].value;
		next = ntsign_dcerpc_next(pdu.data, 16, &len);
		/* 16 bytes are 0x1000 in the other order: not all here */
		if (heads[i].offset == 4 && heads[i].value == 0) {
			assert_int_equal(next, NTSIGN_DCERPC_PDU);
			assert_int_equal(len, 0x1000);
			continue;
		}
		assert_int_equal(next, heads[i].good ? NTSIGN_DCERPC_PDU :
						       NTSIGN_DCERPC_NONE);
		if (heads[i].good) {
			assert_int_equal(len, 16);
		}
	}
}

struct seen {
	struct {
		uint16_t id;
		enum ntsign_dcerpc_use use;
	} list[8];
	size_t count;
	size_t stop;		/* false at the one with this number */
};

static bool note(void *private_data, uint16_t id, enum ntsign_dcerpc_use use)
{
	struct seen *seen = private_data;

	assert_true(seen->count < 8);
	seen->list[seen->count].id = id;
	seen->list[seen->count].use = use;
	seen->count++;
	return seen->count != seen->stop;
}

static bool contexts(const struct pdu *pdu, struct seen *seen)
{
	uint8_t *copy = exact(pdu->data, pdu->len);
	struct ntsign_dcerpc_pdu got;
	bool good = false;

	seen->count = 0;
	assert_true(ntsign_dcerpc_parse(copy, pdu->len, &got));
	good = ntsign_dcerpc_contexts(&got, note, seen);
	free(copy);
	return good;
}

static void test_contexts(void **state)
{
	struct pdu bind = pdu_bind(NTSIGN_DCERPC_BIND);
	struct seen seen = { .stop = 0 };
	size_t whole = 0;
	size_t n = 0;

	(void)state;
	assert_true(contexts(&bind, &seen));
	assert_int_equal(seen.count, 0);
	pdu_context(&bind, 5, SYNTAX_WINREG, SYNTAX_NDR, NULL);
	pdu_context(&bind, 6, SYNTAX_WINREG, SYNTAX_NDR64, NULL);
	pdu_context(&bind, 7, SYNTAX_SRVSVC, SYNTAX_NDR, NULL);
	pdu_context(&bind, 0xFFFF, SYNTAX_WINREG, SYNTAX_NDR64, SYNTAX_NDR);
	whole = bind.len;
	pdu_auth(&bind, 10, 6, 0, "token", 5, 0);
	assert_true(contexts(&bind, &seen));
	assert_int_equal(seen.count, 4);
	assert_int_equal(seen.list[0].id, 5);
	assert_int_equal(seen.list[0].use, NTSIGN_DCERPC_WINREG);
	assert_int_equal(seen.list[1].use, NTSIGN_DCERPC_WINREG_UNREADABLE);
	assert_int_equal(seen.list[2].use, NTSIGN_DCERPC_OTHER);
	assert_int_equal(seen.list[3].id, 0xFFFF);
	assert_int_equal(seen.list[3].use, NTSIGN_DCERPC_WINREG);

	seen.stop = 2;
	assert_false(contexts(&bind, &seen));
	assert_int_equal(seen.count, 2);
	seen.stop = 0;
	/* without the trailer, cut off anywhere */
	pdu_put16(bind.data + 10, 0);
	for (n = 16; n < whole; n++) {
		bind.len = n;
		pdu_put16(bind.data + 8, (unsigned int)n);
		assert_false(contexts(&bind, &seen));
	}
}

static void test_contexts_big_endian(void **state)
{
	static const uint8_t bind[] = {
		5, 0, 11, 3, 0, 0, 0, 0, 0, 72, 0, 0, 0, 0, 0, 1,
		0x10, 0xB8, 0x10, 0xB8, 0, 0, 0, 0, 1, 0, 0, 0,
		0x12, 0x34, 1, 0,
		0x33, 0x8C, 0xD0, 0x01, 0x22, 0x44, 0x31, 0xF1,
		0xAA, 0xAA, 0x90, 0x00, 0x38, 0x00, 0x10, 0x03, 0, 0, 0, 1,
		0x8A, 0x88, 0x5D, 0x04, 0x1C, 0xEB, 0x11, 0xC9,
		0x9F, 0xE8, 0x08, 0x00, 0x2B, 0x10, 0x48, 0x60, 0, 0, 0, 2,
	};
	/* each part of the UUID counts */
	static const unsigned int parts[] = { 32, 36, 38, 40 };
	struct seen seen = { .stop = 0 };
	struct pdu pdu = { .len = sizeof(bind) };
	size_t i = 0;

	(void)state;
	memcpy(pdu.data, bind, sizeof(bind));
	assert_true(contexts(&pdu, &seen));
	assert_int_equal(seen.list[0].id, 0x1234);
	assert_int_equal(seen.list[0].use, NTSIGN_DCERPC_WINREG);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		pdu.data[parts[i]] ^= 1;
		assert_true(contexts(&pdu, &seen));
		assert_int_equal(seen.list[0].use, NTSIGN_DCERPC_OTHER);
		pdu.data[parts[i]] ^= 1;
	}
}

static void test_fault(void **state)
{
	static const uint8_t wanted[NTSIGN_DCERPC_FAULT_LEN] = {
		5, 0, 3, 0x23, 0x10, 0, 0, 0, 32, 0, 0, 0, 4, 3, 2, 1,
		0, 0, 0, 0, 6, 5, 0, 0, 0xF7, 6, 0, 0, 0, 0, 0, 0,
	};
	const struct ntsign_dcerpc_pdu request = {
		.call_id = 0x01020304, .context = 0x0506, .big_endian = true,
	};
	uint8_t fault[NTSIGN_DCERPC_FAULT_LEN];

	(void)state;
	ntsign_dcerpc_fault(&request, NTSIGN_DCERPC_FAULT_NDR, fault);
	assert_memory_equal(fault, wanted, sizeof(wanted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_object),
		cmocka_unit_test(test_big_endian),
		cmocka_unit_test(test_trailer),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_contexts),
		cmocka_unit_test(test_contexts_big_endian),
		cmocka_unit_test(test_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
