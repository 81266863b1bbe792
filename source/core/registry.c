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
 * pass_on(), and a fragment of a request that is judged not before its last
 * one has been. One that acts and does not hold, for Q322051 only, passes each
 * PDU on as soon as it has been looked at.
 */
#include "ntsign/registry.h"

#include <string.h>

#include "ntsign/dcerpc.h"
#include "ntsign/ntlmssp.h"

/* What an own answer takes until it has been read, about. */
#define ANSWER_COST 512

/* What Samba takes of them: dcesrv:max auth states */
#define AUTHS_MAX 2049

enum state {
	IDLE,
	HELD,
	PASSED,
	THROWN,
	ENDED,
};

/* Presentation contexts have ids of 16 bits; a page has those of one upper
 * byte, each an enum ntsign_dcerpc_use, or this: */
#define NOT_PROPOSED 0
#define PAGES 256
#define PAGE_LEN 256

/* A security context, [MS-RPCE] 3.3.1.5.4. */
struct auth {
	uint32_t id;
	uint8_t type;
	uint8_t level;
	bool ntlmssp;
	unsigned int key_bits;
};

/* A fault that waits for the server's answers to what came before it. */
struct owed {
	uint8_t fault[NTSIGN_DCERPC_FAULT_LEN];
	uint64_t behind;	/* how many of them */
};

/* Bytes that grow. */
struct bytes {
	uint8_t *data;
	size_t len;
};

/* Where in the server's stream of PDUs. */
struct answers {
	uint8_t header[NTSIGN_DCERPC_HEADER_LEN];
	size_t have;
	size_t skip;
	uint64_t wanted;	/* so far */
	uint64_t got;
};

struct ntsign_registry {
	struct ntsign_registry_rules rules;
	const struct ntsign_registry_ops *ops;
	void *private_data;
	bool acts;
	bool holds;

	enum state state;
	struct bytes pdu;	/* the beginning of one */
	struct ntsign_dcerpc_pdu first;	/* of the call under way; no bytes */
	struct bytes held;	/* its fragments, where they are to go on */
	size_t held_len;	/* and how long they are */
	struct bytes stub;	/* and what they carry */

	uint8_t *contexts[PAGES];
	struct auth *auths;
	size_t auths_count;

	struct answers answers;
	/* a ring; in one that acts NTSIGN_REGISTRY_UNREAD_MAX */
	struct owed *owed;
	size_t owed_first;
	size_t owed_count;
	size_t kept;		/* bytes that are counted */
	size_t unread;		/* own answers: owed or not read yet */
	unsigned int told;	/* of malformed requests */
	uint64_t untold;
	bool ends;		/* with the last answer */
	bool told_unreadable;
};

/* What all machines keep. */
static size_t kept;

static bool keep(struct ntsign_registry *r, size_t n)
{
	if (NTSIGN_REGISTRY_KEPT_MAX - kept < n) {
		return false;
	}
	kept += n;
	r->kept += n;
	return true;
}

static void keep_no_more(struct ntsign_registry *r, size_t n)
{
	kept -= n;
	r->kept -= n;
}

static int registry_destructor(struct ntsign_registry *r)
{
	keep_no_more(r, r->kept);
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

/* ---- memory ---- */

static void drop(struct ntsign_registry *r, struct bytes *bytes)
{
	keep_no_more(r, talloc_get_size(bytes->data));
	TALLOC_FREE(bytes->data);
	bytes->len = 0;
}

static void call_over(struct ntsign_registry *r, enum state next)
{
	drop(r, &r->held);
	drop(r, &r->stub);
	r->held_len = 0;
	r->state = next;
}

static void end(struct ntsign_registry *r, bool broken)
{
	call_over(r, ENDED);
	drop(r, &r->pdu);
	r->owed_count = 0;
	r->ends = false;
	if (r->acts) {
		r->ops->end(r->private_data, broken);
	}
}

/* Memory has run out: what cannot be looked at must not pass. */
static bool no_memory(struct ntsign_registry *r)
{
	end(r, true);
	return false;
}

/* This client has had too much kept: as without memory, and told of. */
static bool too_much(struct ntsign_registry *r)
{
	struct ntsign_registry_report report = {
		.event = NTSIGN_REGISTRY_UNREADABLE,
		.reason = "what the client has begun takes too much memory",
	};

	if (!r->told_unreadable) {
		r->told_unreadable = true;
		r->ops->report(r->private_data, &report);
	}
	return no_memory(r);
}

void ntsign_registry_stop(struct ntsign_registry *r)
{
	if (!r->acts) {
		end(r, true);
	}
}

/* Takes half as much again as it grows, so that small pieces cost little. */
static bool append(struct ntsign_registry *r, struct bytes *bytes,
		   const uint8_t *data, size_t len)
{
	size_t room = talloc_get_size(bytes->data);

	if (len == 0) {
		return true;
	}
	if (room - bytes->len < len) {
		uint8_t *grown = NULL;

		room = (bytes->len + len) + (bytes->len + len) / 2;
		if (!keep(r, room - talloc_get_size(bytes->data))) {
			return too_much(r);
		}
		grown = talloc_realloc(r, bytes->data, uint8_t, room);
		if (grown == NULL) {
			keep_no_more(r, room - talloc_get_size(bytes->data));
			return no_memory(r);
		}
		bytes->data = grown;
	}
	memcpy(bytes->data + bytes->len, data, len);
	bytes->len += len;
	return true;
}

/* ---- the server's side ---- */

static void forward(struct ntsign_registry *r, const uint8_t *data, size_t len,
		    bool wants_answer)
{
	r->ops->forward(r->private_data, data, len);
	r->answers.wanted += wants_answer ? 1 : 0;
}

static void pass_on(struct ntsign_registry *r, const uint8_t *data, size_t len,
		    bool wants_answer)
{
	if (r->holds) {
		forward(r, data, len, wants_answer);
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
	end(r, true);
}

/* Answers with a fault, once the server has answered what came before. */
static void answer(struct ntsign_registry *r,
		   const struct ntsign_dcerpc_pdu *pdu, uint32_t status)
{
	struct owed *owed = NULL;

	if (r->unread == NTSIGN_REGISTRY_UNREAD_MAX ||
	    !keep(r, ANSWER_COST)) {
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
	keep_no_more(r, ANSWER_COST);
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

/* A malformed request, or what is none. over: no more of its call is to
 * come. */
static void refuse(struct ntsign_registry *r,
		   const struct ntsign_dcerpc_pdu *pdu,
		   enum ntsign_winreg_fault fault, bool over)
{
	struct ntsign_dcerpc_pdu call = *pdu;

	if (!r->rules.winreg) {
		return;
	}
	report(r, pdu, fault);
	if (r->rules.emulate && r->rules.authenticated) {
		end(r, true);
		return;
	}
	call_over(r, over ? IDLE : THROWN);
	r->first = call;
	if (r->holds) {
		answer(r, &call, ntsign_winreg_status(fault));
	}
}

/* On a context that nobody has proposed. */
static void refuse_unbound(struct ntsign_registry *r,
			   const struct ntsign_dcerpc_pdu *pdu, bool over)
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
		answer(r, pdu, report.status);
	}
}

static void unreadable(struct ntsign_registry *r,
		       const struct ntsign_dcerpc_pdu *pdu, const char *why)
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

/* ---- contexts ---- */

/* An enum ntsign_dcerpc_use, or NOT_PROPOSED. */
static uint8_t context_use(const struct ntsign_registry *r, uint16_t id)
{
	const uint8_t *page = r->contexts[id / PAGE_LEN];

	return page != NULL ? page[id % PAGE_LEN] : NOT_PROPOSED;
}

/* What has once been proposed as winreg's stays so: the server may have
 * refused what was proposed later. The uses are in that order. */
static bool context_note(void *private_data, uint16_t id,
			 enum ntsign_dcerpc_use use)
{
	struct ntsign_registry *r = private_data;
	uint8_t **page = &r->contexts[id / PAGE_LEN];

	if (*page == NULL) {
		if (!keep(r, PAGE_LEN)) {
			return too_much(r);
		}
		*page = talloc_zero_array(r, uint8_t, PAGE_LEN);
		if (*page == NULL) {
			return no_memory(r);
		}
	}
	if ((*page)[id % PAGE_LEN] < (uint8_t)use) {
		(*page)[id % PAGE_LEN] = (uint8_t)use;
	}
	return true;
}

static struct auth *auth_find(const struct ntsign_registry *r, uint32_t id)
{
	size_t i;

	for (i = 0; i < r->auths_count; i++) {
		if (r->auths[i].id == id) {
			return &r->auths[i];
		}
	}
	return NULL;
}

/* NTLMSSP tokens stand in SPNEGO's as they are. NULL: there is none. */
static const uint8_t *find_ntlmssp(const uint8_t *token, size_t len)
{
	static const char mark[] = "NTLMSSP";
	size_t pos;

	for (pos = 0; pos + sizeof(mark) <= len; pos++) {
		if (memcmp(token + pos, mark, sizeof(mark)) == 0) {
			return token + pos;
		}
	}
	return NULL;
}

static void auth_token(struct ntsign_registry *r, struct auth *auth,
		       const uint8_t *token, size_t len)
{
	struct ntsign_ntlmssp *message = NULL;
	const uint8_t *p = find_ntlmssp(token, len);

	if (p == NULL) {
		return;
	}
	auth->ntlmssp = true;
	message = ntsign_ntlmssp_parse(r, p, len - (size_t)(p - token), 0);
	if (message != NULL && message->type == NTSIGN_NTLMSSP_AUTHENTICATE &&
	    message->flags != 0) {
		auth->key_bits = ntsign_ntlmssp_key_bits(message->flags);
	}
	TALLOC_FREE(message);
}

static bool auth_note(struct ntsign_registry *r,
		      const struct ntsign_dcerpc_auth *said)
{
	struct auth *auth = NULL;

	if (!said->present) {
		return true;
	}
	auth = auth_find(r, said->context);
	if (auth == NULL && r->auths_count < AUTHS_MAX) {
		if (!keep(r, sizeof(*auth))) {
			return too_much(r);
		}
		auth = talloc_realloc(r, r->auths, struct auth,
				      r->auths_count + 1);
		if (auth == NULL) {
			return no_memory(r);
		}
		r->auths = auth;
		auth += r->auths_count;
		r->auths_count++;
		*auth = (struct auth) {
			.id = said->context,
			.type = said->type,
			.level = said->level,
		};
	}
	if (auth != NULL) {
		auth_token(r, auth, said->token, said->token_len);
	}
	return true;
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
	auth = auth_find(r, pdu->auth.context);
	if (auth == NULL || !auth->ntlmssp ||
	    (auth->key_bits != 0 && auth->key_bits < 128)) {
		return false;
	}
	report.key_bits = auth->key_bits;
	r->ops->report(r->private_data, &report);
	call_over(r, ENDED);
	drop(r, &r->pdu);
	r->ends = true;
	answer(r, pdu, NTSIGN_DCERPC_FAULT_SEC_PKG_ERROR);
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
	auth = auth_find(r, pdu->auth.context);
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
		unreadable(r, pdu, "it is too long");
		call_over(r, last ? IDLE : PASSED);
		return;
	}
	if (r->held_len > NTSIGN_REGISTRY_MAX) {
		refuse(r, pdu, NTSIGN_WINREG_BAD_PDU, last);
		return;
	}
	if ((r->holds && !append(r, &r->held, data, len)) ||
	    !append(r, &r->stub, pdu->body, pdu->body_len) || !last) {
		return;
	}
	fault = judge(r);
	if (fault != NTSIGN_WINREG_GOOD) {
		refuse(r, &r->first, fault, true);
		return;
	}
	pass_on(r, r->held.data, r->held.len, true);
	call_over(r, IDLE);
}

/* The first fragment of a request. */
static void request_begin(struct ntsign_registry *r,
			  const struct ntsign_dcerpc_pdu *pdu,
			  const uint8_t *data, size_t len)
{
	uint8_t use = context_use(r, pdu->context);
	bool last = (pdu->flags & NTSIGN_DCERPC_LAST) != 0;

	if (r->state == HELD || r->state == PASSED) {
		refuse(r, pdu, NTSIGN_WINREG_BAD_PDU, last);
		return;
	}
	r->first = *pdu;
	r->first.body = NULL;
	r->first.auth.token = NULL;
	if (r->rules.winreg && use == NOT_PROPOSED) {
		refuse_unbound(r, pdu, last);
		return;
	}
	if (r->rules.winreg && use != NTSIGN_DCERPC_OTHER) {
		if (!trailer_agreed(r, pdu)) {
			refuse(r, pdu, NTSIGN_WINREG_BAD_PDU, last);
			return;
		}
		if (use == NTSIGN_DCERPC_WINREG_UNREADABLE) {
			unreadable(r, pdu, "its transfer syntax is not NDR");
		} else if (is_sealed(pdu)) {
			unreadable(r, pdu, "it is sealed");
		} else {
			r->state = HELD;
			hold(r, pdu, data, len);
			return;
		}
	}
	r->state = last ? IDLE : PASSED;
	pass_on(r, data, len, last);
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
		refuse(r, pdu, NTSIGN_WINREG_BAD_PDU, last);
		return;
	}
	if (r->state == HELD) {
		hold(r, pdu, data, len);
		return;
	}
	r->state = last ? IDLE : PASSED;
	pass_on(r, data, len, last);
}

/* ---- other PDUs ---- */

static void bind(struct ntsign_registry *r,
		 const struct ntsign_dcerpc_pdu *pdu, const uint8_t *data,
		 size_t len)
{
	bool auth3 = pdu->type == NTSIGN_DCERPC_AUTH3;

	if (r->state == HELD || r->state == PASSED ||
	    (!auth3 && !ntsign_dcerpc_contexts(pdu, context_note, r))) {
		if (r->state != ENDED) {
			refuse(r, pdu, NTSIGN_WINREG_BAD_PDU, true);
		}
		return;
	}
	if (auth_note(r, &pdu->auth)) {
		r->state = IDLE;
		pass_on(r, data, len, !auth3);
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
		call_over(r, IDLE);
	}
	if (on) {
		pass_on(r, data, len, false);
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
		refuse(r, &pdu, NTSIGN_WINREG_BAD_PDU, true);
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
			pass_on(r, data, len, false);
			break;
		case NTSIGN_DCERPC_ORPHANED:
			orphaned(r, &pdu, data, len);
			break;
		default:
			refuse(r, &pdu, NTSIGN_WINREG_BAD_PDU, true);
			break;
		}
	}
	if (r->acts && !r->holds && r->state != ENDED) {
		forward(r, data, len, wants_answer(&pdu));
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
		(void)append(r, &r->pdu, data + used, len - used);
		return;
	}
	if (!append(r, &r->pdu, data, len)) {
		return;
	}
	begun = r->pdu;
	r->pdu = (struct bytes) { .data = NULL, };
	used = whole_pdus(r, begun.data, begun.len);
	(void)append(r, &r->pdu, begun.data + used, begun.len - used);
	drop(r, &begun);
}
