/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DCE/RPC PDUs for the tests: [C706] 12.6, [MS-RPCE] 2.2.2.
 *
 * Invariant: all that these make holds together, and is little-endian.
 */
#ifndef NTSIGN_TEST_PDUS_H
#define NTSIGN_TEST_PDUS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ntsign/dcerpc.h"

#define PDU_ROOM 4096

struct pdu {
	uint8_t data[PDU_ROOM];
	size_t len;
};

/* Interfaces and transfer syntaxes, with their version. */
#define SYNTAX_WINREG "\x01\xD0\x8C\x33\x44\x22\xF1\x31\xAA\xAA\x90\x00" \
		      "\x38\x00\x10\x03\x01\x00\x00\x00"
#define SYNTAX_SRVSVC "\xC8\x4F\x32\x4B\x70\x16\xD3\x01\x12\x78\x5A\x47" \
		      "\xBF\x6E\xE1\x88\x03\x00\x00\x00"
#define SYNTAX_NDR "\x04\x5D\x88\x8A\xEB\x1C\xC9\x11\x9F\xE8\x08\x00" \
		   "\x2B\x10\x48\x60\x02\x00\x00\x00"
#define SYNTAX_NDR64 "\x33\x05\x71\x71\xBA\xBE\x37\x49\x83\x19\xB5\xDB" \
		     "\xEF\x9C\xCC\x36\x01\x00\x00\x00"

static inline void pdu_put16(uint8_t *p, unsigned int value)
{
	p[0] = (uint8_t)(value & 0xFF);
	p[1] = (uint8_t)(value >> 8 & 0xFF);
}

static inline void pdu_put32(uint8_t *p, uint32_t value)
{
	pdu_put16(p, value & 0xFFFF);
	pdu_put16(p + 2, value >> 16);
}

static inline void pdu_add(struct pdu *pdu, const void *data, size_t len)
{
	if (len != 0) {
		memcpy(pdu->data + pdu->len, data, len);
	}
	pdu->len += len;
	pdu_put16(pdu->data + 8, (unsigned int)pdu->len);
}

static inline struct pdu pdu_start(uint8_t type, uint8_t flags, uint32_t call)
{
	struct pdu pdu = { .len = 16 };

	pdu.data[0] = 5;
	pdu.data[2] = type;
	pdu.data[3] = flags;
	pdu.data[4] = 0x10;
	pdu_put16(pdu.data + 8, 16);
	pdu_put32(pdu.data + 12, call);
	return pdu;
}

static inline struct pdu pdu_request(uint8_t flags, uint32_t call,
				     uint16_t context, uint16_t opnum,
				     const void *stub, size_t len)
{
	struct pdu pdu = pdu_start(NTSIGN_DCERPC_REQUEST, flags, call);
	uint8_t head[8] = { 0 };

	pdu_put16(head + 4, context);
	pdu_put16(head + 6, opnum);
	pdu_add(&pdu, head, sizeof(head));
	pdu_add(&pdu, stub, len);
	return pdu;
}

static inline struct pdu pdu_bind(uint8_t type)
{
	struct pdu pdu = pdu_start(type, NTSIGN_DCERPC_FIRST |
				   NTSIGN_DCERPC_LAST, 1);

	pdu_add(&pdu, "\xB8\x10\xB8\x10\0\0\0\0\0\0\0\0", 12);
	return pdu;
}

/* transfer2: NULL for none */
static inline void pdu_context(struct pdu *bind, uint16_t id,
			       const char *syntax, const char *transfer,
			       const char *transfer2)
{
	uint8_t head[4] = { 0 };

	pdu_put16(head, id);
	head[2] = transfer2 != NULL ? 2 : 1;
	pdu_add(bind, head, sizeof(head));
	pdu_add(bind, syntax, 20);
	pdu_add(bind, transfer, 20);
	if (transfer2 != NULL) {
		pdu_add(bind, transfer2, 20);
	}
	bind->data[24]++;
}

/* Adds a security trailer behind so many bytes that pad. */
static inline void pdu_auth(struct pdu *pdu, uint8_t type, uint8_t level,
			    uint32_t context, const void *token, size_t len,
			    uint8_t pad)
{
	uint8_t trailer[8] = { type, level, pad, 0 };

	pdu_add(pdu, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
		     "\xFF\xFF\xFF\xFF", pad);
	pdu_put32(trailer + 4, context);
	pdu_add(pdu, trailer, sizeof(trailer));
	pdu_add(pdu, token, len);
	pdu_put16(pdu->data + 10, (unsigned int)len);
}

#endif
