/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests the SMB1 parsers with real messages, changed ones and cut ones.
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

#include "ntsign/policy.h"
#include "ntsign/smb1.h"
#include "failing_malloc.h"
#include "frames.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define BYTES(text) text, sizeof(text) - 1

static uint8_t *exact(const void *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, data, len);
	return copy;
}

static struct ntsign_smb1_session_setup *setup_parse(TALLOC_CTX *ctx,
						     const void *data,
						     size_t len)
{
	uint8_t *copy = exact(data, len);
	struct ntsign_smb1_session_setup *setup = NULL;

	setup = ntsign_smb1_session_setup_parse(
		ctx, copy, len,
		ntsign_smb1_find_command(copy, len,
					 NTSIGN_SMB1_SESSION_SETUP));
	if (setup != NULL && setup->blob != NULL) {
		assert_true(setup->blob >= copy);
		assert_true(setup->blob + setup->blob_len <= copy + len);
		/* so that it outlives the copy */
		setup->blob = talloc_memdup(setup, setup->blob,
					    setup->blob_len);
	}
	free(copy);
	return setup;
}

static struct ntsign_smb1_negotiate *negotiate_parse(TALLOC_CTX *ctx,
						     const void *data,
						     size_t len)
{
	uint8_t *copy = exact(data, len);
	struct ntsign_smb1_negotiate *negotiate = NULL;

	negotiate = ntsign_smb1_negotiate_parse(ctx, copy, len);
	free(copy);
	return negotiate;
}

static void test_header(void **state)
{
	struct ntsign_smb1_header header = { .command = 99 };
	size_t len = 0;
	size_t i = 0;

	(void)state;
	for (len = 0; len < NTSIGN_SMB1_HEADER_LEN; len++) {
		uint8_t *copy = exact(frame_signed, len);

		assert_false(ntsign_smb1_header_parse(copy, len, &header));
		free(copy);
	}
	for (i = 0; i < 4; i++) {
		uint8_t *copy = exact(frame_signed, sizeof(frame_signed));

		copy[i] ^= 1;
		assert_false(ntsign_smb1_header_parse(
				     copy, sizeof(frame_signed), &header));
		free(copy);
	}
	assert_int_equal(header.command, 99);

	assert_true(ntsign_smb1_header_parse(frame_signed,
					     NTSIGN_SMB1_HEADER_LEN,
					     &header));
	assert_int_equal(header.command, NTSIGN_SMB1_TREE_CONNECT);
	assert_int_equal(header.flags, 0x18);
	assert_int_equal(header.flags2, 0xC857);
	assert_memory_equal(header.signature, frame_signed + 14, 8);
	assert_int_equal(header.uid, 0x2221);
	assert_int_equal(header.mid, 3);
}

static void test_signature_absent(void **state)
{
	struct ntsign_smb1_header header = { .command = 0 };
	size_t i = 0;

	(void)state;
	assert_true(ntsign_smb1_signature_absent(&header));
	for (i = 0; i < 8; i++) {
		header.signature[i] = 1;
		assert_false(ntsign_smb1_signature_absent(&header));
		header.signature[i] = 0;
	}
	memcpy(header.signature, "BSRSPYL ", 8);
	assert_true(ntsign_smb1_signature_absent(&header));
	for (i = 0; i < 8; i++) {
		header.signature[i] ^= 0x20;
		assert_false(ntsign_smb1_signature_absent(&header));
		header.signature[i] ^= 0x20;
	}
}

static void test_signature_promised(void **state)
{
	struct ntsign_smb1_header header = { .command = 0 };
	size_t i = 0;

	(void)state;
	assert_false(ntsign_smb1_signature_promised(&header));
	memcpy(header.signature, "BSRSPYL ", 8);
	assert_true(ntsign_smb1_signature_promised(&header));
	for (i = 0; i < 8; i++) {
		header.signature[i] ^= 0x20;
		assert_false(ntsign_smb1_signature_promised(&header));
		header.signature[i] ^= 0x20;
	}
}

/* Flags2 of the request, whether its client knows NTSTATUS anyway, and
 * status, Flags and Flags2 of the answer to it. */
static const struct {
	uint16_t flags2;
	bool nt_status;
	uint8_t status[4];
	uint16_t answer_flags2;
} denials[] = {
	{ 0x0000, false, { 0x01, 0x00, 0x05, 0x00 }, 0x0000 },
	{ 0x0000, true, { 0x22, 0x00, 0x00, 0xC0 }, 0x4000 },
	{ 0x4000, false, { 0x22, 0x00, 0x00, 0xC0 }, 0x4000 },
	{ 0xFFFF, true, { 0x22, 0x00, 0x00, 0xC0 }, 0xC843 },
	{ 0xC857, false, { 0x22, 0x00, 0x00, 0xC0 }, 0xC843 },
	{ 0x8014, false, { 0x01, 0x00, 0x05, 0x00 }, 0x8000 },
};

static void test_access_denied(void **state)
{
	uint8_t answer[NTSIGN_SMB1_ERROR_LEN] = { 0 };
	const uint8_t *message = answer + NTSIGN_NBT_HEADER_LEN;
	size_t len = 0;
	size_t i = 0;

	(void)state;
	for (len = 0; len < NTSIGN_SMB1_HEADER_LEN; len++) {
		uint8_t *copy = exact(frame_signed, len);

		assert_false(ntsign_smb1_error(copy, len, 0xC0000022, true,
					       answer));
		free(copy);
	}
	for (i = 0; i < sizeof(denials) / sizeof(denials[0]); i++) {
		uint8_t *copy = exact(frame_signed, NTSIGN_SMB1_HEADER_LEN);
		static const uint8_t empty[10];

		copy[10] = denials[i].flags2 & 0xFF;
		copy[11] = denials[i].flags2 >> 8;
		assert_true(ntsign_smb1_error(
				    copy, NTSIGN_SMB1_HEADER_LEN, 0xC0000022,
				    denials[i].nt_status, answer));
		/* transport header, mark and command */
		assert_memory_equal(answer, "\0\0\0\043\377SMB\165", 9);
		assert_memory_equal(message + 5, denials[i].status, 4);
		assert_int_equal(message[9], 0x88);
		assert_int_equal(message[10] | message[11] << 8,
				 denials[i].answer_flags2);
		assert_memory_equal(message + 12, copy + 12, 2);
		assert_memory_equal(message + 14, empty, sizeof(empty));
		/* TID, PID, UID, MID */
		assert_memory_equal(message + 24, copy + 24, 8);
		/* no words, no bytes */
		assert_memory_equal(message + 32, empty, 3);
		free(copy);
	}
}

#define F(name) NTSIGN_FRAME_##name

static const struct {
	const char *data;
	size_t len;
	enum ntsign_frame frame;
	uint32_t length;
} frames[] = {
	{ BYTES(""), F(SHORT), 0 },
	{ BYTES("\0"), F(SHORT), 0 },
	{ BYTES("\0\0\0"), F(SHORT), 0 },
	{ BYTES("\0\0\0\x23"), F(SHORT), 0x23 },
	{ BYTES("\0\0\0\x23\xFF"), F(SHORT), 0x23 },
	{ BYTES("\0\0\0\x23\xFFSM"), F(SHORT), 0x23 },
	{ BYTES("\0\0\0\x23\xFFSMB"), F(SMB1), 0x23 },
	{ BYTES("\0\0\0\x23\xFFSMBr"), F(SMB1), 0x23 },
	{ BYTES("\0\1\2\3\xFESMB"), F(SMB2), 0x010203 },
	{ BYTES("\0\xFF\xFF\xFF\xFDSMB"), F(SMB2_TRANSFORM), 0xFFFFFF },
	{ BYTES("\0\0\0\4\xFFSMB"), F(SMB1), 4 },
	{ BYTES("\0\0\0\3\xFFSMB"), F(UNKNOWN), 3 },
	{ BYTES("\0\0\0\0"), F(UNKNOWN), 0 },
	{ BYTES("\0\0\0\x23\xFCSMB"), F(UNKNOWN), 0x23 },
	{ BYTES("\0\0\0\x23\xFFSMX"), F(UNKNOWN), 0x23 },
	{ BYTES("\0\0\0\x23\xFFX"), F(UNKNOWN), 0x23 },
	{ BYTES("\0\0\0\x23G"), F(UNKNOWN), 0x23 },
	{ BYTES("\x81"), F(SHORT), 0 },
	{ BYTES("\x81\0\0\x44"), F(NBT), 0x44 },
	{ BYTES("\x82\0\0\0"), F(NBT), 0 },
	{ BYTES("\x83\0\0\1\x8F"), F(NBT), 1 },
	{ BYTES("\x85\0\0\0"), F(NBT), 0 },
	{ BYTES("\x80\0\0\0"), F(UNKNOWN), 0 },
	{ BYTES("\x86\0\0\0"), F(UNKNOWN), 0 },
	{ BYTES("\1"), F(UNKNOWN), 0 },
	{ BYTES("GET / HTTP/1.0"), F(UNKNOWN), 0 },
	{ BYTES("\xFFSMB"), F(UNKNOWN), 0 },
};

static void test_frames(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(frames); i++) {
		uint8_t *copy = exact(frames[i].data, frames[i].len);
		uint32_t length = 12345;
		enum ntsign_frame got =
			ntsign_frame_classify(copy, frames[i].len, &length);

		if (got != frames[i].frame || length != frames[i].length) {
			fail_msg("row %zu: frame %d, length %u", i, got,
				 length);
		}
		free(copy);
	}
}

/* A message of one's own, from its mark on. */
struct maker {
	uint8_t bytes[4096];
	size_t len;
};

static void put(struct maker *maker, const void *data, size_t len)
{
	assert_true(len <= sizeof(maker->bytes) - maker->len);
	memcpy(maker->bytes + maker->len, data, len);
	maker->len += len;
}

static void put16(struct maker *maker, unsigned int value)
{
	const uint8_t bytes[2] = { value & 0xFF, value >> 8 };

	put(maker, bytes, 2);
}

static struct maker message_begin(uint8_t command, uint16_t flags2,
				  uint8_t word_count)
{
	struct maker maker = { .len = 0 };

	put(&maker, "\xFFSMB", 4);
	put(&maker, &command, 1);
	put(&maker, "\0\0\0\0\x18", 5);
	put16(&maker, flags2);
	maker.len = NTSIGN_SMB1_HEADER_LEN;
	put(&maker, &word_count, 1);
	return maker;
}

/* What a NEGOTIATE with these bytes comes to; byte_count < 0: their length */
static struct ntsign_smb1_negotiate *negotiate_of(TALLOC_CTX *ctx,
						  const char *bytes,
						  size_t len, int byte_count)
{
	struct maker maker = message_begin(NTSIGN_SMB1_NEGOTIATE, 0, 0);

	put16(&maker, byte_count < 0 ? len : (unsigned int)byte_count);
	put(&maker, bytes, len);
	return negotiate_parse(ctx, maker.bytes, maker.len);
}

static const struct {
	const char *bytes;
	size_t len;
	int byte_count;		/* -1: as many as there are */
	const char *wanted;	/* dialects and "|" behind each; NULL: none */
	bool nt_lm_012;
	bool smb2;
} negotiates[] = {
	{ BYTES("\2NT LM 0.12\0"), -1, "NT LM 0.12|", true, false },
	{ BYTES("\2A\0\2NT LM 0.12\0\2SMB 2.002\0\2SMB 2.???\0"), -1,
	  "A|NT LM 0.12|SMB 2.002|SMB 2.???|", true, true },
	{ BYTES("\2SMB 2.002\0"), -1, "SMB 2.002|", false, true },
	{ BYTES("\2SMB 2.???\0"), -1, "SMB 2.???|", false, true },
	{ BYTES("\2SMB 2.??\0\2NT LM 0.120\0\2nt lm 0.12\0"), -1,
	  "SMB 2.??|NT LM 0.120|nt lm 0.12|", false, false },
	{ BYTES("\2\0"), -1, "|", false, false },
	{ BYTES("\2\xFF\n\0"), -1, "\xEF\xBF\xBD\n|", false, false },
	/* smbd looks at no format byte and is content with the last NUL */
	{ BYTES("\3NT LM 0.12\0"), -1, "NT LM 0.12|", true, false },
	{ BYTES("\0"), -1, "", false, false },
	{ BYTES("\2A\0\0"), -1, "A|", false, false },
	/* bytes behind the count do not belong to it */
	{ BYTES("\2A\0\2NT LM 0.12\0"), 3, "A|", false, false },
	/* does not hold together */
	{ BYTES(""), -1, NULL, false, false },
	{ BYTES("\2NT LM 0.12"), -1, NULL, false, false },
	{ BYTES("\2NT LM 0.12\0\2"), -1, NULL, false, false },
	{ BYTES("\2NT LM 0.12\0"), 13, NULL, false, false },
	{ BYTES("\2NT LM 0.12\0"), 0xFFFF, NULL, false, false },
	{ BYTES("\2NT LM 0.12\0"), 0, NULL, false, false },
	{ BYTES("\2NT LM 0.12\0"), 11, NULL, false, false },
};

static void test_negotiates(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(negotiates); i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		struct ntsign_smb1_negotiate *got = NULL;
		char *names = talloc_strdup(ctx, "");
		size_t n = 0;

		got = negotiate_of(ctx, negotiates[i].bytes,
				   negotiates[i].len,
				   negotiates[i].byte_count);
		if ((got != NULL) != (negotiates[i].wanted != NULL)) {
			fail_msg("row %zu: %p", i, (void *)got);
		}
		if (got != NULL) {
			for (n = 0; n < got->count; n++) {
				names = talloc_asprintf_append(
					names, "%s|", got->dialects[n]);
			}
			assert_string_equal(names, negotiates[i].wanted);
			assert_int_equal(got->nt_lm_012,
					 negotiates[i].nt_lm_012);
			assert_int_equal(got->smb2, negotiates[i].smb2);
		}
		talloc_free(ctx);
	}
}

static void test_negotiate_real(void **state)
{
	struct ntsign_smb1_negotiate *got = NULL;
	uint8_t *copy = NULL;
	size_t len = 0;

	(void)state;
	got = negotiate_parse(NULL, frame_negotiate, sizeof(frame_negotiate));
	assert_non_null(got);
	assert_int_equal(got->count, 2);
	assert_string_equal(got->dialects[0], "NT LANMAN 1.0");
	assert_string_equal(got->dialects[1], "NT LM 0.12");
	assert_true(got->nt_lm_012);
	assert_false(got->smb2);
	talloc_free(got);

	for (len = 0; len < sizeof(frame_negotiate); len++) {
		assert_null(negotiate_parse(NULL, frame_negotiate, len));
	}

	copy = exact(frame_negotiate, sizeof(frame_negotiate));
	copy[4] = NTSIGN_SMB1_SESSION_SETUP;
	assert_null(negotiate_parse(NULL, copy, sizeof(frame_negotiate)));
	copy[4] = NTSIGN_SMB1_NEGOTIATE;
	copy[0] = 0xFE;
	assert_null(negotiate_parse(NULL, copy, sizeof(frame_negotiate)));
	/* the word count reaches over the end */
	copy[0] = 0xFF;
	copy[32] = 255;
	assert_null(negotiate_parse(NULL, copy, sizeof(frame_negotiate)));
	free(copy);
}

/* smbd does not look at the word count: neither do we. */
static void test_negotiate_words(void **state)
{
	struct maker maker = message_begin(NTSIGN_SMB1_NEGOTIATE, 0, 1);
	struct ntsign_smb1_negotiate *got = NULL;

	(void)state;
	put16(&maker, 0);
	put16(&maker, 12);
	put(&maker, "\2NT LM 0.12", 12);
	got = negotiate_parse(NULL, maker.bytes, maker.len);
	assert_non_null(got);
	assert_true(got->nt_lm_012);
	talloc_free(got);
}

/* More dialects than are kept; those behind are still looked at. */
static void test_negotiate_many(void **state)
{
	struct maker maker = message_begin(NTSIGN_SMB1_NEGOTIATE, 0, 0);
	struct ntsign_smb1_negotiate *got = NULL;
	size_t i = 0;

	(void)state;
	put16(&maker, 70 * 4 + 12);
	for (i = 0; i < 70; i++) {
		put(&maker, "\2xy", 4);
	}
	put(&maker, "\2NT LM 0.12", 12);
	got = negotiate_parse(NULL, maker.bytes, maker.len);
	assert_non_null(got);
	assert_int_equal(got->count, NTSIGN_SMB1_DIALECTS_MAX);
	assert_string_equal(got->dialects[63], "xy");
	assert_true(got->nt_lm_012);
	talloc_free(got);
}

static void test_setup_real(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct ntsign_smb1_session_setup *got = NULL;
	const uint8_t *oem[] = { frame_setup_nt4, frame_setup_oem };
	const size_t oem_len[] = { sizeof(frame_setup_nt4),
				   sizeof(frame_setup_oem) };
	size_t i = 0;

	(void)state;
	for (i = 0; i < 2; i++) {
		got = setup_parse(ctx, oem[i], oem_len[i]);
		assert_non_null(got);
		assert_false(got->extended);
		assert_string_equal(got->account, "games");
		assert_string_equal(got->domain, "WORKGROUP");
		assert_string_equal(got->native_os, "Unix");
		assert_string_equal(got->native_lanman, "Samba");
		assert_int_equal(got->lm_response_len, 24);
		assert_int_equal(got->nt_response_len, 70);
		assert_int_equal(got->capabilities,
				 i == 0 ? 0xC054 : 0xC050);
		assert_null(got->blob);
		assert_int_equal(got->blob_len, 0);
	}
	assert_int_equal(setup_parse(ctx, frame_setup_nt4,
				     sizeof(frame_setup_nt4))->vc_number,
			 0x67C3);

	got = setup_parse(ctx, frame_setup_extended,
			  sizeof(frame_setup_extended));
	assert_non_null(got);
	assert_true(got->extended);
	assert_int_equal(got->vc_number, 1);
	assert_int_equal(got->capabilities, 0x8000C054);
	assert_null(got->account);
	assert_null(got->domain);
	assert_string_equal(got->native_os, "Unix");
	assert_string_equal(got->native_lanman, "Samba");
	assert_int_equal(got->lm_response_len, 0);
	assert_int_equal(got->nt_response_len, 0);
	assert_int_equal(got->blob_len, 0x4A);
	assert_memory_equal(got->blob, "\x60\x48\x06\x06", 4);
	talloc_free(ctx);
}

/* As much of a message as has arrived gives as many of its strings. */
static void test_setup_arriving(void **state)
{
	static const struct {
		const uint8_t *frame;
		size_t len;
		size_t bytes;	/* where the byte count has arrived */
	} rows[] = {
		{ frame_setup_nt4, sizeof(frame_setup_nt4), 61 },
		{ frame_setup_oem, sizeof(frame_setup_oem), 61 },
		{ frame_setup_extended, sizeof(frame_setup_extended), 59 },
	};
	TALLOC_CTX *ctx = talloc_new(NULL);
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct ntsign_smb1_session_setup *got = NULL;
		size_t texts = 0;
		size_t len = 0;

		for (len = 0; len <= rows[i].len; len++) {
			size_t now = 0;

			got = setup_parse(ctx, rows[i].frame, len);
			assert_int_equal(got != NULL, len >= rows[i].bytes);
			if (got == NULL) {
				continue;
			}
			now = (got->account != NULL) +
			      (got->domain != NULL) +
			      (got->native_os != NULL) +
			      (got->native_lanman != NULL);
			assert_true(now >= texts);
			texts = now;
		}
		assert_int_equal(texts, i < 2 ? 4 : 2);
	}
	talloc_free(ctx);
}

static struct maker setup_begin(uint16_t flags2, uint8_t word_count,
				uint16_t lm_len, uint16_t nt_len)
{
	struct maker maker = message_begin(NTSIGN_SMB1_SESSION_SETUP, flags2,
					   word_count);
	size_t words = maker.len;

	put(&maker, "\xFF\0\0\0", 4);
	put16(&maker, 0xFFFF);
	put16(&maker, 2);
	put16(&maker, 0x0102);
	put(&maker, "\0\0\0\0", 4);
	put16(&maker, lm_len);
	if (word_count == 13) {
		put16(&maker, nt_len);
	}
	put(&maker, "\0\0\0\0\x54\0\0\x80", 8);
	assert_int_equal(maker.len, words + 2 * word_count);
	return maker;
}

#define U NTSIGN_FLAGS2_UNICODE
#define E NTSIGN_FLAGS2_EXTENDED_SECURITY

static const struct {
	const char *what;
	uint16_t flags2;
	uint8_t word_count;
	uint16_t lm_len;	/* the blob's, with word count 12 */
	uint16_t nt_len;
	int more;		/* by how much the byte count is out */
	const char *bytes;
	size_t len;
	/* account|domain|native OS|native LanMan, "-" for one that is not
	 * there; NULL: not a message */
	const char *wanted;
} setups[] = {
	{ "OEM", 0, 13, 1, 1, 0, BYTES("pqa\0b\0c\0d\0"), "a|b|c|d" },
	{ "OEM, more behind", 0, 13, 0, 0, 0, BYTES("a\0b\0c\0d\0e\0"),
	  "a|b|c|d" },
	{ "OEM, last not ended", 0, 13, 0, 0, 0, BYTES("a\0b\0c\0de"),
	  "a|b|c|de" },
	{ "OEM, two missing", 0, 13, 0, 0, 0, BYTES("a\0b\0"), "a|b|-|-" },
	{ "OEM, empty ones", 0, 13, 0, 0, 0, BYTES("\0\0\0\0"), "|||" },
	{ "no bytes", 0, 13, 0, 0, 0, BYTES(""), "-|-|-|-" },
	{ "passwords only", 0, 13, 2, 1, 0, BYTES("ppp"), "-|-|-|-" },
	{ "OEM, not UTF-8", 0, 13, 0, 0, 0, BYTES("\xFC\0b\0"),
	  "\xEF\xBF\xBD|b|-|-" },
	{ "Unicode, padded", U, 13, 0, 0, 0,
	  BYTES("\0a\0\0\0b\0\0\0c\0\0\0d\0\0\0"), "a|b|c|d" },
	{ "Unicode, even passwords", U, 13, 1, 1, 0,
	  BYTES("pp\0a\0\0\0b\0\0\0"), "a|b|-|-" },
	{ "Unicode, odd passwords", U, 13, 1, 0, 0,
	  BYTES("pa\0\0\0b\0\0\0"), "a|b|-|-" },
	{ "Unicode, last not ended", U, 13, 1, 0, 0,
	  BYTES("pa\0\0\0b\0\0\0c\0"), "a|b|c|-" },
	{ "Unicode, half a character at the end", U, 13, 1, 0, 0,
	  BYTES("pa\0\0\0b\0\0\0c\0\0"), "a|b|c|-" },
	{ "Unicode, half a character alone", U, 13, 1, 0, 0,
	  BYTES("pa\0\0\0b"), "a|-|-|-" },
	{ "Unicode, only the pad", U, 13, 0, 0, 0, BYTES("\0"), "-|-|-|-" },
	{ "Unicode, ends where the pad would be", U, 13, 2, 0, 0,
	  BYTES("pp"), "-|-|-|-" },
	{ "Unicode, lone surrogate", U, 13, 1, 0, 0,
	  BYTES("p\0\xD8\0\0"), "\xEF\xBF\xBD|-|-|-" },
	{ "passwords longer than the bytes", 0, 13, 2, 2, 0, BYTES("ppp"),
	  NULL },
	{ "passwords of great length", 0, 13, 0xFFFF, 0xFFFF, 0,
	  BYTES("ppp"), NULL },
	{ "passwords that are still to come", 0, 13, 3, 3, 4, BYTES("ppp"),
	  "-|-|-|-" },
	{ "bytes still to come", 0, 13, 1, 0, 100, BYTES("pa\0b"),
	  "a|b|-|-" },
	{ "bytes behind the byte count", 0, 13, 1, 0, -3,
	  BYTES("pa\0b\0c\0"), "a|b|-|-" },
	{ "byte count 0", 0, 13, 0, 0, -4, BYTES("a\0b\0"), "-|-|-|-" },
	{ "byte count 0, passwords", 0, 13, 1, 0, -4, BYTES("a\0b\0"),
	  NULL },
	{ "blob, OEM", E, 12, 3, 0, 0, BYTES("BBBos\0lm\0"), "-|-|os|lm" },
	{ "blob, Unicode, odd", E | U, 12, 1, 0, 0,
	  BYTES("Bo\0\0\0l\0\0\0"), "-|-|o|l" },
	{ "blob, Unicode, even", E | U, 12, 2, 0, 0,
	  BYTES("BB\0o\0\0\0l\0\0\0"), "-|-|o|l" },
	{ "blob of 0 bytes", E, 12, 0, 0, 0, BYTES("o\0"), "-|-|o|-" },
	{ "blob longer than the bytes", E, 12, 9, 0, 0, BYTES("BBB"),
	  "-|-|-|-" },
	{ "word count 13 with extended security", E, 13, 0, 0, 0,
	  BYTES("a\0b\0c\0d\0"), "a|b|c|d" },
	{ "word count 12 without it", 0, 12, 3, 0, 0, BYTES("BBBos\0lm\0"),
	  NULL },
};

static const char *or_dash(const char *text)
{
	return text != NULL ? text : "-";
}

static void test_setups(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(setups); i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		struct maker maker = setup_begin(setups[i].flags2,
						 setups[i].word_count,
						 setups[i].lm_len,
						 setups[i].nt_len);
		struct ntsign_smb1_session_setup *got = NULL;
		bool extended = setups[i].word_count == 12;
		char *texts = NULL;

		put16(&maker, (unsigned int)((int)setups[i].len +
					     setups[i].more));
		put(&maker, setups[i].bytes, setups[i].len);
		got = setup_parse(ctx, maker.bytes, maker.len);
		if ((got != NULL) != (setups[i].wanted != NULL)) {
			fail_msg("%s: %p", setups[i].what, (void *)got);
		}
		if (got == NULL) {
			assert_int_equal(talloc_total_blocks(ctx), 1);
			talloc_free(ctx);
			continue;
		}
		texts = talloc_asprintf(ctx, "%s|%s|%s|%s",
					or_dash(got->account),
					or_dash(got->domain),
					or_dash(got->native_os),
					or_dash(got->native_lanman));
		if (strcmp(texts, setups[i].wanted) != 0) {
			fail_msg("%s: %s", setups[i].what, texts);
		}
		assert_int_equal(got->extended, extended);
		assert_int_equal(got->vc_number, 0x0102);
		assert_int_equal(got->capabilities, 0x80000054);
		assert_int_equal(got->lm_response_len,
				 extended ? 0 : setups[i].lm_len);
		assert_int_equal(got->nt_response_len, setups[i].nt_len);
		if (extended) {
			size_t blob = strspn(setups[i].bytes, "B");

			assert_int_equal(got->blob_len, blob);
			assert_memory_equal(got->blob, "BBB", blob);
		}
		talloc_free(ctx);
	}
}

static void test_setup_shapes(void **state)
{
	unsigned int count = 0;

	(void)state;
	for (count = 0; count < 256; count++) {
		uint8_t *copy = exact(frame_setup_extended,
				      sizeof(frame_setup_extended));
		struct ntsign_smb1_session_setup *got = NULL;

		copy[32] = (uint8_t)count;
		got = setup_parse(NULL, copy, sizeof(frame_setup_extended));
		assert_int_equal(got != NULL && got->extended, count == 12);
		if (count != 12 && count != 13) {
			assert_null(got);
		}
		talloc_free(got);
		free(copy);
	}
	assert_null(setup_parse(NULL, frame_negotiate,
				sizeof(frame_negotiate)));
}

/* 60,000 characters of native OS. */
static void test_setup_long(void **state)
{
	struct maker maker = setup_begin(0, 13, 0, 0);
	size_t len = maker.len + 2 + 4 + 60000;
	uint8_t *data = calloc(1, len);
	struct ntsign_smb1_session_setup *got = NULL;

	(void)state;
	put16(&maker, 4 + 60000);
	put(&maker, "a\0b\0", 4);
	memcpy(data, maker.bytes, maker.len);
	memset(data + maker.len, 'x', 60000);
	got = setup_parse(NULL, data, len);
	assert_non_null(got);
	assert_int_equal(strlen(got->native_os), 256);
	assert_null(got->native_lanman);
	talloc_free(got);
	free(data);
}

/* An AndX chain: what stands at 32 and, where it goes on, behind it. */
static void test_chain(void **state)
{
	static const struct {
		const char *what;
		uint8_t command;	/* of the header */
		uint8_t bytes[16];	/* from the first word count on */
		size_t len;
		bool chain;
		size_t setup;		/* where SESSION_SETUP_ANDX begins */
	} rows[] = {
		{ "a session setup alone", 0x73, { 13, 0xFF, 0, 0, 0 }, 5,
		  false, 32 },
		{ "one that a tree connect follows", 0x73,
		  { 13, 0x75, 0, 40, 0 }, 9, true, 32 },
		{ "a logoff and a session setup", 0x74,
		  { 2, 0x73, 0, 38, 0, 0, 13 }, 7, true, 38 },
		{ "a logoff alone", 0x74, { 2, 0xFF, 0, 0, 0 }, 5, false, 0 },
		{ "a logoff and a session setup behind the end", 0x74,
		  { 2, 0x73, 0, 39, 0, 0, 0 }, 7, true, 0 },
		{ "a step back", 0x74, { 2, 0x73, 0, 32, 0, 0, 0 }, 7, true,
		  0 },
		{ "into the header", 0x74, { 2, 0x73, 0, 4, 0, 0, 0 }, 7,
		  true, 0 },
		{ "three in a row", 0x75,
		  { 4, 0x2E, 0, 37, 0, 10, 0x73, 0, 42, 0, 13 }, 11, true,
		  42 },
		{ "words too few", 0x74, { 1, 0x73, 0, 38, 0, 0, 13 }, 7,
		  false, 0 },
		{ "cut off in the words", 0x74, { 2, 0x73, 0, 38 }, 4, true,
		  0 },
		{ "cut off behind the word count", 0x74, { 2 }, 1, false, 0 },
		{ "cut off behind the header", 0x74, { 0 }, 0, false, 0 },
		{ "a command that none follows", 0x2B,
		  { 2, 0x73, 0, 38, 0, 0, 13 }, 7, false, 0 },
		{ "locking", 0x24, { 8, 0x73, 0, 37, 0, 13 }, 6, true, 37 },
		{ "open", 0x2D, { 8, 0x73, 0, 37, 0, 13 }, 6, true, 37 },
		{ "write", 0x2F, { 8, 0x73, 0, 37, 0, 13 }, 6, true, 37 },
		{ "create", 0xA2, { 8, 0x73, 0, 37, 0, 13 }, 6, true, 37 },
	};
	size_t i = 0;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t message[NTSIGN_SMB1_HEADER_LEN + 16] = {
			0xFF, 'S', 'M', 'B', rows[i].command,
		};
		size_t len = NTSIGN_SMB1_HEADER_LEN + rows[i].len;
		uint8_t *copy = NULL;

		memcpy(message + NTSIGN_SMB1_HEADER_LEN, rows[i].bytes,
		       rows[i].len);
		copy = exact(message, len);
		if (ntsign_smb1_is_chain(copy, len) != rows[i].chain ||
		    ntsign_smb1_find_command(copy, len,
					     NTSIGN_SMB1_SESSION_SETUP) !=
			    rows[i].setup)
		{
			fail_msg("%s", rows[i].what);
		}
		/* no SMB1 message at all */
		copy[0] = 0;
		assert_false(ntsign_smb1_is_chain(copy, len));
		assert_int_equal(ntsign_smb1_find_command(
			copy, len, rows[i].command), 0);
		free(copy);
	}
}

static void test_no_memory(void **state)
{
	static const struct {
		const uint8_t *frame;
		size_t len;
		bool negotiate;
		size_t least;	/* allocations that there must be */
	} rows[] = {
		{ frame_negotiate, sizeof(frame_negotiate), true, 4 },
		{ frame_setup_nt4, sizeof(frame_setup_nt4), false, 5 },
		{ frame_setup_oem, sizeof(frame_setup_oem), false, 5 },
		{ frame_setup_extended, sizeof(frame_setup_extended), false,
		  3 },
	};
	size_t i = 0;

	(void)state;
	if (!FAILING_MALLOC_WORKS) {
		skip();
	}
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = 0;
		bool failed = true;

		for (n = 0; failed; n++) {
			TALLOC_CTX *ctx = talloc_new(NULL);
			void *got = NULL;

			failing_malloc_arm(n);
			if (rows[i].negotiate) {
				got = ntsign_smb1_negotiate_parse(
					ctx, rows[i].frame, rows[i].len);
			} else {
				got = ntsign_smb1_session_setup_parse(
					ctx, rows[i].frame, rows[i].len,
					NTSIGN_SMB1_HEADER_LEN);
			}
			failed = failing_malloc_disarm();
			assert_int_equal(got == NULL, failed);
			if (failed) {
				assert_int_equal(talloc_total_blocks(ctx), 1);
			}
			talloc_free(ctx);
		}
		assert_true(n > rows[i].least);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_signature_absent),
		cmocka_unit_test(test_signature_promised),
		cmocka_unit_test(test_access_denied),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_negotiates),
		cmocka_unit_test(test_negotiate_real),
		cmocka_unit_test(test_negotiate_words),
		cmocka_unit_test(test_negotiate_many),
		cmocka_unit_test(test_setup_real),
		cmocka_unit_test(test_setup_arriving),
		cmocka_unit_test(test_setups),
		cmocka_unit_test(test_setup_shapes),
		cmocka_unit_test(test_setup_long),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
