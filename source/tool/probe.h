/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the parts of `ntsign probe` share: the command line, and what came of
 * it for those who print it.
 *
 * Invariant: the password is in memory that is wiped when it is freed, and
 * in no message.
 */
#ifndef NTSIGN_PROBE_H
#define NTSIGN_PROBE_H

#include "probe_play.h"
#include "probe_smb2.h"

enum ntsign_probe_mode {
	NTSIGN_PROBE_NONE,
	NTSIGN_PROBE_AS,	/* one row */
	NTSIGN_PROBE_MATRIX,	/* all rows */
	NTSIGN_PROBE_SMB2,
};

struct ntsign_probe_options {
	enum ntsign_probe_mode mode;
	struct ntsign_play_server server;
	struct ntsign_ntlm_account account;
	struct ntsign_party row;
	bool has_column;
	struct ntsign_party column;
	bool nt4;		/* the kinds of session setup; one, */
	bool ntlmssp;		/* or both with --matrix */
	bool ntlmv1;
	bool json;
	bool verbose;
};

/*
 * Reads the command line, asks for the password if need be. Texts are talloc
 * children of mem_ctx. Returns an enum ntsign_exit, having said what is
 * wrong.
 */
int ntsign_probe_options(TALLOC_CTX *mem_ctx, int argc, char **argv,
			 struct ntsign_probe_options *options);

/* One row that was played. */
struct ntsign_probe_row {
	struct ntsign_party client;
	enum ntsign_setup setup;
	bool has_expected;
	enum ntsign_outcome expected;
	const struct ntsign_play_result *result;
};

#define NTSIGN_PROBE_ROWS_MAX (2 * NTSIGN_ROWS)

struct ntsign_probe {
	const struct ntsign_probe_options *options;
	struct ntsign_probe_row rows[NTSIGN_PROBE_ROWS_MAX];
	size_t count;
	size_t differences;
	uint64_t elapsed;	/* ms */
};

/* Whether it came to something else than the matrix says. */
bool ntsign_probe_differs(const struct ntsign_probe_row *row);

/* ---- probe_text.c ---- */

/* The last row, as soon as it has been played; before the first one what the
 * table begins with. */
void ntsign_probe_text_row(const struct ntsign_probe *probe);
/* What follows the last row. */
void ntsign_probe_text_end(const struct ntsign_probe *probe);
/* The messages of a row that ended with an error, with -v. */
void ntsign_probe_text_messages(const struct ntsign_play_result *result);
void ntsign_probe_text_smb2(const struct ntsign_probe_options *options,
			    const struct ntsign_smb2 *smb2);

/* ---- probe_json.c; false when memory runs out ---- */

bool ntsign_probe_json(const struct ntsign_probe *probe);
bool ntsign_probe_json_smb2(const struct ntsign_probe_options *options,
			    const struct ntsign_smb2 *smb2);

#endif
