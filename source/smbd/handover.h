/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two Sambas at a time, while one is upgraded to the other.
 *
 * The module that is installed was made for one of them. From the moment
 * that a package's files are replaced until smbd is started anew, or from
 * there until a module has been made for the new smbd, connections come to
 * an smbd that it was not made for. Where the module for that one is kept in
 *
 *   MODULESDIR/ntsign/RELEASE/ntsign.so
 *
 * (RELEASE: Samba's version string without a revision, as samba.h has it) it
 * is loaded, and takes the place of this one, with its own ntsign-crypto.so
 * beside it. ntsign-build(8) keeps them there.
 *
 * Invariant: nothing is called that lies elsewhere, and no module that is kept
 * hands over; where it does not fit it has done nothing, and the one that
 * called it goes on as if it was not there.
 */
#ifndef NTSIGN_HANDOVER_H
#define NTSIGN_HANDOVER_H

#include <stdbool.h>

/*
 * Lets the module that is kept for the smbd `version` answer smbd's call with
 * `ctx`. False where none is kept, or it does not fit, which is then in the
 * log.
 */
bool ntsign_handover(TALLOC_CTX *ctx, const char *version);

/* Whether this is a module that is kept. */
bool ntsign_handover_is_kept(void);

/*
 * The directory, without a slash at the end, that a module has its
 * ntsign-crypto.so in: a kept one beside it, as it was built with the same
 * libcrypto. A pointer to static memory, PATH_MAX bytes at most.
 */
const char *ntsign_handover_directory(void);

#endif
