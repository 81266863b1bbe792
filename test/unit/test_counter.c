/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every state and event of the signing counter's table, in each value of
 * the option.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ntsign/counter.h"

#define SKEW 3

static struct ntsign_counter made(enum ntsign_quirk quirk)
{
	struct ntsign_counter counter = { .quirk = quirk, .skew = SKEW };

	return counter;
}

static void test_off(void **state)
{
	struct ntsign_counter counter = made(NTSIGN_QUIRK_OFF);

	(void)state;
	ntsign_counter_begin(&counter, true);
	assert_int_equal(counter.outstanding, 0);
	assert_false(ntsign_counter_other(&counter).triggered);
	assert_int_equal(ntsign_counter_mismatch(&counter, true),
			 NTSIGN_COUNTER_STOCK);
	ntsign_counter_end(&counter);
	assert_int_equal(counter.outstanding, 0);
}

static void test_not_signing(void **state)
{
	struct ntsign_counter counter = made(NTSIGN_QUIRK_EMULATE);

	(void)state;
	ntsign_counter_begin(&counter, false);
	assert_false(ntsign_counter_other(&counter).triggered);
	assert_false(counter.skewed);
}

/* One trigger a period, whatever the option; a new period, a new one. */
static void test_periods(void **state)
{
	static const enum ntsign_quirk quirks[] = {
		NTSIGN_QUIRK_DETECT, NTSIGN_QUIRK_EMULATE, NTSIGN_QUIRK_FIX,
	};
	size_t i = 0;

	(void)state;
	for (i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++) {
		struct ntsign_counter counter = made(quirks[i]);
		struct ntsign_counter_action action;

		assert_false(ntsign_counter_other(&counter).triggered);
		ntsign_counter_begin(&counter, true);
		action = ntsign_counter_other(&counter);
		assert_true(action.triggered);
		assert_int_equal(action.shift,
				 quirks[i] == NTSIGN_QUIRK_EMULATE ? SKEW : 0);
		assert_false(ntsign_counter_other(&counter).triggered);
		/* a second one begins before the first has ended */
		ntsign_counter_begin(&counter, true);
		assert_false(ntsign_counter_other(&counter).triggered);
		ntsign_counter_end(&counter);
		assert_false(ntsign_counter_other(&counter).triggered);
		ntsign_counter_end(&counter);
		assert_false(ntsign_counter_other(&counter).triggered);
		ntsign_counter_end(&counter);
		assert_int_equal(counter.outstanding, 0);

		ntsign_counter_begin(&counter, true);
		action = ntsign_counter_other(&counter);
		assert_true(action.triggered);
		/* out of step once is out of step for good */
		assert_int_equal(action.shift, 0);
	}
}

static void test_many(void **state)
{
	struct ntsign_counter counter = made(NTSIGN_QUIRK_DETECT);

	(void)state;
	counter.outstanding = UINT32_MAX;
	ntsign_counter_begin(&counter, true);
	assert_int_equal(counter.outstanding, UINT32_MAX);
}

static void test_detect(void **state)
{
	struct ntsign_counter counter = made(NTSIGN_QUIRK_DETECT);

	(void)state;
	assert_int_equal(ntsign_counter_mismatch(&counter, false),
			 NTSIGN_COUNTER_STOCK);
	assert_int_equal(ntsign_counter_mismatch(&counter, true),
			 NTSIGN_COUNTER_DESYNCHRONISED);
	ntsign_counter_begin(&counter, true);
	(void)ntsign_counter_other(&counter);
	assert_int_equal(ntsign_counter_mismatch(&counter, true),
			 NTSIGN_COUNTER_DESYNCHRONISED);
}

static void test_emulate(void **state)
{
	struct ntsign_counter counter = made(NTSIGN_QUIRK_EMULATE);
	int near = 0;

	(void)state;
	assert_int_equal(ntsign_counter_mismatch(&counter, true),
			 NTSIGN_COUNTER_DESYNCHRONISED);
	ntsign_counter_begin(&counter, true);
	(void)ntsign_counter_other(&counter);
	ntsign_counter_end(&counter);
	for (near = 0; near < 2; near++) {
		assert_int_equal(ntsign_counter_mismatch(&counter, near),
				 NTSIGN_COUNTER_DENY);
	}
}

static void trigger(struct ntsign_counter *counter)
{
	ntsign_counter_begin(counter, true);
	(void)ntsign_counter_other(counter);
	ntsign_counter_end(counter);
}

static void test_fix(void **state)
{
	struct ntsign_counter counter = made(NTSIGN_QUIRK_FIX);

	(void)state;
	counter.unpatched = true;
	/* without a trigger */
	assert_int_equal(ntsign_counter_mismatch(&counter, true),
			 NTSIGN_COUNTER_DESYNCHRONISED);
	trigger(&counter);
	/* a signature that fits nowhere */
	assert_int_equal(ntsign_counter_mismatch(&counter, false),
			 NTSIGN_COUNTER_STOCK);
	/* once */
	assert_int_equal(ntsign_counter_mismatch(&counter, true),
			 NTSIGN_COUNTER_RESYNCHRONISED);
	assert_int_equal(ntsign_counter_mismatch(&counter, true),
			 NTSIGN_COUNTER_DESYNCHRONISED);
	/* a patched client has not the quirk */
	counter.unpatched = false;
	trigger(&counter);
	assert_int_equal(ntsign_counter_mismatch(&counter, true),
			 NTSIGN_COUNTER_DESYNCHRONISED);
}

/* Requests in step use it up, but not while a session setup is outstanding. */
static void test_credit(void **state)
{
	struct ntsign_counter counter = made(NTSIGN_QUIRK_FIX);
	unsigned int good = 0;

	(void)state;
	counter.unpatched = true;
	ntsign_counter_match(&counter);
	assert_int_equal(counter.credit, 0);
	ntsign_counter_begin(&counter, true);
	(void)ntsign_counter_other(&counter);
	good = counter.credit;
	assert_true(good > 1);
	ntsign_counter_match(&counter);
	assert_int_equal(counter.credit, good);
	ntsign_counter_end(&counter);
	for (; good > 0; good--) {
		assert_int_equal(counter.credit, good);
		ntsign_counter_match(&counter);
	}
	assert_int_equal(ntsign_counter_mismatch(&counter, true),
			 NTSIGN_COUNTER_DESYNCHRONISED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_not_signing),
		cmocka_unit_test(test_periods),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_detect),
		cmocka_unit_test(test_emulate),
		cmocka_unit_test(test_fix),
		cmocka_unit_test(test_credit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
