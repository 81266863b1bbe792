/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sessions over time: counts in intervals of one width.
 *
 * Invariant: there are at most NTSIGN_TREND_MAX intervals, and the least
 * width of the ladder with which they span the times seen; so the order in
 * which these came does not matter.
 */
#ifndef NTSIGN_TREND_H
#define NTSIGN_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NTSIGN_TREND_MAX 400

/* What a session counts as. */
enum ntsign_trend_kind {
	NTSIGN_TREND_SIGNED,
	NTSIGN_TREND_NOT_SIGNED,
	NTSIGN_TREND_REFUSED,	/* no communication: kept out over signing */
	NTSIGN_TREND_FAILED,	/* for another reason than signing */
};
#define NTSIGN_TREND_KINDS 4

struct ntsign_trend {
	/* seconds an interval has: 1, 5, 15 or 30 minutes, 1, 3, 6 or 12
	 * hours, a day, or 2, 4, 8 ... days; 0: nothing was added */
	int64_t width;
	/* the first interval begins at start * width seconds since 1970: at a
	 * round time of UTC */
	int64_t start;
	size_t count;		/* intervals, empty ones among them */
	uint64_t sessions[NTSIGN_TREND_MAX][NTSIGN_TREND_KINDS];
};

/* time: microseconds since 1970, not negative. */
void ntsign_trend_add(struct ntsign_trend *trend, int64_t time,
		      enum ntsign_trend_kind kind, uint64_t sessions);
void ntsign_trend_merge(struct ntsign_trend *trend,
			const struct ntsign_trend *from);

#endif
