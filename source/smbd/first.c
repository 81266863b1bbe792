/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The message that opens a connection: what the client offers.
 *
 * Before authentication a client can reach all of it.
 *
 * Invariant: it is looked at with MSG_PEEK, once; smbd reads it.
 */
#include "module.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

void ntsign_first_message(struct ntsign_connection *c, const uint8_t *data,
			  size_t len)
{
	struct ntsign_smb1_header header = { .command = 0, };
	const uint8_t *message = data + NTSIGN_NBT_HEADER_LEN;
	uint32_t full = 0;
	enum ntsign_frame kind = ntsign_frame_classify(data, len, &full);
	size_t message_len;

	if (kind == NTSIGN_FRAME_SHORT) {
		return;
	}
	c->first = kind;
	if (kind == NTSIGN_FRAME_NBT) {
		/* a NetBIOS session request; the first message is to come */
		return;
	}
	c->first_seen = true;
	message_len = len - NTSIGN_NBT_HEADER_LEN;
	if (message_len > full) {
		message_len = full;
	}
	if (kind == NTSIGN_FRAME_SMB1 &&
	    ntsign_smb1_header_parse(message, message_len, &header)) {
		c->negotiate_flags2 = header.flags2;
		c->smb1_negotiate = ntsign_smb1_negotiate_parse(c, message,
								message_len);
	} else if (kind == NTSIGN_FRAME_SMB2) {
		c->smb2_negotiate = ntsign_smb2_negotiate_parse(c, message,
								message_len);
	}
}

size_t ntsign_first_needed(enum ntsign_frame kind, size_t have,
			   uint32_t length)
{
	size_t full = NTSIGN_NBT_HEADER_LEN + (size_t)length;

	if (kind != NTSIGN_FRAME_SHORT && kind != NTSIGN_FRAME_SMB1 &&
	    kind != NTSIGN_FRAME_SMB2) {
		return 0;
	}
	if (have < NTSIGN_NBT_HEADER_LEN) {
		return NTSIGN_NBT_HEADER_LEN;
	}
	return (full <= NTSIGN_WAIT_MAX) ? full : 0;
}

void ntsign_first_look(struct ntsign_connection *c)
{
	uint8_t *data = talloc_array(c, uint8_t, NTSIGN_WAIT_MAX);
	size_t have;

	if (data == NULL) {
		return;
	}
	have = ntsign_wait_peek(c, data, NTSIGN_WAIT_MAX);
	if (have != 0) {
		ntsign_first_message(c, data, have);
	}
	TALLOC_FREE(data);
}

/*
 * Where `server min protocol` is above NT1 smbd's handler of the first
 * message cannot be called from outside. It has to wait until the message is
 * there and has been looked at, and is woken up then.
 */
static void first_handler(struct tevent_context *ev, struct tevent_fd *fde,
			  uint16_t flags, void *private_data)
{
	struct ntsign_connection *c = talloc_get_type_abort(
		private_data, struct ntsign_connection);
	uint8_t head[NTSIGN_NBT_HEADER_LEN + NTSIGN_SMB1_HEADER_LEN];
	uint32_t length = 0;
	enum ntsign_frame kind;
	size_t have = ntsign_wait_peek(c, head, sizeof(head));
	size_t needed;

	kind = ntsign_frame_classify(head, have, &length);
	needed = ntsign_first_needed(kind, have, length);
	if (have != 0 && have < needed &&
	    ntsign_wait_for_rest(c, needed) == NTSIGN_REST_COMING) {
		return;
	}
	if (have != 0) {
		ntsign_first_look(c);
	}
	if (!c->first_seen) {
		ntsign_connection_trace(c);
	}
	ntsign_wait_over(c);
	TALLOC_FREE(c->first_fde);
	if (c->xconn->transport.fde != NULL) {
		TEVENT_FD_READABLE(c->xconn->transport.fde);
	}
}

bool ntsign_first_wait(struct ntsign_connection *c)
{
	c->first_fde = tevent_add_fd(c->xconn->client->raw_ev_ctx, c,
				     c->xconn->transport.sock, 0,
				     first_handler, c);
	if (c->first_fde == NULL) {
		return false;
	}
	TEVENT_FD_NOT_READABLE(c->xconn->transport.fde);
	TEVENT_FD_READABLE(c->first_fde);
	return true;
}
