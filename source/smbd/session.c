/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * smbd's sessions, from their session setup to their end.
 *
 * Invariant: a session setup that has ended, either way, has one record. A
 * failure is recorded before its answer leaves; a success as soon as smbd
 * has settled it, before another request of that connection is looked at.
 */
#include "legs.h"
#include "librpc/gen_ndr/smbXsrv.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

struct ntsign_session *ntsign_session_find(const struct ntsign_connection *c,
					   struct smbXsrv_session *session)
{
	struct ntsign_session *s = NULL;

	for (s = c->sessions; s != NULL; s = s->next) {
		if (s->session == session) {
			return s;
		}
	}
	return NULL;
}

void ntsign_session_traverse(int (*fn)(struct smbXsrv_session *session,
				       void *private_data),
			     void *private_data)
{
	struct smbXsrv_client *client = global_smbXsrv_client;

	if (client == NULL || client->session_table == NULL) {
		return;
	}
	ntsign_layout_hold();
	(void)smbXsrv_session_local_traverse(client, fn, private_data);
	ntsign_layout_release();
}

/* ---- sessions that stand ---- */

/*
 * A server that requires signing signs whatever the client says. A client
 * that says nothing in its session setup may sign as well, as smbclient
 * does, or may not: its first request tells. [MS-SMB] 3.2.4.2.3
 */
static bool session_undecided(const struct ntsign_session *s,
			      const struct ntsign_ended *e)
{
	const struct ntsign_connection *c = s->connection;

	return !ntsign_connection_is_smb2(c) && e->legs != NULL &&
		ntsign_signature_on(c) && !ntsign_signature_proven(c) &&
		!(ntsign_ended_flags2(e) & (NTSIGN_FLAGS2_SIGNATURES |
				     NTSIGN_FLAGS2_SIGNATURES_REQUIRED));
}

/* The record that waited for the first request. */
static void session_decided(struct ntsign_session *s)
{
	struct ntsign_ended e = {
		.c = s->connection,
		.session = s,
		.legs = s->undecided,
		.known = true,
		.status = NT_STATUS_OK,
		.unsigned_client = ntsign_signature_refused(s->connection),
	};

	ntsign_ended_record(&e);
	TALLOC_FREE(s->undecided);
	s->connection->pending--;
}

/*
 * What smbd answers when it gives a session up after its session_info: an
 * SMB1 session that it cannot claim or store, an SMB2 one that cannot be
 * encrypted and has to be.
 */
static bool given_up_status(const struct ntsign_session *s, NTSTATUS *status)
{
	if (!ntsign_connection_is_smb2(s->connection)) {
		*status = NT_STATUS_LOGON_FAILURE;
		return true;
	}
	if (s->session->global->encryption_flags &
	    SMBXSRV_ENCRYPTION_REQUIRED) {
		*status = NT_STATUS_ACCESS_DENIED;
		return true;
	}
	return false;
}

static int session_destructor(struct ntsign_session *s)
{
	struct ntsign_connection *c = s->connection;

	if (c == NULL) {
		return 0;
	}
	if (ntsign_layouts_differ) {
		DLIST_REMOVE(c->sessions, s);
		return 0;
	}
	if (s->legs != NULL) {
		/* smbd gave the session up after the password was good */
		struct ntsign_ended e = {
			.c = c,
			.legs = s->legs,
			.known = true,
			.status = s->legs->info_status,
		};

		c->pending--;
		if (NT_STATUS_IS_OK(e.status)) {
			e.known = given_up_status(s, &e.status);
		}
		ntsign_ended_record(&e);
	} else if (s->established) {
		if (s->undecided != NULL) {
			session_decided(s);
		}
		ntsign_signature_proof(s);
	}
	DLIST_REMOVE(c->sessions, s);
	return 0;
}

struct ntsign_session *ntsign_session_new(struct ntsign_connection *c,
					  struct smbXsrv_session *session)
{
	struct ntsign_session *s = ntsign_session_find(c, session);

	if (s != NULL) {
		return s;
	}
	if (!ntsign_layout_fits(NTSIGN_LAYOUT_SESSION, session) ||
	    !ntsign_layout_fits(NTSIGN_LAYOUT_SESSION_GLOBAL,
				session->global)) {
		return NULL;
	}
	/*
	 * Below the session's global part: the session's own destructor frees
	 * that before its other children, and its flags are still wanted.
	 */
	s = talloc_zero(session->global, struct ntsign_session);
	if (s == NULL) {
		return NULL;
	}
	s->connection = c;
	s->session = session;
	DLIST_ADD_END(c->sessions, s);
	talloc_set_destructor(s, session_destructor);
	return s;
}

/* Copies what records need of a session that stands. */
static void session_copy_info(struct ntsign_session *s)
{
	struct auth_session_info *info =
		s->session->global->auth_session_info;
	enum security_user_level level;

	TALLOC_FREE(s->account);
	TALLOC_FREE(s->domain);
	s->keyless = true;
	if (!ntsign_layout_fits(NTSIGN_LAYOUT_SESSION_INFO, info) ||
	    !ntsign_layout_fits(NTSIGN_LAYOUT_USER_INFO, info->info)) {
		return;
	}
	level = security_session_user_level(info, NULL);
	s->anonymous = (level == SECURITY_ANONYMOUS);
	s->guest = (level == SECURITY_GUEST);
	s->keyless = (level < SECURITY_USER);
	s->account = ntsign_text_string(s, info->info->account_name);
	s->domain = ntsign_text_string(s, info->info->domain_name);
}

/*
 * Behind all that has been decided: a session that must be signed and is not
 * has no use of its connection.
 */
static void session_guard(const struct ntsign_session *s)
{
	struct ntsign_connection *c = s->connection;
	const char *reason = ntsign_enforce_tree(c, s);

	if (reason != NULL && !c->ending) {
		DBG_ERR("ntsign: ending the connection from %s: %s\n",
			c->remote_address, reason);
		smbd_server_connection_terminate(c->xconn,
						 "ntsign: not signed");
	}
}

/* smbd has settled a session: it stands. */
static void session_established(struct ntsign_session *s, bool further)
{
	struct ntsign_connection *c = s->connection;
	struct ntsign_legs *legs = s->legs;
	struct ntsign_ended e = {
		.c = c,
		.session = s,
		.legs = legs,
		.known = true,
		.status = NT_STATUS_OK,
		.further = further,
	};

	if (legs != NULL) {
		s->legs = NULL;
		c->pending--;
	}
	if (!s->established) {
		c->session_count++;
	}
	s->established = true;
	session_copy_info(s);
	if (!ntsign_connection_is_smb2(c)) {
		ntsign_signature_started(c, s->session, legs == NULL);
		c->signing_started |= ntsign_enforcing() &&
			ntsign_signature_on(c);
	} else if (s->session->global->signing_flags &
		   SMBXSRV_SIGNING_REQUIRED) {
		ntsign_connection_watch(c);
	}
	if (session_undecided(s, &e)) {
		s->undecided = legs;
		c->pending++;
		return;
	}
	ntsign_ended_record(&e);
	TALLOC_FREE(legs);
	session_guard(s);
}

/* Whether smbd has settled what the legs have led to. */
static bool session_stands(const struct ntsign_session *s)
{
	struct smbXsrv_channel_global *channel = NULL;
	NTSTATUS status;

	if (!NT_STATUS_IS_OK(s->session->status)) {
		return false;
	}
	if (!s->legs->binding) {
		return true;
	}
	/* a further channel has a key of its own once it is bound */
	status = smbXsrv_session_find_channel(s->session,
					      s->connection->xconn, &channel);
	return NT_STATUS_IS_OK(status) &&
		ntsign_layout_array_fits(NTSIGN_LAYOUT_CHANNEL,
					 s->session->global->channels, 1) &&
		smb2_signing_key_valid(channel->signing_key);
}

/* More sessions than one message can set up. */
#define NEW_MAX 16

struct find_new {
	struct ntsign_connection *c;
	struct smbXsrv_session *sessions[NEW_MAX];
	size_t count;
};

static int find_new_fn(struct smbXsrv_session *session, void *private_data)
{
	struct find_new *find = private_data;

	if (!ntsign_layout_fits(NTSIGN_LAYOUT_SESSION, session) ||
	    !ntsign_layout_fits(NTSIGN_LAYOUT_SESSION_GLOBAL,
				session->global)) {
		return 0;
	}
	/* Mostly old ones, of which there may be many. */
	if (session->global->creation_time < find->c->setup.began ||
	    !NT_STATUS_IS_OK(session->status) ||
	    ntsign_session_find(find->c, session) != NULL) {
		return 0;
	}
	if (find->count < NEW_MAX) {
		find->sessions[find->count] = session;
		find->count++;
	}
	return 0;
}

/* The sessions that the NT4-style requests in hand have led to, if any. */
static void settle_nt4(struct ntsign_connection *c)
{
	struct find_new find = { .c = c, };
	size_t i;

	if (!c->setup.seen) {
		return;
	}
	ntsign_session_traverse(find_new_fn, &find);
	for (i = 0; i < find.count; i++) {
		struct ntsign_session *s = ntsign_session_new(c, find.sessions[i]);
		bool further = c->setup.answered;

		if (s == NULL) {
			DBG_ERR("ntsign: no memory for a session's record\n");
			return;
		}
		c->setup.answered = true;
		session_established(s, further);
	}
}

/* Ends what is known of the SMB1 session setup request in hand. */
static void setup_finish(struct ntsign_connection *c)
{
	struct ntsign_ended e = {
		.c = c,
		.known = c->setup.checked,
		.status = nt_status_squash(c->setup.check_status),
	};

	if (NT_STATUS_IS_OK(e.status)) {
		/* a good password, and no session after all */
		e.known = false;
	}
	if (!c->setup.answered) {
		ntsign_ended_record(&e);
	}
	if (c->setup.late) {
		c->setup.late = false;
		c->pending--;
	}
	c->setup.seen = false;
}

void ntsign_session_settle(struct ntsign_connection *c)
{
	struct ntsign_session *s = NULL;
	struct ntsign_session *next = NULL;

	if (ntsign_layouts_differ) {
		return;
	}
	settle_nt4(c);
	if (c->setup.late && (c->setup.answered || c->setup.checked)) {
		setup_finish(c);
	}
	for (s = c->sessions; s != NULL && c->pending != 0; s = next) {
		next = s->next;
		if (s->undecided != NULL &&
		    (ntsign_signature_proven(c) || !ntsign_signature_on(c))) {
			session_decided(s);
		}
		if (s->legs != NULL && session_stands(s)) {
			session_established(s, false);
		}
	}
	if (c->unrecorded) {
		c->unrecorded = false;
		ntsign_audit_failed(c);
	}
}

static void settle_immediate(struct tevent_context *ev,
			     struct tevent_immediate *im, void *private_data)
{
	struct ntsign_connection *c = talloc_get_type_abort(
		private_data, struct ntsign_connection);

	ntsign_session_settle(c);
	if (c->pending != 0) {
		/* smbd has something to do first: close an older session */
		ntsign_connection_trace(c);
	}
}

void ntsign_session_settle_soon(struct ntsign_connection *c)
{
	if (c->settle == NULL) {
		c->settle = tevent_create_immediate(c);
	}
	if (c->settle != NULL && ntsign_connection_is_smb2(c)) {
		tevent_schedule_immediate(c->settle,
					  c->xconn->client->raw_ev_ctx,
					  settle_immediate, c);
	}
}

void ntsign_session_detach(struct ntsign_connection *c)
{
	struct ntsign_session *s = NULL;
	struct ntsign_legs *legs = NULL;

	c->ending = true;
	if (c->setup.late && !ntsign_layouts_differ) {
		setup_finish(c);
	}
	while ((s = c->sessions) != NULL) {
		if (ntsign_layouts_differ) {
			DLIST_REMOVE(c->sessions, s);
			s->connection = NULL;
			continue;
		}
		if (s->legs != NULL && session_stands(s)) {
			session_established(s, false);
		}
		if (s->undecided != NULL) {
			session_decided(s);
		}
		if (s->established && s->legs == NULL) {
			ntsign_signature_proof(s);
		}
		DLIST_REMOVE(c->sessions, s);
		s->connection = NULL;
	}
	while ((legs = c->legs) != NULL) {
		DLIST_REMOVE(c->legs, legs);
		legs->connection = NULL;
	}
}

/* ---- SMB1 session setup requests ---- */

void ntsign_session_begin(struct ntsign_connection *c,
			  const uint8_t *message, size_t len, size_t command)
{
	struct ntsign_smb1_header header = { .command = 0, };
	struct timeval now = timeval_current();

	if (c->setup.late) {
		setup_finish(c);
	}
	TALLOC_FREE(c->setup.request);
	TALLOC_FREE(c->setup.response);
	c->setup = (struct ntsign_setup) {
		.seen = true,
		.chained = (command != NTSIGN_SMB1_HEADER_LEN),
		.began = timeval_to_nttime(&now),
	};
	if (ntsign_smb1_header_parse(message, len, &header)) {
		c->setup.flags2 = header.flags2;
	}
	c->setup.request = ntsign_smb1_session_setup_parse(c, message, len,
							   command);
	if (c->setup.request != NULL) {
		/* it points into the frame, which does not stay */
		c->setup.request->blob = NULL;
		c->setup.request->blob_len = 0;
		c->nt_status |= (c->setup.request->capabilities &
				 CAP_STATUS32) != 0;
	}
}

void ntsign_session_refuse(struct ntsign_connection *c)
{
	c->setup.refused = true;
	ntsign_session_fail(c, ntsign_enforce_status(c->setup.refusal));
}

void ntsign_session_fail(struct ntsign_connection *c, NTSTATUS status)
{
	c->setup.checked = true;
	c->setup.check_status = status;
	setup_finish(c);
}

void ntsign_session_end(struct ntsign_connection *c)
{
	ntsign_session_settle(c);
	if (!c->setup.seen || c->setup.late) {
		return;
	}
	if (c->setup.chained && !c->setup.answered && !c->setup.checked) {
		/* smbd has not come to it: a LOGOFF in front of it waits */
		c->setup.late = true;
		c->pending++;
		ntsign_connection_trace(c);
		return;
	}
	setup_finish(c);
}
