/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A record as one line for people.
 *
 * Invariant: fields that a record lacks leave no gap that could be taken for
 * a value.
 */
#include <inttypes.h>
#include <string.h>

#include "follow.h"
#include "tool.h"

/* A line being put together; once it has failed it stays NULL. */
struct words {
	char *text;
};

/* Adds a space and what the format makes. */
static void say(struct words *words, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct words *words, const char *format, ...)
{
	va_list ap;

	if (words->text != NULL && words->text[0] != '\0') {
		words->text = talloc_strdup_append(words->text, " ");
	}
	if (words->text == NULL) {
		return;
	}
	va_start(ap, format);
	words->text = talloc_vasprintf_append(words->text, format, ap);
	va_end(ap);
}

/* Adds a field's text, if the record has it. */
static void say_field(struct words *words, const struct ntsign_entry *entry,
		      const char *name)
{
	const char *text = ntsign_entry_text(entry, name);

	if (text != NULL && text[0] != '\0') {
		say(words, "%s", text);
	}
}

static void say_account(struct words *words, const struct ntsign_entry *entry)
{
	const char *domain = ntsign_entry_text(entry, "domain");
	const char *account = ntsign_entry_text(entry, "account");

	if (account == NULL || account[0] == '\0') {
		return;
	}
	if (domain != NULL && domain[0] != '\0') {
		say(words, "%s\\%s", domain, account);
	} else {
		say(words, "%s", account);
	}
}

/* "patched required" of "client" or "server"; "?" where it is not known. */
static void say_party(struct words *words, const struct ntsign_entry *entry,
		      const char *name)
{
	const char *signing = NULL;
	bool patched = false;

	if (!ntsign_entry_find_bool(entry, name, "patched", &patched) ||
	    !ntsign_entry_find_text(entry, name, "signing", &signing)) {
		say(words, "?");
		return;
	}
	say(words, "%s %s", patched ? "patched" : "unpatched", signing);
}

static const char *signing_of(const struct ntsign_entry *entry,
			      const char *name)
{
	const char *signing = "";

	(void)ntsign_entry_find_text(entry, name, "signing", &signing);
	return signing;
}

/* What a settings mismatch is about: where the policies fit, the key. */
static void say_why(struct words *words, const struct ntsign_entry *entry,
		    const char *mismatch)
{
	const char *article = ntsign_entry_text(entry, "article");
	const char *client = signing_of(entry, "client");
	const char *server = signing_of(entry, "server");
	int64_t bits = 0;
	bool policies = (strcmp(client, "required") == 0 &&
			 strcmp(server, "disabled") == 0) ||
			(strcmp(client, "disabled") == 0 &&
			 strcmp(server, "required") == 0);

	if (strcmp(mismatch, "settings") != 0 ||
	    !ntsign_entry_find_int(entry, "ntlmssp", "keyBits", &bits)) {
		return;
	}
	if (!policies ||
	    (article != NULL && strcmp(article, "Q322051") == 0)) {
		say(words, "(key of %" PRId64 " bits)", bits);
	}
}

static void say_outcome(struct words *words, const struct ntsign_entry *entry)
{
	const char *expected = ntsign_entry_text(entry, "expected");
	const char *outcome = ntsign_entry_text(entry, "outcome");
	const char *status = ntsign_entry_text(entry, "status");
	const char *mismatch = ntsign_entry_text(entry, "mismatch");

	say(words, "%s", outcome != NULL ? outcome : "?");
	if (status != NULL && strcmp(status, "NT_STATUS_OK") != 0) {
		say(words, "%s", status);
	}
	if (mismatch != NULL && strcmp(mismatch, "none") != 0) {
		say(words, "MISMATCH %s", mismatch);
		say_why(words, entry, mismatch);
		if (expected == NULL || outcome == NULL ||
		    strcmp(expected, outcome) != 0) {
			say(words, "(expected %s)",
			    expected != NULL ? expected : "?");
		}
	}
	if (ntsign_entry_bool(entry, "refused")) {
		const char *reason = ntsign_entry_text(entry, "reason");

		say(words, "REFUSED");
		if (reason != NULL) {
			say(words, "(%s)", reason);
		}
	}
}

static void session_line(struct words *words, const struct ntsign_entry *entry)
{
	static const char *const flags[] = {
		"encrypted", "guest", "anonymous", "reauthentication",
	};
	size_t i;

	say(words, "session");
	say_field(words, entry, "dialect");
	say_field(words, entry, "setup");
	say_account(words, entry);
	say_party(words, entry, "client");
	say(words, "->");
	say_party(words, entry, "server");
	say(words, "=");
	say_outcome(words, entry);
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (ntsign_entry_bool(entry, flags[i])) {
			say(words, "%s", flags[i]);
		}
	}
}

static void connection_line(struct words *words,
			    const struct ntsign_entry *entry)
{
	size_t count = ntsign_entry_list_count(entry, "offered");
	size_t i;

	say(words, "connection");
	say_field(words, entry, "event");
	say_field(words, entry, "dialect");
	say_field(words, entry, "reason");
	if (ntsign_entry_text(entry, "dialect") != NULL) {
		return;
	}
	for (i = 0; i < count; i++) {
		const char *text = ntsign_entry_list_text(entry, "offered", i);

		say(words, "%s%s", i == 0 ? "offered: " : "",
		    text != NULL ? text : "?");
	}
}

static void tree_line(struct words *words, const struct ntsign_entry *entry)
{
	say(words, "tree");
	say_field(words, entry, "event");
	say_field(words, entry, "dialect");
	say_account(words, entry);
	say_field(words, entry, "share");
	say(words, "%s", ntsign_entry_bool(entry, "signed") ? "signed" :
							      "not signed");
	if (ntsign_entry_bool(entry, "encrypted")) {
		say(words, "encrypted");
	}
}

/* Adds a field's number behind a label, if the record has it. */
static void say_number(struct words *words, const struct ntsign_entry *entry,
		       const char *name, const char *label)
{
	int64_t number = 0;

	if (ntsign_entry_find_int(entry, NULL, name, &number)) {
		say(words, "%s %" PRId64, label, number);
	}
}

/* Adds a field's text behind a label, if the record has it. */
static void say_labelled(struct words *words, const struct ntsign_entry *entry,
			 const char *name, const char *label)
{
	const char *text = ntsign_entry_text(entry, name);

	if (text != NULL && text[0] != '\0') {
		say(words, "%s %s", label, text);
	}
}

static void signature_line(struct words *words,
			   const struct ntsign_entry *entry)
{
	const char *event = ntsign_entry_text(entry, "event");

	say(words, "signature");
	say_field(words, entry, "event");
	say_field(words, entry, "reason");
	say_field(words, entry, "dialect");
	say_account(words, entry);
	say_field(words, entry, "command");
	if (event != NULL && strcmp(event, "verified") == 0) {
		say_number(words, entry, "expected", "sequence number");
		return;
	}
	say_number(words, entry, "expected", "expected");
	say_number(words, entry, "matched", "matched");
}

static void quirk_line(struct words *words, const struct ntsign_entry *entry)
{
	say(words, "quirk");
	say_field(words, entry, "article");
	say_field(words, entry, "event");
	say_field(words, entry, "dialect");
	say_account(words, entry);
	say_labelled(words, entry, "pipe", "pipe");
	say_number(words, entry, "opnum", "operation");
	say_field(words, entry, "reason");
	say_labelled(words, entry, "fault", "fault");
	say_labelled(words, entry, "status", "status");
	say_labelled(words, entry, "scope", "scope");
	say_number(words, entry, "expected", "expected");
	say_number(words, entry, "received", "received");
	say_number(words, entry, "skew", "out by");
}

static void audit_line(struct words *words, const struct ntsign_entry *entry)
{
	say(words, "audit");
	say_field(words, entry, "event");
	say_field(words, entry, "message");
	say_labelled(words, entry, "ntsign", "ntsign");
	say_labelled(words, entry, "samba", "samba");
	say_labelled(words, entry, "mode", "mode");
	say_number(words, entry, "count", "count");
}

static void other_line(struct words *words, const struct ntsign_entry *entry)
{
	say(words, "%s", entry->type);
	say_field(words, entry, "event");
}

static void type_line(struct words *words, const struct ntsign_entry *entry)
{
	static const struct {
		const char *type;
		void (*line)(struct words *words,
			     const struct ntsign_entry *entry);
	} types[] = {
		{ "SMBSession", session_line },
		{ "SMBConnection", connection_line },
		{ "SMBTree", tree_line },
		{ "SMBSignature", signature_line },
		{ "SMBQuirk", quirk_line },
		{ "SMBAudit", audit_line },
	};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(entry->type, types[i].type) == 0) {
			types[i].line(words, entry);
			return;
		}
	}
	other_line(words, entry);
}

char *ntsign_follow_line(TALLOC_CTX *mem_ctx, const struct ntsign_entry *entry)
{
	char *address = ntsign_entry_address(mem_ctx, entry);
	struct words words = { .text = talloc_strdup(mem_ctx, "") };
	char *safe = NULL;

	/* the day and the time as written, to the millisecond */
	say(&words, "%.10s %.8s.%03d", entry->timestamp,
	    entry->timestamp + 11, (int)(entry->time / 1000 % 1000));
	say(&words, "%s", address != NULL ? address : "?");
	type_line(&words, entry);
	if (words.text != NULL && address != NULL) {
		safe = ntsign_output_safe(mem_ctx, words.text);
	}
	TALLOC_FREE(words.text);
	TALLOC_FREE(address);
	return safe;
}

static bool field_is(const struct ntsign_entry *entry, const char *name,
		     const char *value)
{
	const char *text = ntsign_entry_text(entry, name);

	return text != NULL && strcmp(text, value) == 0;
}

bool ntsign_follow_alarm(const struct ntsign_entry *entry)
{
	if (strcmp(entry->type, "SMBSession") == 0) {
		return ntsign_entry_bool(entry, "refused") ||
		       (ntsign_entry_text(entry, "mismatch") != NULL &&
			!field_is(entry, "mismatch", "none"));
	}
	if (strcmp(entry->type, "SMBConnection") == 0) {
		return field_is(entry, "event", "turned_away");
	}
	if (strcmp(entry->type, "SMBSignature") == 0) {
		return !field_is(entry, "event", "verified");
	}
	if (strcmp(entry->type, "SMBAudit") == 0) {
		return !field_is(entry, "event", "started");
	}
	return strcmp(entry->type, "SMBQuirk") == 0;
}
