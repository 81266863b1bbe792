/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A record's time.
 *
 * Invariant: reading looks at the slice's bytes only, and what it takes can
 * be written again.
 */
#include "moment.h"

#include <stdio.h>
#include <time.h>

/* Bits of ntsign_moment.form. */
#define FORM_SPACE 1		/* not a T between day and time */
#define FORM_ZULU 2		/* Z */
#define FORM_COLON 4		/* +00:00 */
#define FORM_MINUS 8		/* -00:00, which is no other time than + */
#define FORM_LEAP 16		/* second 60 */

#define SECOND 1000000
#define DAY_SECONDS 86400

struct cursor {
	const char *p, *end;
};

/* Reads exactly `digits` decimal digits. */
static bool read_number(struct cursor *c, int digits, int *number)
{
	int n = 0;

	if (c->end - c->p < digits) {
		return false;
	}
	for (; digits > 0; digits--, c->p++) {
		if (*c->p < '0' || *c->p > '9') {
			return false;
		}
		n = n * 10 + (*c->p - '0');
	}
	*number = n;
	return true;
}

static bool read_char(struct cursor *c, char wanted)
{
	if (c->p == c->end || *c->p != wanted) {
		return false;
	}
	c->p++;
	return true;
}

/*
 * Days from 1970-01-01 to a day of the Gregorian calendar; a day over the
 * month's end counts on, as timegm() has it. The year is taken to begin in
 * March, so that the leap day is its last.
 */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = month <= 2 ? month + 9 : month - 3;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day -
	       1 - 719468;
}

static bool read_date(struct cursor *c, int64_t *days)
{
	int year = 0;
	int month = 0;
	int day = 0;
	bool ok = read_number(c, 4, &year) && read_char(c, '-') &&
		  read_number(c, 2, &month) && read_char(c, '-') &&
		  read_number(c, 2, &day);

	if (!ok || year < 1970 || month < 1 || month > 12 || day < 1 ||
	    day > 31) {
		return false;
	}
	*days = days_of(year, month, day);
	return true;
}

static bool read_clock(struct cursor *c, struct ntsign_moment *moment,
		       int64_t *seconds)
{
	int hour = 0;
	int minute = 0;
	int second = 0;
	bool ok = read_number(c, 2, &hour) && read_char(c, ':') &&
		  read_number(c, 2, &minute) && read_char(c, ':') &&
		  read_number(c, 2, &second);

	if (!ok || hour > 23 || minute > 59 || second > 60) {
		return false;
	}
	if (second == 60) {
		moment->form |= FORM_LEAP;
	}
	*seconds = (int64_t)hour * 3600 + minute * 60 + second;
	return true;
}

/* Up to nine digits behind the point; those below a microsecond are cut. */
static bool read_fraction(struct cursor *c, struct ntsign_moment *moment,
			  int64_t *microseconds)
{
	int64_t unit = SECOND / 10;
	int digits = 0;

	for (; c->p < c->end && *c->p >= '0' && *c->p <= '9' && digits < 9;
	     c->p++, digits++, unit /= 10) {
		*microseconds += unit * (*c->p - '0');
	}
	moment->digits = (uint8_t)(digits < 6 ? digits : 6);
	return digits > 0;
}

static bool read_zone(struct cursor *c, struct ntsign_moment *moment)
{
	int hours = 0;
	int minutes = 0;
	bool minus = false;

	if (read_char(c, 'Z')) {
		moment->form |= FORM_ZULU;
		return true;
	}
	minus = read_char(c, '-');
	if ((!minus && !read_char(c, '+')) || !read_number(c, 2, &hours)) {
		return false;
	}
	if (read_char(c, ':')) {
		moment->form |= FORM_COLON;
	}
	if (!read_number(c, 2, &minutes)) {
		return false;
	}
	moment->zone = (int16_t)(hours * 60 + minutes);
	if (minus) {
		moment->zone = (int16_t)-moment->zone;
		moment->form |= FORM_MINUS;
	}
	return true;
}

bool ntsign_moment_parse(struct ntsign_slice text,
			 struct ntsign_moment *moment)
{
	struct cursor c = { .p = text.text };
	struct ntsign_moment m = { .time = 0 };
	int64_t microseconds = 0;
	int64_t seconds = 0;
	int64_t days = 0;

	if (text.text == NULL) {
		return false;
	}
	c.end = text.text + text.len;
	if (!read_date(&c, &days)) {
		return false;
	}
	if (read_char(&c, ' ')) {
		m.form |= FORM_SPACE;
	} else if (!read_char(&c, 'T')) {
		return false;
	}
	if (!read_clock(&c, &m, &seconds)) {
		return false;
	}
	if (read_char(&c, '.') && !read_fraction(&c, &m, &microseconds)) {
		return false;
	}
	if (!read_zone(&c, &m) || c.p != c.end) {
		return false;
	}
	m.time = (days * DAY_SECONDS + seconds - (int64_t)m.zone * 60) *
		 SECOND + microseconds;
	*moment = m;
	return true;
}

static const char *zone_text(const struct ntsign_moment *moment,
			     char text[16])
{
	int minutes = moment->zone < 0 ? -moment->zone : moment->zone;

	if (moment->form & FORM_ZULU) {
		return "Z";
	}
	snprintf(text, 16, "%c%02d%s%02d",
		 moment->form & FORM_MINUS ? '-' : '+', minutes / 60 % 100,
		 moment->form & FORM_COLON ? ":" : "", minutes % 60);
	return text;
}

const char *ntsign_moment_text(const struct ntsign_moment *moment,
			       char text[NTSIGN_MOMENT_TEXT])
{
	int64_t local = moment->time + (int64_t)moment->zone * 60 * SECOND;
	int64_t fraction = local % SECOND;
	time_t seconds = (time_t)(local / SECOND);
	struct tm tm = { .tm_sec = 0 };
	char fraction_text[16] = "";
	char day_text[24] = "";
	char zone[16] = "";

	if (moment->form & FORM_LEAP) {
		seconds--;
	}
	(void)gmtime_r(&seconds, &tm);
	if (moment->form & FORM_LEAP) {
		tm.tm_sec++;
	}
	(void)strftime(day_text, sizeof(day_text),
		       moment->form & FORM_SPACE ? "%Y-%m-%d %H:%M:%S" :
						   "%Y-%m-%dT%H:%M:%S", &tm);
	if (moment->digits > 0) {
		snprintf(fraction_text, sizeof(fraction_text), ".%06d",
			 (int)fraction);
		fraction_text[1 + moment->digits] = '\0';
	}
	snprintf(text, NTSIGN_MOMENT_TEXT, "%s%s%s", day_text, fraction_text,
		 zone_text(moment, zone));
	return text;
}

int ntsign_moment_compare(const struct ntsign_moment *a,
			  const struct ntsign_moment *b)
{
	if (a->time != b->time) {
		return a->time < b->time ? -1 : 1;
	}
	if (a->zone != b->zone) {
		return a->zone < b->zone ? -1 : 1;
	}
	if (a->digits != b->digits) {
		return a->digits < b->digits ? -1 : 1;
	}
	return (int)a->form - (int)b->form;
}

void ntsign_span_add(struct ntsign_span *span,
		     const struct ntsign_moment *moment)
{
	if (!span->seen || ntsign_moment_compare(moment, &span->first) < 0) {
		span->first = *moment;
	}
	if (!span->seen || ntsign_moment_compare(moment, &span->last) > 0) {
		span->last = *moment;
	}
	span->seen = true;
}

void ntsign_span_merge(struct ntsign_span *span,
		       const struct ntsign_span *from)
{
	if (from->seen) {
		ntsign_span_add(span, &from->first);
		ntsign_span_add(span, &from->last);
	}
}

const char *ntsign_span_first(const struct ntsign_span *span,
			      char text[NTSIGN_MOMENT_TEXT])
{
	return span->seen ? ntsign_moment_text(&span->first, text) : NULL;
}

const char *ntsign_span_last(const struct ntsign_span *span,
			     char text[NTSIGN_MOMENT_TEXT])
{
	return span->seen ? ntsign_moment_text(&span->last, text) : NULL;
}
