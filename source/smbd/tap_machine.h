/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tap on a named pipe, for its own files only.
 *
 * Invariant: tap.c's.
 */
#ifndef NTSIGN_TAP_MACHINE_H
#define NTSIGN_TAP_MACHINE_H

#include "tap.h"

#include "lib/util/tevent_unix.h"

struct message {
	struct message *prev, *next;
	uint8_t *data;
	size_t len;
	size_t pos;		/* what has been read, or written */
	bool own;		/* an answer of the machine's */
};

struct tap {
	struct tstream_context *inner;
	struct ntsign_registry *machine;
	const struct ntsign_tap_fns *fns;
	void *private_data;

	struct message *incoming;	/* to be read by smbd */
	struct message *outgoing;	/* to be written to the server */
	/* smbd's read that waits and its write under way, or NULL: smbd has
	 * one of each at a time, and they may outlive the pipe */
	struct tevent_req *reader;
	struct tevent_req *writer;
	struct tevent_context *ev;	/* its */
	bool fetching;			/* a message of the server's */
	uint8_t head[1];		/* its first byte */
	struct message *fetched;	/* the rest of it */
	int read_error;			/* errno, once the queue is empty */
	int write_error;
};

/* smbd's read that waits. */
struct read_state {
	struct tap *tap;
	/* what is still to be filled */
	struct iovec *vector;
	size_t count;
	int ret;
};

/* smbd's write that is under way. */
struct write_state {
	struct tap *tap;
	struct tevent_context *ev;
	struct message *message;	/* under way */
	struct iovec vector;		/* which part of it */
	int ret;
};

/* ---- tap.c ---- */

void ntsign_tap_queue_free(struct message **list);
/* The pipe is over; broken: what has not been read is lost. */
void ntsign_tap_end(void *private_data, bool broken);

/* ---- tap_read.c: of struct tstream_context_ops ---- */

ssize_t ntsign_tap_pending_bytes(struct tstream_context *stream);
struct tevent_req *ntsign_tap_readv_send(TALLOC_CTX *mem_ctx,
					 struct tevent_context *ev,
					 struct tstream_context *stream,
					 struct iovec *vector, size_t count);
int ntsign_tap_readv_recv(struct tevent_req *req, int *perrno);
/* Serves smbd's read from the queue, or sees that there will be something. */
void ntsign_tap_serve(struct tap *tap);

/* ---- tap_write.c: of struct tstream_context_ops ---- */

struct tevent_req *ntsign_tap_writev_send(TALLOC_CTX *mem_ctx,
					  struct tevent_context *ev,
					  struct tstream_context *stream,
					  const struct iovec *vector,
					  size_t count);
int ntsign_tap_writev_recv(struct tevent_req *req, int *perrno);

#endif
