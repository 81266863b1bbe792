/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SMB2 NEGOTIATE as a client makes and reads it: [MS-SMB2] 2.2.3 and 2.2.4.
 *
 * Invariant: what a server sent is read within its bounds, or not at all.
 */
#ifndef NTSIGN_PROBE_DIALECT_H
#define NTSIGN_PROBE_DIALECT_H

#include "probe_bytes.h"

#define NTSIGN_DIALECT_2_02 0x0202
#define NTSIGN_DIALECT_2_10 0x0210
#define NTSIGN_DIALECT_3_00 0x0300
#define NTSIGN_DIALECT_3_02 0x0302
#define NTSIGN_DIALECT_3_11 0x0311

/* [MS-SMB2] 2.2.3: SecurityMode */
#define NTSIGN_DIALECT_SIGNING_REQUIRED 0x0002

/* [MS-SMB2] 2.2.4: Capabilities */
#define NTSIGN_DIALECT_ENCRYPTION 0x00000040

#define NTSIGN_DIALECT_SALT_LEN 32
#define NTSIGN_DIALECT_NO_ALGORITHM 0xFFFF

/* What a client offers. The lists are for 3.1.1 only. */
struct ntsign_dialect_offer {
	const uint16_t *dialects;
	size_t dialect_count;
	const uint16_t *ciphers;
	size_t cipher_count;
	const uint16_t *signings;
	size_t signing_count;
	uint8_t guid[16];
	uint8_t salt[NTSIGN_DIALECT_SALT_LEN];
};

/* Adds the whole request; out is empty before. */
void ntsign_dialect_request(struct ntsign_bytes *out,
			    const struct ntsign_dialect_offer *offer);

struct ntsign_dialect_reply {
	uint32_t status;	/* what follows is there where this is 0 */
	uint16_t security_mode;
	uint16_t dialect;
	uint8_t guid[16];
	uint32_t capabilities;
	uint32_t max_transact;
	uint32_t max_read;
	uint32_t max_write;
	/* 3.1.1; NTSIGN_DIALECT_NO_ALGORITHM where the server names none */
	uint16_t cipher;
	uint16_t signing;
	uint16_t hash;
};

/* False when it is no answer to an SMB2 NEGOTIATE that holds together. */
bool ntsign_dialect_parse(const uint8_t *data, size_t len,
			  struct ntsign_dialect_reply *reply);

#endif
