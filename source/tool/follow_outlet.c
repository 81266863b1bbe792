/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the lines go: standard output, many lines at a time.
 *
 * Invariant: what is not a file is written to in pieces of which each is
 * taken without waiting once poll() says so.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "follow_outlet.h"
#include "follow_stop.h"
#include "tool.h"

#define OUTLET_SIZE 65536

struct ntsign_outlet {
	size_t piece;		/* bytes at once */
	bool failed;
	size_t used;
	char buffer[OUTLET_SIZE];
};

struct ntsign_outlet *ntsign_outlet_new(TALLOC_CTX *mem_ctx)
{
	struct ntsign_outlet *outlet =
		talloc_zero(mem_ctx, struct ntsign_outlet);
	struct stat st = { .st_mode = 0 };

	if (outlet == NULL) {
		return NULL;
	}
	outlet->piece = PIPE_BUF;
	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode)) {
		outlet->piece = OUTLET_SIZE;
	}
	return outlet;
}

/* Writes a piece. False when there is nothing more to be done: a signal came
 * and nobody reads, or an error. */
static bool write_piece(struct ntsign_outlet *outlet, const char *text,
			size_t len, size_t *written)
{
	struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };
	ssize_t n = 0;

	*written = 0;
	if (ntsign_stop_poll(&fd, 1, -1) < 1) {
		return !ntsign_stop_asked();
	}
	n = write(STDOUT_FILENO, text, len < outlet->piece ? len :
							     outlet->piece);
	if (n == -1 && errno != EINTR && errno != EAGAIN) {
		ntsign_output_error("ntsign: cannot write standard output: %s",
				    strerror(errno));
		outlet->failed = true;
		return false;
	}
	*written = n > 0 ? (size_t)n : 0;
	return true;
}

bool ntsign_outlet_flush(struct ntsign_outlet *outlet)
{
	size_t done = 0;
	size_t written = 0;

	while (!outlet->failed && done < outlet->used &&
	       write_piece(outlet, outlet->buffer + done,
			   outlet->used - done, &written)) {
		done += written;
	}
	outlet->used = 0;
	return !outlet->failed;
}

bool ntsign_outlet_put(struct ntsign_outlet *outlet, const char *text,
		       size_t len)
{
	while (len > 0 && !outlet->failed) {
		size_t room = OUTLET_SIZE - outlet->used;
		size_t part = len < room ? len : room;

		memcpy(outlet->buffer + outlet->used, text, part);
		outlet->used += part;
		text += part;
		len -= part;
		if (outlet->used == OUTLET_SIZE) {
			(void)ntsign_outlet_flush(outlet);
		}
	}
	return !outlet->failed;
}
