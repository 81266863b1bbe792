/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Q275020: the signing counter that gets out of step, as a state machine.
 *
 * Invariant: it decides and counts, nothing else; whoever feeds it carries
 * out what it answers.
 */
#ifndef NTSIGN_COUNTER_H
#define NTSIGN_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

#include "ntsign/option.h"

/* One SMB1 connection. All zero, with `quirk` and `skew` set, to begin with. */
struct ntsign_counter {
	enum ntsign_quirk quirk;	/* ntsign:signing counter */
	unsigned int skew;		/* ntsign:signing counter skew, 1 to 8 */
	/* the client lacks KB916846's update: it may have the quirk */
	bool unpatched;
	/* session setups for further sessions that have no final answer */
	unsigned int outstanding;
	bool triggered;			/* in the period that is outstanding */
	/* fix: so many requests more, the next one that is out of step may be
	 * accepted */
	unsigned int credit;
	bool skewed;			/* emulate: out of step for good */
};

/* What is to be done about an SMB that has arrived. */
struct ntsign_counter_action {
	bool triggered;		/* record it */
	unsigned int shift;	/* move smbd's count on by this much */
};

/* What is to be done about a signature that is not the expected one's. */
enum ntsign_counter_verdict {
	NTSIGN_COUNTER_STOCK,		/* what smbd does of itself */
	/* the same, and record `desynchronised` */
	NTSIGN_COUNTER_DESYNCHRONISED,
	/* move smbd's count to the number that matches, and record it */
	NTSIGN_COUNTER_RESYNCHRONISED,
	/* answer STATUS_ACCESS_DENIED; the connection stays */
	NTSIGN_COUNTER_DENY,
};

/*
 * The first request of a session setup for a further session has arrived on
 * a connection. signing: whether it signs.
 */
void ntsign_counter_begin(struct ntsign_counter *counter, bool signing);

/*
 * Another SMB has arrived: a request that is not a leg of a session setup
 * that is outstanding.
 */
struct ntsign_counter_action ntsign_counter_other(
	struct ntsign_counter *counter);

/* The final answer of a session setup has been sent. */
void ntsign_counter_end(struct ntsign_counter *counter);

/*
 * A request's signature is not that of the expected number. near: it is that
 * of another number within 8, and no earlier request's.
 */
enum ntsign_counter_verdict ntsign_counter_mismatch(
	struct ntsign_counter *counter, bool near);

/* A request's signature is that of the expected number. */
void ntsign_counter_match(struct ntsign_counter *counter);

#endif
