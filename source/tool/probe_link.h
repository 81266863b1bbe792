/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The connection that the probe talks over: SMB messages on TCP, each with
 * four bytes of length before it, [MS-SMB] 2.1.
 *
 * Invariant: sending and receiving never take longer than the link's timeout,
 * whatever the server sends or does not send.
 */
#ifndef NTSIGN_PROBE_LINK_H
#define NTSIGN_PROBE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* A longer message than any that answers the probe's. */
#define NTSIGN_LINK_MESSAGE_MAX 0x1FFFF

enum ntsign_link_result {
	NTSIGN_LINK_OK,
	NTSIGN_LINK_CLOSED,	/* by the server */
	NTSIGN_LINK_FAILED,	/* timeout, no message, no memory */
};

struct ntsign_link {
	int fd;
	unsigned int timeout;	/* ms */
	/* what it is connected to: numeric */
	char address[64];
	uint16_t port;
	/* why the last call has failed; a talloc child of the link's */
	char *why;
};

/*
 * Connects to the first of the host's addresses that answers. A talloc child
 * of mem_ctx, closed when it is freed; NULL: *why, a talloc child of
 * mem_ctx, says why not (NULL when memory runs out). timeout in ms, for each
 * address.
 */
struct ntsign_link *ntsign_link_open(TALLOC_CTX *mem_ctx, const char *host,
				     uint16_t port, unsigned int timeout,
				     char **why);

/* Sends one message. */
enum ntsign_link_result ntsign_link_send(struct ntsign_link *link,
					 const uint8_t *data, size_t len);

/*
 * Waits for the next message; keep-alives are passed over. *data is a talloc
 * child of mem_ctx, written only when the result is NTSIGN_LINK_OK.
 */
enum ntsign_link_result ntsign_link_receive(struct ntsign_link *link,
					    TALLOC_CTX *mem_ctx,
					    uint8_t **data, size_t *len);

/* Milliseconds that only ever grow. */
uint64_t ntsign_link_clock(void);

#endif
