/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes records: the bytes, cut in pieces, are texts and list elements.
 *
 * Invariant: the line is whole JSON that fits, and each text read back from
 * it is the beginning of the one that went in.
 */
#include <assert.h>
#include <string.h>

#include <jansson.h>

#include "ntsign/record.h"
#include "ntsign/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PARTS 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct timeval now = { 1795204893, 123456 };
	struct ntsign_record *record = NULL;
	const char *parts[PARTS] = { "" };
	size_t step = size > 0 ? data[0] * 8 + 1U : 1;
	const char *line = NULL;
	const json_t *list = NULL;
	json_t *root = NULL;
	size_t count = 0;
	size_t len = 0;
	size_t i = 0;

	record = ntsign_record_new(NULL, NTSIGN_RECORD_SESSION, &now);
	for (i = 0; i < size && count < PARTS; i += step, count++) {
		size_t left = size - i < step ? size - i : step;

		parts[count] = talloc_strndup(record, (const char *)data + i,
					      left);
	}
	ntsign_record_text(record, "text", parts[0]);
	ntsign_record_int(record, "int", (int64_t)size << 32);
	ntsign_record_hex(record, "hex", size, step % 20);
	ntsign_record_list(record, "list", parts, count);

	line = ntsign_record_line(record, &len);
	assert(line != NULL && len <= NTSIGN_RECORD_MAX);
	assert(memchr(line, '\n', len) == line + len - 1);
	root = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	list = json_object_get(json_object_get(root, "SMBSession"), "list");
	assert(json_array_size(list) == count);
	for (i = 0; i < count; i++) {
		const char *got = json_string_value(json_array_get(list, i));
		char *fit = ntsign_text_string(record, parts[i]);

		assert(strncmp(got, fit, strlen(got)) == 0);
	}
	json_decref(root);
	talloc_free(record);
	return 0;
}
