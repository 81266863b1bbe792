/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks a server what it offers and requires in each dialect of SMB2, one
 * connection a question.
 *
 * Invariant: no question needs an account.
 */
#ifndef NTSIGN_PROBE_SMB2_H
#define NTSIGN_PROBE_SMB2_H

#include "probe_dialect.h"

struct ntsign_play_server;

#define NTSIGN_SMB2_DIALECTS 5
#define NTSIGN_SMB2_ALGORITHMS_MAX 4

/* Names of algorithms, static texts; the one the server prefers comes first
 * where it was asked. */
struct ntsign_smb2_algorithms {
	const char *names[NTSIGN_SMB2_ALGORITHMS_MAX];
	size_t count;
};

struct ntsign_smb2_dialect {
	uint16_t dialect;
	bool offered;
	struct ntsign_dialect_reply reply;	/* where it is offered */
	struct ntsign_smb2_algorithms ciphers;
	struct ntsign_smb2_algorithms signings;
};

struct ntsign_smb2 {
	/* NULL: all questions were answered; else what went wrong. A talloc
	 * child of this */
	const char *error;
	char address[64];
	struct ntsign_smb2_dialect dialects[NTSIGN_SMB2_DIALECTS];
	size_t offered;
	uint64_t elapsed;			/* ms */
};

/* A talloc child of mem_ctx; NULL when memory runs out. */
struct ntsign_smb2 *ntsign_smb2_ask(TALLOC_CTX *mem_ctx,
				    const struct ntsign_play_server *server);

/* The dialect that the server takes when it is offered all; 0: none, or it
 * could not be found out. */
uint16_t ntsign_smb2_best(TALLOC_CTX *mem_ctx,
			  const struct ntsign_play_server *server);

/* "SMB 3.1.1", or "SMB2" where the number is none. */
const char *ntsign_smb2_name(uint16_t dialect);
/* "SMB3_11", as the audit records have it. */
const char *ntsign_smb2_key(uint16_t dialect);

/* The name of a bit of Capabilities, in words or as a key; NULL: none. */
const char *ntsign_smb2_capability(uint32_t bit, bool key);

#endif
