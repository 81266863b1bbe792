/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Audit records: one JSON object a line.
 *
 * Invariant: a record that comes out is one whole line of valid JSON of at
 * most NTSIGN_RECORD_MAX bytes with the newline; errors stick, and are asked
 * for once at the end.
 */
#include "ntsign/record.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "ntsign/text.h"

/* The line's root, the object of the record's type, and 4 more in that. */
#define DEPTH_TYPE 1
#define DEPTH_MAX (DEPTH_TYPE + 4)

/* Of a field's name with those of the objects that it is in; the names that the
 * module chooses are far shorter. */
#define NAME_MAX_LEN 128

/* Room for the JSON itself, in front of the newline. */
#define ROOM (NTSIGN_RECORD_MAX - 1)

/*
 * No text is cut below this many bytes: time stamps, the numbers written as
 * texts and all names that the module chooses itself stay whole.
 */
#define CUT_MIN 32
/* No text is longer: "\u001F" is 6 bytes. */
#define CUT_MAX (6 * NTSIGN_TEXT_MAX)

static const char *const type_names[] = {
	[NTSIGN_RECORD_CONNECTION] = "SMBConnection",
	[NTSIGN_RECORD_SESSION] = "SMBSession",
	[NTSIGN_RECORD_TREE] = "SMBTree",
	[NTSIGN_RECORD_SIGNATURE] = "SMBSignature",
	[NTSIGN_RECORD_QUIRK] = "SMBQuirk",
	[NTSIGN_RECORD_AUDIT] = "SMBAudit",
};
static_assert(sizeof(type_names) / sizeof(type_names[0]) ==
	      NTSIGN_RECORD_TYPE_COUNT, "every record type has a name");

struct ntsign_record {
	json_t *objects[DEPTH_MAX + 1];	/* the open ones, the root first */
	unsigned int depth;		/* the innermost */
	bool failed;
};

const char *ntsign_record_type_name(enum ntsign_record_type type)
{
	if ((unsigned int)type >= NTSIGN_RECORD_TYPE_COUNT) {
		return NULL;
	}
	return type_names[type];
}

static int record_destructor(struct ntsign_record *record)
{
	json_decref(record->objects[0]);
	return 0;
}

static bool record_usable(const struct ntsign_record *record)
{
	return record != NULL && !record->failed;
}

/* Takes over the value, NULL among them: what jansson could not make. */
static void record_add(struct ntsign_record *record, const char *name,
		       json_t *value)
{
	json_t *object = record->objects[record->depth];

	if (json_object_set_new(object, name, value) != 0) {
		record->failed = true;
	}
}

static json_t *text_value(TALLOC_CTX *mem_ctx, const char *text)
{
	json_t *value = NULL;
	char *fit = NULL;

	if (text == NULL) {
		return json_null();
	}
	fit = ntsign_text_string(mem_ctx, text);
	if (fit == NULL) {
		return NULL;
	}
	value = json_string(fit);
	talloc_free(fit);
	return value;
}

/* As Samba's JSON audit writes it: local time and its offset. */
static bool timestamp_write(const struct timeval *now, char *text, size_t len)
{
	struct tm tm = { .tm_year = 0 };
	char second[32] = "";
	char zone[8] = "";

	if (localtime_r(&now->tv_sec, &tm) == NULL) {
		return false;
	}
	strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(text, len, "%s.%06ld%s", second, (long)now->tv_usec, zone);
	return true;
}

struct ntsign_record *ntsign_record_new(TALLOC_CTX *mem_ctx,
					enum ntsign_record_type type,
					const struct timeval *now)
{
	struct ntsign_record *record = NULL;
	const char *name = ntsign_record_type_name(type);
	char timestamp[64] = "";

	if (!timestamp_write(now, timestamp, sizeof(timestamp))) {
		return NULL;
	}
	record = talloc_zero(mem_ctx, struct ntsign_record);
	if (record == NULL) {
		return NULL;
	}
	talloc_set_destructor(record, record_destructor);
	record->objects[0] = json_object();

	ntsign_record_text(record, "timestamp", timestamp);
	ntsign_record_text(record, "type", name);
	ntsign_record_open(record, name);
	ntsign_record_open(record, "version");
	ntsign_record_int(record, "major", NTSIGN_RECORD_MAJOR);
	ntsign_record_int(record, "minor", NTSIGN_RECORD_MINOR);
	ntsign_record_close(record);

	if (record->failed) {
		talloc_free(record);
		return NULL;
	}
	return record;
}

void ntsign_record_text(struct ntsign_record *record, const char *name,
			const char *text)
{
	if (!record_usable(record)) {
		return;
	}
	record_add(record, name, text_value(record, text));
}

void ntsign_record_int(struct ntsign_record *record, const char *name,
		       int64_t value)
{
	if (!record_usable(record)) {
		return;
	}
	record_add(record, name, json_integer(value));
}

void ntsign_record_bool(struct ntsign_record *record, const char *name,
			bool value)
{
	if (!record_usable(record)) {
		return;
	}
	record_add(record, name, json_boolean(value));
}

void ntsign_record_hex(struct ntsign_record *record, const char *name,
		       uint64_t value, unsigned int digits)
{
	char text[2 + 16 + 1] = "";

	if (digits > 16) {
		digits = 16;
	}
	snprintf(text, sizeof(text), "0x%0*" PRIX64, (int)digits, value);
	ntsign_record_text(record, name, text);
}

void ntsign_record_open(struct ntsign_record *record, const char *name)
{
	json_t *object = NULL;

	if (!record_usable(record)) {
		return;
	}
	if (record->depth == DEPTH_MAX) {
		record->failed = true;
		return;
	}
	object = json_object();
	record_add(record, name, object);
	if (!record->failed) {
		record->depth++;
		record->objects[record->depth] = object;
	}
}

void ntsign_record_close(struct ntsign_record *record)
{
	if (!record_usable(record)) {
		return;
	}
	if (record->depth == DEPTH_TYPE) {
		record->failed = true;
		return;
	}
	record->depth--;
}

void ntsign_record_list(struct ntsign_record *record, const char *name,
			const char *const *texts, size_t count)
{
	json_t *list = NULL;
	size_t i = 0;

	if (!record_usable(record)) {
		return;
	}
	list = json_array();
	record_add(record, name, list);
	for (i = 0; i < count && !record->failed; i++) {
		json_t *value = text_value(record, texts[i]);

		if (json_array_append_new(list, value) != 0) {
			record->failed = true;
		}
	}
}

/* The bytes that a text's byte takes as JSON. */
static size_t byte_cost(char c)
{
	switch (c) {
	case '"':
	case '\\':
	case '\b':
	case '\f':
	case '\n':
	case '\r':
	case '\t':
		return 2;
	default:
		return (unsigned char)c < 0x20 ? 6 : 1;
	}
}

/*
 * How many bytes at least are won when no text of a value takes more than
 * `level` bytes as JSON. With `really` it is done. A text that cannot be
 * replaced for lack of memory stays; then the line does not fit.
 */
static size_t texts_cut(json_t *value, size_t level, bool really)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);
	size_t won = 0;
	size_t cost = 0;
	size_t keep = 0;
	size_t i = 0;
	void *field = NULL;

	for (i = 0; i < json_array_size(value); i++) {
		won += texts_cut(json_array_get(value, i), level, really);
	}
	for (field = json_object_iter(value);
	     field != NULL;
	     field = json_object_iter_next(value, field))
	{
		won += texts_cut(json_object_iter_value(field), level, really);
	}

	for (i = 0; i < len; i++) {
		bool inside = (text[i + 1] & 0xC0) == 0x80;

		cost += byte_cost(text[i]);
		if (cost <= level && !inside) {
			keep = i + 1;
		}
	}
	if (cost <= level) {
		return won;
	}
	if (really) {
		json_string_setn_nocheck(value, text, keep);
	}
	return won + cost - level;
}

/* Cuts all texts to the greatest common length that wins enough bytes. */
static void record_shrink(struct ntsign_record *record, size_t excess)
{
	json_t *fields = record->objects[DEPTH_TYPE];
	size_t enough = CUT_MIN;
	size_t too_long = CUT_MAX;

	while (too_long - enough > 1) {
		size_t level = enough + (too_long - enough) / 2;

		if (texts_cut(fields, level, false) >= excess) {
			enough = level;
		} else {
			too_long = level;
		}
	}
	texts_cut(fields, enough, true);
}

const char *ntsign_record_line(struct ntsign_record *record, size_t *len)
{
	char *line = NULL;
	size_t size = 0;

	if (!record_usable(record)) {
		return NULL;
	}
	if (record->depth != DEPTH_TYPE) {
		record->failed = true;
		return NULL;
	}
	line = talloc_array(record, char, NTSIGN_RECORD_MAX + 1);
	if (line == NULL) {
		record->failed = true;
		return NULL;
	}

	size = json_dumpb(record->objects[0], line, ROOM, JSON_COMPACT);
	if (size > ROOM) {
		record_shrink(record, size - ROOM);
		size = json_dumpb(record->objects[0], line, ROOM,
				  JSON_COMPACT);
	}
	if (size == 0 || size > ROOM) {
		record->failed = true;
		talloc_free(line);
		return NULL;
	}

	line[size] = '\n';
	line[size + 1] = '\0';
	*len = size + 1;
	return line;
}

struct walk {
	void (*visit)(const char *name, const char *value, size_t len,
		      void *private_data);
	void *private_data;
	char name[NAME_MAX_LEN];
};

static void walk_text(struct walk *walk, const char *text)
{
	walk->visit(walk->name, text, strlen(text), walk->private_data);
}

static void walk_value(struct walk *walk, json_t *value)
{
	size_t used = strlen(walk->name);
	char number[32] = "";
	void *field = NULL;
	size_t i = 0;

	switch (json_typeof(value)) {
	case JSON_STRING:
		walk->visit(walk->name, json_string_value(value),
			    json_string_length(value), walk->private_data);
		break;
	case JSON_INTEGER:
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
		walk_text(walk, number);
		break;
	case JSON_TRUE:
		walk_text(walk, "true");
		break;
	case JSON_FALSE:
		walk_text(walk, "false");
		break;
	case JSON_ARRAY:
		for (i = 0; i < json_array_size(value); i++) {
			walk_value(walk, json_array_get(value, i));
		}
		break;
	case JSON_OBJECT:
		for (field = json_object_iter(value);
		     field != NULL;
		     field = json_object_iter_next(value, field))
		{
			snprintf(walk->name + used, sizeof(walk->name) - used,
				 "%s%s", used > 0 ? "." : "",
				 json_object_iter_key(field));
			walk_value(walk, json_object_iter_value(field));
			walk->name[used] = '\0';
		}
		break;
	default:
		break;
	}
}

void ntsign_record_walk(const struct ntsign_record *record,
			void (*visit)(const char *name, const char *value,
				      size_t len, void *private_data),
			void *private_data)
{
	struct walk walk = { .visit = visit, .private_data = private_data };
	json_t *root = NULL;
	void *field = NULL;

	if (!record_usable(record)) {
		return;
	}
	root = record->objects[0];
	for (field = json_object_iter(root);
	     field != NULL;
	     field = json_object_iter_next(root, field))
	{
		json_t *value = json_object_iter_value(field);

		/* the fields of the type's object have no name in front */
		if (json_typeof(value) != JSON_OBJECT) {
			snprintf(walk.name, sizeof(walk.name), "%s",
				 json_object_iter_key(field));
		}
		walk_value(&walk, value);
		walk.name[0] = '\0';
	}
}
