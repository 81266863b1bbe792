/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How far a long reading is.
 *
 * Invariant: a line of it is shorter than 80 columns.
 */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024.0 * 1024.0)
#define WAIT_MS 1000
#define STEP_MS 150

static int64_t now_ms(void)
{
	struct timespec now = { .tv_sec = 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void ntsign_progress_start(struct ntsign_progress *progress, uint64_t total)
{
	*progress = (struct ntsign_progress){
		.terminal = isatty(STDERR_FILENO) == 1,
		.began = now_ms(),
		.total = total,
	};
}

void ntsign_progress_show(struct ntsign_progress *progress, uint64_t done)
{
	int64_t now = now_ms();
	double seconds = (double)(now - progress->began) / 1000;
	double rate = 0;

	if (!progress->terminal || now < progress->began + WAIT_MS ||
	    now < progress->last + STEP_MS) {
		return;
	}
	progress->last = now;
	rate = (double)done / seconds;
	fprintf(stderr, "\r\033[K%.0f", (double)done / MIB);
	if (progress->total > 0 && done <= progress->total && rate > 0) {
		fprintf(stderr, " of %.0f MiB read, %.0f MiB a second, %.0f s "
			"to go", (double)progress->total / MIB, rate / MIB,
			(double)(progress->total - done) / rate);
	} else {
		fprintf(stderr, " MiB read, %.0f MiB a second", rate / MIB);
	}
	(void)fflush(stderr);
	progress->shown = true;
}

void ntsign_progress_end(struct ntsign_progress *progress)
{
	if (progress->shown) {
		fprintf(stderr, "\r\033[K");
		(void)fflush(stderr);
	}
}
