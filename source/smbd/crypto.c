/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The part of the module that needs OpenSSL, in an object of its own.
 *
 * Invariant: it is loaded once, and only into a process that has need of it:
 * smbd has no libcrypto otherwise.
 */
#include "module.h"

#include <dlfcn.h>

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

void *ntsign_crypto_symbol(const char *name)
{
	static void *handle;
	static bool tried;

	if (!tried) {
		tried = true;
		handle = dlopen(NTSIGN_MODULESDIR "/ntsign/ntsign-crypto.so",
				RTLD_NOW | RTLD_LOCAL);
		if (handle == NULL) {
			DBG_ERR("ntsign: %s\n", dlerror());
		}
	}
	return (handle != NULL) ? dlsym(handle, name) : NULL;
}
