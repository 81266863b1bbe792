/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One client connection: its first message, its SMB1 frames, its end.
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

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

/* Enough to tell what a frame is: transport header, SMB1 header, word count */
#define PEEK_MIN 64
/* enough for all of most requests that are not writes */
#define PEEK_SMALL 256
/* the largest frame that SMB1 knows: [MS-SMB] 2.1, a 17 bit length */
#define PEEK_MAX (NTSIGN_NBT_HEADER_LEN + 0x1FFFF)
/*
 * The largest NEGOTIATE or SESSION_SETUP_ANDX that holds together: header,
 * 255 words, 65535 bytes. A larger one is not waited for; a socket's receive
 * buffer may not even have room for it.
 */
#define WAIT_MAX (NTSIGN_NBT_HEADER_LEN + NTSIGN_SMB1_HEADER_LEN + 1 + \
		  2 * 255 + 2 + 0xFFFF)

/* The handler of the connection whose frame smbd has in hand. */
static struct ntsign_connection *handling;

/* What was there before this module's fd trace callback. */
static tevent_trace_fd_callback_t chained_trace_fn;
static void *chained_trace_data;
static bool tracing;

bool ntsign_connection_is_smb2(const struct ntsign_connection *c)
{
	return c->xconn->protocol >= PROTOCOL_SMB2_02;
}

const char *ntsign_connection_dialect(const struct ntsign_connection *c)
{
	switch (c->xconn->protocol) {
	case PROTOCOL_NONE:
		return NULL;
	case PROTOCOL_CORE:
		return "CORE";
	case PROTOCOL_COREPLUS:
		return "COREPLUS";
	case PROTOCOL_LANMAN1:
		return "LANMAN1";
	case PROTOCOL_LANMAN2:
		return "LANMAN2";
	case PROTOCOL_NT1:
		return "NT1";
	default:
		return ntsign_smb2_dialect_name(
			c->xconn->smb2.server.dialect);
	}
}

enum ntsign_signing ntsign_connection_signing(
	const struct ntsign_connection *c)
{
	struct smb1_signing_state *si = c->xconn->smb1.signing_state;

	if (smb1_signing_is_mandatory(si)) {
		return NTSIGN_SIGNING_REQUIRED;
	}
	return smb1_signing_is_desired(si) ? NTSIGN_SIGNING_ENABLED :
					     NTSIGN_SIGNING_DISABLED;
}

struct ntsign_party ntsign_connection_server(
	const struct ntsign_connection *c)
{
	struct ntsign_party server = {
		.patched = true,
		.signing = NTSIGN_SIGNING_ENABLED,
	};

	if (!ntsign_connection_is_smb2(c) && ntsign_enforcing()) {
		return c->column;
	}
	if (ntsign_connection_is_smb2(c)) {
		if (c->xconn->smb2.server.security_mode &
		    SMB2_NEGOTIATE_SIGNING_REQUIRED) {
			server.signing = NTSIGN_SIGNING_REQUIRED;
		}
		return server;
	}
	server.signing = ntsign_connection_signing(c);
	return server;
}

bool ntsign_connection_unpatched(const struct ntsign_connection *c,
				 const char *native_os)
{
	const struct ntsign_options *options = ntsign->options;
	size_t i;

	if (ntsign_policy_os_unpatched(native_os)) {
		return true;
	}
	if (!c->address_known) {
		return false;
	}
	for (i = 0; i < options->unpatched_clients_count; i++) {
		if (ntsign_block_match(&options->unpatched_clients[i],
				       &c->address)) {
			return true;
		}
	}
	return false;
}

void ntsign_connection_record_party(struct ntsign_record *record,
				    const char *name,
				    struct ntsign_party party)
{
	ntsign_record_open(record, name);
	ntsign_record_bool(record, "patched", party.patched);
	ntsign_record_text(record, "signing",
			   ntsign_signing_name(party.signing));
	ntsign_record_close(record);
}

/* The dialects that the client offered, as names. */
static void record_offered(struct ntsign_record *record,
			   const struct ntsign_connection *c)
{
	const char *names[NTSIGN_SMB2_DIALECTS_MAX];
	char unknown[NTSIGN_SMB2_DIALECTS_MAX][8];
	size_t i;

	if (c->smb1_negotiate != NULL) {
		ntsign_record_list(record, "offered",
				   c->smb1_negotiate->dialects,
				   c->smb1_negotiate->count);
		return;
	}
	if (c->smb2_negotiate == NULL) {
		return;
	}
	for (i = 0; i < c->smb2_negotiate->count; i++) {
		uint16_t dialect = c->smb2_negotiate->dialects[i];

		names[i] = ntsign_smb2_dialect_name(dialect);
		if (names[i] == NULL) {
			snprintf(unknown[i], sizeof(unknown[i]), "0x%04X",
				 dialect);
			names[i] = unknown[i];
		}
	}
	ntsign_record_list(record, "offered", names,
			   c->smb2_negotiate->count);
}

static void record_connection(struct ntsign_connection *c, const char *event,
			      const char *reason, bool notable)
{
	struct ntsign_record *record = NULL;
	const char *dialect = ntsign_connection_dialect(c);
	bool smb1 = (c->first == NTSIGN_FRAME_SMB1 &&
		     c->xconn->protocol <= PROTOCOL_NT1);

	record = ntsign_audit_start(c, NTSIGN_RECORD_CONNECTION);
	ntsign_record_text(record, "event", event);
	if (smb1) {
		/* SMB1 used, or tried to */
		ntsign_record_int(record, "windowsEventId", 3000);
	}
	ntsign_record_text(record, "dialect", dialect);
	record_offered(record, c);
	if (c->first == NTSIGN_FRAME_SMB1) {
		ntsign_record_hex(record, "negotiateFlags2",
				  c->negotiate_flags2, 4);
	}
	if (dialect != NULL) {
		ntsign_connection_record_party(record, "server",
					       ntsign_connection_server(c));
	}
	if (ntsign_connection_is_smb2(c)) {
		char *guid = GUID_string(record, &c->xconn->smb2.client.guid);

		ntsign_record_int(record, "clientSecurityMode",
				  c->xconn->smb2.client.security_mode);
		ntsign_record_text(record, "clientGuid", guid);
	} else if (c->smb2_negotiate != NULL) {
		ntsign_record_int(record, "clientSecurityMode",
				  c->smb2_negotiate->security_mode);
	}
	if (reason != NULL) {
		ntsign_record_text(record, "reason", reason);
	}
	if (strcmp(event, "closed") == 0) {
		ntsign_record_int(record, "sessions", c->session_count);
	}
	c->recorded = true;
	if (!ntsign_audit_finish(c, record, notable, NTSIGN_EVENTS_ALL)) {
		/*
		 * Not a reason to end the connection: no session stands on
		 * this record, and each session asks for its own.
		 */
		DBG_NOTICE("ntsign: a connection's record is missing\n");
	}
}

static const char no_dialect[] = "no dialect in common with this server";

/* Once NEGOTIATE has been answered, or refused; or the connection ends. */
static void connection_negotiated(struct ntsign_connection *c, bool ended)
{
	if (c->recorded || !c->first_seen) {
		return;
	}
	if (c->xconn->protocol != PROTOCOL_NONE) {
		record_connection(c, "negotiated", NULL, false);
		return;
	}
	if (!ended && (c->smb1_negotiate == NULL || c->smb1_negotiate->smb2)) {
		/* "SMB 2.???" is answered by asking for another NEGOTIATE */
		return;
	}
	if (c->smb1_negotiate != NULL || c->smb2_negotiate != NULL) {
		record_connection(c, "turned_away", no_dialect, true);
		c->turned_away = true;
	}
}

static const char *closed_reason(const struct ntsign_connection *c)
{
	if (c->xconn->protocol != PROTOCOL_NONE) {
		return NULL;
	}
	if (c->turned_away) {
		return no_dialect;
	}
	switch (c->first_seen ? c->first : NTSIGN_FRAME_SHORT) {
	case NTSIGN_FRAME_SMB1:
	case NTSIGN_FRAME_SMB2:
		return "the first message is no NEGOTIATE request";
	case NTSIGN_FRAME_SMB2_TRANSFORM:
		return "the first message is encrypted";
	case NTSIGN_FRAME_NBT:
		return "closed after a NetBIOS session request";
	case NTSIGN_FRAME_UNKNOWN:
		return "the first bytes are no SMB message";
	case NTSIGN_FRAME_SHORT:
		break;
	}
	return "closed before NEGOTIATE";
}

static int connection_destructor(struct ntsign_connection *c)
{
	ntsign_session_detach(c);
	ntsign_signature_end(c);
	connection_negotiated(c, true);
	record_connection(c, "closed", closed_reason(c), false);
	ntsign_audit_end(c);
	DLIST_REMOVE(ntsign->connections, c);
	if (handling == c) {
		handling = NULL;
	}
	return 0;
}

/* Looks at the message that opens the connection. */
static void first_message(struct ntsign_connection *c, const uint8_t *data,
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

/* MSG_PEEK of up to `want` bytes; 0 when there are none. */
static size_t peek(struct ntsign_connection *c, uint8_t *buffer, size_t want)
{
	ssize_t n;

	n = recv(c->xconn->transport.sock, buffer, want,
		 MSG_PEEK | MSG_DONTWAIT);
	return (n > 0) ? (size_t)n : 0;
}

/* The socket wakes smbd up when it holds this many bytes. */
static bool set_low_water(struct ntsign_connection *c, size_t bytes)
{
	int value = (int)bytes;

	if (bytes == c->low_water) {
		return true;
	}
	if (setsockopt(c->xconn->transport.sock, SOL_SOCKET, SO_RCVLOWAT,
		       &value, sizeof(value)) != 0) {
		return false;
	}
	c->low_water = bytes;
	return true;
}

/*
 * Has the socket wake smbd up when `full` bytes are there. The kernel takes a
 * lower mark where the socket's buffer is too small for them. Returns the
 * mark, 0 when there is none.
 */
static size_t wake_up_with(struct ntsign_connection *c, size_t full)
{
	int low = 0;
	socklen_t len = sizeof(low);

	if (!set_low_water(c, full) ||
	    getsockopt(c->xconn->transport.sock, SOL_SOCKET, SO_RCVLOWAT,
		       &low, &len) != 0) {
		return 0;
	}
	return (size_t)low;
}

/*
 * The same where less will not do. The window has to hold a whole frame that
 * nobody reads from, in small segments too, which take more room: the kernel
 * makes the buffer twice as large as the highest mark it was ever given. It
 * does not where `socket options` have fixed the size.
 */
static size_t wake_up_with_all(struct ntsign_connection *c, size_t full)
{
	int size = 2 * (int)full;

	if (c->highest_mark < full) {
		c->highest_mark = full;
		(void)set_low_water(c, 4 * full);
	}
	if (wake_up_with(c, full) < full &&
	    setsockopt(c->xconn->transport.sock, SOL_SOCKET, SO_RCVBUF, &size,
		       sizeof(size)) == 0) {
		c->low_water = 0;
	}
	return wake_up_with(c, full);
}

/* A client that has closed its side sends no more. */
static bool client_gone(const struct ntsign_connection *c)
{
	struct tcp_info info = { .tcpi_state = 0, };
	socklen_t len = sizeof(info);

	return getsockopt(c->xconn->transport.sock, IPPROTO_TCP, TCP_INFO,
			  &info, &len) != 0 ||
		info.tcpi_state != TCP_ESTABLISHED;
}

/* How long a reader that was woken up for nothing keeps still, and how often
 * in a row: a minute. */
#define LOOK_AGAIN_MS 20
#define LOOK_AGAIN_MAX 3000

static struct tevent_fd *read_fde(const struct ntsign_connection *c)
{
	return (c->first_fde != NULL) ? c->first_fde :
		c->xconn->transport.fde;
}

static void look_again_now(struct tevent_context *ev, struct tevent_timer *te,
			   struct timeval now, void *private_data)
{
	struct ntsign_connection *c = talloc_get_type_abort(
		private_data, struct ntsign_connection);
	struct tevent_fd *fde = read_fde(c);

	TALLOC_FREE(c->look_again);
	if (fde != NULL) {
		TEVENT_FD_READABLE(fde);
	}
}

/* Where a request must not get to smbd in part: looks for the rest of it
 * after a while. False when that cannot be. */
static bool look_again(struct ntsign_connection *c)
{
	struct tevent_fd *fde = read_fde(c);

	if (fde == NULL || client_gone(c) ||
	    c->looked_again >= LOOK_AGAIN_MAX) {
		return false;
	}
	c->looked_again++;
	c->look_again = tevent_add_timer(
		c->xconn->client->raw_ev_ctx, c,
		timeval_current_ofs_msec(LOOK_AGAIN_MS), look_again_now, c);
	if (c->look_again == NULL) {
		return false;
	}
	TEVENT_FD_NOT_READABLE(fde);
	return true;
}

/* What is to be expected of the rest of a frame. */
enum rest {
	REST_THERE,	/* it is in the socket by now */
	REST_COMING,	/* the event loop waits for it */
	REST_NEVER,	/* it is not to come, or cannot be waited for */
};

/* Leaves the beginning of a frame of `full` bytes in the socket until all of
 * it is there. */
static enum rest wait_for_rest(struct ntsign_connection *c, size_t full)
{
	int available = 0;
	size_t have;
	size_t low;

	if (ioctl(c->xconn->transport.sock, FIONREAD, &available) != 0 ||
	    available < 0) {
		return REST_NEVER;
	}
	have = (size_t)available;
	if (have >= full) {
		return REST_THERE;
	}
	/*
	 * The kernel wakes a reader below its mark where memory is short, or
	 * the window is small. Woken up without a new byte smbd is let read,
	 * or where it must not, a look is taken later.
	 */
	if (c->waiting && have <= c->waited_with) {
		return (ntsign_enforcing() && look_again(c)) ? REST_COMING :
							       REST_NEVER;
	}
	low = ntsign_enforcing() ? wake_up_with_all(c, full) :
				   wake_up_with(c, full);
	if (have >= low || client_gone(c)) {
		return REST_NEVER;
	}
	c->waiting = true;
	c->waited_with = have;
	c->looked_again = 0;
	return REST_COMING;
}

/* smbd reads from the socket next, as if there had been no waiting. */
static void hand_over(struct ntsign_connection *c)
{
	c->waiting = false;
	(void)set_low_water(c, 1);
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

/* How much of the message that opens the connection has to be there; 0: smbd
 * can have it as it is. */
static size_t first_needed(enum ntsign_frame kind, size_t have,
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
	return (full <= WAIT_MAX) ? full : 0;
}

static void first_look(struct ntsign_connection *c)
{
	uint8_t *data = talloc_array(c, uint8_t, WAIT_MAX);
	size_t have;

	if (data == NULL) {
		return;
	}
	have = peek(c, data, WAIT_MAX);
	if (have != 0) {
		first_message(c, data, have);
	}
	TALLOC_FREE(data);
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

	*wanted = MIN(full, PEEK_MAX);
	if (check) {
		return *wanted;
	}
	if (!frame->whole) {
		*wanted = signing ? *wanted : 0;
		return 0;
	}
	if (full <= WAIT_MAX) {
		return full;
	}
	/* no request of it begins further behind */
	return ntsign_enforcing() ? WAIT_MAX : 0;
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
		*needed = MAX(*needed, first_needed(kind, have, length));
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
	static uint8_t data[PEEK_MAX];
	/* A client may have many requests in the socket: not all of them. */
	size_t ask = signing ? PEEK_SMALL : PEEK_MIN;

	for (;;) {
		size_t have = peek(c, data, ask);
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
		if (frame->len > PEEK_MAX - NTSIGN_NBT_HEADER_LEN && smb1 &&
		    ntsign_enforcing()) {
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
		switch (wait_for_rest(c, needed)) {
		case REST_THERE:
			ask = MAX(ask, wanted);	/* it has come this moment */
			break;
		case REST_COMING:
			return LOOK_WAIT;
		case REST_NEVER:
			if (ntsign_enforcing()) {
				exit_server_cleanly("ntsign: the rest of a "
						    "request does not come");
			}
			return smb1 ? LOOK_SMB1 : LOOK_OTHER;
		}
	}
}

/* Whether every signature is checked before smbd has the frame. */
static bool checks_signatures(void)
{
	return ntsign->options->bad_signature ==
		NTSIGN_BAD_SIGNATURE_ACCESS_DENIED;
}

/* What becomes of the next frame: looks at it, and refuses what is to be. */
static enum frame_next frame_before(struct ntsign_connection *c)
{
	bool signing = ntsign_signature_on(c);
	bool check = signing &&
		(checks_signatures() || ntsign_sequence_checks(c));
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
			first_look(c);
		}
		return FRAME_SMBD;
	case LOOK_SMB1:
		break;
	}
	if (!c->first_seen) {
		first_message(c, frame.message - NTSIGN_NBT_HEADER_LEN,
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
	if (!(lp_async_smb_echo_handler() &&
	      is_readable(xconn->smb1.echo_handler.trusted_fd))) {
		next = frame_before(c);
	}
	if (next == FRAME_WAIT) {
		return;
	}
	hand_over(c);
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
	ntsign_pipe_look();
	connection_negotiated(c, false);
	ntsign_logon_hook(c);
	ntsign_session_end(c);
	ntsign_signature_after(c);
	ntsign_sequence_handled(c);
}

/*
 * Before smbd handles any event: what has no better place. That is the end
 * of a session setup that smbd had to wait in itself; the requests of SMB2
 * sessions that require signing; and, where `server min
 * protocol` is above NT1, the first message behind a NetBIOS session request.
 */
static void trace_fd(struct tevent_fd *fde,
		     enum tevent_event_trace_point point, void *private_data)
{
	struct tevent_context *ev = private_data;
	struct ntsign_connection *c = NULL;
	bool needed = false;

	if (chained_trace_fn != NULL) {
		chained_trace_fn(fde, point, chained_trace_data);
	}
	if (point != TEVENT_EVENT_TRACE_BEFORE_HANDLER) {
		return;
	}
	for (c = ntsign->connections; c != NULL; c = c->next) {
		if (c->first_seen && !c->watched && c->pending == 0) {
			continue;
		}
		needed = true;
		if (c->pending != 0) {
			ntsign_session_settle(c);
		}
		if (c->xconn->transport.fde != fde) {
			continue;
		}
		if (c->watched) {
			ntsign_signature_smb2_before(c);
		} else if (!c->first_seen) {
			first_look(c);
		}
	}
	if (!needed) {
		/* All has been seen: out of the way of every later event. */
		tevent_set_trace_fd_callback(ev, chained_trace_fn,
					     chained_trace_data);
		tracing = false;
	}
}

static void trace_start(struct tevent_context *ev)
{
	if (!tracing) {
		tevent_get_trace_fd_callback(ev, &chained_trace_fn,
					     &chained_trace_data);
		tevent_set_trace_fd_callback(ev, trace_fd, ev);
		tracing = true;
	}
}

void ntsign_connection_watch(struct ntsign_connection *c)
{
	c->watched = true;
	trace_start(c->xconn->client->raw_ev_ctx);
}

void ntsign_connection_watch_pending(struct ntsign_connection *c)
{
	trace_start(c->xconn->client->raw_ev_ctx);
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
	uint8_t head[PEEK_MIN];
	uint32_t length = 0;
	enum ntsign_frame kind;
	size_t have = peek(c, head, sizeof(head));
	size_t needed;

	kind = ntsign_frame_classify(head, have, &length);
	needed = first_needed(kind, have, length);
	if (have != 0 && have < needed &&
	    wait_for_rest(c, needed) == REST_COMING) {
		return;
	}
	if (have != 0) {
		first_look(c);
	}
	if (!c->first_seen) {
		trace_start(ev);
	}
	hand_over(c);
	TALLOC_FREE(c->first_fde);
	if (c->xconn->transport.fde != NULL) {
		TEVENT_FD_READABLE(c->xconn->transport.fde);
	}
}

static bool wait_for_first(struct ntsign_connection *c)
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

static bool take_over_socket(struct ntsign_connection *c)
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

static struct ntsign_connection *connection_new(
	struct smbXsrv_connection *xconn)
{
	struct ntsign_connection *c = NULL;
	uint64_t id = 0;

	c = talloc_zero(xconn, struct ntsign_connection);
	if (c == NULL) {
		return NULL;
	}
	c->xconn = xconn;
	c->first = NTSIGN_FRAME_SHORT;
	c->low_water = 1;
	generate_nonce_buffer((uint8_t *)&id, sizeof(id));
	snprintf(c->id, sizeof(c->id), "%016" PRIx64, id);
	c->local_address = tsocket_address_string(xconn->local_address, c);
	c->remote_address = tsocket_address_string(xconn->remote_address, c);
	if (tsocket_address_is_inet(xconn->remote_address, "ip")) {
		c->remote_ip = tsocket_address_inet_addr_string(
			xconn->remote_address, c);
	} else {
		c->remote_ip = talloc_strdup(c, "unix");
	}
	if (c->local_address == NULL || c->remote_address == NULL ||
	    c->remote_ip == NULL) {
		TALLOC_FREE(c);
		return NULL;
	}
	c->address_known = ntsign_address_parse(c->remote_ip, &c->address);
	c->limited_as = c->remote_ip;
	if (c->address_known && c->address.len == 16) {
		/* one host has as many addresses as its network */
		uint8_t network[16] = { 0, };
		char text[INET6_ADDRSTRLEN];

		memcpy(network, c->address.bytes, 8);
		if (inet_ntop(AF_INET6, network, text, sizeof(text)) != NULL) {
			c->limited_as = talloc_asprintf(c, "%s/64", text);
		}
		if (c->limited_as == NULL) {
			c->limited_as = c->remote_ip;
		}
	}
	return c;
}

static void connection_publish(struct ntsign_connection *c)
{
	DLIST_ADD_END(ntsign->connections, c);
	talloc_set_destructor(c, connection_destructor);
}

/*
 * The longest frames have to fit into the socket's window, whatever room
 * their segments take: nothing is read from it before all is there. Once
 * data is in it the kernel makes a window larger only as it is read.
 */
static void hold_whole_frames(struct ntsign_connection *c)
{
	int fd = c->xconn->transport.sock;
	int size = 8 * PEEK_MAX;
	socklen_t len = sizeof(size);

	/* without CAP_NET_ADMIN as much as the machine allows everybody */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) != 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
				 sizeof(size));
	}
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len) != 0 ||
	    size < 2 * PEEK_MAX) {
		DBG_ERR("ntsign: large requests may stall: the socket's "
			"buffer has %d bytes, see net.core.rmem_max\n", size);
	}
}

NTSTATUS ntsign_connection_attach(struct ntsign_module *module,
				  struct smbXsrv_connection *xconn)
{
	struct ntsign_connection *c = connection_new(xconn);
	bool ok;

	if (c == NULL) {
		return NT_STATUS_NO_MEMORY;
	}
	if (ntsign_enforcing()) {
		NTSTATUS status = ntsign_enforce_attach(c);

		if (!NT_STATUS_IS_OK(status)) {
			TALLOC_FREE(c);
			return status;
		}
	}
	ntsign_sequence_attach(c);
	if (checks_signatures() || ntsign_sequence_holds(c)) {
		hold_whole_frames(c);
	}
	if (lp_server_min_protocol() <= PROTOCOL_NT1) {
		ok = take_over_socket(c);
	} else {
		ok = wait_for_first(c);
	}
	if (!ok) {
		TALLOC_FREE(c);
		return NT_STATUS_NO_MEMORY;
	}
	connection_publish(c);
	ntsign_pipe_attach(c);
	return NT_STATUS_OK;
}

struct ntsign_connection *ntsign_connection_get(
	struct smbXsrv_connection *xconn)
{
	struct ntsign_connection *c = NULL;

	for (c = ntsign->connections; c != NULL; c = c->next) {
		if (c->xconn == xconn) {
			connection_negotiated(c, false);
			return c;
		}
	}
	/* A further channel: its NEGOTIATE was another process's. */
	c = connection_new(xconn);
	if (c != NULL && ntsign_enforcing()) {
		ntsign_enforce_channel(c);
	}
	if (c != NULL) {
		c->first = NTSIGN_FRAME_SMB2;
		c->first_seen = true;
		connection_publish(c);
		connection_negotiated(c, false);
	}
	return c;
}
