/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests that client-chosen text comes out as valid UTF-8 of bounded length.
 *
 * Invariant: what is wanted is written out byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ntsign/text.h"
#include "failing_malloc.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define BYTES(text) text, sizeof(text) - 1
#define BAD "\xEF\xBF\xBD"

static const struct {
	const char *data;
	size_t len;
	const char *wanted;
} bytes[] = {
	{ BYTES(""), "" },
	{ BYTES("Windows 2000 2195"), "Windows 2000 2195" },
	{ BYTES("a\0b"), "a" },
	{ BYTES("\0b"), "" },
	{ BYTES("\x01\x7F\n\"\\"), "\x01\x7F\n\"\\" },
	/* well-formed: the first and last of each length */
	{ BYTES("\xC2\x80\xDF\xBF"), "\xC2\x80\xDF\xBF" },
	{ BYTES("\xE0\xA0\x80\xEF\xBF\xBF"), "\xE0\xA0\x80\xEF\xBF\xBF" },
	{ BYTES("\xED\x9F\xBF\xEE\x80\x80"), "\xED\x9F\xBF\xEE\x80\x80" },
	{ BYTES("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"),
	  "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF" },
	/* overlong */
	{ BYTES("\xC0\x80"), BAD BAD },
	{ BYTES("\xC1\xBF"), BAD BAD },
	{ BYTES("\xE0\x9F\xBF"), BAD BAD BAD },
	{ BYTES("\xF0\x8F\xBF\xBF"), BAD BAD BAD BAD },
	/* surrogates, beyond the last character */
	{ BYTES("\xED\xA0\x80"), BAD BAD BAD },
	{ BYTES("\xED\xBF\xBF"), BAD BAD BAD },
	{ BYTES("\xF4\x90\x80\x80"), BAD BAD BAD BAD },
	{ BYTES("\xF8\x88\x80\x80\x80"), BAD BAD BAD BAD BAD },
	{ BYTES("\xFF"), BAD },
	/* alone, cut off, interrupted */
	{ BYTES("\x80"), BAD },
	{ BYTES("M\xFCller"), "M" BAD "ller" },
	{ BYTES("\xC3"), BAD },
	{ BYTES("\xE2\x82"), BAD BAD },
	{ BYTES("\xF0\x9F\x98"), BAD BAD BAD },
	{ BYTES("\xE2\x82x"), BAD BAD "x" },
	{ BYTES("\xE2\x28\xA1"), BAD "(" BAD },
	{ BYTES("\xC3\0\xA4"), BAD },
};

static void test_bytes(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bytes); i++) {
		char *got = ntsign_text_bytes(ctx,
					      (const uint8_t *)bytes[i].data,
					      bytes[i].len);

		assert_string_equal(got, bytes[i].wanted);
		assert_ptr_equal(talloc_parent(got), ctx);
	}
	talloc_free(ctx);
}

/* Every text of two characters that begins with any byte, against what a
 * byte-wise reading of the Unicode standard's table 3-7 says. */
static void test_bytes_pairs(void **state)
{
	unsigned int pair = 0;

	(void)state;
	for (pair = 0x0101; pair <= 0xFFFF; pair++) {
		const uint8_t data[2] = { pair >> 8, pair & 0xFF };
		char wanted[8] = "";
		size_t len = 0;
		size_t i = 0;
		char *got = NULL;

		if (data[0] == 0 || data[1] == 0) {
			continue;
		}
		if (data[0] >= 0xC2 && data[0] <= 0xDF &&
		    data[1] >= 0x80 && data[1] <= 0xBF)
		{
			memcpy(wanted, data, 2);
		} else {
			for (i = 0; i < 2; i++) {
				if (data[i] < 0x80) {
					wanted[len++] = (char)data[i];
				} else {
					memcpy(wanted + len, BAD, 3);
					len += 3;
				}
			}
		}
		got = ntsign_text_bytes(NULL, data, 2);
		assert_string_equal(got, wanted);
		talloc_free(got);
	}
}

static const struct {
	const char *data;
	size_t len;
	const char *wanted;
} utf16[] = {
	{ BYTES(""), "" },
	{ BYTES("a"), "" },
	{ BYTES("a\0b\0"), "ab" },
	{ BYTES("a\0b\0c"), "ab" },
	{ BYTES("a\0\0\0b\0"), "a" },
	{ BYTES("\0\1"), "\xC4\x80" },
	{ BYTES("\x7F\0\x80\0\xFF\x07\0\x08"), "\x7F\xC2\x80\xDF\xBF"
					       "\xE0\xA0\x80" },
	{ BYTES("\xFF\xD7\0\xE0\xFF\xFF"),
	  "\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF" },
	/* the first and last pairs */
	{ BYTES("\0\xD8\0\xDC"), "\xF0\x90\x80\x80" },
	{ BYTES("\xFF\xDB\xFF\xDF"), "\xF4\x8F\xBF\xBF" },
	{ BYTES("\x3D\xD8\0\xDE"), "\xF0\x9F\x98\x80" },
	/* alone: high at the end, high in front of another, low */
	{ BYTES("\0\xD8"), BAD },
	{ BYTES("\0\xD8\0"), BAD },
	{ BYTES("\0\xD8x\0"), BAD "x" },
	{ BYTES("\0\xD8\0\xD8\0\xDC"), BAD "\xF0\x90\x80\x80" },
	{ BYTES("\0\xD8\0\xE0"), BAD "\xEE\x80\x80" },
	{ BYTES("\0\xDCx\0"), BAD "x" },
	{ BYTES("\0\xDC\0\xDC"), BAD BAD },
	{ BYTES("\xFF\xDBx\0"), BAD "x" },
	{ BYTES("\xFF\xDF"), BAD },
	{ BYTES("\0\xD8\0\0x\0"), BAD },
};

static void test_utf16(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(utf16); i++) {
		char *got = ntsign_text_utf16(ctx,
					      (const uint8_t *)utf16[i].data,
					      utf16[i].len);

		assert_string_equal(got, utf16[i].wanted);
		assert_ptr_equal(talloc_parent(got), ctx);
	}
	talloc_free(ctx);
}

static void test_length(void **state)
{
	static uint8_t data[60000];
	char *got = NULL;
	size_t i = 0;

	(void)state;
	/* one byte a character, at and around the limit */
	memset(data, 'x', sizeof(data));
	for (i = NTSIGN_TEXT_MAX - 1; i <= NTSIGN_TEXT_MAX + 1; i++) {
		got = ntsign_text_bytes(NULL, data, i);
		assert_int_equal(strlen(got), i < 256 ? i : 256);
		talloc_free(got);
	}
	got = ntsign_text_bytes(NULL, data, sizeof(data));
	assert_int_equal(strlen(got), 256);
	talloc_free(got);
	/* each bad byte is a character of three bytes */
	memset(data, 0xFF, sizeof(data));
	got = ntsign_text_bytes(NULL, data, sizeof(data));
	assert_int_equal(strlen(got), 256 * 3);
	talloc_free(got);
	/* two units make one character of four bytes */
	for (i = 0; i < sizeof(data); i += 4) {
		memcpy(data + i, "\x3D\xD8\x00\xDE", 4);
	}
	got = ntsign_text_utf16(NULL, data, sizeof(data));
	assert_int_equal(strlen(got), 256 * 4);
	talloc_free(got);
	got = ntsign_text_utf16(NULL, data, 4 * 255);
	assert_int_equal(strlen(got), 255 * 4);
	talloc_free(got);
}

static void test_string(void **state)
{
	char *got = ntsign_text_string(NULL, NULL);

	(void)state;
	assert_string_equal(got, "");
	talloc_free(got);
	got = ntsign_text_string(NULL, "a\xFF" "b");
	assert_string_equal(got, "a" BAD "b");
	talloc_free(got);
}

static void test_no_memory(void **state)
{
	(void)state;
	if (!FAILING_MALLOC_WORKS) {
		skip();
	}
	failing_malloc_arm(0);
	assert_null(ntsign_text_bytes(NULL, (const uint8_t *)"a", 1));
	assert_true(failing_malloc_disarm());
	failing_malloc_arm(0);
	assert_null(ntsign_text_utf16(NULL, (const uint8_t *)"a\0", 2));
	assert_true(failing_malloc_disarm());
	failing_malloc_arm(0);
	assert_null(ntsign_text_string(NULL, "a"));
	assert_true(failing_malloc_disarm());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_bytes_pairs),
		cmocka_unit_test(test_utf16),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_string),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
