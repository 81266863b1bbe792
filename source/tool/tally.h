/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Audit records summed up.
 *
 * Invariant: memory grows with the clients seen (and the ways in which their
 * sessions mismatch), never with the records.
 */
#ifndef NTSIGN_TALLY_H
#define NTSIGN_TALLY_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "ntsign/policy.h"
#include "reader.h"

/* Different names kept of one kind and client. */
#define NTSIGN_TALLY_NAMES 32
/* Different messages of the module's own that are kept. */
#define NTSIGN_TALLY_NOTES 64

struct ntsign_tally_sessions {
	uint64_t sessions;
	uint64_t outcome[NTSIGN_OUTCOME_COUNT];
	/* logons that failed for another reason than signing; not in
	 * outcome[] */
	uint64_t failed;
};

struct ntsign_tally_span {
	bool seen;
	int64_t first, last;
	char first_text[40], last_text[40];	/* as in the records */
};

/* A set of names, sorted. */
struct ntsign_tally_names {
	char *list[NTSIGN_TALLY_NAMES];
	size_t count;
	bool more;			/* there were more than fit */
};

struct ntsign_tally_cell {
	struct ntsign_party client, server;
	enum ntsign_outcome expected;
	struct ntsign_tally_sessions count;
};
#define NTSIGN_TALLY_SIDES (2 * NTSIGN_SIGNING_COUNT)
#define NTSIGN_TALLY_CELLS \
	(NTSIGN_TALLY_SIDES * NTSIGN_TALLY_SIDES * NTSIGN_OUTCOME_COUNT)

/* The structures below start with their key in their table. */

struct ntsign_tally_client {
	const char *key;		/* the address */
	struct ntsign_tally_span span;
	struct ntsign_tally_sessions count;
	bool proven;			/* a verified signature was seen */
	uint64_t bad, missing, downgraded;
	struct ntsign_tally_names dialects, accounts, native_os;
};

struct ntsign_tally_mismatch {
	const char *key;
	char *address, *dialect, *setup, *article;
	struct ntsign_party client, server;
	enum ntsign_mismatch mismatch;
	enum ntsign_outcome expected, outcome;
	bool keyless;			/* anonymous or guest */
	char *reason;			/* why refused, or "" */
	/* failed: logons that did, for another reason than signing */
	uint64_t count, refused, failed;
	struct ntsign_tally_span span;
};

struct ntsign_tally_quirk {
	const char *key;
	char *address, *article, *event;
	struct ntsign_tally_names accounts;
	uint64_t count;
	struct ntsign_tally_span span;
};

struct ntsign_tally_turned_away {
	const char *key;
	char *address, *reason;
	struct ntsign_tally_names offered;
	uint64_t count;
	struct ntsign_tally_span span;
};

/* What the module said of itself: configuration errors, failures, and that
 * it was emulating. */
struct ntsign_tally_note {
	const char *key;
	char *event, *message;
	uint64_t count;
	struct ntsign_tally_span span;
};

/* Lines that are no records, by the reason. */
struct ntsign_tally_skip {
	const char *key;		/* the reason */
	char *file, *detail;		/* of the first */
	uint64_t line;
	uint64_t count;
};

/* Entries in the order in which they came, until they are sorted. */
struct ntsign_tally_table {
	void *index;			/* tsearch(3) */
	void **list;
	size_t count;
};

struct ntsign_tally {
	bool no_memory;			/* sticky: the tally is not whole */
	/* lost: as the module says, when the file could not be written */
	uint64_t records, skipped, suppressed, lost, unplaced;
	uint64_t refused, encrypted;
	uint64_t verified, bad, missing, downgraded;
	struct ntsign_tally_span span;
	struct ntsign_tally_sessions count;
	struct ntsign_tally_cell cells[NTSIGN_TALLY_CELLS];
	struct ntsign_tally_table clients, mismatches, quirks;
	struct ntsign_tally_table turned_away, notes, skips;
	uint64_t notes_omitted;
};

struct ntsign_tally *ntsign_tally_new(TALLOC_CTX *mem_ctx);
/* Adds a line of the named file, whether it is a record or not. */
void ntsign_tally_line(struct ntsign_tally *tally, const char *file,
		       const struct ntsign_line *line);
/* Once after the last line: puts all lists into the order of the addresses. */
void ntsign_tally_sort(struct ntsign_tally *tally);

/* One sentence on where a mismatch comes from; a static text. */
const char *ntsign_tally_explain(const struct ntsign_tally_mismatch *mismatch);

/* One sentence on what an event of a quirk means; a static text, NULL where
 * article or event are of a later version's. */
const char *ntsign_tally_explain_quirk(const struct ntsign_tally_quirk *quirk);

#endif
