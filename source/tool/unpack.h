/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gzip, xz and zstd, told by what they begin with.
 *
 * Invariant: memory is bounded whatever the data says, and what is in front of
 * damage is handed out, as far as the format's library gives it, before the
 * damage is reported.
 */
#ifndef NTSIGN_UNPACK_H
#define NTSIGN_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* Bytes that are enough to tell. */
#define NTSIGN_UNPACK_MAGIC 6

enum ntsign_unpack_format {
	NTSIGN_UNPACK_PLAIN,
	NTSIGN_UNPACK_GZIP,
	NTSIGN_UNPACK_XZ,
	NTSIGN_UNPACK_ZSTD,
};

enum ntsign_unpack_result {
	NTSIGN_UNPACK_MORE,	/* wants more data, or more room */
	NTSIGN_UNPACK_END,	/* the data has ended where it may */
	NTSIGN_UNPACK_DAMAGED,	/* `why` says how */
};

struct ntsign_unpack;

enum ntsign_unpack_format ntsign_unpack_tell(const uint8_t *data, size_t len);
/* "gzip" ... */
const char *ntsign_unpack_name(enum ntsign_unpack_format format);

/* A talloc child of mem_ctx; NULL without memory. Not for PLAIN. */
struct ntsign_unpack *ntsign_unpack_new(TALLOC_CTX *mem_ctx,
					enum ntsign_unpack_format format);
/*
 * Takes data from *in and puts what it is into out, as far as either goes;
 * *in_len becomes what is left, *out_len what was put. last: there is no more
 * data than this. Members that follow each other are one.
 */
enum ntsign_unpack_result ntsign_unpack_run(struct ntsign_unpack *unpack,
					    const uint8_t **in, size_t *in_len,
					    bool last, char *out,
					    size_t *out_len);
/* A static text. */
const char *ntsign_unpack_why(const struct ntsign_unpack *unpack);

#endif
