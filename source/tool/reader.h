/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An audit file's bytes cut into lines, and lines read as records.
 *
 * Invariant: whatever the bytes, memory stays below a few times
 * NTSIGN_READER_LINE_MAX, and each line is either a record or has a reason
 * why it is none.
 */
#ifndef NTSIGN_READER_H
#define NTSIGN_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "json.h"
#include "moment.h"
#include "ntsign/policy.h"
#include "words.h"

/* A record has at most 4096 bytes; later minor versions may have more. */
#define NTSIGN_READER_LINE_MAX 65536

/* How a line came to its end. */
enum ntsign_reader_end {
	NTSIGN_READER_WHOLE,
	NTSIGN_READER_CUT_OFF,		/* no newline: the file ends here */
	NTSIGN_READER_TOO_LONG,		/* its text is not kept */
};

/* A line without its newline; text is not terminated, and followed by
 * NTSIGN_JSON_PADDING bytes that may be read. */
struct ntsign_line {
	const char *text;
	size_t len;
	uint64_t number;		/* from 1 */
	enum ntsign_reader_end end;
};

struct ntsign_reader;

/* line() is called for each line, in order; what it gets is gone after. */
struct ntsign_reader *ntsign_reader_new(
	TALLOC_CTX *mem_ctx,
	void (*line)(const struct ntsign_line *line, void *private_data),
	void *private_data);
void ntsign_reader_feed(struct ntsign_reader *reader, const char *data,
			size_t len);
/* The end of the file: hands on a last line without newline, if any. */
void ntsign_reader_finish(struct ntsign_reader *reader);
/* Forgets an unfinished line and counts from 1 again. */
void ntsign_reader_restart(struct ntsign_reader *reader);

/* Room for a record's address, and for what is wrong with a line. */
#define NTSIGN_ENTRY_ADDRESS 64
#define NTSIGN_ENTRY_DETAIL 160

/* Fields of records that are read often. */
enum ntsign_field {
	NTSIGN_FIELD_ACCOUNT,
	NTSIGN_FIELD_ANONYMOUS,
	NTSIGN_FIELD_ARTICLE,
	NTSIGN_FIELD_BINDING,
	NTSIGN_FIELD_CLIENT,
	NTSIGN_FIELD_COMMAND,
	NTSIGN_FIELD_CONNECTION_ID,
	NTSIGN_FIELD_COUNT,
	NTSIGN_FIELD_DIALECT,
	NTSIGN_FIELD_DOMAIN,
	NTSIGN_FIELD_ENCRYPTED,
	NTSIGN_FIELD_EVENT,
	NTSIGN_FIELD_EXPECTED,
	NTSIGN_FIELD_FLAGS2,
	NTSIGN_FIELD_GUEST,
	NTSIGN_FIELD_LOCAL_ADDRESS,
	NTSIGN_FIELD_MESSAGE,
	NTSIGN_FIELD_MISMATCH,
	NTSIGN_FIELD_NATIVE_LAN_MAN,
	NTSIGN_FIELD_NATIVE_OS,
	NTSIGN_FIELD_NTLMSSP,
	NTSIGN_FIELD_OFFERED,
	NTSIGN_FIELD_OUTCOME,
	NTSIGN_FIELD_PID,
	NTSIGN_FIELD_REASON,
	NTSIGN_FIELD_REAUTHENTICATION,
	NTSIGN_FIELD_REFUSED,
	NTSIGN_FIELD_REMOTE_ADDRESS,
	NTSIGN_FIELD_SECURITY_MODE,
	NTSIGN_FIELD_SERVER,
	NTSIGN_FIELD_SESSION_ID,
	NTSIGN_FIELD_SETUP,
	NTSIGN_FIELD_SHARE,
	NTSIGN_FIELD_SPNEGO,
	NTSIGN_FIELD_STATUS,
	NTSIGN_FIELD_VERSION,
	NTSIGN_FIELD_WINDOWS_EVENT_ID,
	NTSIGN_FIELD_WORKSTATION,
};
#define NTSIGN_FIELDS 38

/* Elements of a list that are looked at. */
#define NTSIGN_ENTRY_LIST_MAX 64

/* What reads lines; it has the texts of the last one. */
struct ntsign_parser;

/* A talloc child of mem_ctx; NULL when memory runs out. */
struct ntsign_parser *ntsign_parser_new(TALLOC_CTX *mem_ctx);

/* One record. It is gone when the parser reads another line. */
struct ntsign_entry {
	const struct ntsign_json *json;
	const char *type;
	const char *timestamp;		/* as written */
	int64_t time;			/* microseconds since 1970 */
	struct ntsign_moment moment;	/* the same, and how it was written */
	/* when it is none: a static text, and what there is to add to it,
	 * which may be text of the line's and cut anywhere */
	const char *why;
	char detail[NTSIGN_ENTRY_DETAIL];
};

/* Reads a line. False when it is no record: then entry->why says why. */
bool ntsign_entry_parse(struct ntsign_parser *parser,
			const struct ntsign_line *line,
			struct ntsign_entry *entry);

/* Fields of the record; NULL, false or 0 where there is none of that type. */
const char *ntsign_entry_text(const struct ntsign_entry *entry,
			      const char *name);
bool ntsign_entry_bool(const struct ntsign_entry *entry, const char *name);
int64_t ntsign_entry_int(const struct ntsign_entry *entry, const char *name);

/* The same for fields that have a number. */
struct ntsign_slice ntsign_entry_slice(const struct ntsign_entry *entry,
				       enum ntsign_field field);
bool ntsign_entry_flag(const struct ntsign_entry *entry,
		       enum ntsign_field field);
/* "client" or "server"; false where it is not whole. */
bool ntsign_entry_party(const struct ntsign_entry *entry,
			enum ntsign_field field, struct ntsign_party *party);

/* A field of an object in the record, or with NULL for it of the record
 * itself. False where there is none of that type; *value stays as it is. */
bool ntsign_entry_find_text(const struct ntsign_entry *entry,
			    const char *object, const char *name,
			    const char **value);
bool ntsign_entry_find_bool(const struct ntsign_entry *entry,
			    const char *object, const char *name, bool *value);
bool ntsign_entry_find_int(const struct ntsign_entry *entry,
			   const char *object, const char *name,
			   int64_t *value);

/* The elements of a list in the record: how many, NTSIGN_ENTRY_LIST_MAX at
 * most, and one of them, NULL where it is no text. */
size_t ntsign_entry_list_count(const struct ntsign_entry *entry,
			       const char *name);
const char *ntsign_entry_list_text(const struct ntsign_entry *entry,
				   const char *name, size_t place);

/*
 * The client's address without the port, in the one form that each address
 * has (an IPv4-mapped one is the IPv4 address); text that is no address as it
 * stands. A talloc child of mem_ctx; NULL when memory runs out.
 */
char *ntsign_entry_address(TALLOC_CTX *mem_ctx,
			   const struct ntsign_entry *entry);

/* The same without memory of its own: in `buffer`, or text of the entry's. */
struct ntsign_slice ntsign_entry_remote(const struct ntsign_entry *entry,
					char buffer[NTSIGN_ENTRY_ADDRESS]);

#endif
