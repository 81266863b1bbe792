/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sessions over time.
 *
 * Invariant: each width of the ladder is a multiple of the one before, so
 * that intervals become wider ones without being split.
 */
#include "trend.h"

#include <string.h>

#define MINUTE 60
#define HOUR 3600
#define DAY 86400

static int64_t next_width(int64_t width)
{
	static const int64_t ladder[] = {
		MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR,
		6 * HOUR, 12 * HOUR, DAY,
	};
	size_t i;

	for (i = 0; i < sizeof(ladder) / sizeof(ladder[0]); i++) {
		if (width < ladder[i]) {
			return ladder[i];
		}
	}
	return width * 2;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static void add_counts(uint64_t *to, const uint64_t *from)
{
	size_t i;

	for (i = 0; i < NTSIGN_TREND_KINDS; i++) {
		to[i] += from[i];
	}
}

/* Goes up the ladder by one. */
static void widen(struct ntsign_trend *trend)
{
	int64_t width = next_width(trend->width);
	int64_t times = width / trend->width;
	int64_t start = floor_div(trend->start, times);
	size_t count = 0;
	size_t i;

	for (i = 0; i < trend->count; i++) {
		uint64_t counts[NTSIGN_TREND_KINDS];
		size_t place = (size_t)(floor_div(trend->start + (int64_t)i,
						  times) - start);

		memcpy(counts, trend->sessions[i], sizeof(counts));
		memset(trend->sessions[i], 0, sizeof(counts));
		add_counts(trend->sessions[place], counts);
		count = place + 1;
	}
	trend->width = width;
	trend->start = start;
	trend->count = count;
}

/* Makes the intervals reach from `first` to `last`, if they can. */
static bool stretch(struct ntsign_trend *trend, int64_t first, int64_t last)
{
	size_t front = 0;

	if (last - first >= NTSIGN_TREND_MAX) {
		return false;
	}
	front = (size_t)(trend->start - first);
	if (front > 0) {
		memmove(trend->sessions[front], trend->sessions[0],
			trend->count * sizeof(trend->sessions[0]));
		memset(trend->sessions[0], 0,
		       front * sizeof(trend->sessions[0]));
	}
	trend->start = first;
	trend->count = (size_t)(last - first) + 1;
	return true;
}

static uint64_t *interval(struct ntsign_trend *trend, int64_t seconds)
{
	for (;;) {
		int64_t place = floor_div(seconds, trend->width);
		int64_t first = trend->start;
		int64_t last = first + (int64_t)trend->count - 1;

		if (trend->count == 0) {
			first = last = trend->start = place;
		}
		if (place >= first && place <= last && trend->count > 0) {
			return trend->sessions[place - first];
		}
		first = place < first ? place : first;
		last = place > last ? place : last;
		if (!stretch(trend, first, last)) {
			widen(trend);
		}
	}
}

static uint64_t *interval_of(struct ntsign_trend *trend, int64_t seconds)
{
	if (trend->width == 0) {
		trend->width = next_width(0);
	}
	return interval(trend, seconds);
}

void ntsign_trend_add(struct ntsign_trend *trend, int64_t time,
		      enum ntsign_trend_kind kind, uint64_t sessions)
{
	interval_of(trend, time / 1000000)[kind] += sessions;
}

void ntsign_trend_merge(struct ntsign_trend *trend,
			const struct ntsign_trend *from)
{
	size_t i;

	if (from->width == 0) {
		return;
	}
	if (trend->width == 0) {
		*trend = *from;
		return;
	}
	while (trend->width < from->width) {
		widen(trend);
	}
	for (i = 0; i < from->count; i++) {
		uint64_t *to = NULL;

		to = interval_of(trend, (from->start + (int64_t)i) *
					from->width);
		add_counts(to, from->sessions[i]);
	}
}
