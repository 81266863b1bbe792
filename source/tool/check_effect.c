/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign check`: what other options of smb.conf and the module's make of
 * each other.
 *
 * Invariant: nothing here is an error: smbd and the module do what is
 * written, and it may not be what was meant.
 */
#include <string.h>
#include <strings.h>
#include <time.h>

#include "check.h"
#include "ntsign/cover.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static bool word_in(const char *word, const char *const *words, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcasecmp(word, words[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* ---- the rules ---- */

/* Whether there is a rule for every client, and for good. */
static bool rules_for_all(struct ntsign_check *check)
{
	const struct ntsign_options *options = check->options;
	size_t count = options->signing_rules_count;
	struct ntsign_rule *rules = talloc_zero_array(
		check, struct ntsign_rule, count + 1);
	bool *hidden = talloc_zero_array(check, bool, count + 1);
	bool all = false;

	if (rules == NULL || hidden == NULL) {
		check->no_memory = true;
		return false;
	}
	if (count > 0) {
		memcpy(rules, options->signing_rules, count * sizeof(rules[0]));
	}
	/* would another one get a turn? */
	rules[count].block.any = true;
	if (ntsign_rules_hidden(rules, count + 1, time(NULL), hidden)) {
		all = hidden[count];
	} else {
		check->no_memory = true;
	}
	TALLOC_FREE(rules);
	TALLOC_FREE(hidden);
	return all;
}

/* Whether some client has to sign. */
static bool signing_required(const struct ntsign_check *check, bool for_all)
{
	static const char *const words[] = {
		"mandatory", "required", "force", "forced", "enforced",
	};
	const struct ntsign_options *options = check->options;
	const struct ntsign_conf_item *item =
		ntsign_conf_global(check->conf, "serversigning");
	time_t now = time(NULL);
	size_t i;

	for (i = 0; i < options->signing_rules_count; i++) {
		const struct ntsign_rule *rule = &options->signing_rules[i];
		bool live = rule->until == 0 || now < rule->until;

		if (live && rule->signing == NTSIGN_SIGNING_REQUIRED) {
			return true;
		}
	}
	return !for_all && item != NULL &&
	       word_in(item->value, words, ARRAY_LEN(words));
}

static void check_rules(struct ntsign_check *check)
{
	bool for_all = rules_for_all(check);
	const struct ntsign_conf_item *signing =
		ntsign_conf_global(check->conf, "serversigning");
	const struct ntsign_conf_item *guest =
		ntsign_conf_global(check->conf, "maptoguest");

	if (for_all && signing != NULL) {
		ntsign_check_add(check, NTSIGN_SEVERITY_NOTE, signing,
			"server signing = %s: without effect, there is a rule "
			"of ntsign:signing rules for every client",
			signing->value);
	}
	if (guest != NULL && strcasecmp(guest->value, "never") != 0 &&
	    signing_required(check, for_all)) {
		ntsign_check_add(check, NTSIGN_SEVERITY_NOTE, guest,
			"map to guest = %s: a guest cannot sign and is "
			"refused where signing is required", guest->value);
	}
}

/* Enforcing that leaves everybody as before. */
static void check_nobody_must(struct ntsign_check *check)
{
	const struct ntsign_conf_item *rules =
		ntsign_conf_global(check->conf, "ntsign:signingrules");
	const struct ntsign_conf_item *signing =
		ntsign_conf_global(check->conf, "serversigning");

	if (check->options->mode == NTSIGN_MODE_ENFORCE &&
	    (rules == NULL || rules->value[0] == '\0') &&
	    (signing == NULL || strcasecmp(signing->value, "default") == 0)) {
		ntsign_check_add(check, NTSIGN_SEVERITY_NOTE,
			ntsign_conf_global(check->conf, "ntsign:mode"),
			"ntsign:mode = enforce: nobody must sign, as there are "
			"no ntsign:signing rules and server signing has its "
			"default");
	}
}

/* ---- SMB1 ---- */

/* The unpatched columns are SMB1's. */
static void check_unpatched(struct ntsign_check *check)
{
	static const char *const smb1[] = {
		"NT1", "LANMAN2", "LANMAN1", "CORE", "COREPLUS", "CORE+",
	};
	const struct ntsign_conf_item *item = ntsign_conf_last(
		check->conf, "serverminprotocol", "minprotocol");

	if (check->options->server_patched) {
		return;
	}
	if (item == NULL) {
		ntsign_check_add(check, NTSIGN_SEVERITY_NOTE,
			ntsign_conf_global(check->conf, "ntsign:server"),
			"ntsign:server = unpatched: without effect, there is "
			"no SMB1 without `server min protocol = NT1'");
	} else if (!word_in(item->value, smb1, ARRAY_LEN(smb1))) {
		ntsign_check_add(check, NTSIGN_SEVERITY_NOTE, item,
			"%s = %s: there is no SMB1, and "
			"ntsign:server = unpatched is without effect",
			item->name, item->value);
	}
}

/* ---- what the module cannot see, or changes ---- */

static void check_echo_handler(struct ntsign_check *check)
{
	const struct ntsign_conf_item *item =
		ntsign_conf_global(check->conf, "asyncsmbechohandler");

	if (item == NULL || !ntsign_conf_true(item->value)) {
		return;
	}
	if (ntsign_check_enforces(check)) {
		ntsign_check_add(check, NTSIGN_SEVERITY_NOTE, item,
			"async smb echo handler = %s: without effect, the "
			"module switches it off in mode %s", item->value,
			ntsign_mode_name(check->options->mode));
	} else {
		ntsign_check_add(check, NTSIGN_SEVERITY_NOTE, item,
			"async smb echo handler = %s: SMB1 requests that come "
			"while smbd is busy go through another process, and "
			"the module does not see the signatures of those",
			item->value);
	}
}

static void check_channels(struct ntsign_check *check)
{
	const struct ntsign_conf_item *item =
		ntsign_conf_global(check->conf, "servermultichannelsupport");

	if (item == NULL || !ntsign_conf_true(item->value)) {
		return;
	}
	ntsign_check_add(check, NTSIGN_SEVERITY_NOTE, item,
		"server multi channel support = %s: a client's further "
		"channels are handed to its first smbd process; their "
		"session setups are recorded, what they offered is not",
		item->value);
}

static void check_sections(struct ntsign_check *check)
{
	size_t i;

	for (i = 0; i < check->conf->count; i++) {
		const struct ntsign_conf_item *item = &check->conf->items[i];

		if (item->section != NULL && item->key != NULL &&
		    strcmp(item->key, "preloadmodules") == 0) {
			ntsign_check_add(check, NTSIGN_SEVERITY_WARNING, item,
				"`preload modules' has no effect in [%s], "
				"only in [global]", item->section);
		}
	}
}

void ntsign_check_effects(struct ntsign_check *check)
{
	if (ntsign_check_enforces(check)) {
		check_rules(check);
		check_nobody_must(check);
		check_unpatched(check);
	}
	check_echo_handler(check);
	check_channels(check);
	check_sections(check);
}
