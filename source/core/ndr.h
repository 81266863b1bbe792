/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers in the byte order that a DCE/RPC PDU says it has: [C706] 14.1.
 *
 * Invariant: the caller has compared the length before.
 */
#ifndef NTSIGN_CORE_NDR_H
#define NTSIGN_CORE_NDR_H

#include <stdbool.h>

#include "bytes.h"

static inline uint16_t order16(const uint8_t *p, bool big_endian)
{
	return big_endian ? (uint16_t)(p[0] << 8 | p[1]) : pull16(p);
}

static inline uint32_t order32(const uint8_t *p, bool big_endian)
{
	return big_endian ? (uint32_t)order16(p, true) << 16 |
			    order16(p + 2, true) : pull32(p);
}

static inline void push32(uint8_t *p, uint32_t value)
{
	push16(p, (uint16_t)(value & 0xFFFF));
	push16(p + 2, (uint16_t)(value >> 16));
}

#endif
