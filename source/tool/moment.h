/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A record's time, in a form that is written again as it was read; and the
 * span of several.
 *
 * Invariant: of moments of the same microsecond one always goes before the
 * other, whichever came first.
 */
#ifndef NTSIGN_MOMENT_H
#define NTSIGN_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "words.h"

/* Room for a moment's text. */
#define NTSIGN_MOMENT_TEXT 40

struct ntsign_moment {
	int64_t time;		/* microseconds since 1970 */
	int16_t zone;		/* minutes east of UTC, as written */
	uint8_t digits;		/* of the fraction: 0 to 6 */
	uint8_t form;		/* how the zone and the day's end look */
};

struct ntsign_span {
	bool seen;
	struct ntsign_moment first, last;
};

/* "2026-11-20T20:01:33.123456+0000"; a fraction may be missing, "Z" and
 * "+00:00" are taken as well. */
bool ntsign_moment_parse(struct ntsign_slice text,
			 struct ntsign_moment *moment);
/* As it was read, but for digits below the microsecond; returns text. */
const char *ntsign_moment_text(const struct ntsign_moment *moment,
			       char text[NTSIGN_MOMENT_TEXT]);
/* Less than, equal to or greater than 0, in the order of time. */
int ntsign_moment_compare(const struct ntsign_moment *a,
			  const struct ntsign_moment *b);

void ntsign_span_add(struct ntsign_span *span,
		     const struct ntsign_moment *moment);
void ntsign_span_merge(struct ntsign_span *span,
		       const struct ntsign_span *from);
/* The text of either end, in `text`; NULL for an empty span. */
const char *ntsign_span_first(const struct ntsign_span *span,
			      char text[NTSIGN_MOMENT_TEXT]);
const char *ntsign_span_last(const struct ntsign_span *span,
			     char text[NTSIGN_MOMENT_TEXT]);

#endif
