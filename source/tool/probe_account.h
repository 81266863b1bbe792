/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who logs on for `ntsign probe`, and where the password comes from.
 *
 * Invariant: the password is in memory that is wiped when it is freed.
 */
#ifndef NTSIGN_PROBE_ACCOUNT_H
#define NTSIGN_PROBE_ACCOUNT_H

#include "probe_ntlm.h"

/* What the command line says of it; NULL is what it does not say. Texts are
 * talloc children of mem_ctx, or the command line's. */
struct ntsign_account_words {
	TALLOC_CTX *mem_ctx;
	const char *who;	/* argv[0], for messages */
	const char *user;
	const char *domain;
	const char *password;
	const char *auth_file;
};

/* Both return an enum ntsign_exit, having said what is wrong. */

/* -U: [DOMAIN\|DOMAIN/]USER[%PASSWORD]; what follows the % is overwritten in
 * text, so that ps does not show it. */
int ntsign_account_take(struct ntsign_account_words *w, char *text);

/* Whoever logs on, by -U, -A, the environment's PASSWD and the terminal, in
 * this order. */
int ntsign_account_find(struct ntsign_account_words *w,
			struct ntsign_ntlm_account *account);

#endif
