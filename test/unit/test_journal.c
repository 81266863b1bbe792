/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests that a record becomes one entry of systemd's journal.
 *
 * Invariant: an entry is compared byte by byte with what the native protocol
 * has for it, and read back as journald reads it where values are odd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "ntsign/journal.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* 2026-11-20 20:01:33.123456 UTC */
static const struct timeval now = { 1795204893, 123456 };

#define START(type) \
	"NTSIGN_TIMESTAMP=2026-11-20T20:01:33.123456+0000\n" \
	"NTSIGN_TYPE=" type "\n"

static int in_utc(void **state)
{
	(void)state;
	setenv("TZ", "UTC0", 1);
	tzset();
	return 0;
}

static void assert_entry(const struct ntsign_record *record,
			 const char *wanted, size_t len)
{
	static struct ntsign_journal entry;

	entry.len = 0;
	ntsign_journal_record(&entry, record);
	assert_int_equal(entry.len, len);
	assert_memory_equal(entry.data, wanted, len);
}

static void test_add(void **state)
{
	static const struct {
		const char *name, *value;
		size_t len;
		const char *wanted;	/* NULL: refused */
		size_t wanted_len;
	} cases[] = {
		{ "A", "", 0, "A=\n", 3 },
		{ "MESSAGE", "a b=c", 5, "MESSAGE=a b=c\n", 14 },
		{ "A_1", "x\0y", 3, "A_1=x\0y\n", 8 },
		{ "A", "\n", 1, "A\n\1\0\0\0\0\0\0\0\n\n", 12 },
		{ "A", "x\nB=y", 5, "A\n\5\0\0\0\0\0\0\0x\nB=y\n", 16 },
		{ "", "x", 1, NULL, 0 },
		{ "_A", "x", 1, NULL, 0 },
		{ "1A", "x", 1, NULL, 0 },
		{ "a", "x", 1, NULL, 0 },
		{ "A=B", "x", 1, NULL, 0 },
		{ "A\nB", "x", 1, NULL, 0 },
		{ "A\xC3\x9C", "x", 1, NULL, 0 },
	};
	static struct ntsign_journal entry;
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		bool added = false;

		entry.len = 0;
		added = ntsign_journal_add(&entry, cases[i].name,
					   cases[i].value, cases[i].len);
		assert_int_equal(added, cases[i].wanted != NULL);
		assert_int_equal(entry.len, cases[i].wanted_len);
		if (added) {
			assert_memory_equal(entry.data, cases[i].wanted,
					    entry.len);
		}
	}
}

/* Names of up to 64 bytes are journald's; a value of more than 255 bytes has
 * a length of several. */
static void test_long(void **state)
{
	static struct ntsign_journal entry;
	static char value[0x1234];
	char name[NTSIGN_JOURNAL_NAME_MAX + 2] = "";

	(void)state;
	memset(name, 'A', NTSIGN_JOURNAL_NAME_MAX);
	assert_true(ntsign_journal_add(&entry, name, "x", 1));
	assert_int_equal(entry.len, NTSIGN_JOURNAL_NAME_MAX + 3);
	memset(name, 'A', NTSIGN_JOURNAL_NAME_MAX + 1);
	assert_false(ntsign_journal_add(&entry, name, "x", 1));
	assert_int_equal(entry.len, NTSIGN_JOURNAL_NAME_MAX + 3);

	memset(value, '\n', sizeof(value));
	entry.len = 0;
	assert_true(ntsign_journal_add(&entry, "A", value, sizeof(value)));
	assert_int_equal(entry.len, 2 + 8 + sizeof(value) + 1);
	assert_memory_equal(entry.data, "A\n\x34\x12\0\0\0\0\0\0", 10);
}

/* To the last byte, and not beyond. */
static void test_room(void **state)
{
	static struct ntsign_journal entry;
	static char value[NTSIGN_JOURNAL_MAX];
	size_t most = sizeof(entry.data) - 3;

	(void)state;
	memset(value, 'x', sizeof(value));
	entry.len = 0;
	assert_true(ntsign_journal_add(&entry, "A", value, most));
	assert_int_equal(entry.len, sizeof(entry.data));
	assert_false(ntsign_journal_add(&entry, "A", "", 0));
	entry.len = 0;
	assert_false(ntsign_journal_add(&entry, "A", value, most + 1));
	assert_false(ntsign_journal_add(&entry, "A", value, SIZE_MAX));
	assert_false(ntsign_journal_add(&entry, "A", value, SIZE_MAX - 2));
	assert_int_equal(entry.len, 0);
	value[0] = '\n';
	assert_true(ntsign_journal_add(&entry, "A", value, most - 8));
	assert_int_equal(entry.len, sizeof(entry.data));
	entry.len = 0;
	assert_false(ntsign_journal_add(&entry, "A", value, most - 7));
}

static void test_record(void **state)
{
	static const char *const list[] = { "NT LM 0.12", NULL, "SMB 2.???" };
	static const char wanted[] = START("SMBSession")
		"NTSIGN_CONNECTION_ID=00AB\n"
		"NTSIGN_CLIENT=192.0.2.7\n"
		"NTSIGN_REMOTE_ADDRESS=ipv4:192.0.2.7:50123\n"
		"NTSIGN_WINDOWS_EVENT_ID=3027\n"
		"NTSIGN_ACCOUNT=a=b\n"
		"NTSIGN_NATIVE_OS\n\x12\0\0\0\0\0\0\0x\nNTSIGN_CLIENT=1\n\n"
		"NTSIGN_CLIENT_PATCHED=true\n"
		"NTSIGN_CLIENT_SIGNING=enabled\n"
		"NTSIGN_REFUSED=false\n"
		"NTSIGN_NTLMSSP_KEY_BITS=128\n"
		"NTSIGN_NTLMSSP_DEEP_NEGOTIATE_FLAGS2=0x00000001\n"
		"NTSIGN_NTLMSSP_DEEP_MAC=0\n"
		"NTSIGN_OFFERED=NT LM 0.12\n"
		"NTSIGN_OFFERED=SMB 2.???\n"
		"NTSIGN_LEAST=-9223372036854775808\n";
	struct ntsign_record *record = ntsign_record_new(
		NULL, NTSIGN_RECORD_SESSION, &now);
	size_t len = 0;

	(void)state;
	ntsign_record_text(record, "connectionId", "00AB");
	ntsign_record_int(record, "pid", 4711);
	ntsign_record_text(record, "remoteAddress", "ipv4:192.0.2.7:50123");
	ntsign_record_int(record, "windowsEventId", 3027);
	ntsign_record_text(record, "account", "a=b");
	ntsign_record_text(record, "domain", NULL);
	ntsign_record_text(record, "nativeOs", "x\nNTSIGN_CLIENT=1\n");
	ntsign_record_open(record, "client");
	ntsign_record_bool(record, "patched", true);
	ntsign_record_text(record, "signing", "enabled");
	ntsign_record_close(record);
	ntsign_record_bool(record, "refused", false);
	ntsign_record_open(record, "ntlmssp");
	ntsign_record_int(record, "keyBits", 128);
	ntsign_record_open(record, "deep");
	ntsign_record_hex(record, "negotiateFlags2", 1, 8);
	ntsign_record_int(record, "MAC", 0);
	ntsign_record_close(record);
	ntsign_record_close(record);
	ntsign_record_list(record, "offered", list, ARRAY_LEN(list));
	ntsign_record_list(record, "nothing", NULL, 0);
	ntsign_record_int(record, "least", INT64_MIN);
	assert_non_null(ntsign_record_line(record, &len));
	assert_entry(record, wanted, sizeof(wanted) - 1);
	talloc_free(record);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *field, *value, *wanted;
	} cases[] = {
		{ "remoteAddress", "ipv4:192.0.2.7:1",
		  "NTSIGN_CLIENT=192.0.2.7\n"
		  "NTSIGN_REMOTE_ADDRESS=ipv4:192.0.2.7:1\n" },
		{ "remoteAddress", "ipv6:2001:DB8:0::7:50123",
		  "NTSIGN_CLIENT=2001:db8::7\n"
		  "NTSIGN_REMOTE_ADDRESS=ipv6:2001:DB8:0::7:50123\n" },
		{ "remoteAddress", "ipv6:::ffff:192.0.2.7:445",
		  "NTSIGN_CLIENT=192.0.2.7\n"
		  "NTSIGN_REMOTE_ADDRESS=ipv6:::ffff:192.0.2.7:445\n" },
		{ "address", "192.0.2.7",
		  "NTSIGN_CLIENT=192.0.2.7\nNTSIGN_ADDRESS=192.0.2.7\n" },
		{ "address", "2001:db8::/64", "NTSIGN_ADDRESS=2001:db8::/64\n" },
		{ "remoteAddress", "unix:/run/x:1",
		  "NTSIGN_REMOTE_ADDRESS=unix:/run/x:1\n" },
		{ "remoteAddress", "ipv4:192.0.2.7",
		  "NTSIGN_REMOTE_ADDRESS=ipv4:192.0.2.7\n" },
		{ "remoteAddress", "ipv4:", "NTSIGN_REMOTE_ADDRESS=ipv4:\n" },
		{ "remoteAddress",
		  "ipv6:1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:1",
		  "NTSIGN_REMOTE_ADDRESS=ipv6:1111:2222:3333:4444:5555:6666:"
		  "7777:8888:9999:1111:1\n" },
		{ "localAddress", "ipv4:192.0.2.7:1",
		  "NTSIGN_LOCAL_ADDRESS=ipv4:192.0.2.7:1\n" },
	};
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct ntsign_record *record = ntsign_record_new(
			NULL, NTSIGN_RECORD_AUDIT, &now);
		char *wanted = talloc_asprintf(record, "%s%s",
					       START("SMBAudit"),
					       cases[i].wanted);

		ntsign_record_text(record, cases[i].field, cases[i].value);
		assert_entry(record, wanted, strlen(wanted));
		talloc_free(record);
	}
}

/* A field whose name does not fit, and a record in error, are left out. */
static void test_left_out(void **state)
{
	static const char wanted[] = START("SMBTree") "NTSIGN_LAST=1\n";
	struct ntsign_record *record = ntsign_record_new(
		NULL, NTSIGN_RECORD_TREE, &now);
	char name[300] = "";

	(void)state;
	memset(name, 'x', NTSIGN_JOURNAL_NAME_MAX);
	ntsign_record_int(record, name, 1);
	memset(name, 'x', sizeof(name) - 1);
	ntsign_record_int(record, name, 1);
	ntsign_record_int(record, "a-b", 1);
	ntsign_record_int(record, "a~b", 1);
	ntsign_record_int(record, "last", 1);
	assert_entry(record, wanted, sizeof(wanted) - 1);
	ntsign_record_close(record);
	assert_entry(record, "", 0);
	assert_entry(NULL, "", 0);
	talloc_free(record);
}

/* Whether a field stands in an entry, its value of many newlines cut. */
static bool has_cut_field(const struct ntsign_journal *entry, const char *name)
{
	size_t len = strlen(name);
	size_t i = 0;

	for (i = 0; i + len + 8 < entry->len; i++) {
		const char *length = entry->data + i + len;

		if (memcmp(entry->data + i, name, len) == 0) {
			return length[0] < 64 && length[1] == 0;
		}
	}
	return false;
}

/* The fullest record that there can be leaves nothing out, and what was cut
 * in the line is cut here. */
static void test_full(void **state)
{
	static struct ntsign_journal entry;
	struct ntsign_record *record = ntsign_record_new(
		NULL, NTSIGN_RECORD_SESSION, &now);
	char *value = NULL;
	const char *line = NULL;
	char name[32] = "";
	size_t len = 0;
	size_t i = 0;

	(void)state;
	value = talloc_zero_array(record, char, 257);
	memset(value, '\n', 256);
	for (i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "someField%02zu", i);
		ntsign_record_text(record, name, value);
	}
	line = ntsign_record_line(record, &len);
	assert_non_null(line);
	entry.len = 0;
	assert_true(ntsign_journal_add(&entry, "MESSAGE", line, len - 1));
	ntsign_journal_record(&entry, record);
	for (i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "NTSIGN_SOME_FIELD%02zu\n", i);
		assert_true(has_cut_field(&entry, name));
	}
	talloc_free(record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, in_utc, NULL);
}
