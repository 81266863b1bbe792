/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tap on a named pipe: smbd writes.
 *
 * Invariant: a write of smbd's ends well only when all that the machine made
 * of it has been written.
 */
#include "tap_machine.h"

#include "lib/tsocket/tsocket_internal.h"
#include "ntsign/dcerpc.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_RPC_SRV

/* A message's length has 16 bits on the way to the server: a longer write is
 * refused there, tstream_npa_writev_send(). */
#define MESSAGE_MAX 0xFFFF

static void write_cleanup(struct tevent_req *req,
			  enum tevent_req_state req_state)
{
	struct write_state *state = tevent_req_data(req, struct write_state);

	if (state->tap != NULL && state->tap->writer == req) {
		state->tap->writer = NULL;
	}
	state->tap = NULL;
}

static void write_follow(struct tevent_req *req, struct tap *tap)
{
	struct write_state *state = tevent_req_data(req, struct write_state);

	state->tap = tap;
	tap->writer = req;
	tevent_req_set_cleanup_fn(req, write_cleanup);
}

static void write_passed(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(
		subreq, struct tevent_req);
	struct write_state *state = tevent_req_data(req, struct write_state);
	int err = 0;

	state->ret = tstream_writev_recv(subreq, &err);
	TALLOC_FREE(subreq);
	if (state->ret == -1) {
		if (state->tap != NULL) {
			ntsign_registry_stop(state->tap->machine);
		}
		tevent_req_error(req, err);
		return;
	}
	tevent_req_done(req);
}

static void write_next_done(struct tevent_req *subreq);

/* Where the machine ends a pipe, what smbd writes at that time has been
 * taken: that it is over shows in the read that follows. */
static bool write_lost(const struct tap *tap)
{
	return tap->write_error == ENOMEM;
}

/* The next part of what goes to the server: a PDU a message, which is how
 * clients write them. */
static struct iovec next_part(const struct message *message)
{
	uint8_t *data = message->data + message->pos;
	size_t len = message->len - message->pos;
	size_t pdu_len = 0;

	if (ntsign_dcerpc_next(data, len, &pdu_len) == NTSIGN_DCERPC_PDU) {
		len = MIN(len, pdu_len);
	}
	return (struct iovec) {
		.iov_base = data,
		.iov_len = MIN(len, MESSAGE_MAX),
	};
}

/* Writes what the machine has let pass, a part at a time. */
static void write_next(struct tevent_req *req)
{
	struct write_state *state = tevent_req_data(req, struct write_state);
	struct tap *tap = state->tap;
	struct tevent_req *subreq = NULL;

	if (tap == NULL) {
		tevent_req_error(req, EPIPE);
		return;
	}
	if (write_lost(tap)) {
		tevent_req_error(req, tap->write_error);
		return;
	}
	if (state->message == NULL) {
		struct message *message = tap->outgoing;

		if (message == NULL) {
			tevent_req_done(req);
			return;
		}
		DLIST_REMOVE(tap->outgoing, message);
		state->message = talloc_move(state, &message);
	}
	state->vector = next_part(state->message);
	subreq = tstream_writev_send(state, state->ev, tap->inner,
				     &state->vector, 1);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, write_next_done, req);
}

static void write_next_done(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(
		subreq, struct tevent_req);
	struct write_state *state = tevent_req_data(req, struct write_state);
	int err = 0;
	int ret;

	ret = tstream_writev_recv(subreq, &err);
	TALLOC_FREE(subreq);
	if (ret == -1) {
		if (state->tap != NULL) {
			state->tap->write_error = err;
			ntsign_tap_queue_free(&state->tap->outgoing);
		}
		tevent_req_error(req, err);
		return;
	}
	state->message->pos += state->vector.iov_len;
	if (state->message->pos == state->message->len) {
		TALLOC_FREE(state->message);
	}
	write_next(req);
}

/* Whether the server takes a write of so many bytes. */
static bool takes(const struct iovec *vector, size_t count)
{
	size_t room = MESSAGE_MAX;
	size_t i;

	for (i = 0; i < count; i++) {
		if (vector[i].iov_len > room) {
			return false;
		}
		room -= vector[i].iov_len;
	}
	return true;
}

static void feed(struct tap *tap, const struct iovec *vector, size_t count)
{
	size_t i;

	if (tap->fns->breaks(tap->private_data)) {
		ntsign_tap_end(tap, true);
		return;
	}
	for (i = 0; i < count; i++) {
		ntsign_registry_request(tap->machine, vector[i].iov_base,
					vector[i].iov_len);
	}
}

struct tevent_req *ntsign_tap_writev_send(TALLOC_CTX *mem_ctx,
					  struct tevent_context *ev,
					  struct tstream_context *stream,
					  const struct iovec *vector,
					  size_t count)
{
	struct tap *tap = tstream_context_data(stream, struct tap);
	struct tevent_req *req = NULL;
	struct tevent_req *subreq = NULL;
	struct write_state *state = NULL;
	size_t i;

	req = tevent_req_create(mem_ctx, &state, struct write_state);
	if (req == NULL) {
		return NULL;
	}
	if (!ntsign_registry_acts(tap->machine)) {
		if (takes(vector, count)) {
			write_follow(req, tap);
			feed(tap, vector, count);
		}
		subreq = tstream_writev_send(state, ev, tap->inner, vector,
					     count);
		if (tevent_req_nomem(subreq, req)) {
			return tevent_req_post(req, ev);
		}
		tevent_req_set_callback(subreq, write_passed, req);
		return req;
	}
	write_follow(req, tap);
	state->ev = ev;
	if (tap->write_error != 0) {
		tevent_req_error(req, tap->write_error);
		return tevent_req_post(req, ev);
	}
	if (!takes(vector, count)) {
		tevent_req_error(req, EMSGSIZE);
		return tevent_req_post(req, ev);
	}
	feed(tap, vector, count);
	ntsign_tap_serve(tap);
	for (i = 0; i < count; i++) {
		state->ret += (int)vector[i].iov_len;
	}
	write_next(req);
	return tevent_req_is_in_progress(req) ? req :
						tevent_req_post(req, ev);
}

int ntsign_tap_writev_recv(struct tevent_req *req, int *perrno)
{
	struct write_state *state = tevent_req_data(req, struct write_state);
	int ret = state->ret;

	if (tevent_req_is_unix_error(req, perrno)) {
		ret = -1;
	}
	tevent_req_received(req);
	return ret;
}
