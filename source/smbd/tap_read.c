/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tap on a named pipe: smbd reads.
 *
 * Invariant: a read is never left waiting when the queue has what it wants, or
 * the pipe has ended.
 */
#include "tap_machine.h"

#include "lib/tsocket/tsocket_internal.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_RPC_SRV

ssize_t ntsign_tap_pending_bytes(struct tstream_context *stream)
{
	struct tap *tap = tstream_context_data(stream, struct tap);
	const struct message *first = tap->incoming;

	if (!ntsign_registry_acts(tap->machine)) {
		return tstream_pending_bytes(tap->inner);
	}
	/* as smbd's own stream has it: of a message begun only, so that a read
	 * ends where the message does */
	return (first != NULL && first->pos != 0) ?
		(ssize_t)(first->len - first->pos) : 0;
}

static void read_passed(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(
		subreq, struct tevent_req);
	struct read_state *state = tevent_req_data(req, struct read_state);
	int err = 0;

	state->ret = tstream_readv_recv(subreq, &err);
	TALLOC_FREE(subreq);
	if (state->ret == -1) {
		tevent_req_error(req, err);
		return;
	}
	tevent_req_done(req);
}

static void fill(struct read_state *state)
{
	struct tap *tap = state->tap;

	while (state->count != 0 && tap->incoming != NULL) {
		struct message *message = tap->incoming;
		struct iovec *v = state->vector;
		size_t n = MIN(v->iov_len, message->len - message->pos);

		memcpy(v->iov_base, message->data + message->pos, n);
		message->pos += n;
		v->iov_base = (uint8_t *)v->iov_base + n;
		v->iov_len -= n;
		state->ret += (int)n;
		if (v->iov_len == 0) {
			state->vector++;
			state->count--;
		}
		if (message->pos == message->len) {
			DLIST_REMOVE(tap->incoming, message);
			if (message->own) {
				ntsign_registry_read(tap->machine);
			}
			TALLOC_FREE(message);
		}
	}
}

static void fetch_start(struct tap *tap);

void ntsign_tap_serve(struct tap *tap)
{
	struct tevent_req *req = tap->reader;
	struct read_state *state = NULL;

	if (req == NULL) {
		return;
	}
	state = tevent_req_data(req, struct read_state);
	fill(state);
	if (state->count == 0) {
		tap->reader = NULL;
		tevent_req_done(req);
		return;
	}
	if (tap->read_error == 0) {
		fetch_start(tap);
	}
	if (tap->read_error != 0 && tap->reader == req) {
		tap->reader = NULL;
		tevent_req_error(req, tap->read_error);
	}
}

static void fetch_failed(struct tap *tap, int error)
{
	tap->fetching = false;
	TALLOC_FREE(tap->fetched);
	if (tap->read_error == 0) {
		tap->read_error = error;
	}
	ntsign_tap_serve(tap);
}

/* A whole message of the server's is here. */
static void fetch_done(struct tap *tap)
{
	struct message *message = tap->fetched;

	tap->fetching = false;
	tap->fetched = NULL;
	if (tap->read_error != 0) {
		/* the machine's last answer waits for all that is due */
		TALLOC_FREE(message);
	} else {
		DLIST_ADD_END(tap->incoming, message);
		ntsign_registry_response(tap->machine, message->data,
					 message->len);
	}
	ntsign_tap_serve(tap);
}

/* The tap that a read from the server was for; NULL, and all is done, where
 * it failed. */
static struct tap *fetch_received(struct tevent_req *subreq)
{
	struct tap *tap = tevent_req_callback_data(subreq, struct tap);
	int err = 0;
	int ret;

	ret = tstream_readv_recv(subreq, &err);
	TALLOC_FREE(subreq);
	if (ret == -1) {
		fetch_failed(tap, err);
		return NULL;
	}
	return tap;
}

static void fetch_rest_done(struct tevent_req *subreq)
{
	struct tap *tap = fetch_received(subreq);

	if (tap != NULL) {
		fetch_done(tap);
	}
}

static void fetch_rest(struct tap *tap)
{
	ssize_t pending = tstream_pending_bytes(tap->inner);
	struct message *message = NULL;
	struct tevent_req *subreq = NULL;
	struct iovec vector;

	if (pending == -1) {
		fetch_failed(tap, errno);
		return;
	}
	message = talloc_zero(tap, struct message);
	if (message != NULL) {
		message->len = 1 + (size_t)pending;
		message->data = talloc_array(message, uint8_t, message->len);
	}
	if (message == NULL || message->data == NULL) {
		TALLOC_FREE(message);
		fetch_failed(tap, ENOMEM);
		return;
	}
	message->data[0] = tap->head[0];
	tap->fetched = message;
	if (pending == 0) {
		fetch_done(tap);
		return;
	}
	vector = (struct iovec) {
		.iov_base = message->data + 1,
		.iov_len = (size_t)pending,
	};
	subreq = tstream_readv_send(tap, tap->ev, tap->inner, &vector, 1);
	if (subreq == NULL) {
		fetch_failed(tap, ENOMEM);
		return;
	}
	tevent_req_set_callback(subreq, fetch_rest_done, tap);
}

static void fetch_head_done(struct tevent_req *subreq)
{
	struct tap *tap = fetch_received(subreq);

	if (tap != NULL) {
		fetch_rest(tap);
	}
}

/* Has the server's next message read, unless that is under way. */
static void fetch_start(struct tap *tap)
{
	struct tevent_req *subreq = NULL;
	struct iovec vector = { .iov_base = tap->head, .iov_len = 1, };

	if (tap->fetching) {
		return;
	}
	subreq = tstream_readv_send(tap, tap->ev, tap->inner, &vector, 1);
	if (subreq == NULL) {
		tap->read_error = ENOMEM;
		return;
	}
	tap->fetching = true;
	tevent_req_set_callback(subreq, fetch_head_done, tap);
}

/* smbd gives its read up, or has its result. */
static void read_cleanup(struct tevent_req *req,
			 enum tevent_req_state req_state)
{
	struct read_state *state = tevent_req_data(req, struct read_state);

	if (state->tap != NULL && state->tap->reader == req) {
		state->tap->reader = NULL;
	}
	state->tap = NULL;
}

struct tevent_req *ntsign_tap_readv_send(TALLOC_CTX *mem_ctx,
					 struct tevent_context *ev,
					 struct tstream_context *stream,
					 struct iovec *vector, size_t count)
{
	struct tap *tap = tstream_context_data(stream, struct tap);
	struct tevent_req *req = NULL;
	struct tevent_req *subreq = NULL;
	struct read_state *state = NULL;

	req = tevent_req_create(mem_ctx, &state, struct read_state);
	if (req == NULL) {
		return NULL;
	}
	if (!ntsign_registry_acts(tap->machine)) {
		subreq = tstream_readv_send(state, ev, tap->inner, vector,
					    count);
		if (tevent_req_nomem(subreq, req)) {
			return tevent_req_post(req, ev);
		}
		tevent_req_set_callback(subreq, read_passed, req);
		return req;
	}
	state->vector = talloc_memdup(state, vector, count * sizeof(*vector));
	if (tevent_req_nomem(state->vector, req)) {
		return tevent_req_post(req, ev);
	}
	state->count = count;
	state->tap = tap;
	tevent_req_set_cleanup_fn(req, read_cleanup);
	/* it may be served while smbd writes, or is about to be answered */
	tevent_req_defer_callback(req, ev);
	tap->reader = req;
	tap->ev = ev;
	ntsign_tap_serve(tap);
	return req;
}

int ntsign_tap_readv_recv(struct tevent_req *req, int *perrno)
{
	struct read_state *state = tevent_req_data(req, struct read_state);
	int ret = state->ret;

	if (tevent_req_is_unix_error(req, perrno)) {
		ret = -1;
	}
	tevent_req_received(req);
	return ret;
}
