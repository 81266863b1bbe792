/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plays one client row of the matrix against a server, on a connection of
 * its own.
 *
 * Invariant: there is either an outcome with its reason, or an error; what
 * has nothing to do with signing is an error.
 */
#ifndef NTSIGN_PROBE_PLAY_H
#define NTSIGN_PROBE_PLAY_H

#include "probe_crypto.h"
#include "probe_link.h"
#include "probe_ntlm.h"
#include "probe_row.h"

enum ntsign_setup {
	NTSIGN_SETUP_NT4,	/* without extended security */
	NTSIGN_SETUP_NTLMSSP,	/* in SPNEGO */
};

struct ntsign_play_server {
	const char *host;
	uint16_t port;
	const char *share;
	unsigned int timeout;	/* ms */
};

struct ntsign_play_part {
	const struct ntsign_play_server *server;
	const struct ntsign_ntlm_account *account;
	struct ntsign_crypto *crypto;
	struct ntsign_party client;
	enum ntsign_setup setup;
	bool ntlmv1;
};

/* What an answer's signature was found to be. */
enum ntsign_verdict {
	NTSIGN_VERDICT_UNSIGNED,
	NTSIGN_VERDICT_GOOD,
	NTSIGN_VERDICT_BAD,
	/* there is something in the field and no key to check it with */
	NTSIGN_VERDICT_UNCHECKED,
};

/* A request with its answer, for -v. */
struct ntsign_play_message {
	const char *name;
	uint16_t flags2;		/* the request's */
	bool filler;		/* "BSRSPYL " for its signature */
	bool is_signed;			/* the request */
	bool answered;
	uint16_t answer_flags2;
	uint32_t status;
	int security_mode;		/* NEGOTIATE's answer, else -1 */
	enum ntsign_verdict verdict;	/* on the answer */
	/* sequence number of the request; the answer's is one more. -1: none */
	int64_t sequence;
};

#define NTSIGN_PLAY_MESSAGES_MAX 8

enum ntsign_ended_by {
	NTSIGN_ENDED_BY_NOBODY,
	NTSIGN_ENDED_BY_CLIENT,
	NTSIGN_ENDED_BY_SERVER,
};

struct ntsign_play_result {
	/* NULL: there is an outcome; else what went wrong */
	const char *error;
	/* the server does not speak SMB1, `error` says how that showed */
	bool no_smb1;
	enum ntsign_outcome outcome;
	const char *reason;
	/* no communication: who ended it, and at which message */
	enum ntsign_ended_by ended_by;
	const char *ended_at;
	uint32_t status;		/* with which NTSTATUS, 0: none */
	/* a signature that was not as it has to be */
	bool bad_signature;
	uint32_t expected_sequence;
	int64_t matched_sequence;	/* -1: none within 8 */
	/* signatures found good */
	unsigned int verified;
	/* of the server; address[0] == '\0': no connection */
	char address[64];
	bool negotiated;
	uint8_t security_mode;
	uint32_t capabilities;
	const char *native_os;		/* NULL: not known */
	const char *native_lanman;	/* NULL: not known */
	struct ntsign_play_message messages[NTSIGN_PLAY_MESSAGES_MAX];
	size_t message_count;
	uint64_t elapsed;		/* ms */
};

/*
 * Always gives a result, a talloc child of mem_ctx, unless memory runs out
 * (NULL). Texts in it are talloc children of it, or static.
 */
struct ntsign_play_result *ntsign_play(TALLOC_CTX *mem_ctx,
				       const struct ntsign_play_part *part);

/* "nt4" or "ntlmssp" */
const char *ntsign_setup_name(enum ntsign_setup setup);

#endif
