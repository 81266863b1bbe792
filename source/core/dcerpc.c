/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DCE/RPC PDUs: [C706] 12.6, [MS-RPCE] 2.2.2.
 *
 * Invariant: every offset is compared with the length before it is used.
 */
#include "ntsign/dcerpc.h"

#include <string.h>

#include "ndr.h"

/* [C706] 12.6.3.1: where the common header has what */
#define MINOR_OFFSET 1
#define TYPE_OFFSET 2
#define FLAGS_OFFSET 3
#define DREP_OFFSET 4
#define FRAG_LENGTH_OFFSET 8
#define AUTH_LENGTH_OFFSET 10
#define CALL_ID_OFFSET 12

#define REQUEST_HEADER_LEN 24
#define OBJECT_LEN 16
#define TRAILER_LEN 8

/* [C706] 12.6.4.3: in front of a bind's list of contexts */
#define BIND_HEAD_LEN 12
#define BIND_COUNT_OFFSET 8
#define CONTEXT_HEAD_LEN 4
#define SYNTAX_LEN 20
#define UUID_LEN 16

static bool is_big_endian(const uint8_t *data)
{
	return (data[DREP_OFFSET] & 0xF0) == 0;
}

/* ASCII and IEEE, integers in either order: [C706] 14.1. What is reserved
 * is not looked at, as it is not by Samba. */
static bool header_good(const uint8_t *data)
{
	return data[0] == 5 && data[MINOR_OFFSET] <= 1 &&
	       (data[DREP_OFFSET] == 0x10 || data[DREP_OFFSET] == 0x00) &&
	       data[DREP_OFFSET + 1] == 0;
}

enum ntsign_dcerpc_next ntsign_dcerpc_next(const uint8_t *data, size_t len,
					   size_t *pdu_len)
{
	size_t frag_length = 0;

	if (len < NTSIGN_DCERPC_HEADER_LEN) {
		return NTSIGN_DCERPC_MORE;
	}
	if (!header_good(data)) {
		return NTSIGN_DCERPC_NONE;
	}
	frag_length = order16(data + FRAG_LENGTH_OFFSET, is_big_endian(data));
	if (frag_length < NTSIGN_DCERPC_HEADER_LEN) {
		return NTSIGN_DCERPC_NONE;
	}
	*pdu_len = frag_length;
	return NTSIGN_DCERPC_PDU;
}

/* Cuts the trailer off: [MS-RPCE] 2.2.2.11. header_len: what of the PDU is
 * neither body nor trailer. */
static bool trailer_parse(const uint8_t *data, size_t len, size_t header_len,
			  struct ntsign_dcerpc_pdu *pdu)
{
	size_t auth_length = order16(data + AUTH_LENGTH_OFFSET,
				     pdu->big_endian);
	const uint8_t *trailer = NULL;
	size_t left = len - header_len;
	size_t pad = 0;

	pdu->body = data + header_len;
	pdu->body_len = left;
	if (auth_length == 0) {
		return true;
	}
	if (left < TRAILER_LEN + auth_length) {
		return false;
	}
	left -= TRAILER_LEN + auth_length;
	trailer = pdu->body + left;
	pad = trailer[2];
	if (pad > left) {
		return false;
	}
	pdu->body_len = left - pad;
	pdu->auth = (struct ntsign_dcerpc_auth) {
		.present = true,
		.type = trailer[0],
		.level = trailer[1],
		.context = order32(trailer + 4, pdu->big_endian),
		.token = trailer + TRAILER_LEN,
		.token_len = auth_length,
	};
	return true;
}

bool ntsign_dcerpc_parse(const uint8_t *data, size_t len,
			 struct ntsign_dcerpc_pdu *pdu)
{
	size_t header_len = NTSIGN_DCERPC_HEADER_LEN;
	size_t pdu_len = 0;

	*pdu = (struct ntsign_dcerpc_pdu) { .type = 0xFF, };
	if (len < NTSIGN_DCERPC_HEADER_LEN) {
		return false;
	}
	pdu->type = data[TYPE_OFFSET];
	pdu->flags = data[FLAGS_OFFSET];
	pdu->big_endian = is_big_endian(data);
	pdu->call_id = order32(data + CALL_ID_OFFSET, pdu->big_endian);
	if (ntsign_dcerpc_next(data, len, &pdu_len) != NTSIGN_DCERPC_PDU ||
	    pdu_len != len) {
		return false;
	}
	if (pdu->type == NTSIGN_DCERPC_REQUEST) {
		if (len < REQUEST_HEADER_LEN) {
			return false;
		}
		pdu->context = order16(data + 20, pdu->big_endian);
		pdu->opnum = order16(data + 22, pdu->big_endian);
		header_len = REQUEST_HEADER_LEN;
		if (pdu->flags & NTSIGN_DCERPC_OBJECT) {
			header_len += OBJECT_LEN;
		}
		if (len < header_len) {
			return false;
		}
	}
	return trailer_parse(data, len, header_len, pdu);
}

/* An interface or transfer syntax by its UUID: bytes as in text. */
static bool syntax_is(const uint8_t *syntax, bool big_endian,
		      const uint8_t uuid[UUID_LEN])
{
	return order32(syntax, big_endian) == order32(uuid, true) &&
	       order16(syntax + 4, big_endian) == order16(uuid + 4, true) &&
	       order16(syntax + 6, big_endian) == order16(uuid + 6, true) &&
	       memcmp(syntax + 8, uuid + 8, 8) == 0;
}

/* [MS-RRP] 1.9 */
static const uint8_t winreg[UUID_LEN] = {
	0x33, 0x8C, 0xD0, 0x01, 0x22, 0x44, 0x31, 0xF1,
	0xAA, 0xAA, 0x90, 0x00, 0x38, 0x00, 0x10, 0x03,
};
/* [C706] appendix I */
static const uint8_t ndr[UUID_LEN] = {
	0x8A, 0x88, 0x5D, 0x04, 0x1C, 0xEB, 0x11, 0xC9,
	0x9F, 0xE8, 0x08, 0x00, 0x2B, 0x10, 0x48, 0x60,
};

static enum ntsign_dcerpc_use context_use(const uint8_t *context,
					  size_t transfers, bool big_endian)
{
	const uint8_t *syntax = context + CONTEXT_HEAD_LEN;
	size_t i;

	if (!syntax_is(syntax, big_endian, winreg)) {
		return NTSIGN_DCERPC_OTHER;
	}
	for (i = 0; i < transfers; i++) {
		syntax += SYNTAX_LEN;
		if (syntax_is(syntax, big_endian, ndr)) {
			return NTSIGN_DCERPC_WINREG;
		}
	}
	return NTSIGN_DCERPC_WINREG_UNREADABLE;
}

bool ntsign_dcerpc_contexts(const struct ntsign_dcerpc_pdu *pdu,
			    bool (*fn)(void *private_data, uint16_t context,
				       enum ntsign_dcerpc_use use),
			    void *private_data)
{
	const uint8_t *p = pdu->body;
	size_t left = pdu->body_len;
	unsigned int count;
	unsigned int i;

	if (left < BIND_HEAD_LEN) {
		return false;
	}
	count = p[BIND_COUNT_OFFSET];
	p += BIND_HEAD_LEN;
	left -= BIND_HEAD_LEN;
	for (i = 0; i < count; i++) {
		size_t transfers = 0;
		size_t need = 0;

		if (left < CONTEXT_HEAD_LEN) {
			return false;
		}
		transfers = p[2];
		need = CONTEXT_HEAD_LEN + (1 + transfers) * SYNTAX_LEN;
		if (left < need ||
		    !fn(private_data, order16(p, pdu->big_endian),
			context_use(p, transfers, pdu->big_endian))) {
			return false;
		}
		p += need;
		left -= need;
	}
	return true;
}

void ntsign_dcerpc_fault(const struct ntsign_dcerpc_pdu *pdu, uint32_t status,
			 uint8_t fault[NTSIGN_DCERPC_FAULT_LEN])
{
	memset(fault, 0, NTSIGN_DCERPC_FAULT_LEN);
	fault[0] = 5;
	fault[TYPE_OFFSET] = NTSIGN_DCERPC_FAULT;
	fault[FLAGS_OFFSET] = NTSIGN_DCERPC_FIRST | NTSIGN_DCERPC_LAST |
		NTSIGN_DCERPC_DID_NOT_EXECUTE;
	fault[DREP_OFFSET] = 0x10;
	push16(fault + FRAG_LENGTH_OFFSET, NTSIGN_DCERPC_FAULT_LEN);
	push32(fault + CALL_ID_OFFSET, pdu->call_id);
	push16(fault + 20, pdu->context);
	push32(fault + 24, status);
}
