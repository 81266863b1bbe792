/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines of JSON, read whole: simdjson behind an interface for C.
 *
 * Invariant: what is read from is valid JSON to its last byte: UTF-8, no name
 * twice in an object, no NUL character in a text, no deeper than
 * NTSIGN_JSON_DEPTH.
 */
#ifndef NTSIGN_JSON_H
#define NTSIGN_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "words.h"

/* Bytes behind a line that must be readable, whatever they are. */
#define NTSIGN_JSON_PADDING 64
#define NTSIGN_JSON_DEPTH 64

struct ntsign_json;

/*
 * Reads lines of up to `longest` bytes. names: of the fields that have a
 * number, which is their place among them, up to 64 of up to 16 letters; they
 * stay while this does. NULL: no memory.
 */
struct ntsign_json *ntsign_json_new(size_t longest, const char *const *names,
				    size_t count);
void ntsign_json_free(struct ntsign_json *json);

/*
 * Reads a line. NULL when it is JSON, else a static text that says what is
 * wrong with it. What was read of another line is gone.
 */
const char *ntsign_json_parse(struct ntsign_json *json, const char *text,
			      size_t len);

/*
 * Texts are terminated, and stay until the next line is read. Each function
 * is false where there is nothing of that name and type, and leaves *value
 * alone then.
 */
bool ntsign_json_is_object(const struct ntsign_json *json);
/* A text of the outermost object. */
bool ntsign_json_outer(const struct ntsign_json *json, const char *name,
		       struct ntsign_slice *value);
/* Turns to that object in the outermost one: the record. */
bool ntsign_json_enter(struct ntsign_json *json, struct ntsign_slice name);

/* Fields of the record that have a number. */
bool ntsign_json_text(const struct ntsign_json *json, size_t field,
		      struct ntsign_slice *value);
bool ntsign_json_bool(const struct ntsign_json *json, size_t field,
		      bool *value);
/* {"patched":bool,"signing":text}, in any order. */
bool ntsign_json_party(const struct ntsign_json *json, size_t field,
		       bool *patched, struct ntsign_slice *signing);

/* Fields of the record, or of an object in it that is not NULL. */
bool ntsign_json_find_text(const struct ntsign_json *json, const char *object,
			   const char *name, struct ntsign_slice *value);
bool ntsign_json_find_bool(const struct ntsign_json *json, const char *object,
			   const char *name, bool *value);
bool ntsign_json_find_int(const struct ntsign_json *json, const char *object,
			  const char *name, int64_t *value);
/* Whether there is anything. */
bool ntsign_json_has(const struct ntsign_json *json, const char *object,
		     const char *name);
/* The elements of a list in the record; 0 where there is none. */
size_t ntsign_json_list_count(const struct ntsign_json *json,
			      const char *name);
bool ntsign_json_list_text(const struct ntsign_json *json, const char *name,
			   size_t place, struct ntsign_slice *value);

#ifdef __cplusplus
}
#endif
#endif
