/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Texts and numbers in a page of HTML.
 *
 * Invariant: ntsign_html_text() is the only way from a record into a page.
 */
#include "html.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "tool.h"

/* Characters that HTML knows nothing of, whichever way they are written. */
static bool is_none(uint32_t c)
{
	return (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
}

static void write_character(FILE *f, uint32_t c)
{
	if (c < 0x80 && ntsign_output_is_treacherous(c)) {
		fprintf(f, "\\x%02" PRIx32, c);
	} else if (ntsign_output_is_treacherous(c) || is_none(c)) {
		fprintf(f, "\\u{%" PRIx32 "}", c);
	} else if (c >= 0x80 || strchr("&<>\"'`", (int)c) != NULL) {
		fprintf(f, "&#%" PRIu32 ";", c);
	} else {
		(void)fputc((int)c, f);
	}
}

void ntsign_html_text(FILE *f, const char *text)
{
	while (*text != '\0') {
		uint32_t c = 0;
		size_t len = ntsign_output_character(text, &c);

		if (len == 0) {
			fprintf(f, "\\x%02x", (unsigned char)*text);
			len = 1;
		} else {
			write_character(f, c);
		}
		text += len;
	}
}

/* A name's own direction is its own, so that it does not move what stands
 * beside it. */
void ntsign_html_names(FILE *f, const struct ntsign_names *names)
{
	size_t i;

	for (i = 0; i < names->count; i++) {
		(void)fputs(i > 0 ? ", <bdi>" : "<bdi>", f);
		ntsign_html_text(f, names->list[i]->text);
		(void)fputs("</bdi>", f);
	}
	if (names->more) {
		(void)fputs(" and more", f);
	}
}

void ntsign_html_count(FILE *f, uint64_t count)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	int i;

	for (i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0) {
			(void)fputc(',', f);
		}
		(void)fputc(digits[i], f);
	}
}

void ntsign_html_moment(FILE *f, const struct ntsign_moment *moment)
{
	const struct ntsign_moment utc = { .time = moment->time };
	char text[NTSIGN_MOMENT_TEXT];

	(void)ntsign_moment_text(&utc, text);
	fprintf(f, "%.10s %.8s", text, text + 11);
}
