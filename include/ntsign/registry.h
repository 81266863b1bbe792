/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One client's named pipe as the quirks Q264684 (remote registry) and Q322051
 * (key strength) see it: bytes in, what is to be done with them out.
 *
 * Invariant: what is held back is bounded, and is passed on byte for byte or
 * not at all. Where nothing is to be changed nothing is held back.
 */
#ifndef NTSIGN_REGISTRY_H
#define NTSIGN_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "ntsign/winreg.h"

/* Bytes of a request's fragments, headers and all: Windows takes values of
 * 1 MiB, and there is room for the headers of ordinary fragments. */
#define NTSIGN_REGISTRY_MAX (1280 * 1024)
/* What all machines of a process together keep for its client. */
#define NTSIGN_REGISTRY_KEPT_MAX (8 * 1024 * 1024)
/* The machine's own answers that a client may leave unread. No client of the
 * registry has more than a few calls under way. */
#define NTSIGN_REGISTRY_UNREAD_MAX 64
/* Malformed requests of a pipe that are reported one by one. */
#define NTSIGN_REGISTRY_REPORTS_MAX 16

/* What is to be done on this pipe. */
struct ntsign_registry_rules {
	bool winreg;		/* it is the registry's: requests are judged */
	bool fix;		/* malformed ones are answered with a fault */
	/* they take the registry down; of an anonymous client they are
	 * answered with a fault */
	bool emulate;
	bool authenticated;
	/* Q322051: a sealed request over a 128 bit NTLMSSP cannot be read */
	bool mismatched;
};

enum ntsign_registry_event {
	NTSIGN_REGISTRY_MALFORMED,	/* a request of the client's */
	/* as many more that were not reported; once, from
	 * ntsign_registry_close() */
	NTSIGN_REGISTRY_MORE,
	NTSIGN_REGISTRY_UNREADABLE,	/* passed on unseen; once a pipe */
	/* too many answers: the pipe is about to end, broken */
	NTSIGN_REGISTRY_UNREAD,
	NTSIGN_REGISTRY_UNDECRYPTABLE,	/* Q322051's fault is sent */
};

/* What happened, for a record. */
struct ntsign_registry_report {
	enum ntsign_registry_event event;
	bool has_opnum;
	uint16_t opnum;
	const char *reason;	/* static text */
	bool answered;		/* with a fault of this status */
	uint32_t status;
	bool down;		/* it takes the registry down */
	uint8_t auth_type;	/* 0: none */
	unsigned int key_bits;	/* of a sealed request; 0: not known */
	uint64_t count;		/* of more; 0: it is one */
};

/*
 * The machine's hands. None may free the machine, or feed it.
 */
struct ntsign_registry_ops {
	/* These bytes, whole PDUs, go to the server. */
	void (*forward)(void *private_data, const uint8_t *data, size_t len);
	/* These, one message, go to the client, behind what it has got. */
	void (*answer)(void *private_data, const uint8_t *data, size_t len);
	void (*report)(void *private_data,
		       const struct ntsign_registry_report *report);
	/* Nothing more comes or goes once all answers are delivered; broken:
	 * at once. */
	void (*end)(void *private_data, bool broken);
	/* A second opinion on a request that the machine finds good: false
	 * when it does not decode. NULL: there is none. */
	bool (*decodes)(void *private_data, uint16_t opnum, bool big_endian,
			const uint8_t *stub, size_t len);
};

struct ntsign_registry;

/* A talloc child of mem_ctx; NULL when memory runs out. ops has to stay. */
struct ntsign_registry *ntsign_registry_new(
	TALLOC_CTX *mem_ctx, const struct ntsign_registry_rules *rules,
	const struct ntsign_registry_ops *ops, void *private_data);

/* Whether the machine decides what goes to the server. If not, forward,
 * answer and end are never called. */
bool ntsign_registry_acts(const struct ntsign_registry *registry);

/* Whether the pipe has ended. */
bool ntsign_registry_ended(const struct ntsign_registry *registry);

/* One write of the client's. */
void ntsign_registry_request(struct ntsign_registry *registry,
			     const uint8_t *data, size_t len);

/* Bytes from the server, handed on to the client already. Needed of a
 * machine that acts only: it answers in the order of the requests. */
void ntsign_registry_response(struct ntsign_registry *registry,
			      const uint8_t *data, size_t len);

/* The client has read one of the machine's own answers: to be called once for
 * each, or the pipe ends after NTSIGN_REGISTRY_UNREAD_MAX of them. */
void ntsign_registry_read(struct ntsign_registry *registry);

/* The server takes no more from this pipe: a machine that only observes ends,
 * and keeps nothing. */
void ntsign_registry_stop(struct ntsign_registry *registry);

/* The pipe has been closed: reports what has only been counted. To be called
 * once, and nothing after it. */
void ntsign_registry_close(struct ntsign_registry *registry);

#endif
