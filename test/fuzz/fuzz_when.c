/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: times, in records and on the command line.
 *
 * Invariant: a time that was read is read the same when it is written again;
 * and what --since takes does not end before it begins.
 */
#include <stdlib.h>
#include <string.h>

#include "source/tool/moment.h"
#include "source/tool/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_moment(const char *text, size_t len)
{
	struct ntsign_slice slice = { .text = text, .len = len };
	struct ntsign_moment moment = { .time = 0 };
	struct ntsign_moment again = { .time = 0 };
	char written[NTSIGN_MOMENT_TEXT];

	if (!ntsign_moment_parse(slice, &moment)) {
		return;
	}
	(void)ntsign_moment_text(&moment, written);
	if (!ntsign_moment_parse(ntsign_slice_of(written), &again) ||
	    again.time != moment.time || again.zone != moment.zone) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int64_t now = INT64_C(1795000000) * 1000000;
	int64_t first = 0;
	int64_t end = 0;
	char *text = malloc(size + 1);

	if (text == NULL) {
		return 0;
	}
	memcpy(text, data, size);
	text[size] = '\0';
	try_moment(text, size);
	if (ntsign_when_parse(text, now, &first, &end) && first > end) {
		abort();
	}
	free(text);
	return 0;
}
