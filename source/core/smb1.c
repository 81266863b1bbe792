/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SMB1 messages as far as signing needs them.
 *
 * Invariant: no parser reads outside the bytes it was given; a message that
 * does not hold together is reported as such and never half filled in.
 */
#include "ntsign/smb1.h"

#include <string.h>

#include "bytes.h"
#include "ntsign/policy.h"
#include "ntsign/text.h"

/* [MS-CIFS] 2.2.3.1 */
#define FLAGS_CASELESS		0x08
#define FLAGS_REPLY		0x80
#define FLAGS2_NT_STATUS	0x4000
/* in place of an NTSTATUS: class ERRDOS, error ERRnoaccess */
#define ERRDOS_NOACCESS		0x00050001
/* what of a request's Flags2 its answer repeats: long names, extended
 * attributes, extended security, Unicode */
#define FLAGS2_ANSWERED		0x8843

bool ntsign_smb1_header_parse(const uint8_t *data, size_t len,
			      struct ntsign_smb1_header *header)
{
	static const uint8_t mark[4] = { 0xFF, 'S', 'M', 'B' };

	if (len < NTSIGN_SMB1_HEADER_LEN ||
	    memcmp(data, mark, sizeof(mark)) != 0)
	{
		return false;
	}

	header->command = data[4];
	header->flags = data[9];
	header->flags2 = pull16(data + 10);
	memcpy(header->signature, data + 14, sizeof(header->signature));
	header->uid = pull16(data + 28);
	header->mid = pull16(data + 30);
	return true;
}

bool ntsign_smb1_signature_promised(const struct ntsign_smb1_header *header)
{
	static const uint8_t filler[8] = { 'B', 'S', 'R', 'S',
					   'P', 'Y', 'L', ' ' };

	return memcmp(header->signature, filler, sizeof(filler)) == 0;
}

bool ntsign_smb1_signature_absent(const struct ntsign_smb1_header *header)
{
	static const uint8_t zero[8] = { 0 };

	return memcmp(header->signature, zero, sizeof(zero)) == 0 ||
	       ntsign_smb1_signature_promised(header);
}

bool ntsign_smb1_error(const uint8_t *request, size_t len, uint32_t status,
		       bool nt_status, uint8_t answer[NTSIGN_SMB1_ERROR_LEN])
{
	struct ntsign_smb1_header header = { .command = 0 };
	uint8_t *message = answer + NTSIGN_NBT_HEADER_LEN;
	uint16_t flags2 = 0;

	if (!ntsign_smb1_header_parse(request, len, &header)) {
		return false;
	}
	flags2 = header.flags2 & FLAGS2_ANSWERED;
	nt_status = nt_status || (header.flags2 & FLAGS2_NT_STATUS);
	if (nt_status) {
		flags2 |= FLAGS2_NT_STATUS;
	} else {
		status = ERRDOS_NOACCESS;
	}

	memset(answer, 0, NTSIGN_SMB1_ERROR_LEN);
	answer[3] = NTSIGN_SMB1_ERROR_LEN - NTSIGN_NBT_HEADER_LEN;
	memcpy(message, request, NTSIGN_SMB1_HEADER_LEN);
	push16(message + 5, (uint16_t)(status & 0xFFFF));
	push16(message + 7, (uint16_t)(status >> 16));
	message[9] = FLAGS_REPLY | (header.flags & FLAGS_CASELESS);
	push16(message + 10, flags2);
	/* PIDHigh stays; signature and reserved are empty */
	memset(message + 14, 0, 10);
	return true;
}

/* The commands that another one may follow: [MS-CIFS] 2.2.3.4. */
static bool command_has_andx(uint8_t command)
{
	switch (command) {
	case 0x24:	/* SMB_COM_LOCKING_ANDX */
	case 0x2D:	/* SMB_COM_OPEN_ANDX */
	case 0x2E:	/* SMB_COM_READ_ANDX */
	case 0x2F:	/* SMB_COM_WRITE_ANDX */
	case NTSIGN_SMB1_SESSION_SETUP:
	case NTSIGN_SMB1_LOGOFF:
	case NTSIGN_SMB1_TREE_CONNECT:
	case 0xA2:	/* SMB_COM_NT_CREATE_ANDX */
		return true;
	default:
		return false;
	}
}

/*
 * Steps from the request at *at, whose command is *command, to the one behind
 * it: AndXCommand, a reserved byte, AndXOffset are its first two words.
 */
bool ntsign_smb1_next_command(const uint8_t *data, size_t len, size_t *at,
			      uint8_t *command)
{
	size_t next = 0;

	if (!command_has_andx(*command) || len - *at < 5 || data[*at] < 2 ||
	    data[*at + 1] == 0xFF)
	{
		return false;
	}
	next = pull16(data + *at + 3);
	*command = data[*at + 1];
	if (next <= *at || next >= len) {
		return false;
	}
	*at = next;
	return true;
}

bool ntsign_smb1_is_chain(const uint8_t *data, size_t len)
{
	struct ntsign_smb1_header header = { .command = 0 };

	return ntsign_smb1_header_parse(data, len, &header) &&
	       command_has_andx(header.command) &&
	       len >= NTSIGN_SMB1_HEADER_LEN + 2 &&
	       data[NTSIGN_SMB1_HEADER_LEN] >= 2 &&
	       data[NTSIGN_SMB1_HEADER_LEN + 1] != 0xFF;
}

size_t ntsign_smb1_find_command(const uint8_t *data, size_t len,
				uint8_t command)
{
	struct ntsign_smb1_header header = { .command = 0 };
	size_t at = NTSIGN_SMB1_HEADER_LEN;

	if (!ntsign_smb1_header_parse(data, len, &header)) {
		return 0;
	}
	/* every step goes on in the message, so there are not many */
	while (header.command != command) {
		if (!ntsign_smb1_next_command(data, len, &at,
					      &header.command)) {
			return 0;
		}
	}
	return at;
}

/* What a mark begins, of which at most 4 bytes are there. */
static enum ntsign_frame mark_classify(const uint8_t *mark, size_t len)
{
	static const uint8_t smb[3] = { 'S', 'M', 'B' };
	enum ntsign_frame frame = NTSIGN_FRAME_UNKNOWN;

	if (len == 0) {
		return NTSIGN_FRAME_SHORT;
	}
	switch (mark[0]) {
	case 0xFF:
		frame = NTSIGN_FRAME_SMB1;
		break;
	case 0xFE:
		frame = NTSIGN_FRAME_SMB2;
		break;
	case 0xFD:
		frame = NTSIGN_FRAME_SMB2_TRANSFORM;
		break;
	default:
		return NTSIGN_FRAME_UNKNOWN;
	}
	if (memcmp(mark + 1, smb, len - 1) != 0) {
		return NTSIGN_FRAME_UNKNOWN;
	}
	if (len < 4) {
		return NTSIGN_FRAME_SHORT;
	}
	return frame;
}

enum ntsign_frame ntsign_frame_classify(const uint8_t *data, size_t len,
					uint32_t *length)
{
	uint32_t message_len = 0;
	size_t mark_len = 0;

	*length = 0;

	if (len == 0) {
		return NTSIGN_FRAME_SHORT;
	}
	/* 0x00 a message, 0x81 to 0x85 the session service's own packets */
	if (data[0] != 0x00 && (data[0] < 0x81 || data[0] > 0x85)) {
		return NTSIGN_FRAME_UNKNOWN;
	}
	if (len < NTSIGN_NBT_HEADER_LEN) {
		return NTSIGN_FRAME_SHORT;
	}

	message_len = (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 |
		      data[3];
	*length = message_len;
	if (data[0] != 0x00) {
		return NTSIGN_FRAME_NBT;
	}
	if (message_len < 4) {
		return NTSIGN_FRAME_UNKNOWN;
	}

	mark_len = len - NTSIGN_NBT_HEADER_LEN;
	return mark_classify(data + NTSIGN_NBT_HEADER_LEN,
			     mark_len < 4 ? mark_len : 4);
}

/* A message taken apart: [MS-CIFS] 2.2.3. */
struct message {
	struct ntsign_smb1_header header;
	const uint8_t *data;	/* the message from its mark on */
	const uint8_t *words;
	size_t word_count;
	size_t pos;		/* where its bytes begin */
	size_t end;		/* where those that have arrived end */
	size_t byte_count;	/* how many there are to be */
};

/*
 * Takes a message apart up to its byte count: the request whose word count is
 * at `at`. The bytes may be fewer than the byte count.
 */
static bool message_parse(const uint8_t *data, size_t len, size_t at,
			  struct message *message)
{
	struct message result = { .data = data };

	if (!ntsign_smb1_header_parse(data, len, &result.header) ||
	    at < NTSIGN_SMB1_HEADER_LEN || at >= len)
	{
		return false;
	}
	/* word count, then as many 16 bit words, then the byte count */
	result.words = data + at + 1;
	result.word_count = data[at];
	result.pos = at + 1 + 2 * result.word_count + 2;
	if (len < result.pos) {
		return false;
	}
	result.byte_count = pull16(data + result.pos - 2);
	result.end = len;
	if (result.byte_count < len - result.pos) {
		result.end = result.pos + result.byte_count;
	}
	*message = result;
	return true;
}

static size_t message_left(const struct message *message)
{
	return message->end - message->pos;
}

/*
 * smbd's reading, so that what it negotiates is what is seen here: the word
 * count and the format byte in front of each dialect do not matter, the last
 * byte has to be a NUL.
 */
struct ntsign_smb1_negotiate *ntsign_smb1_negotiate_parse(
	TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len)
{
	struct ntsign_smb1_negotiate *result = NULL;
	struct message message = { .pos = 0 };

	if (!message_parse(data, len, NTSIGN_SMB1_HEADER_LEN, &message) ||
	    message.header.command != NTSIGN_SMB1_NEGOTIATE)
	{
		return NULL;
	}
	if (message.byte_count == 0 ||
	    message.byte_count != message_left(&message) ||
	    data[message.end - 1] != '\0')
	{
		return NULL;
	}

	result = talloc_zero(mem_ctx, struct ntsign_smb1_negotiate);
	if (result == NULL) {
		return NULL;
	}
	result->dialects = talloc_zero_array(result, const char *,
					     NTSIGN_SMB1_DIALECTS_MAX);
	if (result->dialects == NULL) {
		goto fail;
	}

	for (message.pos++; message.pos < message.end; message.pos++) {
		const char *name = (const char *)data + message.pos;
		size_t name_len = strlen(name);

		if (strcmp(name, "NT LM 0.12") == 0) {
			result->nt_lm_012 = true;
		}
		if (strcmp(name, "SMB 2.002") == 0 ||
		    strcmp(name, "SMB 2.???") == 0)
		{
			result->smb2 = true;
		}
		if (result->count < NTSIGN_SMB1_DIALECTS_MAX) {
			const char *text = ntsign_text_bytes(
				result->dialects,
				(const uint8_t *)name, name_len);

			if (text == NULL) {
				goto fail;
			}
			result->dialects[result->count] = text;
			result->count++;
		}
		message.pos += name_len + 1;
	}

	return result;
fail:
	talloc_free(result);
	return NULL;
}

/*
 * Takes the next string: [MS-CIFS] 2.2.1.1.2. One that the message's end
 * cuts off goes as far as it goes; none at all is NULL. Returns false when
 * memory runs out.
 */
static bool string_take(struct message *message, TALLOC_CTX *mem_ctx,
			const char **text)
{
	bool unicode = message->header.flags2 & NTSIGN_FLAGS2_UNICODE;
	size_t width = unicode ? 2 : 1;
	const uint8_t *start = NULL;
	size_t len = 0;
	size_t left = 0;

	if (unicode && message->pos % 2 != 0 && message_left(message) > 0) {
		message->pos++;
	}
	left = message_left(message);
	if (left < width) {
		message->pos = message->end;
		return true;
	}

	start = message->data + message->pos;
	if (unicode) {
		while (left - len >= 2 && pull16(start + len) != 0) {
			len += 2;
		}
		*text = ntsign_text_utf16(mem_ctx, start, len);
	} else {
		len = strnlen((const char *)start, left);
		*text = ntsign_text_bytes(mem_ctx, start, len);
	}

	/* behind the NUL, where there is one */
	message->pos += len;
	if (message_left(message) < width) {
		message->pos = message->end;
	} else {
		message->pos += width;
	}
	return *text != NULL;
}

/* Steps over `count` bytes, or to the end when fewer have arrived. */
static void bytes_skip(struct message *message, size_t count)
{
	size_t left = message_left(message);

	message->pos += count < left ? count : left;
}

static bool nt4_parse(struct message *message,
		      struct ntsign_smb1_session_setup *setup)
{
	const uint8_t *words = message->words;
	size_t passwords = 0;

	setup->lm_response_len = pull16(words + 14);
	setup->nt_response_len = pull16(words + 16);
	setup->capabilities = pull32(words + 22);

	passwords = (size_t)setup->lm_response_len + setup->nt_response_len;
	if (passwords > message->byte_count) {
		return false;
	}
	bytes_skip(message, passwords);
	setup->account_at = message->pos;
	setup->account_max = message_left(message);

	return string_take(message, setup, &setup->account) &&
	       string_take(message, setup, &setup->domain);
}

/* A blob longer than the bytes is cut, which is what smbd makes of it. */
static void extended_parse(struct message *message,
			   struct ntsign_smb1_session_setup *setup)
{
	size_t start = message->pos;

	setup->extended = true;
	setup->capabilities = pull32(message->words + 20);
	setup->blob = message->data + start;
	bytes_skip(message, pull16(message->words + 14));
	setup->blob_len = message->pos - start;
}

struct ntsign_smb1_session_setup *ntsign_smb1_session_setup_parse(
	TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len, size_t command)
{
	struct ntsign_smb1_session_setup *result = NULL;
	struct message message = { .pos = 0 };
	bool extended = false;

	if (!message_parse(data, len, command, &message)) {
		return NULL;
	}
	extended = message.word_count == 12 &&
		   (message.header.flags2 & NTSIGN_FLAGS2_EXTENDED_SECURITY);
	if (!extended && message.word_count != 13) {
		return NULL;
	}

	result = talloc_zero(mem_ctx, struct ntsign_smb1_session_setup);
	if (result == NULL) {
		return NULL;
	}
	result->vc_number = pull16(message.words + 8);
	if (extended) {
		extended_parse(&message, result);
	} else if (!nt4_parse(&message, result)) {
		goto fail;
	}
	if (!string_take(&message, result, &result->native_os) ||
	    !string_take(&message, result, &result->native_lanman))
	{
		goto fail;
	}

	return result;
fail:
	talloc_free(result);
	return NULL;
}
