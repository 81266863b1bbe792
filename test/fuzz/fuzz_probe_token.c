/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: NTLMSSP challenges, and the probe's answers to them.
 *
 * Invariant: a challenge that is read can be answered when it has Unicode,
 * and the AUTHENTICATE message holds together.
 */
#include <stdlib.h>

#include "source/tool/probe_bytes.c"
#include "source/tool/probe_crypto.c"
#include "source/tool/probe_ntlm.c"
#include "source/tool/probe_token.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(struct ntsign_crypto *crypto, const uint8_t *data,
			 size_t size, bool ntlmv1)
{
	static const struct ntsign_ntlm_account account = {
		.user = "user", .domain = "domain", .password = "password",
	};
	struct ntsign_token_facts facts = {
		.account = &account, .workstation = "W", .ntlmv1 = ntlmv1,
		.negotiate = data, .challenge = data, .challenge_len = size,
	};
	struct ntsign_token_session session = { .flags = 0 };
	struct ntsign_bytes out = { .mem_ctx = NULL };
	bool ok = ntsign_token_authenticate(crypto, &facts, &out, &session);
	unsigned int i;

	for (i = 0; ok && i < FIELDS; i++) {
		const uint8_t *field = out.data + AT_FIELDS + 8 * i;

		if (get32(field + 4) + (size_t)get16(field) > out.len) {
			abort();
		}
	}
	TALLOC_FREE(out.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ntsign_crypto *crypto;
	const char *why = NULL;

	if (crypto == NULL) {
		crypto = ntsign_crypto_new(NULL, &why);
	}
	check_answer(crypto, data, size, false);
	check_answer(crypto, data, size, true);
	return 0;
}
