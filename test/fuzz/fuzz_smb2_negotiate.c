/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes ntsign_smb2_negotiate_parse().
 *
 * Invariant: it returns no more dialects than the message has room for.
 */
#include <assert.h>

#include "ntsign/smb2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ntsign_smb2_negotiate *negotiate = NULL;
	size_t i = 0;

	negotiate = ntsign_smb2_negotiate_parse(NULL, data, size);
	if (negotiate == NULL) {
		return 0;
	}
	assert(negotiate->count <= NTSIGN_SMB2_DIALECTS_MAX);
	assert(100 + 2 * negotiate->count <= size);
	for (i = 0; i < negotiate->count; i++) {
		ntsign_smb2_dialect_name(negotiate->dialects[i]);
	}
	talloc_free(negotiate);
	return 0;
}
