/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine behind the tap on a named pipe: Q264684 and Q322051.
 *
 * A client writes DCE/RPC PDUs in any number of writes; a request comes in one
 * or more fragments. Between PDUs the machine is in one of these states:
 *
 *   IDLE    no request is under way
 *   HELD    fragments of a request to the registry have come and are kept
 *   PASSED  those of a request that is not judged have come and gone on
 *   THROWN  those of a request that has been refused are thrown away
 *   ENDED   the pipe is over: all is thrown away
 *
 *   event                         IDLE      HELD      PASSED    THROWN
 *   ----------------------------  --------  --------  --------  --------
 *   first fragment, judged        HELD      refuse    refuse    HELD
 *   first fragment, not judged    PASSED    refuse    refuse    PASSED
 *   next fragment of that call    refuse    HELD      PASSED    THROWN
 *   fragment of another call      refuse    refuse    refuse    refuse
 *   the last of a good request    -         on, IDLE  IDLE      IDLE
 *   the last of a malformed one   -         refuse    -         IDLE
 *   bind, alter_context, auth3    on        refuse    refuse    on, IDLE
 *   co_cancel                     on        on        on        on
 *   orphaned, that call           on        IDLE      on, IDLE  IDLE
 *   another or a broken PDU       refuse    refuse    refuse    refuse
 *   sealed, "mismatched"          fault,    -         fault,    fault,
 *                                 ENDED               ENDED     ENDED
 *
 * "on": it goes to the server. "refuse": it is reported; then, with fix, it is
 * answered with a fault, and the state is THROWN until the call's last
 * fragment, or IDLE where this was it; with emulate and an authenticated
 * client the pipe breaks: ENDED. A machine that only observes reports, goes
 * to the same state and keeps nothing from the server.
 *
 * Not judged are requests on presentation contexts that are not winreg's,
 * sealed ones and those in another transfer syntax than NDR: these two are
 * reported once. On a pipe that is judged a context that no bind has named is
 * nobody's: its requests are refused as the server would refuse them, for they
 * tell of a bind that this machine has not seen; they take nothing down.
 *
 * A fault of the machine's own waits until the server has answered all that
 * was passed on before it. The pipe ends, broken, where the client leaves too
 * many of them unread. Of malformed requests the first few are reported, and
 * the rest are counted.
 *
 * Invariant: in a machine that holds nothing goes to the server but by
 * ntsign_registry_pass_on(), and a fragment of a request that is judged not
 * before its last one has been. One that acts and does not hold, for Q322051
 * only, passes each PDU on as soon as it has been looked at.
 */
#include "registry_machine.h"

#include <string.h>

static int registry_destructor(struct ntsign_registry *r)
{
	ntsign_registry_release(r, r->kept);
	return 0;
}

struct ntsign_registry *ntsign_registry_new(
	TALLOC_CTX *mem_ctx, const struct ntsign_registry_rules *rules,
	const struct ntsign_registry_ops *ops, void *private_data)
{
	struct ntsign_registry *r = NULL;

	r = talloc_zero(mem_ctx, struct ntsign_registry);
	if (r == NULL) {
		return NULL;
	}
	r->rules = *rules;
	r->ops = ops;
	r->private_data = private_data;
	r->holds = rules->winreg && (rules->fix || rules->emulate);
	r->acts = r->holds || rules->mismatched;
	talloc_set_destructor(r, registry_destructor);
	if (r->acts) {
		r->owed = talloc_array(r, struct owed,
				       NTSIGN_REGISTRY_UNREAD_MAX);
		if (r->owed == NULL) {
			talloc_free(r);
			return NULL;
		}
	}
	return r;
}

bool ntsign_registry_acts(const struct ntsign_registry *r)
{
	return r->acts;
}

bool ntsign_registry_ended(const struct ntsign_registry *r)
{
	return r->state == ENDED;
}

/* ---- requests ---- */

static bool is_sealed(const struct ntsign_dcerpc_pdu *pdu)
{
	return pdu->auth.present &&
	       pdu->auth.level == NTSIGN_DCERPC_LEVEL_PRIVACY;
}

/* Q322051: 128 bits were negotiated, and the library that decrypts knows 56.
 * Returns whether the request has been answered so. */
static bool mismatched(struct ntsign_registry *r,
		       const struct ntsign_dcerpc_pdu *pdu)
{
	struct ntsign_registry_report report = {
		.event = NTSIGN_REGISTRY_UNDECRYPTABLE,
		.has_opnum = true,
		.opnum = pdu->opnum,
		.reason = "128 bits were negotiated",
		.answered = true,
		.status = NTSIGN_DCERPC_FAULT_SEC_PKG_ERROR,
		.auth_type = pdu->auth.type,
	};
	const struct auth *auth = NULL;

	if (!r->rules.mismatched || !is_sealed(pdu)) {
		return false;
	}
	auth = ntsign_registry_auth_find(r, pdu->auth.context);
	if (auth == NULL || !auth->ntlmssp ||
	    (auth->key_bits != 0 && auth->key_bits < 128)) {
		return false;
	}
	report.key_bits = auth->key_bits;
	r->ops->report(r->private_data, &report);
	ntsign_registry_call_over(r, ENDED);
	ntsign_registry_drop(r, &r->pdu);
	r->ends = true;
	ntsign_registry_answer(r, pdu, NTSIGN_DCERPC_FAULT_SEC_PKG_ERROR);
	return true;
}

/* Whether a request's trailer is what was agreed on for it. */
static bool trailer_agreed(const struct ntsign_registry *r,
			   const struct ntsign_dcerpc_pdu *pdu)
{
	const struct auth *auth = NULL;

	if (!pdu->auth.present) {
		return true;
	}
	auth = ntsign_registry_auth_find(r, pdu->auth.context);
	return auth != NULL && auth->type == pdu->auth.type &&
	       auth->level == pdu->auth.level;
}

static enum ntsign_winreg_fault judge(struct ntsign_registry *r)
{
	enum ntsign_winreg_fault fault;
	static const uint8_t nothing[1];
	const uint8_t *stub = r->stub.len != 0 ? r->stub.data : nothing;
	uint16_t opnum = r->first.opnum;
	bool big_endian = r->first.big_endian;

	fault = ntsign_winreg_judge(opnum, big_endian, stub, r->stub.len);
	if (fault == NTSIGN_WINREG_GOOD && r->ops->decodes != NULL &&
	    !r->ops->decodes(r->private_data, opnum, big_endian, stub,
			     r->stub.len)) {
		fault = NTSIGN_WINREG_BAD_STUB;
	}
	return fault;
}

/* A fragment of a request that is judged, its first or a later one. */
static void hold(struct ntsign_registry *r,
		 const struct ntsign_dcerpc_pdu *pdu, const uint8_t *data,
		 size_t len)
{
	bool last = (pdu->flags & NTSIGN_DCERPC_LAST) != 0;
	enum ntsign_winreg_fault fault;

	r->held_len += len;
	if (r->held_len > NTSIGN_REGISTRY_MAX && !r->holds) {
		ntsign_registry_unreadable(r, pdu, "it is too long");
		ntsign_registry_call_over(r, last ? IDLE : PASSED);
		return;
	}
	if (r->held_len > NTSIGN_REGISTRY_MAX) {
		ntsign_registry_refuse(r, pdu, NTSIGN_WINREG_BAD_PDU, last);
		return;
	}
	if ((r->holds && !ntsign_registry_append(r, &r->held, data, len)) ||
	    !ntsign_registry_append(r, &r->stub, pdu->body,
				    pdu->body_len) ||
	    !last) {
		return;
	}
	fault = judge(r);
	if (fault != NTSIGN_WINREG_GOOD) {
		ntsign_registry_refuse(r, &r->first, fault, true);
		return;
	}
	ntsign_registry_pass_on(r, r->held.data, r->held.len, true);
	ntsign_registry_call_over(r, IDLE);
}

/* The first fragment of a request. */
static void request_begin(struct ntsign_registry *r,
			  const struct ntsign_dcerpc_pdu *pdu,
			  const uint8_t *data, size_t len)
{
	uint8_t use = ntsign_registry_context_use(r, pdu->context);
	bool last = (pdu->flags & NTSIGN_DCERPC_LAST) != 0;

	if (r->state == HELD || r->state == PASSED) {
		ntsign_registry_refuse(r, pdu, NTSIGN_WINREG_BAD_PDU, last);
		return;
	}
	r->first = *pdu;
	r->first.body = NULL;
	r->first.auth.token = NULL;
	if (r->rules.winreg && use == NOT_PROPOSED) {
		ntsign_registry_refuse_unbound(r, pdu, last);
		return;
	}
	if (r->rules.winreg && use != NTSIGN_DCERPC_OTHER) {
		if (!trailer_agreed(r, pdu)) {
			ntsign_registry_refuse(
				r, pdu, NTSIGN_WINREG_BAD_PDU, last);
			return;
		}
		if (use == NTSIGN_DCERPC_WINREG_UNREADABLE) {
			ntsign_registry_unreadable(
				r, pdu, "its transfer syntax is not NDR");
		} else if (is_sealed(pdu)) {
			ntsign_registry_unreadable(r, pdu, "it is sealed");
		} else {
			r->state = HELD;
			hold(r, pdu, data, len);
			return;
		}
	}
	r->state = last ? IDLE : PASSED;
	ntsign_registry_pass_on(r, data, len, last);
}

/* Whether a later fragment belongs to the call under way. */
static bool same_call(const struct ntsign_registry *r,
		      const struct ntsign_dcerpc_pdu *pdu)
{
	const struct ntsign_dcerpc_pdu *first = &r->first;

	return pdu->call_id == first->call_id &&
	       pdu->context == first->context &&
	       pdu->opnum == first->opnum &&
	       pdu->big_endian == first->big_endian &&
	       pdu->auth.present == first->auth.present &&
	       pdu->auth.level == first->auth.level &&
	       pdu->auth.context == first->auth.context;
}

static void request(struct ntsign_registry *r,
		    const struct ntsign_dcerpc_pdu *pdu, const uint8_t *data,
		    size_t len)
{
	bool last = (pdu->flags & NTSIGN_DCERPC_LAST) != 0;

	if (mismatched(r, pdu)) {
		return;
	}
	if (pdu->flags & NTSIGN_DCERPC_FIRST) {
		request_begin(r, pdu, data, len);
		return;
	}
	if (r->state == THROWN && pdu->call_id == r->first.call_id) {
		r->state = last ? IDLE : THROWN;
		return;
	}
	if ((r->state != HELD && r->state != PASSED) || !same_call(r, pdu)) {
		ntsign_registry_refuse(r, pdu, NTSIGN_WINREG_BAD_PDU, last);
		return;
	}
	if (r->state == HELD) {
		hold(r, pdu, data, len);
		return;
	}
	r->state = last ? IDLE : PASSED;
	ntsign_registry_pass_on(r, data, len, last);
}

/* ---- other PDUs ---- */

static void bind(struct ntsign_registry *r,
		 const struct ntsign_dcerpc_pdu *pdu, const uint8_t *data,
		 size_t len)
{
	bool auth3 = pdu->type == NTSIGN_DCERPC_AUTH3;

	if (r->state == HELD || r->state == PASSED ||
	    (!auth3 &&
	     !ntsign_dcerpc_contexts(pdu, ntsign_registry_context_note,
				     r))) {
		if (r->state != ENDED) {
			ntsign_registry_refuse(
				r, pdu, NTSIGN_WINREG_BAD_PDU, true);
		}
		return;
	}
	if (ntsign_registry_auth_note(r, &pdu->auth)) {
		r->state = IDLE;
		ntsign_registry_pass_on(r, data, len, !auth3);
	}
}

/* The client gives up a call, [C706] 12.6.4.11. What was held of it the
 * server does not know of. */
static void orphaned(struct ntsign_registry *r,
		     const struct ntsign_dcerpc_pdu *pdu, const uint8_t *data,
		     size_t len)
{
	bool known = r->state != IDLE && pdu->call_id == r->first.call_id;
	bool on = !known || r->state == PASSED;

	if (known) {
		ntsign_registry_call_over(r, IDLE);
	}
	if (on) {
		ntsign_registry_pass_on(r, data, len, false);
	}
}

/* Whether the server answers it. */
static bool wants_answer(const struct ntsign_dcerpc_pdu *pdu)
{
	switch (pdu->type) {
	case NTSIGN_DCERPC_REQUEST:
		return (pdu->flags & NTSIGN_DCERPC_LAST) != 0;
	case NTSIGN_DCERPC_BIND:
	case NTSIGN_DCERPC_ALTER_CONTEXT:
		return true;
	default:
		return false;
	}
}

/*
 * A whole PDU, or bytes that are none: where the next one begins cannot be
 * told then, and the rest of the client's write goes with them.
 */
static void piece(struct ntsign_registry *r, const uint8_t *data, size_t len)
{
	struct ntsign_dcerpc_pdu pdu;

	if (!ntsign_dcerpc_parse(data, len, &pdu)) {
		ntsign_registry_refuse(r, &pdu, NTSIGN_WINREG_BAD_PDU, true);
	} else {
		switch (pdu.type) {
		case NTSIGN_DCERPC_REQUEST:
			request(r, &pdu, data, len);
			break;
		case NTSIGN_DCERPC_BIND:
		case NTSIGN_DCERPC_ALTER_CONTEXT:
		case NTSIGN_DCERPC_AUTH3:
			bind(r, &pdu, data, len);
			break;
		case NTSIGN_DCERPC_CO_CANCEL:
			ntsign_registry_pass_on(r, data, len, false);
			break;
		case NTSIGN_DCERPC_ORPHANED:
			orphaned(r, &pdu, data, len);
			break;
		default:
			ntsign_registry_refuse(
				r, &pdu, NTSIGN_WINREG_BAD_PDU, true);
			break;
		}
	}
	if (r->acts && !r->holds && r->state != ENDED) {
		ntsign_registry_forward(r, data, len, wants_answer(&pdu));
	}
}

/* Steps over whole PDUs; returns how many bytes they are, all where the pipe
 * has ended. */
static size_t whole_pdus(struct ntsign_registry *r, const uint8_t *data,
			 size_t len)
{
	size_t pos = 0;

	while (r->state != ENDED) {
		size_t pdu_len = 0;
		enum ntsign_dcerpc_next next = ntsign_dcerpc_next(
			data + pos, len - pos, &pdu_len);

		if (next == NTSIGN_DCERPC_NONE) {
			piece(r, data + pos, len - pos);
			return len;
		}
		if (next == NTSIGN_DCERPC_MORE || len - pos < pdu_len) {
			return pos;
		}
		piece(r, data + pos, pdu_len);
		pos += pdu_len;
	}
	return len;
}

void ntsign_registry_request(struct ntsign_registry *r, const uint8_t *data,
			     size_t len)
{
	struct bytes begun = r->pdu;
	size_t used = 0;

	if (r->state == ENDED) {
		return;
	}
	if (begun.len == 0) {
		used = whole_pdus(r, data, len);
		(void)ntsign_registry_append(r, &r->pdu, data + used,
					     len - used);
		return;
	}
	if (!ntsign_registry_append(r, &r->pdu, data, len)) {
		return;
	}
	begun = r->pdu;
	r->pdu = (struct bytes) { .data = NULL, };
	used = whole_pdus(r, begun.data, begun.len);
	(void)ntsign_registry_append(r, &r->pdu, begun.data + used,
				     begun.len - used);
	ntsign_registry_drop(r, &begun);
}
