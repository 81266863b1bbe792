/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: SPNEGO as the probe reads it, and round trips.
 *
 * Invariant: what is found lies in the bytes given; what the probe writes
 * round a token it finds again.
 */
#include <stdlib.h>

#include "source/tool/probe_bytes.c"
#include "source/tool/probe_spnego.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(const uint8_t *data, size_t size,
			 const uint8_t *part, size_t len)
{
	if (part != NULL && (part < data || len > size ||
			     part > data + size - len)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ntsign_spnego_reply reply = { .token = NULL };
	struct ntsign_bytes out = { .mem_ctx = NULL };

	if (ntsign_spnego_parse(data, size, &reply)) {
		check_inside(data, size, reply.token, reply.token_len);
		check_inside(data, size, reply.mic, reply.mic_len);
	}
	ntsign_spnego_answer(&out, data, size, size >= 16 ? data : NULL);
	if (!out.failed &&
	    (!ntsign_spnego_parse(out.data, out.len, &reply) ||
	     reply.token_len != size ||
	     reply.mic_len != (size >= 16 ? 16 : 0) ||
	     (size > 0 && memcmp(reply.token, data, size) != 0))) {
		abort();
	}
	TALLOC_FREE(out.data);
	return 0;
}
