/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a client row of the matrix does on the wire: KB916846, and the bits
 * of [MS-CIFS] 2.2.3.1 and 2.2.4.52.2 that say it.
 *
 * Invariant: a pure function decides, by the row and the server's
 * SecurityMode alone.
 */
#ifndef NTSIGN_PROBE_ROW_H
#define NTSIGN_PROBE_ROW_H

#include "ntsign/policy.h"

#define NTSIGN_ROWS 6

/* A row's or a column's party, by its place in the article's order: patched
 * ones first, each required, enabled, disabled. */
struct ntsign_party ntsign_row_party(unsigned int i);

/* "patched-required" ... "unpatched-disabled"; false: the name is none. */
bool ntsign_row_from_name(const char *name, struct ntsign_party *party);

/* What the client does after NEGOTIATE. */
struct ntsign_row_plan {
	bool gives_up;
	/* the session setup's signing bits of Flags2 */
	uint16_t flags2;
	/* goes on only when the server signs */
	bool insists;
};

struct ntsign_row_plan ntsign_row_decide(struct ntsign_party client,
					 uint8_t security_mode);

/* What a server's SecurityMode says. */
enum ntsign_signing ntsign_row_server(uint8_t security_mode);

#endif
