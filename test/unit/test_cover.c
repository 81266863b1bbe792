/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests which rules never get their turn.
 *
 * Invariant: what the tree says of random rules is what trying every address
 * at every moment says of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <talloc.h>

#include "ntsign/cover.h"
#include "failing_malloc.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define RULES_MAX 16

/* 2026-11-20 20:01:33 UTC */
#define NOW 1795204893

static size_t rules_of(const char *text, struct ntsign_rule *rules)
{
	const char *why = NULL;
	size_t count = 0;

	for (;;) {
		while (*text == ' ') {
			text++;
		}
		if (*text == '\0') {
			return count;
		}
		assert_true(count < RULES_MAX);
		if (!ntsign_rule_take(&text, &rules[count], &why)) {
			fail_msg("%s: %s", text, why);
		}
		count++;
	}
}

#define HALVES "0.0.0.0/1=enabled 128.0.0.0/1=enabled "

static const struct {
	const char *rules;
	const char *hidden;	/* h: hidden, one letter a rule */
} lists[] = {
	{ "", "" },
	{ "*=enabled", "." },
	{ "*=enabled *=enabled", ".h" },
	{ "*=enabled 0.0.0.0/0=enabled ::1=required", ".hh" },
	{ "10.0.0.1=enabled 10.0.0.0/31=enabled", ".." },
	{ "10.0.0.1=enabled 10.0.0.0=enabled 10.0.0.0/31=enabled", "..h" },
	{ "10.0.0.0/25=enabled 10.0.0.128/25=enabled 10.0.0.0/24=enabled",
	  "..h" },
	{ "10.0.0.0/25=enabled 10.0.0.128/26=enabled 10.0.0.0/24=enabled",
	  "..." },
	{ HALVES "0.0.0.0/0=required", "..h" },
	{ HALVES "*=required", "..." },
	{ HALVES "::/0=enabled *=required", "...h" },
	{ HALVES "::/1=enabled 8000::/1=enabled *=required ::/0=enabled",
	  "....hh" },
	{ HALVES "::/1=enabled 8000::/2=enabled *=required ::/0=enabled",
	  ".....h" },
	{ HALVES "::/1=enabled 8000::/2=enabled *=required *=enabled",
	  ".....h" },
	{ "0.0.0.0/0=enabled ::/0=enabled *=required", "..h" },
	{ "::/0=enabled 10.0.0.1=enabled", ".." },
	/* IPv4 written as IPv6 */
	{ "::ffff:0:0/96=enabled 10.0.0.1=enabled", ".h" },
	{ "10.0.0.0/8=enabled ::ffff:10.1.0.0/112=enabled", ".h" },
	{ "::ffff:0.0.0.0/97=enabled ::ffff:128.0.0.0/97=enabled "
	  "0.0.0.0/0=enabled ::/0=enabled *=enabled", "..h.h" },
	/* of these two /96 no client is in the second */
	{ "::fffe:0:0/96=enabled ::fffe:0:0/95=required", ".h" },
	{ "::fffd:0:0/96=enabled ::fffc:0:0/95=required", ".." },
	/* who ends hides nobody who lives longer */
	{ "*=enabled@2027-01-01 *=required@2027-01-01", ".h" },
	{ "*=enabled@2027-01-01 *=required@2027-01-02", ".." },
	{ "*=enabled@2027-01-01 *=required", ".." },
	{ "*=enabled *=required@2027-01-01", ".h" },
	{ "0.0.0.0/1=enabled@2027-01-02 128.0.0.0/1=enabled "
	  "0.0.0.0/0=enabled@2027-01-02 0.0.0.0/0=enabled", "..h." },
	{ "0.0.0.0/0=enabled@2027-01-01 0.0.0.0/1=enabled@2027-01-03 "
	  "0.0.0.0/0=enabled@2027-01-02 10.0.0.0/8=enabled@2027-01-03 "
	  "200.0.0.0/8=enabled@2027-01-02 200.0.0.0/8=enabled@2027-01-03",
	  "...hh." },
	/* who has ended neither hides nor is hidden */
	{ "*=enabled@2026-11-19 *=enabled *=enabled@2026-11-19 *=enabled",
	  "...h" },
	{ "*=enabled@2026-11-20 *=enabled@2026-11-20", ".h" },
	/* a hidden one hides no more than who hides it */
	{ "10.0.0.0/9=enabled 10.0.0.0/10=enabled 10.128.0.0/9=enabled "
	  "10.0.0.0/8=enabled", ".h.h" },
};

static void test_lists(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(lists); i++) {
		struct ntsign_rule rules[RULES_MAX];
		bool hidden[RULES_MAX] = { false };
		size_t count = rules_of(lists[i].rules, rules);
		size_t n = 0;

		assert_int_equal(count, strlen(lists[i].hidden));
		assert_true(ntsign_rules_hidden(rules, count, NOW, hidden));
		for (n = 0; n < count; n++) {
			if (hidden[n] != (lists[i].hidden[n] == 'h')) {
				fail_msg("%s: rule %zu", lists[i].rules,
					 n + 1);
			}
		}
	}
}

static uint32_t draw(uint32_t *random, uint32_t below)
{
	*random = *random * 1664525 + 1013904223;
	return (*random >> 16) % below;
}

/* Blocks of up to four bits, and moments that are few. */
static struct ntsign_rule draw_rule(uint32_t *random)
{
	struct ntsign_rule rule = { .until = 0 };
	uint8_t bits = (uint8_t)draw(random, 5);

	rule.until = (time_t)draw(random, 5);
	if (draw(random, 8) == 0) {
		rule.block.any = true;
		return rule;
	}
	rule.block.address.len = draw(random, 2) == 0 ? 4 : 16;
	rule.block.bits = bits;
	rule.block.address.bytes[0] = (uint8_t)(draw(random, 16) << 4 &
						0xFF00 >> bits);
	return rule;
}

/* Whether rules[i] is ever the first to match. */
static bool has_its_turn(const struct ntsign_rule *rules, size_t count,
			 size_t i, time_t now)
{
	time_t moment = 0;
	unsigned int address = 0;

	for (moment = now; moment < 8; moment++) {
		for (address = 0; address < 32; address++) {
			struct ntsign_address client = {
				.bytes = { (uint8_t)(address << 4) },
				.len = address < 16 ? 4 : 16,
			};

			if (ntsign_rules_match(rules, count, &client,
					       moment) == &rules[i])
			{
				return true;
			}
		}
	}
	return false;
}

static void test_random(void **state)
{
	const time_t now = 1;
	uint32_t random = 1;
	unsigned int found[2] = { 0, 0 };
	unsigned int round = 0;

	(void)state;
	for (round = 0; round < 3000; round++) {
		struct ntsign_rule rules[RULES_MAX];
		bool hidden[RULES_MAX] = { false };
		size_t i = 0;

		for (i = 0; i < RULES_MAX; i++) {
			rules[i] = draw_rule(&random);
		}
		assert_true(ntsign_rules_hidden(rules, RULES_MAX, now,
						hidden));
		for (i = 0; i < RULES_MAX; i++) {
			bool expired = rules[i].until != 0 &&
				       rules[i].until <= now;
			bool wanted = !expired &&
				!has_its_turn(rules, RULES_MAX, i, now);

			if (hidden[i] != wanted) {
				fail_msg("round %u, rule %zu", round, i + 1);
			}
			found[wanted]++;
		}
	}
	assert_true(found[0] > 5000 && found[1] > 5000);
}

static void test_no_memory(void **state)
{
	/* long ones, so that the tree has to grow */
	static const char text[] =
		"2001:db8::1=enabled 2002:db8::1=enabled 3001:db8::1=enabled "
		"4001:db8::1=enabled 8001:db8::1=enabled a001:db8::1=enabled "
		"9001:db8::1=enabled b001:db8::1=enabled *=enabled";
	struct ntsign_rule rules[RULES_MAX];
	bool hidden[RULES_MAX] = { false };
	size_t count = rules_of(text, rules);
	bool failed = true;
	size_t n = 0;

	(void)state;
	if (!FAILING_MALLOC_WORKS) {
		skip();
	}
	for (n = 0; failed; n++) {
		bool ok = false;

		failing_malloc_arm(n);
		ok = ntsign_rules_hidden(rules, count, NOW, hidden);
		failed = failing_malloc_disarm();
		assert_int_equal(ok, !failed);
	}
	assert_true(n > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
