/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connection-oriented DCE/RPC PDUs, as far as a tap on a named pipe needs
 * them: [C706] 12.6, [MS-RPCE] 2.2.2.
 *
 * Invariant: no parser reads outside the bytes it was given; a PDU that does
 * not hold together is reported as such.
 */
#ifndef NTSIGN_DCERPC_H
#define NTSIGN_DCERPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NTSIGN_DCERPC_HEADER_LEN 16
#define NTSIGN_DCERPC_FAULT_LEN 32

/* [C706] 12.6.4, [MS-RPCE] 2.2.2.10 */
enum ntsign_dcerpc_type {
	NTSIGN_DCERPC_REQUEST = 0,
	NTSIGN_DCERPC_RESPONSE = 2,
	NTSIGN_DCERPC_FAULT = 3,
	NTSIGN_DCERPC_BIND = 11,
	NTSIGN_DCERPC_BIND_ACK = 12,
	NTSIGN_DCERPC_BIND_NAK = 13,
	NTSIGN_DCERPC_ALTER_CONTEXT = 14,
	NTSIGN_DCERPC_ALTER_CONTEXT_RESP = 15,
	NTSIGN_DCERPC_AUTH3 = 16,
	NTSIGN_DCERPC_CO_CANCEL = 18,
	NTSIGN_DCERPC_ORPHANED = 19,
};

#define NTSIGN_DCERPC_FIRST 0x01
#define NTSIGN_DCERPC_LAST 0x02
#define NTSIGN_DCERPC_DID_NOT_EXECUTE 0x20
#define NTSIGN_DCERPC_OBJECT 0x80

/* [MS-RPCE] 2.2.1.1.7 and 2.2.1.1.8 */
#define NTSIGN_DCERPC_AUTH_SPNEGO 9
#define NTSIGN_DCERPC_AUTH_NTLMSSP 10
#define NTSIGN_DCERPC_LEVEL_PRIVACY 6

/* Fault statuses: [C706] appendix N, [MS-ERREF] 2.2 */
#define NTSIGN_DCERPC_FAULT_SEC_PKG_ERROR 0x00000721
#define NTSIGN_DCERPC_FAULT_NDR 0x000006F7
#define NTSIGN_DCERPC_FAULT_OP_RNG 0x1C010002
#define NTSIGN_DCERPC_FAULT_UNK_IF 0x1C010003
#define NTSIGN_DCERPC_FAULT_PROTO 0x1C01000B

/* The security trailer, [MS-RPCE] 2.2.2.11. */
struct ntsign_dcerpc_auth {
	bool present;
	uint8_t type;
	uint8_t level;
	uint32_t context;
	const uint8_t *token;	/* inside the PDU */
	size_t token_len;
};

struct ntsign_dcerpc_pdu {
	uint8_t type;		/* enum ntsign_dcerpc_type, or another */
	uint8_t flags;
	bool big_endian;
	uint32_t call_id;
	struct ntsign_dcerpc_auth auth;
	/* between the header and the trailer; inside the PDU, without what
	 * pads it for the trailer. A request's stub, or a part of it. */
	const uint8_t *body;
	size_t body_len;
	/* a request's */
	uint16_t context;
	uint16_t opnum;
};

enum ntsign_dcerpc_next {
	NTSIGN_DCERPC_MORE,	/* too few bytes to tell */
	NTSIGN_DCERPC_PDU,	/* a PDU of *len bytes begins here */
	NTSIGN_DCERPC_NONE,	/* no PDU begins here */
};

/* Tells what the next bytes of a stream are. *pdu_len: at most 65535. */
enum ntsign_dcerpc_next ntsign_dcerpc_next(const uint8_t *data, size_t len,
					   size_t *pdu_len);

/*
 * Takes one whole PDU apart. False when it does not hold together; then
 * what of the header is known, call id and context, stands in *pdu.
 */
bool ntsign_dcerpc_parse(const uint8_t *data, size_t len,
			 struct ntsign_dcerpc_pdu *pdu);

/* What a presentation context of a bind or alter_context is for. */
enum ntsign_dcerpc_use {
	NTSIGN_DCERPC_OTHER = 1,
	/* the remote registry, in a transfer syntax other than NDR */
	NTSIGN_DCERPC_WINREG_UNREADABLE,
	NTSIGN_DCERPC_WINREG,
};

/*
 * Calls fn for each context that a bind or alter_context proposes. Which
 * version of winreg is asked for plays no part: a server has one.
 * Returns false when the list does not hold together, or fn returns false.
 */
bool ntsign_dcerpc_contexts(const struct ntsign_dcerpc_pdu *pdu,
			    bool (*fn)(void *private_data, uint16_t context,
				       enum ntsign_dcerpc_use use),
			    void *private_data);

/*
 * Builds the fault that a request is answered with: [C706] 12.6.4.7. It says
 * that the request has not been executed, and has no security trailer, which
 * is how Samba and Windows send faults on authenticated connections too.
 */
void ntsign_dcerpc_fault(const struct ntsign_dcerpc_pdu *pdu, uint32_t status,
			 uint8_t fault[NTSIGN_DCERPC_FAULT_LEN]);

#endif
