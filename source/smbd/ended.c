/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A session setup that has ended: what it came to, and its record.
 *
 * Invariant: what is not known is left out or null, never made up.
 */
#include "legs.h"
#include "librpc/gen_ndr/smbXsrv.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

static bool ended_ok(const struct ntsign_ended *e)
{
	return e->known && NT_STATUS_IS_OK(e->status);
}

static const char *ended_native_os(const struct ntsign_ended *e)
{
	if (e->legs != NULL) {
		return e->legs->native_os;
	}
	return (e->c->setup.request != NULL) ?
		e->c->setup.request->native_os : NULL;
}

uint16_t ntsign_ended_flags2(const struct ntsign_ended *e)
{
	return (e->legs != NULL) ? e->legs->flags2 : e->c->setup.flags2;
}

/* The names the client gave; else those that smbd found. */
static void ended_names(const struct ntsign_ended *e, const char **account,
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

static bool ended_anonymous(const struct ntsign_ended *e)
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

static const char *ended_setup(const struct ntsign_ended *e, bool anonymous)
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

static void record_ntlmssp(struct ntsign_record *record,
			   const struct ntsign_legs *legs)
{
	ntsign_record_open(record, "ntlmssp");
	ntsign_record_hex(record, "negotiateFlags", legs->negotiate_flags, 8);
	ntsign_record_hex(record, "challengeFlags", legs->challenge_flags, 8);
	if (legs->authenticate != NULL) {
		ntsign_record_hex(record, "authenticateFlags",
				  legs->authenticate->flags, 8);
		ntsign_record_int(record, "keyBits", ntsign_legs_key_bits(legs));
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

static struct ntsign_party ended_client(const struct ntsign_ended *e,
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
	flags2 = ntsign_ended_flags2(e);
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
static bool ended_signing(const struct ntsign_ended *e)
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

static int windows_event_id(const struct ntsign_ended *e,
			    const struct ntsign_session_verdict *verdict)
{
	bool unsigned_session = ended_ok(e) &&
		verdict->outcome == NTSIGN_OUTCOME_NOT_SIGNED;

	if (ntsign_connection_is_smb2(e->c)) {
		return unsigned_session ? 3021 : 0;
	}
	return unsigned_session ? 3027 : 3000;
}

static void record_smb1(struct ntsign_record *record, const struct ntsign_ended *e)
{
	const struct ntsign_smb1_session_setup *request = e->c->setup.request;
	const char *native_lanman = NULL;

	if (e->legs != NULL) {
		native_lanman = e->legs->native_lanman;
	} else if (request != NULL) {
		native_lanman = request->native_lanman;
	}
	ntsign_record_text(record, "nativeLanMan", native_lanman);
	ntsign_record_hex(record, "flags2", ntsign_ended_flags2(e), 4);
}

static void record_session_flags(struct ntsign_record *record,
				 const struct ntsign_ended *e, bool anonymous)
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

void ntsign_ended_record(struct ntsign_ended *e)
{
	struct ntsign_connection *c = e->c;
	struct ntsign_record *record = NULL;
	struct ntsign_session_facts facts = { .family = NTSIGN_FAMILY_SMB1, };
	struct ntsign_session_verdict verdict;
	bool anonymous = ended_anonymous(e);
	const char *refusal = (e->legs != NULL) ? e->legs->refusal :
		c->setup.refusal;
	bool weak_key;
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
	facts.key_bits = anonymous ? 0 : ntsign_legs_key_bits(e->legs);
	facts.minimum_key_bits = ntsign->options->minimum_key_bits;
	verdict = ntsign_policy_judge(&facts);
	event_id = windows_event_id(e, &verdict);
	weak_key = verdict.mismatch == NTSIGN_MISMATCH_SETTINGS &&
		facts.key_bits < facts.minimum_key_bits && facts.key_bits != 0;

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
	ntsign_record_text(record, "article", weak_key ? "Q322051" :
							 "KB916846");
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
