/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests which Sambas a module is good for, by their version strings.
 *
 * Invariant: no pair with different upstream versions fits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ntsign/samba.h"

static const struct {
	const char *version;
	const char *release;	/* NULL: all of it */
	const char *revision;
} strings[] = {
	{ "4.17.12-Debian", NULL, NULL },
	{ "4.22.11-Debian-4.22.11+dfsg-0+deb13u1", "4.22.11-Debian",
	  "4.22.11+dfsg-0+deb13u1" },
	{ "4.22.3-Ubuntu-4.22.3-1", "4.22.3-Ubuntu", "4.22.3-1" },
	{ "4.19.5-Ubuntu", NULL, NULL },
	{ "4.22.3", NULL, NULL },
	{ "4.22.0rc1", NULL, NULL },
	{ "4.22.0rc1-Debian", NULL, NULL },
	{ "4.22.0rc1-Debian-4.22.0rc1+dfsg-1", "4.22.0rc1-Debian",
	  "4.22.0rc1+dfsg-1" },
	/* the package of a version before 4.22.0's release */
	{ "4.22.0rc1-Debian-4.22.0~rc1+dfsg-1", NULL, NULL },
	{ "4.22.0-Debian-4.22.0~rc1+dfsg-1", NULL, NULL },
	{ "4.23.0pre1-GIT-0123abcd", NULL, NULL },
	{ "4.22.11-Debian-4.22.1+dfsg-0+deb13u1", NULL, NULL },
	{ "4.22.1-Debian-4.22.11+dfsg-0+deb13u1", NULL, NULL },
	{ "4.22.11-Debian-2:4.22.11+dfsg-0+deb13u1", NULL, NULL },
	{ "4.22.11-Debian-4.22.11", NULL, NULL },
	{ "4.22.11-Debian-4.22.11.1-1", NULL, NULL },
	{ "4.22.11-Debian-", NULL, NULL },
	{ "4.22.11--4.22.11+dfsg", NULL, NULL },
	{ "4.22.11-4.22.11+dfsg", NULL, NULL },
	{ "4.22.11-Deb2-4.22.11+dfsg", NULL, NULL },
	{ "4.22.11-Deb~-4.22.11+dfsg", NULL, NULL },
	{ "4.22.11-SerNet-RedHat-5.el9", NULL, NULL },
	{ "4.22.11-", NULL, NULL },
	{ "UNKNOWN-Debian-UNKNOWN+dfsg", NULL, NULL },
	{ "-Debian-+dfsg", NULL, NULL },
	{ "", NULL, NULL },
};
#define COUNT (sizeof(strings) / sizeof(strings[0]))

static void test_strings(void **state)
{
	size_t i;

	for (i = 0; i < COUNT; i++) {
		const char *version = strings[i].version;
		const char *revision = ntsign_samba_revision(version);
		size_t len = strings[i].release != NULL ?
			strlen(strings[i].release) : strlen(version);

		print_message("%s\n", version);
		assert_int_equal(ntsign_samba_release_len(version), len);
		if (strings[i].revision == NULL) {
			assert_null(revision);
		} else {
			assert_non_null(revision);
			assert_string_equal(revision, strings[i].revision);
		}
		assert_true(ntsign_samba_fits(version, version));
	}
}

static const struct {
	const char *a;
	const char *b;
	bool fits;
} pairs[] = {
	{ "4.22.11-Debian-4.22.11+dfsg-0+deb13u1",
	  "4.22.11-Debian-4.22.11+dfsg-0+deb13u2", true },
	{ "4.22.11-Debian-4.22.11+dfsg-0+deb13u1", "4.22.11-Debian", true },
	{ "4.22.11-Debian-4.22.11+dfsg-0+deb13u1",
	  "4.22.10-Debian-4.22.10+dfsg-0+deb13u2", false },
	{ "4.22.1-Debian-4.22.1+dfsg-1", "4.22.11-Debian-4.22.11+dfsg-1",
	  false },
	{ "4.22.11-Debian-4.22.11+dfsg-1", "4.22.11-Ubuntu-4.22.11+dfsg-1",
	  false },
	{ "4.22.11-Debian-4.22.11+dfsg-1", "4.22.11", false },
	{ "4.22.11-Debian-4.22.11+dfsg-1", "4.22.11-Debian-4.22.10+dfsg-1",
	  false },
	{ "4.17.12-Debian", "4.17.12-Ubuntu", false },
	{ "4.17.12-Debian", "4.17.11-Debian", false },
	{ "4.17.12-Debian", "4.17.12-DebiaN", false },
	{ "4.22.0rc1-Debian-4.22.0rc1+dfsg-1", "4.22.0-Debian-4.22.0+dfsg-1",
	  false },
	{ "4.22.0rc1", "4.22.0rc2", false },
	{ "4.22.3", "4.22.31", false },
	{ "4.22.3", "", false },
	{ "4.23.0pre1-GIT-0123abcd", "4.23.0pre1-GIT-0123abce", false },
};

static void test_pairs(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		print_message("%s %s\n", pairs[i].a, pairs[i].b);
		assert_int_equal(ntsign_samba_fits(pairs[i].a, pairs[i].b),
				 pairs[i].fits);
		assert_int_equal(ntsign_samba_fits(pairs[i].b, pairs[i].a),
				 pairs[i].fits);
	}
}

/* Whatever stands behind it, another upstream version does not fit. */
static void test_upstream(void **state)
{
	size_t i;
	size_t j;

	for (i = 0; i < COUNT; i++) {
		for (j = 0; j < COUNT; j++) {
			const char *a = strings[i].version;
			const char *b = strings[j].version;
			size_t upstream = strcspn(a, "-");

			if (upstream != strcspn(b, "-") ||
			    strncmp(a, b, upstream) != 0) {
				assert_false(ntsign_samba_fits(a, b));
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_upstream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
