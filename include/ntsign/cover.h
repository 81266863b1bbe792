/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which rules never get their turn.
 *
 * Invariant: a rule counts as hidden only if there is no address and no
 * moment from `now` on for which it would be the first to match.
 */
#ifndef NTSIGN_COVER_H
#define NTSIGN_COVER_H

#include "ntsign/address.h"

/*
 * Sets hidden[i] for each of the rules: whether those in front of it, one or
 * several together, take every address that it matches for as long as it
 * lives. A rule that has expired is not hidden, and hides nothing.
 *
 * now: seconds since 1970. hidden: `count` of them, the caller's.
 *
 * Time and memory grow with count times an address's bits. Returns false when
 * memory runs out; then hidden is not to be used.
 */
bool ntsign_rules_hidden(const struct ntsign_rule *rules, size_t count,
			 time_t now, bool *hidden);

#endif
