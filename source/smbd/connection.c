/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One client connection: what is known of it, its records, its end. Its
 * first message is first.c's, its SMB1 frames are frame.c's.
 *
 * Invariant: a connection is in the module's list from the moment nothing of
 * its can fail any more until smbd frees it.
 */
#include "module.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

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

void ntsign_connection_negotiated(struct ntsign_connection *c, bool ended)
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
	if (!ntsign_layouts_differ) {
		ntsign_signature_end(c);
		ntsign_connection_negotiated(c, true);
		record_connection(c, "closed", closed_reason(c), false);
	}
	ntsign_audit_end(c);
	DLIST_REMOVE(ntsign->connections, c);
	ntsign_frame_forget(c);
	return 0;
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
	for (c = ntsign->connections; c != NULL && !ntsign_layouts_differ;
	     c = c->next) {
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
			ntsign_first_look(c);
		}
	}
	if (!needed || ntsign_layouts_differ) {
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

void ntsign_connection_trace(struct ntsign_connection *c)
{
	trace_start(c->xconn->client->raw_ev_ctx);
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
	c->wait.low_water = 1;
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
	if (ntsign_frame_checks_signatures() || ntsign_sequence_holds(c)) {
		ntsign_wait_room(c);
	}
	if (lp_server_min_protocol() <= PROTOCOL_NT1) {
		ok = ntsign_frame_take_over(c);
	} else {
		ok = ntsign_first_wait(c);
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
			ntsign_connection_negotiated(c, false);
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
		ntsign_connection_negotiated(c, false);
	}
	return c;
}
