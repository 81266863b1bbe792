/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ntsign: options as smbd has loaded them.
 *
 * Invariant: smbd's own parametric list is read, never its lenient getters,
 * so that a misspelt option or a bad value cannot pass for a default.
 */
#include "module.h"
#include "lib/param/param_global.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

/*
 * The part of a parametric option's name behind "ntsign:", or NULL when it
 * is another module's. smb.conf's names disregard case and white space.
 */
static const char *own_name(const char *key)
{
	const char *prefix = "ntsign:";

	while (*prefix != '\0') {
		if (isspace((unsigned char)*key)) {
			key++;
			continue;
		}
		if (tolower((unsigned char)*key) != *prefix) {
			return NULL;
		}
		key++;
		prefix++;
	}
	return key;
}

static void log_findings(const struct ntsign_option_findings *findings)
{
	size_t i;

	for (i = 0; i < findings->count; i++) {
		const struct ntsign_option_finding *f = &findings->list[i];

		if (ntsign_option_is_error(f->problem)) {
			DBG_ERR("ntsign: %s\n", f->message);
		} else {
			DBG_NOTICE("ntsign: %s\n", f->message);
		}
	}
}

bool ntsign_config_fits(void)
{
	const struct loadparm_global *globals = loadparm_s3_helpers()->globals;

	return globals->rpc_low_port == lp_rpc_low_port() &&
	       globals->rpc_high_port == lp_rpc_high_port();
}

bool ntsign_config_load(struct ntsign_module *module)
{
	const struct loadparm_s3_helpers *helpers = loadparm_s3_helpers();
	struct ntsign_setting *settings = NULL;
	struct parmlist_entry *entry = NULL;
	size_t count = 0;
	size_t i = 0;

	for (entry = helpers->globals->param_opt;
	     entry != NULL;
	     entry = entry->next) {
		count++;
	}
	settings = talloc_array(module, struct ntsign_setting, count);
	if (settings == NULL) {
		return false;
	}
	for (entry = helpers->globals->param_opt;
	     entry != NULL;
	     entry = entry->next) {
		const char *name = own_name(entry->key);

		if (name == NULL) {
			continue;
		}
		settings[i].name = name;
		settings[i].value = entry->value;
		i++;
	}
	module->options = ntsign_options_parse(module, settings, i,
					       &module->findings);
	TALLOC_FREE(settings);
	if (module->options == NULL) {
		return false;
	}
	log_findings(&module->findings);
	return true;
}

bool ntsign_config_bad_value(struct ntsign_module *module, const char *option,
			     const char *value, const char *why)
{
	struct ntsign_option_findings *findings = &module->findings;
	struct ntsign_option_finding *list = talloc_realloc(
		module, findings->list, struct ntsign_option_finding,
		findings->count + 1);
	struct ntsign_option_finding *f = NULL;

	if (list == NULL) {
		return false;
	}
	findings->list = list;
	f = &list[findings->count];
	*f = (struct ntsign_option_finding) {
		.problem = NTSIGN_OPTION_BAD_VALUE,
		.option = talloc_asprintf(list, "ntsign:%s", option),
		.value = ntsign_text_string(list, value),
		.setting = -1,
	};
	if (f->option == NULL || f->value == NULL) {
		return false;
	}
	f->message = talloc_asprintf(list, "%s = %s: %s", f->option, f->value,
				     why);
	if (f->message == NULL) {
		return false;
	}
	findings->count++;
	DBG_ERR("ntsign: %s\n", f->message);
	return true;
}

char *ntsign_config_substitute(TALLOC_CTX *mem_ctx, const char *value)
{
	return lpcfg_substituted_string(
		mem_ctx, loadparm_s3_global_substitution(), value);
}

char *ntsign_config_audit_file(TALLOC_CTX *mem_ctx,
			       const struct ntsign_options *options)
{
	const struct loadparm_substitution *lp_sub =
		loadparm_s3_global_substitution();
	char *log_file = NULL;
	char *slash = NULL;
	char *path = NULL;

	if (options->audit_file != NULL) {
		return ntsign_config_substitute(mem_ctx, options->audit_file);
	}
	log_file = lp_logfile(mem_ctx, lp_sub);
	if (log_file == NULL) {
		return NULL;
	}
	slash = strrchr(log_file, '/');
	if (slash == NULL) {
		path = talloc_asprintf(mem_ctx, "%s/ntsign.jsonl",
				       get_dyn_LOGFILEBASE());
	} else {
		path = talloc_asprintf(mem_ctx, "%.*s/ntsign.jsonl",
				       (int)(slash - log_file), log_file);
	}
	TALLOC_FREE(log_file);
	return path;
}
