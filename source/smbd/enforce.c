/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What enforce and emulate mode do: a column of the matrix for each client,
 * and a decision on each session setup.
 *
 * Invariant: the decision is ntsign_policy_smb1_decide()'s; what is here
 * gathers its facts and carries it out. Where a fact is missing the answer is
 * no. What has been decided to sign cannot go on unsigned: smbd is told then
 * that signing is mandatory, whatever the column.
 *
 * Before authentication a client can reach: the choice of the column (its
 * address), ntsign_enforce_setup() (an SMB1 session setup request),
 * ntsign_enforce_leg() (a token) and ntsign_enforce_answer() (a whole frame).
 */
#include "module.h"
#include "librpc/gen_ndr/smbXsrv.h"
#include "lib/util/sys_rw_data.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

bool ntsign_enforcing(void)
{
	return ntsign->options->mode != NTSIGN_MODE_AUDIT;
}

/* ---- the column ---- */

/*
 * Exchanges smbd's signing state: none of its fields can be set from outside,
 * and no key has been put into it.
 */
static bool signing_state_set(struct ntsign_connection *c, bool allowed,
			      bool desired, bool mandatory)
{
	struct smbXsrv_connection *xconn = c->xconn;
	struct smb1_signing_state *si = NULL;

	si = smb1_signing_init(xconn, allowed, desired, mandatory);
	if (si == NULL) {
		return false;
	}
	if (c->signing_shared) {
		/* it goes with its holder, a child of the connection */
		c->signing_shared = false;
	} else {
		TALLOC_FREE(xconn->smb1.signing_state);
	}
	xconn->smb1.signing_state = si;
	return true;
}

static bool signing_state_column(struct ntsign_connection *c)
{
	bool required = c->column.signing == NTSIGN_SIGNING_REQUIRED;
	bool enabled = c->column.signing == NTSIGN_SIGNING_ENABLED;

	/* an updated server signs without having offered it */
	return signing_state_set(c, required || enabled || c->column.patched,
				 required || enabled, required);
}

/* Holds from now on, also where smbd reads smb.conf again. */
static bool option_fix(const char *name, const char *value)
{
	return store_lp_set_cmdline(name, value) &&
	       lp_do_parameter(-1, name, value);
}

/*
 * smbd may hand this process further connections of a client that has the
 * same ClientGuid, from whatever address, and answers their NEGOTIATE by
 * smb.conf: [MS-SMB2] 3.3.5.4. Where anybody must sign, so must they; all
 * that speak SMB2 can.
 */
static bool channels_require(enum ntsign_signing by_default)
{
	const struct ntsign_options *options = ntsign->options;
	size_t i;

	if (by_default == NTSIGN_SIGNING_REQUIRED) {
		return true;
	}
	for (i = 0; i < options->signing_rules_count; i++) {
		if (options->signing_rules[i].signing ==
		    NTSIGN_SIGNING_REQUIRED) {
			return option_fix("server signing", "mandatory");
		}
	}
	return true;
}

/*
 * The echo handler is a process of its own that takes frames from the socket,
 * signs and answers: it would know nothing of what is decided here.
 */
static bool echo_handler_off(struct ntsign_connection *c)
{
	if (!lp_async_smb_echo_handler()) {
		return true;
	}
	DBG_NOTICE("ntsign: async smb echo handler = yes is taken for no "
		   "with ntsign:mode = %s\n",
		   ntsign_mode_name(ntsign->options->mode));
	c->signing_shared = true;
	return option_fix("async smb echo handler", "no");
}

static bool column_choose(struct ntsign_connection *c,
			  enum ntsign_signing by_default)
{
	const struct ntsign_options *options = ntsign->options;
	const struct ntsign_rule *rule = NULL;

	c->column.patched = options->server_patched;
	c->column.signing = NTSIGN_SIGNING_REQUIRED;
	if (!c->address_known && options->signing_rules_count != 0) {
		DBG_ERR("ntsign: no signing rule can be told for %s\n",
			c->remote_address);
		return false;
	}
	rule = ntsign_rules_match(options->signing_rules,
				  options->signing_rules_count, &c->address,
				  time(NULL));
	c->column.signing = (rule != NULL) ? rule->signing : by_default;
	return true;
}

NTSTATUS ntsign_enforce_attach(struct ntsign_connection *c)
{
	enum ntsign_signing by_default = ntsign_connection_signing(c);

	ntsign->server_signing = by_default;
	if (!column_choose(c, by_default)) {
		return NT_STATUS_INVALID_ADDRESS;
	}
	if (!echo_handler_off(c) || !signing_state_column(c)) {
		return NT_STATUS_NO_MEMORY;
	}
	c->xconn->smb2.signing_mandatory =
		c->column.signing == NTSIGN_SIGNING_REQUIRED;
	return channels_require(by_default) ? NT_STATUS_OK :
					      NT_STATUS_NO_MEMORY;
}

void ntsign_enforce_channel(struct ntsign_connection *c)
{
	/* where that cannot be told, it is required */
	(void)column_choose(c, ntsign->server_signing);
}

static bool column_requires(const struct ntsign_connection *c)
{
	return c->column.signing == NTSIGN_SIGNING_REQUIRED;
}

/* ---- session setups ---- */

static const char no_memory[] = "out of memory";
static const char not_known[] = "the session setup is not known";
static const char anonymous_session[] = "an anonymous session cannot sign";
static const char not_seen[] = "the request could not be looked at";

/*
 * Whether smbd takes an NT4-style request for an anonymous one: it does where
 * the account is empty, and where it does not convert to `unix charset`.
 */
static bool request_anonymous(const struct ntsign_smb1_session_setup *request,
			      uint16_t flags2, const uint8_t *message)
{
	TALLOC_CTX *frame = talloc_stackframe();
	char *account = NULL;
	bool anonymous;

	if (request->account_max != 0) {
		(void)pull_string_talloc(frame, message, flags2, &account,
					 message + request->account_at,
					 request->account_max, STR_TERMINATE);
	}
	anonymous = (account == NULL || account[0] == '\0');
	TALLOC_FREE(frame);
	return anonymous;
}

/*
 * The request that starts signing is not signed itself: whoever stands
 * between client and server can chain others to it, and smbd carries out all
 * of a chain before anything can be seen of the session. Clients put a tree
 * connect there.
 */
static bool chain_unusual(const uint8_t *message, size_t len, size_t setup)
{
	uint8_t command = NTSIGN_SMB1_SESSION_SETUP;
	size_t at = setup;

	if (!ntsign_smb1_next_command(message, len, &at, &command)) {
		return false;
	}
	return command != NTSIGN_SMB1_TREE_CONNECT ||
		ntsign_smb1_next_command(message, len, &at, &command);
}

/*
 * Why this request must not come to a session that signs. Without a key it
 * cannot: smbd has none for some NT4-style requests, and does not ask the
 * password check that is wrapped.
 */
static const char *sign_refusal(const struct ntsign_connection *c,
				const uint8_t *message, size_t len,
				size_t setup)
{
	const struct ntsign_smb1_session_setup *request = c->setup.request;

	if (request == NULL || c->xconn->protocol < PROTOCOL_NT1) {
		return not_seen;
	}
	if (chain_unusual(message, len, setup)) {
		return "more than a tree connect is chained to it";
	}
	if (request->extended) {
		return NULL;	/* told when it has been authenticated */
	}
	if (request_anonymous(request, c->setup.flags2, message)) {
		return column_requires(c) ? anonymous_session : NULL;
	}
	if (!c->xconn->smb1.negprot.encrypted_passwords ||
	    (request->lm_response_len != 0 &&
	     request->lm_response_len != 24)) {
		return "a session with a plain text password cannot sign";
	}
	return NULL;
}

static const char system_down[] =
	"the emulated outage has taken the system down";

NTSTATUS ntsign_enforce_status(const char *refusal)
{
	return refusal == system_down ? NT_STATUS_INSUFF_SERVER_RESOURCES :
					NT_STATUS_ACCESS_DENIED;
}

bool ntsign_enforce_setup(struct ntsign_connection *c,
			  const struct ntsign_smb1_header *header,
			  const uint8_t *message, size_t len, size_t setup)
{
	bool promised = ntsign_smb1_signature_promised(header);

	if (c->signing_started) {
		/* signing belongs to the connection: [MS-CIFS] 3.1.1.1 */
		c->setup.action = NTSIGN_ACTION_SIGN;
		return true;
	}
	c->setup.action = ntsign_policy_smb1_decide(c->column, header->flags2,
						    promised);
	switch (c->setup.action) {
	case NTSIGN_ACTION_SIGN:
		c->setup.refusal = sign_refusal(c, message, len, setup);
		if (!signing_state_set(c, true, true, true)) {
			c->setup.refusal = no_memory;
		}
		break;
	case NTSIGN_ACTION_NOT_SIGN:
		if (!signing_state_set(c, false, false, false)) {
			c->setup.refusal = no_memory;
		}
		break;
	case NTSIGN_ACTION_REFUSE:
		c->setup.refusal = column_requires(c) ?
			"the client does not sign" :
			"the client requires signing, which this server does "
			"not do";
		if (!signing_state_column(c)) {
			c->setup.refusal = no_memory;
		}
		break;
	}
	if (c->setup.refusal == NULL && ntsign_registry_system_down()) {
		c->setup.refusal = system_down;
	}
	return c->setup.refusal == NULL;
}

const char *ntsign_enforce_leg(const struct ntsign_connection *c)
{
	if (!ntsign_enforcing()) {
		return NULL;
	}
	if (c == NULL) {
		return not_known;
	}
	if (ntsign_registry_system_down()) {
		return system_down;
	}
	if (ntsign_connection_is_smb2(c)) {
		bool required = (c->xconn->smb2.server.security_mode &
				 SMB2_NEGOTIATE_SIGNING_REQUIRED) != 0;

		return (column_requires(c) && !required) ?
			"this channel does not require signing" : NULL;
	}
	if (c->setup.seen) {
		return c->setup.refusal;
	}
	/*
	 * Inside Samba's encryption for UNIX extensions: smbd has decrypted
	 * it with the key of a session that stands.
	 */
	if (c->encrypted && (ntsign_signature_on(c) || !column_requires(c))) {
		return NULL;
	}
	return not_seen;
}

const char *ntsign_enforce_session(const struct ntsign_connection *c,
				   enum security_user_level level,
				   bool has_key, bool reauthentication)
{
	const char *leg = ntsign_enforce_leg(c);
	bool smb2;

	if (leg != NULL || !ntsign_enforcing()) {
		return leg;
	}
	smb2 = ntsign_connection_is_smb2(c);
	if (smb2 ? reauthentication : c->signing_started) {
		/* the key is the session's first, or the connection's */
		return NULL;
	}
	if (level < SECURITY_USER) {
		if (!column_requires(c)) {
			return NULL;
		}
		return level == SECURITY_GUEST ?
			"a guest session cannot sign" : anonymous_session;
	}
	if (smb2 || c->setup.action != NTSIGN_ACTION_SIGN) {
		return NULL;
	}
	if (reauthentication) {
		return "a session that is not signed does not become so";
	}
	return has_key ? NULL : "the session has no key to sign with";
}

const char *ntsign_enforce_tree(const struct ntsign_connection *c,
				const struct ntsign_session *s)
{
	const struct smbXsrv_session_global *global = NULL;

	if (!ntsign_enforcing()) {
		return NULL;
	}
	if (c == NULL || (s == NULL && !c->encrypted)) {
		return "the session was not looked at";
	}
	if (!column_requires(c)) {
		return NULL;
	}
	if (!ntsign_connection_is_smb2(c)) {
		return ntsign_signature_on(c) ? NULL :
			"the connection is not signed";
	}
	global = s->session->global;
	if ((global->signing_flags & SMBXSRV_SIGNING_REQUIRED) ||
	    (global->encryption_flags & (SMBXSRV_ENCRYPTION_REQUIRED |
					 SMBXSRV_ENCRYPTION_DESIRED))) {
		return NULL;
	}
	return "the session is not signed";
}

/* ---- an answer of the module's own ---- */

static bool frame_take(struct ntsign_connection *c, size_t full)
{
	uint8_t *frame = talloc_array(c, uint8_t, full);
	ssize_t n;

	if (frame == NULL) {
		return false;
	}
	/* it has been looked at in the socket: there is nothing to wait for */
	n = recv(c->xconn->transport.sock, frame, full, MSG_DONTWAIT);
	TALLOC_FREE(frame);
	return n == (ssize_t)full;
}

void ntsign_enforce_answer(struct ntsign_connection *c,
			   const uint8_t *message, size_t len,
			   uint32_t sequence, NTSTATUS error)
{
	struct smbXsrv_connection *xconn = c->xconn;
	struct ntsign_smb1_header header = { .command = 0, };
	uint8_t answer[NTSIGN_SMB1_ERROR_LEN];
	NTSTATUS status = NT_STATUS_OK;

	if (!ntsign_smb1_header_parse(message, len, &header) ||
	    !ntsign_smb1_error(message, len, NT_STATUS_V(error), c->nt_status,
			       answer) ||
	    !frame_take(c, NTSIGN_NBT_HEADER_LEN + len)) {
		exit_server_cleanly("ntsign: a refused request is not whole");
	}
	if (header.command == NTSIGN_SMB1_NT_CANCEL) {
		return;		/* has no response: [MS-CIFS] 2.2.4.65.2 */
	}
	if (sequence != 0) {
		status = smb1_signing_sign_pdu(
			xconn->smb1.signing_state,
			answer + NTSIGN_NBT_HEADER_LEN,
			sizeof(answer) - NTSIGN_NBT_HEADER_LEN, sequence);
	}
	if (!NT_STATUS_IS_OK(status) ||
	    write_data(xconn->transport.sock, answer, sizeof(answer)) !=
		    sizeof(answer)) {
		exit_server_cleanly("ntsign: an answer could not be sent");
	}
}
