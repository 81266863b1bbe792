/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NT4-style session setups: the connection's password check.
 *
 * Invariant: smbd checks the password itself; it is asked before that whether
 * it may be looked at, and in enforce and emulate given back the session key
 * that it loses.
 */
#include "legs.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

static struct tevent_req *(*real_check_send)(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct auth4_context *auth_ctx,
	const struct auth_usersupplied_info *user_info);
static NTSTATUS (*real_check_recv)(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				   uint8_t *pauthoritative,
				   void **server_returned_info,
				   DATA_BLOB *nt_session_key,
				   DATA_BLOB *lm_session_key);

struct check_state {
	struct tevent_req *subreq;
	/* what the password check is handed once the credential handle is
	 * had; the caller's */
	struct tevent_context *ev;
	struct auth4_context *auth_ctx;
	const struct auth_usersupplied_info *user_info;
};

static void check_acquired(struct tevent_req *subreq);
static void check_done(struct tevent_req *subreq);

/* The connection whose session setup request smbd has in hand, or NULL. */
static struct ntsign_connection *setup_connection(void)
{
	struct ntsign_connection *c = ntsign->connections;

	if (ntsign_layouts_differ) {
		return NULL;
	}
	while (c != NULL && !c->setup.seen && !c->encrypted) {
		c = c->next;
	}
	return c;
}

static void check_note(NTSTATUS status, const char *refusal)
{
	struct ntsign_connection *c = setup_connection();

	if (c != NULL) {
		c->setup.checked = true;
		c->setup.check_status = status;
		if (refusal != NULL) {
			c->setup.refused = true;
			c->setup.refusal = refusal;
		}
	}
}

/* Why the password is not to be looked at, or NULL. */
static const char *check_refusal(void)
{
	struct ntsign_connection *c = setup_connection();
	const char *refusal = NULL;

	if (ntsign_enforcing()) {
		refusal = (c != NULL) ? ntsign_enforce_leg(c) :
			"the request could not be looked at";
	}
	if (refusal == NULL && ntsign_audit_refuses()) {
		refusal = ntsign_audit_no_record;
	}
	return refusal;
}

/*
 * Keeps what an NT4-style session's MAC key ends with, [MS-CIFS] 3.1.5.1: the
 * response to the challenge.
 */
static void check_keep_response(const struct auth_usersupplied_info *user_info)
{
	struct ntsign_connection *c = setup_connection();
	const DATA_BLOB *response = &user_info->password.response.nt;

	if (c == NULL ||
	    !ntsign_layout_fits(NTSIGN_LAYOUT_AUTH_SUPPLIED, user_info) ||
	    user_info->password_state != AUTH_PASSWORD_RESPONSE) {
		return;
	}
	c->setup.response_lm = (response->length == 0);
	if (c->setup.response_lm) {
		response = &user_info->password.response.lanman;
	}
	TALLOC_FREE(c->setup.response);
	c->setup.response_len = 0;
	c->setup.response = talloc_memdup(c, response->data,
					  response->length);
	if (c->setup.response != NULL) {
		c->setup.response_len = response->length;
	}
}

/* Has smbd check the password itself. */
static void check_start(struct tevent_req *req)
{
	struct check_state *state = tevent_req_data(req, struct check_state);

	state->subreq = real_check_send(state, state->ev, state->auth_ctx,
					state->user_info);
	if (tevent_req_nomem(state->subreq, req)) {
		return;
	}
	tevent_req_set_callback(state->subreq, check_done, req);
}

static struct tevent_req *check_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct auth4_context *auth_ctx,
	const struct auth_usersupplied_info *user_info)
{
	struct tevent_req *req = NULL;
	struct check_state *state = NULL;
	struct ntsign_connection *c = setup_connection();
	const char *refusal = NULL;

	req = tevent_req_create(mem_ctx, &state, struct check_state);
	if (req == NULL) {
		return NULL;
	}
	refusal = check_refusal();
	if (refusal != NULL) {
		check_note(ntsign_enforce_status(refusal), refusal);
		tevent_req_nterror(req, ntsign_enforce_status(refusal));
		return tevent_req_post(req, ev);
	}
	check_keep_response(user_info);
	state->ev = ev;
	state->auth_ctx = auth_ctx;
	state->user_info = user_info;
	if (ntsign_credential_wanted() && c != NULL &&
	    !ntsign_layouts_differ) {
		struct tevent_req *subreq = ntsign_credential_acquire_send(
			state, ev, c, user_info->client.account_name);

		if (tevent_req_nomem(subreq, req)) {
			return tevent_req_post(req, ev);
		}
		tevent_req_set_callback(subreq, check_acquired, req);
		return req;
	}
	check_start(req);
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

static void check_acquired(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(
		subreq, struct tevent_req);
	NTSTATUS status;

	status = ntsign_credential_acquire_recv(subreq);
	TALLOC_FREE(subreq);
	if (!NT_STATUS_IS_OK(status)) {
		check_note(status, NULL);
		tevent_req_nterror(req, status);
		return;
	}
	check_start(req);
}

static void check_done(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(
		subreq, struct tevent_req);

	/* its result is taken in check_recv(), where the caller's pointers
	 * for it are known */
	tevent_req_done(req);
}

/*
 * smbd's caller asks for no key, and the password check takes it out of the
 * server info: there it has to be for the session to sign. Returns why the
 * session must not be had, or NULL.
 */
static const char *check_repair(void *server_returned_info, DATA_BLOB *key)
{
	struct auth_serversupplied_info *info = talloc_get_type_abort(
		server_returned_info, struct auth_serversupplied_info);
	struct ntsign_connection *c = setup_connection();

	if (!ntsign_layout_fits(NTSIGN_LAYOUT_AUTH_SERVER, info)) {
		return "the server info could not be looked at";
	}
	if (info->session_key.length == 0 && key->length != 0) {
		info->session_key.data = talloc_move(info, &key->data);
		info->session_key.length = key->length;
		talloc_keep_secret(info->session_key.data);
		*key = data_blob_null;
	}
	if (c == NULL) {
		return "the request could not be looked at";
	}
	if (c->setup.response_lm && info->session_key.length != 0) {
		/* smbd appends the NT response, although it is empty */
		size_t len = info->session_key.length;
		DATA_BLOB mac_key = data_blob_talloc(
			info, NULL, len + c->setup.response_len);

		if (mac_key.data == NULL) {
			return "out of memory";
		}
		talloc_keep_secret(mac_key.data);
		memcpy(mac_key.data, info->session_key.data, len);
		memcpy(mac_key.data + len, c->setup.response,
		       c->setup.response_len);
		data_blob_clear_free(&info->session_key);
		info->session_key = mac_key;
		c->setup.response_len = 0;
	}
	return ntsign_enforce_session(c, info->guest ? SECURITY_GUEST :
						       SECURITY_USER,
				      info->session_key.length != 0, false);
}

static NTSTATUS check_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			   uint8_t *pauthoritative,
			   void **server_returned_info,
			   DATA_BLOB *nt_session_key,
			   DATA_BLOB *lm_session_key)
{
	struct check_state *state = tevent_req_data(req, struct check_state);
	DATA_BLOB nt_key = data_blob_null;
	const char *refusal = NULL;
	NTSTATUS status;

	if (tevent_req_is_nterror(req, &status)) {
		tevent_req_received(req);
		return status;		/* noted, where it was refused */
	}
	if (ntsign_enforcing() && nt_session_key == NULL) {
		nt_session_key = &nt_key;
	}
	status = real_check_recv(state->subreq, mem_ctx, pauthoritative,
				 server_returned_info, nt_session_key,
				 lm_session_key);
	tevent_req_received(req);
	if (setup_connection() != NULL) {
		ntsign_sequence_behind(setup_connection());
	}
	if (NT_STATUS_IS_OK(status) && ntsign_enforcing()) {
		refusal = check_repair(*server_returned_info, &nt_key);
	}
	data_blob_clear_free(&nt_key);
	if (refusal != NULL) {
		TALLOC_FREE(*server_returned_info);
		status = ntsign_enforce_status(refusal);
	}
	check_note(status, refusal);
	return status;
}

void ntsign_logon_hook(struct ntsign_connection *c)
{
	struct auth4_context *auth = c->xconn->smb1.negprot.auth_context;

	if (!ntsign_layout_fits(NTSIGN_LAYOUT_AUTH_CONTEXT, auth) ||
	    auth->check_ntlm_password_send == NULL ||
	    auth->check_ntlm_password_recv == NULL ||
	    auth->check_ntlm_password_send == check_send) {
		return;
	}
	real_check_send = auth->check_ntlm_password_send;
	real_check_recv = auth->check_ntlm_password_recv;
	auth->check_ntlm_password_send = check_send;
	auth->check_ntlm_password_recv = check_recv;
}
