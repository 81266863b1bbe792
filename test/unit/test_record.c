/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests that a record is one line of valid JSON that fits, or none at all.
 *
 * Invariant: lines are compared as they are written, byte by byte, and read
 * back with jansson where texts are long or odd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include <jansson.h>

#include "ntsign/record.h"
#include "ntsign/text.h"
#include "failing_malloc.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* 2026-11-20 20:01:33.123456 UTC, as CONTRACT's example has it */
static const struct timeval now = { 1795204893, 123456 };

#define START "{\"timestamp\":\"2026-11-20T20:01:33.123456+0000\"," \
	"\"type\":\"SMBTree\",\"SMBTree\":{\"version\":" \
	"{\"major\":1,\"minor\":0}"

static struct ntsign_record *record_new(TALLOC_CTX *ctx)
{
	struct ntsign_record *record =
		ntsign_record_new(ctx, NTSIGN_RECORD_TREE, &now);

	assert_non_null(record);
	return record;
}

static int set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
	return 0;
}

static int in_utc(void **state)
{
	(void)state;
	return set_zone("UTC0");
}

static void assert_line(struct ntsign_record *record, const char *wanted)
{
	size_t len = 12345;
	const char *line = ntsign_record_line(record, &len);

	assert_non_null(line);
	assert_string_equal(line, wanted);
	assert_int_equal(len, strlen(wanted));
	assert_ptr_equal(talloc_parent(line), record);
}

static void test_types(void **state)
{
	static const char *const names[] = {
		"SMBConnection", "SMBSession", "SMBTree", "SMBSignature",
		"SMBQuirk", "SMBAudit",
	};
	unsigned int i = 0;

	(void)state;
	assert_int_equal(ARRAY_LEN(names), NTSIGN_RECORD_TYPE_COUNT);
	for (i = 0; i < ARRAY_LEN(names); i++) {
		struct ntsign_record *record = NULL;
		char wanted[256] = "";

		assert_string_equal(ntsign_record_type_name(i), names[i]);
		record = ntsign_record_new(NULL, i, &now);
		assert_non_null(record);
		snprintf(wanted, sizeof(wanted),
			 "{\"timestamp\":\"2026-11-20T20:01:33.123456+0000\""
			 ",\"type\":\"%s\",\"%s\":{\"version\":"
			 "{\"major\":1,\"minor\":0}}}\n", names[i], names[i]);
		assert_line(record, wanted);
		talloc_free(record);
	}
	assert_null(ntsign_record_type_name(NTSIGN_RECORD_TYPE_COUNT));
	assert_null(ntsign_record_type_name(-1));
	assert_null(ntsign_record_new(NULL, NTSIGN_RECORD_TYPE_COUNT, &now));
}

static const struct {
	const char *zone;
	struct timeval time;
	const char *wanted;
} times[] = {
	{ "UTC0", { 0, 0 }, "1970-01-01T00:00:00.000000+0000" },
	{ "UTC0", { 1, 1 }, "1970-01-01T00:00:01.000001+0000" },
	{ "UTC0", { 951827696, 999999 }, "2000-02-29T12:34:56.999999+0000" },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", { 1795204893, 7 },
	  "2026-11-20T21:01:33.000007+0100" },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", { 1783000000, 7 },
	  "2026-07-02T15:46:40.000007+0200" },
	{ "NST3:30", { 1795204893, 7 }, "2026-11-20T16:31:33.000007-0330" },
};

static void test_times(void **state)
{
	const struct timeval endless = { INT64_MAX, 0 };
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(times); i++) {
		struct ntsign_record *record = NULL;
		char wanted[64] = "";
		const char *line = NULL;
		size_t len = 0;

		set_zone(times[i].zone);
		record = ntsign_record_new(NULL, NTSIGN_RECORD_AUDIT,
					   &times[i].time);
		line = ntsign_record_line(record, &len);
		assert_non_null(line);
		snprintf(wanted, sizeof(wanted), "{\"timestamp\":\"%s\",",
			 times[i].wanted);
		assert_memory_equal(line, wanted, strlen(wanted));
		talloc_free(record);
	}
	assert_null(ntsign_record_new(NULL, NTSIGN_RECORD_AUDIT, &endless));
	set_zone("UTC0");
}

static void test_fields(void **state)
{
	static const char *const list[] = { "a", NULL, "b\"" };
	struct ntsign_record *record = record_new(NULL);

	(void)state;
	ntsign_record_text(record, "text", "J\xC3\xBCrgen \"\\\n\x01\x7F/");
	ntsign_record_text(record, "bad", "\xFF|");
	ntsign_record_text(record, "empty", "");
	ntsign_record_text(record, "null", NULL);
	ntsign_record_int(record, "min", INT64_MIN);
	ntsign_record_int(record, "max", INT64_MAX);
	ntsign_record_bool(record, "yes", true);
	ntsign_record_bool(record, "no", false);
	ntsign_record_hex(record, "flags", 0xc853, 4);
	ntsign_record_hex(record, "wide", 0xABCDEF, 8);
	ntsign_record_hex(record, "narrow", 0x12345, 2);
	ntsign_record_hex(record, "none", 0, 0);
	ntsign_record_hex(record, "most", UINT64_MAX, 16);
	ntsign_record_hex(record, "more", 1, 99);
	ntsign_record_list(record, "list", list, ARRAY_LEN(list));
	ntsign_record_list(record, "nothing", NULL, 0);
	ntsign_record_open(record, "client");
	ntsign_record_bool(record, "patched", true);
	ntsign_record_close(record);
	ntsign_record_int(record, "last", 0);
	assert_line(record, START
		    ",\"text\":\"J\xC3\xBCrgen \\\"\\\\\\n\\u0001\x7F/\""
		    ",\"bad\":\"\xEF\xBF\xBD|\",\"empty\":\"\",\"null\":null"
		    ",\"min\":-9223372036854775808"
		    ",\"max\":9223372036854775807"
		    ",\"yes\":true,\"no\":false"
		    ",\"flags\":\"0xC853\",\"wide\":\"0x00ABCDEF\""
		    ",\"narrow\":\"0x12345\",\"none\":\"0x0\""
		    ",\"most\":\"0xFFFFFFFFFFFFFFFF\""
		    ",\"more\":\"0x0000000000000001\""
		    ",\"list\":[\"a\",null,\"b\\\"\"],\"nothing\":[]"
		    ",\"client\":{\"patched\":true},\"last\":0}}\n");
	talloc_free(record);
}

static void test_again(void **state)
{
	struct ntsign_record *record = record_new(NULL);

	(void)state;
	ntsign_record_text(record, "a", "old");
	assert_line(record, START ",\"a\":\"old\"}}\n");
	assert_line(record, START ",\"a\":\"old\"}}\n");
	ntsign_record_text(record, "a", "new");
	ntsign_record_int(record, "b", 1);
	assert_line(record, START ",\"a\":\"new\",\"b\":1}}\n");
	talloc_free(record);
}

static void test_nesting(void **state)
{
	struct ntsign_record *record = record_new(NULL);
	size_t len = 12345;
	size_t i = 0;

	(void)state;
	for (i = 0; i < 4; i++) {
		ntsign_record_open(record, "o");
	}
	ntsign_record_int(record, "i", 4);
	for (i = 0; i < 4; i++) {
		ntsign_record_close(record);
	}
	assert_line(record, START ",\"o\":{\"o\":{\"o\":{\"o\":{\"i\":4}}}}"
		    "}}\n");
	talloc_free(record);

	/* a fifth */
	record = record_new(NULL);
	for (i = 0; i < 5; i++) {
		ntsign_record_open(record, "o");
	}
	for (i = 0; i < 4; i++) {
		ntsign_record_close(record);
	}
	assert_null(ntsign_record_line(record, &len));
	talloc_free(record);

	/* one that stays open, and one that was not opened */
	record = record_new(NULL);
	ntsign_record_open(record, "o");
	assert_null(ntsign_record_line(record, &len));
	ntsign_record_close(record);
	assert_null(ntsign_record_line(record, &len));
	talloc_free(record);
	record = record_new(NULL);
	ntsign_record_close(record);
	assert_null(ntsign_record_line(record, &len));
	talloc_free(record);
	assert_int_equal(len, 12345);
}

/* An error sticks: whatever comes after it, there is no line. */
static void test_sticky(void **state)
{
	static const char *const list[] = { "a" };
	struct ntsign_record *record = record_new(NULL);
	size_t len = 12345;

	(void)state;
	ntsign_record_int(record, "\xFF", 1);
	ntsign_record_text(record, "a", "b");
	ntsign_record_int(record, "a", 1);
	ntsign_record_bool(record, "a", true);
	ntsign_record_hex(record, "a", 1, 1);
	ntsign_record_list(record, "a", list, 1);
	ntsign_record_open(record, "a");
	ntsign_record_close(record);
	assert_null(ntsign_record_line(record, &len));
	assert_int_equal(len, 12345);
	talloc_free(record);

	/* a NULL record is left alone */
	ntsign_record_text(NULL, "a", "b");
	ntsign_record_int(NULL, "a", 1);
	ntsign_record_bool(NULL, "a", true);
	ntsign_record_hex(NULL, "a", 1, 1);
	ntsign_record_list(NULL, "a", list, 1);
	ntsign_record_open(NULL, "a");
	ntsign_record_close(NULL);
	assert_null(ntsign_record_line(NULL, &len));
	assert_int_equal(len, 12345);
}

/* A text of `count` times the same characters. */
static char *repeat(const char *text, size_t count)
{
	size_t len = strlen(text);
	char *result = malloc(len * count + 1);
	size_t i = 0;

	assert_non_null(result);
	for (i = 0; i < count; i++) {
		memcpy(result + i * len, text, len);
	}
	result[len * count] = '\0';
	return result;
}

static json_t *line_parse(const char *line, size_t len)
{
	json_error_t error;
	json_t *root = NULL;

	assert_true(len <= NTSIGN_RECORD_MAX);
	assert_int_equal(line[len - 1], '\n');
	assert_int_equal(strlen(line), len);
	assert_null(memchr(line, '\n', len - 1));
	root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL) {
		fail_msg("%s", error.text);
	}
	return root;
}

static json_t *field_of(json_t *root, const char *name)
{
	return json_object_get(json_object_get(root, "SMBTree"), name);
}

/* Lines around the limit: up to the last byte they stay as they are, and one
 * that is too long loses just that much, where its longest text is. */
static void test_limit(void **state)
{
	const size_t parts = 15;
	size_t full = 0;
	size_t cut = 0;
	size_t length = 0;

	(void)state;
	for (length = 241; length <= NTSIGN_TEXT_MAX; length++) {
		struct ntsign_record *record = record_new(NULL);
		char *part = repeat("x", 240);
		char *longest = repeat("y", length);
		char name[8] = "";
		json_t *root = NULL;
		const char *line = NULL;
		size_t left = 0;
		size_t len = 0;
		size_t i = 0;

		for (i = 0; i < parts; i++) {
			snprintf(name, sizeof(name), "f%zu", i);
			ntsign_record_text(record, name, part);
		}
		ntsign_record_text(record, "long", longest);
		line = ntsign_record_line(record, &len);
		assert_non_null(line);
		root = line_parse(line, len);
		for (i = 0; i < parts; i++) {
			snprintf(name, sizeof(name), "f%zu", i);
			assert_string_equal(json_string_value(
						    field_of(root, name)),
					    part);
		}
		left = json_string_length(field_of(root, "long"));
		if (left < length) {
			assert_int_equal(len, NTSIGN_RECORD_MAX);
			cut++;
		} else if (len == NTSIGN_RECORD_MAX) {
			full++;
		}
		json_decref(root);
		free(part);
		free(longest);
		talloc_free(record);
	}
	assert_int_equal(full, 1);
	assert_int_equal(cut, 4);
}

static const struct {
	const char *character;
	size_t cost;	/* bytes of it in JSON */
} characters[] = {
	{ "x", 1 },
	{ "\"", 2 },
	{ "\\", 2 },
	{ "\b", 2 },
	{ "\f", 2 },
	{ "\n", 2 },
	{ "\r", 2 },
	{ "\t", 2 },
	{ "\x01", 6 },
	{ "\x1F", 6 },
	{ " ", 1 },
	{ "\x7F", 1 },
	{ "\xC3\xBC", 2 },
	{ "\xE2\x82\xAC", 3 },
	{ "\xF0\x9F\x98\x80", 4 },
};

/* Texts of every kind of character, far too long together: all that is left
 * is whole characters, short ones stay whole, and little room is wasted. */
static void test_shrink(void **state)
{
	size_t c = 0;

	(void)state;
	for (c = 0; c < ARRAY_LEN(characters); c++) {
		struct ntsign_record *record = record_new(NULL);
		char *big = repeat(characters[c].character, 256);
		const char *const list[] = { big, "short", big, big, big };
		size_t width = strlen(characters[c].character);
		json_t *root = NULL;
		json_t *value = NULL;
		const char *line = NULL;
		size_t len = 0;
		size_t i = 0;
		size_t kept = 0;

		ntsign_record_text(record, "short", "stays");
		ntsign_record_hex(record, "hex", 0x0123456789ABCDEF, 16);
		ntsign_record_list(record, "list", list, ARRAY_LEN(list));
		for (i = 0; i < 4; i++) {
			ntsign_record_open(record, "inner");
			ntsign_record_text(record, "a", big);
			ntsign_record_text(record, "b", big);
			ntsign_record_text(record, "c", big);
		}
		for (i = 0; i < 4; i++) {
			ntsign_record_close(record);
		}
		line = ntsign_record_line(record, &len);
		assert_non_null(line);
		root = line_parse(line, len);

		assert_string_equal(json_string_value(field_of(root,
							       "short")),
				    "stays");
		assert_string_equal(json_string_value(field_of(root, "hex")),
				    "0x0123456789ABCDEF");
		value = field_of(root, "list");
		assert_string_equal(json_string_value(json_array_get(value,
								     1)),
				    "short");
		kept = json_string_length(json_array_get(value, 0));
		assert_int_equal(kept % width, 0);
		/* 16 long ones, which lose alike: at most one character of
		 * each and 15 bytes could have stayed as well */
		assert_true(len + 16 * characters[c].cost + 15 >
			    NTSIGN_RECORD_MAX);
		for (i = 0; i < 5; i++) {
			json_t *item = json_array_get(value, i);

			if (i != 1) {
				assert_int_equal(json_string_length(item),
						 kept);
			}
		}
		value = json_object_get(root, "SMBTree");
		for (i = 0; i < 4; i++) {
			const char *text = NULL;

			value = json_object_get(value, "inner");
			text = json_string_value(json_object_get(value, "a"));
			assert_int_equal(strlen(text), kept);
			assert_memory_equal(text, big, kept);
		}
		json_decref(root);
		free(big);
		talloc_free(record);
	}
}

/* The longest loses first: a shorter one stays as long as it can. */
static void test_longest_first(void **state)
{
	struct ntsign_record *record = record_new(NULL);
	char *big = repeat("\x01", 256);
	char *small = repeat("x", 200);
	json_t *root = NULL;
	const char *line = NULL;
	char name[8] = "";
	size_t len = 0;
	size_t i = 0;

	(void)state;
	ntsign_record_text(record, "small", small);
	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "big%zu", i);
		ntsign_record_text(record, name, big);
	}
	line = ntsign_record_line(record, &len);
	assert_non_null(line);
	root = line_parse(line, len);
	assert_int_equal(json_string_length(field_of(root, "small")), 200);
	assert_true(json_string_length(field_of(root, "big4")) < 256);
	json_decref(root);
	free(big);
	free(small);
	talloc_free(record);
}

/* What does not fit with texts of 32 bytes is not written. */
static void test_too_much(void **state)
{
	char *text = repeat("x", 256);
	const char *list[200];
	size_t fits = 0;
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(list); i++) {
		list[i] = text;
	}
	for (i = 90; i < ARRAY_LEN(list); i++) {
		struct ntsign_record *record = record_new(NULL);
		const char *line = NULL;
		size_t len = 12345;

		ntsign_record_list(record, "list", list, i);
		line = ntsign_record_line(record, &len);
		if (line != NULL) {
			json_decref(line_parse(line, len));
			fits = i;
		} else {
			assert_int_equal(len, 12345);
			/* and stays so */
			assert_null(ntsign_record_line(record, &len));
		}
		talloc_free(record);
	}
	/* each takes 32 bytes, two quotes and a comma */
	assert_int_equal(fits, (NTSIGN_RECORD_MAX + 1 - strlen(START) -
				strlen(",\"list\":[]}}\n")) / 35);
	free(text);
}

/* All of the above once more while the n-th allocation fails. */
static const char *everything(TALLOC_CTX *ctx, const char *big, size_t *len)
{
	const char *const list[] = { big, "x", NULL, big };
	struct ntsign_record *record = NULL;
	size_t i = 0;

	record = ntsign_record_new(ctx, NTSIGN_RECORD_TREE, &now);
	for (i = 0; i < 4; i++) {
		ntsign_record_open(record, "o");
		ntsign_record_text(record, "t", big);
		ntsign_record_int(record, "i", 5);
		ntsign_record_bool(record, "b", true);
		ntsign_record_hex(record, "h", 5, 4);
		ntsign_record_list(record, "l", list, ARRAY_LEN(list));
	}
	for (i = 0; i < 4; i++) {
		ntsign_record_close(record);
	}
	return ntsign_record_line(record, len);
}

static void test_no_memory(void **state)
{
	char *big = NULL;
	size_t n = 0;
	bool failed = true;

	(void)state;
	if (!FAILING_MALLOC_WORKS) {
		skip();
	}
	big = repeat("x", 500);
	for (n = 0; failed; n++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		const char *line = NULL;
		size_t len = 12345;

		failing_malloc_arm(n);
		line = everything(ctx, big, &len);
		failed = failing_malloc_disarm();
		if (line != NULL) {
			json_decref(line_parse(line, len));
		} else {
			assert_true(failed);
			assert_int_equal(len, 12345);
		}
		if (!failed) {
			assert_non_null(line);
		}
		talloc_free(ctx);
	}
	assert_true(n > 100);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_sticky),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_shrink),
		cmocka_unit_test(test_longest_first),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, in_utc, NULL);
}
