/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign check`: the servers that the module is not for.
 *
 * Invariant: the words are those that smb.conf(5) and smbd take for an Active
 * Directory domain controller; `server role = auto' never becomes one.
 */
#include <strings.h>

#include "check.h"

void ntsign_check_role(struct ntsign_check *check)
{
	static const char *const words[] = {
		"active directory domain controller", "domain controller",
		"dc",
	};
	const struct ntsign_conf_item *item = ntsign_conf_global(
		check->conf, "serverrole");
	bool enforces = ntsign_check_enforces(check) || check->more_was_meant;
	size_t i;

	for (i = 0; item != NULL && i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(item->value, words[i]) != 0) {
			continue;
		}
		ntsign_check_add(check,
			enforces ? NTSIGN_SEVERITY_ERROR : NTSIGN_SEVERITY_NOTE,
			item, "server role = %s: the module cannot take part "
			"on an Active Directory domain controller, and %s",
			item->value, enforces ?
			"smbd refuses every connection" : "observes nothing");
		return;
	}
}
