/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The module that is kept for another Samba: handover.h.
 */
#include "module.h"
#include "handover.h"
#include "ntsign/samba.h"

#include <dlfcn.h>

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

#define DIRECTORY NTSIGN_MODULESDIR "/ntsign"

typedef NTSTATUS (*init_fn)(TALLOC_CTX *ctx);

/* This file's name as it was loaded, or NULL. */
static const char *own_path(void)
{
	Dl_info own = { .dli_fname = NULL };

	return dladdr(&ntsign, &own) != 0 ? own.dli_fname : NULL;
}

bool ntsign_handover_is_kept(void)
{
	const char *own = own_path();

	return own != NULL &&
	       strncmp(own, DIRECTORY "/", sizeof(DIRECTORY)) == 0;
}

const char *ntsign_handover_directory(void)
{
	static char directory[PATH_MAX];
	const char *own = own_path();
	const char *slash = NULL;

	if (!ntsign_handover_is_kept()) {
		return DIRECTORY;
	}
	slash = strrchr(own, '/');
	if (slash == NULL || (size_t)(slash - own) >= sizeof(directory)) {
		return DIRECTORY;
	}
	(void)snprintf(directory, sizeof(directory), "%.*s",
		       (int)(slash - own), own);
	return directory;
}

static init_fn kept_init(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	init_fn fn = NULL;

	if (handle == NULL) {
		DBG_ERR("ntsign: %s\n", dlerror());
		return NULL;
	}
	fn = (init_fn)dlsym(handle, "samba_init_module");
	if (fn == NULL) {
		DBG_ERR("ntsign: %s is no module\n", path);
		dlclose(handle);
	}
	return fn;
}

bool ntsign_handover(TALLOC_CTX *ctx, const char *version)
{
	static bool tried;
	static init_fn init;

	if (!tried) {
		int len = (int)ntsign_samba_release_len(version);
		char path[PATH_MAX];
		int ret = -1;

		tried = true;
		if (!ntsign_handover_is_kept() &&
		    memchr(version, '/', len) == NULL) {
			ret = snprintf(path, sizeof(path),
				       DIRECTORY "/%.*s/ntsign.so", len,
				       version);
		}
		if (ret > 0 && (size_t)ret < sizeof(path) &&
		    access(path, F_OK) == 0) {
			init = kept_init(path);
		}
	}
	if (init == NULL) {
		return false;
	}
	DBG_NOTICE("ntsign: made for Samba %s, this is %s: the module that is "
		   "kept for it takes over\n",
		   NTSIGN_SAMBA_VERSION_STRING, version);
	return NT_STATUS_IS_OK(init(ctx));
}
