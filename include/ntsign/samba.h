/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Samba's version string, and what a module is good for.
 *
 * Samba makes it of its own version and, behind a '-', of what the
 * distribution has put into the file VERSION. Known are
 *
 *   4.17.12-Debian                            4.17, Debian 12
 *   4.22.11-Debian-4.22.11+dfsg-0+deb13u1     4.22, Debian 13
 *   4.19.5-Ubuntu
 *   4.22.3                                    where nothing is put there
 *   4.22.0rc1-Debian, 4.23.0pre1-GIT-0123abc  before a release
 *
 * The second has the revision of the package at its end: the vendor's word is
 * followed by a version that begins as the whole does. Only such an end is
 * taken for a revision; every other string counts as it stands.
 *
 * Invariant: strings with different upstream versions never fit.
 */
#ifndef NTSIGN_SAMBA_H
#define NTSIGN_SAMBA_H

#include <stdbool.h>
#include <stddef.h>

/* How much of a version string stands in front of the package's revision:
 * all of it where there is none. */
size_t ntsign_samba_release_len(const char *version);

/* The package's revision in a version string, or NULL. */
const char *ntsign_samba_revision(const char *version);

/* Whether a module that was made for one Samba is good for another, as far
 * as their version strings tell: any revision of the same release. */
bool ntsign_samba_fits(const char *made_for, const char *version);

#endif
