/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text for terminals and for people.
 *
 * Invariant: a safe text has no byte below 0x20, no 0x7f, and is UTF-8.
 */
#include <errno.h>
#include <langinfo.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "tool.h"

#define COLUMNS_DEFAULT 80
#define COLUMNS_LEAST 40

size_t ntsign_output_character(const char *text, uint32_t *character)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	uint32_t c = 0;
	size_t len = 0;
	size_t i;

	if (p[0] < 0x80) {
		*character = p[0];
		return 1;
	} else if ((p[0] & 0xe0) == 0xc0) {
		len = 2;
		c = p[0] & 0x1f;
	} else if ((p[0] & 0xf0) == 0xe0) {
		len = 3;
		c = p[0] & 0x0f;
	} else if ((p[0] & 0xf8) == 0xf0) {
		len = 4;
		c = p[0] & 0x07;
	} else {
		return 0;
	}
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			return 0;
		}
		c = (c << 6) | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
		return 0;
	}
	*character = c;
	return len;
}

bool ntsign_output_is_treacherous(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00, 0x1f },		/* C0 */
		{ 0x7f, 0x9f },		/* DEL and C1 */
		{ 0xad, 0xad },		/* soft hyphen */
		{ 0x061c, 0x061c },	/* Arabic letter mark */
		{ 0x200b, 0x200f },	/* zero width, direction marks */
		{ 0x2028, 0x202e },	/* separators, embeddings */
		{ 0x2060, 0x206f },	/* word joiner, isolates */
		{ 0xfeff, 0xfeff },	/* byte order mark */
		{ 0xfff9, 0xfffb },	/* interlinear annotation */
		{ 0xe0000, 0xe007f },	/* tags */
	};
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (c >= ranges[i].first && c <= ranges[i].last) {
			return true;
		}
	}
	return false;
}

static bool utf8_locale(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

char *ntsign_output_safe(TALLOC_CTX *mem_ctx, const char *text)
{
	/* a terminal of 8 bits takes the second halves of UTF-8 characters
	 * for control characters */
	bool ascii = isatty(STDOUT_FILENO) && !utf8_locale();
	const char *p = text;
	size_t size = 0;
	size_t used = 0;
	char *safe = NULL;

	if (text == NULL) {
		return NULL;
	}
	/* the longest escape of one byte is \xNN, of four \u{10FFFF} */
	size = strlen(text) * 4 + 1;
	safe = talloc_array(mem_ctx, char, size);
	if (safe == NULL) {
		return NULL;
	}
	while (*p != '\0') {
		uint32_t c = 0;
		size_t len = ntsign_output_character(p, &c);
		int n = 0;

		if (len == 0) {
			n = snprintf(safe + used, size - used, "\\x%02x",
				     (unsigned char)*p);
			len = 1;
		} else if (c < 0x80 && ntsign_output_is_treacherous(c)) {
			n = snprintf(safe + used, size - used, "\\x%02x",
				     (unsigned int)c);
		} else if ((ascii && c >= 0x80) ||
			   ntsign_output_is_treacherous(c)) {
			n = snprintf(safe + used, size - used, "\\u{%x}",
				     (unsigned int)c);
		} else {
			memcpy(safe + used, p, len);
			n = (int)len;
		}
		used += (size_t)n;
		p += len;
	}
	safe[used] = '\0';
	return safe;
}

char *ntsign_output_safe_json(TALLOC_CTX *mem_ctx, const char *json)
{
	bool ascii = !utf8_locale();
	const char *p = json;
	/* the longest escape of one byte is \uNNNN, of four \uNNNN\uNNNN */
	size_t size = strlen(json) * 6 + 1;
	char *safe = talloc_array(mem_ctx, char, size);
	size_t used = 0;

	while (safe != NULL && *p != '\0') {
		uint32_t c = 0xfffd;
		size_t len = ntsign_output_character(p, &c);
		int n = 0;

		if (c < 0x20) {
			/* in JSON, white space between the words */
			safe[used++] = ' ';
		} else if (len > 0 && !ntsign_output_is_treacherous(c) &&
			   (!ascii || c < 0x80)) {
			memcpy(safe + used, p, len);
			used += len;
		} else if (c > 0xffff) {
			n = snprintf(safe + used, size - used,
				     "\\u%04x\\u%04x",
				     (unsigned int)(c - 0x10000) / 0x400 +
				     0xd800,
				     (unsigned int)(c - 0x10000) % 0x400 +
				     0xdc00);
		} else {
			n = snprintf(safe + used, size - used, "\\u%04x",
				     (unsigned int)c);
		}
		used += (size_t)n;
		p += len > 0 ? len : 1;
	}
	if (safe != NULL) {
		safe[used] = '\0';
	}
	return safe;
}

size_t ntsign_output_width(const char *safe)
{
	bool utf8 = utf8_locale();
	size_t width = 0;

	while (*safe != '\0') {
		uint32_t c = 0;
		size_t len = ntsign_output_character(safe, &c);
		int columns = 1;

		if (utf8 && len > 1) {
			columns = wcwidth((wchar_t)c);
		}
		width += columns < 0 ? 1 : (size_t)columns;
		safe += len == 0 ? 1 : len;
	}
	return width;
}

size_t ntsign_output_columns(FILE *f)
{
	struct winsize size = { .ws_col = 0 };
	int fd = fileno(f);

	if (fd == -1 || !isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) == -1 ||
	    size.ws_col == 0) {
		return COLUMNS_DEFAULT;
	}
	return size.ws_col < COLUMNS_LEAST ? COLUMNS_LEAST : size.ws_col;
}

bool ntsign_output_colour(FILE *f)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	int fd = fileno(f);

	if (no_color != NULL && no_color[0] != '\0') {
		return false;
	}
	if (term == NULL || strcmp(term, "dumb") == 0) {
		return false;
	}
	return fd != -1 && isatty(fd);
}

const char *ntsign_output_outcome(enum ntsign_outcome outcome)
{
	switch (outcome) {
	case NTSIGN_OUTCOME_SIGNED:
		return "signed";
	case NTSIGN_OUTCOME_NOT_SIGNED:
		return "not signed";
	case NTSIGN_OUTCOME_NO_COMMUNICATION:
		break;
	}
	return "no communication";
}

void ntsign_output_error(const char *format, ...)
{
	char *text = NULL;
	char *safe = NULL;
	va_list ap;

	va_start(ap, format);
	text = talloc_vasprintf(NULL, format, ap);
	va_end(ap);
	safe = ntsign_output_safe(text, text);
	fprintf(stderr, "%s\n", safe != NULL ? safe : "out of memory");
	TALLOC_FREE(text);
}

bool ntsign_output_finish(FILE *f, const char *name)
{
	bool ok = false;

	/* of an error that came earlier the reason is not known any more */
	errno = 0;
	ok = fflush(f) == 0 && ferror(f) == 0;
	if (!ok) {
		ntsign_output_error("ntsign: cannot write %s%s%s", name,
				    errno != 0 ? ": " : "",
				    errno != 0 ? strerror(errno) : "");
	}
	return ok;
}
