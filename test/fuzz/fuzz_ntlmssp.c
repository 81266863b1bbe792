/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes ntsign_ntlmssp_parse() and what is made of its result.
 *
 * Invariant: only an AUTHENTICATE message has texts, and it has them all.
 */
#include <assert.h>
#include <string.h>

#include "ntsign/ntlmssp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ntsign_ntlmssp *message = NULL;
	unsigned int bits = 0;
	bool texts = false;

	message = ntsign_ntlmssp_parse(NULL, data, size,
				       size & 1);
	if (message == NULL) {
		return 0;
	}
	bits = ntsign_ntlmssp_key_bits(message->flags);
	assert(bits == 40 || bits == 56 || bits == 128);

	texts = message->type == NTSIGN_NTLMSSP_AUTHENTICATE;
	assert((message->account != NULL) == texts);
	assert((message->domain != NULL) == texts);
	assert((message->workstation != NULL) == texts);
	if (texts) {
		const char *version = ntsign_ntlmssp_version(message);
		bool anonymous = strcmp(version, "anonymous") == 0;

		assert(anonymous == message->anonymous);
		assert(!anonymous || message->account[0] == '\0');
		assert(message->nt_response_len <= size);
		assert(message->lm_response_len <= size);
	}
	talloc_free(message);
	return 0;
}
