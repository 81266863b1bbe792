/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests that texts and numbers come into a page of HTML as text.
 *
 * Invariant: what is wanted is written out character by character.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "source/tool/html.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *text, *wanted;
} texts[] = {
	{ "", "" },
	{ "Windows 10 Pro 19045", "Windows 10 Pro 19045" },
	{ "<b a=\"c\">", "&#60;b a=&#34;c&#34;&#62;" },
	{ "it's `x`", "it&#39;s &#96;x&#96;" },
	{ "&lt;&#60;", "&#38;lt;&#38;#60;" },
	{ "M\xc3\xbcller", "M&#252;ller" },
	{ "\xe4\xb8\xad\xf0\x9f\x98\x80", "&#20013;&#128512;" },
	{ "\x1b[2J\n\t\x7f", "\\x1b[2J\\x0a\\x09\\x7f" },
	{ "\xc2\x85", "\\u{85}" },
	{ "a\xe2\x80\xaex", "a\\u{202e}x" },
	{ "\xef\xbb\xbf\xe2\x81\xa6", "\\u{feff}\\u{2066}" },
	{ "\xff\xc0\xbc", "\\xff\\xc0\\xbc" },	/* an overlong "<" */
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },	/* a surrogate */
	{ "\xef\xbf\xbe\xef\xb7\x90", "\\u{fffe}\\u{fdd0}" },
	{ "\xf0\x9f\xbf\xbf", "\\u{1ffff}" },
	{ "\xe2\x82", "\\xe2\\x82" },		/* cut off */
};

static const struct {
	uint64_t count;
	const char *wanted;
} counts[] = {
	{ 0, "0" },
	{ 7, "7" },
	{ 999, "999" },
	{ 1000, "1,000" },
	{ 123456, "123,456" },
	{ 1234567, "1,234,567" },
	{ UINT64_MAX, "18,446,744,073,709,551,615" },
};

static const struct {
	const char *text, *wanted;
} moments[] = {
	{ "2026-11-20T20:01:33.123456+0000", "2026-11-20 20:01:33" },
	{ "2026-11-20T20:01:33+0100", "2026-11-20 19:01:33" },
	{ "2026-12-31 23:30:00.5-05:30", "2027-01-01 05:00:00" },
	{ "1970-01-01T00:00:00Z", "1970-01-01 00:00:00" },
};

/* A page that is written into memory. */
struct page {
	FILE *f;
	char *text;
	size_t len;
};

static void open_page(struct page *page)
{
	*page = (struct page){ .f = NULL };
	page->f = open_memstream(&page->text, &page->len);
	assert_non_null(page->f);
}

static void check_page(struct page *page, const char *wanted)
{
	assert_int_equal(fclose(page->f), 0);
	assert_string_equal(page->text, wanted);
	free(page->text);
}

static void test_text(void **state)
{
	struct page page;
	size_t i;

	for (i = 0; i < ARRAY_LEN(texts); i++) {
		open_page(&page);
		ntsign_html_text(page.f, texts[i].text);
		check_page(&page, texts[i].wanted);
	}
}

static void test_count(void **state)
{
	struct page page;
	size_t i;

	for (i = 0; i < ARRAY_LEN(counts); i++) {
		open_page(&page);
		ntsign_html_count(page.f, counts[i].count);
		check_page(&page, counts[i].wanted);
	}
}

static void test_moment(void **state)
{
	struct ntsign_moment moment = { .time = 0 };
	struct page page;
	size_t i;

	for (i = 0; i < ARRAY_LEN(moments); i++) {
		assert_true(ntsign_moment_parse(
			ntsign_slice_of(moments[i].text), &moment));
		open_page(&page);
		ntsign_html_moment(page.f, &moment);
		check_page(&page, moments[i].wanted);
	}
}

static void test_names(void **state)
{
	struct ntsign_words words = { .slots = NULL };
	struct ntsign_names names = { .list = NULL };
	struct page page;

	open_page(&page);
	ntsign_html_names(page.f, &names);
	check_page(&page, "");
	assert_true(ntsign_names_add(&words, &names, 2,
				     ntsign_slice_of("<i>")));
	assert_true(ntsign_names_add(&words, &names, 2, ntsign_slice_of("b")));
	open_page(&page);
	ntsign_html_names(page.f, &names);
	check_page(&page, "<bdi>&#60;i&#62;</bdi>, <bdi>b</bdi>");
	assert_true(ntsign_names_add(&words, &names, 2, ntsign_slice_of("z")));
	open_page(&page);
	ntsign_html_names(page.f, &names);
	check_page(&page, "<bdi>&#60;i&#62;</bdi>, <bdi>b</bdi> and more");
	ntsign_names_clear(&words, &names);
	ntsign_words_clear(&words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_moment),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
