/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests the judge of remote registry requests with good ones of every
 * operation, cut, lengthened and with numbers exchanged, and 100,000 random
 * changes of one against a second way of telling.
 *
 * Invariant: every stub is handed over in memory of its exact length, so that
 * a sanitizer or valgrind sees any byte read behind it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ntsign/winreg.h"
#include "winreg_stubs.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define STUB_MAX 512

static enum ntsign_winreg_fault judge(uint16_t opnum, bool big_endian,
				      const uint8_t *stub, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	enum ntsign_winreg_fault fault;

	assert_non_null(copy);
	memcpy(copy, stub, len);
	fault = ntsign_winreg_judge(opnum, big_endian, copy, len);
	free(copy);
	return fault;
}

static size_t from_hex(const char *hex, uint8_t bytes[STUB_MAX])
{
	size_t len = strlen(hex) / 2;
	size_t i = 0;

	assert_true(len <= STUB_MAX);
	for (i = 0; i < len; i++) {
		char digits[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return len;
}

static void check(const char *name, enum ntsign_winreg_fault got,
		  enum ntsign_winreg_fault wanted)
{
	if (got != wanted) {
		fail_msg("%s: %d, should be %d", name, got, wanted);
	}
}

static void test_good(void **state)
{
	bool seen[NTSIGN_WINREG_OPNUMS] = { false };
	uint8_t stub[STUB_MAX];
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(winreg_stubs); i++) {
		const struct winreg_stub *s = &winreg_stubs[i];
		size_t len = from_hex(s->hex, stub);

		check(s->name, judge(s->opnum, s->big_endian, stub, len),
		      NTSIGN_WINREG_GOOD);
		seen[s->opnum] = true;
	}
	for (i = 0; i < NTSIGN_WINREG_OPNUMS; i++) {
		assert_true(seen[i]);
	}
}

/* Cut off anywhere no request decodes; with more behind it, it is too long. */
static void test_lengths(void **state)
{
	uint8_t stub[STUB_MAX + 8] = { 0 };
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(winreg_stubs); i++) {
		const struct winreg_stub *s = &winreg_stubs[i];
		size_t len = from_hex(s->hex, stub);
		size_t n = 0;

		for (n = 0; n < len; n++) {
			check(s->name, judge(s->opnum, s->big_endian, stub, n),
			      NTSIGN_WINREG_BAD_STUB);
		}
		memset(stub + len, 0, 8);
		for (n = 1; n <= 8; n++) {
			check(s->name,
			      judge(s->opnum, s->big_endian, stub, len + n),
			      NTSIGN_WINREG_MORE);
		}
	}
}

static void test_operations(void **state)
{
	uint8_t stub[STUB_MAX] = { 0 };

	(void)state;
	assert_int_equal(judge(NTSIGN_WINREG_OPNUMS, false, stub, 0),
			 NTSIGN_WINREG_BAD_OPNUM);
	assert_int_equal(judge(0xFFFF, false, stub, sizeof(stub)),
			 NTSIGN_WINREG_BAD_OPNUM);
}

static void test_faults(void **state)
{
	unsigned int i = 0;

	(void)state;
	assert_null(ntsign_winreg_reason(NTSIGN_WINREG_GOOD));
	assert_int_equal(ntsign_winreg_status(NTSIGN_WINREG_GOOD), 0);
	for (i = 1; i < NTSIGN_WINREG_FAULT_COUNT; i++) {
		assert_true(strlen(ntsign_winreg_reason(i)) > 10);
		assert_true(ntsign_winreg_status(i) != 0);
	}
	assert_int_equal(ntsign_winreg_status(NTSIGN_WINREG_BAD_OPNUM),
			 0x1C010002);
	assert_int_equal(ntsign_winreg_status(NTSIGN_WINREG_BAD_PDU),
			 0x1C01000B);
	assert_int_equal(ntsign_winreg_status(NTSIGN_WINREG_OVER_MAXIMUM),
			 0x6F7);
}

static void put16(uint8_t *p, unsigned int value, bool big_endian)
{
	p[big_endian ? 1 : 0] = (uint8_t)(value & 0xFF);
	p[big_endian ? 0 : 1] = (uint8_t)(value >> 8 & 0xFF);
}

static void put32(uint8_t *p, uint32_t value, bool big_endian)
{
	put16(p + (big_endian ? 2 : 0), value & 0xFFFF, big_endian);
	put16(p + (big_endian ? 0 : 2), value >> 16, big_endian);
}

/* A request of that name and byte order. */
static size_t find_stub(const char *name, bool big_endian, uint8_t *stub,
			uint16_t *opnum)
{
	size_t i = 0;

	for (i = 0; i < ARRAY_LEN(winreg_stubs); i++) {
		if (strcmp(winreg_stubs[i].name, name) == 0 &&
		    winreg_stubs[i].big_endian == big_endian)
		{
			*opnum = winreg_stubs[i].opnum;
			return from_hex(winreg_stubs[i].hex, stub);
		}
	}
	fail_msg("no stub %s", name);
	return 0;
}

/* Numbers exchanged in good requests: what each comes to. */
static const struct {
	const char *name;
	const char *stub;
	struct {
		unsigned int offset;	/* 0: no more */
		unsigned int size;
		uint32_t value;
	} numbers[4];
	enum ntsign_winreg_fault fault;
} changes[] = {
#define LENGTH 20, 2
#define MAXIMUM_LENGTH 22, 2
#define POINTER 24, 4
#define MAX_COUNT 28, 4
#define OFFSET 32, 4
#define ACTUAL 36, 4
	/* "SOFTWARE" and its terminator: 18 bytes, 9 characters */
	{ "without the terminator", "OpenKey", { { LENGTH, 16 } },
	  NTSIGN_WINREG_GOOD },
	{ "room", "OpenKey", { { MAXIMUM_LENGTH, 0xFFFE } },
	  NTSIGN_WINREG_GOOD },
	{ "an odd MaximumLength", "OpenKey", { { MAXIMUM_LENGTH, 19 } },
	  NTSIGN_WINREG_GOOD },
	{ "a large maximum count", "OpenKey", { { MAX_COUNT, 0xFFFFFFFF } },
	  NTSIGN_WINREG_GOOD },
	{ "any pointer", "OpenKey", { { POINTER, 1 } }, NTSIGN_WINREG_GOOD },
	{ "MS00-040", "OpenKey", { { LENGTH, 0xFFFF },
	  { MAXIMUM_LENGTH, 0x20A }, { MAX_COUNT, 0x105 } },
	  NTSIGN_WINREG_OVER_MAXIMUM },
	{ "over by one", "OpenKey", { { MAXIMUM_LENGTH, 17 } },
	  NTSIGN_WINREG_OVER_MAXIMUM },
	{ "odd", "OpenKey", { { LENGTH, 17 } }, NTSIGN_WINREG_ODD },
	{ "two too few", "OpenKey", { { LENGTH, 14 } },
	  NTSIGN_WINREG_NOT_COUNT },
	{ "none", "OpenKey", { { LENGTH, 0 } }, NTSIGN_WINREG_NOT_COUNT },
	{ "one too many", "OpenKey", { { LENGTH, 20 },
	  { MAXIMUM_LENGTH, 20 } }, NTSIGN_WINREG_NOT_COUNT },
	{ "actual over maximum", "OpenKey", { { MAX_COUNT, 8 } },
	  NTSIGN_WINREG_COUNT_OVER },
	{ "an offset", "OpenKey", { { OFFSET, 1 } }, NTSIGN_WINREG_OFFSET },
	{ "actual past the end", "OpenKey", { { MAX_COUNT, 0x7FFFFFFF },
	  { ACTUAL, 0x7FFFFFFF } }, NTSIGN_WINREG_BAD_STUB },
	{ "actual that overflows", "OpenKey", { { MAX_COUNT, 0xFFFFFFFF },
	  { ACTUAL, 0xFFFFFFFF } }, NTSIGN_WINREG_BAD_STUB },
	{ "no terminator", "OpenKey", { { 56, 2, 'X' } },
	  NTSIGN_WINREG_BAD_STUB },
	{ "half a terminator", "OpenKey", { { 56, 2, 0x0100 } },
	  NTSIGN_WINREG_BAD_STUB },
	{ "a length of nothing", "QueryInfoKey null", { { LENGTH, 2 },
	  { MAXIMUM_LENGTH, 2 } }, NTSIGN_WINREG_NOT_COUNT },
	{ "room for nothing", "QueryInfoKey null", { { MAXIMUM_LENGTH, 512 } },
	  NTSIGN_WINREG_GOOD },

	/* "abc" with room for 512 bytes, behind the index */
	{ "a buffer with less room than it says", "EnumValue null",
	  { { 32, 4, 255 } }, NTSIGN_WINREG_BAD_STUB },
	{ "a buffer's length, two more", "EnumValue null", { { 24, 2, 10 } },
	  NTSIGN_WINREG_NOT_COUNT },
	{ "a buffer's length over its room", "EnumValue null",
	  { { 24, 2, 514 } }, NTSIGN_WINREG_OVER_MAXIMUM },
	{ "a buffer's offset", "EnumValue null", { { 36, 4, 2 } },
	  NTSIGN_WINREG_OFFSET },

	/* data: pointer 56, counts 60 to 71, 4 bytes, pointers and numbers */
	{ "EnumValue: another size", "EnumValue", { { 80, 4, 5 } },
	  NTSIGN_WINREG_BAD_STUB },
	{ "EnumValue: another length", "EnumValue", { { 88, 4, 3 } },
	  NTSIGN_WINREG_BAD_STUB },
	{ "EnumValue: an offset", "EnumValue", { { 64, 4, 1 } },
	  NTSIGN_WINREG_BAD_STUB },
	{ "EnumValue: actual over maximum", "EnumValue", { { 68, 4, 5 } },
	  NTSIGN_WINREG_BAD_STUB },

	/* sd: pointer 24, size 28, len 32, counts 36 to 47 */
	{ "a descriptor of another size", "SetKeySecurity", { { 28, 4, 17 } },
	  NTSIGN_WINREG_BAD_STUB },
	{ "a descriptor of another length", "SetKeySecurity",
	  { { 32, 4, 3 } }, NTSIGN_WINREG_BAD_STUB },

	/* "name": data's count 56, 5 bytes, size 68 */
	{ "data of another size", "SetValue", { { 68, 4, 6 } },
	  NTSIGN_WINREG_BAD_STUB },
	{ "data past the end", "SetValue", { { 56, 4, 6 } },
	  NTSIGN_WINREG_BAD_STUB },

	/* counts 20 to 31, two structures of 16 bytes, their names */
	{ "values: fewer than there is room for",
	  "QueryMultipleValues", { { 20, 4, 3 } }, NTSIGN_WINREG_BAD_STUB },
	{ "values: an offset", "QueryMultipleValues", { { 24, 4, 1 } },
	  NTSIGN_WINREG_BAD_STUB },
	{ "values: too many", "QueryMultipleValues", { { 20, 4, 0xFFFFFFF },
	  { 28, 4, 0xFFFFFFF } }, NTSIGN_WINREG_BAD_STUB },
	{ "values: a name over its room", "QueryMultipleValues",
	  { { 64, 2, 6 } }, NTSIGN_WINREG_OVER_MAXIMUM },
	{ "values: no name, and another number", "QueryMultipleValues null",
	  { { 32, 4, 0 } }, NTSIGN_WINREG_BAD_STUB },
	{ "values: less in the buffer than it has room for",
	  "QueryMultipleValues2", { { 132, 4, 4 }, { 140, 4, 5 } },
	  NTSIGN_WINREG_BAD_STUB },
	{ "values: another number", "QueryMultipleValues null",
	  { { 72, 4, 2 } }, NTSIGN_WINREG_BAD_STUB },
};

static void test_changes(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < 2 * ARRAY_LEN(changes); i++) {
		bool big_endian = i % 2 != 0;
		uint8_t stub[STUB_MAX];
		uint16_t opnum = 0;
		size_t len = find_stub(changes[i / 2].stub, big_endian, stub,
				       &opnum);
		size_t n = 0;

		for (n = 0; n < 4 && changes[i / 2].numbers[n].size != 0;
		     n++)
		{
			uint8_t *at = stub + changes[i / 2].numbers[n].offset;
			uint32_t value = changes[i / 2].numbers[n].value;

			if (changes[i / 2].numbers[n].size == 2) {
				put16(at, value, big_endian);
			} else {
				put32(at, value, big_endian);
			}
		}
		check(changes[i / 2].name,
		      judge(opnum, big_endian, stub, len),
		      changes[i / 2].fault);
	}
}

/* [MS-RPCE] 2.2.2.13: what a client that signs puts behind its stub. */
static void test_verification_trailer(void **state)
{
	static const uint8_t mark[8] = {
		0x8A, 0xE3, 0x13, 0x71, 0x02, 0xF4, 0x36, 0x71,
	};
	/* a bitmask, then a context, the last one */
	static const uint8_t commands[] = {
		0x01, 0x00, 0x04, 0x00, 1, 0, 0, 0,
		0x02, 0x40, 0x02, 0x00, 0, 0,
	};
	uint8_t stub[STUB_MAX] = { 0 };
	uint16_t opnum = 0;
	size_t len = find_stub("OpenKey", false, stub, &opnum);
	size_t all = len + sizeof(mark) + sizeof(commands);
	size_t n = 0;

	(void)state;
	memcpy(stub + len, mark, sizeof(mark));
	memcpy(stub + len + sizeof(mark), commands, sizeof(commands));
	assert_int_equal(judge(opnum, false, stub, all), NTSIGN_WINREG_GOOD);
	for (n = len + 1; n < all; n++) {
		assert_int_equal(judge(opnum, false, stub, n),
				 NTSIGN_WINREG_MORE);
	}
	assert_int_equal(judge(opnum, false, stub, all + 1),
			 NTSIGN_WINREG_MORE);
	/* none is the last */
	stub[len + 17] = 0;
	assert_int_equal(judge(opnum, false, stub, all), NTSIGN_WINREG_MORE);
	stub[len + 17] = 0x40;
	stub[len] ^= 1;
	assert_int_equal(judge(opnum, false, stub, all), NTSIGN_WINREG_MORE);

	/* behind a number of one byte it is aligned */
	len = find_stub("InitiateSystemShutdown", false, stub, &opnum);
	memset(stub + len, 0, 3);
	n = (len + 3) & ~(size_t)3;
	assert_true(n != len);
	memcpy(stub + n, mark, sizeof(mark));
	memcpy(stub + n + sizeof(mark), commands, sizeof(commands));
	n += sizeof(mark) + sizeof(commands);
	assert_int_equal(judge(opnum, false, stub, n), NTSIGN_WINREG_GOOD);
}

static uint32_t random_state = 264684;

static uint32_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

/*
 * A second way of telling, for OpenKey in little-endian only: numbers at the
 * places where they have to be, as section 5 of the contract lists them.
 */
static bool open_key_good(const uint8_t *stub, size_t len)
{
	uint32_t length, maximum_length, maximum, actual;
	size_t end = 0;

	if (len < 28) {
		return false;
	}
	length = stub[20] | (uint32_t)stub[21] << 8;
	maximum_length = stub[22] | (uint32_t)stub[23] << 8;
	if (length > maximum_length || length % 2 != 0) {
		return false;
	}
	if (memcmp(stub + 24, "\0\0\0\0", 4) == 0) {
		return length == 0 && len == 36;
	}
	if (len < 40 || memcmp(stub + 32, "\0\0\0\0", 4) != 0) {
		return false;
	}
	maximum = stub[28] | (uint32_t)stub[29] << 8 |
		(uint32_t)stub[30] << 16 | (uint32_t)stub[31] << 24;
	actual = stub[36] | (uint32_t)stub[37] << 8 |
		(uint32_t)stub[38] << 16 | (uint32_t)stub[39] << 24;
	if (actual > maximum || actual > (len - 40) / 2) {
		return false;
	}
	end = 40 + (size_t)actual * 2;
	if (actual != 0 && (stub[end - 1] != 0 || stub[end - 2] != 0)) {
		return false;
	}
	if (length != actual * 2 && length + 2 != actual * 2) {
		return false;
	}
	return len == (end + 3) / 4 * 4 + 8;
}

static void test_random(void **state)
{
	uint8_t good[STUB_MAX] = { 0 };
	uint16_t opnum = 0;
	size_t good_len = find_stub("OpenKey", false, good, &opnum);
	unsigned int malformed = 0;
	unsigned int i = 0;

	(void)state;
	for (i = 0; i < 100000; i++) {
		uint8_t stub[STUB_MAX];
		size_t len = good_len;
		unsigned int n = random_next() % 3;
		bool is_good = false;

		memcpy(stub, good, sizeof(stub));
		do {
			/* mostly the numbers */
			size_t at = 20 + random_next() %
				(random_next() % 4 == 0 ? len - 20 : 20);

			stub[at] = random_next() % 2 == 0 ?
				(uint8_t)random_next() :
				(uint8_t)(stub[at] + random_next() % 5 - 2);
		} while (n-- != 0);
		if (random_next() % 8 == 0) {
			len = random_next() % (len + 9);
		}
		is_good = open_key_good(stub, len);
		malformed += is_good ? 0 : 1;
		if ((judge(opnum, false, stub, len) == NTSIGN_WINREG_GOOD) !=
		    is_good)
		{
			fail_msg("change %u: %d, should be %s", i,
				 judge(opnum, false, stub, len),
				 is_good ? "good" : "malformed");
		}
	}
	/* of both there are enough to tell */
	assert_in_range(malformed, 10000, 95000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_operations),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_verification_trailer),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
