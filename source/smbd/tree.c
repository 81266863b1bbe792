/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The VFS half: tree connects.
 *
 * Invariant: it hooks connect_fn and nothing else, and a share opened
 * without a client connection (Samba's RPC workers and tools) passes through before
 * anything of smbd's is looked at.
 */
#include "module.h"
#include "librpc/gen_ndr/smbXsrv.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_VFS

static struct vfs_fn_pointers tree_fns;

/* Whether another entry of `vfs objects` above this one is ntsign as well. */
static bool handled_above(const vfs_handle_struct *handle)
{
	const vfs_handle_struct *above = NULL;

	for (above = handle->conn->vfs_handles;
	     above != NULL && above != handle;
	     above = above->next) {
		if (above->fns == &tree_fns) {
			return true;
		}
	}
	return false;
}

/* The session that smbd connects a tree for, on any channel. */
static struct ntsign_session *tree_session(uint64_t vuid)
{
	struct ntsign_connection *c = NULL;
	struct ntsign_session *s = NULL;

	for (c = ntsign->connections; c != NULL; c = c->next) {
		for (s = c->sessions; s != NULL; s = s->next) {
			if (s->session->global->session_wire_id == vuid) {
				return s;
			}
		}
	}
	return NULL;
}

static bool record_tree(struct ntsign_connection *c, struct ntsign_session *s,
			const char *service, uint64_t vuid)
{
	struct ntsign_record *record = NULL;
	bool is_signed = false;
	bool encrypted = false;

	if (s != NULL && ntsign_connection_is_smb2(c)) {
		const struct smbXsrv_session_global *global =
			s->session->global;

		encrypted = (global->encryption_flags &
			     (SMBXSRV_PROCESSED_ENCRYPTED_PACKET |
			      SMBXSRV_ENCRYPTION_DESIRED)) != 0;
		is_signed = encrypted || (global->signing_flags &
					  SMBXSRV_SIGNING_REQUIRED) != 0;
	} else if (!ntsign_connection_is_smb2(c)) {
		is_signed = ntsign_signature_on(c);
	}
	record = ntsign_audit_start(c, NTSIGN_RECORD_TREE);
	ntsign_record_text(record, "event", "connected");
	ntsign_record_text(record, "dialect", ntsign_connection_dialect(c));
	ntsign_record_text(record, "share", service);
	ntsign_record_hex(record, "sessionId", vuid, 16);
	ntsign_record_text(record, "account", (s != NULL) ? s->account : NULL);
	ntsign_record_bool(record, "signed", is_signed);
	ntsign_record_bool(record, "encrypted", encrypted);
	return ntsign_audit_finish(c, record, false, NTSIGN_EVENTS_ALL);
}

/*
 * The preload half did not take part in this connection. An audit says so
 * and lets the client in; where more than an audit is asked for, or the
 * options are in error, nobody is served unprotected.
 */
static int tree_connect_alone(vfs_handle_struct *handle, const char *service,
			      const char *user)
{
	static struct ntsign_module *alone;
	bool refuse = true;

	if (alone == NULL) {
		alone = talloc_zero(NULL, struct ntsign_module);
		if (alone != NULL && !ntsign_config_load(alone)) {
			TALLOC_FREE(alone);
		}
	}
	if (alone != NULL) {
		refuse = alone->options->mode != NTSIGN_MODE_AUDIT ||
			ntsign_options_refuse(alone->options,
					      &alone->findings);
	}
	DBG_ERR("ntsign: %s share %s: this line is missing from smb.conf's "
		"[global], or names another file: preload modules = %s\n",
		refuse ? "refusing" : "not auditing", service,
		NTSIGN_MODULESDIR "/vfs/ntsign.so");
	if (refuse) {
		errno = EACCES;
		return -1;
	}
	return SMB_VFS_NEXT_CONNECT(handle, service, user);
}

/* smbd is not what the module was made for, and the log says so. */
static int tree_connect_unknown(vfs_handle_struct *handle,
				const char *service, const char *user)
{
	if (!ntsign_mode_is_audit()) {
		errno = EACCES;
		return -1;
	}
	return SMB_VFS_NEXT_CONNECT(handle, service, user);
}

static int tree_connect(vfs_handle_struct *handle, const char *service,
			const char *user)
{
	connection_struct *conn = handle->conn;
	struct ntsign_connection *c = NULL;
	struct ntsign_session *s = NULL;
	const char *refusal = NULL;

	if (global_smbXsrv_client == NULL) {
		return SMB_VFS_NEXT_CONNECT(handle, service, user);
	}
	if (!ntsign_layout_fits(NTSIGN_LAYOUT_SHARE, conn)) {
		return tree_connect_unknown(handle, service, user);
	}
	if (conn->sconn == NULL || conn->sconn->client == NULL ||
	    handled_above(handle)) {
		return SMB_VFS_NEXT_CONNECT(handle, service, user);
	}
	if (ntsign == NULL) {
		return tree_connect_alone(handle, service, user);
	}
	for (c = ntsign->connections; c != NULL; c = c->next) {
		ntsign_session_settle(c);
	}
	if (ntsign_layouts_differ) {
		return tree_connect_unknown(handle, service, user);
	}
	s = tree_session(conn->vuid);
	c = (s != NULL) ? s->connection : ntsign->connections;
	refusal = ntsign_enforce_tree(c, s);
	if (refusal != NULL) {
		DBG_ERR("ntsign: refusing share %s: %s\n", service, refusal);
		errno = EACCES;
		return -1;
	}
	if (c == NULL) {
		return SMB_VFS_NEXT_CONNECT(handle, service, user);
	}
	if (s != NULL) {
		ntsign_signature_proof(s);
	}
	if (!record_tree(c, s, service, conn->vuid) &&
	    ntsign->options->on_audit_failure == NTSIGN_FAILURE_REFUSE) {
		DBG_ERR("ntsign: refusing share %s: its record could not be "
			"written and ntsign:on audit failure = refuse\n",
			service);
		errno = EACCES;
		return -1;
	}
	return SMB_VFS_NEXT_CONNECT(handle, service, user);
}

static struct vfs_fn_pointers tree_fns = {
	.connect_fn = tree_connect,
};

NTSTATUS ntsign_tree_register(void)
{
	NTSTATUS status = smb_register_vfs(SMB_VFS_INTERFACE_VERSION,
					   "ntsign", &tree_fns);

	if (NT_STATUS_EQUAL(status, NT_STATUS_OBJECT_TYPE_MISMATCH)) {
		/* only here does smbd tell its own */
		ntsign_layout_differs("SMB_VFS_INTERFACE_VERSION", 0, 0);
		if (ntsign_mode_is_audit()) {
			return ntsign_tree_register_inert(smb_register_vfs);
		}
	}
	return status;
}

NTSTATUS ntsign_tree_register_inert(ntsign_register_fn register_fn)
{
	/*
	 * A table without a single function passes everything through in
	 * every release, if it is at least as large as that release's.
	 */
	static union {
		struct vfs_fn_pointers fns;
		uint8_t room[16384];
	} inert;
	NTSTATUS status;
	int version;

	status = register_fn(SMB_VFS_INTERFACE_VERSION, "ntsign", &inert.fns);
	for (version = 40; version < 80 && !NT_STATUS_IS_OK(status);
	     version++) {
		status = register_fn(version, "ntsign", &inert.fns);
	}
	return status;
}
