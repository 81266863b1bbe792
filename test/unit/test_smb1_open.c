/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests what an SMB1 request opens: [MS-CIFS] 2.2.4.64 and 2.2.4.41.
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

#include "ntsign/smb1_open.h"

static const struct {
	const char *name;
	bool is_winreg;
} names[] = {
	{ "winreg", true }, { "\\winreg", true }, { "\\PIPE\\WinReg", true },
	{ "\\\\winreg", true }, { "/winreg", true }, { "winreg2", false },
	{ "xwinreg", false }, { "winreg\\", false }, { "", false },
	{ "srvsvc", false },
};

static void test_names(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(ntsign_smb1_is_pipe(names[i].name, "winreg"),
				 names[i].is_winreg);
	}
}

/* A request with a name behind so many words. */
static size_t make(uint8_t message[256], uint8_t command, uint8_t words,
		   bool unicode, const char *name)
{
	size_t pos = 32;

	memset(message, 0, 256);
	memcpy(message, "\xFFSMB", 4);
	message[4] = command;
	message[11] = unicode ? 0x80 : 0;
	message[pos] = words;
	pos += 1 + 2 * words + 2;
	if (unicode) {
		pos += pos % 2;
	}
	do {
		message[pos] = (uint8_t)*name;
		pos += unicode ? 2 : 1;
	} while (*name++ != '\0');
	return pos;
}

static bool open_name(const uint8_t *message, size_t len, char *name,
		      size_t size)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	bool good = false;

	assert_non_null(copy);
	memcpy(copy, message, len);
	good = ntsign_smb1_open_name(copy, len, name, size);
	free(copy);
	return good;
}

static void test_requests(void **state)
{
	static const struct {
		uint8_t command;
		uint8_t words;
		bool good;
	} kinds[] = {
		{ NTSIGN_SMB1_NT_CREATE_ANDX, 24, true },
		{ NTSIGN_SMB1_NT_CREATE_ANDX, 23, false },
		{ NTSIGN_SMB1_OPEN_ANDX, 15, true },
		{ NTSIGN_SMB1_OPEN_ANDX, 14, false },
		{ NTSIGN_SMB1_WRITE_ANDX, 24, false },
	};
	uint8_t message[256];
	char name[16];
	size_t i = 0;

	(void)state;
	for (i = 0; i < 2 * sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = make(message, kinds[i / 2].command,
				  kinds[i / 2].words, i % 2 != 0, "\\winreg");

		assert_int_equal(open_name(message, len, name, sizeof(name)),
				 kinds[i / 2].good);
		if (kinds[i / 2].good) {
			assert_string_equal(name, "\\winreg");
		}
	}
}

static void test_cut(void **state)
{
	uint8_t message[256];
	char name[16];
	size_t len = make(message, NTSIGN_SMB1_NT_CREATE_ANDX, 24, true,
			  "\\winreg");
	size_t n = 0;

	(void)state;
	for (n = 0; n < len; n++) {
		bool good = n >= 32 + 1 + 48 + 2;

		assert_int_equal(open_name(message, n, name, sizeof(name)),
				 good);
		if (good) {
			/* as far as it goes */
			assert_memory_equal(name, "\\winreg", strlen(name));
		}
	}
	assert_true(open_name(message, len, name, 4));
	assert_string_equal(name, "\\wi");
	assert_false(open_name(message, len, name, 0));
	message[0] = 'X';
	assert_false(open_name(message, len, name, sizeof(name)));

	len = make(message, NTSIGN_SMB1_OPEN_ANDX, 15, false, "w\xFCnreg");
	assert_true(open_name(message, len, name, sizeof(name)));
	assert_string_equal(name, "w?nreg");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
