/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes what carries a record's text into a page of HTML.
 *
 * Invariant: what comes out is ASCII that can be seen, begins and ends no
 * element or attribute, and is what ntsign_output_safe() makes of it once the
 * references are read back, but for characters that HTML does not have.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "source/tool/html.h"
#include "source/tool/tool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes a character as UTF-8, or as safe text has it where it is none of
 * HTML's; returns where it ends. */
static char *put(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

/* What a browser makes of it: only decimal references are ever written. */
static void read_back(char *html)
{
	char *from = html;
	char *to = html;

	while (*from != '\0') {
		assert(*from >= 0x20 && *from < 0x7f);
		assert(strchr("<>\"'`", *from) == NULL);
		if (*from != '&') {
			*to++ = *from++;
			continue;
		}
		assert(from[1] == '#');
		to = put(to, (uint32_t)strtoul(from + 2, &from, 10));
		assert(*from == ';');
		from++;
	}
	*to = '\0';
}

/* Characters that stay out of a page are written in letters. */
static bool has_none(const char *text)
{
	uint32_t c = 0;
	size_t len = 0;

	for (; *text != '\0'; text += len > 0 ? len : 1) {
		len = ntsign_output_character(text, &c);
		if (len > 0 && ((c & 0xfffe) == 0xfffe ||
				(c >= 0xfdd0 && c <= 0xfdef))) {
			return true;
		}
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	char *html = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&html, &len);
	char *safe = ntsign_output_safe(NULL, text);

	ntsign_html_text(f, text);
	assert(fclose(f) == 0);
	assert(strlen(html) == len);
	read_back(html);
	assert(has_none(text) || strcmp(html, safe) == 0);
	TALLOC_FREE(safe);
	free(html);
	free(text);
	return 0;
}
