/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Session setups with extended security, SMB1 and SMB2: this file's "spnego"
 * and "ntlmssp" stand in front of Samba's own and hand every token on.
 *
 * Invariant: a token that must be refused is not seen by its mechanism.
 */
#include "legs.h"
#include "librpc/gen_ndr/smbXsrv.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

static const struct gensec_security_ops *real_spnego;
static const struct gensec_security_ops *real_ntlmssp;
static struct gensec_security_ops our_spnego;
static struct gensec_security_ops our_ntlmssp;

/* Whose token "spnego" has in hand; it hands it on to a mechanism at once. */
static struct ntsign_legs *in_hand;

static int anchor_destructor(struct legs_anchor *anchor)
{
	struct ntsign_legs *legs = anchor->legs;

	if (legs == NULL) {
		return 0;
	}
	legs->anchor = NULL;
	legs->gensec = NULL;
	legs->accepted = NULL;
	if (legs->connection != NULL &&
	    talloc_parent(legs) == legs->connection) {
		TALLOC_FREE(legs);
	}
	return 0;
}

static int legs_destructor(struct ntsign_legs *legs)
{
	if (legs->anchor != NULL) {
		legs->anchor->legs = NULL;
	}
	if (legs->connection != NULL) {
		DLIST_REMOVE(legs->connection->legs, legs);
	}
	return 0;
}

struct find_auth {
	const struct gensec_security *gensec;
	struct smbXsrv_session *session;
	struct smbXsrv_session_auth *auth;
};

static int find_auth_fn(struct smbXsrv_session *session, void *private_data)
{
	struct find_auth *find = private_data;
	struct smbXsrv_session_auth *auth = NULL;

	if (!ntsign_layout_fits(NTSIGN_LAYOUT_SESSION, session)) {
		return 0;
	}
	for (auth = session->pending_auth;
	     ntsign_layout_fits(NTSIGN_LAYOUT_SESSION_AUTH, auth);
	     auth = auth->next) {
		if (auth->gensec == find->gensec) {
			find->session = session;
			find->auth = auth;
		}
	}
	return 0;
}

/* The session setup that a gensec context belongs to, if it is one's. */
static bool find_auth(const struct gensec_security *gensec,
		      struct find_auth *find)
{
	*find = (struct find_auth) { .gensec = gensec, };
	ntsign_session_traverse(find_auth_fn, find);
	return find->auth != NULL && find->auth->connection != NULL;
}

unsigned int ntsign_legs_key_bits(const struct ntsign_legs *legs)
{
	uint32_t flags;

	if (legs == NULL || legs->authenticate == NULL) {
		return 0;
	}
	flags = legs->challenge_flags;
	if (legs->authenticate->flags != 0) {
		flags &= legs->authenticate->flags;
	}
	if (legs->final_flags_known) {
		flags = legs->final_flags;
	}
	return ntsign_ntlmssp_key_bits(flags);
}

static struct ntsign_legs *legs_find(const struct gensec_security *gensec)
{
	struct ntsign_connection *c = NULL;
	struct ntsign_legs *legs = NULL;

	for (c = ntsign->connections; c != NULL; c = c->next) {
		for (legs = c->legs; legs != NULL; legs = legs->next) {
			if (legs->gensec == gensec) {
				return legs;
			}
		}
	}
	return NULL;
}

/* *unknown: it is a session setup's, and there is no memory for it. */
static struct ntsign_legs *legs_new(struct gensec_security *gensec,
				    bool *unknown)
{
	struct find_auth find;
	struct ntsign_connection *c = NULL;
	struct ntsign_legs *legs = NULL;

	if (!find_auth(gensec, &find)) {
		return NULL;	/* not a session setup's */
	}
	*unknown = true;
	c = ntsign_connection_get(find.auth->connection);
	if (c == NULL ||
	    !ntsign_layout_fits(NTSIGN_LAYOUT_SESSION_GLOBAL,
				find.session->global)) {
		return NULL;
	}
	legs = talloc_zero(c, struct ntsign_legs);
	if (legs == NULL) {
		return NULL;
	}
	legs->anchor = talloc_zero(gensec, struct legs_anchor);
	if (legs->anchor == NULL) {
		TALLOC_FREE(legs);
		return NULL;
	}
	legs->anchor->legs = legs;
	legs->gensec = gensec;
	legs->connection = c;
	legs->security_mode = find.auth->in_security_mode;
	legs->binding = (find.auth->in_flags & SMB2_SESSION_FLAG_BINDING) != 0;
	legs->reauthentication = !legs->binding &&
		find.session->global->auth_session_info != NULL;
	legs->info_status = NT_STATUS_OK;
	DLIST_ADD_END(c->legs, legs);
	talloc_set_destructor(legs, legs_destructor);
	talloc_set_destructor(legs->anchor, anchor_destructor);
	return legs;
}

/* Whether a SPNEGO token names Kerberos: [RFC4178] 4.1, the OIDs of
 * [RFC4121] and of [MS-SPNG] 1.9, DER encoded. */
static bool names_kerberos(const DATA_BLOB *in)
{
	static const uint8_t krb5[] = {
		0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02,
		0x02,
	};
	static const uint8_t ms_krb5[] = {
		0x06, 0x09, 0x2A, 0x86, 0x48, 0x82, 0xF7, 0x12, 0x01, 0x02,
		0x02,
	};

	return memmem(in->data, in->length, krb5, sizeof(krb5)) != NULL ||
		memmem(in->data, in->length, ms_krb5, sizeof(ms_krb5)) != NULL;
}

static const char ntlmssp[8] = "NTLMSSP";

/* The NTLMSSP message inside a token, as far as a record needs to know; what
 * the mechanism is handed is seen where it is. NULL: there is none. */
static struct ntsign_ntlmssp *find_ntlmssp(TALLOC_CTX *mem_ctx,
					   const DATA_BLOB *in,
					   uint32_t negotiated)
{
	const uint8_t *found = memmem(in->data, in->length, ntlmssp,
				      sizeof(ntlmssp));

	if (found == NULL) {
		return NULL;
	}
	return ntsign_ntlmssp_parse(mem_ctx, found,
				    in->length - (size_t)(found - in->data),
				    negotiated);
}

/* One token has come from the client. */
static void legs_token(struct ntsign_legs *legs, const DATA_BLOB *in)
{
	struct ntsign_connection *c = legs->connection;
	const struct ntsign_smb1_session_setup *request = c->setup.request;

	legs->leg++;
	legs->names_ntlmssp |= memmem(in->data, in->length, ntlmssp,
				      sizeof(ntlmssp)) != NULL;
	if (in->length < sizeof(ntlmssp) ||
	    memcmp(in->data, ntlmssp, sizeof(ntlmssp)) != 0) {
		legs->spnego = true;
		legs->kerberos |= names_kerberos(in);
	}
	if (!c->setup.seen) {
		return;
	}
	c->setup.answered = true;
	legs->flags2 = c->setup.flags2;
	if (request == NULL) {
		return;
	}
	TALLOC_FREE(legs->native_os);
	TALLOC_FREE(legs->native_lanman);
	if (request->native_os != NULL) {
		legs->native_os = talloc_strdup(legs, request->native_os);
	}
	if (request->native_lanman != NULL) {
		legs->native_lanman = talloc_strdup(legs,
						    request->native_lanman);
	}
}

/* The password was good: what comes of it is seen when smbd is done. */
static void legs_accepted(struct ntsign_legs *legs)
{
	struct ntsign_connection *c = legs->connection;
	struct find_auth find;
	struct ntsign_session *s = NULL;

	if (!find_auth(legs->gensec, &find)) {
		return;
	}
	s = ntsign_session_new(c, find.session);
	if (s == NULL) {
		DBG_ERR("ntsign: no memory for a session's record\n");
		return;
	}
	legs->accepted = legs->gensec;
	legs->gensec = NULL;
	legs->mechanism = NULL;
	if (s->legs != NULL) {
		TALLOC_FREE(s->legs);
		c->pending--;
	}
	s->legs = talloc_steal(s, legs);
	c->pending++;
	ntsign_session_settle_soon(c);
}

static void legs_refuse(struct ntsign_legs *legs, const char *refusal)
{
	legs->refused = true;
	legs->refusal = refusal;
}

/*
 * Why the token must not be looked at, or NULL. NTLMSSP's first message
 * names nobody and proves nothing: it is let pass, so that the second can
 * tell whom the refusal is about. What only looks like one, to pass as well,
 * is refused by its mechanism or with its session.
 */
static const char *legs_refusal(struct ntsign_legs *legs, const DATA_BLOB *in)
{
	const char *refusal = ntsign_enforce_leg(legs->connection);
	struct ntsign_ntlmssp *message = NULL;

	if (refusal == NULL) {
		return ntsign_audit_refuses() ? ntsign_audit_no_record : NULL;
	}
	message = find_ntlmssp(legs, in, legs->challenge_flags);
	if (message == NULL) {
		return refusal;
	}
	legs->ntlmssp = true;
	if (message->type == NTSIGN_NTLMSSP_NEGOTIATE && legs->leg == 1) {
		TALLOC_FREE(message);
		return NULL;
	}
	if (message->type == NTSIGN_NTLMSSP_AUTHENTICATE) {
		TALLOC_FREE(legs->authenticate);
		legs->authenticate = message;
	} else {
		TALLOC_FREE(message);
	}
	return refusal;
}

static void legs_failed(struct ntsign_legs *legs, NTSTATUS status)
{
	struct ntsign_ended e = {
		.c = legs->connection,
		.legs = legs,
		.known = true,
		.status = nt_status_squash(status),
	};

	ntsign_ended_record(&e);
	TALLOC_FREE(legs);
}

struct update_state {
	const struct gensec_security_ops *real;
	struct gensec_security *gensec;
	/* what the real one is handed once the credential handle is had */
	struct tevent_context *ev;
	DATA_BLOB in;
	NTSTATUS status;
	DATA_BLOB out;
};

static struct tevent_req *update_send(TALLOC_CTX *mem_ctx,
				      struct tevent_context *ev,
				      struct gensec_security *gensec,
				      const DATA_BLOB in,
				      const struct gensec_security_ops *real,
				      tevent_req_fn done)
{
	struct tevent_req *req = NULL;
	struct tevent_req *subreq = NULL;
	struct update_state *state = NULL;

	req = tevent_req_create(mem_ctx, &state, struct update_state);
	if (req == NULL) {
		return NULL;
	}
	state->real = real;
	state->gensec = gensec;
	subreq = real->update_send(state, ev, gensec, in);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, done, req);
	return req;
}

/* Takes the real backend's answer, to be looked at and handed on. */
static struct update_state *update_take(struct tevent_req *subreq,
					struct tevent_req **req)
{
	struct update_state *state = NULL;

	*req = tevent_req_callback_data(subreq, struct tevent_req);
	state = tevent_req_data(*req, struct update_state);
	state->status = state->real->update_recv(subreq, state, &state->out);
	TALLOC_FREE(subreq);
	return state;
}

static NTSTATUS update_recv(struct tevent_req *req, TALLOC_CTX *out_mem_ctx,
			    DATA_BLOB *out)
{
	struct update_state *state = tevent_req_data(req, struct update_state);
	NTSTATUS status;

	*out = data_blob_null;
	if (tevent_req_is_nterror(req, &status)) {
		tevent_req_received(req);
		return status;
	}
	status = state->status;
	out->length = state->out.length;
	out->data = talloc_move(out_mem_ctx, &state->out.data);
	tevent_req_received(req);
	return status;
}

/* Answers a token with a refusal. legs: whose; NULL: not known. */
static struct tevent_req *refused_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct ntsign_legs *legs,
				       const char *refusal)
{
	struct tevent_req *req = NULL;
	struct update_state *state = NULL;

	req = tevent_req_create(mem_ctx, &state, struct update_state);
	if (req == NULL) {
		return NULL;
	}
	if (legs != NULL) {
		legs_refuse(legs, refusal);
		legs_failed(legs, ntsign_enforce_status(refusal));
	}
	tevent_req_nterror(req, ntsign_enforce_status(refusal));
	return tevent_req_post(req, ev);
}

static void acquire_done(struct tevent_req *subreq);
static void spnego_done(struct tevent_req *subreq);

/* Acquires the credential handle first. */
static struct tevent_req *acquire_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct gensec_security *gensec,
				       const DATA_BLOB in,
				       struct ntsign_legs *legs)
{
	struct tevent_req *req = NULL;
	struct tevent_req *subreq = NULL;
	struct update_state *state = NULL;

	req = tevent_req_create(mem_ctx, &state, struct update_state);
	if (req == NULL) {
		return NULL;
	}
	state->real = real_spnego;
	state->gensec = gensec;
	state->ev = ev;
	state->in = data_blob_dup_talloc(state, in);
	if (state->in.length != in.length) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	subreq = ntsign_credential_acquire_send(state, ev, legs->connection,
						NULL);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, acquire_done, req);
	return req;
}

static void acquire_done(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(
		subreq, struct tevent_req);
	struct update_state *state = tevent_req_data(req, struct update_state);
	struct ntsign_legs *legs = legs_find(state->gensec);
	NTSTATUS status;

	status = ntsign_credential_acquire_recv(subreq);
	TALLOC_FREE(subreq);
	if (!NT_STATUS_IS_OK(status)) {
		if (legs != NULL) {
			legs_failed(legs, status);
		}
		tevent_req_nterror(req, status);
		return;
	}
	/* smbd hands a token on as root; it may be acting for a user now */
	become_root();
	in_hand = legs;
	subreq = state->real->update_send(state, state->ev, state->gensec,
					  state->in);
	in_hand = NULL;
	unbecome_root();
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, spnego_done, req);
}

static struct tevent_req *spnego_send(TALLOC_CTX *mem_ctx,
				      struct tevent_context *ev,
				      struct gensec_security *gensec,
				      const DATA_BLOB in)
{
	struct ntsign_legs *legs = NULL;
	struct tevent_req *outer = NULL;
	const char *refusal = NULL;
	bool unknown = false;

	if (ntsign != NULL && !ntsign_layouts_differ &&
	    ntsign_layout_fits(NTSIGN_LAYOUT_GENSEC, gensec) &&
	    gensec->gensec_role == GENSEC_SERVER) {
		legs = legs_find(gensec);
		if (legs == NULL) {
			legs = legs_new(gensec, &unknown);
		}
	}
	if (legs != NULL) {
		legs_token(legs, &in);
		refusal = legs_refusal(legs, &in);
	} else if (unknown) {
		refusal = ntsign_enforce_leg(NULL);
	}
	if (refusal != NULL) {
		return refused_send(mem_ctx, ev, legs, refusal);
	}
	if (legs != NULL && legs->leg == 1 && ntsign_credential_wanted()) {
		return acquire_send(mem_ctx, ev, gensec, in, legs);
	}
	in_hand = legs;
	outer = update_send(mem_ctx, ev, gensec, in, real_spnego, spnego_done);
	in_hand = NULL;
	return outer;
}

static void spnego_done(struct tevent_req *subreq)
{
	struct tevent_req *req = NULL;
	struct update_state *state = update_take(subreq, &req);
	struct ntsign_legs *legs = NULL;

	if (ntsign != NULL && !ntsign_layouts_differ) {
		legs = legs_find(state->gensec);
	}
	if (legs == NULL) {
		tevent_req_done(req);
		return;
	}
	if (legs->refused) {
		state->status = ntsign_enforce_status(legs->refusal);
	}
	if (!NT_STATUS_EQUAL(state->status,
			     NT_STATUS_MORE_PROCESSING_REQUIRED)) {
		ntsign_sequence_behind(legs->connection);
	}
	if (NT_STATUS_IS_OK(state->status)) {
		legs_accepted(legs);
	} else if (!NT_STATUS_EQUAL(state->status,
				    NT_STATUS_MORE_PROCESSING_REQUIRED)) {
		legs_failed(legs, state->status);
	}
	tevent_req_done(req);
}

/* Why a session with this key must not be had, or NULL. What is not known of
 * the key counts against it. */
static const char *legs_too_weak(const struct ntsign_legs *legs)
{
	unsigned int least = ntsign->options->minimum_key_bits;

	if (ntsign->options->mode != NTSIGN_MODE_ENFORCE || least == 0 ||
	    (legs->authenticate != NULL && legs->authenticate->anonymous) ||
	    ntsign_legs_key_bits(legs) >= least) {
		return NULL;
	}
	return "the session's key is too weak";
}

/* The legs whose exchange has ended well, or NULL. */
static struct ntsign_legs *legs_accepted_find(
	const struct gensec_security *gensec)
{
	struct ntsign_connection *c = NULL;
	struct ntsign_legs *legs = NULL;

	for (c = ntsign->connections; c != NULL; c = c->next) {
		for (legs = c->legs; legs != NULL; legs = legs->next) {
			if (legs->accepted == gensec) {
				return legs;
			}
		}
	}
	return NULL;
}

/* An exchange that ended well may still not make a session. */
static NTSTATUS spnego_session_info(struct gensec_security *gensec,
				    TALLOC_CTX *mem_ctx,
				    struct auth_session_info **session_info)
{
	struct auth_session_info *info = NULL;
	struct ntsign_legs *legs = NULL;
	const char *refusal = NULL;
	NTSTATUS status;

	status = real_spnego->session_info(gensec, mem_ctx, &info);
	if (ntsign != NULL && NT_STATUS_IS_OK(status) &&
	    ntsign_layout_fits(NTSIGN_LAYOUT_SESSION_INFO, info)) {
		legs = legs_accepted_find(gensec);
	} else if (ntsign != NULL && !NT_STATUS_IS_OK(status)) {
		legs = legs_accepted_find(gensec);
	}
	if (NT_STATUS_IS_OK(status) && legs != NULL && legs->ntlmssp_ended) {
		refusal = legs_too_weak(legs);
	}
	if (NT_STATUS_IS_OK(status) && legs != NULL && refusal == NULL) {
		refusal = ntsign_enforce_session(
			legs->connection,
			security_session_user_level(info, NULL),
			info->session_key.length != 0, legs->reauthentication);
	} else if (NT_STATUS_IS_OK(status) && legs == NULL && ntsign != NULL) {
		refusal = ntsign_enforce_leg(NULL);
	}
	if (refusal != NULL) {
		TALLOC_FREE(info);
		status = ntsign_enforce_status(refusal);
	}
	if (legs != NULL && refusal != NULL) {
		legs_refuse(legs, refusal);
	}
	if (legs != NULL && !NT_STATUS_IS_OK(status)) {
		legs->info_status = nt_status_squash(status);
	}
	if (NT_STATUS_IS_OK(status)) {
		*session_info = info;
	}
	return status;
}

static struct ntsign_legs *legs_of_mechanism(
	const struct gensec_security *mechanism)
{
	struct ntsign_connection *c = (ntsign != NULL &&
				       !ntsign_layouts_differ) ?
		ntsign->connections : NULL;
	struct ntsign_legs *legs = NULL;

	for (; c != NULL; c = c->next) {
		for (legs = c->legs; legs != NULL; legs = legs->next) {
			if (legs->mechanism == mechanism) {
				return legs;
			}
		}
	}
	return NULL;
}

/* Why the password must not be looked at, or NULL. */
static const char *ntlmssp_refusal(const struct ntsign_legs *legs)
{
	const char *refusal = ntsign_enforce_leg(legs->connection);

	return (refusal != NULL) ? refusal : legs_too_weak(legs);
}

/* What the exchange has come to. */
static void ntlmssp_final(struct ntsign_legs *legs,
			  const struct gensec_security *gensec)
{
	struct gensec_ntlmssp_context *context = NULL;

	if (!ntsign_layout_fits(NTSIGN_LAYOUT_GENSEC, gensec)) {
		return;
	}
	context = talloc_get_type(gensec->private_data,
				  struct gensec_ntlmssp_context);
	if (ntsign_layout_fits(NTSIGN_LAYOUT_NTLMSSP_CONTEXT, context) &&
	    ntsign_layout_fits(NTSIGN_LAYOUT_NTLMSSP,
			       context->ntlmssp_state)) {
		legs->final_flags_known = true;
		legs->final_flags = context->ntlmssp_state->neg_flags;
	}
}

static void ntlmssp_done(struct tevent_req *subreq);

static struct tevent_req *ntlmssp_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       struct gensec_security *gensec,
				       const DATA_BLOB in)
{
	struct ntsign_legs *legs = in_hand;
	struct ntsign_ntlmssp *message = NULL;
	const char *refusal = NULL;

	if (legs != NULL) {
		legs->ntlmssp = true;
		legs->mechanism = gensec;
		message = ntsign_ntlmssp_parse(legs, in.data, in.length,
					       legs->challenge_flags);
	}
	if (message != NULL && message->type == NTSIGN_NTLMSSP_NEGOTIATE) {
		legs->negotiate_flags = message->flags;
		TALLOC_FREE(message);
	} else if (message != NULL &&
		   message->type == NTSIGN_NTLMSSP_AUTHENTICATE) {
		TALLOC_FREE(legs->authenticate);
		legs->authenticate = message;
		refusal = ntlmssp_refusal(legs);
	} else {
		TALLOC_FREE(message);
		refusal = (legs != NULL) ? ntlmssp_refusal(legs) : NULL;
	}
	if (refusal != NULL) {
		/* recorded when SPNEGO's exchange ends of it */
		legs_refuse(legs, refusal);
		return refused_send(mem_ctx, ev, NULL, refusal);
	}
	return update_send(mem_ctx, ev, gensec, in, real_ntlmssp,
			   ntlmssp_done);
}

static void ntlmssp_done(struct tevent_req *subreq)
{
	struct tevent_req *req = NULL;
	struct update_state *state = update_take(subreq, &req);
	struct ntsign_legs *legs = legs_of_mechanism(state->gensec);
	struct ntsign_ntlmssp *message = NULL;

	if (legs != NULL) {
		message = ntsign_ntlmssp_parse(legs, state->out.data,
					       state->out.length, 0);
	}
	if (message != NULL && message->type == NTSIGN_NTLMSSP_CHALLENGE) {
		legs->challenge_flags = message->flags;
	}
	TALLOC_FREE(message);
	if (legs != NULL && NT_STATUS_IS_OK(state->status)) {
		legs->ntlmssp_ended = true;
		ntlmssp_final(legs, state->gensec);
	}
	tevent_req_done(req);
}

/*
 * A backend that stands for a real one: everything of it is the real one's,
 * its name in logs too, but what is set here.
 */
static void backend_fill(struct gensec_security_ops *ours,
			 const struct gensec_security_ops *real)
{
	*ours = *real;
	ours->update_recv = update_recv;
}

static bool backend_usable(const struct gensec_security_ops *real)
{
	return real != NULL && real->update_send != NULL &&
		real->update_recv != NULL && real->session_info != NULL;
}

NTSTATUS ntsign_gensec_hook(void)
{
	static const char *spnego_oids[] = { GENSEC_OID_SPNEGO, NULL };
	static const char *ntlmssp_oids[] = { GENSEC_OID_NTLMSSP, NULL };
	NTSTATUS status;

	if (lp_server_role() == ROLE_ACTIVE_DIRECTORY_DC) {
		/*
		 * smbd on a domain controller offers every registered
		 * backend, so that one more would be seen on the wire.
		 */
		return NT_STATUS_NOT_SUPPORTED;
	}

	/*
	 * smbd asks gensec for the first backend with each OID. The table
	 * is sorted by priority once, in gensec_init(), which a new
	 * connection's process has not called yet.
	 */
	our_spnego.name = "ntsign_spnego";
	our_spnego.oid = spnego_oids;
	our_spnego.priority = 1001;
	our_ntlmssp.name = "ntsign_ntlmssp";
	our_ntlmssp.oid = ntlmssp_oids;
	our_ntlmssp.priority = 1000;
	status = gensec_register(NULL, &our_spnego);
	if (!NT_STATUS_IS_OK(status)) {
		return status;
	}
	status = gensec_register(NULL, &our_ntlmssp);
	if (!NT_STATUS_IS_OK(status)) {
		return status;
	}
	status = gensec_init();
	if (!NT_STATUS_IS_OK(status)) {
		return status;
	}
	real_spnego = gensec_security_by_name(NULL, "spnego");
	real_ntlmssp = gensec_security_by_name(NULL, "ntlmssp");
	if (!backend_usable(real_spnego) || !backend_usable(real_ntlmssp) ||
	    gensec_security_by_oid(NULL, GENSEC_OID_SPNEGO) != &our_spnego ||
	    gensec_security_by_oid(NULL, GENSEC_OID_NTLMSSP) !=
		    &our_ntlmssp) {
		return NT_STATUS_NOT_FOUND;
	}
	backend_fill(&our_spnego, real_spnego);
	our_spnego.update_send = spnego_send;
	our_spnego.session_info = spnego_session_info;
	backend_fill(&our_ntlmssp, real_ntlmssp);
	our_ntlmssp.update_send = ntlmssp_send;
	return NT_STATUS_OK;
}
