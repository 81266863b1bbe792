/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests the strict reading of the ntsign: options.
 *
 * Invariant: the table of options stands here once more, as CONTRACT has it,
 * and every finding is compared with its whole message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ntsign/option.h"
#include "failing_malloc.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* 2026-11-20 20:01:33 UTC */
#define NOW 1795204893

static const struct ntsign_option_info contract[] = {
	{ "mode", "audit, enforce, emulate", "audit" },
	{ "server", "patched, unpatched", "patched" },
	{ "signing rules", "list of ADDRESS=STATE[@YYYY-MM-DD]", "empty" },
	{ "unpatched clients", "list of ADDRESS", "empty" },
	{ "minimum key bits", "0, 40, 56, 128", "0" },
	{ "signing counter", "off, detect, emulate, fix", "detect" },
	{ "signing counter skew", "1 to 8", "1" },
	{ "bad signature", "disconnect, access denied", "disconnect" },
	{ "key strength", "off, detect, emulate", "detect" },
	{ "credential handles", "off, emulate, fix", "off" },
	{ "server certificate", "PEM file, with smb.conf's % substitutions",
	  "none" },
	{ "credential hold", "0 to 10000 ms", "20" },
	{ "remote registry", "off, detect, emulate, fix", "detect" },
	{ "remote registry scope", "registry, system", "registry" },
	{ "audit file", "path, % substitutions allowed",
	  "ntsign.jsonl in the directory of log file" },
	{ "audit syslog", "yes, no", "no" },
	{ "audit events", "mismatch, session, all", "session" },
	{ "on audit failure", "continue, refuse",
	  "refuse in enforce, else continue" },
};

static void test_table(void **state)
{
	size_t i = 0;

	(void)state;
	assert_int_equal(ntsign_option_count, ARRAY_LEN(contract));
	for (i = 0; i < ARRAY_LEN(contract); i++) {
		assert_string_equal(ntsign_option_table[i].name,
				    contract[i].name);
		assert_string_equal(ntsign_option_table[i].values,
				    contract[i].values);
		assert_string_equal(ntsign_option_table[i].default_value,
				    contract[i].default_value);
	}
}

static struct ntsign_options *parse(TALLOC_CTX *ctx,
				    const struct ntsign_setting *settings,
				    size_t count,
				    struct ntsign_option_findings *findings)
{
	struct ntsign_options *options = NULL;

	options = ntsign_options_review(ctx, settings, count, NOW, findings);
	assert_non_null(options);
	assert_ptr_equal(talloc_parent(options), ctx);
	if (findings->count > 0) {
		assert_ptr_equal(talloc_parent(findings->list), ctx);
	} else {
		assert_null(findings->list);
	}
	return options;
}

/* One setting alone, and its findings as text. */
static struct ntsign_options *parse_one(TALLOC_CTX *ctx, const char *name,
					const char *value, char **findings)
{
	static const char *const problems[] = {
		[NTSIGN_OPTION_UNKNOWN] = "unknown",
		[NTSIGN_OPTION_BAD_VALUE] = "bad",
		[NTSIGN_OPTION_CONFLICT] = "conflict",
		[NTSIGN_OPTION_NOTE] = "note",
	};
	const struct ntsign_setting setting = { name, value };
	struct ntsign_option_findings found = { .count = 0 };
	struct ntsign_options *options = NULL;
	size_t i = 0;

	options = parse(ctx, &setting, 1, &found);
	*findings = talloc_strdup(ctx, "");
	for (i = 0; i < found.count; i++) {
		const struct ntsign_option_finding *f = &found.list[i];
		const char *start = talloc_asprintf(ctx, "%s = %s: ",
						    f->option, f->value);

		assert_int_equal(f->setting, 0);
		assert_memory_equal(f->message, start, strlen(start));
		*findings = talloc_asprintf_append(*findings, "%s%s: %s",
						   i > 0 ? "\n" : "",
						   problems[f->problem],
						   f->message);
	}
	return options;
}

static void test_defaults(void **state)
{
	struct ntsign_option_findings findings = { .count = 99 };
	struct ntsign_options *options = NULL;

	(void)state;
	options = parse(NULL, NULL, 0, &findings);
	assert_int_equal(findings.count, 0);
	assert_int_equal(options->mode, NTSIGN_MODE_AUDIT);
	assert_true(options->server_patched);
	assert_int_equal(options->signing_rules_count, 0);
	assert_int_equal(options->unpatched_clients_count, 0);
	assert_int_equal(options->minimum_key_bits, 0);
	assert_int_equal(options->signing_counter, NTSIGN_QUIRK_DETECT);
	assert_int_equal(options->signing_counter_skew, 1);
	assert_int_equal(options->bad_signature,
			 NTSIGN_BAD_SIGNATURE_DISCONNECT);
	assert_int_equal(options->key_strength, NTSIGN_QUIRK_DETECT);
	assert_int_equal(options->credential_handles, NTSIGN_QUIRK_OFF);
	assert_null(options->server_certificate);
	assert_int_equal(options->credential_hold, 20);
	assert_int_equal(options->remote_registry, NTSIGN_QUIRK_DETECT);
	assert_int_equal(options->remote_registry_scope,
			 NTSIGN_SCOPE_REGISTRY);
	assert_null(options->audit_file);
	assert_false(options->audit_syslog);
	assert_int_equal(options->audit_events, NTSIGN_EVENTS_SESSION);
	assert_int_equal(options->on_audit_failure, NTSIGN_FAILURE_CONTINUE);
	assert_false(ntsign_options_refuse(options, &findings));
	talloc_free(options);
}

#define NOT_MODE "not one of audit, enforce, emulate"
#define NEEDS_EMULATE "needs ntsign:mode = emulate"
#define NOT_FROM_32 "the part behind / is not a number from 0 to 32"

/* One setting alone: what is found, and what it is worth in the options,
 * read by `get`; worth is the default's where there is an error. */
static const struct {
	const char *name;
	const char *value;
	const char *findings;
	size_t offset;
	int worth;
} ones[] = {
#define AT(field) offsetof(struct ntsign_options, field)
	{ "mode", "audit", "", AT(mode), NTSIGN_MODE_AUDIT },
	{ "MO de", " AUDIT\t", "", AT(mode), NTSIGN_MODE_AUDIT },
	{ "mode", "enforce", "", AT(mode), NTSIGN_MODE_ENFORCE },
	{ "mode", "Emulate", "", AT(mode), NTSIGN_MODE_EMULATE },
	{ "mode", "aud", "bad: ntsign:mode = aud: " NOT_MODE, AT(mode),
	  NTSIGN_MODE_AUDIT },
	{ "mode", "audit enforce", "bad: ntsign:mode = audit enforce: "
	  NOT_MODE, AT(mode), NTSIGN_MODE_AUDIT },
	{ "mode", "audit, enforce", "bad: ntsign:mode = audit, enforce: "
	  NOT_MODE, AT(mode), NTSIGN_MODE_AUDIT },
	{ "mode", "", "bad: ntsign:mode = : " NOT_MODE, AT(mode),
	  NTSIGN_MODE_AUDIT },
	{ "mode", "  ", "bad: ntsign:mode = : " NOT_MODE, AT(mode),
	  NTSIGN_MODE_AUDIT },
	{ "mode", "a\x01\x7F\xC2\x85\xC2\xA0\xFF\n\xC3\xBC",
	  "bad: ntsign:mode = a\\x01\\x7F\\x85\xC2\xA0\xEF\xBF\xBD\\x0A"
	  "\xC3\xBC: "
	  NOT_MODE, AT(mode), NTSIGN_MODE_AUDIT },

	{ "server", "patched", "", AT(server_patched), 1 },
	{ "server", "unpatched", "conflict: ntsign:server = unpatched: "
	  NEEDS_EMULATE, AT(server_patched), 1 },
	{ "server", "yes", "bad: ntsign:server = yes: not one of patched, "
	  "unpatched", AT(server_patched), 1 },

	{ "signing rules", "", "", AT(signing_rules_count), 0 },
	{ "signing rules", " ,; \t\n", "", AT(signing_rules_count), 0 },
	{ "signing rules", "10.0.0.1=required",
	  "note: ntsign:signing rules = 10.0.0.1=required: rules have no "
	  "effect in audit mode", AT(signing_rules_count), 1 },
	{ "signing rules", "10.0.0.1/8=required, *=enabled;::1=sometimes",
	  "bad: ntsign:signing rules = 10.0.0.1/8=required: the address has "
	  "bits set behind those that count\n"
	  "bad: ntsign:signing rules = ::1=sometimes: the state is not one "
	  "of required, enabled, disabled", AT(signing_rules_count), 0 },
	{ "signing rules", "\"10.0.0.1\"=required",
	  "bad: ntsign:signing rules = \"10.0.0.1\"=required: not a numeric "
	  "IPv4 or IPv6 address", AT(signing_rules_count), 0 },
	{ "signing rules", "10.0.0.1 = required",
	  "bad: ntsign:signing rules = 10.0.0.1: not of the form "
	  "ADDRESS=STATE[@YYYY-MM-DD]\n"
	  "bad: ntsign:signing rules = =: not a numeric IPv4 or IPv6 "
	  "address\n"
	  "bad: ntsign:signing rules = required: not of the form "
	  "ADDRESS=STATE[@YYYY-MM-DD]", AT(signing_rules_count), 0 },

	{ "unpatched clients", "", "", AT(unpatched_clients_count), 0 },
	{ "unpatched clients", "10.0.0.0/8 ::1,11.0.0.0/8", "",
	  AT(unpatched_clients_count), 3 },
#define NOTHING_NEW(n, m) "number " n " adds nothing: number " m " covers it"
	{ "unpatched clients", "10.0.0.0/8 ::1,*",
	  "note: ntsign:unpatched clients = 10.0.0.0/8: "
	  NOTHING_NEW("1", "3") "\n"
	  "note: ntsign:unpatched clients = ::1: " NOTHING_NEW("2", "3"),
	  AT(unpatched_clients_count), 3 },
	{ "unpatched clients", "10.0.0.0/8 10.1.0.0/16 ::ffff:10.0.0.0/104",
	  "note: ntsign:unpatched clients = 10.1.0.0/16: "
	  NOTHING_NEW("2", "1") "\n"
	  "note: ntsign:unpatched clients = ::ffff:10.0.0.0/104: "
	  NOTHING_NEW("3", "1"), AT(unpatched_clients_count), 3 },
	{ "unpatched clients", ", 1.1.1.1,,2.2.2.2 ,", "",
	  AT(unpatched_clients_count), 2 },
	{ "unpatched clients", "* * *",
	  "note: ntsign:unpatched clients = *: " NOTHING_NEW("2", "1") "\n"
	  "note: ntsign:unpatched clients = *: " NOTHING_NEW("3", "1"),
	  AT(unpatched_clients_count), 3 },
	{ "unpatched clients", "10.0.0.0/33 nt4box 10.0.0.1",
	  "bad: ntsign:unpatched clients = 10.0.0.0/33: " NOT_FROM_32 "\n"
	  "bad: ntsign:unpatched clients = nt4box: not a numeric IPv4 or "
	  "IPv6 address", AT(unpatched_clients_count), 0 },

#define RECORDED "weaker keys are recorded, to refuse them needs " \
	"ntsign:mode = enforce"
	{ "minimum key bits", "0", "", AT(minimum_key_bits), 0 },
	{ "minimum key bits", "40", "note: ntsign:minimum key bits = 40: "
	  RECORDED, AT(minimum_key_bits), 40 },
	{ "minimum key bits", "56", "note: ntsign:minimum key bits = 56: "
	  RECORDED, AT(minimum_key_bits), 56 },
	{ "minimum key bits", "128", "note: ntsign:minimum key bits = 128: "
	  RECORDED, AT(minimum_key_bits), 128 },
	{ "minimum key bits", "64", "bad: ntsign:minimum key bits = 64: not "
	  "one of 0, 40, 56, 128", AT(minimum_key_bits), 0 },
	{ "minimum key bits", "056", "bad: ntsign:minimum key bits = 056: "
	  "not one of 0, 40, 56, 128", AT(minimum_key_bits), 0 },

	{ "signing counter", "off", "", AT(signing_counter),
	  NTSIGN_QUIRK_OFF },
	{ "signing counter", "detect", "", AT(signing_counter),
	  NTSIGN_QUIRK_DETECT },
	{ "signing counter", "emulate", "conflict: ntsign:signing counter = "
	  "emulate: " NEEDS_EMULATE, AT(signing_counter),
	  NTSIGN_QUIRK_DETECT },
	{ "signing counter", "fix", "", AT(signing_counter),
	  NTSIGN_QUIRK_FIX },
	{ "signing counter", "on", "bad: ntsign:signing counter = on: not "
	  "one of off, detect, emulate, fix", AT(signing_counter),
	  NTSIGN_QUIRK_DETECT },

#define SKEW "ntsign:signing counter skew"
#define SKEW_IDLE "without effect unless ntsign:signing counter = emulate"
#define SKEW_BAD "not a whole number in the range 1 to 8"
	{ "signing counter skew", "1", "note: " SKEW " = 1: " SKEW_IDLE,
	  AT(signing_counter_skew), 1 },
	{ "signing counter skew", " 8 ", "note: " SKEW " = 8: " SKEW_IDLE,
	  AT(signing_counter_skew), 8 },
	{ "signing counter skew", "0", "bad: " SKEW " = 0: " SKEW_BAD,
	  AT(signing_counter_skew), 1 },
	{ "signing counter skew", "9", "bad: " SKEW " = 9: " SKEW_BAD,
	  AT(signing_counter_skew), 1 },
	{ "signing counter skew", "02", "bad: " SKEW " = 02: " SKEW_BAD,
	  AT(signing_counter_skew), 1 },
	{ "signing counter skew", "+2", "bad: " SKEW " = +2: " SKEW_BAD,
	  AT(signing_counter_skew), 1 },
	{ "signing counter skew", "-2", "bad: " SKEW " = -2: " SKEW_BAD,
	  AT(signing_counter_skew), 1 },
	{ "signing counter skew", "2:", "bad: " SKEW " = 2:: " SKEW_BAD,
	  AT(signing_counter_skew), 1 },
	{ "signing counter skew", "0x2", "bad: " SKEW " = 0x2: " SKEW_BAD,
	  AT(signing_counter_skew), 1 },
	{ "signing counter skew", "2.0", "bad: " SKEW " = 2.0: " SKEW_BAD,
	  AT(signing_counter_skew), 1 },
	{ "signing counter skew", "", "bad: " SKEW " = : " SKEW_BAD,
	  AT(signing_counter_skew), 1 },
	{ "signing counter skew", "4294967298", "bad: " SKEW
	  " = 4294967298: " SKEW_BAD, AT(signing_counter_skew), 1 },

	{ "bad signature", "disconnect", "", AT(bad_signature),
	  NTSIGN_BAD_SIGNATURE_DISCONNECT },
	{ "bad signature", " Access \t denied ",
	  "conflict: ntsign:bad signature = Access \\x09 denied: "
	  NEEDS_EMULATE, AT(bad_signature),
	  NTSIGN_BAD_SIGNATURE_DISCONNECT },
	{ "bad signature", "accessdenied", "bad: ntsign:bad signature = "
	  "accessdenied: not one of disconnect, access denied",
	  AT(bad_signature), NTSIGN_BAD_SIGNATURE_DISCONNECT },
	{ "bad signature", "disconnect,", "bad: ntsign:bad signature = "
	  "disconnect,: not one of disconnect, access denied",
	  AT(bad_signature), NTSIGN_BAD_SIGNATURE_DISCONNECT },

	{ "key strength", "off", "", AT(key_strength), NTSIGN_QUIRK_OFF },
	{ "key strength", "detect", "", AT(key_strength),
	  NTSIGN_QUIRK_DETECT },
	{ "key strength", "emulate", "conflict: ntsign:key strength = "
	  "emulate: " NEEDS_EMULATE, AT(key_strength), NTSIGN_QUIRK_DETECT },
	{ "key strength", "fix", "bad: ntsign:key strength = fix: not one "
	  "of off, detect, emulate", AT(key_strength),
	  NTSIGN_QUIRK_DETECT },

	{ "credential handles", "off", "", AT(credential_handles),
	  NTSIGN_QUIRK_OFF },
	{ "credential handles", "detect", "bad: ntsign:credential handles = "
	  "detect: not one of off, emulate, fix", AT(credential_handles),
	  NTSIGN_QUIRK_OFF },
	{ "credential handles", "emulate", "conflict: ntsign:credential "
	  "handles = emulate: " NEEDS_EMULATE, AT(credential_handles),
	  NTSIGN_QUIRK_OFF },
	{ "credential handles", "fix", "", AT(credential_handles),
	  NTSIGN_QUIRK_FIX },

#define HOLD "ntsign:credential hold"
#define HANDLES_OFF "without effect while ntsign:credential handles = off"
#define HOLD_BAD "not a whole number in the range 0 to 10000 ms"
	{ "credential hold", "0", "note: " HOLD " = 0: " HANDLES_OFF,
	  AT(credential_hold), 0 },
	{ "credential hold", "10000", "note: " HOLD " = 10000: " HANDLES_OFF,
	  AT(credential_hold), 10000 },
	{ "credential hold", "10001", "bad: " HOLD " = 10001: " HOLD_BAD,
	  AT(credential_hold), 20 },
	{ "credential hold", "20 ms", "bad: " HOLD " = 20 ms: " HOLD_BAD,
	  AT(credential_hold), 20 },

	{ "remote registry", "off", "", AT(remote_registry),
	  NTSIGN_QUIRK_OFF },
	{ "remote registry", "detect", "", AT(remote_registry),
	  NTSIGN_QUIRK_DETECT },
	{ "remote registry", "emulate", "conflict: ntsign:remote registry = "
	  "emulate: " NEEDS_EMULATE, AT(remote_registry),
	  NTSIGN_QUIRK_DETECT },
	{ "remote registry", "fix", "", AT(remote_registry),
	  NTSIGN_QUIRK_FIX },
	{ "remote registry scope", "system",
	  "note: ntsign:remote registry scope = system: without effect "
	  "unless ntsign:remote registry = emulate",
	  AT(remote_registry_scope), NTSIGN_SCOPE_SYSTEM },
	{ "remote registry scope", "all", "bad: ntsign:remote registry "
	  "scope = all: not one of registry, system",
	  AT(remote_registry_scope), NTSIGN_SCOPE_REGISTRY },

	{ "audit events", "mismatch", "", AT(audit_events),
	  NTSIGN_EVENTS_MISMATCH },
	{ "audit events", "session", "", AT(audit_events),
	  NTSIGN_EVENTS_SESSION },
	{ "audit events", "ALL", "", AT(audit_events), NTSIGN_EVENTS_ALL },
	{ "audit events", "sometimes", "bad: ntsign:audit events = "
	  "sometimes: not one of mismatch, session, all", AT(audit_events),
	  NTSIGN_EVENTS_SESSION },
	{ "on audit failure", "continue", "", AT(on_audit_failure),
	  NTSIGN_FAILURE_CONTINUE },
	{ "on audit failure", "refuse", "", AT(on_audit_failure),
	  NTSIGN_FAILURE_REFUSE },
	{ "on audit failure", "stop", "bad: ntsign:on audit failure = stop: "
	  "not one of continue, refuse", AT(on_audit_failure),
	  NTSIGN_FAILURE_CONTINUE },

	/* unknown ones, and what was meant */
#define NO_SUCH "there is no such option"
	{ "mod", "x", "unknown: ntsign:mod = x: " NO_SUCH
	  "; did you mean ntsign:mode?", AT(mode), 0 },
	{ "moed", "x", "unknown: ntsign:moed = x: " NO_SUCH
	  "; did you mean ntsign:mode?", AT(mode), 0 },
	{ "emod", "x", "unknown: ntsign:emod = x: " NO_SUCH, AT(mode), 0 },
	{ "modee", "x", "unknown: ntsign:modee = x: " NO_SUCH
	  "; did you mean ntsign:mode?", AT(mode), 0 },
	{ "mdxe", "x", "unknown: ntsign:mdxe = x: " NO_SUCH, AT(mode), 0 },
	{ "sxrvxr", "x", "unknown: ntsign:sxrvxr = x: " NO_SUCH
	  "; did you mean ntsign:server?", AT(mode), 0 },
	{ "modus operandi", "x", "unknown: ntsign:modus operandi = x: "
	  NO_SUCH, AT(mode), 0 },
	{ "signing_rules", "*=required", "unknown: ntsign:signing_rules = "
	  "*=required: " NO_SUCH "; did you mean ntsign:signing rules?",
	  AT(signing_rules_count), 0 },
	{ "Audit File Name", "/x", "unknown: ntsign:Audit File Name = /x: "
	  NO_SUCH, AT(mode), 0 },
	{ "signing counters", "x", "unknown: ntsign:signing counters = x: "
	  NO_SUCH "; did you mean ntsign:signing counter?", AT(mode), 0 },
	{ "audit file\x01", "\x1B[31m", "unknown: ntsign:audit file\\x01 = "
	  "\\x1B[31m: " NO_SUCH "; did you mean ntsign:audit file?",
	  AT(mode), 0 },
	{ "", "x", "unknown: ntsign: = x: " NO_SUCH, AT(mode), 0 },
	{ "ntsign:mode", "audit", "unknown: ntsign:ntsign:mode = audit: "
	  NO_SUCH, AT(mode), 0 },
	{ "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
	  "m", "x", "unknown: ntsign:mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
	  "mmmmmmmmmmmmmmmmmmmmmmmmmm = x: " NO_SUCH, AT(mode), 0 },
};

static void test_ones(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(ones); i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		char *findings = NULL;
		struct ntsign_options *options = NULL;
		const uint8_t *field = NULL;
		int worth = 0;

		options = parse_one(ctx, ones[i].name, ones[i].value,
				    &findings);
		if (strcmp(findings, ones[i].findings) != 0) {
			fail_msg("%s = %s:\n%s\nnot\n%s", ones[i].name,
				 ones[i].value, findings, ones[i].findings);
		}
		field = (const uint8_t *)options + ones[i].offset;
		if (ones[i].offset == AT(server_patched)) {
			worth = options->server_patched;
		} else if (ones[i].offset == AT(signing_rules_count) ||
			   ones[i].offset == AT(unpatched_clients_count))
		{
			worth = (int)*(const size_t *)field;
		} else {
			worth = *(const int *)field;
		}
		if (worth != ones[i].worth) {
			fail_msg("%s = %s: %d", ones[i].name, ones[i].value,
				 worth);
		}
		talloc_free(ctx);
	}
}

/* Every word that the table lists for an option is one of its values. */
static void test_words(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ntsign_option_count; i++) {
		const char *values = ntsign_option_table[i].values;
		TALLOC_CTX *ctx = talloc_new(NULL);
		char *list = talloc_strdup(ctx, values);
		char *word = list;

		if (strpbrk(values, "%=0123456789AP") != NULL &&
		    strncmp(values, "0, ", 3) != 0)
		{
			/* not a list of words */
			talloc_free(ctx);
			continue;
		}
		while (word != NULL) {
			char *next = strstr(word, ", ");
			char *findings = NULL;

			if (next != NULL) {
				*next = '\0';
				next += 2;
			}
			parse_one(ctx, ntsign_option_table[i].name, word,
				  &findings);
			if (strstr(findings, "bad:") != NULL ||
			    strstr(findings, "unknown:") != NULL)
			{
				fail_msg("%s", findings);
			}
			word = next;
		}
		talloc_free(ctx);
	}
}

/* Every default that is a value reads as what is there without it. */
static void test_default_values(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ntsign_option_count; i++) {
		const char *value = ntsign_option_table[i].default_value;
		TALLOC_CTX *ctx = talloc_new(NULL);
		struct ntsign_option_findings none = { .count = 0 };
		struct ntsign_options *plain = parse(ctx, NULL, 0, &none);
		struct ntsign_options *set = NULL;
		char *findings = NULL;

		if (strchr(value, ' ') == NULL &&
		    strcmp(value, "none") != 0 && strcmp(value, "empty") != 0)
		{
			set = parse_one(ctx, ntsign_option_table[i].name,
					value, &findings);
			assert_memory_equal(set, plain, sizeof(*set));
			assert_null(strstr(findings, "bad:"));
		}
		talloc_free(ctx);
	}
}

static const struct {
	const char *value;
	int worth;	/* -1: not a boolean */
} booleans[] = {
	{ "yes", 1 }, { "YES", 1 }, { "true", 1 }, { "1", 1 }, { "On", 1 },
	{ "no", 0 }, { "False", 0 }, { "0", 0 }, { " off ", 0 },
	{ "y", -1 }, { "yess", -1 }, { "2", -1 }, { "", -1 }, { "00", -1 },
	{ "maybe", -1 },
};

static void test_booleans(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(booleans); i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		char *findings = NULL;
		struct ntsign_options *options = NULL;

		options = parse_one(ctx, "audit syslog", booleans[i].value,
				    &findings);
		if (booleans[i].worth >= 0) {
			assert_string_equal(findings, "");
		} else {
			const char *wanted = talloc_asprintf(
				ctx, "bad: ntsign:audit syslog = %s: not one "
				"of yes, no", booleans[i].value);

			assert_string_equal(findings, wanted);
		}
		assert_int_equal(options->audit_syslog,
				 booleans[i].worth == 1);
		talloc_free(ctx);
	}
}

#define NO_PATH "not an absolute path; it takes a path, % substitutions " \
	"allowed"

static const struct {
	const char *value;
	const char *path;	/* NULL: not one */
	const char *findings;
} paths[] = {
	{ " /var/log/samba/ntsign %m.jsonl ",
	  "/var/log/samba/ntsign %m.jsonl", "" },
	{ "%L/x", "%L/x", "" },
	{ "/", "/", "" },
	{ "", NULL, "bad: ntsign:audit file = : " NO_PATH },
	{ "ntsign.jsonl", NULL, "bad: ntsign:audit file = ntsign.jsonl: "
	  NO_PATH },
	{ "./x", NULL, "bad: ntsign:audit file = ./x: " NO_PATH },
};

static void test_paths(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct ntsign_options *options = NULL;
	char *findings = NULL;
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(paths); i++) {
		options = parse_one(ctx, "audit file", paths[i].value,
				    &findings);
		assert_string_equal(findings, paths[i].findings);
		if (paths[i].path == NULL) {
			assert_null(options->audit_file);
			continue;
		}
		assert_string_equal(options->audit_file, paths[i].path);
		assert_ptr_equal(talloc_parent(options->audit_file),
				 options);
	}

	options = parse_one(ctx, "server certificate", "/etc/cert.pem",
			    &findings);
	assert_string_equal(options->server_certificate, "/etc/cert.pem");
	assert_string_equal(findings, "note: ntsign:server certificate = "
			    "/etc/cert.pem: " HANDLES_OFF);
	options = parse_one(ctx, "server certificate", "cert.pem",
			    &findings);
	assert_null(options->server_certificate);
	assert_string_equal(findings, "bad: ntsign:server certificate = "
			    "cert.pem: not an absolute path; it takes a PEM "
			    "file, with smb.conf's % substitutions");
	talloc_free(ctx);
}

static void test_lists(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct ntsign_options *options = NULL;
	struct ntsign_address address = { .len = 0 };
	char *findings = NULL;

	(void)state;
	options = parse_one(ctx, "signing rules",
			    "10.0.0.1=disabled@2026-11-20,10.0.0.0/8=enabled\t"
			    "*=required", &findings);
	assert_int_equal(options->signing_rules_count, 3);
	assert_ptr_equal(talloc_parent(options->signing_rules), options);
	assert_int_equal(options->signing_rules[0].until, 1795219200);
	assert_int_equal(options->signing_rules[0].signing,
			 NTSIGN_SIGNING_DISABLED);
	assert_int_equal(options->signing_rules[1].block.bits, 8);
	assert_true(options->signing_rules[2].block.any);

	options = parse_one(ctx, "unpatched clients",
			    "192.0.2.0/24 2001:db8::/32", &findings);
	assert_string_equal(findings, "");
	assert_int_equal(options->unpatched_clients_count, 2);
	assert_ptr_equal(talloc_parent(options->unpatched_clients), options);
	assert_true(ntsign_address_parse("192.0.2.7", &address));
	assert_true(ntsign_block_match(&options->unpatched_clients[0],
				       &address));
	assert_false(ntsign_block_match(&options->unpatched_clients[1],
					&address));
	talloc_free(ctx);
}

#define RULES "\nnote: ntsign:signing rules = "
#define EXPIRED(n, day) ": rule " n " has expired: its last day was " day \
	" (UTC)"
#define NEVER(n, m) ": rule " n " never matches: rule " m " in front of it " \
	"covers it"
#define TOGETHER(n, list) ": rule " n " never matches: rules in front of " \
	"it cover it together (" list ")"
#define SOON(n, day, left) ": rule " n " expires soon: its last day is " day \
	left " left"

/* The rules, and the notes behind the one on audit mode. */
static const struct {
	const char *value;
	const char *notes;
} rule_notes[] = {
	{ "10.0.0.1=required *=enabled", "" },
	{ "*=enabled 10.0.0.1=required", RULES "10.0.0.1=required"
	  NEVER("2", "1") },
	{ "10.0.0.0/8=enabled ::1=enabled 10.1.0.0/16=required "
	  "::1=disabled", RULES "10.1.0.0/16=required" NEVER("3", "1")
	  RULES "::1=disabled" NEVER("4", "2") },
	/* its day is NOW's */
	{ "*=enabled@2026-11-20", RULES "*=enabled@2026-11-20"
	  SOON("1", "today, 2026-11-20 (UTC), ", "0 days") },
	{ "*=enabled@2026-11-21", RULES "*=enabled@2026-11-21"
	  SOON("1", "2026-11-21 (UTC), ", "1 day") },
	{ "*=enabled@2026-12-20", RULES "*=enabled@2026-12-20"
	  SOON("1", "2026-12-20 (UTC), ", "30 days") },
	{ "*=enabled@2026-12-21", "" },
	{ "*=enabled@9999-12-31", "" },
	{ "::1=enabled, *=enabled@2026-11-19", RULES "*=enabled@2026-11-19"
	  EXPIRED("2", "2026-11-19") },
	{ "*=enabled@1970-01-01", RULES "*=enabled@1970-01-01"
	  EXPIRED("1", "1970-01-01") },
	/* an earlier one that ends leaves the later its turn */
	{ "*=enabled@2027-01-01 10.0.0.1=required", "" },
	{ "*=enabled@2027-01-01 10.0.0.1=required@2027-01-02", "" },
	{ "*=enabled@2027-01-01 10.0.0.1=required@2027-01-01", RULES
	  "10.0.0.1=required@2027-01-01" NEVER("2", "1") },
	{ "*=enabled@2027-01-02 10.0.0.1=required@2027-01-01", RULES
	  "10.0.0.1=required@2027-01-01" NEVER("2", "1") },
	/* what never matches is not said to end */
	{ "*=enabled 10.0.0.1=required@2026-12-01", RULES
	  "10.0.0.1=required@2026-12-01" NEVER("2", "1") },
	/* what has expired covers nothing, and is told only that */
	{ "*=enabled@2026-01-01 *=required", RULES
	  "*=enabled@2026-01-01" EXPIRED("1", "2026-01-01") },
	{ "*=enabled *=required@2026-01-01", RULES
	  "*=required@2026-01-01" EXPIRED("2", "2026-01-01") },
	/* the first that covers it is the one named */
	{ "10.0.0.0/8=enabled *=enabled 10.0.0.1=required", RULES
	  "10.0.0.1=required" NEVER("3", "1") },
	{ "::/0=enabled *=enabled 10.0.0.1=required", RULES
	  "10.0.0.1=required" NEVER("3", "2") },
	/* several together */
	{ "10.0.0.0/25=enabled 10.0.1.0/25=enabled 10.0.0.128/25=enabled "
	  "10.0.0.0/24=required", RULES "10.0.0.0/24=required"
	  TOGETHER("4", "1, 3") },
	{ "10.0.0.0/24=enabled@2027-01-01 10.0.0.0/26=enabled@2027-01-02 "
	  "10.0.0.0/25=enabled 10.0.0.128/25=enabled@2027-02-01 "
	  "10.0.0.0/24=required@2027-02-01",
	  RULES "10.0.0.0/24=required@2027-02-01" TOGETHER("5", "3, 4") },
	{ "0.0.0.0/2=enabled 64.0.0.0/2=disabled@2027-01-01 "
	  "64.0.0.0/2=disabled@2027-01-01 64.0.0.0/2=disabled "
	  "128.0.0.0/2=enabled 192.0.0.0/2=enabled ::/0=enabled *=required",
	  RULES "64.0.0.0/2=disabled@2027-01-01" NEVER("3", "2")
	  RULES "*=required" TOGETHER("8", "1, 4, 5, 6 and 1 more") },
};

static void test_rule_notes(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rule_notes); i++) {
		char *findings = NULL;
		const char *wanted = NULL;

		parse_one(ctx, "signing rules", rule_notes[i].value,
			  &findings);
		/* a long list is not shown in full */
		wanted = strchr(findings, '\n');
		if (strcmp(wanted != NULL ? wanted : "",
			   rule_notes[i].notes) != 0)
		{
			fail_msg("%s: %s", rule_notes[i].value, findings);
		}
	}
	talloc_free(ctx);
}

/* A rule has expired at the very second that its day ends. */
static void test_rule_end(void **state)
{
	const struct ntsign_setting setting = { "signing rules",
						"*=enabled@2026-11-20" };
	const time_t end = 1795219200;
	struct ntsign_option_findings findings = { .count = 0 };
	TALLOC_CTX *ctx = talloc_new(NULL);

	(void)state;
	ntsign_options_review(ctx, &setting, 1, end - 1, &findings);
	assert_int_equal(findings.count, 2);
	assert_non_null(strstr(findings.list[1].message, "expires soon"));
	ntsign_options_review(ctx, &setting, 1, end, &findings);
	assert_int_equal(findings.count, 2);
	assert_non_null(strstr(findings.list[1].message, "has expired"));
	talloc_free(ctx);
}

/* A long value is shown in part; characters stay whole. */
static void test_long_values(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char value[1024] = "";
	char *findings = NULL;
	char *shown = NULL;
	size_t i = 0;

	(void)state;
	for (i = 0; i < 100; i++) {
		memcpy(value + 2 * i, "\xC3\xBC", 2);
	}
	parse_one(ctx, "mode", value, &findings);
	shown = talloc_asprintf(ctx, "bad: ntsign:mode = %s: " NOT_MODE,
				value);
	assert_string_equal(findings, shown);

	value[200] = 'x';
	parse_one(ctx, "mode", value, &findings);
	value[200] = '\0';
	shown = talloc_asprintf(ctx, "bad: ntsign:mode = %s...: " NOT_MODE,
				value);
	assert_string_equal(findings, shown);

	/* the most that a value can come to: every character takes four */
	memset(value, 1, sizeof(value) - 1);
	parse_one(ctx, "mode", value, &findings);
	shown = talloc_strdup(ctx, "bad: ntsign:mode = ");
	for (i = 0; i < 100; i++) {
		shown = talloc_asprintf_append(shown, "\\x01");
	}
	shown = talloc_asprintf_append(shown, "...: " NOT_MODE);
	assert_string_equal(findings, shown);
	talloc_free(ctx);
}

/* Several settings: what is found, by setting, and whether to refuse. */
static const struct {
	const char *what;
	struct ntsign_setting settings[4];
	const char *findings;	/* problem digits and setting numbers */
	bool refuse;
} many[] = {
	{ "nothing wrong",
	  { { "mode", "audit" }, { "audit events", "all" } }, "", false },
	{ "unknown and bad in audit mode: go on",
	  { { "mode", "audit" }, { "mood", "x" }, { "audit events", "x" } },
	  "unknown 1, bad 2, ", false },
	{ "a conflict in audit mode: go on",
	  { { "mode", "audit" }, { "server", "unpatched" } },
	  "conflict 1, ", false },
	{ "notes only", { { "signing counter skew", "2" } }, "note 0, ",
	  false },
	{ "enforce", { { "mode", "enforce" } }, "", false },
	{ "enforce, and another error",
	  { { "mood", "x" }, { "mode", "enforce" } }, "unknown 0, ", true },
	{ "emulate allows these",
	  { { "server", "unpatched" }, { "bad signature", "access denied" },
	    { "mode", "emulate" } }, "", false },
	{ "and these",
	  { { "key strength", "emulate" }, { "remote registry", "emulate" },
	    { "mode", "emulate" } }, "", false },
	{ "and these",
	  { { "credential handles", "emulate" },
	    { "signing counter", "emulate" }, { "mode", "emulate" } },
	  "", false },
	{ "enforce does not",
	  { { "server", "unpatched" }, { "bad signature", "access denied" },
	    { "signing counter", "emulate" }, { "mode", "enforce" } },
	  "conflict 0, conflict 2, conflict 1, ", true },
	{ "a conflict comes first", { { "key strength", "emulate" },
	    { "mode", "audit" } }, "conflict 0, ", false },
	{ "repairs, in audit mode", { { "signing counter", "fix" } }, "",
	  false },
	{ "a repair that is made", { { "remote registry", "fix" } }, "",
	  false },
	{ "repairs, in enforce mode", { { "signing counter", "fix" },
	    { "credential handles", "fix" }, { "remote registry", "fix" },
	    { "mode", "enforce" } }, "", false },
	{ "rules in enforce mode", { { "signing rules", "*=required" },
	    { "mode", "enforce" } }, "", false },
	{ "weak keys are refused", { { "minimum key bits", "128" },
	    { "mode", "enforce" } }, "", false },
	{ "weak keys are recorded", { { "minimum key bits", "128" },
	    { "mode", "emulate" } }, "note 0, ", false },
	{ "a skew that counts", { { "mode", "emulate" },
	    { "signing counter", "emulate" },
	    { "signing counter skew", "3" } }, "", false },
	{ "a certificate that counts", { { "mode", "emulate" },
	    { "credential handles", "emulate" },
	    { "credential hold", "3" }, { "server certificate", "/x" } },
	  "", false },
	{ "a scope that counts", { { "mode", "emulate" },
	    { "remote registry", "emulate" },
	    { "remote registry scope", "system" } }, "", false },
	{ "a conflict makes no note of what hangs on it",
	  { { "signing counter", "emulate" },
	    { "signing counter skew", "3" } }, "conflict 0, ", false },
	{ "nor that of another quirk",
	  { { "credential handles", "emulate" }, { "credential hold", "3" },
	    { "remote registry", "emulate" },
	    { "remote registry scope", "system" } },
	  "conflict 0, conflict 2, ", false },
	{ "twice: the last one wins", { { "mode", "enforce" },
	    { "Mode", "audit" } }, "note 0, ", false },
	{ "twice, the first is bad", { { "mode", "x" },
	    { "mode", "audit" } }, "note 0, ", false },
	{ "twice, the last is bad", { { "mode", "enforce" },
	    { "mode", "x" } }, "bad 1, note 0, ", false },
	{ "enforce, nearly", { { "mode", "enforced" } }, "bad 0, ", true },
	{ "emulate, nearly", { { "mode", " Emu" } }, "bad 0, ", true },
	{ "a comment behind it", { { "mode", "enforce ; for now" } },
	  "bad 0, ", true },
	{ "audit, nearly", { { "mode", "auditt" } }, "bad 0, ", false },
	{ "no mode", { { "mode", "" } }, "bad 0, ", false },
	{ "three times", { { "audit file", "/a" }, { "audit file", "/b" },
	    { "auditfile", "/c" } }, "note 0, note 1, ", false },
	{ "twice unknown", { { "x", "1" }, { "x", "2" } },
	  "unknown 0, unknown 1, ", false },
};

static void test_many(void **state)
{
	static const char *const problems[] = {
		[NTSIGN_OPTION_UNKNOWN] = "unknown",
		[NTSIGN_OPTION_BAD_VALUE] = "bad",
		[NTSIGN_OPTION_CONFLICT] = "conflict",
		[NTSIGN_OPTION_NOTE] = "note",
	};
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(many); i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		struct ntsign_option_findings found = { .count = 0 };
		struct ntsign_options *options = NULL;
		char *findings = talloc_strdup(ctx, "");
		size_t count = 0;
		size_t n = 0;

		while (count < 4 && many[i].settings[count].name != NULL) {
			count++;
		}
		options = parse(ctx, many[i].settings, count, &found);
		for (n = 0; n < found.count; n++) {
			findings = talloc_asprintf_append(
				findings, "%s %zd, ",
				problems[found.list[n].problem],
				found.list[n].setting);
		}
		if (strcmp(findings, many[i].findings) != 0) {
			fail_msg("%s: %s", many[i].what, findings);
		}
		if (ntsign_options_refuse(options, &found) != many[i].refuse)
		{
			fail_msg("%s: refuse", many[i].what);
		}
		talloc_free(ctx);
	}
}

/* What the module reads: the same options and errors, and no notes. */
static void test_parse(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(many); i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		struct ntsign_option_findings all = { .count = 0 };
		struct ntsign_option_findings found = { .count = 0 };
		struct ntsign_options *options = NULL;
		struct ntsign_options *reviewed = NULL;
		size_t count = 0;
		size_t n = 0;
		size_t errors = 0;

		while (count < 4 && many[i].settings[count].name != NULL) {
			count++;
		}
		reviewed = parse(ctx, many[i].settings, count, &all);
		options = ntsign_options_parse(ctx, many[i].settings, count,
					       &found);
		assert_non_null(options);
		assert_int_equal(options->mode, reviewed->mode);
		assert_int_equal(options->server_patched,
				 reviewed->server_patched);
		assert_int_equal(options->bad_signature,
				 reviewed->bad_signature);
		assert_int_equal(options->on_audit_failure,
				 reviewed->on_audit_failure);
		for (n = 0; n < all.count; n++) {
			if (!ntsign_option_is_error(all.list[n].problem)) {
				continue;
			}
			assert_true(errors < found.count);
			assert_string_equal(found.list[errors].message,
					    all.list[n].message);
			errors++;
		}
		assert_int_equal(found.count, errors);
		assert_int_equal(ntsign_options_refuse(options, &found),
				 many[i].refuse);
		talloc_free(ctx);
	}
}

static void test_last_wins(void **state)
{
	const struct ntsign_setting settings[] = {
		{ "audit file", "/a" },
		{ "signing rules", "*=required" },
		{ "AUDIT FILE", "/b" },
		{ "signing rules", "" },
	};
	struct ntsign_option_findings found = { .count = 0 };
	struct ntsign_options *options = NULL;

	(void)state;
	options = parse(NULL, settings, ARRAY_LEN(settings), &found);
	assert_string_equal(options->audit_file, "/b");
	assert_int_equal(options->signing_rules_count, 0);
	assert_int_equal(found.count, 2);
	assert_string_equal(found.list[0].message, "ntsign:audit file = /a: "
			    "without effect, a later line sets it again");
	talloc_free(options);
	talloc_free(found.list);
}

/* What stays as it is read, and what an error puts back. */
static void test_kept(void **state)
{
	const struct ntsign_setting emulate[] = {
		{ "mode", "emulate" },
		{ "server", "unpatched" },
		{ "bad signature", "access denied" },
		{ "key strength", "emulate" },
	};
	struct ntsign_option_findings found = { .count = 0 };
	struct ntsign_options *options = NULL;

	(void)state;
	options = parse(NULL, emulate, ARRAY_LEN(emulate), &found);
	assert_int_equal(options->mode, NTSIGN_MODE_EMULATE);
	assert_false(options->server_patched);
	assert_int_equal(options->bad_signature,
			 NTSIGN_BAD_SIGNATURE_ACCESS_DENIED);
	assert_int_equal(options->key_strength, NTSIGN_QUIRK_EMULATE);
	assert_int_equal(options->on_audit_failure, NTSIGN_FAILURE_CONTINUE);
	talloc_free(options);
	talloc_free(found.list);

	options = parse(NULL, emulate + 1, ARRAY_LEN(emulate) - 1, &found);
	assert_true(options->server_patched);
	assert_int_equal(options->bad_signature,
			 NTSIGN_BAD_SIGNATURE_DISCONNECT);
	assert_int_equal(options->key_strength, NTSIGN_QUIRK_DETECT);
	talloc_free(options);
	talloc_free(found.list);
}

static void test_failure_default(void **state)
{
	const struct ntsign_setting settings[] = {
		{ "mode", "enforce" },
		{ "on audit failure", "continue" },
	};
	const struct ntsign_setting bad[] = {
		{ "on audit failure", "x" },
		{ "mode", "enforce" },
	};
	struct ntsign_option_findings found = { .count = 0 };
	struct ntsign_options *options = NULL;

	(void)state;
	options = parse(NULL, settings, 1, &found);
	assert_int_equal(options->on_audit_failure, NTSIGN_FAILURE_REFUSE);
	talloc_free(options);
	talloc_free(found.list);
	options = parse(NULL, settings, 2, &found);
	assert_int_equal(options->on_audit_failure, NTSIGN_FAILURE_CONTINUE);
	talloc_free(options);
	talloc_free(found.list);
	options = parse(NULL, bad, 2, &found);
	assert_int_equal(options->on_audit_failure, NTSIGN_FAILURE_REFUSE);
	talloc_free(options);
	talloc_free(found.list);
}

/* refuse() by what it is given: every mode with every problem. */
static void test_refuse(void **state)
{
	unsigned int mode = 0;
	unsigned int problem = 0;

	(void)state;
	for (mode = NTSIGN_MODE_AUDIT; mode <= NTSIGN_MODE_EMULATE; mode++) {
		struct ntsign_options options = { .mode = mode };
		struct ntsign_option_findings none = { .count = 0 };

		assert_false(ntsign_options_refuse(&options, &none));
		for (problem = NTSIGN_OPTION_UNKNOWN;
		     problem <= NTSIGN_OPTION_NOTE;
		     problem++)
		{
			struct ntsign_option_finding list[2] = {
				{ .problem = NTSIGN_OPTION_NOTE,
				  .option = "ntsign:mode", .value = "e" },
				{ .problem = problem,
				  .option = "ntsign:server", .value = "e" },
			};
			struct ntsign_option_findings found = { list, 2 };
			bool error = problem != NTSIGN_OPTION_NOTE;
			bool wanted = mode != NTSIGN_MODE_AUDIT && error;

			assert_int_equal(ntsign_option_is_error(problem),
					 error);
			assert_int_equal(ntsign_options_refuse(&options,
							       &found),
					 wanted);
		}
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(ntsign_mode_name(NTSIGN_MODE_AUDIT), "audit");
	assert_string_equal(ntsign_mode_name(NTSIGN_MODE_ENFORCE), "enforce");
	assert_string_equal(ntsign_mode_name(NTSIGN_MODE_EMULATE), "emulate");
	assert_string_equal(ntsign_mode_name(3), "invalid");
	assert_string_equal(ntsign_events_name(NTSIGN_EVENTS_MISMATCH),
			    "mismatch");
	assert_string_equal(ntsign_events_name(NTSIGN_EVENTS_SESSION),
			    "session");
	assert_string_equal(ntsign_events_name(NTSIGN_EVENTS_ALL), "all");
	assert_string_equal(ntsign_events_name(-1), "invalid");
}

/* The n-th allocation fails, until all succeed. */
static void fail_each(const struct ntsign_setting *settings, size_t count,
		      size_t findings)
{
	size_t n = 0;
	bool failed = true;

	for (n = 0; failed; n++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		struct ntsign_option_findings found = { .count = 99 };
		struct ntsign_options *options = NULL;

		failing_malloc_arm(n);
		options = ntsign_options_review(ctx, settings, count, NOW,
						&found);
		failed = failing_malloc_disarm();
		assert_int_equal(options == NULL, failed);
		if (failed) {
			assert_int_equal(found.count, 99);
			assert_int_equal(talloc_total_blocks(ctx), 1);
		} else {
			assert_int_equal(found.count, findings);
		}
		talloc_free(ctx);
	}
	assert_true(n > 50);
}

static void test_no_memory(void **state)
{
	const struct ntsign_setting errors[] = {
		{ "unknown", "x" },
		{ "mode", "audit" },
		{ "mode", "audit" },
		{ "audit events", "x" },
		{ "audit file", "/a" },
		{ "server", "unpatched" },
		{ "unpatched clients", "* * * * * * x" },
		{ "credential handles", "emulate" },
	};
	const struct ntsign_setting notes[] = {
		{ "signing rules", "10.0.0.0/9=enabled 10.128.0.0/9=enabled "
		  "10.0.0.0/8=enabled ::/3=enabled 2000::/3=enabled "
		  "4000::/3=enabled 6000::/3=enabled 8000::/1=enabled "
		  "::/0=enabled *=enabled *=required@1999-01-01 "
		  "2001:db8::1=required" },
		{ "unpatched clients", "* ::1" },
	};

	(void)state;
	if (!FAILING_MALLOC_WORKS) {
		skip();
	}
	fail_each(errors, ARRAY_LEN(errors), 6);
	fail_each(notes, ARRAY_LEN(notes), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_ones),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_default_values),
		cmocka_unit_test(test_booleans),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_rule_notes),
		cmocka_unit_test(test_rule_end),
		cmocka_unit_test(test_long_values),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_last_wins),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_failure_default),
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
