/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The functions of Samba and libc that the module calls.
 *
 * Invariant: this is called first of all, and calls none of them.
 */
#ifndef NTSIGN_IMPORTS_H
#define NTSIGN_IMPORTS_H

/*
 * Gives the module's jumps their targets. NULL, or the name of a function
 * that this process has not got; to call that one ends the process.
 */
const char *ntsign_imports_resolve(void);

#endif
