/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign check`: what an erroneous value was probably meant to be.
 *
 * Invariant: only values that the module does not take are looked at, so
 * that a guess here never speaks against a value that is right.
 */
#include <string.h>

#include "check.h"

/* Whether white space and then one of the characters stand in a text. */
static bool space_before(const char *text, const char *characters)
{
	const char *p = text;

	for (p = strpbrk(p, " \t"); p != NULL; p = strpbrk(p, " \t")) {
		p += strspn(p, " \t");
		if (*p != '\0' && strchr(characters, *p) != NULL) {
			return true;
		}
	}
	return false;
}

static bool is_rules(const struct ntsign_conf_item *item)
{
	return strcmp(item->key, "ntsign:signingrules") == 0;
}

void ntsign_check_value(struct ntsign_check *check,
			const struct ntsign_conf_item *item)
{
	/* a semicolon may stand between rules */
	if (space_before(item->value, is_rules(item) ? "#" : "#;")) {
		ntsign_check_add(check, NTSIGN_SEVERITY_NOTE, item,
			"smb.conf knows comments on lines of their own only: "
			"what looks like one here is part of the value");
	}
	if (is_rules(item) && (space_before(item->value, "=@") ||
			       strstr(item->value, "= ") != NULL)) {
		ntsign_check_add(check, NTSIGN_SEVERITY_NOTE, item,
			"there is no white space inside a rule: write "
			"ADDRESS=STATE");
	}
}
