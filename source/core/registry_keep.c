/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine behind the tap on a named pipe: what it keeps, and its end.
 *
 * Invariant: what all machines of a process keep is counted, and bounded by
 * NTSIGN_REGISTRY_KEPT_MAX; one that cannot keep what it needs ends its pipe.
 */
#include "registry_machine.h"

#include <string.h>

/* What all machines keep. */
static size_t kept;

bool ntsign_registry_keep(struct ntsign_registry *r, size_t n)
{
	if (NTSIGN_REGISTRY_KEPT_MAX - kept < n) {
		return false;
	}
	kept += n;
	r->kept += n;
	return true;
}

void ntsign_registry_release(struct ntsign_registry *r, size_t n)
{
	kept -= n;
	r->kept -= n;
}

/* ---- memory ---- */

void ntsign_registry_drop(struct ntsign_registry *r, struct bytes *bytes)
{
	ntsign_registry_release(r, talloc_get_size(bytes->data));
	TALLOC_FREE(bytes->data);
	bytes->len = 0;
}

void ntsign_registry_call_over(struct ntsign_registry *r, enum state next)
{
	ntsign_registry_drop(r, &r->held);
	ntsign_registry_drop(r, &r->stub);
	r->held_len = 0;
	r->state = next;
}

void ntsign_registry_end(struct ntsign_registry *r, bool broken)
{
	ntsign_registry_call_over(r, ENDED);
	ntsign_registry_drop(r, &r->pdu);
	r->owed_count = 0;
	r->ends = false;
	if (r->acts) {
		r->ops->end(r->private_data, broken);
	}
}

/* Memory has run out: what cannot be looked at must not pass. */
bool ntsign_registry_no_memory(struct ntsign_registry *r)
{
	ntsign_registry_end(r, true);
	return false;
}

/* This client has had too much kept: as without memory, and told of. */
bool ntsign_registry_too_much(struct ntsign_registry *r)
{
	struct ntsign_registry_report report = {
		.event = NTSIGN_REGISTRY_UNREADABLE,
		.reason = "what the client has begun takes too much memory",
	};

	if (!r->told_unreadable) {
		r->told_unreadable = true;
		r->ops->report(r->private_data, &report);
	}
	return ntsign_registry_no_memory(r);
}

void ntsign_registry_stop(struct ntsign_registry *r)
{
	if (!r->acts) {
		ntsign_registry_end(r, true);
	}
}

/* Takes half as much again as it grows, so that small pieces cost little. */
bool ntsign_registry_append(struct ntsign_registry *r, struct bytes *bytes,
			    const uint8_t *data, size_t len)
{
	size_t room = talloc_get_size(bytes->data);
	size_t more = 0;

	if (len == 0) {
		return true;
	}
	if (room - bytes->len < len) {
		uint8_t *grown = NULL;

		room = (bytes->len + len) + (bytes->len + len) / 2;
		more = room - talloc_get_size(bytes->data);
		if (!ntsign_registry_keep(r, more)) {
			return ntsign_registry_too_much(r);
		}
		grown = talloc_realloc(r, bytes->data, uint8_t, room);
		if (grown == NULL) {
			ntsign_registry_release(r, more);
			return ntsign_registry_no_memory(r);
		}
		bytes->data = grown;
	}
	memcpy(bytes->data + bytes->len, data, len);
	bytes->len += len;
	return true;
}
