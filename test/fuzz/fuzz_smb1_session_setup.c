/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes ntsign_smb1_session_setup_parse().
 *
 * Invariant: the blob lies in the message, and a string that follows another
 * is never there without it.
 */
#include <assert.h>

#include "ntsign/ntlmssp.h"
#include "ntsign/smb1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ntsign_smb1_session_setup *setup = NULL;

	setup = ntsign_smb1_session_setup_parse(
		NULL, data, size,
		ntsign_smb1_find_command(data, size,
					 NTSIGN_SMB1_SESSION_SETUP));
	if (setup == NULL) {
		return 0;
	}
	assert(setup->native_os != NULL || setup->native_lanman == NULL);
	if (setup->extended) {
		assert(setup->account == NULL && setup->domain == NULL);
		assert(setup->lm_response_len == 0);
		assert(setup->blob >= data && setup->blob <= data + size);
		assert(setup->blob_len <=
		       (size_t)(data + size - setup->blob));
		talloc_free(ntsign_ntlmssp_parse(NULL, setup->blob,
						 setup->blob_len, 0));
	} else {
		assert(setup->blob == NULL && setup->blob_len == 0);
		assert(setup->account != NULL || setup->domain == NULL);
		assert(setup->domain != NULL || setup->native_os == NULL);
		assert(setup->account_at <= size);
		assert(setup->account_max <= size - setup->account_at);
	}
	talloc_free(setup);
	return 0;
}
