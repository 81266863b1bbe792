/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Q275020: the signing counter that gets out of step.
 *
 * Invariant: nothing here allocates, does I/O, reads a clock or a global.
 *
 * The states of a connection, and what each event makes of them. "setup" is
 * a session setup for a further session on a connection that signs.
 *
 *   state        event           next         what is done
 *   -----------  --------------  -----------  -------------------------------
 *   quiet        setup begins    outstanding
 *   quiet        other SMB       quiet
 *   outstanding  setup begins    outstanding  one more; its first request is
 *                                             an "other SMB" to the others
 *   outstanding  other SMB       triggered    record it; emulate: shift the
 *                                             count, from here on skewed;
 *                                             fix, unpatched client: credit
 *   outstanding  last setup ends quiet
 *   triggered    other SMB       triggered    nothing: one trigger a period
 *   triggered    last setup ends quiet        a credit stays
 *
 *   any          bad signature                near the expected number:
 *                                             with a credit: accept, credit
 *                                             gone; else: record. As stock.
 *   quiet        good signature               a credit shrinks
 *   skewed       bad signature   skewed       deny
 */
#include "ntsign/counter.h"

/*
 * After so many requests in step a client has not lost count. One that has is
 * out of step with the first it sends, or the ones it had under way.
 */
#define CREDIT 16

void ntsign_counter_begin(struct ntsign_counter *counter, bool signing)
{
	if (counter->quirk == NTSIGN_QUIRK_OFF || !signing) {
		return;
	}
	if (counter->outstanding == 0) {
		counter->triggered = false;
	}
	if (counter->outstanding != UINT32_MAX) {
		counter->outstanding++;
	}
}

struct ntsign_counter_action ntsign_counter_other(
	struct ntsign_counter *counter)
{
	struct ntsign_counter_action action = { .triggered = false };

	if (counter->outstanding == 0 || counter->triggered) {
		return action;
	}
	counter->triggered = true;
	action.triggered = true;
	if (counter->quirk == NTSIGN_QUIRK_EMULATE && !counter->skewed) {
		counter->skewed = true;
		action.shift = counter->skew;
	}
	if (counter->quirk == NTSIGN_QUIRK_FIX && counter->unpatched) {
		counter->credit = CREDIT;
	}
	return action;
}

void ntsign_counter_end(struct ntsign_counter *counter)
{
	if (counter->outstanding > 0) {
		counter->outstanding--;
	}
}

enum ntsign_counter_verdict ntsign_counter_mismatch(
	struct ntsign_counter *counter, bool near)
{
	if (counter->skewed) {
		return NTSIGN_COUNTER_DENY;
	}
	if (!near || counter->quirk == NTSIGN_QUIRK_OFF) {
		return NTSIGN_COUNTER_STOCK;
	}
	if (counter->credit != 0) {
		counter->credit = 0;
		return NTSIGN_COUNTER_RESYNCHRONISED;
	}
	return NTSIGN_COUNTER_DESYNCHRONISED;
}

void ntsign_counter_match(struct ntsign_counter *counter)
{
	if (counter->credit != 0 && counter->outstanding == 0) {
		counter->credit--;
	}
}
