/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests addresses, blocks and rules.
 *
 * Invariant: each case names the text as an administrator would write it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ntsign/address.h"

#include <arpa/inet.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *text;
	uint8_t len;		/* 0: not an address */
	const char *bytes;
} addresses[] = {
	{ "1.2.3.4", 4, "\1\2\3\4" },
	{ "0.0.0.0", 4, "\0\0\0\0" },
	{ "255.255.255.255", 4, "\377\377\377\377" },
	{ "::ffff:1.2.3.4", 4, "\1\2\3\4" },
	{ "::FFFF:102:304", 4, "\1\2\3\4" },
	{ "::", 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" },
	{ "::1", 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1" },
	{ "::1.2.3.4", 16, "\0\0\0\0\0\0\0\0\0\0\0\0\1\2\3\4" },
	{ "::fffe:1.2.3.4", 16,
	  "\0\0\0\0\0\0\0\0\0\0\377\376\1\2\3\4" },
	{ "2001:db8:0:0:0:0:0:ff", 16,
	  "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\xff" },
	{ "", 0, NULL },
	{ " 1.2.3.4", 0, NULL },
	{ "1.2.3.4 ", 0, NULL },
	{ "1.2.3", 0, NULL },
	{ "1.2.3.4.5", 0, NULL },
	{ "01.2.3.4", 0, NULL },
	{ "0x1.2.3.4", 0, NULL },
	{ "1.2.3.256", 0, NULL },
	{ "16909060", 0, NULL },
	{ "localhost", 0, NULL },
	{ "fe80::1%eth0", 0, NULL },
	{ "[::1]", 0, NULL },
	{ "1.2.3.4:445", 0, NULL },
	{ "1:2:3:4:5:6:7:8:9", 0, NULL },
	{ "1:2:3:4:5:6:7:1.2.3.4", 0, NULL },
	{ "::1:2:3:4:5:6:7:1.2.3.4", 0, NULL },
	{ "*", 0, NULL },
};

static void test_addresses(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(addresses); i++) {
		struct ntsign_address got = { .len = 99 };
		bool ok = ntsign_address_parse(addresses[i].text, &got);

		if (ok != (addresses[i].len != 0)) {
			fail_msg("\"%s\"", addresses[i].text);
		}
		if (!ok) {
			assert_int_equal(got.len, 99);
			continue;
		}
		assert_int_equal(got.len, addresses[i].len);
		assert_memory_equal(got.bytes, addresses[i].bytes, got.len);
	}
}

/* An address is what inet_pton() takes for one, and the same. */
static void compare(const char *text)
{
	static const uint8_t mapped[12] = { [10] = 0xFF, [11] = 0xFF };
	uint8_t bytes[16] = { 0 };
	const uint8_t *wanted = bytes;
	size_t len = 0;
	struct ntsign_address got = { .len = 0 };

	if (inet_pton(AF_INET, text, bytes) == 1) {
		len = 4;
	} else if (inet_pton(AF_INET6, text, bytes) == 1) {
		len = 16;
		if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
			wanted += sizeof(mapped);
			len = 4;
		}
	}
	if (ntsign_address_parse(text, &got) != (len != 0) ||
	    got.len != len || memcmp(got.bytes, wanted, len) != 0)
	{
		fail_msg("\"%s\"", text);
	}
}

/* Every text of up to eight of these characters. */
static void test_short_addresses(void **state)
{
	static const char alphabet[] = ":.01fA";
	const size_t letters = sizeof(alphabet) - 1;
	char text[9] = "";
	size_t len = 0;

	(void)state;
	for (len = 0; len < sizeof(text); len++) {
		size_t digits[9] = { 0 };
		size_t i = 0;

		memset(text, alphabet[0], len);
		for (;;) {
			compare(text);
			for (i = 0; i < len; i++) {
				digits[i] = (digits[i] + 1) % letters;
				text[i] = alphabet[digits[i]];
				if (digits[i] != 0) {
					break;
				}
			}
			if (i == len) {
				break;
			}
		}
	}
}

/* Addresses with some characters replaced, left out and put in. */
static void test_changed_addresses(void **state)
{
	static const char *const seeds[] = {
		"192.168.100.255", "2001:db8:1:2:3:4:5:6",
		"2001:0DB8:00a1::ff:0", "::ffff:192.0.2.33",
		"1:2:3:4:5:6:7.8.9.10", "fe80::1:2:3:4", "::", "1::",
		"1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "64:ff9b::10.0.0.255",
	};
	static const char alphabet[] = "::::....0123456789abcdefABFg/ *";
	uint32_t random = 1;
	size_t round = 0;

	(void)state;
	for (round = 0; round < 400000; round++) {
		char text[64] = "";
		size_t changes = round / ARRAY_LEN(seeds) % 4;
		size_t len = 0;

		strcpy(text, seeds[round % ARRAY_LEN(seeds)]);
		for (len = strlen(text); changes > 0; changes--) {
			size_t at = 0;
			char c = '\0';

			random = random * 1664525 + 1013904223;
			at = (random >> 8) % (len + 1);
			c = alphabet[(random >> 16) % (sizeof(alphabet) - 1)];
			switch ((random >> 28) % 3) {
			case 0:
				text[at] = at < len ? c : '\0';
				break;
			case 1:
				memmove(text + at, text + at + 1, len + 1 - at);
				break;
			default:
				memmove(text + at + 1, text + at, len + 1 - at);
				text[at] = c;
				break;
			}
			len = strlen(text);
		}
		compare(text);
	}
}

#define LONG "1111111111111111111111111111111111111111111111111111111111111111"
#define NOT_ADDRESS "not a numeric IPv4 or IPv6 address"
#define NOT_32 "the part behind / is not a number from 0 to 32"
#define NOT_128 "the part behind / is not a number from 0 to 128"
#define HOST_BITS "the address has bits set behind those that count"

static const struct {
	const char *text;
	const char *why;	/* NULL: it is a block */
	bool any;
	uint8_t len;
	uint8_t bits;
} blocks[] = {
	{ "*", NULL, true, 0, 0 },
	{ "10.0.0.1", NULL, false, 4, 32 },
	{ "10.0.0.0/8", NULL, false, 4, 8 },
	{ "10.0.0.1/32", NULL, false, 4, 32 },
	{ "10.0.0.128/25", NULL, false, 4, 25 },
	{ "0.0.0.0/0", NULL, false, 4, 0 },
	{ "::1", NULL, false, 16, 128 },
	{ "::/0", NULL, false, 16, 0 },
	{ "2001:db8::/32", NULL, false, 16, 32 },
	{ "2001:db8::1/128", NULL, false, 16, 128 },
	{ "::ffff:10.0.0.0/104", NULL, false, 4, 8 },
	{ "::ffff:0.0.0.0/96", NULL, false, 4, 0 },
	{ "::ffff:10.0.0.1", NULL, false, 4, 32 },
	{ "::ffff:0.0.0.0/95", HOST_BITS, false, 0, 0 },
	{ "", NOT_ADDRESS, false, 0, 0 },
	{ "/8", NOT_ADDRESS, false, 0, 0 },
	{ "**", NOT_ADDRESS, false, 0, 0 },
	{ "*/0", NOT_ADDRESS, false, 0, 0 },
	{ "host.example", NOT_ADDRESS, false, 0, 0 },
	{ "10.0.0.256", NOT_ADDRESS, false, 0, 0 },
	{ LONG, NOT_ADDRESS, false, 0, 0 },
	{ LONG "/8", NOT_ADDRESS, false, 0, 0 },
	{ "10.0.0.0/", NOT_32, false, 0, 0 },
	{ "10.0.0.0/33", NOT_32, false, 0, 0 },
	{ "10.0.0.0/08", NOT_32, false, 0, 0 },
	{ "10.0.0.0/-1", NOT_32, false, 0, 0 },
	{ "10.0.0.0/8/8", NOT_32, false, 0, 0 },
	{ "10.0.0.0/a", NOT_32, false, 0, 0 },
	{ "10.0.0.0/1:", NOT_32, false, 0, 0 },
	{ "10.0.0.0/255.0.0.0", NOT_32, false, 0, 0 },
	{ "10.0.0.0/4294967304", NOT_32, false, 0, 0 },
	{ "::/129", NOT_128, false, 0, 0 },
	{ "::/1000", NOT_128, false, 0, 0 },
	{ "10.0.0.1/31", HOST_BITS, false, 0, 0 },
	{ "10.1.0.0/8", HOST_BITS, false, 0, 0 },
	{ "0.0.0.1/0", HOST_BITS, false, 0, 0 },
	{ "::1/127", HOST_BITS, false, 0, 0 },
};

static void test_blocks(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(blocks); i++) {
		struct ntsign_block got = { .bits = 200 };
		const char *why = NULL;
		const char *rest = blocks[i].text;
		bool ok = ntsign_block_take(&rest, &got, &why);

		if (ok != (blocks[i].why == NULL)) {
			fail_msg("\"%s\": %s", blocks[i].text,
				 why != NULL ? why : "taken");
		}
		if (!ok) {
			assert_string_equal(why, blocks[i].why);
			assert_int_equal(got.bits, 200);
			assert_ptr_equal(rest, blocks[i].text);
			continue;
		}
		assert_int_equal(*rest, '\0');
		assert_int_equal(got.any, blocks[i].any);
		assert_int_equal(got.address.len, blocks[i].len);
		assert_int_equal(got.bits, blocks[i].bits);
	}
}

static struct ntsign_block block_of(const char *text)
{
	struct ntsign_block block = { .bits = 0 };
	const char *why = NULL;

	assert_true(ntsign_block_take(&text, &block, &why));
	return block;
}

static struct ntsign_address address_of(const char *text)
{
	struct ntsign_address address = { .len = 0 };

	assert_true(ntsign_address_parse(text, &address));
	return address;
}

static const struct {
	const char *block;
	const char *address;
	bool match;
} matches[] = {
	{ "*", "1.2.3.4", true },
	{ "*", "::1", true },
	{ "0.0.0.0/0", "255.0.0.1", true },
	{ "0.0.0.0/0", "::1", false },
	{ "::/0", "::1", true },
	{ "::/0", "1.2.3.4", false },
	{ "::/0", "::ffff:1.2.3.4", false },
	{ "0.0.0.0/0", "::ffff:1.2.3.4", true },
	{ "10.0.0.1", "10.0.0.1", true },
	{ "10.0.0.1", "10.0.0.2", false },
	{ "10.0.0.1", "::ffff:10.0.0.1", true },
	{ "::ffff:10.0.0.0/104", "10.255.0.1", true },
	{ "10.0.0.0/8", "10.255.255.255", true },
	{ "10.0.0.0/8", "11.0.0.0", false },
	{ "10.0.0.0/9", "10.127.255.255", true },
	{ "10.0.0.0/9", "10.128.0.0", false },
	{ "10.0.0.4/31", "10.0.0.5", true },
	{ "10.0.0.4/31", "10.0.0.6", false },
	{ "128.0.0.0/1", "200.0.0.1", true },
	{ "128.0.0.0/1", "127.0.0.1", false },
	{ "2001:db8::/33", "2001:db8:7fff::1", true },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "::1", "::1", true },
	{ "::1", "::2", false },
	{ "::2/127", "::3", true },
};

static void test_matches(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(matches); i++) {
		struct ntsign_block block = block_of(matches[i].block);
		struct ntsign_address address =
			address_of(matches[i].address);

		if (ntsign_block_match(&block, &address) != matches[i].match)
		{
			fail_msg("%s and %s", matches[i].block,
				 matches[i].address);
		}
	}
}

static const struct {
	const char *outer;
	const char *inner;
	bool covers;
} covers[] = {
	{ "*", "*", true },
	{ "*", "10.0.0.0/8", true },
	{ "0.0.0.0/0", "*", false },
	{ "10.0.0.0/8", "10.0.0.0/8", true },
	{ "10.0.0.0/8", "10.1.0.0/16", true },
	{ "10.1.0.0/16", "10.0.0.0/8", false },
	{ "10.0.0.0/8", "11.0.0.1", false },
	{ "0.0.0.0/0", "::/0", false },
	{ "::/0", "::1", true },
	{ "::ffff:0:0/96", "10.0.0.1", true },
};

static void test_covers(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(covers); i++) {
		struct ntsign_block outer = block_of(covers[i].outer);
		struct ntsign_block inner = block_of(covers[i].inner);

		if (ntsign_block_covers(&outer, &inner) != covers[i].covers) {
			fail_msg("%s and %s", covers[i].outer,
				 covers[i].inner);
		}
	}
}

#define FORM "not of the form ADDRESS=STATE[@YYYY-MM-DD]"
#define STATE "the state is not one of required, enabled, disabled"
#define DAY "the part behind @ is not a day YYYY-MM-DD from 1970 on"
#define REQ NTSIGN_SIGNING_REQUIRED
#define ENA NTSIGN_SIGNING_ENABLED
#define DIS NTSIGN_SIGNING_DISABLED

static const struct {
	const char *text;
	const char *why;	/* NULL: it is a rule */
	enum ntsign_signing signing;
	long long until;	/* seconds, as date -u +%s prints them */
} rules[] = {
	{ "10.0.0.1=required", NULL, REQ, 0 },
	{ "10.0.0.0/8=Enabled", NULL, ENA, 0 },
	{ "*=DISABLED", NULL, DIS, 0 },
	{ "::1=disabled@1970-01-01", NULL, DIS, 86400 },
	{ "*=enabled@1999-12-31", NULL, ENA, 946684800 },
	{ "*=enabled@2000-02-29", NULL, ENA, 951868800 },
	{ "*=enabled@2000-03-01", NULL, ENA, 951955200 },
	{ "*=enabled@2026-11-20", NULL, ENA, 1795219200 },
	{ "*=enabled@2028-02-29", NULL, ENA, 1835481600 },
	{ "*=enabled@2028-12-31", NULL, ENA, 1861920000 },
	{ "*=enabled@2038-01-19", NULL, ENA, 2147558400 },
	{ "*=enabled@2100-03-01", NULL, ENA, 4107628800 },
	{ "*=enabled@9999-12-31", NULL, ENA, 253402300800 },
	{ "", FORM, 0, 0 },
	{ "10.0.0.1", FORM, 0, 0 },
	{ "10.0.0.1:required", FORM, 0, 0 },
	{ "=required", NOT_ADDRESS, 0, 0 },
	{ "10.0.0.1 =required", FORM, 0, 0 },
	{ "10.0.0.1x=required", NOT_ADDRESS, 0, 0 },
	{ "*x=required", NOT_ADDRESS, 0, 0 },
	{ "*/0=required", NOT_ADDRESS, 0, 0 },
	{ "10.0.0.0/8x=required", NOT_32, 0, 0 },
	{ "10.0.0.0/8/8=required", NOT_32, 0, 0 },
	{ LONG "=required", NOT_ADDRESS, 0, 0 },
	{ "10.0.0.1/33=required", NOT_32, 0, 0 },
	{ "10.0.0.1/8=required", HOST_BITS, 0, 0 },
	{ "*=", STATE, 0, 0 },
	{ "*=require", STATE, 0, 0 },
	{ "*=requiredx", STATE, 0, 0 },
	{ "*==required", STATE, 0, 0 },
	{ "*=@2026-11-20", STATE, 0, 0 },
	{ "*=mandatory", STATE, 0, 0 },
	{ "*=enabled@", DAY, 0, 0 },
	{ "*=enabled@2026-11-2", DAY, 0, 0 },
	{ "*=enabled@2026/11/20", DAY, 0, 0 },
	{ "*=enabled@2026-11/20", DAY, 0, 0 },
	{ "*=enabled@20261120", DAY, 0, 0 },
	{ "*=enabled@202a-11-20", DAY, 0, 0 },
	{ "*=enabled@2026-1a-20", DAY, 0, 0 },
	{ "*=enabled@2026-11-+2", DAY, 0, 0 },
	{ "*=enabled@1969-12-31", DAY, 0, 0 },
	{ "*=enabled@2026-00-20", DAY, 0, 0 },
	{ "*=enabled@2026-13-20", DAY, 0, 0 },
	{ "*=enabled@2026-11-00", DAY, 0, 0 },
	{ "*=enabled@2026-11-31", DAY, 0, 0 },
	{ "*=enabled@2026-02-29", DAY, 0, 0 },
	{ "*=enabled@2028-02-30", DAY, 0, 0 },
	{ "*=enabled@2100-02-29", DAY, 0, 0 },
	{ "*=enabled@2026-11-20@2026-11-21", DAY, 0, 0 },
};

static void test_rules(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rules); i++) {
		struct ntsign_rule got = { .until = 77 };
		const char *why = NULL;
		const char *rest = rules[i].text;
		bool ok = ntsign_rule_take(&rest, &got, &why);

		if (ok != (rules[i].why == NULL)) {
			fail_msg("\"%s\": %s", rules[i].text,
				 why != NULL ? why : "taken");
		}
		if (!ok) {
			assert_string_equal(why, rules[i].why);
			assert_int_equal(got.until, 77);
			assert_ptr_equal(rest, rules[i].text);
			continue;
		}
		assert_int_equal(*rest, '\0');
		assert_int_equal(got.signing, rules[i].signing);
		if (got.until != rules[i].until) {
			fail_msg("\"%s\": until %lld", rules[i].text,
				 (long long)got.until);
		}
	}
}

/* Several elements: each is taken to its end and no further. */
static void test_elements(void **state)
{
	static const char list[] = "10.0.0.1=enabled\t*=required@2026-11-20;"
				   "::1=disabled,10.0.0.0/8=enabled@x "
				   "10.0.0.1";
	const char *rest = list;
	const char *why = NULL;
	struct ntsign_rule rule = { .until = 0 };
	struct ntsign_block block = { .bits = 0 };
	struct ntsign_block same = { .bits = 0 };

	(void)state;
	assert_true(ntsign_rule_take(&rest, &rule, &why));
	assert_int_equal(*rest++, '\t');
	assert_true(ntsign_rule_take(&rest, &rule, &why));
	assert_int_equal(*rest++, ';');
	assert_true(ntsign_rule_take(&rest, &rule, &why));
	assert_int_equal(*rest++, ',');
	assert_false(ntsign_rule_take(&rest, &rule, &why));
	assert_string_equal(why, DAY);
	assert_int_equal(rule.signing, DIS);
	rest = strchr(rest, ' ') + 1;
	assert_true(ntsign_block_take(&rest, &block, &why));
	assert_int_equal(*rest, '\0');

	for (rest = " \t,;\n\r\v\f"; *rest != '\0'; rest++) {
		char text[] = "10.0.0.1?x";
		const char *p = text;

		assert_true(ntsign_element_ends(*rest));
		text[8] = *rest;
		assert_true(ntsign_block_take(&p, &same, &why));
		assert_ptr_equal(p, text + 8);
		assert_memory_equal(&same, &block, sizeof(same));
	}
	assert_true(ntsign_element_ends('\0'));
	for (rest = "\b\x0E!+-./:<=>@x\x7F\x80\xA0\xFF"; *rest != '\0';
	     rest++)
	{
		assert_false(ntsign_element_ends(*rest));
	}
}

static void test_first_match(void **state)
{
	static const char *const texts[] = {
		"10.0.0.1=disabled@2026-11-20",
		"10.0.0.0/8=enabled",
		"10.0.0.1=required",
		"::/0=required@2026-11-20",
	};
	const time_t end = 1795219200;
	struct ntsign_rule list[ARRAY_LEN(texts)];
	struct ntsign_address one = address_of("10.0.0.1");
	struct ntsign_address two = address_of("10.0.0.2");
	struct ntsign_address six = address_of("::1");
	struct ntsign_address other = address_of("192.0.2.1");
	const char *why = NULL;
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(texts); i++) {
		const char *rest = texts[i];

		assert_true(ntsign_rule_take(&rest, &list[i], &why));
	}
	assert_ptr_equal(ntsign_rules_match(list, 4, &one, 0), &list[0]);
	assert_ptr_equal(ntsign_rules_match(list, 4, &one, end - 1),
			 &list[0]);
	assert_ptr_equal(ntsign_rules_match(list, 4, &one, end), &list[1]);
	assert_ptr_equal(ntsign_rules_match(list, 4, &two, 0), &list[1]);
	assert_ptr_equal(ntsign_rules_match(list, 4, &six, end - 1),
			 &list[3]);
	assert_null(ntsign_rules_match(list, 4, &six, end));
	assert_null(ntsign_rules_match(list, 4, &other, 0));
	assert_null(ntsign_rules_match(list, 1, &two, 0));
	assert_null(ntsign_rules_match(NULL, 0, &one, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_short_addresses),
		cmocka_unit_test(test_changed_addresses),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_covers),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_elements),
		cmocka_unit_test(test_first_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
