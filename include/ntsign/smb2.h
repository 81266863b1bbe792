/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SMB2 NEGOTIATE requests, as far as signing needs them: [MS-SMB2] 2.2.3.
 *
 * Invariant: the parser reads no byte outside those it was given.
 */
#ifndef NTSIGN_SMB2_H
#define NTSIGN_SMB2_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#define NTSIGN_SMB2_HEADER_LEN 64

#define NTSIGN_SMB2_DIALECTS_MAX 64
struct ntsign_smb2_negotiate {
	uint16_t security_mode;
	uint8_t client_guid[16];
	uint16_t dialects[NTSIGN_SMB2_DIALECTS_MAX];
	size_t count;		/* at most NTSIGN_SMB2_DIALECTS_MAX */
};

/*
 * data: the message from its 0xFE 'S' 'M' 'B' on. Returns NULL when it is
 * not a NEGOTIATE request that holds together, or memory runs out.
 */
struct ntsign_smb2_negotiate *ntsign_smb2_negotiate_parse(
	TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len);

/* "SMB2_02" ... "SMB3_11"; NULL for a revision that is none of these. */
const char *ntsign_smb2_dialect_name(uint16_t dialect);

#endif
