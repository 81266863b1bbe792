/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SMB1 messages as a client makes and reads them: [MS-CIFS] 2.2 and
 * [MS-SMB] 2.2.
 *
 * Invariant: what a server sent is read within its bounds, or not at all.
 */
#ifndef NTSIGN_PROBE_MESSAGE_H
#define NTSIGN_PROBE_MESSAGE_H

#include "probe_bytes.h"

/* [MS-CIFS] 2.2.2.1 */
#define NTSIGN_MESSAGE_ECHO		0x2B
#define NTSIGN_MESSAGE_TREE_DISCONNECT	0x71
#define NTSIGN_MESSAGE_NEGOTIATE	0x72
#define NTSIGN_MESSAGE_SESSION_SETUP	0x73
#define NTSIGN_MESSAGE_TREE_CONNECT	0x75

#define NTSIGN_MESSAGE_HEADER_LEN	32
#define NTSIGN_MESSAGE_SIGNATURE_AT	14
#define NTSIGN_MESSAGE_SIGNATURE_LEN	8

/* Flags2, [MS-CIFS] 2.2.3.1, beside those of ntsign/policy.h */
#define NTSIGN_MESSAGE_LONG_NAMES	0x0001
#define NTSIGN_MESSAGE_NT_STATUS	0x4000

/* NEGOTIATE's SecurityMode, [MS-CIFS] 2.2.4.52.2 */
#define NTSIGN_MESSAGE_USER_LEVEL	0x01
#define NTSIGN_MESSAGE_CHALLENGE	0x02
#define NTSIGN_MESSAGE_OFFERS		0x04
#define NTSIGN_MESSAGE_REQUIRES		0x08

/* Capabilities, [MS-CIFS] 2.2.4.52.2 and [MS-SMB] 2.2.4.5.2.1 */
#define NTSIGN_MESSAGE_CAP_UNICODE	0x00000004
#define NTSIGN_MESSAGE_CAP_EXTENDED	0x80000000

/* Action of a session setup's answer, [MS-CIFS] 2.2.4.53.2 */
#define NTSIGN_MESSAGE_GUEST		0x0001

#define NTSIGN_MESSAGE_DIALECT		"NT LM 0.12"

/* What differs in the requests' headers. */
struct ntsign_message_header {
	uint16_t flags2;
	uint16_t tid;
	uint16_t uid;
	uint16_t mid;
};

/* ---- requests; out is empty before ---- */

void ntsign_message_negotiate(struct ntsign_bytes *out,
			      const struct ntsign_message_header *header);

struct ntsign_message_logon {
	const char *user;
	const char *domain;
	const uint8_t *lm;
	size_t lm_len;
	const uint8_t *nt;
	size_t nt_len;
	/* what the client says that it is */
	const char *native_os;
	const char *native_lanman;
	uint16_t max_mpx;	/* as the server said */
	uint32_t session_key;	/* as the server said */
};

/* NT4-style, [MS-CIFS] 2.2.4.53.1. */
void ntsign_message_setup_nt4(struct ntsign_bytes *out,
			      const struct ntsign_message_header *header,
			      const struct ntsign_message_logon *logon);
/* With extended security, [MS-SMB] 2.2.4.6.1; nt is the blob, and of the
 * rest only max_mpx and session_key count. */
void ntsign_message_setup_extended(struct ntsign_bytes *out,
				   const struct ntsign_message_header *header,
				   const struct ntsign_message_logon *logon);

/* host and share, UTF-8 */
void ntsign_message_tree_connect(struct ntsign_bytes *out,
				 const struct ntsign_message_header *header,
				 const char *host, const char *share);
void ntsign_message_echo(struct ntsign_bytes *out,
			 const struct ntsign_message_header *header);
void ntsign_message_tree_disconnect(
	struct ntsign_bytes *out, const struct ntsign_message_header *header);

/* ---- replies ---- */

struct ntsign_reply {
	uint8_t command;
	uint8_t flags;
	/* NTSTATUS; that of a DOS error for a server that answers with those
	 * where it has one, else 0xDE000000 | class << 16 | code */
	uint32_t status;
	uint16_t flags2;
	uint8_t signature[NTSIGN_MESSAGE_SIGNATURE_LEN];
	uint16_t tid;
	uint16_t uid;
	uint16_t mid;
	/* within the bytes given */
	const uint8_t *words;
	size_t word_count;
	const uint8_t *data;
	size_t data_len;
	size_t data_at;		/* where data begins in the message */
};

/* False when it is no whole SMB1 reply. */
bool ntsign_message_parse(const uint8_t *message, size_t len,
			  struct ntsign_reply *reply);

/* Whether the signature field is empty, or has Windows' filler. */
bool ntsign_message_unsigned(const struct ntsign_reply *reply);

enum ntsign_negotiation {
	NTSIGN_NEGOTIATION_DONE,
	NTSIGN_NEGOTIATION_NO_DIALECT,	/* the server takes none of them */
	NTSIGN_NEGOTIATION_MALFORMED,
};

/* NEGOTIATE's answer for NT LM 0.12, [MS-CIFS] 2.2.4.52.2. */
struct ntsign_negotiated {
	uint8_t security_mode;
	uint16_t max_mpx;
	uint32_t session_key;
	uint32_t capabilities;
	/* without extended security */
	bool has_challenge;
	uint8_t challenge[8];
};

enum ntsign_negotiation ntsign_message_negotiated(
	const struct ntsign_reply *reply, struct ntsign_negotiated *result);

/* SESSION_SETUP_ANDX's answer, [MS-CIFS] 2.2.4.53.2, [MS-SMB] 2.2.4.6.2. */
struct ntsign_established {
	uint16_t action;
	/* with extended security, within the bytes given */
	const uint8_t *blob;
	size_t blob_len;
	/* talloc children of the context given; "" where there is none */
	char *native_os;
	char *native_lanman;
};

/* False when it is none that holds together, or memory runs out. */
bool ntsign_message_established(TALLOC_CTX *mem_ctx,
				const struct ntsign_reply *reply,
				bool extended,
				struct ntsign_established *result);

#endif
