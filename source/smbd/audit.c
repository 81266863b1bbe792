/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From facts to a line in the audit file.
 *
 * Invariant: every record passes ntsign_audit_finish(), which alone knows
 * the levels, the limit per address and what a failure leads to.
 */
#include "module.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

/* This process was the first to suppress a record, in that second. */
static time_t suppressing_since;

struct ntsign_record *ntsign_audit_start(const struct ntsign_connection *c,
					 enum ntsign_record_type type)
{
	struct ntsign_record *record = NULL;
	struct timeval now = timeval_current();

	record = ntsign_record_new(ntsign, type, &now);
	if (record == NULL) {
		return NULL;
	}
	if (c != NULL) {
		ntsign_record_text(record, "connectionId", c->id);
	}
	ntsign_record_int(record, "pid", getpid());
	if (c != NULL) {
		ntsign_record_text(record, "localAddress", c->local_address);
		ntsign_record_text(record, "remoteAddress",
				   c->remote_address);
	}
	return record;
}

/* Writes a record without asking for its level or the limit. */
static bool audit_write(struct ntsign_record *record, bool warning)
{
	const char *line = NULL;
	size_t len = 0;
	bool ok = false;

	line = ntsign_record_line(record, &len);
	if (line != NULL) {
		ok = ntsign_sink_write(ntsign->sink, record, line, len,
				       warning);
	} else {
		DBG_ERR("ntsign: no memory for a record\n");
	}
	if (!ok) {
		ntsign_state_lost(ntsign->state);
	}
	TALLOC_FREE(record);
	return ok;
}

/* What could not be written while the audit file was failing. */
static void audit_lost(const struct ntsign_connection *c)
{
	uint32_t lost = ntsign_state_take_lost(ntsign->state);
	struct ntsign_record *record = NULL;

	if (lost == 0) {
		return;
	}
	record = ntsign_audit_start(c, NTSIGN_RECORD_AUDIT);
	ntsign_record_text(record, "event", "failure");
	ntsign_record_text(record, "message",
			   "records were lost: the audit file could not be "
			   "written");
	ntsign_record_int(record, "count", lost);
	(void)audit_write(record, true);
}

static void audit_suppressed(const struct ntsign_connection *c, time_t now)
{
	TALLOC_CTX *frame = talloc_stackframe();
	struct ntsign_suppressed *list = NULL;
	size_t count = 0;
	size_t i;

	list = ntsign_state_take_suppressed(frame, ntsign->state, now, &count);
	for (i = 0; i < count; i++) {
		struct ntsign_record *record = NULL;
		struct timeval now_tv = timeval_current();
		char since[32];
		struct tm tm = { .tm_sec = 0, };

		record = ntsign_record_new(ntsign, NTSIGN_RECORD_AUDIT,
					   &now_tv);
		ntsign_record_int(record, "pid", getpid());
		ntsign_record_text(record, "event", "suppressed");
		ntsign_record_text(record, "message",
				   "one address caused over 100 records in a "
				   "second; the rest were counted only");
		ntsign_record_text(record, "address", list[i].address);
		ntsign_record_int(record, "count", list[i].count);
		if (gmtime_r(&list[i].since, &tm) != NULL &&
		    strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ",
			     &tm) != 0) {
			ntsign_record_text(record, "since", since);
		}
		(void)audit_write(record, true);
	}
	TALLOC_FREE(frame);
}

bool ntsign_audit_finish(const struct ntsign_connection *c,
			 struct ntsign_record *record, bool notable,
			 enum ntsign_events level)
{
	time_t now = time(NULL);
	bool first_suppressed = false;
	bool ok;

	if (ntsign_layouts_differ) {
		/* an audit's, of an smbd that it cannot know */
		TALLOC_FREE(record);
		return true;
	}
	if (record == NULL) {
		DBG_ERR("ntsign: no memory for a record\n");
		return false;
	}
	if (!notable && ntsign->options->audit_events < level) {
		TALLOC_FREE(record);
		return true;
	}
	audit_suppressed(c, now);
	if (!ntsign_state_admit(ntsign->state, c->limited_as, now,
				&first_suppressed)) {
		if (first_suppressed) {
			suppressing_since = now;
		}
		TALLOC_FREE(record);
		return true;
	}
	ok = audit_write(record, notable);
	if (ok) {
		audit_lost(c);
	}
	return ok;
}

/*
 * The smbd that this process is a child of: its pid, and when it wrote its
 * pid file, because a pid may come back.
 */
static const char *parent_fingerprint(TALLOC_CTX *mem_ctx)
{
	struct stat st = { .st_size = 0, };
	char *path = NULL;

	path = talloc_asprintf(mem_ctx, "%s/smbd.pid", lp_pid_directory());
	if (path == NULL) {
		return NULL;
	}
	if (stat(path, &st) != 0) {
		DBG_NOTICE("ntsign: %s: %s\n", path, strerror(errno));
	}
	return talloc_asprintf(mem_ctx, "%d %jd.%09ld", (int)getppid(),
			       (intmax_t)st.st_mtim.tv_sec,
			       st.st_mtim.tv_nsec);
}

/* The configuration errors as one text: a change of them is news. */
static char *findings_fingerprint(TALLOC_CTX *mem_ctx, const char *parent)
{
	char *text = talloc_strdup(mem_ctx, parent);
	size_t i;

	for (i = 0; i < ntsign->findings.count; i++) {
		const struct ntsign_option_finding *f =
			&ntsign->findings.list[i];

		text = talloc_asprintf_append_buffer(text, "\n%s",
						     f->message);
	}
	return text;
}

static bool audit_configuration(const struct ntsign_connection *c)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < ntsign->findings.count; i++) {
		const struct ntsign_option_finding *f =
			&ntsign->findings.list[i];
		struct ntsign_record *record = NULL;

		if (!ntsign_option_is_error(f->problem)) {
			continue;
		}
		record = ntsign_audit_start(c, NTSIGN_RECORD_AUDIT);
		ntsign_record_text(record, "event", "configuration");
		ntsign_record_text(record, "message", f->message);
		ntsign_record_text(record, "option", f->option);
		ntsign_record_text(record, "value", f->value);
		ok &= audit_write(record, true);
	}
	return ok;
}

/* More than can be emulated at once. */
#define EMULATED_MAX 8

/* The settings of smb.conf that make this server play a fault; how many. */
static size_t list_emulated(const struct ntsign_options *options,
			    const char *list[EMULATED_MAX])
{
	const struct {
		bool emulated;
		const char *setting;
	} all[] = {
		{ !options->server_patched, "ntsign:server = unpatched" },
		{ options->bad_signature == NTSIGN_BAD_SIGNATURE_ACCESS_DENIED,
		  "ntsign:bad signature = access denied" },
		{ options->signing_counter == NTSIGN_QUIRK_EMULATE,
		  "ntsign:signing counter = emulate" },
		{ options->key_strength == NTSIGN_QUIRK_EMULATE,
		  "ntsign:key strength = emulate" },
		{ options->credential_handles == NTSIGN_QUIRK_EMULATE,
		  "ntsign:credential handles = emulate" },
		{ options->remote_registry == NTSIGN_QUIRK_EMULATE,
		  "ntsign:remote registry = emulate" },
	};
	size_t count = 0;
	size_t i;

	static_assert(ARRAY_SIZE(all) <= EMULATED_MAX, "the list has room");
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i].emulated) {
			list[count++] = all[i].setting;
		}
	}
	return count;
}

/* The same as a sentence; NULL when memory runs out. */
static char *emulated_message(TALLOC_CTX *mem_ctx, const char *const *list,
			      size_t count)
{
	char *text = talloc_strdup(
		mem_ctx, count == 0 ?
		"ntsign:mode = emulate, for a lab only; nothing is emulated "
		"as the options stand" :
		"this server is emulating faults, for a lab only");
	size_t i;

	for (i = 0; i < count; i++) {
		text = talloc_asprintf_append_buffer(
			text, "%s%s", i == 0 ? ": " : ", ", list[i]);
	}
	return text;
}

/*
 * What is emulated is told at each start of smbd, and when it changes. That
 * nothing is has to be known as well, or a lab that is switched off and on
 * again would not be told of twice.
 */
static void audit_emulating(const struct ntsign_connection *c,
			    TALLOC_CTX *mem_ctx, const char *parent)
{
	bool emulates = ntsign->options->mode == NTSIGN_MODE_EMULATE &&
		!ntsign_options_refuse(ntsign->options, &ntsign->findings);
	const char *list[EMULATED_MAX] = { NULL, };
	size_t count = list_emulated(ntsign->options, list);
	const char *message = "";
	char *fingerprint = NULL;
	struct ntsign_record *record = NULL;

	if (emulates) {
		message = emulated_message(mem_ctx, list, count);
	}
	fingerprint = talloc_asprintf(mem_ctx, "%s\n%s", parent,
				      message != NULL ? message : "");
	if (fingerprint == NULL ||
	    !ntsign_state_changed(ntsign->state, "emulating", fingerprint) ||
	    !emulates) {
		return;
	}
	DBG_ERR("ntsign: %s\n", message);
	record = ntsign_audit_start(c, NTSIGN_RECORD_AUDIT);
	ntsign_record_text(record, "event", "emulating");
	ntsign_record_text(record, "message", message);
	ntsign_record_list(record, "emulated", list, count);
	ntsign_record_int(record, "smbdPid", getppid());
	if (!audit_write(record, true)) {
		ntsign_state_forget(ntsign->state, "emulating");
	}
}

void ntsign_audit_begin(const struct ntsign_connection *c)
{
	TALLOC_CTX *frame = talloc_stackframe();
	const char *parent = parent_fingerprint(frame);
	const char *findings = NULL;
	struct ntsign_record *record = NULL;

	if (parent == NULL) {
		TALLOC_FREE(frame);
		return;
	}
	if (ntsign_state_changed(ntsign->state, "started", parent)) {
		record = ntsign_audit_start(c, NTSIGN_RECORD_AUDIT);
		ntsign_record_text(record, "event", "started");
		ntsign_record_text(record, "message",
				   "the first connection since smbd was "
				   "started");
		ntsign_record_text(record, "ntsign", NTSIGN_VERSION);
		ntsign_record_text(record, "samba", samba_version_string());
		ntsign_record_text(record, "mode",
				   ntsign_mode_name(ntsign->options->mode));
		ntsign_record_text(
			record, "auditEvents",
			ntsign_events_name(ntsign->options->audit_events));
		ntsign_record_int(record, "smbdPid", getppid());
		if (!audit_write(record, false)) {
			ntsign_state_forget(ntsign->state, "started");
		}
	}
	audit_emulating(c, frame, parent);
	findings = findings_fingerprint(frame, parent);
	if (ntsign->findings.count != 0 && findings != NULL &&
	    ntsign_state_changed(ntsign->state, "findings", findings) &&
	    !audit_configuration(c)) {
		ntsign_state_forget(ntsign->state, "findings");
	}
	TALLOC_FREE(frame);
}

void ntsign_audit_end(const struct ntsign_connection *c)
{
	struct timeval now = timeval_current();

	bool last = (ntsign->connections == c && c->next == NULL);

	if (last && suppressing_since != 0 &&
	    now.tv_sec == suppressing_since) {
		struct timespec rest = {
			.tv_nsec = (1000000 - now.tv_usec) * 1000L,
		};

		if (rest.tv_nsec > 999999999L) {
			rest.tv_nsec = 999999999L;
		}
		(void)nanosleep(&rest, NULL);
		now = timeval_current();
	}
	suppressing_since = 0;
	audit_suppressed(c, now.tv_sec);
}

const char ntsign_audit_no_record[] = "its record could not be written";

bool ntsign_audit_refuses(void)
{
	if (ntsign_layouts_differ ||
	    ntsign->options->on_audit_failure != NTSIGN_FAILURE_REFUSE ||
	    ntsign_sink_ready(ntsign->sink)) {
		return false;
	}
	DBG_ERR("ntsign: refusing a session setup: the audit file cannot be "
		"written and ntsign:on audit failure = refuse\n");
	return true;
}

void ntsign_audit_failed(struct ntsign_connection *c)
{
	if (ntsign->options->on_audit_failure != NTSIGN_FAILURE_REFUSE) {
		return;
	}
	DBG_ERR("ntsign: ending the connection from %s: its record could not "
		"be written and ntsign:on audit failure = refuse\n",
		c->remote_address);
	smbd_server_connection_terminate(c->xconn,
					 "ntsign: no audit record");
}
