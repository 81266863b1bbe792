/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign check`: options whose name is meant for the module and does not
 * reach it.
 *
 * Invariant: smbd and testparm pass over these without a word, since any
 * prefix may be some module's; what is named here is one slip away from ours.
 */
#include <string.h>
#include <strings.h>

#include "check.h"

/* Longer than any prefix that is looked at. */
#define PREFIX_MAX 16

/* Whether a and b differ by one letter that was added, left out or exchanged,
 * or by two neighbours that changed places. */
static bool one_slip(const char *a, size_t a_len, const char *b)
{
	size_t b_len = strlen(b);
	size_t head = 0;
	size_t tail = 0;

	while (head < a_len && head < b_len && a[head] == b[head]) {
		head++;
	}
	while (tail < a_len - head && tail < b_len - head &&
	       a[a_len - 1 - tail] == b[b_len - 1 - tail]) {
		tail++;
	}
	a_len -= head + tail;
	b_len -= head + tail;
	if (a_len <= 1 && b_len <= 1) {
		return true;
	}
	return a_len == 2 && b_len == 2 && a[head] == b[head + 1] &&
	       a[head + 1] == b[head];
}

/* The key of an option, past "vfs_" and the like; its prefix's length. */
static const char *without_vfs(const char *key, size_t *len)
{
	*len = strcspn(key, ":");
	if (strncmp(key, "vfs", 3) == 0 && *len > 3) {
		size_t skipped = 3 + strspn(key + 3, "_-.");

		key += skipped;
		*len -= skipped;
	}
	return key;
}

/* Whether a key is none of ours and looks as if it were to be. */
static bool is_near(const char *key)
{
	size_t len = 0;
	const char *prefix = NULL;

	if (strchr(key, ':') == NULL) {
		return false;
	}
	prefix = without_vfs(key, &len);
	return len < PREFIX_MAX && one_slip(prefix, len, "ntsign");
}

static void check_name(struct ntsign_check *check,
		       const struct ntsign_conf_item *item)
{
	const char *option = strchr(item->name, ':');

	if (ntsign_check_is_option(item)) {
		if (item->section != NULL) {
			ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
				"%s has no effect in [%s], only in [global]",
				item->name, item->section);
		}
	} else if (is_near(item->key)) {
		option++;
		option += strspn(option, " \t");
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
			"%s: smbd ignores it; did you mean ntsign:%s?",
			item->name, option);
	} else if (strncmp(item->key, "ntsign", 6) == 0) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
			"%s: smbd ignores it; options of the module start "
			"with ntsign:", item->name);
	}
}

void ntsign_check_names(struct ntsign_check *check)
{
	size_t i;

	for (i = 0; i < check->conf->count; i++) {
		if (check->conf->items[i].key != NULL) {
			check_name(check, &check->conf->items[i]);
		}
	}
}
