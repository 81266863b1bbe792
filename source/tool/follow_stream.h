/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One file, read as it grows.
 *
 * Invariant: each byte is handed on once, in order, also when the file is
 * copied and cut to nothing in between.
 */
#ifndef NTSIGN_FOLLOW_STREAM_H
#define NTSIGN_FOLLOW_STREAM_H

#include <sys/stat.h>
#include <time.h>

#include "reader.h"

struct ntsign_stream;

/*
 * Opens a file, or standard input for "-". What line() gets is gone after.
 * NULL with errno set when it cannot be had. The file is closed with the
 * stream, by TALLOC_FREE().
 */
struct ntsign_stream *ntsign_stream_open(
	TALLOC_CTX *mem_ctx, const char *path,
	void (*line)(const struct ntsign_line *line, void *private_data),
	void *private_data);

int ntsign_stream_fd(const struct ntsign_stream *stream);
/* Whether it is a file, and not a pipe or a terminal. */
bool ntsign_stream_regular(const struct ntsign_stream *stream);
bool ntsign_stream_is(const struct ntsign_stream *stream,
		      const struct stat *st);
/* Whether the file has no name any more. */
bool ntsign_stream_unlinked(const struct ntsign_stream *stream);
/* When bytes came last. */
time_t ntsign_stream_active(const struct ntsign_stream *stream);

/* Goes to the end of the file; a line that is being written is left out. */
bool ntsign_stream_seek_end(struct ntsign_stream *stream);

/*
 * Reads a part of what there is: *more says whether there may be more, which
 * is false at a file's end. False when reading fails, which was said.
 */
bool ntsign_stream_read(struct ntsign_stream *stream, bool *more);
/* Nothing more will come: hands on a last line without newline, if any. */
void ntsign_stream_finish(struct ntsign_stream *stream);

#endif
