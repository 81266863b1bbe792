/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The module's one entry point, called for each of the two lines of
 * smb.conf: `preload modules` when smbd has a new connection and has read
 * nothing from it, `vfs objects` at the first tree connect.
 *
 * Invariant: nothing of smbd's is looked into before it is proved that smbd
 * is the build this module was made for; what can fail is done first, and
 * what smbd then holds a pointer to is registered last.
 */
#include "module.h"
#include "handover.h"
#include "imports.h"
#include "ntsign/samba.h"

#include <dlfcn.h>

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

struct ntsign_module *ntsign;

/*
 * Whether smbd is the build that the module's headers describe, as far as can
 * be told now; layout.h has the rest. `missing`: a function that it has not
 * got, or NULL.
 */
static bool same_build(const char *missing)
{
	struct smbXsrv_client *client = global_smbXsrv_client;

	if (ntsign_layouts_differ) {
		return false;
	}
	if (!ntsign_samba_fits(NTSIGN_SAMBA_VERSION_STRING,
			       samba_version_string())) {
		missing = "version";
	}
	if (missing != NULL) {
		ntsign_layout_differs(missing, 0, 0);
		return false;
	}
	if (!ntsign_config_fits()) {
		ntsign_layout_differs("struct loadparm_global", 0, 0);
		return false;
	}
	if (client == NULL) {
		return true;
	}
	return ntsign_layout_fits(NTSIGN_LAYOUT_CLIENT, client) &&
	       (client->connections == NULL ||
		ntsign_layout_fits(NTSIGN_LAYOUT_CONNECTION,
				   client->connections)) &&
	       (client->sconn == NULL ||
		ntsign_layout_fits(NTSIGN_LAYOUT_SERVER, client->sconn));
}

/* The mode as smbd knows it; a value that is none is not an audit. */
bool ntsign_mode_is_audit(void)
{
	const char *mode = lp_parm_const_string(-1, "ntsign", "mode", "audit");

	return strequal(mode, "audit");
}

/*
 * Another smbd than the module's: an audit must not get in anybody's way,
 * and whoever asks for more is not served without it.
 */
static NTSTATUS init_other_build(bool preload)
{
	if (ntsign_mode_is_audit()) {
		return preload ? NT_STATUS_OK :
			ntsign_tree_register_inert(smb_register_vfs);
	}
	if (preload) {
		exit_server_cleanly("ntsign: refusing a connection: the "
				    "module is not made for this smbd");
	}
	return NT_STATUS_REVISION_MISMATCH;
}

/*
 * Whether smb.conf preloads this file. At the preload stage it does, in every
 * Samba; and where it does, that stage is the first that this file sees.
 */
static bool is_preloaded(void)
{
	const char **modules = lp_preload_modules();
	Dl_info own = { .dli_fname = NULL };
	size_t i;

	if (modules == NULL || dladdr(&ntsign, &own) == 0 ||
	    own.dli_fname == NULL) {
		return false;
	}
	for (i = 0; modules[i] != NULL; i++) {
		if (strcmp(modules[i], own.dli_fname) == 0) {
			return true;
		}
	}
	return false;
}

static void refuse_connection(void)
{
	DBG_ERR("ntsign: refusing the connection: see the ntsign: options "
		"named above\n");
	exit_server_cleanly("ntsign: refused by its options");
}

/* The connection is there and nothing has been read from it. */
static NTSTATUS init_preload(struct smbXsrv_connection *xconn)
{
	struct ntsign_module *module = NULL;
	NTSTATUS status;

	if (ntsign != NULL) {
		DBG_WARNING("ntsign: preload modules names ntsign.so twice; "
			    "once is enough\n");
		return NT_STATUS_OK;
	}
	module = talloc_zero(NULL, struct ntsign_module);
	if (module == NULL || !ntsign_config_load(module)) {
		exit_server_cleanly("ntsign: no memory");
	}
	module->sink = ntsign_sink_open(module, module->options);
	if (module->sink == NULL) {
		exit_server_cleanly("ntsign: no memory");
	}
	module->state = ntsign_state_open(module);
	if (!ntsign_credential_load(module)) {
		exit_server_cleanly("ntsign: no memory");
	}

	/* From here on this file stays loaded, come what may. */
	ntsign = module;
	status = ntsign_gensec_hook();
	if (NT_STATUS_IS_OK(status)) {
		status = ntsign_connection_attach(module, xconn);
	}
	if (!NT_STATUS_IS_OK(status)) {
		DBG_ERR("ntsign: cannot observe this connection: %s\n",
			nt_errstr(status));
		if (module->options->mode != NTSIGN_MODE_AUDIT) {
			exit_server_cleanly("ntsign: cannot take part");
		}
		return NT_STATUS_OK;
	}
	ntsign_audit_begin(module->connections);
	if (ntsign_options_refuse(module->options, &module->findings)) {
		refuse_connection();
	}
	return NT_STATUS_OK;
}

/*
 * samba-tool and other Python programs open shares through the VFS too, and
 * keep Samba's libraries out of the global scope: the module's references
 * to them, which are weak, stay empty there. No client is served by such a
 * process.
 */
static bool samba_is_hidden(void)
{
	return dlsym(RTLD_DEFAULT, "smb_register_vfs") == NULL;
}

static NTSTATUS init_hidden(void)
{
	ntsign_register_fn register_fn = NULL;
	void *handle = NULL;

	handle = dlopen(NTSIGN_SMBD_LIBRARY, RTLD_NOW | RTLD_NOLOAD);
	if (handle != NULL) {
		register_fn = (ntsign_register_fn)dlsym(handle,
							"smb_register_vfs");
	}
	if (register_fn == NULL) {
		return NT_STATUS_NOT_SUPPORTED;
	}
	return ntsign_tree_register_inert(register_fn);
}

_PUBLIC_ NTSTATUS samba_init_module(TALLOC_CTX *ctx)
{
	static bool called;
	const char *missing = ntsign_imports_resolve();
	struct smbXsrv_client *client = NULL;
	bool first = !called;

	if (samba_is_hidden()) {
		return init_hidden();
	}
	client = global_smbXsrv_client;
	called = true;
	if (!ntsign_samba_fits(NTSIGN_SAMBA_VERSION_STRING,
			       samba_version_string()) &&
	    ntsign_handover(ctx, samba_version_string())) {
		return NT_STATUS_OK;
	}
	if (!same_build(missing)) {
		if (ntsign_handover_is_kept()) {
			return NT_STATUS_REVISION_MISMATCH;
		}
		/* Told without a look into smbd's structures. */
		return init_other_build(first && client != NULL &&
					is_preloaded());
	}
	if (client == NULL || client->connections == NULL ||
	    client->connections->protocol != PROTOCOL_NONE) {
		return ntsign_tree_register();
	}
	return init_preload(client->connections);
}
