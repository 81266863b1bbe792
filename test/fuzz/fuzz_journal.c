/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes journal entries: the bytes, cut in pieces, are values of a record.
 *
 * Invariant: read as journald reads it, the entry is whole and has the fields
 * that were put in and no others, whatever their values look like.
 */
#include <assert.h>
#include <string.h>

#include "ntsign/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PARTS 20

/* One field, as the protocol has it; returns what comes behind it. */
static const char *field_end(const char *p, const char *end)
{
	const char *name = p;
	uint64_t len = 0;
	unsigned int i = 0;

	while (p < end && *p != '=' && *p != '\n') {
		p++;
	}
	assert(p < end && strncmp(name, "NTSIGN_", 7) == 0);
	if (*p == '=') {
		p = memchr(p, '\n', (size_t)(end - p));
		assert(p != NULL);
		return p + 1;
	}
	assert(end - p > 9);
	for (i = 0; i < 8; i++) {
		len |= (uint64_t)(unsigned char)p[1 + i] << (8 * i);
	}
	assert(len < (uint64_t)(end - p) - 9 && p[9 + len] == '\n');
	return p + 9 + len + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ntsign_journal entry;
	const struct timeval now = { 1795204893, 123456 };
	struct ntsign_record *record = ntsign_record_new(
		NULL, NTSIGN_RECORD_SESSION, &now);
	size_t step = size / PARTS + 1;
	const char *p = entry.data;
	size_t fields = 2;
	size_t len = 0;
	size_t i = 0;

	for (i = 0; i < size; i += step, fields++) {
		size_t part = size - i < step ? size - i : step;
		char name[8] = { 'x', (char)('A' + fields) };

		ntsign_record_text(record, name, talloc_strndup(
			record, (const char *)data + i, part));
	}
	assert(ntsign_record_line(record, &len) != NULL);
	entry.len = 0;
	ntsign_journal_record(&entry, record);
	for (; p < entry.data + entry.len; fields--) {
		p = field_end(p, entry.data + entry.len);
	}
	assert(fields == 0);
	talloc_free(record);
	return 0;
}
