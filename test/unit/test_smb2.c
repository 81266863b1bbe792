/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests the SMB2 NEGOTIATE parser with a real message, changed and cut.
 *
 * Invariant: every message is handed over in memory of its exact length, so
 * that a sanitizer or valgrind sees any byte read behind it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ntsign/smb2.h"
#include "failing_malloc.h"
#include "frames.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Where the body stands, and its parts: [MS-SMB2] 2.2.3. */
#define BODY 64
#define DIALECTS (BODY + 36)

static struct ntsign_smb2_negotiate *parse(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct ntsign_smb2_negotiate *got = NULL;

	assert_non_null(copy);
	memcpy(copy, data, len);
	got = ntsign_smb2_negotiate_parse(NULL, copy, len);
	free(copy);
	return got;
}

static void test_real(void **state)
{
	static const uint16_t dialects[] = { 0x0202, 0x0210, 0x0300, 0x0302,
					     0x0311 };
	struct ntsign_smb2_negotiate *got = NULL;

	(void)state;
	got = parse(frame_smb2_negotiate, sizeof(frame_smb2_negotiate));
	assert_non_null(got);
	assert_int_equal(got->security_mode, 1);
	assert_memory_equal(got->client_guid,
			    frame_smb2_negotiate + BODY + 12, 16);
	assert_int_equal(got->count, ARRAY_LEN(dialects));
	assert_memory_equal(got->dialects, dialects, sizeof(dialects));
	talloc_free(got);
}

static void test_cut(void **state)
{
	size_t len = 0;

	(void)state;
	/* the contexts behind the five dialects are not asked for */
	for (len = 0; len <= sizeof(frame_smb2_negotiate); len++) {
		struct ntsign_smb2_negotiate *got =
			parse(frame_smb2_negotiate, len);

		assert_int_equal(got != NULL, len >= DIALECTS + 5 * 2);
		talloc_free(got);
	}
}

static const struct {
	const char *what;
	size_t at;
	uint8_t value;
	bool good;
} changes[] = {
	{ "another mark", 0, 0xFF, false },
	{ "another mark's end", 3, 'b', false },
	{ "another command", 12, 1, false },
	{ "a command of 0x0100", 13, 1, false },
	{ "a response", 16, 1, false },
	{ "another flag", 16, 8, true },
	{ "another structure size", BODY, 37, false },
	{ "and one of 0x0124", BODY + 1, 1, false },
	{ "no dialect", BODY + 2, 0, true },
	{ "dialects over the end", BODY + 3, 0x80, false },
	{ "signing required", BODY + 4, 3, true },
};

static void test_changes(void **state)
{
	uint8_t copy[sizeof(frame_smb2_negotiate)];
	struct ntsign_smb2_negotiate *got = NULL;
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(changes); i++) {
		memcpy(copy, frame_smb2_negotiate, sizeof(copy));
		copy[changes[i].at] = changes[i].value;
		got = parse(copy, sizeof(copy));
		if ((got != NULL) != changes[i].good) {
			fail_msg("%s: %p", changes[i].what, (void *)got);
		}
		talloc_free(got);
	}
	/* what two of them come to */
	memcpy(copy, frame_smb2_negotiate, sizeof(copy));
	copy[BODY + 2] = 0;
	copy[BODY + 4] = 3;
	got = parse(copy, sizeof(copy));
	assert_non_null(got);
	assert_int_equal(got->count, 0);
	assert_int_equal(got->security_mode, 3);
	talloc_free(got);
}

/* More dialects than are kept, and just as many as there is room for. */
static void test_many(void **state)
{
	uint8_t copy[DIALECTS + 2 * 70] = { 0 };
	struct ntsign_smb2_negotiate *got = NULL;
	size_t i = 0;

	(void)state;
	memcpy(copy, frame_smb2_negotiate, DIALECTS);
	for (i = 0; i < 70; i++) {
		copy[DIALECTS + 2 * i] = (uint8_t)i;
		copy[DIALECTS + 2 * i + 1] = 3;
	}
	copy[BODY + 2] = 70;
	got = parse(copy, sizeof(copy));
	assert_non_null(got);
	assert_int_equal(got->count, NTSIGN_SMB2_DIALECTS_MAX);
	assert_int_equal(got->dialects[63], 0x033F);
	talloc_free(got);
	assert_null(parse(copy, sizeof(copy) - 1));
	copy[BODY + 2] = 71;
	assert_null(parse(copy, sizeof(copy)));
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(ntsign_smb2_dialect_name(0x0202), "SMB2_02");
	assert_string_equal(ntsign_smb2_dialect_name(0x0210), "SMB2_10");
	assert_string_equal(ntsign_smb2_dialect_name(0x0300), "SMB3_00");
	assert_string_equal(ntsign_smb2_dialect_name(0x0302), "SMB3_02");
	assert_string_equal(ntsign_smb2_dialect_name(0x0311), "SMB3_11");
	assert_null(ntsign_smb2_dialect_name(0));
	assert_null(ntsign_smb2_dialect_name(0x02FF));
}

static void test_no_memory(void **state)
{
	(void)state;
	if (!FAILING_MALLOC_WORKS) {
		skip();
	}
	failing_malloc_arm(0);
	assert_null(ntsign_smb2_negotiate_parse(NULL, frame_smb2_negotiate,
						sizeof(frame_smb2_negotiate)));
	assert_true(failing_malloc_disarm());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
