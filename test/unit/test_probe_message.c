/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests the probe's SMB1 messages and texts, and what its rows decide.
 *
 * Invariant: replies are read from memory of just their size, so that the
 * sanitizers see a step too far.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../source/tool/probe_bytes.c"
#include "../../source/tool/probe_message.c"
#include "../../source/tool/probe_row.c"
#include "../../source/tool/probe_status.c"

#define WORDS_MAX 40
#define DATA_MAX 80

struct message {
	uint8_t *bytes;
	size_t len;
};

/* A reply with such words and data. */
static struct message reply_of(uint32_t status, uint16_t flags2,
			       const void *words, size_t words_len,
			       const void *data, size_t data_len)
{
	struct message m = { .len = 35 + words_len + data_len };

	m.bytes = calloc(1, m.len);
	memcpy(m.bytes, "\xFFSMB\x72", 5);
	m.bytes[5] = (uint8_t)status;
	m.bytes[6] = (uint8_t)(status >> 8);
	m.bytes[7] = (uint8_t)(status >> 16);
	m.bytes[8] = (uint8_t)(status >> 24);
	m.bytes[9] = 0x88;
	m.bytes[10] = (uint8_t)flags2;
	m.bytes[11] = (uint8_t)(flags2 >> 8);
	memcpy(m.bytes + 14, "12345678", 8);
	m.bytes[24] = 7;
	m.bytes[28] = 100;
	m.bytes[30] = 3;
	m.bytes[32] = (uint8_t)(words_len / 2);
	memcpy(m.bytes + 33, words, words_len);
	m.bytes[33 + words_len] = (uint8_t)data_len;
	memcpy(m.bytes + 35 + words_len, data, data_len);
	return m;
}

static void test_reply(void **state)
{
	struct message m = reply_of(0xC0000022, 0xC003, "abcd", 4, "xyz", 3);
	struct ntsign_reply r = { .command = 0 };
	size_t len;

	(void)state;
	assert_true(ntsign_message_parse(m.bytes, m.len, &r));
	assert_int_equal(r.command, 0x72);
	assert_int_equal(r.status, NTSIGN_STATUS_ACCESS_DENIED);
	assert_int_equal(r.tid, 7);
	assert_int_equal(r.uid, 100);
	assert_int_equal(r.mid, 3);
	assert_int_equal(r.word_count, 2);
	assert_memory_equal(r.words, "abcd", 4);
	assert_int_equal(r.data_len, 3);
	assert_memory_equal(r.data, "xyz", 3);
	assert_false(ntsign_message_unsigned(&r));
	for (len = 0; len < m.len; len++) {
		uint8_t *copy = malloc(len > 0 ? len : 1);

		memcpy(copy, m.bytes, len);
		assert_false(ntsign_message_parse(copy, len, &r));
		free(copy);
	}
	m.bytes[9] = 0x08;	/* a request */
	assert_false(ntsign_message_parse(m.bytes, m.len, &r));
	m.bytes[9] = 0x88;
	memcpy(m.bytes + 14, "BSRSPYL ", 8);
	assert_true(ntsign_message_parse(m.bytes, m.len, &r));
	assert_true(ntsign_message_unsigned(&r));
	memset(m.bytes + 14, 0, 8);
	assert_true(ntsign_message_parse(m.bytes, m.len, &r));
	assert_true(ntsign_message_unsigned(&r));
	free(m.bytes);
}

static void test_status(void **state)
{
	static const struct {
		uint32_t raw;
		uint16_t flags2;
		uint32_t status;
		const char *text;
		bool logon;
	} cases[] = {
		{ 0, 0xC003, 0, "STATUS_SUCCESS", false },
		{ 0, 0x8003, 0, "STATUS_SUCCESS", false },
		{ 0x00050001, 0x8003, 0xC0000022, "STATUS_ACCESS_DENIED",
		  false },
		{ 0x00040002, 0x8003, 0xC0000022, "STATUS_ACCESS_DENIED",
		  false },
		{ 0x00020002, 0x8003, 0xC000006D, "STATUS_LOGON_FAILURE",
		  true },
		{ 0x00060002, 0x8003, 0xC00000CC, "STATUS_BAD_NETWORK_NAME",
		  false },
		{ 0x00430001, 0x8003, 0xC00000CC, "STATUS_BAD_NETWORK_NAME",
		  false },
		{ 0x12340003, 0x8003, 0xDE031234, "DOS error 3/4660", false },
		{ 0xC0000234, 0xC003, 0xC0000234, "STATUS_ACCOUNT_LOCKED_OUT",
		  true },
		{ 0x80000005, 0xC003, 0x80000005, "NTSTATUS 0x80000005",
		  false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message m = reply_of(cases[i].raw, cases[i].flags2, "",
					    0, "", 0);
		struct ntsign_reply r = { .command = 0 };
		char *text = NULL;

		assert_true(ntsign_message_parse(m.bytes, m.len, &r));
		assert_int_equal(r.status, cases[i].status);
		text = ntsign_status_text(NULL, r.status);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(ntsign_status_is_logon(r.status),
				 cases[i].logon);
		TALLOC_FREE(text);
		free(m.bytes);
	}
}

/* NEGOTIATE's answer: 17 words, of which these may be changed. */
static enum ntsign_negotiation negotiated(uint16_t index, uint8_t mode,
					  uint8_t capabilities,
					  uint8_t challenge_len,
					  size_t words_len, size_t data_len,
					  struct ntsign_negotiated *result)
{
	uint8_t words[WORDS_MAX] = { 0 };
	struct message m = { .bytes = NULL };
	struct ntsign_reply r = { .command = 0 };
	enum ntsign_negotiation answer = NTSIGN_NEGOTIATION_MALFORMED;

	words[0] = (uint8_t)index;
	words[1] = (uint8_t)(index >> 8);
	words[2] = mode;
	words[3] = 50;
	words[15] = 9;
	words[22] = capabilities;	/* the highest byte */
	words[33] = challenge_len;
	m = reply_of(0, 0xC003, words, words_len, "12345678abc", data_len);
	assert_true(ntsign_message_parse(m.bytes, m.len, &r));
	answer = ntsign_message_negotiated(&r, result);
	free(m.bytes);
	return answer;
}

static void test_negotiated(void **state)
{
	struct ntsign_negotiated n = { .security_mode = 0 };

	(void)state;
	assert_int_equal(negotiated(0, 0x0F, 0, 8, 34, 8, &n),
			 NTSIGN_NEGOTIATION_DONE);
	assert_int_equal(n.security_mode, 0x0F);
	assert_int_equal(n.max_mpx, 50);
	assert_int_equal(n.session_key, 9);
	assert_true(n.has_challenge);
	assert_memory_equal(n.challenge, "12345678", 8);
	/* extended security has none */
	assert_int_equal(negotiated(0, 0x07, 0x80, 0, 34, 0, &n),
			 NTSIGN_NEGOTIATION_DONE);
	assert_false(n.has_challenge);
	assert_int_equal(n.capabilities, NTSIGN_MESSAGE_CAP_EXTENDED);
	/* nor has a plain-text password */
	assert_int_equal(negotiated(0, 0x01, 0, 0, 34, 0, &n),
			 NTSIGN_NEGOTIATION_DONE);
	assert_false(n.has_challenge);

	assert_int_equal(negotiated(0xFFFF, 0, 0, 0, 2, 0, &n),
			 NTSIGN_NEGOTIATION_NO_DIALECT);
	assert_int_equal(negotiated(0xFFFF, 0, 0, 0, 34, 0, &n),
			 NTSIGN_NEGOTIATION_NO_DIALECT);
	assert_int_equal(negotiated(0, 0, 0, 0, 0, 0, &n),
			 NTSIGN_NEGOTIATION_MALFORMED);
	assert_int_equal(negotiated(0, 0x07, 0, 8, 26, 8, &n),
			 NTSIGN_NEGOTIATION_MALFORMED);
	assert_int_equal(negotiated(1, 0x07, 0, 8, 34, 8, &n),
			 NTSIGN_NEGOTIATION_MALFORMED);
	assert_int_equal(negotiated(0, 0x07, 0, 8, 34, 7, &n),
			 NTSIGN_NEGOTIATION_MALFORMED);
	assert_int_equal(negotiated(0, 0x07, 0, 9, 34, 9, &n),
			 NTSIGN_NEGOTIATION_MALFORMED);
}

/* The answer to a session setup; false: it was refused. */
static bool established(bool extended, const void *words, size_t words_len,
			const void *data, size_t data_len, uint16_t flags2,
			struct ntsign_established *result)
{
	struct message m = reply_of(0, flags2, words, words_len, data,
				    data_len);
	struct ntsign_reply r = { .command = 0 };
	bool ok = false;

	assert_true(ntsign_message_parse(m.bytes, m.len, &r));
	ok = ntsign_message_established(NULL, &r, extended, result);
	free(m.bytes);
	return ok;
}

static void forget(struct ntsign_established *e)
{
	TALLOC_FREE(e->native_os);
	TALLOC_FREE(e->native_lanman);
}

static void test_established(void **state)
{
	static const char nt4[] = "\xFF\0\0\0\1\0";
	static const char extended[] = "\xFF\0\0\0\0\0\2\0";
	static const char far[] = "\xFF\0\0\0\0\0\x08\0";
	struct ntsign_established e = { .action = 0 };

	(void)state;
	/* data begins at 41 and 43: texts follow on an even place */
	assert_true(established(false, nt4, 6, "\0U\0\0\0S\0", 7, 0xC003,
				&e));
	assert_int_equal(e.action, NTSIGN_MESSAGE_GUEST);
	assert_string_equal(e.native_os, "U");
	assert_string_equal(e.native_lanman, "S");
	forget(&e);
	assert_true(established(true, extended, 8, "NT\0U\0\0\0S\0", 9,
				0xC003, &e));
	assert_int_equal(e.blob_len, 2);
	assert_string_equal(e.native_os, "U");
	assert_string_equal(e.native_lanman, "S");
	forget(&e);
	/* no texts, half a text, and none that is Unicode */
	assert_true(established(false, nt4, 6, "", 0, 0xC003, &e));
	assert_string_equal(e.native_os, "");
	forget(&e);
	assert_true(established(false, nt4, 6, "\0U\0S", 4, 0xC003, &e));
	assert_string_equal(e.native_os, "U");
	assert_string_equal(e.native_lanman, "");
	forget(&e);
	assert_true(established(false, nt4, 6, "Unix\0", 5, 0x4003, &e));
	assert_string_equal(e.native_os, "");
	forget(&e);

	assert_false(established(false, extended, 8, "", 0, 0xC003, &e));
	assert_false(established(true, nt4, 6, "", 0, 0xC003, &e));
	assert_false(established(false, "", 0, "", 0, 0xC003, &e));
	assert_false(established(true, far, 8, "1234567", 7, 0xC003, &e));
}

/* ---- requests: they hold together as the server will read them ---- */

static void check_request(const struct ntsign_bytes *b, uint8_t command,
			  size_t words)
{
	assert_false(b->failed);
	assert_memory_equal(b->data, "\xFFSMB", 4);
	assert_int_equal(b->data[4], command);
	assert_int_equal(get16(b->data + 30), 5);
	assert_int_equal(b->data[32], words);
	assert_int_equal(get16(b->data + 33 + 2 * words),
			 b->len - 35 - 2 * words);
}

static void test_requests(void **state)
{
	const struct ntsign_message_header h = { .flags2 = 0xC001, .mid = 5 };
	const struct ntsign_message_logon logon = {
		.native_os = "Unix",
		.native_lanman = "ntsign probe",
		.user = "alice", .domain = "", .max_mpx = 2,
		.lm = (const uint8_t *)"lm", .lm_len = 2,
		.nt = (const uint8_t *)"ntt", .nt_len = 3,
	};
	struct ntsign_bytes b[6] = { { .mem_ctx = NULL } };
	size_t i;

	(void)state;
	ntsign_message_negotiate(&b[0], &h);
	check_request(&b[0], 0x72, 0);
	assert_memory_equal(b[0].data + 35, "\2NT LM 0.12", 12);
	ntsign_message_setup_nt4(&b[1], &h, &logon);
	check_request(&b[1], 0x73, 13);
	/* 61 + 5 is even: the name follows the passwords at once */
	assert_memory_equal(b[1].data + 61, "lmntta\0l\0i\0", 11);
	ntsign_message_setup_extended(&b[2], &h, &logon);
	check_request(&b[2], 0x73, 12);
	assert_memory_equal(b[2].data + 59, "nttU\0n\0", 7);
	ntsign_message_tree_connect(&b[3], &h, "::1", "share");
	check_request(&b[3], 0x75, 4);
	assert_memory_equal(b[3].data + 43, "\0\\\0\\\0:\0", 7);
	assert_memory_equal(b[3].data + b[3].len - 8, "\0\0?????", 8);
	ntsign_message_echo(&b[4], &h);
	check_request(&b[4], 0x2B, 1);
	ntsign_message_tree_disconnect(&b[5], &h);
	check_request(&b[5], 0x71, 0);
	for (i = 0; i < sizeof(b) / sizeof(b[0]); i++) {
		TALLOC_FREE(b[i].data);
	}
}

static void test_texts(void **state)
{
	static const struct {
		const char *utf8;
		bool good;
	} cases[] = {
		{ "", true }, { "abc", true }, { "\u00e4\u20ac", true },
		{ "\U0001F600", true }, { "\x80", false },
		{ "\xc0\x80", false }, { "\xed\xa0\x80", false },
		{ "\xf4\x90\x80\x80", false },
		{ "\xe2\x82", false }, { "\xff", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ntsign_bytes b = { .mem_ctx = NULL };
		char *back = NULL;

		assert_int_equal(ntsign_bytes_is_text(cases[i].utf8),
				 cases[i].good);
		ntsign_bytes_put_text(&b, cases[i].utf8);
		assert_int_equal(!b.failed, cases[i].good);
		if (cases[i].good) {
			back = ntsign_bytes_text(NULL, b.data, b.len, NULL);
			assert_string_equal(back, cases[i].utf8);
			TALLOC_FREE(back);
		}
		TALLOC_FREE(b.data);
	}
}

static void test_room(void **state)
{
	struct ntsign_bytes b = { .mem_ctx = NULL };

	(void)state;
	ntsign_bytes_zero(&b, NTSIGN_BYTES_MAX);
	assert_false(b.failed);
	ntsign_bytes_put8(&b, 1);
	assert_true(b.failed);
	assert_int_equal(b.len, NTSIGN_BYTES_MAX);
	TALLOC_FREE(b.data);
	b = (struct ntsign_bytes){ .mem_ctx = NULL };
	ntsign_bytes_set16(&b, 0, 1);
	assert_true(b.failed);
}

/* ---- rows ---- */

static void test_rows(void **state)
{
	/* by the server's SecurityMode 0x03, 0x07, 0x0F; -1: gives up */
	static const struct {
		const char *name;
		int flags2[3];
		bool insists;
	} rows[NTSIGN_ROWS] = {
		{ "patched-required", { 0x14, 0x14, 0x14 }, true },
		{ "patched-enabled", { 0, 0x04, 0x04 }, false },
		{ "patched-disabled", { 0, 0, 0x04 }, false },
		{ "unpatched-required", { -1, 0x14, 0x14 }, true },
		{ "unpatched-enabled", { 0, 0x04, 0x04 }, false },
		{ "unpatched-disabled", { 0, 0, 0 }, false },
	};
	static const uint8_t modes[3] = { 0x03, 0x07, 0x0F };
	size_t i;
	size_t j;

	(void)state;
	for (i = 0; i < NTSIGN_ROWS; i++) {
		struct ntsign_party party = { .patched = false };

		assert_true(ntsign_row_from_name(rows[i].name, &party));
		assert_int_equal(party.patched,
				 ntsign_row_party((unsigned int)i).patched);
		assert_int_equal(party.signing,
				 ntsign_row_party((unsigned int)i).signing);
		for (j = 0; j < 3; j++) {
			struct ntsign_row_plan plan =
				ntsign_row_decide(party, modes[j]);

			assert_int_equal(plan.gives_up,
					 rows[i].flags2[j] == -1);
			assert_int_equal(plan.insists, rows[i].insists);
			if (!plan.gives_up) {
				assert_int_equal(plan.flags2,
						 rows[i].flags2[j]);
			}
		}
	}
}

static void test_row_names(void **state)
{
	static const char *const bad[] = {
		"", "un", "patched", "patched-", "required", "Patched-enabled",
		"ununpatched-enabled", "patched-enabled ", "patched_enabled",
	};
	struct ntsign_party party = { .patched = true };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(ntsign_row_from_name(bad[i], &party));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reply),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_negotiated),
		cmocka_unit_test(test_established),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_row_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
