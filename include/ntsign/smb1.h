/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SMB1 messages as far as signing needs them: NEGOTIATE and
 * SESSION_SETUP_ANDX requests, and the header of every other one.
 *
 * Invariant: no parser reads outside the bytes it was given; a message that
 * does not hold together is reported as such and never half filled in.
 */
#ifndef NTSIGN_SMB1_H
#define NTSIGN_SMB1_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#define NTSIGN_SMB1_HEADER_LEN 32
/* the transport header of [MS-SMB] 2.1, [RFC1002] 4.3.1 */
#define NTSIGN_NBT_HEADER_LEN 4

#define NTSIGN_SMB1_NEGOTIATE		0x72
#define NTSIGN_SMB1_SESSION_SETUP	0x73
#define NTSIGN_SMB1_LOGOFF		0x74
#define NTSIGN_SMB1_TREE_CONNECT	0x75
#define NTSIGN_SMB1_NT_CANCEL		0xA4

/* [MS-CIFS] 2.2.3.1 */
struct ntsign_smb1_header {
	uint8_t command;
	uint8_t flags;
	uint16_t flags2;
	uint8_t signature[8];
	uint16_t uid;
	uint16_t mid;
};

/*
 * data: the message from its 0xFF 'S' 'M' 'B' on, without the transport
 * header. Returns false when it is shorter than a header or has not that mark.
 */
bool ntsign_smb1_header_parse(const uint8_t *data, size_t len,
			      struct ntsign_smb1_header *header);

/*
 * Whether other requests follow the first one in the message: an AndX chain,
 * [MS-CIFS] 2.2.3.4. The first 34 bytes of the message tell.
 */
bool ntsign_smb1_is_chain(const uint8_t *data, size_t len);

/*
 * Where in a message, AndX chain and all, the first request with a command
 * begins: the offset of its word count from the mark, or 0.
 */
size_t ntsign_smb1_find_command(const uint8_t *data, size_t len,
				uint8_t command);

/*
 * Steps on in an AndX chain: *at, below len, from where one request begins,
 * whose command *command is, to where the next does. False at the end, and
 * where the chain does not hold together.
 */
bool ntsign_smb1_next_command(const uint8_t *data, size_t len, size_t *at,
			      uint8_t *command);

/* Whether all 8 bytes of the signature field are 0, or spell the filler
 * "BSRSPYL " that Windows sends in place of a signature. */
bool ntsign_smb1_signature_absent(const struct ntsign_smb1_header *header);

/* Whether they spell "BSRSPYL ", which says that the client will sign. */
bool ntsign_smb1_signature_promised(const struct ntsign_smb1_header *header);

/* Transport header, message header, word count 0 and byte count 0. */
#define NTSIGN_SMB1_ERROR_LEN (NTSIGN_NBT_HEADER_LEN + \
			       NTSIGN_SMB1_HEADER_LEN + 3)

/*
 * Builds the answer to a request that it failed with an NTSTATUS, with its
 * transport header and unsigned: [MS-CIFS] 2.2.3.1, 2.2.2.4.
 * request: from its mark on. nt_status: whether the client knows NTSTATUS
 * even where its Flags2 does not say so; else it is told ERRDOS, ERRnoaccess.
 * Returns false when the request is no SMB1 message.
 */
bool ntsign_smb1_error(const uint8_t *request, size_t len, uint32_t status,
		       bool nt_status, uint8_t answer[NTSIGN_SMB1_ERROR_LEN]);

enum ntsign_frame {
	NTSIGN_FRAME_SMB1,
	NTSIGN_FRAME_SMB2,
	NTSIGN_FRAME_SMB2_TRANSFORM,
	NTSIGN_FRAME_NBT,	/* a session service packet, not a message */
	NTSIGN_FRAME_SHORT,	/* too few bytes to tell, so far */
	NTSIGN_FRAME_UNKNOWN,	/* none of these */
};

/* Tells what a stream's next bytes are, transport header first. *length is
 * the message's length without the transport header, where that is there,
 * else 0. */
enum ntsign_frame ntsign_frame_classify(const uint8_t *data, size_t len,
					uint32_t *length);

/* [MS-CIFS] 2.2.4.52.1: the dialects that a client offers. */
#define NTSIGN_SMB1_DIALECTS_MAX 64
struct ntsign_smb1_negotiate {
	/* talloc children, made fit by ntsign_text_bytes() */
	const char **dialects;
	size_t count;		/* at most NTSIGN_SMB1_DIALECTS_MAX */
	bool nt_lm_012;		/* "NT LM 0.12" is among them */
	bool smb2;		/* "SMB 2.002" or "SMB 2.???" is */
};

/*
 * data: the message from its mark on. Returns NULL when it is not a
 * NEGOTIATE request that holds together, or memory runs out. What smbd does
 * not look at is not looked at here: the word count and the format bytes.
 */
struct ntsign_smb1_negotiate *ntsign_smb1_negotiate_parse(
	TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len);

/*
 * [MS-CIFS] 2.2.4.53.1 (word count 13, NT4-style) and [MS-SMB] 2.2.4.6.1
 * (word count 12, extended security).
 */
struct ntsign_smb1_session_setup {
	bool extended;		/* word count 12 */
	uint16_t vc_number;
	uint32_t capabilities;
	/* talloc children; NULL where the message ends before them */
	const char *account;	/* NT4-style only */
	const char *domain;	/* NT4-style only */
	const char *native_os;
	const char *native_lanman;
	uint16_t lm_response_len;	/* bytes; NT4-style only */
	uint16_t nt_response_len;	/* bytes; NT4-style only */
	/* NT4-style only: where in the message the account's bytes begin, and
	 * how many follow to the end of the request's data */
	size_t account_at;
	size_t account_max;
	/* extended security: inside the bytes given, not a copy; as much of
	 * it as is there */
	const uint8_t *blob;
	size_t blob_len;
};

/*
 * data: the message from its mark on, as far as it has arrived. command:
 * where the request begins in it, ntsign_smb1_find_command(). Returns NULL
 * when it is not a SESSION_SETUP_ANDX request of one of the two shapes (word
 * count 12 with NTSIGN_FLAGS2_EXTENDED_SECURITY, or 13), when it has not
 * arrived up to its byte count, when its passwords are longer than that
 * count, or memory runs out.
 */
struct ntsign_smb1_session_setup *ntsign_smb1_session_setup_parse(
	TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len, size_t command);

#endif
