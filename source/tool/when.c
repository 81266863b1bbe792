/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Points in time as people write them.
 *
 * Invariant: a day that the calendar does not have is refused, not counted
 * on from.
 */
#include "when.h"

#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000)
/* Of a number of seconds and the like; more are before 1970. */
#define DIGITS_MAX 10

static bool take_digits(const char **text, int digits, int *number)
{
	int n = 0;

	for (; digits > 0; digits--, (*text)++) {
		if (**text < '0' || **text > '9') {
			return false;
		}
		n = n * 10 + (**text - '0');
	}
	*number = n;
	return true;
}

static bool take(const char **text, char c)
{
	if (**text != c) {
		return false;
	}
	(*text)++;
	return true;
}

/* ---- how long ago ---- */

static int64_t unit_of(char c)
{
	switch (c) {
	case 's':
		return SECOND;
	case 'm':
		return 60 * SECOND;
	case 'h':
		return 3600 * SECOND;
	case 'd':
		return 86400 * SECOND;
	case 'w':
		return 7 * 86400 * SECOND;
	default:
		return 0;
	}
}

static bool parse_ago(const char *text, int64_t now, int64_t *first,
		      int64_t *end)
{
	int64_t number = 0;
	size_t digits = strspn(text, "0123456789");
	int64_t unit = unit_of(text[digits]);
	size_t i;

	if (digits == 0 || digits > DIGITS_MAX || unit == 0 ||
	    text[digits + 1] != '\0') {
		return false;
	}
	for (i = 0; i < digits; i++) {
		number = number * 10 + (text[i] - '0');
	}
	if (number > now / unit) {
		return false;	/* before 1970 */
	}
	*first = now - number * unit;
	*end = *first;
	return true;
}

/* ---- days and times ---- */

/* A point in time, and how much of it was written. */
struct point {
	struct tm tm;
	int64_t microseconds;
	int64_t length;		/* of what was written, microseconds; a day: 0 */
	bool has_zone;
	int zone;		/* seconds east */
};

static bool take_day(const char **text, struct tm *tm)
{
	bool ok = take_digits(text, 4, &tm->tm_year) && take(text, '-') &&
		  take_digits(text, 2, &tm->tm_mon) && take(text, '-') &&
		  take_digits(text, 2, &tm->tm_mday);

	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return ok && tm->tm_year >= 70;
}

static bool take_fraction(const char **text, struct point *p)
{
	int64_t unit = SECOND / 10;

	p->length = SECOND;
	if (!take(text, '.')) {
		return true;
	}
	if (**text < '0' || **text > '9') {
		return false;
	}
	for (; **text >= '0' && **text <= '9'; (*text)++, unit /= 10) {
		p->microseconds += unit * (**text - '0');
		p->length = unit > 0 ? unit : 1;
	}
	return true;
}

static bool take_clock(const char **text, struct point *p)
{
	if (!take_digits(text, 2, &p->tm.tm_hour) || !take(text, ':') ||
	    !take_digits(text, 2, &p->tm.tm_min)) {
		return false;
	}
	p->length = 60 * SECOND;
	if (take(text, ':')) {
		return take_digits(text, 2, &p->tm.tm_sec) &&
		       take_fraction(text, p);
	}
	return true;
}

static bool take_zone(const char **text, struct point *p)
{
	int sign = 0;
	int hours = 0;
	int minutes = 0;

	if (**text == '\0') {
		return true;
	}
	p->has_zone = true;
	if (take(text, 'Z')) {
		return true;
	}
	sign = take(text, '+') ? 1 : take(text, '-') ? -1 : 0;
	if (sign == 0 || !take_digits(text, 2, &hours)) {
		return false;
	}
	(void)take(text, ':');
	if (!take_digits(text, 2, &minutes) || hours > 23 || minutes > 59) {
		return false;
	}
	p->zone = sign * (hours * 3600 + minutes * 60);
	return true;
}

/* Whether the calendar has the day and the clock the time. */
static bool exists(const struct tm *tm)
{
	struct tm copy = *tm;

	(void)timegm(&copy);
	return copy.tm_mday == tm->tm_mday && copy.tm_mon == tm->tm_mon &&
	       copy.tm_hour == tm->tm_hour && copy.tm_min == tm->tm_min &&
	       copy.tm_sec == tm->tm_sec;
}

static int64_t seconds_of(const struct point *p, int days)
{
	struct tm tm = p->tm;

	tm.tm_mday += days;
	if (p->has_zone) {
		return (int64_t)timegm(&tm) - p->zone;
	}
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm);
}

bool ntsign_when_parse(const char *text, int64_t now, int64_t *first,
		       int64_t *end)
{
	struct point p = { .microseconds = 0 };

	if (parse_ago(text, now, first, end)) {
		return true;
	}
	if (!take_day(&text, &p.tm)) {
		return false;
	}
	if (*text != '\0' &&
	    ((!take(&text, 'T') && !take(&text, ' ')) ||
	     !take_clock(&text, &p) || !take_zone(&text, &p))) {
		return false;
	}
	if (*text != '\0' || !exists(&p.tm)) {
		return false;
	}
	*first = seconds_of(&p, 0) * SECOND + p.microseconds;
	/* days are not all of one length */
	*end = p.length > 0 ? *first + p.length : seconds_of(&p, 1) * SECOND;
	return true;
}
