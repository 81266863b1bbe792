/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NTLMSSP messages as a client makes and reads them: [MS-NLMP] 2.2.1.
 *
 * Invariant: what depends on chance or the clock is among the arguments.
 */
#ifndef NTSIGN_PROBE_TOKEN_H
#define NTSIGN_PROBE_TOKEN_H

#include "probe_bytes.h"
#include "probe_ntlm.h"

/* [MS-NLMP] 2.2.2.5 */
#define NTSIGN_TOKEN_UNICODE		0x00000001
#define NTSIGN_TOKEN_REQUEST_TARGET	0x00000004
#define NTSIGN_TOKEN_SIGN		0x00000010
#define NTSIGN_TOKEN_NTLM		0x00000200
#define NTSIGN_TOKEN_ALWAYS_SIGN	0x00008000
#define NTSIGN_TOKEN_SESSION_SECURITY	0x00080000
#define NTSIGN_TOKEN_TARGET_INFO	0x00800000
#define NTSIGN_TOKEN_KEY_128		0x20000000
#define NTSIGN_TOKEN_KEY_EXCHANGE	0x40000000
#define NTSIGN_TOKEN_KEY_56		0x80000000

/* A CHALLENGE message, [MS-NLMP] 2.2.1.2. */
struct ntsign_token_challenge {
	uint32_t flags;
	uint8_t challenge[8];
	/* the AV pairs, within the bytes given; NULL where there are none */
	const uint8_t *target_info;
	size_t target_info_len;
	/* MsvAvTimestamp */
	bool has_time;
	uint64_t time;
};

/* False when it is no CHALLENGE message that holds together: its AV pairs
 * have to lie within it and end with MsvAvEOL. */
bool ntsign_token_challenge_parse(const uint8_t *data, size_t len,
				  struct ntsign_token_challenge *challenge);

/* Adds a NEGOTIATE message. ntlmv1: without extended session security. */
void ntsign_token_negotiate(struct ntsign_bytes *out, bool ntlmv1);

struct ntsign_token_facts {
	const struct ntsign_ntlm_account *account;
	const char *workstation;
	bool ntlmv1;
	/* the two messages that went before, whole */
	const uint8_t *negotiate;
	size_t negotiate_len;
	const uint8_t *challenge;
	size_t challenge_len;
	/* chance and clock */
	uint8_t client_challenge[8];
	uint8_t random_key[NTSIGN_NTLM_KEY_LEN];
	uint64_t now;
};

/* What the two sides have agreed on. */
struct ntsign_token_session {
	/* ExportedSessionKey; a secret */
	uint8_t key[NTSIGN_NTLM_KEY_LEN];
	uint32_t flags;
	/* the client has sent a MIC, and so the server wants one of what
	 * SPNEGO has negotiated too */
	bool has_mic;
};

/*
 * Adds an AUTHENTICATE message with a MIC where the server has sent a
 * timestamp, [MS-NLMP] 3.1.5.1.2. False when the challenge is none that can
 * be answered, or OpenSSL or memory fails. out is empty before.
 */
bool ntsign_token_authenticate(struct ntsign_crypto *crypto,
			       const struct ntsign_token_facts *facts,
			       struct ntsign_bytes *out,
			       struct ntsign_token_session *session);

#define NTSIGN_TOKEN_MIC_LEN 16

/*
 * The signature of the first message that a side signs in a session with
 * extended session security: [MS-NLMP] 3.4.4.2, 3.4.5.2 and 3.4.5.3. False
 * when OpenSSL fails or the message is longer than a mechanism list.
 */
bool ntsign_token_mic(struct ntsign_crypto *crypto,
		      const struct ntsign_token_session *session,
		      bool by_server, const uint8_t *message, size_t len,
		      uint8_t mic[NTSIGN_TOKEN_MIC_LEN]);

#endif
