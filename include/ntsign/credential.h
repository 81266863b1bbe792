/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Q192749: credential handles, as a state machine.
 *
 * Invariant: it decides about the acquisitions of one certificate's handle
 * and keeps their order; whoever feeds it shares and keeps the queue.
 */
#ifndef NTSIGN_CREDENTIAL_H
#define NTSIGN_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ntsign/option.h"

/* The process that an acquisition is in; all that tells it from others. */
struct ntsign_credential_owner {
	uint64_t pid;
	uint64_t unique;
	uint32_t node;
	uint32_t task;
};

/*
 * One acquisition: its turn. Times in microseconds since 1970. Stored and
 * shared as it is here, so it has no padding.
 */
struct ntsign_credential_turn {
	struct ntsign_credential_owner owner;
	uint64_t ticket;	/* tells an owner's acquisitions apart */
	int64_t start;
	int64_t end;
};

/* The acquisitions that are under way or wait, in their order. */
struct ntsign_credential_queue {
	struct ntsign_credential_turn *turns;	/* the caller's */
	size_t count;
};

enum ntsign_credential_state {
	NTSIGN_CREDENTIAL_FAILED,	/* another one was under way */
	NTSIGN_CREDENTIAL_WAITS,
	NTSIGN_CREDENTIAL_HOLDS,
	NTSIGN_CREDENTIAL_OVER,
};

/* Drops the turns that are over at `now`, and has those that a clock which
 * went back has put off begin now. To be called before any of the others. */
void ntsign_credential_settle(struct ntsign_credential_queue *queue,
			      int64_t now);

/* The first turn's owner has died: drops it; the others move up. */
void ntsign_credential_died(struct ntsign_credential_queue *queue,
			    int64_t now);

/*
 * An acquisition begins. turn: its owner and ticket; on return also its
 * times. hold: microseconds. `queue` has room for one more. Returns FAILED
 * (emulate), with the queue as it was, WAITS or HOLDS.
 */
enum ntsign_credential_state ntsign_credential_begin(
	struct ntsign_credential_queue *queue, enum ntsign_quirk quirk,
	struct ntsign_credential_turn *turn, int64_t now, int64_t hold);

/* Where an acquisition stands: OVER, or WAITS or HOLDS with *turn brought up
 * to date. *ahead: how many are in front of it. */
enum ntsign_credential_state ntsign_credential_look(
	const struct ntsign_credential_queue *queue,
	struct ntsign_credential_turn *turn, int64_t now, size_t *ahead);

/* An acquisition ends, early or not; the others move up. */
void ntsign_credential_end(struct ntsign_credential_queue *queue,
			   const struct ntsign_credential_turn *turn,
			   int64_t now);

/*
 * When to look again, in microseconds from now on: at the end of its turn,
 * or before that whether somebody in front has died. Whoever is further
 * behind looks less often.
 */
int64_t ntsign_credential_next_look(
	const struct ntsign_credential_turn *turn, size_t ahead, int64_t now);

#endif
