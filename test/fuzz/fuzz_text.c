/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes the functions that make client-chosen text fit for a record.
 *
 * Invariant: what comes out is UTF-8 by jansson's judgement, of at most
 * NTSIGN_TEXT_MAX characters, and does not change when it goes in again.
 */
#include <assert.h>
#include <string.h>

#include <jansson.h>

#include "ntsign/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(char *text)
{
	size_t len = strlen(text);
	size_t characters = 0;
	size_t i = 0;
	json_t *value = json_stringn(text, len);
	char *again = ntsign_text_string(text, text);

	assert(value != NULL);
	for (i = 0; i < len; i++) {
		characters += (text[i] & 0xC0) != 0x80;
	}
	assert(characters <= NTSIGN_TEXT_MAX);
	assert(strcmp(text, again) == 0);
	json_decref(value);
	talloc_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *whole = json_stringn((const char *)data, size);
	char *text = ntsign_text_bytes(NULL, data, size);

	/* what is good and short and without a NUL stays as it is */
	if (whole != NULL && size <= NTSIGN_TEXT_MAX &&
	    memchr(data, '\0', size) == NULL)
	{
		assert(strlen(text) == size && memcmp(text, data, size) == 0);
	}
	json_decref(whole);
	check(text);
	check(ntsign_text_utf16(NULL, data, size));
	return 0;
}
