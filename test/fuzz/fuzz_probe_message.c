/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: answers to the probe's NEGOTIATE and SESSION_SETUP_ANDX.
 *
 * Invariant: what is found in a message lies in it, and texts are UTF-8.
 */
#include <stdlib.h>

#include "source/tool/probe_bytes.c"
#include "source/tool/probe_message.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_setup(const struct ntsign_reply *reply, bool extended)
{
	struct ntsign_established e = { .action = 0 };

	if (!ntsign_message_established(NULL, reply, extended, &e)) {
		return;
	}
	if (e.blob_len > reply->data_len ||
	    !ntsign_bytes_is_text(e.native_os) ||
	    !ntsign_bytes_is_text(e.native_lanman)) {
		abort();
	}
	TALLOC_FREE(e.native_os);
	TALLOC_FREE(e.native_lanman);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ntsign_reply reply = { .command = 0 };
	struct ntsign_negotiated n = { .security_mode = 0 };

	if (!ntsign_message_parse(data, size, &reply)) {
		return 0;
	}
	if (reply.words + 2 * reply.word_count + 2 != reply.data ||
	    reply.data + reply.data_len > data + size) {
		abort();
	}
	(void)ntsign_message_unsigned(&reply);
	if (ntsign_message_negotiated(&reply, &n) == NTSIGN_NEGOTIATION_DONE &&
	    n.has_challenge && reply.data_len < sizeof(n.challenge)) {
		abort();
	}
	check_setup(&reply, false);
	check_setup(&reply, true);
	return 0;
}
