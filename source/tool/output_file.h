/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that a command writes.
 *
 * Invariant: whoever reads the file sees what was there before or all of what
 * is there now, and nothing in between.
 */
#ifndef NTSIGN_OUTPUT_FILE_H
#define NTSIGN_OUTPUT_FILE_H

#include <stdbool.h>
#include <stdio.h>
#include <talloc.h>

struct ntsign_output_file {
	FILE *f;
	const char *name;	/* as the user gave it */
	char *path;		/* what is to be replaced, links followed */
	char *temporary;	/* NULL: f is the file itself */
};

/*
 * Opens a file to be written, standard output for NULL and "-". A regular
 * file, or none, is replaced when it is whole; anything else, and a file in a
 * directory where none can be made, is written as it is. NULL, and it has been
 * said why, where it cannot be opened. A talloc child of mem_ctx; without
 * ntsign_output_file_finish() nothing is replaced.
 */
struct ntsign_output_file *ntsign_output_file_open(TALLOC_CTX *mem_ctx,
						   const char *name);

/* Puts the file in its place, and frees it. Says so and returns false where
 * that fails, or what was written has not arrived. */
bool ntsign_output_file_finish(struct ntsign_output_file *file);

#endif
