/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files read into a tally, by as many threads as there are processors.
 *
 * Invariant: what the tally says does not depend on the number of threads,
 * nor on which of them read what.
 */
#ifndef NTSIGN_READING_H
#define NTSIGN_READING_H

#include "tally.h"

#define NTSIGN_READING_JOBS_MAX 64

/* A file that was read. */
struct ntsign_reading_file {
	const char *path;		/* as given */
	/* what is wrong with it, for a person; NULL: nothing. What there was
	 * in front of it is in the tally. */
	char *problem;
	bool twice;			/* it was given before, and left out */
};

struct ntsign_reading {
	/* set by the caller */
	const char *const *paths;
	size_t count;
	unsigned int jobs;		/* 0: the number of processors */
	struct ntsign_tally_range range;
	/* results */
	struct ntsign_tally *tally;	/* not sorted */
	struct ntsign_reading_file *files;	/* count of them */
	bool whole;			/* no file has a problem */
};

/*
 * Reads all files. False when one cannot be opened, which is said on standard
 * error, or memory runs out. What it makes are talloc children of mem_ctx.
 */
bool ntsign_reading_run(TALLOC_CTX *mem_ctx, struct ntsign_reading *reading);

/* What a reader of the report has to know of a file, a talloc child of
 * mem_ctx; "" where that is nothing. NULL when memory runs out. */
char *ntsign_reading_words(TALLOC_CTX *mem_ctx,
			   const struct ntsign_reading_file *file);

#endif
