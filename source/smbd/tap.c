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
#include "tap_machine.h"

#include "lib/tsocket/tsocket_internal.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_RPC_SRV

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

void ntsign_tap_queue_free(struct message **list)
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
void ntsign_tap_end(void *private_data, bool broken)
{
	struct tap *tap = private_data;

	tap->read_error = broken ? ECONNRESET : EPIPE;
	tap->write_error = tap->read_error;
	ntsign_tap_queue_free(&tap->outgoing);
	if (broken) {
		ntsign_tap_queue_free(&tap->incoming);
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
	.end = ntsign_tap_end,
	.decodes = tap_decodes,
};

/* ---- the stream ---- */

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
	.pending_bytes = ntsign_tap_pending_bytes,
	.readv_send = ntsign_tap_readv_send,
	.readv_recv = ntsign_tap_readv_recv,
	.writev_send = ntsign_tap_writev_send,
	.writev_recv = ntsign_tap_writev_recv,
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
		ntsign_tap_end(tap, true);
	}
	return true;
}
