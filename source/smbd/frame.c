/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An SMB1 connection's frames, one by one: looked at before smbd has them,
 * and what has come of them afterwards.
 *
 * Invariant: smbd handles every byte itself, in the order and the moment it
 * would without the module; frames are looked at with MSG_PEEK only. There
 * are two exceptions. A NEGOTIATE or SESSION_SETUP_ANDX request of which a
 * part has arrived is left in the socket until the rest has come or the
 * client has given up, where smbd would have waited for it inside read(2).
 * And where the module decides (enforce, emulate), a request that is refused
 * is taken from the socket and answered here, and none that a decision
 * depends on gets to smbd before all of it has been seen.
 */
#include "module.h"

#include <poll.h>

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

/* Enough to tell what a frame is: transport header, SMB1 header, word count */
#define PEEK_MIN 64
/* enough for all of most requests that are not writes */
#define PEEK_SMALL 256

/* The handler of the connection whose frame smbd has in hand. */
static struct ntsign_connection *handling;

void ntsign_frame_forget(const struct ntsign_connection *c)
{
	if (handling == c) {
		handling = NULL;
	}
}

/* How much of a frame has to be there to see its SMB1 header; 0: it is not
 * SMB1's. */
static size_t header_needed(enum ntsign_frame kind, size_t have,
			    uint32_t length)
{
	if (kind != NTSIGN_FRAME_SHORT && kind != NTSIGN_FRAME_SMB1) {
		return 0;
	}
	if (have < NTSIGN_NBT_HEADER_LEN) {
		return NTSIGN_NBT_HEADER_LEN;
	}
	return NTSIGN_NBT_HEADER_LEN + MIN(length, NTSIGN_SMB1_HEADER_LEN);
}

/* What becomes of the frame in the socket. */
enum frame_next {
	FRAME_WAIT,	/* more of it has to come first */
	FRAME_SMBD,	/* smbd reads and handles it */
	FRAME_DONE,	/* it has been answered, and is gone */
};

/* enforce and emulate: a session setup, and its refusal where smbd would not
 * ask for one. */
static enum frame_next setup_before(struct ntsign_connection *c,
				    const struct ntsign_smb1_header *header,
				    const uint8_t *message, size_t have,
				    size_t full, size_t setup)
{
	bool spnego = c->setup.request != NULL && c->setup.request->extended &&
		c->xconn->smb1.negprot.spnego;
	uint32_t sequence = 0;

	if (!ntsign_enforcing() || !c->xconn->smb1.negprot.done) {
		return FRAME_SMBD;
	}
	if (ntsign_enforce_setup(c, header, message, have, setup) &&
	    !spnego && ntsign_audit_refuses()) {
		c->setup.refusal = ntsign_audit_no_record;
	}
	if (c->setup.refusal == NULL || spnego) {
		return FRAME_SMBD;	/* or refused by its token */
	}
	if (!ntsign_signature_take(c, &sequence)) {
		return FRAME_SMBD;	/* which ends over its signature */
	}
	ntsign_session_refuse(c);
	ntsign_enforce_answer(c, message, full, sequence,
			      ntsign_enforce_status(c->setup.refusal));
	return FRAME_DONE;
}

/* Whether smbd checks this session setup's password with a context of its
 * own, which logon.c does not see: anonymous and plaintext ones. */
static bool setup_unseen(const struct ntsign_connection *c)
{
	const struct ntsign_smb1_session_setup *request = c->setup.request;

	return request != NULL && c->xconn->smb1.negprot.done &&
		!(request->extended && c->xconn->smb1.negprot.spnego) &&
		(request->account == NULL || request->account[0] == '\0' ||
		 !c->xconn->smb1.negprot.encrypted_passwords);
}

/* Acquires the credential handle for such a one. */
static enum frame_next setup_acquire(struct ntsign_connection *c,
				     const uint8_t *message, size_t full)
{
	uint32_t sequence = 0;
	NTSTATUS status;

	if (!ntsign_credential_wanted() || !setup_unseen(c)) {
		return FRAME_SMBD;
	}
	status = ntsign_credential_acquire(c, c->setup.request->account);
	if (NT_STATUS_IS_OK(status) || !ntsign_signature_take(c, &sequence)) {
		return FRAME_SMBD;
	}
	ntsign_session_fail(c, status);
	ntsign_enforce_answer(c, message, full, sequence, status);
	return FRAME_DONE;
}

/* A frame as it stands in the socket. */
struct frame {
	struct ntsign_smb1_header header;
	const uint8_t *message;	/* from its mark on */
	size_t have;		/* of the message; at most `len` */
	size_t len;		/* the message's length */
	bool whole;		/* it may be, or have, a session setup */
};

/*
 * How many bytes, transport header and all, have to be seen of an SMB1 frame
 * before smbd may have it. *wanted: of how many a look is worth it.
 */
static size_t frame_needed(const struct frame *frame, bool signing, bool check,
			   size_t *wanted)
{
	size_t full = NTSIGN_NBT_HEADER_LEN + frame->len;

	*wanted = MIN(full, NTSIGN_FRAME_MAX);
	if (check) {
		return *wanted;
	}
	if (!frame->whole) {
		*wanted = signing ? *wanted : 0;
		return 0;
	}
	if (full <= NTSIGN_WAIT_MAX) {
		return full;
	}
	/* no request of it begins further behind */
	return (ntsign_enforcing() || ntsign_pipe_acts()) ? NTSIGN_WAIT_MAX :
							    0;
}

/* Reads what is there of a frame. True: it is SMB1's, with its header.
 * *needed, *wanted: as above. */
static bool frame_read(const struct ntsign_connection *c, const uint8_t *data,
		       size_t have, bool signing, bool check,
		       struct frame *frame, size_t *needed, size_t *wanted)
{
	uint32_t length = 0;
	enum ntsign_frame kind = ntsign_frame_classify(data, have, &length);

	frame->message = data + NTSIGN_NBT_HEADER_LEN;
	frame->len = length;
	*needed = header_needed(kind, have, length);
	*wanted = 0;
	if (kind == NTSIGN_FRAME_SMB1 &&
	    have >= NTSIGN_NBT_HEADER_LEN + NTSIGN_SMB1_HEADER_LEN &&
	    ntsign_smb1_header_parse(frame->message,
				     have - NTSIGN_NBT_HEADER_LEN,
				     &frame->header)) {
		frame->have = MIN(have - NTSIGN_NBT_HEADER_LEN, length);
		frame->whole =
			frame->header.command == NTSIGN_SMB1_NEGOTIATE ||
			frame->header.command == NTSIGN_SMB1_SESSION_SETUP ||
			ntsign_smb1_is_chain(frame->message, frame->have);
		*needed = frame_needed(frame, signing, check, wanted);
	}
	if (!c->first_seen) {
		*needed = MAX(*needed, ntsign_first_needed(kind, have, length));
	}
	return frame->have != 0;
}

enum look {
	LOOK_WAIT,	/* more of it has to come first */
	LOOK_SMB1,	/* it is SMB1's, and as much of it is there as needed */
	LOOK_OTHER,	/* it is not SMB1's */
};

/* Looks at as much of the next frame as is needed. */
static enum look frame_look(struct ntsign_connection *c, bool signing,
			    bool check, struct frame *frame)
{
	/* One SMB1 frame is handled at a time, and looked at until it is. */
	static uint8_t data[NTSIGN_FRAME_MAX];
	/* A client may have many requests in the socket: not all of them. */
	size_t ask = signing ? PEEK_SMALL : PEEK_MIN;

	for (;;) {
		size_t have = ntsign_wait_peek(c, data, ask);
		size_t needed = 0;
		size_t wanted = 0;
		bool smb1;

		*frame = (struct frame) { .have = 0, };
		c->encrypted = have > NTSIGN_NBT_HEADER_LEN + 1 &&
			data[NTSIGN_NBT_HEADER_LEN] == 0xFF &&
			data[NTSIGN_NBT_HEADER_LEN + 1] == 'E';
		if (have == 0) {
			return LOOK_OTHER;
		}
		smb1 = frame_read(c, data, have, signing, check, frame,
				  &needed, &wanted);
		if (smb1 && ntsign_enforcing() &&
		    frame->len > NTSIGN_FRAME_MAX - NTSIGN_NBT_HEADER_LEN) {
			/* smbd would read it as a shorter one */
			exit_server_cleanly("ntsign: a request is too long");
		}
		wanted = MAX(wanted, needed);
		if (have == ask && ask < wanted) {
			ask = wanted;
			continue;
		}
		if (have >= needed) {
			return smb1 ? LOOK_SMB1 : LOOK_OTHER;
		}
		switch (ntsign_wait_for_rest(c, needed)) {
		case NTSIGN_REST_THERE:
			ask = MAX(ask, wanted);	/* it has come this moment */
			break;
		case NTSIGN_REST_COMING:
			return LOOK_WAIT;
		case NTSIGN_REST_NEVER:
			if (ntsign_enforcing()) {
				exit_server_cleanly("ntsign: the rest of a "
						    "request does not come");
			}
			return smb1 ? LOOK_SMB1 : LOOK_OTHER;
		}
	}
}

bool ntsign_frame_checks_signatures(void)
{
	return ntsign->options->bad_signature ==
		NTSIGN_BAD_SIGNATURE_ACCESS_DENIED;
}

/* What becomes of the next frame: looks at it, and refuses what is to be. */
static enum frame_next frame_before(struct ntsign_connection *c)
{
	bool signing = ntsign_signature_on(c);
	bool check = signing &&
		(ntsign_frame_checks_signatures() || ntsign_sequence_checks(c));
	struct frame frame = { .len = 0, };
	enum frame_next next;
	uint32_t sequence = 0;
	size_t setup;

	switch (frame_look(c, signing, check, &frame)) {
	case LOOK_WAIT:
		return FRAME_WAIT;
	case LOOK_OTHER:
		if (!c->first_seen) {
			/* SMB2's NEGOTIATE, or no SMB at all */
			ntsign_first_look(c);
		}
		return FRAME_SMBD;
	case LOOK_SMB1:
		break;
	}
	if (!c->first_seen) {
		ntsign_first_message(c, frame.message - NTSIGN_NBT_HEADER_LEN,
			      frame.have + NTSIGN_NBT_HEADER_LEN);
	}
	ntsign_signature_before(c, &frame.header, frame.message, frame.have,
				frame.len);
	if (check && !ntsign_signature_check(c, &sequence)) {
		ntsign_enforce_answer(c, frame.message, frame.len, sequence,
				      NT_STATUS_ACCESS_DENIED);
		return FRAME_DONE;
	}
	if (ntsign_pipe_frame(c, &frame.header, frame.message, frame.have,
			      frame.len)) {
		return FRAME_DONE;
	}
	setup = !frame.whole ? 0 :
		ntsign_smb1_find_command(frame.message, frame.have,
					 NTSIGN_SMB1_SESSION_SETUP);
	if (setup != 0) {
		ntsign_session_begin(c, frame.message, frame.have, setup);
	}
	ntsign_sequence_arrived(c, &frame.header, setup != 0);
	if (setup == 0) {
		return FRAME_SMBD;
	}
	next = setup_before(c, &frame.header, frame.message, frame.have,
			    frame.len, setup);
	if (next == FRAME_SMBD) {
		next = setup_acquire(c, frame.message, frame.len);
	}
	return next;
}

static bool is_readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN, };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLIN) != 0;
}

/* In place of smbd's own handler of an SMB1 connection's socket. */
static void frame_handler(struct tevent_context *ev, struct tevent_fd *fde,
			  uint16_t flags, void *private_data)
{
	struct ntsign_connection *c = talloc_get_type_abort(
		private_data, struct ntsign_connection);
	struct smbXsrv_connection *xconn = c->xconn;
	enum frame_next next = FRAME_SMBD;

	if (!NT_STATUS_IS_OK(xconn->transport.status)) {
		TEVENT_FD_NOT_READABLE(xconn->transport.fde);
		TEVENT_FD_NOT_WRITEABLE(xconn->transport.fde);
		return;
	}
	if (!(flags & TEVENT_FD_READ)) {
		return;
	}
	/*
	 * What the echo handler's process has taken from the socket comes
	 * first, and another frame than the socket's next.
	 */
	if (!ntsign_layouts_differ &&
	    !(lp_async_smb_echo_handler() &&
	      is_readable(xconn->smb1.echo_handler.trusted_fd))) {
		next = frame_before(c);
	}
	if (next == FRAME_WAIT) {
		return;
	}
	ntsign_wait_over(c);
	if (next == FRAME_DONE) {
		return;
	}
	handling = c;
	smbd_smb1_server_connection_read_handler(xconn,
						 xconn->transport.sock);
	if (handling != c) {
		return;
	}
	handling = NULL;
	c->encrypted = false;
	if (ntsign_layouts_differ) {
		return;
	}
	ntsign_pipe_look();
	ntsign_connection_negotiated(c, false);
	ntsign_logon_hook(c);
	ntsign_session_end(c);
	ntsign_signature_after(c);
	ntsign_sequence_handled(c);
}

bool ntsign_frame_take_over(struct ntsign_connection *c)
{
	struct smbXsrv_connection *xconn = c->xconn;
	struct tevent_fd *fde = NULL;

	fde = tevent_add_fd(xconn->client->raw_ev_ctx, xconn,
			    xconn->transport.sock, 0, frame_handler, c);
	if (fde == NULL) {
		return false;
	}
	tevent_fd_set_close_fn(xconn->transport.fde, NULL);
	TALLOC_FREE(xconn->transport.fde);
	xconn->transport.fde = fde;
	tevent_fd_set_flags(fde, TEVENT_FD_READ);
	tevent_fd_set_auto_close(fde);
	return true;
}
