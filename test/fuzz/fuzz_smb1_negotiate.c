/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes ntsign_smb1_negotiate_parse().
 *
 * Invariant: what it returns is whole and keeps to its own limits.
 */
#include <assert.h>
#include <string.h>

#include "ntsign/smb1.h"
#include "ntsign/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ntsign_smb1_negotiate *negotiate = NULL;
	bool nt_lm_012 = false;
	bool smb2 = false;
	size_t i = 0;

	negotiate = ntsign_smb1_negotiate_parse(NULL, data, size);
	if (negotiate == NULL) {
		return 0;
	}
	assert(negotiate->count <= NTSIGN_SMB1_DIALECTS_MAX);
	for (i = 0; i < negotiate->count; i++) {
		const char *name = negotiate->dialects[i];

		assert(strlen(name) <= 4 * NTSIGN_TEXT_MAX);
		nt_lm_012 |= strcmp(name, "NT LM 0.12") == 0;
		smb2 |= strcmp(name, "SMB 2.002") == 0;
		smb2 |= strcmp(name, "SMB 2.???") == 0;
	}
	/* those behind the last one kept count as well */
	assert(!nt_lm_012 || negotiate->nt_lm_012);
	assert(!smb2 || negotiate->smb2);
	if (negotiate->count < NTSIGN_SMB1_DIALECTS_MAX) {
		assert(nt_lm_012 == negotiate->nt_lm_012);
		assert(smb2 == negotiate->smb2);
	}
	talloc_free(negotiate);
	return 0;
}
