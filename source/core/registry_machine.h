/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine behind the tap on a named pipe, for its own files only: its
 * state, and what they do for each other.
 *
 * Invariant: the states and what each event makes of them are registry.c's.
 */
#ifndef NTSIGN_REGISTRY_MACHINE_H
#define NTSIGN_REGISTRY_MACHINE_H

#include "ntsign/dcerpc.h"
#include "ntsign/registry.h"

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

/* ---- registry_keep.c ---- */

/* Counts so many bytes as kept; false when that would be too many. */
bool ntsign_registry_keep(struct ntsign_registry *r, size_t n);
void ntsign_registry_release(struct ntsign_registry *r, size_t n);
/* Adds to bytes that grow. False: the pipe has ended. */
bool ntsign_registry_append(struct ntsign_registry *r, struct bytes *bytes,
			    const uint8_t *data, size_t len);
void ntsign_registry_drop(struct ntsign_registry *r, struct bytes *bytes);
/* The call under way is over; the machine is in that state. */
void ntsign_registry_call_over(struct ntsign_registry *r, enum state next);
/* The pipe ends; broken: without the answers that are due. */
void ntsign_registry_end(struct ntsign_registry *r, bool broken);
/* The pipe ends for want of memory, or because its client has had too much
 * kept, which is told of. Both return false. */
bool ntsign_registry_no_memory(struct ntsign_registry *r);
bool ntsign_registry_too_much(struct ntsign_registry *r);

/* ---- registry_answer.c ---- */

/* Bytes go to the server. wants_answer: they end what it answers. */
void ntsign_registry_forward(struct ntsign_registry *r, const uint8_t *data,
			     size_t len, bool wants_answer);
/* The same in a machine that holds, nothing in others. */
void ntsign_registry_pass_on(struct ntsign_registry *r, const uint8_t *data,
			     size_t len, bool wants_answer);
/* Answers with a fault, once the server has answered what came before. */
void ntsign_registry_answer(struct ntsign_registry *r,
			    const struct ntsign_dcerpc_pdu *pdu,
			    uint32_t status);
/* A malformed request, or what is none. over: no more of its call is to
 * come. */
void ntsign_registry_refuse(struct ntsign_registry *r,
			    const struct ntsign_dcerpc_pdu *pdu,
			    enum ntsign_winreg_fault fault, bool over);
/* One on a context that nobody has proposed. */
void ntsign_registry_refuse_unbound(struct ntsign_registry *r,
				    const struct ntsign_dcerpc_pdu *pdu,
				    bool over);
/* One that cannot be judged: tells of it, once. */
void ntsign_registry_unreadable(struct ntsign_registry *r,
				const struct ntsign_dcerpc_pdu *pdu,
				const char *why);

/* ---- registry_context.c ---- */

/* An enum ntsign_dcerpc_use, or NOT_PROPOSED. */
uint8_t ntsign_registry_context_use(const struct ntsign_registry *r,
				    uint16_t id);
/* private_data: the machine. False: the pipe has ended. */
bool ntsign_registry_context_note(void *private_data, uint16_t id,
				  enum ntsign_dcerpc_use use);
struct auth *ntsign_registry_auth_find(const struct ntsign_registry *r,
				       uint32_t id);
/* What a bind or auth3 says of a security context. False: as above. */
bool ntsign_registry_auth_note(struct ntsign_registry *r,
			       const struct ntsign_dcerpc_auth *said);

#endif
