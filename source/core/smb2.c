/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SMB2 NEGOTIATE requests.
 *
 * Invariant: every offset is compared with the length before it is used.
 */
#include "ntsign/smb2.h"

#include <string.h>

#include "bytes.h"

/* [MS-SMB2] 2.2.1.2 and 2.2.3 */
#define COMMAND_OFFSET 12
#define FLAGS_OFFSET 16
#define FLAGS_SERVER_TO_REDIR 0x00000001
#define BODY_LEN 36
#define DIALECT_COUNT_OFFSET 2
#define SECURITY_MODE_OFFSET 4
#define CLIENT_GUID_OFFSET 12

struct ntsign_smb2_negotiate *ntsign_smb2_negotiate_parse(
	TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len)
{
	static const uint8_t mark[4] = { 0xFE, 'S', 'M', 'B' };
	struct ntsign_smb2_negotiate *negotiate = NULL;
	const uint8_t *body = NULL;
	size_t count;
	size_t i;

	if (len < NTSIGN_SMB2_HEADER_LEN + BODY_LEN ||
	    memcmp(data, mark, sizeof(mark)) != 0 ||
	    pull16(data + COMMAND_OFFSET) != 0 ||
	    (data[FLAGS_OFFSET] & FLAGS_SERVER_TO_REDIR) != 0) {
		return NULL;
	}
	body = data + NTSIGN_SMB2_HEADER_LEN;
	if (pull16(body) != BODY_LEN) {
		return NULL;
	}
	count = pull16(body + DIALECT_COUNT_OFFSET);
	if (count > (len - NTSIGN_SMB2_HEADER_LEN - BODY_LEN) / 2) {
		return NULL;
	}
	negotiate = talloc_zero(mem_ctx, struct ntsign_smb2_negotiate);
	if (negotiate == NULL) {
		return NULL;
	}
	negotiate->security_mode = pull16(body + SECURITY_MODE_OFFSET);
	memcpy(negotiate->client_guid, body + CLIENT_GUID_OFFSET,
	       sizeof(negotiate->client_guid));
	if (count > NTSIGN_SMB2_DIALECTS_MAX) {
		count = NTSIGN_SMB2_DIALECTS_MAX;
	}
	for (i = 0; i < count; i++) {
		negotiate->dialects[i] = pull16(body + BODY_LEN + 2 * i);
	}
	negotiate->count = count;
	return negotiate;
}

const char *ntsign_smb2_dialect_name(uint16_t dialect)
{
	static const struct {
		uint16_t dialect;
		const char *name;
	} names[] = {
		{ 0x0202, "SMB2_02" },
		{ 0x0210, "SMB2_10" },
		{ 0x0300, "SMB3_00" },
		{ 0x0302, "SMB3_02" },
		{ 0x0311, "SMB3_11" },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].dialect == dialect) {
			return names[i].name;
		}
	}
	return NULL;
}
