/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Audit records summed up.
 *
 * Invariant: memory grows with the clients seen (and the ways in which their
 * sessions mismatch), never with the records; and a tally says the same
 * whatever the order of its records, and however they were dealt out among
 * tallies that were merged.
 */
#ifndef NTSIGN_TALLY_H
#define NTSIGN_TALLY_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "moment.h"
#include "ntsign/policy.h"
#include "reader.h"
#include "table.h"
#include "trend.h"
#include "words.h"

/* Different names kept of one kind and client. */
#define NTSIGN_TALLY_NAMES 32
/* Of a client's account names, so many more that have never logged on: they
 * are whatever the client says. */
#define NTSIGN_TALLY_STRANGERS 8
/* Addresses kept of one account. */
#define NTSIGN_TALLY_ADDRESSES 16
/* Accounts that have logged on. Their domain is the client's word, so that
 * one account could make endless ones. */
#define NTSIGN_TALLY_ACCOUNTS 131072
/* Account names that have never logged on. */
#define NTSIGN_TALLY_ALL_STRANGERS 4096
/* Different messages of the module's own that are kept. */
#define NTSIGN_TALLY_NOTES 64

struct ntsign_tally_sessions {
	uint64_t sessions;
	uint64_t outcome[NTSIGN_OUTCOME_COUNT];
	/* logons that failed for another reason than signing; not in
	 * outcome[] */
	uint64_t failed;
};

struct ntsign_tally_cell {
	struct ntsign_party client, server;
	enum ntsign_outcome expected;
	struct ntsign_tally_sessions count;
};
#define NTSIGN_TALLY_SIDES (2 * NTSIGN_SIGNING_COUNT)
#define NTSIGN_TALLY_CELLS \
	(NTSIGN_TALLY_SIDES * NTSIGN_TALLY_SIDES * NTSIGN_OUTCOME_COUNT)

/*
 * What a forecast needs to know of a client or an account. "Placed" is a
 * session whose record has client, server, expected and outcome.
 *
 * The fields from `client` on are of the last placed session that did not
 * fail for another reason than signing; they mean something where `seen`.
 */
struct ntsign_tally_facts {
	bool seen;		/* there was such a session */
	bool failed;		/* one that failed for another reason; with
				 * !seen there were only such ones */
	/* of the sessions that count for `seen`: at least one was anonymous
	 * or guest, or had a key to sign with */
	bool keyless, keyed;
	/* its row was enabled or required in a placed session: it claims to
	 * be able to sign. Every SMB2 client does. */
	bool claims;
	/* by family: one of these sessions was signed, and not by being
	 * encrypted */
	bool was_signed[NTSIGN_FAMILY_COUNT];
	/* the rows of SMB1 sessions with a key that stood unsigned, see
	 * ntsign_forecast_unsigned() */
	uint16_t unsigned_smb1;
	struct ntsign_moment at;
	struct ntsign_party client, server;
	enum ntsign_outcome expected, outcome;
	/* SMB2 for every later dialect too; decides on the matrix */
	enum ntsign_family family;
	bool encrypted;
	struct ntsign_word *dialect, *native_os;	/* NULL: none said */
};

/* Anonymous or guest only: cannot sign, whatever the settings. */
bool ntsign_tally_is_keyless(const struct ntsign_tally_facts *facts);

/*
 * The structures below start with their key in their table, as in struct
 * ntsign_keyed. Texts of words and keys are terminated, valid UTF-8, of at
 * most NTSIGN_TEXT_MAX characters, and not safe for a terminal.
 */

struct ntsign_tally_client {
	const char *key;		/* the address */
	uint32_t key_len, hash;
	struct ntsign_span span;
	struct ntsign_tally_sessions count;
	/* sessions that stand unsigned with a key that could have signed, and
	 * are not encrypted: they can be relayed */
	uint64_t exposed;
	uint64_t bad, missing, downgraded;
	bool proven;			/* a verified signature was seen */
	bool verified[NTSIGN_FAMILY_COUNT];	/* the same by family */
	struct ntsign_names dialects, native_os;
	/* accounts: after ntsign_tally_sort() all that are kept; before, those
	 * that have logged on with a key, strangers the others */
	struct ntsign_names accounts, strangers;
	struct ntsign_tally_facts facts;
};

struct ntsign_tally_account {
	const char *key;		/* "DOMAIN\name", or "name" */
	uint32_t key_len, hash;
	/* it has logged on with a password or a ticket, from anywhere: it
	 * exists. Others are names that somebody has tried, or that a server
	 * has let in as a guest. */
	bool known;
	/* a signature of this name's (in whatever domain: the record does not
	 * say which) was verified, in some session */
	bool proven;
	bool verified[NTSIGN_FAMILY_COUNT];	/* the same by family */
	struct ntsign_span span;	/* its session setups */
	struct ntsign_tally_sessions count;
	uint64_t exposed;
	struct ntsign_names addresses;
	struct ntsign_tally_facts facts;
};

struct ntsign_tally_mismatch {
	const char *key;
	uint32_t key_len, hash;
	struct ntsign_word *address_word, *dialect_word, *setup_word;
	struct ntsign_word *article_word, *reason_word;
	/* the words' texts; reason: why refused, or "" */
	const char *address, *dialect, *setup, *article, *reason;
	struct ntsign_party client, server;
	enum ntsign_mismatch mismatch;
	enum ntsign_outcome expected, outcome;
	bool keyless;			/* anonymous or guest */
	/* failed: logons that did, for another reason than signing */
	uint64_t count, refused, failed;
	struct ntsign_span span;
};

struct ntsign_tally_quirk {
	const char *key;
	uint32_t key_len, hash;
	struct ntsign_word *address_word, *article_word, *event_word;
	const char *address, *article, *event;
	struct ntsign_names accounts;
	uint64_t count;
	struct ntsign_span span;
};

struct ntsign_tally_turned_away {
	const char *key;
	uint32_t key_len, hash;
	struct ntsign_word *address_word, *reason_word;
	const char *address, *reason;
	struct ntsign_names offered;
	uint64_t count;
	struct ntsign_span span;
};

/* What the module said of itself: configuration errors, failures, and that
 * it was emulating. */
struct ntsign_tally_note {
	const char *key;
	uint32_t key_len, hash;
	struct ntsign_word *event_word, *message_word;
	const char *event, *message;
	uint64_t count;
	struct ntsign_span span;
};

/* An account name that a signature was verified of. */
struct ntsign_tally_signer {
	const char *key;
	uint32_t key_len, hash;
	bool verified[NTSIGN_FAMILY_COUNT];
};

/* Where a line is from. */
struct ntsign_tally_source {
	const char *name;		/* stays while the tally does */
	size_t place;			/* among the files read */
};

/* Lines that are no records, by the reason. */
struct ntsign_tally_skip {
	const char *key;		/* the reason */
	uint32_t key_len, hash;
	/* of the first one */
	struct ntsign_tally_source source;
	uint64_t line;
	char detail[NTSIGN_ENTRY_DETAIL];
	uint64_t count;
};

/* Times that count, in microseconds since 1970: from `since` on, up to, but
 * not at, `until`. */
struct ntsign_tally_range {
	int64_t since, until;
};

struct ntsign_tally {
	bool no_memory;			/* sticky: the tally is not whole */
	struct ntsign_tally_range range;
	uint64_t outside;		/* records of other times: in nothing
					 * else */
	/* lost: as the module says, when the file could not be written */
	uint64_t records, skipped, suppressed, lost, unplaced;
	uint64_t refused, encrypted, exposed;
	uint64_t verified, bad, missing, downgraded;
	struct ntsign_span span;
	struct ntsign_tally_sessions count;
	struct ntsign_tally_cell cells[NTSIGN_TALLY_CELLS];
	struct ntsign_trend trend;
	/* list[] of each has the structures above; by address, those of
	 * accounts by name, notes by time, skips by line */
	struct ntsign_table clients, accounts, mismatches, quirks;
	struct ntsign_table turned_away, notes, skips;
	/* before ntsign_tally_sort(): account names that have not logged on;
	 * those that have signed */
	struct ntsign_table strangers, signers;
	/* session setups with a name that is left out of `accounts` */
	uint64_t account_sessions_omitted;
	uint64_t notes_omitted;		/* records */
	struct ntsign_words words;
};

/* A talloc child of mem_ctx, of all times; NULL when memory runs out. A tally and what it
 * was given belong to one thread at a time. */
struct ntsign_tally *ntsign_tally_new(TALLOC_CTX *mem_ctx);
/* Adds a line, whether it is a record or not. */
void ntsign_tally_line(struct ntsign_tally *tally,
		       struct ntsign_parser *parser,
		       const struct ntsign_tally_source *source,
		       const struct ntsign_line *line);
/* About the bytes that it takes. */
size_t ntsign_tally_size(const struct ntsign_tally *tally);
/* Adds all of `from`, which stays as it is, to `into`. Neither is sorted. */
void ntsign_tally_merge(struct ntsign_tally *into,
			const struct ntsign_tally *from);
/* Once after the last line: brings together what belongs together and puts
 * all lists into their order. Nothing can be added any more. */
void ntsign_tally_sort(struct ntsign_tally *tally);

/* One sentence on where a mismatch comes from; a static text. */
const char *ntsign_tally_explain(const struct ntsign_tally_mismatch *mismatch);

/* One sentence on what an event of a quirk means; a static text, NULL where
 * article or event are of a later version's. */
const char *ntsign_tally_explain_quirk(const struct ntsign_tally_quirk *quirk);

#endif
