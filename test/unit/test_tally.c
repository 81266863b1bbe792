/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Unit tests of tallies: merged in any order they say the same, and memory
 * that runs out is told.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failing_malloc.h"
#include "ntsign/text.h"
#include "source/tool/tally.h"

#define RECORDS 3000
#define PARTS 4
#define LINE_ROOM (1024 + NTSIGN_JSON_PADDING)

static const struct ntsign_tally_source source = { .name = "test" };

/* The n-th record of a made-up file, of about a hundred clients. */
static void make_line(char line[LINE_ROOM], unsigned int n)
{
	static const char *const outcomes[] = {
		"signed", "not_signed", "no_communication",
	};
	static const char *const dialects[] = { "NT1", "SMB2_10", "SMB3_11" };
	static const char *const states[] = {
		"required", "enabled", "disabled",
	};
	unsigned int dice = n * 2654435761U >> 7;

	memset(line, 0, LINE_ROOM);
	if (n % 11 == 0) {
		snprintf(line, LINE_ROOM, "{\"timestamp\":\"2026-11-%02uT20:01:"
			 "%02u.5+0000\",\"type\":\"SMBSignature\","
			 "\"SMBSignature\":{\"remoteAddress\":\"ipv4:192.0.2.%u"
			 ":7\",\"event\":\"verified\",\"account\":\"user%u\"}}",
			 1 + dice % 30, n % 60, dice % 100, dice % 50);
		return;
	}
	if (n % 13 == 0) {
		snprintf(line, LINE_ROOM, "%s", n % 2 ? "{}" : "[1");
		return;
	}
	snprintf(line, LINE_ROOM, "{\"timestamp\":\"2026-%02u-%02uT20:01:%02u"
		 ".%u+0000\",\"type\":\"SMBSession\",\"SMBSession\":{"
		 "\"remoteAddress\":\"ipv4:192.0.2.%u:7\",\"dialect\":\"%s\","
		 "\"setup\":\"ntlmssp\",\"status\":\"%s\",\"account\":"
		 "\"user%u\",\"domain\":\"D%u\",\"nativeOs\":\"OS %u\","
		 "\"client\":{\"patched\":%s,\"signing\":\"%s\"},\"server\":{"
		 "\"patched\":true,\"signing\":\"%s\"},\"expected\":\"%s\","
		 "\"outcome\":\"%s\",\"mismatch\":\"%s\",\"refused\":false,"
		 "\"anonymous\":%s,\"guest\":false,\"encrypted\":false}}",
		 1 + dice % 12, 1 + dice % 28, dice % 60, dice % 10, dice % 100,
		 dialects[dice % 3], dice % 5 ? "NT_STATUS_OK" : "NT_STATUS_X",
		 dice % 60, dice / 60 % 2, dice % 45, dice % 4 ? "true" : "false",
		 states[dice % 3], states[dice / 3 % 3], outcomes[dice % 3],
		 outcomes[dice / 7 % 3], dice % 9 ? "none" : "outcome",
		 dice % 17 ? "false" : "true");
}

static void add(struct ntsign_tally *tally, struct ntsign_parser *parser,
		unsigned int n)
{
	char text[LINE_ROOM];
	struct ntsign_line line = { .text = text, .number = n + 1 };

	make_line(text, n);
	line.len = strlen(text);
	ntsign_tally_line(tally, parser, &source, &line);
}

/* ---- comparing ---- */

static void same_names(const struct ntsign_names *a,
		       const struct ntsign_names *b)
{
	size_t i;

	assert_int_equal(a->count, b->count);
	assert_int_equal(a->more, b->more);
	for (i = 0; i < a->count; i++) {
		assert_string_equal(a->list[i]->text, b->list[i]->text);
	}
}

static const char *word_text(const struct ntsign_word *word)
{
	return word != NULL ? word->text : "";
}

static void same_facts(const struct ntsign_tally_facts *a,
		       const struct ntsign_tally_facts *b)
{
	assert_int_equal(a->seen, b->seen);
	assert_int_equal(a->failed, b->failed);
	assert_int_equal(a->keyless, b->keyless);
	assert_int_equal(a->keyed, b->keyed);
	assert_int_equal(a->claims, b->claims);
	assert_int_equal(ntsign_moment_compare(&a->at, &b->at), 0);
	assert_int_equal(a->client.signing, b->client.signing);
	assert_int_equal(a->server.signing, b->server.signing);
	assert_int_equal(a->outcome, b->outcome);
	assert_string_equal(word_text(a->dialect), word_text(b->dialect));
	assert_string_equal(word_text(a->native_os), word_text(b->native_os));
}

static void same_span(const struct ntsign_span *a, const struct ntsign_span *b)
{
	assert_int_equal(ntsign_moment_compare(&a->first, &b->first), 0);
	assert_int_equal(ntsign_moment_compare(&a->last, &b->last), 0);
}

static void same_clients(const struct ntsign_tally *a,
			 const struct ntsign_tally *b)
{
	size_t i;

	assert_int_equal(a->clients.count, b->clients.count);
	for (i = 0; i < a->clients.count; i++) {
		const struct ntsign_tally_client *x = a->clients.list[i];
		const struct ntsign_tally_client *y = b->clients.list[i];

		assert_string_equal(x->key, y->key);
		assert_memory_equal(&x->count, &y->count, sizeof(x->count));
		assert_int_equal(x->exposed, y->exposed);
		assert_int_equal(x->proven, y->proven);
		same_names(&x->dialects, &y->dialects);
		same_names(&x->accounts, &y->accounts);
		same_names(&x->native_os, &y->native_os);
		same_span(&x->span, &y->span);
		same_facts(&x->facts, &y->facts);
	}
}

static void same_accounts(const struct ntsign_tally *a,
			  const struct ntsign_tally *b)
{
	size_t i;

	assert_int_equal(a->accounts.count, b->accounts.count);
	for (i = 0; i < a->accounts.count; i++) {
		const struct ntsign_tally_account *x = a->accounts.list[i];
		const struct ntsign_tally_account *y = b->accounts.list[i];

		assert_string_equal(x->key, y->key);
		assert_int_equal(x->known, y->known);
		assert_int_equal(x->proven, y->proven);
		assert_memory_equal(&x->count, &y->count, sizeof(x->count));
		same_names(&x->addresses, &y->addresses);
		same_facts(&x->facts, &y->facts);
	}
}

static void same_rest(const struct ntsign_tally *a,
		      const struct ntsign_tally *b)
{
	size_t i;

	assert_int_equal(a->records, b->records);
	assert_int_equal(a->skipped, b->skipped);
	assert_int_equal(a->exposed, b->exposed);
	assert_memory_equal(&a->count, &b->count, sizeof(a->count));
	assert_memory_equal(&a->trend, &b->trend, sizeof(a->trend));
	assert_int_equal(a->mismatches.count, b->mismatches.count);
	for (i = 0; i < a->mismatches.count; i++) {
		const struct ntsign_tally_mismatch *x = a->mismatches.list[i];
		const struct ntsign_tally_mismatch *y = b->mismatches.list[i];

		assert_string_equal(x->key, y->key);
		assert_int_equal(x->count, y->count);
		same_span(&x->span, &y->span);
	}
	assert_int_equal(a->skips.count, b->skips.count);
	for (i = 0; i < a->skips.count; i++) {
		const struct ntsign_tally_skip *x = a->skips.list[i];
		const struct ntsign_tally_skip *y = b->skips.list[i];

		assert_string_equal(x->key, y->key);
		assert_int_equal(x->line, y->line);
		assert_int_equal(x->count, y->count);
	}
}

/* ---- tests ---- */

/* Records dealt out among tallies, which are merged in this order. */
static struct ntsign_tally *dealt(struct ntsign_parser *parser,
				  const unsigned int order[PARTS],
				  unsigned int stride)
{
	struct ntsign_tally *parts[PARTS];
	struct ntsign_tally *whole = ntsign_tally_new(NULL);
	unsigned int i;

	for (i = 0; i < PARTS; i++) {
		parts[i] = ntsign_tally_new(NULL);
	}
	for (i = 0; i < RECORDS; i++) {
		unsigned int n = i * stride % RECORDS;

		add(parts[n / 7 % PARTS], parser, n);
	}
	for (i = 0; i < PARTS; i++) {
		ntsign_tally_merge(whole, parts[order[i]]);
		TALLOC_FREE(parts[order[i]]);
	}
	ntsign_tally_sort(whole);
	return whole;
}

static void test_merge(void **state)
{
	static const unsigned int orders[][PARTS] = {
		{ 0, 1, 2, 3 }, { 3, 1, 0, 2 }, { 2, 3, 1, 0 },
	};
	/* which come past every record */
	static const unsigned int strides[] = { 1, 43, 127 };
	struct ntsign_parser *parser = ntsign_parser_new(NULL);
	struct ntsign_tally *one = ntsign_tally_new(NULL);
	unsigned int i;

	for (i = 0; i < RECORDS; i++) {
		add(one, parser, i);
	}
	ntsign_tally_sort(one);
	assert_true(one->clients.count > 90);
	assert_true(one->accounts.count > 100);
	assert_true(one->mismatches.count > 50);
	assert_true(one->trend.count > 100);
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct ntsign_tally *other = dealt(parser, orders[i],
						   strides[i]);

		assert_false(other->no_memory);
		same_rest(one, other);
		same_clients(one, other);
		same_accounts(one, other);
		TALLOC_FREE(other);
	}
	TALLOC_FREE(one);
	TALLOC_FREE(parser);
}

static void add_some(struct ntsign_tally *tally, struct ntsign_parser *parser)
{
	unsigned int i;

	for (i = 0; i < 60; i++) {
		add(tally, parser, i);
	}
}

/* Each allocation fails once: the tally says so, or it was one that is done
 * without, as qsort()'s, and the tally is as it should be. */
static void test_no_memory(void **state)
{
	struct ntsign_parser *parser = ntsign_parser_new(NULL);
	struct ntsign_tally *good = ntsign_tally_new(NULL);
	bool failed = FAILING_MALLOC_WORKS;
	size_t told = 0;
	size_t n;

	add_some(good, parser);
	ntsign_tally_sort(good);

	for (n = 0; failed; n++) {
		struct ntsign_tally *tally = NULL;
		struct ntsign_tally *into = ntsign_tally_new(NULL);

		failing_malloc_arm(n);
		tally = ntsign_tally_new(NULL);
		if (tally != NULL) {
			add_some(tally, parser);
			ntsign_tally_merge(into, tally);
			ntsign_tally_sort(into);
		}
		failed = failing_malloc_disarm();
		assert_true(failed || !into->no_memory);
		told += into->no_memory ? 1 : 0;
		if (tally != NULL && !into->no_memory) {
			same_rest(good, into);
			same_clients(good, into);
			same_accounts(good, into);
		}
		TALLOC_FREE(tally);
		TALLOC_FREE(into);
	}
	assert_true(!FAILING_MALLOC_WORKS || told > 200);
	TALLOC_FREE(good);
	TALLOC_FREE(parser);
}

/* A bound that one in five names fits keeps the same ones in any order. */
static void test_bound(void **state)
{
	struct ntsign_table up;
	struct ntsign_table down;
	unsigned int i;

	(void)state;
	ntsign_table_init(&up, sizeof(struct ntsign_tally_signer), 100, NULL,
			  NULL);
	ntsign_table_init(&down, sizeof(struct ntsign_tally_signer), 100, NULL,
			  NULL);
	for (i = 0; i < 500; i++) {
		char name[16];
		bool made = false;
		bool omitted = false;

		snprintf(name, sizeof(name), "%u", i);
		(void)ntsign_table_get(&up, ntsign_slice_of(name), &made,
				       &omitted);
		snprintf(name, sizeof(name), "%u", 499 - i);
		(void)ntsign_table_get(&down, ntsign_slice_of(name), &made,
				       &omitted);
		assert_true(up.count <= 125);
	}
	assert_true(ntsign_table_prune(&up));
	assert_true(ntsign_table_prune(&down));
	assert_int_equal(up.count, 100);
	assert_int_equal(down.count, 100);
	assert_true(up.omitted && down.omitted);
	for (i = 0; i < up.count; i++) {
		const struct ntsign_keyed *entry = up.list[i];

		assert_non_null(ntsign_table_find(
			&down, ntsign_slice_of(entry->key)));
	}
	ntsign_table_clear(&up);
	ntsign_table_clear(&down);
}

static void test_trend(void **state)
{
	static const struct {
		int64_t seconds[3];
		int64_t width;
		size_t count;
	} cases[] = {
		{ { 0, 0, 0 }, 60, 1 },
		{ { 59, 60, 61 }, 60, 2 },
		{ { 0, 399 * 60, 1 }, 60, 400 },
		{ { 400 * 60, 0, 1 }, 300, 81 },
		{ { 86400 * 365, 0, 86400 }, 86400, 366 },
		{ { 86400L * 4000, 86400L * 3999, 0 }, 86400 * 16, 251 },
	};
	size_t i;
	unsigned int k;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ntsign_trend trend = { .width = 0 };
		struct ntsign_trend other = { .width = 0 };
		uint64_t sum = 0;
		size_t j;

		for (k = 0; k < 3; k++) {
			ntsign_trend_add(&trend, cases[i].seconds[k] * 1000000,
					 NTSIGN_TREND_SIGNED, 1);
			ntsign_trend_add(&other,
					 cases[i].seconds[2 - k] * 1000000,
					 NTSIGN_TREND_SIGNED, 1);
		}
		assert_int_equal(trend.width, cases[i].width);
		assert_int_equal(trend.count, cases[i].count);
		assert_memory_equal(&trend, &other, sizeof(trend));
		for (j = 0; j < trend.count; j++) {
			sum += trend.sessions[j][NTSIGN_TREND_SIGNED];
		}
		assert_int_equal(sum, 3);
	}
}

static void test_moment(void **state)
{
	static const char *const same[] = {
		"2026-11-20T20:01:33.123456+0000", "2026-11-20T20:01:33Z",
		"1970-01-01T00:00:00.5+00:00", "2024-02-29 23:59:60.10-0530",
		"9999-12-31T23:59:59.000001+1400", "2000-03-01T00:00:00-00:00",
	};
	static const char *const none[] = {
		"", "2026-11-20", "2026-11-20T20:01:33", "2026-13-20T20:01:33Z",
		"2026-11-20T24:01:33Z", "2026-11-20T20:01:33.Z",
		"2026-11-20T20:01:33Zz", "1969-12-31T23:59:59Z",
		"2026-11-20T20:01:33.1234567890Z",
	};
	struct ntsign_moment m = { .time = 0 };
	char text[NTSIGN_MOMENT_TEXT];
	size_t i;

	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_true(ntsign_moment_parse(ntsign_slice_of(same[i]), &m));
		assert_string_equal(ntsign_moment_text(&m, text), same[i]);
	}
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_false(ntsign_moment_parse(ntsign_slice_of(none[i]),
						 &m));
	}
	assert_true(ntsign_moment_parse(
		ntsign_slice_of("2026-11-20T21:01:33.25+0100"), &m));
	assert_int_equal(m.time, INT64_C(1795204893250000));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_trend),
		cmocka_unit_test(test_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
