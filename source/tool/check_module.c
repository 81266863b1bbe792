/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether the module's files are there, and made for the Samba that is
 * installed and for the one that runs.
 *
 * What a version string cannot tell, the module finds out when smbd loads it:
 * whether a revision's patches have changed a structure.
 *
 * Invariant: a file is said to fit, or not to, only where both sides of the
 * comparison have been read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "ntsign/samba.h"
#include "ntsign_config.h"
#include "object.h"

#define BUILDER "/usr/sbin/ntsign-build"
#define CRYPTO "ntsign-crypto.so"

/* The line that loads the module, for what is wrong with its file. */
static const struct ntsign_conf_item *loading_item(
	const struct ntsign_check *check)
{
	const struct ntsign_conf_item *item =
		ntsign_conf_global(check->conf, "preloadmodules");

	return item != NULL ? item :
		ntsign_conf_last(check->conf, "vfsobjects", "vfsobject");
}

/* What comes of it that smbd has no module that fits. */
static const char *without_module(const struct ntsign_check *check)
{
	return ntsign_check_enforces(check) || check->more_was_meant ?
		"nobody gets in" : "nothing is recorded";
}

/* How to get one. */
static const char *how_to_get(struct ntsign_check *check)
{
	if (access(ntsign_check_path(check, BUILDER), X_OK) == 0) {
		return "ntsign-build makes it for the Samba that is installed";
	}
	return "install the package samba-vfs-ntsign that goes with this "
		"Samba, or build it";
}

/* ---- ntsign-crypto.so ---- */

/* Where the module looks for it, by where the module is. */
static char *crypto_path(struct ntsign_check *check)
{
	static const char vfs[] = "/vfs";
	const char *slash = strrchr(check->module, '/');
	size_t len = slash != NULL ? (size_t)(slash - check->module) : 0;

	if (len > strlen(vfs) && strncmp(slash - strlen(vfs), vfs,
					 strlen(vfs)) == 0) {
		return talloc_asprintf(check, "%.*s/ntsign/" CRYPTO,
				       (int)(len - strlen(vfs)),
				       check->module);
	}
	return talloc_asprintf(check, "%.*s/" CRYPTO, (int)len,
			       check->module);
}

static bool same_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void check_crypto(struct ntsign_check *check,
			 const struct ntsign_object *module)
{
	static const char consequence[] =
		"the numbers of bad signatures stay unknown, and with "
		"ntsign:server certificate set nobody gets in where more than "
		"an audit is asked for";
	char *path = crypto_path(check);
	struct ntsign_object *crypto = NULL;
	int error;

	if (path == NULL) {
		check->no_memory = true;
		return;
	}
	crypto = ntsign_object_read(check, ntsign_check_path(check, path),
				    NULL);
	error = errno;
	if (crypto == NULL) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR,
			loading_item(check), "%s: %s: %s; %s", path,
			strerror(error), consequence, how_to_get(check));
	} else if (!crypto->noted || !crypto->shared) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR,
			loading_item(check),
			"%s is no part of ntsign: %s; %s", path, consequence,
			how_to_get(check));
	} else if (!same_text(crypto->module, module->module) ||
		   !same_text(crypto->samba, module->samba)) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR,
			loading_item(check),
			"%s is of ntsign %s for Samba %s, and %s of ntsign %s "
			"for Samba %s: the files of one build belong together",
			path, crypto->module != NULL ? crypto->module : "?",
			crypto->samba != NULL ? crypto->samba : "?",
			check->module,
			module->module != NULL ? module->module : "?",
			module->samba != NULL ? module->samba : "?");
	}
	TALLOC_FREE(crypto);
}

/* ---- ntsign.so ---- */

/* NULL: there is none that smbd could load, and that has been said. */
static struct ntsign_object *read_module(struct ntsign_check *check)
{
	struct ntsign_object *module = ntsign_object_read(
		check, ntsign_check_path(check, check->module), NULL);

	int error = errno;

	if (module == NULL && geteuid() != 0 &&
	    (error == EACCES || (check->pid != 0 && check->root[0] == '\0'))) {
		/* smbd may have mounts of its own */
		ntsign_check_add(check, NTSIGN_SEVERITY_NOTE,
			loading_item(check),
			"%s: %s: whether smbd finds it there only root can "
			"tell", check->module, strerror(error));
		return NULL;
	}
	if (module == NULL) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR,
			loading_item(check), "%s: %s: %s%s; %s",
			check->module, strerror(error),
			without_module(check),
			ntsign_check_enforces(check) ? "" :
			", and smbd refuses every tree connect to a share "
			"with ntsign in its `vfs objects'", how_to_get(check));
		return NULL;
	}
	if (!module->shared || !module->noted || !module->entry ||
	    module->samba == NULL) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR,
			loading_item(check), "%s is %s: %s; %s",
			check->module,
			!module->shared ? "no shared object that smbd can load" :
			!module->entry ? "no module of Samba" :
			"no module of ntsign that says what it was made for",
			without_module(check), how_to_get(check));
		TALLOC_FREE(module);
		return NULL;
	}
	ntsign_check_tell(check, check->module,
			  "ntsign %s, records %s, made for Samba %s",
			  module->module != NULL ? module->module : "?",
			  module->record != NULL ? module->record : "?",
			  module->samba);
	return module;
}

/* ---- a module that is kept ---- */

/*
 * The module that is kept for an smbd, which the installed one hands its
 * connections over to; NULL where there is none.
 */
static const char *kept_for(struct ntsign_check *check, const char *samba)
{
	static const char vfs[] = "/vfs/ntsign.so";
	size_t len = strlen(check->module);
	struct ntsign_object *kept = NULL;
	const char *path = NULL;

	if (len <= strlen(vfs) ||
	    strcmp(check->module + len - strlen(vfs), vfs) != 0) {
		return NULL;
	}
	path = talloc_asprintf(check, "%.*s/ntsign/%.*s/ntsign.so",
			       (int)(len - strlen(vfs)), check->module,
			       (int)ntsign_samba_release_len(samba), samba);
	if (path == NULL) {
		check->no_memory = true;
		return NULL;
	}
	kept = ntsign_object_read(check, ntsign_check_path(check, path), NULL);
	if (kept == NULL || !kept->shared || !kept->noted || !kept->entry ||
	    kept->samba == NULL || !ntsign_samba_fits(kept->samba, samba)) {
		path = NULL;
	}
	TALLOC_FREE(kept);
	return path;
}

/* ---- the Sambas ---- */

/* What the version strings leave open. */
static const char *left_open(const char *samba)
{
	return ntsign_samba_revision(samba) == NULL ?
		"; of which revision its package is that does not say: "
		"structures are compared when smbd loads the module" :
		"; structures are compared when smbd loads the module";
}

static void check_installed(struct ntsign_check *check,
			    const struct ntsign_object *module,
			    const char *installed)
{
	if (installed == NULL) {
		return;
	}
	if (ntsign_samba_fits(module->samba, installed)) {
		ntsign_check_tell(check, check->module,
				  "fits the smbd that is installed, %s%s",
				  installed, left_open(installed));
		return;
	}
	ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, loading_item(check),
		"%s is made for Samba %s, and the smbd that is installed is "
		"%s: %s%s; %s", check->module, module->samba, installed,
		check->pid != 0 && check->replaced ?
			"once smbd is restarted " : "",
		without_module(check), how_to_get(check));
}

static void check_running(struct ntsign_check *check,
			  const struct ntsign_object *module,
			  const char *installed)
{
	const char *running = check->running;
	const char *kept = NULL;
	bool fits;

	if (check->pid == 0 || running == NULL) {
		return;
	}
	fits = ntsign_samba_fits(module->samba, running);
	if (!fits && !check->replaced && same_text(installed, running)) {
		return;		/* it has been said of the one installed */
	}
	if (!fits) {
		kept = kept_for(check, running);
	}
	if (kept != NULL) {
		ntsign_check_add(check, NTSIGN_SEVERITY_WARNING,
			loading_item(check),
			"%s is made for Samba %s, and the smbd that is running "
			"(%u) is %s: %s, which is kept for it, takes its "
			"connections over; restart it: systemctl restart smbd",
			check->module, module->samba, check->pid, running,
			kept);
	} else if (fits && !check->replaced) {
		ntsign_check_tell(check, check->module,
				  "fits the smbd that is running (%u), %s",
				  check->pid, running);
	} else if (fits) {
		ntsign_check_add(check, NTSIGN_SEVERITY_WARNING,
			loading_item(check),
			"files of the smbd that is running (%u), %s, have been "
			"replaced since it was started%s%s: the module fits "
			"it, but restart it: systemctl restart smbd",
			check->pid, running,
			installed != NULL ? ", now by " : "",
			installed != NULL ? installed : "");
	} else {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR,
			loading_item(check),
			"%s is made for Samba %s, and the smbd that is running "
			"(%u) is %s: %s%s", check->module, module->samba,
			check->pid, running, without_module(check),
			check->replaced ? " until it is restarted: systemctl "
					  "restart smbd" : "");
	}
}

static void tell_connections(struct ntsign_check *check)
{
	if (check->connections_stale == 0) {
		return;
	}
	ntsign_check_tell(check, check->module,
			  "%u of %u connections that are open have the module "
			  "that was there before; they keep it to their end, "
			  "new ones have this one",
			  check->connections_stale, check->connections);
}

void ntsign_check_module(struct ntsign_check *check)
{
	struct ntsign_object *module = read_module(check);
	const char *installed = NULL;

	if (module == NULL) {
		return;
	}
	ntsign_check_look_at_running(check, module->samba);
	installed = ntsign_check_installed(check, module->samba);
	check_crypto(check, module);
	check_installed(check, module, installed);
	check_running(check, module, installed);
	tell_connections(check);
	TALLOC_FREE(module);
}
