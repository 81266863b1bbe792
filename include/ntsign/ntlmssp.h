/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NTLMSSP messages as far as an audit needs them: [MS-NLMP] 2.2.1.
 *
 * Invariant: no parser reads outside the bytes it was given.
 */
#ifndef NTSIGN_NTLMSSP_H
#define NTSIGN_NTLMSSP_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

enum ntsign_ntlmssp_type {
	NTSIGN_NTLMSSP_NEGOTIATE = 1,
	NTSIGN_NTLMSSP_CHALLENGE = 2,
	NTSIGN_NTLMSSP_AUTHENTICATE = 3,
};

/* [MS-NLMP] 2.2.2.5 */
#define NTSIGN_NTLMSSP_UNICODE			0x00000001
#define NTSIGN_NTLMSSP_LM_KEY			0x00000080
#define NTSIGN_NTLMSSP_EXTENDED_SESSIONSECURITY	0x00080000
#define NTSIGN_NTLMSSP_128			0x20000000
#define NTSIGN_NTLMSSP_56			0x80000000

struct ntsign_ntlmssp {
	enum ntsign_ntlmssp_type type;
	/* 0 in an AUTHENTICATE of Windows 9x, which ends in front of them:
	 * those of the CHALLENGE hold */
	uint32_t flags;
	/* AUTHENTICATE only: talloc children made fit for records */
	const char *account;
	const char *domain;
	const char *workstation;
	uint16_t lm_response_len;	/* bytes */
	uint16_t nt_response_len;	/* bytes; over 24: NTLMv2 */
	bool anonymous;			/* [MS-NLMP] 3.2.5.1.2 */
};

/*
 * Reads any of the three messages. negotiated: the flags of the CHALLENGE, by
 * which the text of an AUTHENTICATE without flags is read, as Samba does it;
 * 0 where there was none. Returns NULL when the bytes are not an NTLMSSP
 * message that holds together, or memory runs out.
 */
struct ntsign_ntlmssp *ntsign_ntlmssp_parse(TALLOC_CTX *mem_ctx,
					    const uint8_t *data, size_t len,
					    uint32_t negotiated);

/*
 * The strength in bits (40, 56 or 128) of the key that the given flags lead
 * to: [MS-NLMP] 3.4.5.3 (SEALKEY).
 */
unsigned int ntsign_ntlmssp_key_bits(uint32_t flags);

/* "NTLMv2", "NTLMv2 session" (extended session security over NTLMv1),
 * "NTLMv1", "LM" or "anonymous". */
const char *ntsign_ntlmssp_version(const struct ntsign_ntlmssp *authenticate);

#endif
