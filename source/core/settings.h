/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the reading of options, its findings and their review share.
 *
 * Invariant: once memory has run out nothing more is found, and the caller
 * gets neither options nor findings.
 */
#ifndef NTSIGN_CORE_SETTINGS_H
#define NTSIGN_CORE_SETTINGS_H

#include <sys/types.h>

#include "ntsign/option.h"

#define PREFIX "ntsign:"

/* What smb.conf takes for white space. */
#define SPACES " \t\n\r\v\f"

/* The options, in the order of the documentation. */
enum id {
	ID_MODE,
	ID_SERVER,
	ID_SIGNING_RULES,
	ID_UNPATCHED_CLIENTS,
	ID_MINIMUM_KEY_BITS,
	ID_SIGNING_COUNTER,
	ID_SIGNING_COUNTER_SKEW,
	ID_BAD_SIGNATURE,
	ID_KEY_STRENGTH,
	ID_CREDENTIAL_HANDLES,
	ID_SERVER_CERTIFICATE,
	ID_CREDENTIAL_HOLD,
	ID_REMOTE_REGISTRY,
	ID_REMOTE_REGISTRY_SCOPE,
	ID_AUDIT_FILE,
	ID_AUDIT_SYSLOG,
	ID_AUDIT_EVENTS,
	ID_ON_AUDIT_FAILURE,
	ID_COUNT
};

/* What reading a set of options goes through. */
struct reader {
	TALLOC_CTX *mem_ctx;
	const struct ntsign_setting *settings;
	size_t count;
	struct ntsign_options *options;
	struct ntsign_option_findings findings;
	/* the settings' numbers of the options that are set and well read */
	ssize_t setting[ID_COUNT];
	bool wrong[ID_COUNT];	/* what is well read is an error all the same */
	bool failed;		/* memory ran out; sticks */
};

/* A part of a value; not ended by a NUL. */
struct span {
	const char *text;
	size_t len;
};

/* ---- option.c ---- */

/* Reads all settings and finds every error. mem_ctx, settings and count are
 * set, all else is zero. */
void ntsign_settings_read(struct reader *reader);

/* What ntsign_options_parse() returns. */
struct ntsign_options *ntsign_settings_finish(
	struct reader *reader, struct ntsign_option_findings *findings);

/* The option of that name, or ID_COUNT. */
enum id ntsign_settings_find(const char *name);

/* Whether the option is set again behind that setting. */
bool ntsign_settings_set_again(const struct reader *reader, size_t setting,
			     enum id id);

/* A text without the white space around it. */
struct span ntsign_settings_trim(const char *text);

/* The element at the start of *list or behind separators, of length 0 behind
 * the last one; *list is moved to its end. */
struct span ntsign_settings_element(const char **list);

/* ---- finding.c ---- */

/* Adds a finding; its message is "NAME = VALUE: " and what format makes. */
void ntsign_settings_report(struct reader *reader,
			  enum ntsign_option_problem problem, size_t setting,
			  const char *name, struct span value,
			  const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* Adds a finding about the value of an option that is set and well read. */
void ntsign_settings_judge(struct reader *reader, enum id id,
			 enum ntsign_option_problem problem,
			 const char *why);

#endif
