/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What Samba's version string tells: samba.h.
 *
 * Invariant: what cannot be told to be a revision is part of the release.
 */
#include "ntsign/samba.h"

#include <string.h>

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A revision says of what it is one, and goes on with what makes it one. */
static bool is_revision(const char *text, const char *version,
			size_t upstream)
{
	if (strncmp(text, version, upstream) != 0) {
		return false;
	}
	return text[upstream] == '+' || text[upstream] == '-';
}

size_t ntsign_samba_release_len(const char *version)
{
	size_t upstream = strcspn(version, "-");
	const char *p = version + upstream;

	if (!is_digit(version[0]) || *p != '-') {
		return strlen(version);
	}
	p++;
	while (is_letter(*p)) {
		p++;
	}
	if (p == version + upstream + 1 || *p != '-' ||
	    !is_revision(p + 1, version, upstream)) {
		return strlen(version);
	}
	return (size_t)(p - version);
}

const char *ntsign_samba_revision(const char *version)
{
	size_t len = ntsign_samba_release_len(version);

	return (version[len] == '-') ? version + len + 1 : NULL;
}

bool ntsign_samba_fits(const char *made_for, const char *version)
{
	size_t len = ntsign_samba_release_len(made_for);

	return len == ntsign_samba_release_len(version) &&
	       strncmp(made_for, version, len) == 0;
}
