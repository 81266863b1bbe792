/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tap: a tstream in front of the one that smbd has to a pipe's server.
 *
 * smbd reads a message of a pipe in two steps, its first byte and then as much
 * as tstream_pending_bytes() tells. Where the machine acts, the tap reads from
 * the server in the same way, a message at a time and only while smbd waits
 * for one, and keeps messages in a queue that the machine's own answers join.
 *
 * Invariant: a write of smbd's ends well only when all that the machine made
 * of it has been written; a read is never left waiting when the queue has
 * what it wants, or the pipe has ended. What a client can have the tap keep is
 * bounded: one write, or one request of its, NTSIGN_REGISTRY_UNREAD_MAX of the
 * machine's answers, and one message of the server's.
 */
#include "tap.h"

#include "lib/tsocket/tsocket_internal.h"
#include "lib/util/tevent_unix.h"
#include "ntsign/dcerpc.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_RPC_SRV

/* A message's length has 16 bits on the way to the server: a longer write is
 * refused there, tstream_npa_writev_send(). */
#define MESSAGE_MAX 0xFFFF

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

/* ---- the machine's hands ---- */

static void queue(struct tap *tap, struct message **list, const uint8_t *data,
		  size_t len, bool own)
{
	struct message *message = talloc_zero(tap, struct message);

	if (message != NULL) {
		message->data = talloc_memdup(message, data, len);
		message->len = len;
		message->own = own;
	}
	if (message == NULL || message->data == NULL) {
		TALLOC_FREE(message);
		tap->read_error = ENOMEM;
		tap->write_error = ENOMEM;
		return;
	}
	DLIST_ADD_END(*list, message);
}

static void tap_forward(void *private_data, const uint8_t *data, size_t len)
{
	struct tap *tap = private_data;

	queue(tap, &tap->outgoing, data, len, false);
}

static void tap_answer(void *private_data, const uint8_t *data, size_t len)
{
	struct tap *tap = private_data;

	queue(tap, &tap->incoming, data, len, true);
}

static void queue_free(struct message **list)
{
	while (*list != NULL) {
		struct message *message = *list;

		DLIST_REMOVE(*list, message);
		TALLOC_FREE(message);
	}
}

/*
 * The errors are those that smbd knows as STATUS_PIPE_BROKEN and
 * STATUS_PIPE_DISCONNECTED, nt_status_np_pipe().
 */
static void tap_end(void *private_data, bool broken)
{
	struct tap *tap = private_data;

	tap->read_error = broken ? ECONNRESET : EPIPE;
	tap->write_error = tap->read_error;
	queue_free(&tap->outgoing);
	if (broken) {
		queue_free(&tap->incoming);
	}
}

static void tap_report(void *private_data,
		       const struct ntsign_registry_report *report)
{
	struct tap *tap = private_data;

	tap->fns->report(tap->private_data, report);
}

static bool tap_decodes(void *private_data, uint16_t opnum, bool big_endian,
			const uint8_t *stub, size_t len)
{
	struct tap *tap = private_data;

	return tap->fns->decodes(tap->private_data, opnum, big_endian, stub,
				 len);
}

static const struct ntsign_registry_ops machine_ops = {
	.forward = tap_forward,
	.answer = tap_answer,
	.report = tap_report,
	.end = tap_end,
	.decodes = tap_decodes,
};

/* ---- smbd reads ---- */

struct read_state {
	struct tap *tap;
	/* what is still to be filled */
	struct iovec *vector;
	size_t count;
	int ret;
};

static ssize_t tap_pending_bytes(struct tstream_context *stream)
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

/* Serves smbd's read from the queue, or sees that there will be something. */
static void serve(struct tap *tap)
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
	serve(tap);
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
	serve(tap);
}

static void fetch_rest_done(struct tevent_req *subreq)
{
	struct tap *tap = tevent_req_callback_data(subreq, struct tap);
	int err = 0;
	int ret;

	ret = tstream_readv_recv(subreq, &err);
	TALLOC_FREE(subreq);
	if (ret == -1) {
		fetch_failed(tap, err);
		return;
	}
	fetch_done(tap);
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
	struct tap *tap = tevent_req_callback_data(subreq, struct tap);
	int err = 0;
	int ret;

	ret = tstream_readv_recv(subreq, &err);
	TALLOC_FREE(subreq);
	if (ret == -1) {
		fetch_failed(tap, err);
		return;
	}
	fetch_rest(tap);
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

static struct tevent_req *tap_readv_send(TALLOC_CTX *mem_ctx,
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
	serve(tap);
	return req;
}

static int tap_readv_recv(struct tevent_req *req, int *perrno)
{
	struct read_state *state = tevent_req_data(req, struct read_state);
	int ret = state->ret;

	if (tevent_req_is_unix_error(req, perrno)) {
		ret = -1;
	}
	tevent_req_received(req);
	return ret;
}

/* ---- smbd writes ---- */

struct write_state {
	struct tap *tap;
	struct tevent_context *ev;
	struct message *message;	/* under way */
	struct iovec vector;		/* which part of it */
	int ret;
};

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
			queue_free(&state->tap->outgoing);
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
		tap_end(tap, true);
		return;
	}
	for (i = 0; i < count; i++) {
		ntsign_registry_request(tap->machine, vector[i].iov_base,
					vector[i].iov_len);
	}
}

static struct tevent_req *tap_writev_send(TALLOC_CTX *mem_ctx,
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
	serve(tap);
	for (i = 0; i < count; i++) {
		state->ret += (int)vector[i].iov_len;
	}
	write_next(req);
	return tevent_req_is_in_progress(req) ? req :
						tevent_req_post(req, ev);
}

static int tap_writev_recv(struct tevent_req *req, int *perrno)
{
	struct write_state *state = tevent_req_data(req, struct write_state);
	int ret = state->ret;

	if (tevent_req_is_unix_error(req, perrno)) {
		ret = -1;
	}
	tevent_req_received(req);
	return ret;
}

static struct tevent_req *tap_disconnect_send(TALLOC_CTX *mem_ctx,
					      struct tevent_context *ev,
					      struct tstream_context *stream)
{
	struct tap *tap = tstream_context_data(stream, struct tap);

	return tstream_disconnect_send(mem_ctx, ev, tap->inner);
}

static int tap_disconnect_recv(struct tevent_req *req, int *perrno)
{
	return tstream_disconnect_recv(req, perrno);
}

static const struct tstream_context_ops tap_ops = {
	.name = "ntsign_tap",
	.pending_bytes = tap_pending_bytes,
	.readv_send = tap_readv_send,
	.readv_recv = tap_readv_recv,
	.writev_send = tap_writev_send,
	.writev_recv = tap_writev_recv,
	.disconnect_send = tap_disconnect_send,
	.disconnect_recv = tap_disconnect_recv,
};

static int tap_destructor(struct tap *tap)
{
	if (tap->reader != NULL) {
		struct read_state *state = tevent_req_data(
			tap->reader, struct read_state);

		state->tap = NULL;
	}
	if (tap->writer != NULL) {
		struct write_state *state = tevent_req_data(
			tap->writer, struct write_state);

		state->tap = NULL;
	}
	ntsign_registry_close(tap->machine);
	return 0;
}

bool ntsign_tap_insert(struct npa_state *npa,
		       const struct ntsign_registry_rules *rules,
		       const struct ntsign_tap_fns *fns, void *private_data,
		       bool dead)
{
	struct tstream_context *stream = NULL;
	struct tap *tap = NULL;

	stream = tstream_context_create(npa, &tap_ops, &tap, struct tap,
					__location__);
	if (stream == NULL) {
		return false;
	}
	*tap = (struct tap) { .fns = fns, };
	tap->machine = ntsign_registry_new(tap, rules, &machine_ops, tap);
	if (tap->machine == NULL) {
		TALLOC_FREE(stream);
		return false;
	}
	tap->private_data = talloc_steal(tap, private_data);
	tap->inner = talloc_move(tap, &npa->stream);
	npa->stream = stream;
	talloc_set_destructor(tap, tap_destructor);
	if (dead) {
		tap_end(tap, true);
	}
	return true;
}
