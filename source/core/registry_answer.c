/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine behind the tap on a named pipe: what goes to the server and
 * what the client is answered.
 *
 * Invariant: the client gets its answers in the order of its requests, the
 * machine's own among the server's.
 */
#include "registry_machine.h"

#include <string.h>

/* What an own answer takes until it has been read, about. */
#define ANSWER_COST 512

/* ---- the server's side ---- */

void ntsign_registry_forward(struct ntsign_registry *r, const uint8_t *data,
			     size_t len, bool wants_answer)
{
	r->ops->forward(r->private_data, data, len);
	r->answers.wanted += wants_answer ? 1 : 0;
}

void ntsign_registry_pass_on(struct ntsign_registry *r, const uint8_t *data,
			     size_t len, bool wants_answer)
{
	if (r->holds) {
		ntsign_registry_forward(r, data, len, wants_answer);
	}
}

/* Sends the faults that need not wait any more. */
static void pay(struct ntsign_registry *r)
{
	const struct owed *first = &r->owed[r->owed_first];

	while (r->owed_count != 0 && first->behind <= r->answers.got) {
		r->ops->answer(r->private_data, first->fault,
			       sizeof(first->fault));
		r->owed_first = (r->owed_first + 1) %
			NTSIGN_REGISTRY_UNREAD_MAX;
		r->owed_count--;
		first = &r->owed[r->owed_first];
	}
	if (r->ends && r->owed_count == 0) {
		r->ends = false;
		r->ops->end(r->private_data, false);
	}
}

/* Whoever reads none of so many answers would have this process keep them
 * for ever. */
static void unread(struct ntsign_registry *r)
{
	struct ntsign_registry_report report = {
		.event = NTSIGN_REGISTRY_UNREAD,
		.reason = "the client does not read what it is answered",
	};

	r->ops->report(r->private_data, &report);
	ntsign_registry_end(r, true);
}

void ntsign_registry_answer(struct ntsign_registry *r,
			    const struct ntsign_dcerpc_pdu *pdu,
			    uint32_t status)
{
	struct owed *owed = NULL;

	if (r->unread == NTSIGN_REGISTRY_UNREAD_MAX ||
	    !ntsign_registry_keep(r, ANSWER_COST)) {
		unread(r);
		return;
	}
	owed = &r->owed[(r->owed_first + r->owed_count) %
			NTSIGN_REGISTRY_UNREAD_MAX];
	ntsign_dcerpc_fault(pdu, status, owed->fault);
	owed->behind = r->answers.wanted;
	r->owed_count++;
	r->unread++;
	pay(r);
}

void ntsign_registry_read(struct ntsign_registry *r)
{
	r->unread--;
	ntsign_registry_release(r, ANSWER_COST);
}

/* Whether a PDU of the server's ends an answer. */
static bool ends_answer(const uint8_t *header)
{
	switch (header[2]) {
	case NTSIGN_DCERPC_RESPONSE:
	case NTSIGN_DCERPC_FAULT:
		return (header[3] & NTSIGN_DCERPC_LAST) != 0;
	case NTSIGN_DCERPC_BIND_ACK:
	case NTSIGN_DCERPC_BIND_NAK:
	case NTSIGN_DCERPC_ALTER_CONTEXT_RESP:
		return true;
	default:
		return false;
	}
}

static void answered(struct ntsign_registry *r)
{
	if (r->answers.got != r->answers.wanted) {
		r->answers.got++;
		pay(r);
	}
}

void ntsign_registry_response(struct ntsign_registry *r, const uint8_t *data,
			      size_t len)
{
	struct answers *a = &r->answers;

	while (r->acts && len != 0) {
		size_t n = (a->skip != 0) ? a->skip :
			sizeof(a->header) - a->have;
		size_t pdu_len = 0;

		n = n < len ? n : len;
		if (a->skip != 0) {
			a->skip -= n;
		} else {
			memcpy(a->header + a->have, data, n);
			a->have += n;
		}
		data += n;
		len -= n;
		if (a->skip == 0 && a->have == sizeof(a->header)) {
			a->have = 0;
			if (ntsign_dcerpc_next(a->header, sizeof(a->header),
					       &pdu_len) ==
			    NTSIGN_DCERPC_PDU) {
				a->skip = pdu_len - sizeof(a->header);
			}
			if (ends_answer(a->header)) {
				answered(r);
			}
		}
	}
}

/* ---- what is refused ---- */

/* What takes the registry down is told of in any case: once. */
static void tell_malformed(struct ntsign_registry *r,
			   const struct ntsign_registry_report *report)
{
	if (r->told < NTSIGN_REGISTRY_REPORTS_MAX || report->down) {
		r->told++;
		r->ops->report(r->private_data, report);
	} else {
		r->untold++;
	}
}

static void report(struct ntsign_registry *r,
		   const struct ntsign_dcerpc_pdu *pdu,
		   enum ntsign_winreg_fault fault)
{
	bool down = r->rules.emulate && r->rules.authenticated;
	bool fixed = !down && (r->rules.fix || r->rules.emulate);
	struct ntsign_registry_report report = {
		.event = NTSIGN_REGISTRY_MALFORMED,
		.has_opnum = pdu->type == NTSIGN_DCERPC_REQUEST &&
			fault != NTSIGN_WINREG_BAD_PDU,
		.opnum = pdu->opnum,
		.reason = ntsign_winreg_reason(fault),
		.answered = fixed,
		.status = ntsign_winreg_status(fault),
		.down = down,
	};

	tell_malformed(r, &report);
}

void ntsign_registry_close(struct ntsign_registry *r)
{
	struct ntsign_registry_report report = {
		.event = NTSIGN_REGISTRY_MORE,
		.reason = "more than are recorded one by one",
	};

	if (r->untold != 0) {
		report.count = r->untold;
		r->ops->report(r->private_data, &report);
	}
}

void ntsign_registry_refuse(struct ntsign_registry *r,
			    const struct ntsign_dcerpc_pdu *pdu,
			    enum ntsign_winreg_fault fault, bool over)
{
	struct ntsign_dcerpc_pdu call = *pdu;

	if (!r->rules.winreg) {
		return;
	}
	report(r, pdu, fault);
	if (r->rules.emulate && r->rules.authenticated) {
		ntsign_registry_end(r, true);
		return;
	}
	ntsign_registry_call_over(r, over ? IDLE : THROWN);
	r->first = call;
	if (r->holds) {
		ntsign_registry_answer(r, &call, ntsign_winreg_status(fault));
	}
}

void ntsign_registry_refuse_unbound(struct ntsign_registry *r,
				    const struct ntsign_dcerpc_pdu *pdu,
				    bool over)
{
	struct ntsign_registry_report report = {
		.event = NTSIGN_REGISTRY_MALFORMED,
		.has_opnum = true,
		.opnum = pdu->opnum,
		.reason = "its presentation context has not been bound",
		.answered = r->holds,
		.status = NTSIGN_DCERPC_FAULT_UNK_IF,
	};

	tell_malformed(r, &report);
	r->state = over ? IDLE : THROWN;
	if (r->holds) {
		ntsign_registry_answer(r, pdu, report.status);
	}
}

void ntsign_registry_unreadable(struct ntsign_registry *r,
				const struct ntsign_dcerpc_pdu *pdu,
				const char *why)
{
	struct ntsign_registry_report report = {
		.event = NTSIGN_REGISTRY_UNREADABLE,
		.has_opnum = true,
		.opnum = pdu->opnum,
		.reason = why,
		.auth_type = pdu->auth.type,
	};

	if (!r->told_unreadable) {
		r->told_unreadable = true;
		r->ops->report(r->private_data, &report);
	}
}
