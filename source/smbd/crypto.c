/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The part of the module that needs OpenSSL, in an object of its own.
 *
 * Invariant: it is loaded once, and only into a process that has need of it:
 * smbd has no libcrypto otherwise; and nothing of one that belongs to another
 * ntsign.so is called, which an upgrade may have put there meanwhile.
 */
#include "module.h"

#include <dlfcn.h>

#include "handover.h"
#include "ntsign/crypto.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

typedef uint32_t (*abi_fn)(uint32_t module);

/* NULL, with the reason in the log, where there is none that fits. */
static void *crypto_load(void)
{
	char path[PATH_MAX];
	void *handle = NULL;
	abi_fn fn = NULL;
	uint32_t abi = 0;

	if (snprintf(path, sizeof(path), "%s/ntsign-crypto.so",
		     ntsign_handover_directory()) >= (int)sizeof(path)) {
		return NULL;
	}
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		DBG_ERR("ntsign: %s\n", dlerror());
		return NULL;
	}
	fn = (abi_fn)dlsym(handle, "ntsign_crypto_abi");
	abi = (fn != NULL) ? fn(NTSIGN_CRYPTO_ABI) : 0;
	if (abi != NTSIGN_CRYPTO_ABI) {
		DBG_ERR("ntsign: %s is of another ntsign than the "
			"ntsign.so of this connection: it is not used; new "
			"connections have what is installed now\n", path);
		dlclose(handle);
		return NULL;
	}
	return handle;
}

void *ntsign_crypto_symbol(const char *name)
{
	static void *handle;
	static bool tried;

	if (!tried) {
		tried = true;
		handle = crypto_load();
	}
	return (handle != NULL) ? dlsym(handle, name) : NULL;
}
