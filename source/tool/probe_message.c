/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SMB1 messages as a client makes and reads them.
 *
 * Invariant: a request is built front to back, its counts filled in last.
 */
#include <string.h>
#include <unistd.h>

#include "ntsign/policy.h"
#include "probe_message.h"
#include "probe_status.h"

#define FLAGS_REPLY 0x80
/* paths are case-insensitive and canonical, as all clients have it */
#define FLAGS_REQUEST 0x18

#define NO_ANDX 0x00FF

#define OUR_BUFFER 0xFFFF
#define OUR_MPX 50
#define CAP_NT_SMBS 0x00000010
#define CAP_STATUS32 0x00000040

static const char mark[4] = { (char)0xFF, 'S', 'M', 'B' };

/* Adds the header and an empty word count. */
static void begin(struct ntsign_bytes *out, uint8_t command,
		  const struct ntsign_message_header *header)
{
	ntsign_bytes_put(out, mark, sizeof(mark));
	ntsign_bytes_put8(out, command);
	ntsign_bytes_put32(out, 0);		/* status */
	ntsign_bytes_put8(out, FLAGS_REQUEST);
	ntsign_bytes_put16(out, header->flags2);
	ntsign_bytes_zero(out, 2 + NTSIGN_MESSAGE_SIGNATURE_LEN + 2);
	ntsign_bytes_put16(out, header->tid);
	ntsign_bytes_put16(out, (uint16_t)getpid());
	ntsign_bytes_put16(out, header->uid);
	ntsign_bytes_put16(out, header->mid);
	ntsign_bytes_put8(out, 0);
}

/* Ends the words and adds an empty byte count; returns where it is. */
static size_t end_words(struct ntsign_bytes *out)
{
	size_t words = out->len - NTSIGN_MESSAGE_HEADER_LEN - 1;

	if (!out->failed) {
		out->data[NTSIGN_MESSAGE_HEADER_LEN] = (uint8_t)(words / 2);
	}
	ntsign_bytes_put16(out, 0);
	return out->len - 2;
}

static void end_bytes(struct ntsign_bytes *out, size_t count_at)
{
	size_t count = out->len - count_at - 2;

	if (out->failed || count > UINT16_MAX) {
		out->failed = true;
		return;
	}
	ntsign_bytes_set16(out, count_at, (uint16_t)count);
}

/* Adds a text with its end, on an even place as UTF-16 has to be. */
static void put_text(struct ntsign_bytes *out, const char *text)
{
	if (out->len % 2 != 0) {
		ntsign_bytes_put8(out, 0);
	}
	ntsign_bytes_put_text(out, text);
	ntsign_bytes_put16(out, 0);
}

void ntsign_message_negotiate(struct ntsign_bytes *out,
			      const struct ntsign_message_header *header)
{
	size_t count_at = 0;

	begin(out, NTSIGN_MESSAGE_NEGOTIATE, header);
	count_at = end_words(out);
	ntsign_bytes_put8(out, 0x02);
	ntsign_bytes_put(out, NTSIGN_MESSAGE_DIALECT,
			 sizeof(NTSIGN_MESSAGE_DIALECT));
	end_bytes(out, count_at);
}

/* The words that both kinds of session setup begin with. */
static void begin_setup(struct ntsign_bytes *out,
			const struct ntsign_message_header *header,
			const struct ntsign_message_logon *logon)
{
	begin(out, NTSIGN_MESSAGE_SESSION_SETUP, header);
	ntsign_bytes_put16(out, NO_ANDX);
	ntsign_bytes_put16(out, 0);
	ntsign_bytes_put16(out, OUR_BUFFER);
	ntsign_bytes_put16(out, logon->max_mpx < OUR_MPX ? logon->max_mpx :
							     OUR_MPX);
	ntsign_bytes_put16(out, 1);		/* VcNumber */
	ntsign_bytes_put32(out, logon->session_key);
}

static void put_native(struct ntsign_bytes *out,
		       const struct ntsign_message_logon *logon)
{
	put_text(out, logon->native_os);
	put_text(out, logon->native_lanman);
}

void ntsign_message_setup_nt4(struct ntsign_bytes *out,
			      const struct ntsign_message_header *header,
			      const struct ntsign_message_logon *logon)
{
	size_t count_at = 0;

	if (logon->lm_len > UINT16_MAX || logon->nt_len > UINT16_MAX) {
		out->failed = true;
		return;
	}
	begin_setup(out, header, logon);
	ntsign_bytes_put16(out, (uint16_t)logon->lm_len);
	ntsign_bytes_put16(out, (uint16_t)logon->nt_len);
	ntsign_bytes_put32(out, 0);
	ntsign_bytes_put32(out, NTSIGN_MESSAGE_CAP_UNICODE | CAP_NT_SMBS |
				CAP_STATUS32);
	count_at = end_words(out);
	ntsign_bytes_put(out, logon->lm, logon->lm_len);
	ntsign_bytes_put(out, logon->nt, logon->nt_len);
	put_text(out, logon->user);
	put_text(out, logon->domain);
	put_native(out, logon);
	end_bytes(out, count_at);
}

void ntsign_message_setup_extended(struct ntsign_bytes *out,
				   const struct ntsign_message_header *header,
				   const struct ntsign_message_logon *logon)
{
	size_t count_at = 0;

	if (logon->nt_len > UINT16_MAX) {
		out->failed = true;
		return;
	}
	begin_setup(out, header, logon);
	ntsign_bytes_put16(out, (uint16_t)logon->nt_len);
	ntsign_bytes_put32(out, 0);
	ntsign_bytes_put32(out, NTSIGN_MESSAGE_CAP_UNICODE | CAP_NT_SMBS |
				CAP_STATUS32 | NTSIGN_MESSAGE_CAP_EXTENDED);
	count_at = end_words(out);
	ntsign_bytes_put(out, logon->nt, logon->nt_len);
	put_native(out, logon);
	end_bytes(out, count_at);
}

void ntsign_message_tree_connect(struct ntsign_bytes *out,
				 const struct ntsign_message_header *header,
				 const char *host, const char *share)
{
	static const char service[] = "?????";
	char *path = talloc_asprintf(out->mem_ctx, "\\\\%s\\%s", host, share);
	size_t count_at = 0;

	begin(out, NTSIGN_MESSAGE_TREE_CONNECT, header);
	ntsign_bytes_put16(out, NO_ANDX);
	ntsign_bytes_put16(out, 0);
	ntsign_bytes_put16(out, 0);		/* flags */
	ntsign_bytes_put16(out, 1);		/* password's length */
	count_at = end_words(out);
	ntsign_bytes_put8(out, 0);
	if (path == NULL) {
		out->failed = true;
		return;
	}
	put_text(out, path);
	ntsign_bytes_put(out, service, sizeof(service));
	end_bytes(out, count_at);
	TALLOC_FREE(path);
}

void ntsign_message_echo(struct ntsign_bytes *out,
			 const struct ntsign_message_header *header)
{
	size_t count_at = 0;

	begin(out, NTSIGN_MESSAGE_ECHO, header);
	ntsign_bytes_put16(out, 1);		/* answers wanted */
	count_at = end_words(out);
	ntsign_bytes_put(out, "ntsign", 6);
	end_bytes(out, count_at);
}

void ntsign_message_tree_disconnect(
	struct ntsign_bytes *out, const struct ntsign_message_header *header)
{
	begin(out, NTSIGN_MESSAGE_TREE_DISCONNECT, header);
	end_bytes(out, end_words(out));
}

/* ---- replies ---- */

/* The NTSTATUS of a DOS error, [MS-CIFS] 2.2.2.4, as far as it matters. */
static uint32_t from_dos(uint32_t raw)
{
	static const struct {
		uint8_t class;
		uint16_t code;
		uint32_t status;
	} errors[] = {
		{ 1, 5, NTSIGN_STATUS_ACCESS_DENIED },
		{ 1, 67, NTSIGN_STATUS_BAD_NETWORK_NAME },
		{ 2, 2, NTSIGN_STATUS_LOGON_FAILURE },
		{ 2, 4, NTSIGN_STATUS_ACCESS_DENIED },
		{ 2, 6, NTSIGN_STATUS_BAD_NETWORK_NAME },
	};
	uint8_t class = raw & 0xFF;
	uint16_t code = (uint16_t)(raw >> 16);
	size_t i;

	if (class == 0) {
		return NTSIGN_STATUS_OK;
	}
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].class == class && errors[i].code == code) {
			return errors[i].status;
		}
	}
	return NTSIGN_STATUS_DOS | (uint32_t)class << 16 | code;
}

bool ntsign_message_parse(const uint8_t *message, size_t len,
			  struct ntsign_reply *reply)
{
	struct ntsign_reply r = { .command = 0 };
	size_t words_len = 0;

	/* the header, a word count and a byte count */
	if (len < NTSIGN_MESSAGE_HEADER_LEN + 3 ||
	    memcmp(message, mark, sizeof(mark)) != 0) {
		return false;
	}
	r.command = message[4];
	r.flags = message[9];
	r.flags2 = get16(message + 10);
	r.status = get32(message + 5);
	if ((r.flags2 & NTSIGN_MESSAGE_NT_STATUS) == 0) {
		r.status = from_dos(r.status);
	}
	memcpy(r.signature, message + NTSIGN_MESSAGE_SIGNATURE_AT,
	       sizeof(r.signature));
	r.tid = get16(message + 24);
	r.uid = get16(message + 28);
	r.mid = get16(message + 30);
	r.word_count = message[NTSIGN_MESSAGE_HEADER_LEN];
	words_len = r.word_count * 2;
	if (len - NTSIGN_MESSAGE_HEADER_LEN - 3 < words_len ||
	    (r.flags & FLAGS_REPLY) == 0) {
		return false;
	}
	r.words = message + NTSIGN_MESSAGE_HEADER_LEN + 1;
	r.data_at = NTSIGN_MESSAGE_HEADER_LEN + 3 + words_len;
	r.data = message + r.data_at;
	r.data_len = get16(r.data - 2);
	if (r.data_len > len - r.data_at) {
		return false;
	}
	*reply = r;
	return true;
}

bool ntsign_message_unsigned(const struct ntsign_reply *reply)
{
	static const uint8_t empty[NTSIGN_MESSAGE_SIGNATURE_LEN] = { 0 };

	return memcmp(reply->signature, empty, sizeof(empty)) == 0 ||
	       memcmp(reply->signature, "BSRSPYL ", sizeof(empty)) == 0;
}

enum ntsign_negotiation ntsign_message_negotiated(
	const struct ntsign_reply *reply, struct ntsign_negotiated *result)
{
	struct ntsign_negotiated r = { .has_challenge = false };
	uint8_t challenge_len = 0;

	if (reply->word_count < 1) {
		return NTSIGN_NEGOTIATION_MALFORMED;
	}
	if (get16(reply->words) == 0xFFFF) {
		return NTSIGN_NEGOTIATION_NO_DIALECT;
	}
	if (get16(reply->words) != 0 || reply->word_count != 17) {
		return NTSIGN_NEGOTIATION_MALFORMED;
	}
	r.security_mode = reply->words[2];
	r.max_mpx = get16(reply->words + 3);
	r.session_key = get32(reply->words + 15);
	r.capabilities = get32(reply->words + 19);
	challenge_len = reply->words[33];
	if ((r.capabilities & NTSIGN_MESSAGE_CAP_EXTENDED) == 0 &&
	    (r.security_mode & NTSIGN_MESSAGE_CHALLENGE) != 0) {
		if (challenge_len != sizeof(r.challenge) ||
		    reply->data_len < sizeof(r.challenge)) {
			return NTSIGN_NEGOTIATION_MALFORMED;
		}
		memcpy(r.challenge, reply->data, sizeof(r.challenge));
		r.has_challenge = true;
	}
	*result = r;
	return NTSIGN_NEGOTIATION_DONE;
}

/* The text at *at, and *at behind it. */
static char *take_text(TALLOC_CTX *mem_ctx, const struct ntsign_reply *reply,
		       size_t *at)
{
	char *text = NULL;
	size_t used = 0;

	if ((reply->flags2 & NTSIGN_FLAGS2_UNICODE) == 0) {
		/* asked for Unicode, answered in some code page */
		return talloc_strdup(mem_ctx, "");
	}
	if ((reply->data_at + *at) % 2 != 0 && *at < reply->data_len) {
		*at += 1;
	}
	text = ntsign_bytes_text(mem_ctx, reply->data + *at,
				 reply->data_len - *at, &used);
	*at += used;
	return text;
}

bool ntsign_message_established(TALLOC_CTX *mem_ctx,
				const struct ntsign_reply *reply,
				bool extended,
				struct ntsign_established *result)
{
	struct ntsign_established r = { .action = 0 };
	size_t at = 0;

	if (reply->word_count != (extended ? 4 : 3)) {
		return false;
	}
	r.action = get16(reply->words + 4);
	if (extended) {
		r.blob = reply->data;
		r.blob_len = get16(reply->words + 6);
		if (r.blob_len > reply->data_len) {
			return false;
		}
		at = r.blob_len;
	}
	r.native_os = take_text(mem_ctx, reply, &at);
	r.native_lanman = take_text(mem_ctx, reply, &at);
	if (r.native_os == NULL || r.native_lanman == NULL) {
		TALLOC_FREE(r.native_os);
		TALLOC_FREE(r.native_lanman);
		return false;
	}
	*result = r;
	return true;
}
