/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Client-chosen text made fit for a record.
 *
 * Invariant: whatever goes in, what comes out is valid UTF-8 without NUL
 * bytes and at most NTSIGN_TEXT_MAX characters long.
 */
#ifndef NTSIGN_TEXT_H
#define NTSIGN_TEXT_H

#include <stdint.h>
#include <talloc.h>

/* Unicode characters, not bytes. */
#define NTSIGN_TEXT_MAX 256

/*
 * UTF-16LE, len bytes (an odd last byte is ignored); ends at a NUL
 * character. Unpaired surrogates become U+FFFD.
 * Returns a talloc child of mem_ctx, NULL when memory runs out.
 */
char *ntsign_text_utf16(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len);

/*
 * Text of unknown 8 bit encoding, len bytes; ends at a NUL. Valid UTF-8
 * stays; every other byte becomes U+FFFD.
 */
char *ntsign_text_bytes(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len);

/* The same for a C string; NULL gives "". */
char *ntsign_text_string(TALLOC_CTX *mem_ctx, const char *string);

#endif
