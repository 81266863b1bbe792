/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Q192749: credential handles.
 *
 * Invariant: nothing here allocates, does I/O, reads a clock or a global.
 * Turns never overlap, and none begins later than the one before it ends.
 *
 * The states of an acquisition, and what each event makes of them. "others"
 * are acquisitions of the same certificate's handle, in whatever process.
 *
 *   state   event                  next    what is done
 *   ------  ---------------------  ------  ---------------------------------
 *   -       begins, no others      holds   its turn is from now on
 *   -       begins, others: fix    waits   its turn is behind the last one's
 *   -       begins, others:        failed  nothing: the others are not
 *           emulate                        disturbed
 *   waits   its turn has come      holds
 *   waits   one in front ends      waits   its turn is that much earlier
 *           early, or has died
 *   holds   its turn is over       over    dropped, by whoever sees it first
 *   any     ends early             over    dropped; those behind move up
 *   any     its process dies       over    the same, when it is the first
 *
 * Of what one process acquires at the same time (fix), one is in the queue;
 * the others stand behind it in the process and begin when it is over. So a
 * process, and with it a client's connection, has its turn as often as every
 * other one, however much it wants.
 *
 * A turn is an interval of time, laid down when the acquisition begins: so
 * nothing has to be handed on from one process to the next, and what a busy
 * machine adds to one acquisition does not add up over all of them.
 */
#include "ntsign/credential.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct ntsign_credential_turn) ==
	      sizeof(struct ntsign_credential_owner) + 3 * sizeof(uint64_t),
	      "what is stored has no padding");

/* How soon a death in front of an acquisition is seen. */
#define LOOK 250000

static void drop(struct ntsign_credential_queue *queue, size_t i)
{
	queue->count--;
	memmove(&queue->turns[i], &queue->turns[i + 1],
		(queue->count - i) * sizeof(queue->turns[0]));
}

/* Turns from the i-th on begin that much earlier. */
static void move_up(struct ntsign_credential_queue *queue, size_t i,
		    int64_t by)
{
	for (; i < queue->count; i++) {
		queue->turns[i].start -= by;
		queue->turns[i].end -= by;
	}
}

static bool same(const struct ntsign_credential_turn *a,
		 const struct ntsign_credential_turn *b)
{
	return a->ticket == b->ticket && a->owner.pid == b->owner.pid &&
		a->owner.unique == b->owner.unique &&
		a->owner.node == b->owner.node &&
		a->owner.task == b->owner.task;
}

/* Its place in the queue; the queue's length when it is not in it. */
static size_t place_of(const struct ntsign_credential_queue *queue,
		       const struct ntsign_credential_turn *turn)
{
	size_t i = 0;

	while (i < queue->count && !same(&queue->turns[i], turn)) {
		i++;
	}
	return i;
}

static enum ntsign_credential_state state_of(
	const struct ntsign_credential_turn *turn, int64_t now)
{
	if (turn->end <= now) {
		return NTSIGN_CREDENTIAL_OVER;
	}
	return turn->start <= now ? NTSIGN_CREDENTIAL_HOLDS :
				    NTSIGN_CREDENTIAL_WAITS;
}

/* The i-th turn is no more; what of it is left goes to those behind. */
static void give_up(struct ntsign_credential_queue *queue, size_t i,
		    int64_t now)
{
	const struct ntsign_credential_turn *turn = &queue->turns[i];
	int64_t from = turn->start > now ? turn->start : now;
	int64_t left = turn->end - from;

	drop(queue, i);
	move_up(queue, i, left);
}

void ntsign_credential_settle(struct ntsign_credential_queue *queue,
			      int64_t now)
{
	while (queue->count > 0 && queue->turns[0].end <= now) {
		drop(queue, 0);
	}
	if (queue->count > 0 && queue->turns[0].start > now) {
		move_up(queue, 0, queue->turns[0].start - now);
	}
}

void ntsign_credential_died(struct ntsign_credential_queue *queue,
			    int64_t now)
{
	if (queue->count > 0) {
		give_up(queue, 0, now);
	}
}

enum ntsign_credential_state ntsign_credential_begin(
	struct ntsign_credential_queue *queue, enum ntsign_quirk quirk,
	struct ntsign_credential_turn *turn, int64_t now, int64_t hold)
{
	turn->start = now;
	if (queue->count > 0) {
		if (quirk == NTSIGN_QUIRK_EMULATE) {
			return NTSIGN_CREDENTIAL_FAILED;
		}
		turn->start = queue->turns[queue->count - 1].end;
	}
	turn->end = turn->start + hold;
	queue->turns[queue->count] = *turn;
	queue->count++;
	return state_of(turn, now);
}

enum ntsign_credential_state ntsign_credential_look(
	const struct ntsign_credential_queue *queue,
	struct ntsign_credential_turn *turn, int64_t now, size_t *ahead)
{
	size_t i = place_of(queue, turn);

	*ahead = 0;
	if (i == queue->count) {
		return NTSIGN_CREDENTIAL_OVER;
	}
	*turn = queue->turns[i];
	*ahead = i;
	return state_of(turn, now);
}

void ntsign_credential_end(struct ntsign_credential_queue *queue,
			   const struct ntsign_credential_turn *turn,
			   int64_t now)
{
	size_t i = place_of(queue, turn);

	if (i < queue->count) {
		give_up(queue, i, now);
	}
}

int64_t ntsign_credential_next_look(
	const struct ntsign_credential_turn *turn, size_t ahead, int64_t now)
{
	int64_t rest = turn->end - now;
	int64_t look = LOOK + LOOK / 100 * (int64_t)ahead;

	if (ahead == 0 || rest < look) {
		return rest > 0 ? rest : 0;
	}
	return look;
}
