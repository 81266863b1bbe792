/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The answers to an NTLM challenge: [MS-NLMP] 3.3.1 and 3.3.2.
 *
 * Invariant: what depends on chance or the clock is among the arguments.
 */
#ifndef NTSIGN_PROBE_NTLM_H
#define NTSIGN_PROBE_NTLM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "probe_crypto.h"

#define NTSIGN_NTLM_KEY_LEN 16

/* UTF-8; domain may be empty. */
struct ntsign_ntlm_account {
	const char *user;
	const char *domain;
	const char *password;
};

/* What NTLMv2 needs beside the account and the server's challenge. */
struct ntsign_ntlm_client {
	uint8_t challenge[8];
	/* 100 ns since 1601, the server's MsvAvTimestamp where it has one */
	uint64_t time;
	/* the AV pairs that go into the response, MsvAvEOL at their end */
	const uint8_t *target_info;
	size_t target_info_len;
	/* fill the LM response with zeros: [MS-NLMP] 3.1.5.1.2 wants that
	 * where the server has sent a timestamp */
	bool no_lm;
};

struct ntsign_ntlm_response {
	uint8_t lm[24];
	uint8_t *nt;		/* talloc child of the context given */
	size_t nt_len;
	uint8_t key[NTSIGN_NTLM_KEY_LEN];	/* SessionBaseKey; a secret */
};

/* [MS-NLMP] 3.3.1, without extended session security; the LM response is the
 * NT response again (NoLMResponseNTLMv1). False: no memory, OpenSSL failed,
 * or the account is no UTF-8. */
bool ntsign_ntlm_v1(TALLOC_CTX *mem_ctx, struct ntsign_crypto *crypto,
		    const struct ntsign_ntlm_account *account,
		    const uint8_t challenge[8],
		    struct ntsign_ntlm_response *response);

/* [MS-NLMP] 3.3.2. */
bool ntsign_ntlm_v2(TALLOC_CTX *mem_ctx, struct ntsign_crypto *crypto,
		    const struct ntsign_ntlm_account *account,
		    const uint8_t challenge[8],
		    const struct ntsign_ntlm_client *client,
		    struct ntsign_ntlm_response *response);

/* The time of now, as NTLM counts it. */
uint64_t ntsign_ntlm_now(void);

#endif
