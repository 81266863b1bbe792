/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: answers to the probe's SMB2 NEGOTIATE.
 *
 * Invariant: only 3.1.1 has contexts, and an answer with an error nothing.
 */
#include <stdlib.h>

#include "source/tool/probe_bytes.c"
#include "source/tool/probe_dialect.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ntsign_dialect_reply r = { .status = 0 };

	if (!ntsign_dialect_parse(data, size, &r)) {
		return 0;
	}
	if (r.status != 0 && r.dialect != 0) {
		abort();
	}
	if (r.dialect != NTSIGN_DIALECT_3_11 &&
	    (r.cipher != NTSIGN_DIALECT_NO_ALGORITHM ||
	     r.signing != NTSIGN_DIALECT_NO_ALGORITHM ||
	     r.hash != NTSIGN_DIALECT_NO_ALGORITHM)) {
		abort();
	}
	return 0;
}
