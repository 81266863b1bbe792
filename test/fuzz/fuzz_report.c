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
	struct ntsign_parser *parser;
	uint64_t lines;
};

static void take(const struct ntsign_line *line, void *private_data)
{
	static const struct ntsign_tally_source source = { .name = "fuzz" };
	struct run *run = private_data;
	struct ntsign_entry entry = { .why = NULL };
	char *text = NULL;

	run->lines++;
	ntsign_tally_line(run->tally, run->parser, &source, line);
	if (!ntsign_entry_parse(run->parser, line, &entry)) {
		return;
	}
	text = ntsign_follow_line(run->tally, &entry);
	if (text == NULL || strpbrk(text, "\n\r\033\b") != NULL) {
		abort();
	}
	TALLOC_FREE(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* both keep room for the longest line there may be */
	static struct ntsign_parser *parser;
	static struct ntsign_reader *reader;
	static struct run run;
	size_t first = size > 0 ? data[0] % size : 0;

	if (parser == NULL) {
		parser = ntsign_parser_new(NULL);
		reader = ntsign_reader_new(NULL, take, &run);
	}
	run = (struct run){
		.tally = ntsign_tally_new(NULL),
		.parser = parser,
	};
	ntsign_reader_restart(reader);
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
