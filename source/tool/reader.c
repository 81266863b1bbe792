/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An audit file's bytes cut into lines, and lines read as records.
 *
 * Invariant: nothing in a line is trusted: what is not of the expected type
 * is absent.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
	char buffer[NTSIGN_READER_LINE_MAX];
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
	if (len > sizeof(reader->buffer) - reader->used) {
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

/* Reads exactly `digits` decimal digits. */
static bool read_number(const char **text, unsigned int digits, int *number)
{
	int n = 0;

	for (; digits > 0; digits--, (*text)++) {
		if (**text < '0' || **text > '9') {
			return false;
		}
		n = n * 10 + (**text - '0');
	}
	*number = n;
	return true;
}

static bool read_char(const char **text, char c)
{
	if (**text != c) {
		return false;
	}
	(*text)++;
	return true;
}

static bool read_date(const char **text, struct tm *tm)
{
	bool ok = read_number(text, 4, &tm->tm_year) &&
		  read_char(text, '-') &&
		  read_number(text, 2, &tm->tm_mon) &&
		  read_char(text, '-') &&
		  read_number(text, 2, &tm->tm_mday) &&
		  (read_char(text, 'T') || read_char(text, ' ')) &&
		  read_number(text, 2, &tm->tm_hour) &&
		  read_char(text, ':') &&
		  read_number(text, 2, &tm->tm_min) &&
		  read_char(text, ':') &&
		  read_number(text, 2, &tm->tm_sec);

	ok = ok && tm->tm_year >= 1970 && tm->tm_mon >= 1 &&
	     tm->tm_mon <= 12 && tm->tm_mday >= 1 && tm->tm_mday <= 31 &&
	     tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60;
	if (ok) {
		tm->tm_year -= 1900;
		tm->tm_mon -= 1;
	}
	return ok;
}

/* Up to nine digits after the point as microseconds; the rest are cut. */
static bool read_fraction(const char **text, int64_t *microseconds)
{
	int64_t unit = 100000;
	int64_t n = 0;
	const char *p = *text;

	for (; *p >= '0' && *p <= '9' && p - *text < 9; p++, unit /= 10) {
		n += unit * (*p - '0');
	}
	if (p == *text) {
		return false;
	}
	*text = p;
	*microseconds = n;
	return true;
}

static bool read_zone(const char **text, int64_t *seconds)
{
	int sign = 0;
	int hours = 0;
	int minutes = 0;

	if (read_char(text, 'Z')) {
		*seconds = 0;
		return true;
	}
	sign = read_char(text, '+') ? 1 : read_char(text, '-') ? -1 : 0;
	if (sign == 0 || !read_number(text, 2, &hours)) {
		return false;
	}
	(void)read_char(text, ':');
	if (!read_number(text, 2, &minutes)) {
		return false;
	}
	*seconds = (int64_t)sign * (hours * 3600 + minutes * 60);
	return true;
}

bool ntsign_entry_time(const char *text, int64_t *time)
{
	struct tm tm = { .tm_isdst = 0 };
	int64_t microseconds = 0;
	int64_t zone = 0;

	if (!read_date(&text, &tm)) {
		return false;
	}
	if (read_char(&text, '.') && !read_fraction(&text, &microseconds)) {
		return false;
	}
	if (!read_zone(&text, &zone) || *text != '\0') {
		return false;
	}
	*time = ((int64_t)timegm(&tm) - zone) * 1000000 + microseconds;
	return true;
}

static bool refuse(struct ntsign_entry *entry, const char *why)
{
	entry->why = why;
	return false;
}

static bool check_version(struct ntsign_entry *entry)
{
	json_t *version = json_object_get(entry->body, "version");
	json_t *major = json_object_get(version, "major");

	if (version == NULL) {
		return true;
	}
	if (!json_is_integer(major)) {
		return refuse(entry, "its version is no number");
	}
	if (json_integer_value(major) > NTSIGN_RECORD_MAJOR) {
		snprintf(entry->detail, sizeof(entry->detail),
			 "major version %" JSON_INTEGER_FORMAT
			 ", this command reads %d",
			 json_integer_value(major), NTSIGN_RECORD_MAJOR);
		return refuse(entry, "of a later version of ntsign");
	}
	return true;
}

/* Fills in entry from entry->root. */
static bool open_envelope(struct ntsign_entry *entry)
{
	if (!json_is_object(entry->root)) {
		return refuse(entry, "not a JSON object");
	}
	entry->type = json_string_value(json_object_get(entry->root, "type"));
	if (entry->type == NULL) {
		return refuse(entry, "it has no type");
	}
	entry->timestamp = json_string_value(
		json_object_get(entry->root, "timestamp"));
	if (entry->timestamp == NULL ||
	    !ntsign_entry_time(entry->timestamp, &entry->time)) {
		return refuse(entry, "it has no timestamp that can be read");
	}
	entry->body = json_object_get(entry->root, entry->type);
	if (!json_is_object(entry->body)) {
		return refuse(entry, "it has no object named by its type");
	}
	return check_version(entry);
}

bool ntsign_entry_parse(const struct ntsign_line *line,
			struct ntsign_entry *entry)
{
	json_error_t error = { .line = 0 };

	*entry = (struct ntsign_entry){ .root = NULL };
	if (line->end == NTSIGN_READER_TOO_LONG) {
		return refuse(entry, "too long for a record");
	}
	if (memchr(line->text, '\0', line->len) != NULL) {
		return refuse(entry, "it has NUL bytes in it");
	}
	entry->root = json_loadb(line->text, line->len,
				 JSON_REJECT_DUPLICATES, &error);
	if (entry->root == NULL) {
		if (line->end == NTSIGN_READER_CUT_OFF) {
			return refuse(entry, "cut off");
		}
		snprintf(entry->detail, sizeof(entry->detail), "%s",
			 error.text);
		return refuse(entry, "not JSON");
	}
	if (!open_envelope(entry)) {
		ntsign_entry_free(entry);
		return false;
	}
	return true;
}

void ntsign_entry_free(struct ntsign_entry *entry)
{
	json_decref(entry->root);
	entry->root = NULL;
	entry->body = NULL;
}

const char *ntsign_entry_text(const struct ntsign_entry *entry,
			      const char *name)
{
	return json_string_value(json_object_get(entry->body, name));
}

bool ntsign_entry_bool(const struct ntsign_entry *entry, const char *name)
{
	return json_is_true(json_object_get(entry->body, name));
}

int64_t ntsign_entry_int(const struct ntsign_entry *entry, const char *name)
{
	return json_integer_value(json_object_get(entry->body, name));
}

static const json_t *find(const struct ntsign_entry *entry, const char *object,
			  const char *name)
{
	const json_t *outer = entry->body;

	if (object != NULL) {
		outer = json_object_get(outer, object);
	}
	return json_object_get(outer, name);
}

bool ntsign_entry_find_text(const struct ntsign_entry *entry,
			    const char *object, const char *name,
			    const char **value)
{
	const json_t *field = find(entry, object, name);

	if (!json_is_string(field)) {
		return false;
	}
	*value = json_string_value(field);
	return true;
}

bool ntsign_entry_find_bool(const struct ntsign_entry *entry,
			    const char *object, const char *name, bool *value)
{
	const json_t *field = find(entry, object, name);

	if (!json_is_boolean(field)) {
		return false;
	}
	*value = json_is_true(field);
	return true;
}

bool ntsign_entry_find_int(const struct ntsign_entry *entry,
			   const char *object, const char *name,
			   int64_t *value)
{
	const json_t *field = find(entry, object, name);

	if (!json_is_integer(field)) {
		return false;
	}
	*value = json_integer_value(field);
	return true;
}

size_t ntsign_entry_list_count(const struct ntsign_entry *entry,
			       const char *name)
{
	return json_array_size(json_object_get(entry->body, name));
}

const char *ntsign_entry_list_text(const struct ntsign_entry *entry,
				   const char *name, size_t place)
{
	return json_string_value(json_array_get(
		json_object_get(entry->body, name), place));
}

/* What stands between "ipv4:" or "ipv6:" and the port; all of other texts. */
static char *without_port(TALLOC_CTX *mem_ctx, const char *remote)
{
	const char *port = NULL;

	if (strncmp(remote, "ipv4:", 5) != 0 &&
	    strncmp(remote, "ipv6:", 5) != 0) {
		return ntsign_text_string(mem_ctx, remote);
	}
	remote += 5;
	port = strrchr(remote, ':');
	if (port == NULL) {
		return ntsign_text_string(mem_ctx, remote);
	}
	return talloc_strndup(mem_ctx, remote, (size_t)(port - remote));
}

char *ntsign_entry_address(TALLOC_CTX *mem_ctx,
			   const struct ntsign_entry *entry)
{
	const char *remote = ntsign_entry_text(entry, "remoteAddress");
	struct ntsign_address address = { .len = 0 };
	char canonical[INET6_ADDRSTRLEN] = "";
	char *cut = NULL;
	char *text = NULL;

	cut = without_port(mem_ctx, remote != NULL ? remote : "unknown");
	if (cut == NULL) {
		return NULL;
	}
	if (ntsign_address_parse(cut, &address) &&
	    inet_ntop(address.len == 4 ? AF_INET : AF_INET6, address.bytes,
		      canonical, sizeof(canonical)) != NULL) {
		text = talloc_strdup(mem_ctx, canonical);
	} else {
		text = ntsign_text_string(mem_ctx, cut);
	}
	TALLOC_FREE(cut);
	return text;
}
