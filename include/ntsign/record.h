/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Audit records: one JSON object a line, in the envelope of Samba's own
 * JSON audit.
 *
 * Invariant: a record that comes out is one whole line of valid JSON of at
 * most NTSIGN_RECORD_MAX bytes with the newline; errors stick, and are asked
 * for once at the end.
 */
#ifndef NTSIGN_RECORD_H
#define NTSIGN_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>
#include <talloc.h>

/* Bytes of a line, the newline included. */
#define NTSIGN_RECORD_MAX 4096

/* A minor version adds fields; a major one changes or removes them. */
#define NTSIGN_RECORD_MAJOR 1
#define NTSIGN_RECORD_MINOR 0

enum ntsign_record_type {
	NTSIGN_RECORD_CONNECTION,
	NTSIGN_RECORD_SESSION,
	NTSIGN_RECORD_TREE,
	NTSIGN_RECORD_SIGNATURE,
	NTSIGN_RECORD_QUIRK,
	NTSIGN_RECORD_AUDIT,
};
#define NTSIGN_RECORD_TYPE_COUNT 6

/* "SMBConnection", "SMBSession" ...; NULL for a value outside the enum */
const char *ntsign_record_type_name(enum ntsign_record_type type);

struct ntsign_record;

/* Starts a record; a talloc child of mem_ctx. NULL when memory runs out, the
 * type is none or the time has no year. */
struct ntsign_record *ntsign_record_new(TALLOC_CTX *mem_ctx,
					enum ntsign_record_type type,
					const struct timeval *now);

/* Each adds one field to the innermost open object. A NULL record, and a
 * record in error, are left alone. A NULL text is JSON's null; every other
 * text goes through ntsign_text_string(). */
void ntsign_record_text(struct ntsign_record *record, const char *name,
			const char *text);
void ntsign_record_int(struct ntsign_record *record, const char *name,
		       int64_t value);
void ntsign_record_bool(struct ntsign_record *record, const char *name,
			bool value);
/* "0x" and at least `digits` hex digits (at most 16), upper case, as text */
void ntsign_record_hex(struct ntsign_record *record, const char *name,
		       uint64_t value, unsigned int digits);

/* Objects nest at most 4 deep in the one that is open at the start, and what
 * is opened has to be closed. A list holds texts only. */
void ntsign_record_open(struct ntsign_record *record, const char *name);
void ntsign_record_close(struct ntsign_record *record);
void ntsign_record_list(struct ntsign_record *record, const char *name,
			const char *const *texts, size_t count);

/*
 * The finished line with its newline, a talloc child of the record; its
 * length in *len, at most NTSIGN_RECORD_MAX. Texts are cut, the longest ones
 * first, until it fits, but none below 32 bytes. NULL when anything failed
 * before, an object is still open, or the line does not fit even so.
 */
const char *ntsign_record_line(struct ntsign_record *record, size_t *len);

/*
 * Calls visit for each value of a record, in the line's order and, once there
 * is a line, cut as there. A name is "timestamp", "type" or that of a field,
 * "client.patched" where it is one in another; a list's is that of each of its
 * texts. Numbers are decimal, booleans "true" or "false"; null is no value.
 */
void ntsign_record_walk(const struct ntsign_record *record,
			void (*visit)(const char *name, const char *value,
				      size_t len, void *private_data),
			void *private_data);

#endif
