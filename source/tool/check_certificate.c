/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign check`: the certificate of `ntsign:server certificate`.
 *
 * Invariant: it is read by what the module reads it with.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "ntsign/certificate.h"

/* As smbd sees it; root may read what others may not. */
static void check_file(struct ntsign_check *check,
		       const struct ntsign_conf_item *item, const char *path)
{
	uint8_t digest[NTSIGN_CERTIFICATE_DIGEST_LEN] = { 0 };
	const char *why = NULL;
	const char *seen = talloc_asprintf(check, "%s%s", check->root, path);

	if (seen == NULL) {
		check->no_memory = true;
		return;
	}
	if (geteuid() != 0 && access(seen, R_OK) == -1 && errno == EACCES) {
		ntsign_check_add(check, NTSIGN_SEVERITY_NOTE, item,
			"server certificate %s: whether it can be read only "
			"root can tell", path);
		return;
	}
	if (!ntsign_certificate_digest(seen, digest, &why)) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
			"server certificate %s: %s", path, why);
	}
}

void ntsign_check_certificate(struct ntsign_check *check)
{
	const struct ntsign_options *options = check->options;
	const struct ntsign_conf_item *item = ntsign_conf_global(
		check->conf, "ntsign:servercertificate");

	if (options == NULL || options->server_certificate == NULL ||
	    options->credential_handles == NTSIGN_QUIRK_OFF) {
		return;
	}
	if (strchr(options->server_certificate, '%') != NULL) {
		ntsign_check_add(check, NTSIGN_SEVERITY_NOTE, item,
			"server certificate %s: not checked, since only smbd "
			"knows what its %% variables stand for",
			options->server_certificate);
		return;
	}
	check_file(check, item, options->server_certificate);
}
