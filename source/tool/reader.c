/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An audit file's bytes cut into lines, and lines read as records.
 *
 * Invariant: nothing in a line is trusted: what is not of the expected type
 * is absent.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ntsign/address.h"
#include "ntsign/record.h"
#include "ntsign/text.h"
#include "reader.h"

struct ntsign_reader {
	void (*line)(const struct ntsign_line *line, void *private_data);
	void *private_data;
	uint64_t number;	/* lines handed on */
	size_t used;
	bool too_long;
	bool pending;		/* bytes of a line have been seen */
	char buffer[NTSIGN_READER_LINE_MAX + NTSIGN_JSON_PADDING];
};

struct ntsign_reader *ntsign_reader_new(
	TALLOC_CTX *mem_ctx,
	void (*line)(const struct ntsign_line *line, void *private_data),
	void *private_data)
{
	struct ntsign_reader *reader =
		talloc_zero(mem_ctx, struct ntsign_reader);

	if (reader != NULL) {
		reader->line = line;
		reader->private_data = private_data;
	}
	return reader;
}

static void hand_on(struct ntsign_reader *reader, enum ntsign_reader_end end)
{
	struct ntsign_line line = {
		.text = reader->buffer,
		.len = reader->used,
		.number = ++reader->number,
		.end = end,
	};

	if (reader->too_long) {
		line.len = 0;
		line.end = NTSIGN_READER_TOO_LONG;
	}
	reader->used = 0;
	reader->too_long = false;
	reader->pending = false;
	reader->line(&line, reader->private_data);
}

static void keep(struct ntsign_reader *reader, const char *data, size_t len)
{
	if (len == 0) {
		return;
	}
	reader->pending = true;
	if (len > NTSIGN_READER_LINE_MAX - reader->used) {
		reader->too_long = true;
	}
	if (reader->too_long) {
		return;
	}
	memcpy(reader->buffer + reader->used, data, len);
	reader->used += len;
}

void ntsign_reader_feed(struct ntsign_reader *reader, const char *data,
			size_t len)
{
	while (len > 0) {
		const char *newline = memchr(data, '\n', len);
		size_t part = len;

		if (newline == NULL) {
			keep(reader, data, len);
			return;
		}
		part = (size_t)(newline - data);
		keep(reader, data, part);
		hand_on(reader, NTSIGN_READER_WHOLE);
		data += part + 1;
		len -= part + 1;
	}
}

void ntsign_reader_finish(struct ntsign_reader *reader)
{
	if (reader->pending) {
		hand_on(reader, NTSIGN_READER_CUT_OFF);
	}
}

void ntsign_reader_restart(struct ntsign_reader *reader)
{
	reader->used = 0;
	reader->too_long = false;
	reader->pending = false;
	reader->number = 0;
}

static const char *const field_names[] = {
	[NTSIGN_FIELD_ACCOUNT] = "account",
	[NTSIGN_FIELD_ANONYMOUS] = "anonymous",
	[NTSIGN_FIELD_ARTICLE] = "article",
	[NTSIGN_FIELD_BINDING] = "binding",
	[NTSIGN_FIELD_CLIENT] = "client",
	[NTSIGN_FIELD_COMMAND] = "command",
	[NTSIGN_FIELD_CONNECTION_ID] = "connectionId",
	[NTSIGN_FIELD_COUNT] = "count",
	[NTSIGN_FIELD_DIALECT] = "dialect",
	[NTSIGN_FIELD_DOMAIN] = "domain",
	[NTSIGN_FIELD_ENCRYPTED] = "encrypted",
	[NTSIGN_FIELD_EVENT] = "event",
	[NTSIGN_FIELD_EXPECTED] = "expected",
	[NTSIGN_FIELD_FLAGS2] = "flags2",
	[NTSIGN_FIELD_GUEST] = "guest",
	[NTSIGN_FIELD_LOCAL_ADDRESS] = "localAddress",
	[NTSIGN_FIELD_MESSAGE] = "message",
	[NTSIGN_FIELD_MISMATCH] = "mismatch",
	[NTSIGN_FIELD_NATIVE_LAN_MAN] = "nativeLanMan",
	[NTSIGN_FIELD_NATIVE_OS] = "nativeOs",
	[NTSIGN_FIELD_NTLMSSP] = "ntlmssp",
	[NTSIGN_FIELD_OFFERED] = "offered",
	[NTSIGN_FIELD_OUTCOME] = "outcome",
	[NTSIGN_FIELD_PID] = "pid",
	[NTSIGN_FIELD_REASON] = "reason",
	[NTSIGN_FIELD_REAUTHENTICATION] = "reauthentication",
	[NTSIGN_FIELD_REFUSED] = "refused",
	[NTSIGN_FIELD_REMOTE_ADDRESS] = "remoteAddress",
	[NTSIGN_FIELD_SECURITY_MODE] = "securityMode",
	[NTSIGN_FIELD_SERVER] = "server",
	[NTSIGN_FIELD_SESSION_ID] = "sessionId",
	[NTSIGN_FIELD_SETUP] = "setup",
	[NTSIGN_FIELD_SHARE] = "share",
	[NTSIGN_FIELD_SPNEGO] = "spnego",
	[NTSIGN_FIELD_STATUS] = "status",
	[NTSIGN_FIELD_VERSION] = "version",
	[NTSIGN_FIELD_WINDOWS_EVENT_ID] = "windowsEventId",
	[NTSIGN_FIELD_WORKSTATION] = "workstation",
};
static_assert(sizeof(field_names) / sizeof(field_names[0]) ==
	      NTSIGN_FIELDS, "every field has a name");

struct ntsign_parser {
	struct ntsign_json *json;
};

static int parser_destructor(struct ntsign_parser *parser)
{
	ntsign_json_free(parser->json);
	return 0;
}

struct ntsign_parser *ntsign_parser_new(TALLOC_CTX *mem_ctx)
{
	struct ntsign_parser *parser = talloc(mem_ctx, struct ntsign_parser);

	if (parser == NULL) {
		return NULL;
	}
	parser->json = ntsign_json_new(NTSIGN_READER_LINE_MAX, field_names,
				       NTSIGN_FIELDS);
	if (parser->json == NULL) {
		TALLOC_FREE(parser);
		return NULL;
	}
	talloc_set_destructor(parser, parser_destructor);
	return parser;
}

static bool refuse(struct ntsign_entry *entry, const char *why)
{
	entry->why = why;
	return false;
}

static bool check_version(struct ntsign_entry *entry)
{
	int64_t major = 0;

	if (!ntsign_json_has(entry->json, NULL, "version")) {
		return true;
	}
	if (!ntsign_json_find_int(entry->json, "version", "major", &major)) {
		return refuse(entry, "its version is no number");
	}
	if (major > NTSIGN_RECORD_MAJOR) {
		snprintf(entry->detail, sizeof(entry->detail),
			 "major version %" PRId64 ", this command reads %d",
			 major, NTSIGN_RECORD_MAJOR);
		return refuse(entry, "of a later version of ntsign");
	}
	return true;
}

/* Fills in entry from the line that was read. */
static bool open_envelope(struct ntsign_json *json, struct ntsign_entry *entry)
{
	struct ntsign_slice type = { .text = NULL };
	struct ntsign_slice timestamp = { .text = NULL };

	if (!ntsign_json_is_object(json)) {
		return refuse(entry, "not a JSON object");
	}
	if (!ntsign_json_outer(json, "type", &type)) {
		return refuse(entry, "it has no type");
	}
	(void)ntsign_json_outer(json, "timestamp", &timestamp);
	if (!ntsign_moment_parse(timestamp, &entry->moment)) {
		return refuse(entry, "it has no timestamp that can be read");
	}
	if (!ntsign_json_enter(json, type)) {
		return refuse(entry, "it has no object named by its type");
	}
	entry->type = type.text;
	entry->timestamp = timestamp.text;
	entry->time = entry->moment.time;
	return check_version(entry);
}

bool ntsign_entry_parse(struct ntsign_parser *parser,
			const struct ntsign_line *line,
			struct ntsign_entry *entry)
{
	const char *wrong = NULL;

	entry->json = parser->json;
	entry->why = NULL;
	entry->detail[0] = '\0';
	if (line->end == NTSIGN_READER_TOO_LONG) {
		return refuse(entry, "too long for a record");
	}
	wrong = ntsign_json_parse(parser->json, line->text, line->len);
	if (wrong == NULL) {
		return open_envelope(parser->json, entry);
	}
	if (memchr(line->text, '\0', line->len) != NULL) {
		return refuse(entry, "it has NUL bytes in it");
	}
	if (line->end == NTSIGN_READER_CUT_OFF) {
		return refuse(entry, "cut off");
	}
	snprintf(entry->detail, sizeof(entry->detail), "%s", wrong);
	return refuse(entry, "not JSON");
}

/* ---- fields ---- */

bool ntsign_entry_find_text(const struct ntsign_entry *entry,
			    const char *object, const char *name,
			    const char **value)
{
	struct ntsign_slice text = { .text = NULL };

	if (!ntsign_json_find_text(entry->json, object, name, &text)) {
		return false;
	}
	*value = text.text;
	return true;
}

bool ntsign_entry_find_bool(const struct ntsign_entry *entry,
			    const char *object, const char *name, bool *value)
{
	return ntsign_json_find_bool(entry->json, object, name, value);
}

bool ntsign_entry_find_int(const struct ntsign_entry *entry,
			   const char *object, const char *name,
			   int64_t *value)
{
	return ntsign_json_find_int(entry->json, object, name, value);
}

const char *ntsign_entry_text(const struct ntsign_entry *entry,
			      const char *name)
{
	const char *value = NULL;

	(void)ntsign_entry_find_text(entry, NULL, name, &value);
	return value;
}

bool ntsign_entry_bool(const struct ntsign_entry *entry, const char *name)
{
	bool value = false;

	(void)ntsign_entry_find_bool(entry, NULL, name, &value);
	return value;
}

int64_t ntsign_entry_int(const struct ntsign_entry *entry, const char *name)
{
	int64_t value = 0;

	(void)ntsign_entry_find_int(entry, NULL, name, &value);
	return value;
}

size_t ntsign_entry_list_count(const struct ntsign_entry *entry,
			       const char *name)
{
	size_t count = ntsign_json_list_count(entry->json, name);

	return count < NTSIGN_ENTRY_LIST_MAX ? count : NTSIGN_ENTRY_LIST_MAX;
}

const char *ntsign_entry_list_text(const struct ntsign_entry *entry,
				   const char *name, size_t place)
{
	struct ntsign_slice text = { .text = NULL };

	(void)ntsign_json_list_text(entry->json, name, place, &text);
	return text.text;
}

struct ntsign_slice ntsign_entry_slice(const struct ntsign_entry *entry,
				       enum ntsign_field field)
{
	struct ntsign_slice text = { .text = NULL };

	(void)ntsign_json_text(entry->json, field, &text);
	return text;
}

bool ntsign_entry_flag(const struct ntsign_entry *entry,
		       enum ntsign_field field)
{
	bool value = false;

	(void)ntsign_json_bool(entry->json, field, &value);
	return value;
}

bool ntsign_entry_party(const struct ntsign_entry *entry,
			enum ntsign_field field, struct ntsign_party *party)
{
	struct ntsign_slice signing = { .text = NULL };

	return ntsign_json_party(entry->json, field, &party->patched,
				 &signing) &&
	       ntsign_signing_from_name(signing.text, &party->signing);
}

/* What stands between "ipv4:" or "ipv6:" and the port; all of other texts. */
static struct ntsign_slice without_port(struct ntsign_slice remote)
{
	const char *port = NULL;

	if (remote.text == NULL) {
		return ntsign_slice_of("unknown");
	}
	if (remote.len < 5 || (memcmp(remote.text, "ipv4:", 5) != 0 &&
			       memcmp(remote.text, "ipv6:", 5) != 0)) {
		return remote;
	}
	remote.text += 5;
	remote.len -= 5;
	port = memrchr(remote.text, ':', remote.len);
	if (port != NULL) {
		remote.len = (size_t)(port - remote.text);
	}
	return remote;
}

/* Four numbers as inet_ntop() writes them: most addresses are of this form
 * already. */
static bool is_plain_ipv4(struct ntsign_slice text)
{
	const char *p = text.text;
	const char *end = p + text.len;
	unsigned int part = 0;

	for (part = 0; part < 4; part++) {
		unsigned int n = 0;
		const char *start = p;

		for (; p < end && *p >= '0' && *p <= '9' && p - start < 3;
		     p++) {
			n = n * 10 + (unsigned int)(*p - '0');
		}
		if (p == start || n > 255 || (*start == '0' && p - start > 1)) {
			return false;
		}
		if (part < 3 && (p == end || *p++ != '.')) {
			return false;
		}
	}
	return p == end;
}

struct ntsign_slice ntsign_entry_remote(const struct ntsign_entry *entry,
					char buffer[NTSIGN_ENTRY_ADDRESS])
{
	struct ntsign_slice text = without_port(
		ntsign_entry_slice(entry, NTSIGN_FIELD_REMOTE_ADDRESS));
	struct ntsign_address address = { .len = 0 };

	if (is_plain_ipv4(text)) {
		return text;
	}
	if (text.len < NTSIGN_ENTRY_ADDRESS) {
		memcpy(buffer, text.text, text.len);
		buffer[text.len] = '\0';
		if (ntsign_address_parse(buffer, &address) &&
		    inet_ntop(address.len == 4 ? AF_INET : AF_INET6,
			      address.bytes, buffer,
			      NTSIGN_ENTRY_ADDRESS) != NULL) {
			return ntsign_slice_of(buffer);
		}
	}
	return ntsign_slice_cut(text);
}

char *ntsign_entry_address(TALLOC_CTX *mem_ctx,
			   const struct ntsign_entry *entry)
{
	char buffer[NTSIGN_ENTRY_ADDRESS];
	struct ntsign_slice address = ntsign_entry_remote(entry, buffer);

	return talloc_strndup(mem_ctx, address.text, address.len);
}
