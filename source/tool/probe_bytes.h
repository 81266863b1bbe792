/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes of messages that `ntsign probe` puts together and takes apart.
 *
 * The probe's wire code is its own and shares nothing with the module's, so
 * that a mistake in one does not hide in the other.
 *
 * Invariant: an error is sticky, so that a message is whole or has failed.
 */
#ifndef NTSIGN_PROBE_BYTES_H
#define NTSIGN_PROBE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* More than any message of the probe's has. */
#define NTSIGN_BYTES_MAX 65536

/* Starts as { .mem_ctx = CTX }; data is a talloc child of that. */
struct ntsign_bytes {
	TALLOC_CTX *mem_ctx;
	uint8_t *data;
	size_t len;
	size_t room;
	bool failed;	/* no memory, no UTF-8, or over NTSIGN_BYTES_MAX */
};

/* Adds len bytes. */
void ntsign_bytes_put(struct ntsign_bytes *bytes, const void *data,
		      size_t len);
void ntsign_bytes_zero(struct ntsign_bytes *bytes, size_t len);
/* Add a number, little-endian. */
void ntsign_bytes_put8(struct ntsign_bytes *bytes, uint8_t value);
void ntsign_bytes_put16(struct ntsign_bytes *bytes, uint16_t value);
void ntsign_bytes_put32(struct ntsign_bytes *bytes, uint32_t value);
void ntsign_bytes_put64(struct ntsign_bytes *bytes, uint64_t value);
/* Adds UTF-8 text as UTF-16LE, without an end. */
void ntsign_bytes_put_text(struct ntsign_bytes *bytes, const char *text);
/* Overwrite what is there already. */
void ntsign_bytes_set16(struct ntsign_bytes *bytes, size_t at,
			uint16_t value);
void ntsign_bytes_set32(struct ntsign_bytes *bytes, size_t at,
			uint32_t value);

/*
 * Reads one character of UTF-8; returns its length in bytes, 0 where there is
 * none (overlong forms and surrogates are none).
 */
size_t ntsign_bytes_character(const char *text, uint32_t *character);

/* Whether a C string is UTF-8. */
bool ntsign_bytes_is_text(const char *text);

/*
 * UTF-16LE up to a NUL character or len bytes as UTF-8; an unpaired surrogate
 * becomes U+FFFD. *used, unless NULL: the bytes read, the NUL included.
 * A talloc child of mem_ctx; NULL when memory runs out.
 */
char *ntsign_bytes_text(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len,
			size_t *used);

/* Numbers, little-endian; the caller has compared the length before. */
static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) | (uint32_t)get16(p + 2) << 16;
}

static inline uint64_t get64(const uint8_t *p)
{
	return (uint64_t)get32(p) | (uint64_t)get32(p + 4) << 32;
}

#endif
