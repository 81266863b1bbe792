/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Session setups: what a client and smbd agree on, and the record of it.
 *
 * Invariant: a session setup that has ended, either way, has one record. A
 * failure is recorded before its answer leaves; a success as soon as smbd
 * has settled it, before another request of that connection is looked at.
 *
 * Extended security (SMB1 and SMB2) is seen through gensec: this file's
 * "spnego" and "ntlmssp" stand in front of Samba's own and hand every token
 * on. NT4-style session setups are seen in their frame, and in the
 * connection's password check.
 */
#include "module.h"
#include "librpc/gen_ndr/smbXsrv.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

/* The legs of one extended security exchange. A talloc child of the
 * ntsign_connection, then of the ntsign_session it led to. */
struct ntsign_legs {
	struct ntsign_legs *prev, *next;
	struct ntsign_connection *connection;
	/* below the gensec context; NULL once that is gone */
	struct legs_anchor *anchor;
	const struct gensec_security *gensec;
	/* the same, once its exchange has ended well */
	const struct gensec_security *accepted;
	/* the NTLMSSP context below it that was last handed a token */
	const struct gensec_security *mechanism;

	/* SMB1: of the latest leg */
	uint16_t flags2;
	char *native_os;
	char *native_lanman;
	/* SMB2 */
	uint8_t security_mode;
	bool binding;

	bool reauthentication;
	bool spnego;			/* not raw NTLMSSP */
	bool kerberos;			/* SPNEGO's tokens name it */
	bool ntlmssp;			/* the mechanism in use */
	uint32_t negotiate_flags;
	uint32_t challenge_flags;
	struct ntsign_ntlmssp *authenticate;
	bool ntlmssp_ended;		/* it is what has been agreed on */
	bool final_flags_known;
	uint32_t final_flags;
	bool refused;			/* by the module */
	const char *refusal;		/* why; static text */
	unsigned int leg;		/* counted from 1 */
	bool names_ntlmssp;		/* a token of it does */
	NTSTATUS info_status;
};

/* Ends the legs with their gensec context, unless they led to a session. */
struct legs_anchor {
	struct ntsign_legs *legs;
};

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

/* ---- smbd's sessions ---- */

struct find_auth {
	const struct gensec_security *gensec;
	struct smbXsrv_session *session;
	struct smbXsrv_session_auth0 *auth;
};

static int find_auth_fn(struct smbXsrv_session *session, void *private_data)
{
	struct find_auth *find = private_data;
	struct smbXsrv_session_auth0 *auth = NULL;

	for (auth = session->pending_auth; auth != NULL; auth = auth->next) {
		if (auth->gensec == find->gensec) {
			find->session = session;
			find->auth = auth;
		}
	}
	return 0;	/* smbd logs a traverse that is cut short */
}

/* The session setup that a gensec context belongs to, if it is one's. */
static bool find_auth(const struct gensec_security *gensec,
		      struct find_auth *find)
{
	*find = (struct find_auth) { .gensec = gensec, };
	if (global_smbXsrv_client == NULL ||
	    global_smbXsrv_client->session_table == NULL) {
		return false;
	}
	(void)smbXsrv_session_local_traverse(global_smbXsrv_client,
					     find_auth_fn, find);
	return find->auth != NULL && find->auth->connection != NULL;
}

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

/* ---- the record ---- */

/* A session setup that has ended. */
struct ended {
	struct ntsign_connection *c;
	struct ntsign_session *session;		/* NULL: none stands */
	const struct ntsign_legs *legs;		/* NULL: NT4-style */
	bool known;				/* whether `status` is */
	NTSTATUS status;
	/* its first request was turned down for want of a signature */
	bool unsigned_client;
	/* it was refused because it does not say that it signs */
	bool not_signing;
	/* not the first of its message, whose request is not at hand */
	bool further;
};

static bool ended_ok(const struct ended *e)
{
	return e->known && NT_STATUS_IS_OK(e->status);
}

static const char *ended_native_os(const struct ended *e)
{
	if (e->legs != NULL) {
		return e->legs->native_os;
	}
	return (e->c->setup.request != NULL) ?
		e->c->setup.request->native_os : NULL;
}

static uint16_t ended_flags2(const struct ended *e)
{
	return (e->legs != NULL) ? e->legs->flags2 : e->c->setup.flags2;
}

/* The names the client gave; else those that smbd found. */
static void ended_names(const struct ended *e, const char **account,
			const char **domain, const char **workstation)
{
	const struct ntsign_smb1_session_setup *request = e->c->setup.request;

	*account = NULL;
	*domain = NULL;
	*workstation = NULL;
	if (e->legs != NULL && e->legs->authenticate != NULL) {
		*account = e->legs->authenticate->account;
		*domain = e->legs->authenticate->domain;
		*workstation = e->legs->authenticate->workstation;
	} else if (e->legs == NULL && request != NULL && !e->further) {
		*account = request->account;
		*domain = request->domain;
	}
	if (e->session == NULL || e->session->account == NULL) {
		return;
	}
	if (*account == NULL || **account == '\0') {
		*account = e->session->account;
		*domain = e->session->domain;
	} else if (!e->session->keyless) {
		/* whatever charset the client's name was meant in */
		*account = e->session->account;
	}
}

static bool ended_anonymous(const struct ended *e)
{
	const struct ntsign_smb1_session_setup *request = e->c->setup.request;

	if (e->session != NULL && (e->session->anonymous || e->further)) {
		return e->session->anonymous;
	}
	if (e->legs != NULL) {
		return e->legs->authenticate != NULL &&
			e->legs->authenticate->anonymous;
	}
	return request != NULL && !request->extended &&
		request->account != NULL && request->account[0] == '\0';
}

static const char *ended_setup(const struct ended *e, bool anonymous)
{
	const struct ntsign_smb1_session_setup *request = e->c->setup.request;

	if (anonymous) {
		return "anonymous";
	}
	if (e->legs == NULL) {
		if (request != NULL && request->extended) {
			/* refused before it was known what it carries */
			return "ntlmssp";
		}
		return "nt4";
	}
	if (e->legs->ntlmssp || !e->legs->spnego) {
		return "ntlmssp";
	}
	if (e->legs->names_ntlmssp && !e->legs->kerberos && !ended_ok(e)) {
		return "ntlmssp";	/* refused before it came to it */
	}
	/*
	 * smbd has two mechanisms. Where it came to none, the client's tokens
	 * have to name the one it meant.
	 */
	return (ended_ok(e) || e->legs->kerberos) ? "kerberos" : NULL;
}

/*
 * The strength of an NTLMSSP session's key, 0 where there is none: what Samba
 * ended with, or before that what both sides have said, [MS-NLMP] 3.2.5.1.2.
 */
static unsigned int legs_key_bits(const struct ntsign_legs *legs)
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

static void record_ntlmssp(struct ntsign_record *record,
			   const struct ntsign_legs *legs)
{
	ntsign_record_open(record, "ntlmssp");
	ntsign_record_hex(record, "negotiateFlags", legs->negotiate_flags, 8);
	ntsign_record_hex(record, "challengeFlags", legs->challenge_flags, 8);
	if (legs->authenticate != NULL) {
		ntsign_record_hex(record, "authenticateFlags",
				  legs->authenticate->flags, 8);
		ntsign_record_int(record, "keyBits", legs_key_bits(legs));
		ntsign_record_text(record, "ntlmVersion",
				   ntsign_ntlmssp_version(
					   legs->authenticate));
	}
	ntsign_record_close(record);
}

static bool session_encrypted(const struct smbXsrv_session *session)
{
	return (session->global->encryption_flags &
		(SMBXSRV_ENCRYPTION_REQUIRED | SMBXSRV_ENCRYPTION_DESIRED))
		!= 0;
}

static struct ntsign_party ended_client(const struct ended *e,
					struct ntsign_party server)
{
	struct ntsign_party client = { .patched = true, };
	uint16_t flags2;

	if (ntsign_connection_is_smb2(e->c)) {
		client.signing = ntsign_policy_smb2_client(
			e->c->xconn->smb2.client.security_mode,
			(e->legs != NULL) ? e->legs->security_mode : 0);
		return client;
	}
	flags2 = ended_flags2(e);
	client.signing = ntsign_policy_smb1_client(flags2);
	client.patched = !ntsign_connection_unpatched(e->c,
						      ended_native_os(e));
	if (server.signing == NTSIGN_SIGNING_REQUIRED &&
	    client.signing == NTSIGN_SIGNING_DISABLED &&
	    (e->unsigned_client || e->not_signing)) {
		/* it does not sign where a patched one does */
		client.patched = false;
	}
	if (server.signing == NTSIGN_SIGNING_DISABLED &&
	    client.signing == NTSIGN_SIGNING_REQUIRED) {
		/* it goes on where only a patched client does */
		client.patched = true;
	}
	return client;
}

/* Whether what follows this session setup is signed both ways. */
static bool ended_signing(const struct ended *e)
{
	const struct smbXsrv_session *session = NULL;

	if (!ended_ok(e) || e->session == NULL) {
		return false;
	}
	session = e->session->session;
	if (ntsign_connection_is_smb2(e->c)) {
		return (session->global->signing_flags &
			SMBXSRV_SIGNING_REQUIRED) ||
			session_encrypted(session);
	}
	return ntsign_signature_on(e->c) && !e->unsigned_client;
}

static int windows_event_id(const struct ended *e,
			    const struct ntsign_session_verdict *verdict)
{
	bool unsigned_session = ended_ok(e) &&
		verdict->outcome == NTSIGN_OUTCOME_NOT_SIGNED;

	if (ntsign_connection_is_smb2(e->c)) {
		return unsigned_session ? 3021 : 0;
	}
	return unsigned_session ? 3027 : 3000;
}

static void record_smb1(struct ntsign_record *record, const struct ended *e)
{
	const struct ntsign_smb1_session_setup *request = e->c->setup.request;
	const char *native_lanman = NULL;

	if (e->legs != NULL) {
		native_lanman = e->legs->native_lanman;
	} else if (request != NULL) {
		native_lanman = request->native_lanman;
	}
	ntsign_record_text(record, "nativeLanMan", native_lanman);
	ntsign_record_hex(record, "flags2", ended_flags2(e), 4);
}

static void record_session_flags(struct ntsign_record *record,
				 const struct ended *e, bool anonymous)
{
	ntsign_record_bool(record, "anonymous", anonymous);
	ntsign_record_bool(record, "guest",
			   e->session != NULL && e->session->guest);
	if (e->session != NULL) {
		const struct smbXsrv_session *session = e->session->session;

		ntsign_record_bool(record, "encrypted",
				   session_encrypted(session));
		ntsign_record_hex(record, "sessionId",
				  session->global->session_wire_id, 16);
	} else {
		ntsign_record_bool(record, "encrypted", false);
		ntsign_record_text(record, "sessionId", NULL);
	}
	if (e->legs != NULL) {
		ntsign_record_bool(record, "reauthentication",
				   e->legs->reauthentication);
		ntsign_record_bool(record, "binding", e->legs->binding);
		ntsign_record_bool(record, "spnego", e->legs->spnego);
	}
}

static void record_ended(struct ended *e)
{
	struct ntsign_connection *c = e->c;
	struct ntsign_record *record = NULL;
	struct ntsign_session_facts facts = { .family = NTSIGN_FAMILY_SMB1, };
	struct ntsign_session_verdict verdict;
	bool anonymous = ended_anonymous(e);
	const char *refusal = (e->legs != NULL) ? e->legs->refusal :
		c->setup.refusal;
	bool notable;
	const char *account = NULL;
	const char *domain = NULL;
	const char *workstation = NULL;
	int event_id;

	if (ntsign_connection_is_smb2(c)) {
		facts.family = NTSIGN_FAMILY_SMB2;
	}
	facts.refused = (e->legs != NULL) ? e->legs->refused :
		c->setup.refused;
	e->not_signing = facts.refused && facts.family == NTSIGN_FAMILY_SMB1 &&
		c->setup.action == NTSIGN_ACTION_REFUSE;
	facts.server = ntsign_connection_server(c);
	facts.client = ended_client(e, facts.server);
	facts.established = ended_ok(e);
	facts.signing = ended_signing(e);
	facts.key_bits = anonymous ? 0 : legs_key_bits(e->legs);
	facts.minimum_key_bits = ntsign->options->minimum_key_bits;
	verdict = ntsign_policy_judge(&facts);
	event_id = windows_event_id(e, &verdict);

	record = ntsign_audit_start(c, NTSIGN_RECORD_SESSION);
	if (event_id != 0) {
		ntsign_record_int(record, "windowsEventId", event_id);
	}
	ended_names(e, &account, &domain, &workstation);
	ntsign_record_text(record, "dialect", ntsign_connection_dialect(c));
	ntsign_record_text(record, "setup", ended_setup(e, anonymous));
	ntsign_record_text(record, "status",
			   e->known ? nt_errstr(e->status) : NULL);
	ntsign_record_text(record, "account", account);
	ntsign_record_text(record, "domain", domain);
	ntsign_record_text(record, "workstation", workstation);
	ntsign_record_text(record, "nativeOs", ended_native_os(e));
	ntsign_connection_record_party(record, "client", facts.client);
	ntsign_connection_record_party(record, "server", facts.server);
	ntsign_record_text(record, "expected",
			   ntsign_outcome_name(verdict.expected));
	ntsign_record_text(record, "outcome",
			   ntsign_outcome_name(verdict.outcome));
	ntsign_record_text(record, "mismatch",
			   ntsign_mismatch_name(verdict.mismatch));
	ntsign_record_bool(record, "refused", facts.refused);
	if (facts.refused && refusal != NULL) {
		ntsign_record_text(record, "reason", refusal);
	}
	ntsign_record_text(record, "article", "KB916846");
	record_session_flags(record, e, anonymous);
	if (!ntsign_connection_is_smb2(c)) {
		record_smb1(record, e);
	} else if (e->legs != NULL) {
		ntsign_record_int(record, "securityMode",
				  e->legs->security_mode);
	}
	if (e->legs != NULL && e->legs->ntlmssp) {
		record_ntlmssp(record, e->legs);
	}

	notable = facts.refused || verdict.mismatch != NTSIGN_MISMATCH_NONE;
	if (!ntsign_audit_finish(c, record, notable, NTSIGN_EVENTS_SESSION) &&
	    ended_ok(e)) {
		c->unrecorded = true;
	}
}

/* ---- sessions that stand ---- */

/*
 * A server that requires signing signs whatever the client says. A client
 * that says nothing in its session setup may sign as well, as smbclient
 * does, or may not: its first request tells. [MS-SMB] 3.2.4.2.3
 */
static bool session_undecided(const struct ntsign_session *s,
			      const struct ended *e)
{
	const struct ntsign_connection *c = s->connection;

	return !ntsign_connection_is_smb2(c) && e->legs != NULL &&
		ntsign_signature_on(c) && !ntsign_signature_proven(c) &&
		!(ended_flags2(e) & (NTSIGN_FLAGS2_SIGNATURES |
				     NTSIGN_FLAGS2_SIGNATURES_REQUIRED));
}

/* The record that waited for the first request. */
static void session_decided(struct ntsign_session *s)
{
	struct ended e = {
		.c = s->connection,
		.session = s,
		.legs = s->undecided,
		.known = true,
		.status = NT_STATUS_OK,
		.unsigned_client = ntsign_signature_refused(s->connection),
	};

	record_ended(&e);
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
	if (s->legs != NULL) {
		/* smbd gave the session up after the password was good */
		struct ended e = {
			.c = c,
			.legs = s->legs,
			.known = true,
			.status = s->legs->info_status,
		};

		c->pending--;
		if (NT_STATUS_IS_OK(e.status)) {
			e.known = given_up_status(s, &e.status);
		}
		record_ended(&e);
	} else if (s->established) {
		if (s->undecided != NULL) {
			session_decided(s);
		}
		ntsign_signature_proof(s);
	}
	DLIST_REMOVE(c->sessions, s);
	return 0;
}

static struct ntsign_session *session_new(struct ntsign_connection *c,
					  struct smbXsrv_session *session)
{
	struct ntsign_session *s = ntsign_session_find(c, session);

	if (s != NULL) {
		return s;
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
	if (info == NULL || info->info == NULL) {
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
	struct ended e = {
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
	record_ended(&e);
	TALLOC_FREE(legs);
	session_guard(s);
}

/* Whether smbd has settled what the legs have led to. */
static bool session_stands(const struct ntsign_session *s)
{
	struct smbXsrv_channel_global0 *channel = NULL;
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
	return 0;	/* smbd logs a traverse that is cut short */
}

/* The sessions that the NT4-style requests in hand have led to, if any. */
static void settle_nt4(struct ntsign_connection *c)
{
	struct find_new find = { .c = c, };
	size_t i;

	if (!c->setup.seen || global_smbXsrv_client->session_table == NULL) {
		return;
	}
	(void)smbXsrv_session_local_traverse(global_smbXsrv_client,
					     find_new_fn, &find);
	for (i = 0; i < find.count; i++) {
		struct ntsign_session *s = session_new(c, find.sessions[i]);
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
	struct ended e = {
		.c = c,
		.known = c->setup.checked,
		.status = nt_status_squash(c->setup.check_status),
	};

	if (NT_STATUS_IS_OK(e.status)) {
		/* a good password, and no session after all */
		e.known = false;
	}
	if (!c->setup.answered) {
		record_ended(&e);
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
		ntsign_connection_watch_pending(c);
	}
}

void ntsign_session_detach(struct ntsign_connection *c)
{
	struct ntsign_session *s = NULL;
	struct ntsign_legs *legs = NULL;

	c->ending = true;
	if (c->setup.late) {
		setup_finish(c);
	}
	while ((s = c->sessions) != NULL) {
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
	c->setup.checked = true;
	c->setup.check_status = NT_STATUS_ACCESS_DENIED;
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
		ntsign_connection_watch_pending(c);
		return;
	}
	setup_finish(c);
}

/* ---- the password check of NT4-style session setups ---- */

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
};

static void check_done(struct tevent_req *subreq);

static const char no_record[] = "its record could not be written";

static bool audit_refuses(void)
{
	if (ntsign->options->on_audit_failure != NTSIGN_FAILURE_REFUSE ||
	    ntsign_sink_ready(ntsign->sink)) {
		return false;
	}
	DBG_ERR("ntsign: refusing a session setup: the audit file cannot be "
		"written and ntsign:on audit failure = refuse\n");
	return true;
}

bool ntsign_session_audit_refuses(struct ntsign_connection *c)
{
	if (!audit_refuses()) {
		return false;
	}
	c->setup.refusal = no_record;
	return true;
}

/* The connection whose session setup request smbd has in hand, or NULL. */
static struct ntsign_connection *setup_connection(void)
{
	struct ntsign_connection *c = ntsign->connections;

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
	if (refusal == NULL && audit_refuses()) {
		refusal = no_record;
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

	if (c == NULL || user_info->password_state != AUTH_PASSWORD_RESPONSE) {
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

static struct tevent_req *check_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct auth4_context *auth_ctx,
	const struct auth_usersupplied_info *user_info)
{
	struct tevent_req *req = NULL;
	struct check_state *state = NULL;
	const char *refusal = NULL;

	req = tevent_req_create(mem_ctx, &state, struct check_state);
	if (req == NULL) {
		return NULL;
	}
	refusal = check_refusal();
	if (refusal != NULL) {
		check_note(NT_STATUS_ACCESS_DENIED, refusal);
		tevent_req_nterror(req, NT_STATUS_ACCESS_DENIED);
		return tevent_req_post(req, ev);
	}
	check_keep_response(user_info);
	state->subreq = real_check_send(state, ev, auth_ctx, user_info);
	if (tevent_req_nomem(state->subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(state->subreq, check_done, req);
	return req;
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
	if (NT_STATUS_IS_OK(status) && ntsign_enforcing()) {
		refusal = check_repair(*server_returned_info, &nt_key);
	}
	data_blob_clear_free(&nt_key);
	if (refusal != NULL) {
		TALLOC_FREE(*server_returned_info);
		status = NT_STATUS_ACCESS_DENIED;
	}
	check_note(status, refusal);
	return status;
}

void ntsign_session_hook_auth(struct ntsign_connection *c)
{
	struct auth4_context *auth = c->xconn->smb1.negprot.auth_context;

	if (auth == NULL || auth->check_ntlm_password_send == NULL ||
	    auth->check_ntlm_password_recv == NULL ||
	    auth->check_ntlm_password_send == check_send) {
		return;
	}
	real_check_send = auth->check_ntlm_password_send;
	real_check_recv = auth->check_ntlm_password_recv;
	auth->check_ntlm_password_send = check_send;
	auth->check_ntlm_password_recv = check_recv;
}

/* ---- gensec ---- */

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
	if (c == NULL) {
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
	s = session_new(c, find.session);
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
	if (c->settle == NULL) {
		c->settle = tevent_create_immediate(c);
	}
	if (c->settle != NULL && ntsign_connection_is_smb2(c)) {
		tevent_schedule_immediate(c->settle,
					  c->xconn->client->raw_ev_ctx,
					  settle_immediate, c);
	}
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
		return audit_refuses() ? no_record : NULL;
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
	struct ended e = {
		.c = legs->connection,
		.legs = legs,
		.known = true,
		.status = nt_status_squash(status),
	};

	record_ended(&e);
	TALLOC_FREE(legs);
}

struct update_state {
	const struct gensec_security_ops *real;
	struct gensec_security *gensec;
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
		legs_failed(legs, NT_STATUS_ACCESS_DENIED);
	}
	tevent_req_nterror(req, NT_STATUS_ACCESS_DENIED);
	return tevent_req_post(req, ev);
}

static void spnego_done(struct tevent_req *subreq);

static struct tevent_req *spnego_send(TALLOC_CTX *mem_ctx,
				      struct tevent_context *ev,
				      struct gensec_security *gensec,
				      const DATA_BLOB in)
{
	struct ntsign_legs *legs = NULL;
	struct tevent_req *outer = NULL;
	const char *refusal = NULL;
	bool unknown = false;

	if (ntsign != NULL && gensec->gensec_role == GENSEC_SERVER) {
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

	if (ntsign != NULL) {
		legs = legs_find(state->gensec);
	}
	if (legs == NULL) {
		tevent_req_done(req);
		return;
	}
	if (legs->refused) {
		state->status = NT_STATUS_ACCESS_DENIED;
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
	    legs_key_bits(legs) >= least) {
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
	if (ntsign != NULL) {
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
		status = NT_STATUS_ACCESS_DENIED;
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
	struct ntsign_connection *c = (ntsign != NULL) ?
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

/* What the exchange has come to, where its state is the one known here. */
static void ntlmssp_final(struct ntsign_legs *legs,
			  const struct gensec_security *gensec)
{
	struct gensec_ntlmssp_context *context = talloc_get_type(
		gensec->private_data, struct gensec_ntlmssp_context);

	if (context != NULL && context->ntlmssp_state != NULL &&
	    talloc_get_size(context->ntlmssp_state) ==
		    sizeof(struct ntlmssp_state)) {
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

NTSTATUS ntsign_session_hook_gensec(void)
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
