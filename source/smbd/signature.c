/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who is seen to sign: SMB1 signatures, and SMB2's proofs.
 *
 * Invariant: smbd checks every signature itself. What it made of one is told
 * by its signing state before and after; why one was bad is worked out from
 * the frame as it stood in the socket, only then, with smbd's own key.
 */
#include "module.h"
#include "librpc/gen_ndr/smbXsrv.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

/* As many requests as numbers that are looked for. */
#define SEEN_MAX (2 * NTSIGN_MAC_WINDOW)

struct ntsign_signature {
	uint8_t *key;
	size_t key_len;
	/* of the session that started signing */
	char *account;
	uint64_t session_id;
	/* of the last requests in step, for `signing counter = fix` */
	uint8_t seen[SEEN_MAX][8];
	unsigned int seen_next;

	/* while smbd handles a frame */
	bool handling;
	bool proven;		/* a good signature had been seen before it */
	uint32_t expected;
	struct ntsign_smb1_header header;
	const uint8_t *frame;	/* the caller's, whole; or NULL */
	size_t frame_len;
};

/* The number that smbd expects next; 0: signing is not started. */
static uint32_t next_sequence(const struct ntsign_connection *c)
{
	struct smb1_signing_state *si = c->xconn->smb1.signing_state;
	uint32_t sequence = smb1_signing_next_seqnum(si, false);

	smb1_signing_cancel_reply(si, false);
	return sequence;
}

bool ntsign_signature_on(const struct ntsign_connection *c)
{
	return c->xconn->smb1.signing_state != NULL && next_sequence(c) != 0;
}

bool ntsign_signature_proven(const struct ntsign_connection *c)
{
	return smb1_signing_is_active(c->xconn->smb1.signing_state);
}

const char *ntsign_signature_account(const struct ntsign_connection *c)
{
	return (c->signature != NULL) ? c->signature->account : NULL;
}

uint32_t ntsign_signature_expected(const struct ntsign_connection *c)
{
	return next_sequence(c);
}

static int signature_destructor(struct ntsign_signature *signature)
{
	if (signature->key != NULL) {
		BURN_PTR_SIZE(signature->key, signature->key_len);
	}
	return 0;
}

static struct ntsign_signature *signature_get(struct ntsign_connection *c)
{
	if (c->signature == NULL) {
		c->signature = talloc_zero(c, struct ntsign_signature);
		if (c->signature != NULL) {
			talloc_set_destructor(c->signature,
					      signature_destructor);
		}
	}
	return c->signature;
}

void ntsign_signature_started(struct ntsign_connection *c,
			      struct smbXsrv_session *session, bool nt4)
{
	const DATA_BLOB *blob = &session->global->signing_key_blob;
	size_t response_len = nt4 ? c->setup.response_len : 0;
	struct ntsign_session *s = NULL;
	struct ntsign_signature *signature = NULL;

	if (!ntsign_signature_on(c) || blob->length == 0) {
		return;
	}
	signature = signature_get(c);
	if (signature == NULL || signature->key != NULL) {
		return;		/* the first session's key signs for all */
	}
	signature->key = talloc_array(signature, uint8_t,
				      blob->length + response_len);
	if (signature->key == NULL) {
		return;
	}
	talloc_keep_secret(signature->key);
	memcpy(signature->key, blob->data, blob->length);
	if (response_len != 0) {
		memcpy(signature->key + blob->length, c->setup.response,
		       response_len);
	}
	signature->key_len = blob->length + response_len;
	signature->session_id = session->global->session_wire_id;
	c->counter.unpatched = ntsign_connection_unpatched(
		c, (c->setup.request != NULL) ? c->setup.request->native_os :
						NULL);
	s = ntsign_session_find(c, session);
	if (s != NULL && s->account != NULL) {
		signature->account = talloc_strdup(signature, s->account);
	}
}

void ntsign_signature_before(struct ntsign_connection *c,
			     const struct ntsign_smb1_header *header,
			     const uint8_t *message, size_t len,
			     size_t full_len)
{
	struct ntsign_signature *signature = NULL;
	uint32_t expected = next_sequence(c);

	if (expected == 0) {
		return;
	}
	signature = signature_get(c);
	if (signature == NULL) {
		return;
	}
	signature->handling = true;
	signature->proven = ntsign_signature_proven(c);
	signature->expected = expected;
	signature->header = *header;
	signature->frame = (len == full_len) ? message : NULL;
	signature->frame_len = len;
}

/* ---- why a signature was bad ---- */

typedef enum ntsign_mac_result (*match_fn)(
	const uint8_t *key, size_t key_len,
	const uint8_t *message, size_t message_len,
	uint32_t expected, uint32_t *matched);

/*
 * The part that needs OpenSSL, which no smbd without a bad signature has to
 * load. NULL when it cannot be had.
 */
static match_fn match_load(void)
{
	static match_fn match;
	static bool tried;

	if (tried) {
		return match;
	}
	tried = true;
	match = (match_fn)ntsign_crypto_symbol("ntsign_mac_smb1_match");
	if (match == NULL) {
		DBG_ERR("ntsign: bad signatures are recorded without a "
			"matching number\n");
	}
	return match;
}

struct cause {
	const char *event;	/* "bad", "missing", NULL: the MAC is good */
	bool matched;
	uint32_t sequence;
};

static struct cause find_cause(const struct ntsign_signature *signature)
{
	struct cause cause = { .event = "bad", };
	match_fn match = NULL;

	if (ntsign_smb1_signature_absent(&signature->header)) {
		cause.event = "missing";
		return cause;
	}
	if (signature->key == NULL || signature->frame == NULL) {
		return cause;
	}
	match = match_load();
	if (match == NULL) {
		return cause;
	}
	switch (match(signature->key, signature->key_len, signature->frame,
		      signature->frame_len, signature->expected,
		      &cause.sequence)) {
	case NTSIGN_MAC_GOOD:
		cause.event = NULL;
		break;
	case NTSIGN_MAC_NEAR:
		cause.matched = true;
		break;
	case NTSIGN_MAC_BAD:
	case NTSIGN_MAC_ERROR:
		break;
	}
	return cause;
}

/* ---- records ---- */

static const char *command_name(uint8_t command)
{
	static const struct {
		uint8_t command;
		const char *name;
	} names[] = {
		{ 0x04, "SMB_COM_CLOSE" },
		{ 0x25, "SMB_COM_TRANSACTION" },
		{ 0x2B, "SMB_COM_ECHO" },
		{ 0x2E, "SMB_COM_READ_ANDX" },
		{ 0x2F, "SMB_COM_WRITE_ANDX" },
		{ 0x32, "SMB_COM_TRANSACTION2" },
		{ 0x71, "SMB_COM_TREE_DISCONNECT" },
		{ 0x73, "SMB_COM_SESSION_SETUP_ANDX" },
		{ 0x74, "SMB_COM_LOGOFF_ANDX" },
		{ 0x75, "SMB_COM_TREE_CONNECT_ANDX" },
		{ 0xA0, "SMB_COM_NT_TRANSACT" },
		{ 0xA2, "SMB_COM_NT_CREATE_ANDX" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].command == command) {
			return names[i].name;
		}
	}
	return NULL;
}

static void record_smb1(struct ntsign_connection *c, const char *event,
			const char *reason, const struct cause *cause)
{
	const struct ntsign_signature *signature = c->signature;
	struct ntsign_record *record = NULL;
	const char *command = command_name(signature->header.command);
	bool verified = (cause == NULL);

	record = ntsign_audit_start(c, NTSIGN_RECORD_SIGNATURE);
	if (!verified) {
		ntsign_record_int(record, "windowsEventId", 1004);
	}
	ntsign_record_text(record, "event", event);
	if (reason != NULL) {
		ntsign_record_text(record, "reason", reason);
	}
	ntsign_record_text(record, "dialect", ntsign_connection_dialect(c));
	ntsign_record_hex(record, "sessionId", signature->session_id, 16);
	ntsign_record_text(record, "account", signature->account);
	if (command != NULL) {
		ntsign_record_text(record, "command", command);
	} else {
		ntsign_record_hex(record, "command",
				  signature->header.command, 2);
	}
	ntsign_record_int(record, "expected", signature->expected);
	if (cause != NULL && cause->matched) {
		ntsign_record_int(record, "matched", cause->sequence);
	}
	(void)ntsign_audit_finish(c, record, !verified,
				  NTSIGN_EVENTS_SESSION);
	if (cause != NULL && cause->matched && !c->counter.skewed) {
		ntsign_sequence_record_desynchronised(c, signature->expected,
						      cause->sequence);
	}
}

void ntsign_signature_after(struct ntsign_connection *c)
{
	struct ntsign_signature *signature = c->signature;

	if (signature == NULL || !signature->handling) {
		return;
	}
	signature->handling = false;
	if (next_sequence(c) == 0) {
		struct cause cause = find_cause(signature);

		record_smb1(c, "downgraded",
			    (cause.event != NULL) ? cause.event : "bad",
			    &cause);
	} else if (!signature->proven && ntsign_signature_proven(c)) {
		record_smb1(c, "verified", NULL, NULL);
	}
	memcpy(signature->seen[signature->seen_next % SEEN_MAX],
	       signature->header.signature, sizeof(signature->seen[0]));
	signature->seen_next++;
	signature->frame = NULL;
}

/*
 * Whether the frame in hand is one that was accepted before, or an answer
 * sent back: those are in the window too, and nobody needs the key for them.
 */
static bool message_repeated(const struct ntsign_signature *signature)
{
	unsigned int i;

	for (i = 0; i < SEEN_MAX; i++) {
		if (memcmp(signature->seen[i], signature->header.signature,
			   sizeof(signature->seen[i])) == 0) {
			return true;
		}
	}
	return (signature->header.flags & FLAG_REPLY) != 0;
}

bool ntsign_signature_check(struct ntsign_connection *c, uint32_t *sequence)
{
	struct ntsign_signature *signature = c->signature;
	struct cause cause;

	if (signature == NULL || !signature->handling ||
	    signature->frame == NULL) {
		exit_server_cleanly("ntsign: a frame could not be checked");
	}
	/* signing is mandatory once it is on: this leaves smbd's state alone,
	 * but for having seen a good signature */
	if (smb1_signing_check_pdu(c->xconn->smb1.signing_state,
				   signature->frame, signature->frame_len,
				   signature->expected)) {
		if (c->repeats != 0 && message_repeated(signature)) {
			cause = (struct cause) { .event = "bad", };
			record_smb1(c, cause.event, "repeated", &cause);
			signature->handling = false;
			exit_server_cleanly("ntsign: a repeated request");
		}
		ntsign_sequence_matched(c);
		return true;
	}
	cause = find_cause(signature);
	switch (ntsign_sequence_mismatch(c, signature->expected,
					 cause.matched &&
					 !message_repeated(signature),
					 cause.sequence)) {
	case NTSIGN_COUNTER_RESYNCHRONISED:
		signature->expected = cause.sequence;
		return true;
	case NTSIGN_COUNTER_DENY:
		/* it stays out of step with a client that counts on */
		(void)smb1_signing_next_seqnum(
			c->xconn->smb1.signing_state,
			signature->header.command == NTSIGN_SMB1_NT_CANCEL);
		break;
	case NTSIGN_COUNTER_DESYNCHRONISED:
	case NTSIGN_COUNTER_STOCK:
		if (ntsign->options->bad_signature !=
		    NTSIGN_BAD_SIGNATURE_ACCESS_DENIED) {
			return true;	/* smbd ends the connection */
		}
		break;
	}
	record_smb1(c, (cause.event != NULL) ? cause.event : "bad", NULL,
		    &cause);
	signature->handling = false;
	signature->frame = NULL;
	*sequence = signature->expected + 1;
	return false;
}

bool ntsign_signature_take(struct ntsign_connection *c, uint32_t *sequence)
{
	struct ntsign_signature *signature = c->signature;
	struct smb1_signing_state *si = c->xconn->smb1.signing_state;

	*sequence = 0;
	if (!ntsign_signature_on(c)) {
		return true;
	}
	if (signature == NULL || !signature->handling ||
	    signature->frame == NULL ||
	    !smb1_signing_check_pdu(si, signature->frame,
				    signature->frame_len,
				    signature->expected)) {
		return false;
	}
	*sequence = smb1_signing_next_seqnum(si, false) + 1;
	ntsign_signature_after(c);
	return true;
}

/*
 * What was wrong with the signature of the frame that smbd has in hand. Of a
 * frame that came in pieces it is told only that there was none: smbd may
 * have ended for another reason.
 */
static struct cause cause_in_hand(const struct ntsign_connection *c)
{
	const struct ntsign_signature *signature = c->signature;

	if (signature == NULL || !signature->handling ||
	    ((signature->frame == NULL || signature->key == NULL) &&
	     !ntsign_smb1_signature_absent(&signature->header))) {
		return (struct cause) { .event = NULL, };
	}
	return find_cause(signature);
}

bool ntsign_signature_refused(const struct ntsign_connection *c)
{
	struct cause cause = cause_in_hand(c);

	return cause.event != NULL;
}

void ntsign_signature_end(struct ntsign_connection *c)
{
	struct cause cause = cause_in_hand(c);

	if (cause.event != NULL) {
		record_smb1(c, cause.event, NULL, &cause);
	}
	if (c->signature != NULL) {
		c->signature->handling = false;
	}
}

static void record_smb2(struct ntsign_session *s, const char *event,
			const char *command, bool bad)
{
	struct ntsign_connection *c = s->connection;
	const struct smbXsrv_session_global *global = s->session->global;
	struct ntsign_record *record = NULL;

	record = ntsign_audit_start(c, NTSIGN_RECORD_SIGNATURE);
	if (bad) {
		ntsign_record_int(record, "windowsEventId", 1004);
	}
	ntsign_record_text(record, "event", event);
	ntsign_record_text(record, "dialect", ntsign_connection_dialect(c));
	ntsign_record_hex(record, "sessionId", global->session_wire_id, 16);
	ntsign_record_text(record, "account", s->account);
	if (command != NULL) {
		ntsign_record_text(record, "command", command);
	}
	ntsign_record_bool(record, "encrypted",
			   (global->encryption_flags &
			    SMBXSRV_PROCESSED_ENCRYPTED_PACKET) != 0);
	(void)ntsign_audit_finish(c, record, bad, NTSIGN_EVENTS_SESSION);
}

void ntsign_signature_proof(struct ntsign_session *s)
{
	const struct smbXsrv_session_global *global = s->session->global;

	if (s->proven || s->keyless ||
	    !ntsign_connection_is_smb2(s->connection) ||
	    !(global->signing_flags & SMBXSRV_PROCESSED_SIGNED_PACKET)) {
		return;
	}
	s->proven = true;
	record_smb2(s, "verified", NULL, false);
}

/* ---- SMB2: requests that smbd turns down for their signature ---- */

/* Larger requests, and compounds, are not looked into. */
#define SMB2_FRAME_KEPT 8192

/*
 * Hangs on smbd's request object, which is there before its frame has been
 * read, and goes with it, when the answer has been sent.
 */
struct smb2_watch {
	const struct smbd_smb2_request *req;
	uint8_t *frame;		/* from the 0xFE mark on */
	size_t len;
};

static struct smb2_signing_key *smb2_key(const struct ntsign_session *s)
{
	const struct smbXsrv_session_global *global = s->session->global;
	uint32_t i;

	if (!ntsign_layout_array_fits(NTSIGN_LAYOUT_CHANNEL, global->channels,
				      global->num_channels)) {
		return global->signing_key;
	}
	for (i = 0; i < global->num_channels; i++) {
		if (global->channels[i].connection == s->connection->xconn &&
		    smb2_signing_key_valid(global->channels[i].signing_key)) {
			return global->channels[i].signing_key;
		}
	}
	return global->signing_key;
}

/* Whether the request's signature is what smbd denied access for. */
static const char *smb2_cause(const struct ntsign_session *s,
			      const struct smb2_watch *watch)
{
	struct iovec vector[2] = {
		{ .iov_base = watch->frame, .iov_len = SMB2_HDR_BODY, },
		{ .iov_base = watch->frame + SMB2_HDR_BODY,
		  .iov_len = watch->len - SMB2_HDR_BODY, },
	};
	NTSTATUS status;

	if (!(IVAL(watch->frame, SMB2_HDR_FLAGS) & SMB2_HDR_FLAG_SIGNED)) {
		return "missing";
	}
	status = smb2_signing_check_pdu(smb2_key(s), vector, 2);
	return NT_STATUS_IS_OK(status) ? NULL : "bad";
}

static int smb2_watch_destructor(struct smb2_watch *watch)
{
	const uint8_t *answer = NULL;
	struct ntsign_connection *c = NULL;
	struct ntsign_session *s = NULL;
	const char *event = NULL;

	if (ntsign_layouts_differ) {
		return 0;
	}
	answer = watch->req->out._hdr;
	if (NT_STATUS_V(NT_STATUS_ACCESS_DENIED) !=
	    IVAL(answer, SMB2_HDR_STATUS) ||
	    BVAL(answer, SMB2_HDR_MESSAGE_ID) !=
	    BVAL(watch->frame, SMB2_HDR_MESSAGE_ID)) {
		return 0;
	}
	for (c = ntsign->connections; c != NULL && s == NULL; c = c->next) {
		if (c->xconn != watch->req->xconn) {
			continue;
		}
		for (s = c->sessions; s != NULL; s = s->next) {
			if (s->session->global->session_wire_id ==
			    BVAL(watch->frame, SMB2_HDR_SESSION_ID)) {
				break;
			}
		}
	}
	if (s == NULL || !s->established ||
	    !smb2_signing_key_valid(smb2_key(s))) {
		return 0;
	}
	event = smb2_cause(s, watch);
	if (event != NULL) {
		record_smb2(s, event,
			    smb2_opcode_name(SVAL(watch->frame,
						  SMB2_HDR_OPCODE)), true);
	}
	return 0;
}

void ntsign_signature_smb2_before(struct ntsign_connection *c)
{
	static uint8_t data[NTSIGN_NBT_HEADER_LEN + SMB2_FRAME_KEPT];
	const struct smbd_smb2_request_read_state *state =
		&c->xconn->smb2.request_read_state;
	const uint8_t *frame = data + NTSIGN_NBT_HEADER_LEN;
	struct smb2_watch *watch = NULL;
	uint32_t length = 0;
	ssize_t n;

	if (!ntsign_layout_fits(NTSIGN_LAYOUT_REQUEST, state->req) ||
	    !ntsign_smb2_read_begins(state)) {
		return;		/* in the middle of a frame */
	}
	n = recv(c->xconn->transport.sock, data, sizeof(data),
		 MSG_PEEK | MSG_DONTWAIT);
	if (n < NTSIGN_NBT_HEADER_LEN + SMB2_HDR_BODY ||
	    ntsign_frame_classify(data, (size_t)n, &length) !=
		    NTSIGN_FRAME_SMB2 ||
	    length < SMB2_HDR_BODY ||
	    length > (size_t)n - NTSIGN_NBT_HEADER_LEN ||
	    IVAL(frame, SMB2_HDR_NEXT_COMMAND) != 0) {
		return;
	}
	watch = talloc_zero(state->req, struct smb2_watch);
	if (watch == NULL) {
		return;
	}
	watch->req = state->req;
	watch->len = length;
	watch->frame = talloc_memdup(watch, frame, length);
	if (watch->frame == NULL) {
		TALLOC_FREE(watch);
		return;
	}
	talloc_set_destructor(watch, smb2_watch_destructor);
}
