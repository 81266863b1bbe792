/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that is read in chunks of whole lines, unpacked where it is packed.
 *
 * Invariant: every byte of the file is in one chunk, but for those of lines
 * that are too long; and a file that is not what it was when it was opened
 * (longer, shorter, renamed) is read as far as it goes, and never fatal.
 */
#ifndef NTSIGN_INPUT_H
#define NTSIGN_INPUT_H

#include "reader.h"
#include "unpack.h"

/* Most bytes of a chunk: of this size buffers are read best. */
#define NTSIGN_CHUNK_MAX (256 * 1024)

/* Lines, each with its newline but for the last one of a file. */
struct ntsign_chunk {
	size_t len;
	uint64_t number;	/* of the first line, from 1 */
	/* the first line is the end of one that was too long */
	bool begins_too_long;
	bool last;		/* of its file */
	char text[NTSIGN_CHUNK_MAX + NTSIGN_JSON_PADDING];
};

struct ntsign_input;

/*
 * Opens a file; "-" is standard input. path stays while the input does. A
 * talloc child of mem_ctx; NULL with errno when it cannot be opened, is a
 * directory, or without memory.
 */
struct ntsign_input *ntsign_input_open(TALLOC_CTX *mem_ctx, const char *path);
/* Reads the next chunk. False when there are no more: it is empty then. */
bool ntsign_input_read(struct ntsign_input *input, struct ntsign_chunk *chunk);
/* Whether the file was read to its end, as far as it has been read. */
bool ntsign_input_is_whole(const struct ntsign_input *input);
/* What is wrong with it and where, for a person; a talloc child of mem_ctx.
 * NULL for nothing, and without memory. */
char *ntsign_input_problem(TALLOC_CTX *mem_ctx,
			   const struct ntsign_input *input);
/* Bytes that were read of it, as it stands on the disk. */
uint64_t ntsign_input_bytes(const struct ntsign_input *input);

#endif
