/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Named pipes: the quirks Q264684 (remote registry) and Q322051 (key
 * strength). This file finds pipes that have been opened, says what the tap
 * on each shall do, records what it did, and keeps the emulated outage.
 *
 * Finding them. smbd opens a pipe, handing out a stream to its server, in one
 * go while it handles a client's request, and calls nothing there that could
 * be hooked. A tap has to be in place before anything is written. After an
 * SMB1 open the frame's handler ends. An SMB2 CREATE that has opened a pipe
 * schedules an immediate event to end with (and takes it back, to save a round
 * of the event loop), before it has been answered and before the next
 * request of a compound begins. So new files are looked for after each SMB1
 * frame and whenever an immediate event is scheduled or handled. That costs
 * one comparison: each file has a number that only grows, and the newest
 * stands first in smbd's list.
 *
 * The emulated outage (emulate, a malformed request of an authenticated
 * user) is a record in the shared state. While it is there, an open of winreg
 * fails: an SMB1 request is answered in smbd's place before smbd sees it; an
 * SMB2 CREATE, which may be encrypted, is let open the pipe, and its result is
 * exchanged before it is sent. An open that is recognised by neither (behind
 * another request in an AndX chain, or encrypted SMB1) gets a broken pipe. So
 * does, where something is to be changed, a pipe that has been written to
 * before it was found.
 *
 * Before authentication a client can reach: ntsign_pipe_look(), which looks at
 * what smbd has opened, and ntsign_pipe_frame().
 *
 * Invariant: nothing here acts unless an option asks for it, and no emulation
 * is started in another mode than emulate.
 */
#include "tap.h"

#include <dlfcn.h>

#include "fake_file.h"
#include "librpc/gen_ndr/ndr_winreg.h"
#include "librpc/gen_ndr/smbXsrv.h"
#include "librpc/ndr/libndr.h"
#include "ntsign/smb1_open.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_RPC_SRV

/* For records: a pipe that is tapped. */
struct pipe {
	char *name;
	uint64_t vuid;
};

static const char registry_article[] = "Q264684";
static const char strength_article[] = "Q322051";

static bool registry_emulated(void)
{
	return ntsign->options->mode == NTSIGN_MODE_EMULATE &&
	       ntsign->options->remote_registry == NTSIGN_QUIRK_EMULATE;
}

static bool strength_emulated(void)
{
	return ntsign->options->mode == NTSIGN_MODE_EMULATE &&
	       ntsign->options->key_strength == NTSIGN_QUIRK_EMULATE;
}

/* Whether pipes are looked for at all. */
static bool wanted(void)
{
	return ntsign->options->remote_registry != NTSIGN_QUIRK_OFF ||
	       strength_emulated();
}

bool ntsign_pipe_registry_down(void)
{
	return registry_emulated() &&
	       ntsign_state_outage(ntsign->state) != NULL;
}

bool ntsign_pipe_acts(void)
{
	return ntsign->options->remote_registry == NTSIGN_QUIRK_FIX ||
	       registry_emulated() || strength_emulated();
}

bool ntsign_registry_system_down(void)
{
	const char *scope = NULL;

	if (ntsign == NULL || !registry_emulated()) {
		return false;
	}
	scope = ntsign_state_outage(ntsign->state);
	return scope != NULL && strcmp(scope, "system") == 0;
}

/* ---- records ---- */

/* The session that a pipe was opened in, on any channel; NULL: not known. */
static struct ntsign_session *pipe_session(uint64_t vuid)
{
	struct ntsign_connection *c = NULL;
	struct ntsign_session *s = NULL;

	if (ntsign_layouts_differ) {
		return NULL;
	}
	for (c = ntsign->connections; c != NULL; c = c->next) {
		for (s = c->sessions; s != NULL; s = s->next) {
			if (s->session->global->session_wire_id == vuid) {
				return s;
			}
		}
	}
	return NULL;
}

static struct ntsign_record *pipe_record(const struct ntsign_connection *c,
					 uint64_t vuid, const char *name,
					 const char *article,
					 const char *event)
{
	const struct ntsign_session *s = pipe_session(vuid);
	struct ntsign_record *record = NULL;

	record = ntsign_audit_start(c, NTSIGN_RECORD_QUIRK);
	ntsign_record_text(record, "article", article);
	ntsign_record_text(record, "event", event);
	ntsign_record_text(record, "dialect", ntsign_connection_dialect(c));
	ntsign_record_hex(record, "sessionId", vuid, 16);
	ntsign_record_text(record, "account", (s != NULL) ? s->account : NULL);
	ntsign_record_text(record, "pipe", name);
	return record;
}

static struct ntsign_connection *pipe_connection(uint64_t vuid)
{
	const struct ntsign_session *s = pipe_session(vuid);

	return (s != NULL) ? s->connection : ntsign->connections;
}

/* A quirk's record is no session's: the pipe goes on without it. */
static void record_finish(struct ntsign_connection *c,
			  struct ntsign_record *record)
{
	if (!ntsign_audit_finish(c, record, true, NTSIGN_EVENTS_MISMATCH)) {
		ntsign_audit_failed(c);
	}
}

static const char *event_name(enum ntsign_registry_event event)
{
	switch (event) {
	case NTSIGN_REGISTRY_MALFORMED:
	case NTSIGN_REGISTRY_MORE:
		return "malformed";
	case NTSIGN_REGISTRY_UNREADABLE:
		return "unreadable";
	case NTSIGN_REGISTRY_UNREAD:
		return "unread";
	case NTSIGN_REGISTRY_UNDECRYPTABLE:
		break;
	}
	return "undecryptable";
}

/* Takes the remote registry down, for everybody. */
static void outage_begin(struct ntsign_connection *c, const struct pipe *pipe)
{
	const char *scope = ntsign->options->remote_registry_scope ==
		NTSIGN_SCOPE_SYSTEM ? "system" : "registry";
	struct ntsign_record *record = NULL;

	ntsign_state_outage_begin(ntsign->state, scope);
	DBG_WARNING("ntsign: the emulated remote registry is down (%s) until "
		    "`ntsign reset`\n", scope);
	record = pipe_record(c, pipe->vuid, pipe->name, registry_article,
			     "outage");
	ntsign_record_text(record, "scope", scope);
	record_finish(c, record);
}

static void pipe_report(void *private_data,
			const struct ntsign_registry_report *report)
{
	const struct pipe *pipe = talloc_get_type_abort(private_data,
							struct pipe);
	struct ntsign_connection *c = pipe_connection(pipe->vuid);
	struct ntsign_record *record = NULL;
	bool strength = report->event == NTSIGN_REGISTRY_UNDECRYPTABLE;

	if (c == NULL || ntsign_layouts_differ) {
		return;
	}
	record = pipe_record(c, pipe->vuid, pipe->name,
			     strength ? strength_article : registry_article,
			     event_name(report->event));
	if (report->has_opnum) {
		ntsign_record_int(record, "opnum", report->opnum);
	}
	ntsign_record_text(record, "reason", report->reason);
	if (report->answered) {
		ntsign_record_hex(record, "fault", report->status, 8);
	}
	if (report->auth_type != 0) {
		ntsign_record_int(record, "authType", report->auth_type);
	}
	if (report->key_bits != 0) {
		ntsign_record_int(record, "keyBits", report->key_bits);
	}
	if (report->count != 0) {
		ntsign_record_int(record, "count", (int64_t)report->count);
	}
	if (report->event == NTSIGN_REGISTRY_MORE) {
		/* the pipe is being freed: no time to end a connection */
		(void)ntsign_audit_finish(c, record, true,
					  NTSIGN_EVENTS_MISMATCH);
		return;
	}
	record_finish(c, record);
	if (report->down) {
		outage_begin(c, pipe);
	}
}

/* ---- the second opinion ---- */

/*
 * libndr's description of the interface. It is data in a library of smbd's,
 * so that a reference would be resolved in every process: looked up when it
 * is needed first.
 */
static const struct ndr_interface_table *winreg_table(void)
{
	static const struct ndr_interface_table *table;
	static bool looked;

	if (!looked) {
		looked = true;
		table = dlsym(RTLD_DEFAULT, "ndr_table_winreg");
	}
	return table;
}

static bool pipe_decodes(void *private_data, uint16_t opnum, bool big_endian,
			 const uint8_t *stub, size_t len)
{
	const struct ndr_interface_table *table = winreg_table();
	const struct ndr_interface_call *call = NULL;
	TALLOC_CTX *frame = NULL;
	DATA_BLOB blob = data_blob_const(stub, len);
	struct ndr_pull *pull = NULL;
	enum ndr_err_code err = NDR_ERR_ALLOC;
	void *arguments = NULL;

	if (table == NULL || opnum >= table->num_calls) {
		return table == NULL;
	}
	call = &table->calls[opnum];
	frame = talloc_stackframe();
	pull = ndr_pull_init_blob(&blob, frame);
	arguments = talloc_zero_size(frame, call->struct_size);
	if (pull != NULL && !ntsign_layout_fits(NTSIGN_LAYOUT_NDR_PULL, pull)) {
		TALLOC_FREE(frame);
		return true;
	}
	if (pull != NULL && arguments != NULL) {
		/* as Samba's server does it: dcesrv_request() */
		pull->flags |= LIBNDR_FLAG_REF_ALLOC;
		if (big_endian) {
			pull->flags |= LIBNDR_FLAG_BIGENDIAN;
		}
		err = call->ndr_pull(pull, NDR_IN, arguments);
	}
	TALLOC_FREE(frame);
	return NDR_ERR_CODE_IS_SUCCESS(err);
}

/* The registry has been taken down by another client: so has this pipe. */
static bool pipe_breaks(void *private_data)
{
	const struct pipe *pipe = talloc_get_type_abort(private_data,
							struct pipe);

	return ntsign_smb1_is_pipe(pipe->name, "winreg") &&
	       ntsign_pipe_registry_down();
}

static const struct ntsign_tap_fns tap_fns = {
	.report = pipe_report,
	.decodes = pipe_decodes,
	.breaks = pipe_breaks,
};

/* ---- new pipes ---- */

static bool is_authenticated(const struct files_struct *fsp)
{
	const struct ntsign_session *s = pipe_session(fsp->vuid);

	if (s != NULL && s->established) {
		return !s->keyless;
	}
	return ntsign_layout_fits(NTSIGN_LAYOUT_SHARE, fsp->conn) &&
	       fsp->conn->session_info != NULL &&
	       security_session_user_level(fsp->conn->session_info, NULL) >=
		       SECURITY_USER;
}

static struct npa_state *pipe_stream(const struct files_struct *fsp)
{
	const struct fake_file_handle *handle = fsp->fake_file_handle;
	struct npa_state *npa = NULL;

	if (!ntsign_layout_fits(NTSIGN_LAYOUT_FILE_HANDLE, handle) ||
	    handle->type != FAKE_FILE_TYPE_NAMED_PIPE_PROXY) {
		return NULL;
	}
	npa = talloc_get_type(handle->private_data, struct npa_state);
	if (!ntsign_layout_fits(NTSIGN_LAYOUT_PIPE, npa) ||
	    npa->stream == NULL) {
		return NULL;
	}
	return npa;
}

static void record_unavailable(struct ntsign_connection *c, uint64_t vuid,
			       const char *name, bool broken)
{
	struct ntsign_record *record = NULL;

	if (c == NULL) {
		return;
	}
	record = pipe_record(c, vuid, name, registry_article, "unavailable");
	ntsign_record_text(record, "status",
			   nt_errstr(broken ? NT_STATUS_PIPE_BROKEN :
					      NT_STATUS_PIPE_NOT_AVAILABLE));
	record_finish(c, record);
}

void ntsign_pipe_unavailable(struct ntsign_connection *c, uint64_t vuid)
{
	record_unavailable(c, vuid, "winreg", false);
}

/* The SMB2 CREATE that a pipe was opened by and that is not answered yet. */
static struct smbd_smb2_request *smb2_create(const struct files_struct *fsp)
{
	struct smbXsrv_connection *xconn = NULL;
	struct smbd_smb2_request *req = NULL;

	for (xconn = global_smbXsrv_client->connections; xconn != NULL;
	     xconn = xconn->next) {
		for (req = xconn->smb2.requests;
		     ntsign_layout_fits(NTSIGN_LAYOUT_REQUEST, req);
		     req = req->next) {
			if (req->compat_chain_fsp == fsp &&
			    req->subreq != NULL &&
			    !tevent_req_is_in_progress(req->subreq)) {
				return req;
			}
		}
	}
	return NULL;
}

/*
 * Exchanges the result of a CREATE that has ended well and closes what it
 * opened. smbd is on its way out of the function that made the request: nobody
 * has been named yet who would be told of its end.
 */
static bool open_fails(struct files_struct *fsp)
{
	struct smbd_smb2_request *req = smb2_create(fsp);

	if (req == NULL) {
		return false;
	}
	tevent_req_nterror(req->subreq, NT_STATUS_PIPE_NOT_AVAILABLE);
	(void)close_file_free(NULL, &fsp, ERROR_CLOSE);
	return true;
}

static void pipe_opened(struct files_struct *fsp, struct npa_state *npa,
			bool ending)
{
	const struct ntsign_options *options = ntsign->options;
	const char *name = fsp->fsp_name->base_name;
	bool winreg = ntsign_smb1_is_pipe(name, "winreg");
	struct ntsign_registry_rules rules = {
		.winreg = winreg &&
			options->remote_registry != NTSIGN_QUIRK_OFF,
		.fix = options->remote_registry == NTSIGN_QUIRK_FIX,
		.emulate = registry_emulated(),
		.authenticated = is_authenticated(fsp),
		.mismatched = strength_emulated(),
	};
	struct pipe *pipe = NULL;
	bool acts = rules.fix || rules.emulate || rules.mismatched;
	bool down = winreg && ntsign_pipe_registry_down();
	bool dead = down || (acts && tevent_queue_length(npa->write_queue) != 0);

	if (!rules.winreg && !rules.mismatched) {
		return;
	}
	if (dead) {
		struct ntsign_connection *c = pipe_connection(fsp->vuid);
		uint64_t vuid = fsp->vuid;

		if (down && ending && open_fails(fsp)) {
			record_unavailable(c, vuid, "winreg", false);
			return;
		}
		record_unavailable(c, vuid, name, true);
	}
	pipe = talloc_zero(npa, struct pipe);
	if (pipe != NULL) {
		pipe->name = talloc_strdup(pipe, name);
		pipe->vuid = fsp->vuid;
	}
	if (pipe == NULL || pipe->name == NULL ||
	    !ntsign_tap_insert(npa, &rules, &tap_fns, pipe, dead)) {
		DBG_ERR("ntsign: no memory to look at pipe %s\n", name);
		TALLOC_FREE(pipe);
		if (acts) {
			exit_server_cleanly("ntsign: no memory");
		}
	}
}

/* A file on IPC$ that has no stream yet: smbd is about to open the pipe. */
static bool being_opened(const struct files_struct *fsp)
{
	return fsp->fake_file_handle == NULL &&
	       ntsign_layout_fits(NTSIGN_LAYOUT_SHARE, fsp->conn) &&
	       IS_IPC(fsp->conn);
}

/* ending: the request that opened the newest is about to end. */
static void look(bool ending)
{
	static uint64_t looked_at;
	uint64_t before;
	struct files_struct *fsp = NULL;
	struct files_struct *next = NULL;
	uint64_t newest;

	if (global_smbXsrv_client == NULL || ntsign_layouts_differ ||
	    global_smbXsrv_client->sconn == NULL || !wanted()) {
		return;
	}
	fsp = global_smbXsrv_client->sconn->files;
	if (!ntsign_layout_fits(NTSIGN_LAYOUT_FILE, fsp)) {
		return;
	}
	newest = fh_get_gen_id(fsp->fh);
	if (newest <= looked_at || being_opened(fsp) ||
	    ntsign_layouts_differ) {
		return;
	}
	before = looked_at;
	looked_at = newest;	/* what follows may schedule events */
	for (; fsp != NULL && fh_get_gen_id(fsp->fh) > before; fsp = next) {
		struct npa_state *npa = pipe_stream(fsp);

		next = fsp->next;
		if (npa != NULL &&
		    ntsign_layout_fits(NTSIGN_LAYOUT_FILE_NAME,
				       fsp->fsp_name)) {
			pipe_opened(fsp, npa, ending);
		}
	}
}

void ntsign_pipe_look(void)
{
	look(false);
}

/* What was there before this module's callback. */
static tevent_trace_immediate_callback_t chained_fn;
static void *chained_data;

static void trace_immediate(struct tevent_immediate *im,
			    enum tevent_event_trace_point point,
			    void *private_data)
{
	if (chained_fn != NULL) {
		chained_fn(im, point, chained_data);
	}
	if (point != TEVENT_EVENT_TRACE_DETACH) {
		look(point == TEVENT_EVENT_TRACE_ATTACH);
	}
}

void ntsign_pipe_attach(struct ntsign_connection *c)
{
	struct tevent_context *ev = c->xconn->client->raw_ev_ctx;

	if (wanted()) {
		tevent_get_trace_immediate_callback(ev, &chained_fn,
						    &chained_data);
		tevent_set_trace_immediate_callback(ev, trace_immediate, NULL);
	}
}
