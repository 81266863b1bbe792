/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Points in time as people write them: 2026-11-20, 2026-11-20T20:01, 7d.
 *
 * Invariant: no global is read but the time zone.
 */
#ifndef NTSIGN_WHEN_H
#define NTSIGN_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads a day, a day and a time (with T or a space, with or without seconds
 * and their fraction), or how long ago: a number and s, m, h, d or w. Behind
 * a time there may be a zone: Z, +hh:mm, -hh:mm, +hhmm; without one, and for
 * a day, it is the local time.
 *
 * now: microseconds since 1970. *first and *end: what was written begins with
 * the one and ends before the other: a day is all of it, a minute too; how
 * long ago is one moment. False, and both stay as they are, where it is none
 * of these.
 */
bool ntsign_when_parse(const char *text, int64_t now, int64_t *first,
		       int64_t *end);

#endif
