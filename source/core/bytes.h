/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Little-endian numbers, as every message here has them.
 *
 * Invariant: the caller has compared the length before.
 */
#ifndef NTSIGN_CORE_BYTES_H
#define NTSIGN_CORE_BYTES_H

#include <stdint.h>

static inline uint16_t pull16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t pull32(const uint8_t *p)
{
	return (uint32_t)pull16(p) | (uint32_t)pull16(p + 2) << 16;
}

static inline void push16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value & 0xFF);
	p[1] = (uint8_t)(value >> 8);
}

#endif
