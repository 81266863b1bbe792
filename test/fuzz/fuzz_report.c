/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: the audit file as `ntsign report` and `ntsign follow` read it.
 *
 * Invariant: any bytes give a tally that adds up, and lines that are safe for
 * a terminal, however the bytes are cut into pieces.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <string.h>

#include "source/tool/follow.h"
#include "source/tool/tally.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct ntsign_tally *tally;
	uint64_t lines;
};

static void take(const struct ntsign_line *line, void *private_data)
{
	static const struct ntsign_tally_source source = { .name = "fuzz" };
	struct run *run = private_data;
	struct ntsign_entry entry = { .root = NULL };
	char *text = NULL;

	run->lines++;
	ntsign_tally_line(run->tally, &source, line);
	if (!ntsign_entry_parse(line, &entry)) {
		return;
	}
	text = ntsign_follow_line(run->tally, &entry);
	if (text == NULL || strpbrk(text, "\n\r\033\b") != NULL) {
		abort();
	}
	TALLOC_FREE(text);
	ntsign_entry_free(&entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = { .tally = ntsign_tally_new(NULL) };
	struct ntsign_reader *reader = ntsign_reader_new(run.tally, take, &run);
	size_t first = size > 0 ? data[0] % size : 0;

	ntsign_reader_feed(reader, (const char *)data, first);
	ntsign_reader_feed(reader, (const char *)data + first, size - first);
	ntsign_reader_finish(reader);
	ntsign_tally_sort(run.tally);
	if (run.tally->records + run.tally->skipped != run.lines) {
		abort();
	}
	TALLOC_FREE(run.tally);
	return 0;
}
