/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ntsign: options of smb.conf, read strictly.
 *
 * Invariant: one table names every option, its values and its default; the
 * module, `ntsign check` and the test of the man page all read that table.
 */
#ifndef NTSIGN_OPTION_H
#define NTSIGN_OPTION_H

#include <talloc.h>

#include "ntsign/address.h"
#include "ntsign/policy.h"

enum ntsign_mode {
	NTSIGN_MODE_AUDIT,
	NTSIGN_MODE_ENFORCE,
	NTSIGN_MODE_EMULATE,
};

/* What a quirk's option says; each option takes some of these. */
enum ntsign_quirk {
	NTSIGN_QUIRK_OFF,
	NTSIGN_QUIRK_DETECT,
	NTSIGN_QUIRK_EMULATE,
	NTSIGN_QUIRK_FIX,
};

enum ntsign_bad_signature {
	NTSIGN_BAD_SIGNATURE_DISCONNECT,
	NTSIGN_BAD_SIGNATURE_ACCESS_DENIED,
};

enum ntsign_scope {
	NTSIGN_SCOPE_REGISTRY,
	NTSIGN_SCOPE_SYSTEM,
};

enum ntsign_events {
	NTSIGN_EVENTS_MISMATCH,
	NTSIGN_EVENTS_SESSION,
	NTSIGN_EVENTS_ALL,
};

enum ntsign_failure {
	NTSIGN_FAILURE_CONTINUE,
	NTSIGN_FAILURE_REFUSE,
};

struct ntsign_options {
	enum ntsign_mode mode;
	bool server_patched;
	struct ntsign_rule *signing_rules;	/* talloc child */
	size_t signing_rules_count;
	struct ntsign_block *unpatched_clients;	/* talloc child */
	size_t unpatched_clients_count;
	unsigned int minimum_key_bits;		/* 0, 40, 56 or 128 */
	enum ntsign_quirk signing_counter;
	unsigned int signing_counter_skew;	/* 1 to 8 */
	enum ntsign_bad_signature bad_signature;
	enum ntsign_quirk key_strength;
	enum ntsign_quirk credential_handles;
	const char *server_certificate;		/* talloc child or NULL */
	unsigned int credential_hold;		/* ms, 0 to 10000 */
	enum ntsign_quirk remote_registry;
	enum ntsign_scope remote_registry_scope;
	/* as written, % substitutions not yet done; talloc child or NULL */
	const char *audit_file;
	bool audit_syslog;
	enum ntsign_events audit_events;
	enum ntsign_failure on_audit_failure;
};

enum ntsign_option_problem {
	NTSIGN_OPTION_UNKNOWN,		/* no option of that name */
	NTSIGN_OPTION_BAD_VALUE,
	NTSIGN_OPTION_CONFLICT,		/* with another option's value */
	/* valid, and without effect as things stand; not an error */
	NTSIGN_OPTION_NOTE,
};

/* One finding. `option` is the full name, "ntsign:mode". */
struct ntsign_option_finding {
	enum ntsign_option_problem problem;
	const char *option;
	/* made printable and cut; the element, where it is about one */
	const char *value;
	const char *message;	/* one line that names option and value */
	/* which of the settings handed in this is about; they are counted
	 * from 0. -1 where it is about none of them. */
	ssize_t setting;
};

struct ntsign_option_findings {
	struct ntsign_option_finding *list;	/* talloc child */
	size_t count;
};

/* A setting as it stands in smb.conf, name without the "ntsign:". */
struct ntsign_setting {
	const char *name;
	const char *value;
};

/* The table, for `ntsign check`, the man page's test and help texts. */
struct ntsign_option_info {
	const char *name;		/* without "ntsign:" */
	const char *values;		/* as in the documentation */
	const char *default_value;	/* as in the documentation */
};
extern const struct ntsign_option_info ntsign_option_table[];
extern const size_t ntsign_option_count;

/*
 * Reads settings into options. Names are compared as smb.conf does it:
 * case and white space do not count. Of a setting given twice the last one
 * wins. A setting in error leaves that option at its default, the whole list
 * where it is one. Names and values must not be NULL.
 *
 * Each connection's process does this anew: it finds errors and no NOTE, and
 * its time grows with the settings' length and no faster.
 *
 * Returns options (talloc child of mem_ctx) and fills *findings (its list is
 * a child of mem_ctx too); NULL when memory runs out.
 */
struct ntsign_options *ntsign_options_parse(
	TALLOC_CTX *mem_ctx,
	const struct ntsign_setting *settings, size_t count,
	struct ntsign_option_findings *findings);

/*
 * The same for `ntsign check`, which takes its time and finds every NOTE as
 * well: settings without effect, rules that never match, have expired or will
 * within 30 days. Notes come behind all errors.
 *
 * now: seconds since 1970.
 */
struct ntsign_options *ntsign_options_review(
	TALLOC_CTX *mem_ctx,
	const struct ntsign_setting *settings, size_t count, time_t now,
	struct ntsign_option_findings *findings);

/* Whether a finding is an error: all but NOTE are. */
bool ntsign_option_is_error(enum ntsign_option_problem problem);

/*
 * Whether a connection must be refused: any error in enforce and emulate
 * mode. A bad mode is an audit, which goes on with the defaults and says so,
 * unless it begins with an "e": somebody meant to enforce or to emulate.
 */
bool ntsign_options_refuse(const struct ntsign_options *options,
			   const struct ntsign_option_findings *findings);

/* "invalid" for a value outside the enum */
const char *ntsign_mode_name(enum ntsign_mode mode);
const char *ntsign_events_name(enum ntsign_events events);

#endif
