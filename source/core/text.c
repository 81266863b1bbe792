/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Client-chosen text made fit for a record.
 *
 * Invariant: whatever goes in, what comes out is valid UTF-8 without NUL
 * bytes and at most NTSIGN_TEXT_MAX characters long.
 */
#include "ntsign/text.h"

#include <stdbool.h>
#include <string.h>

#define REPLACEMENT 0xFFFD

/* Room for the longest text there is, at 4 bytes a character. */
struct buffer {
	char bytes[NTSIGN_TEXT_MAX * 4];
	size_t len;
	size_t characters;
};

static bool buffer_full(const struct buffer *buffer)
{
	return buffer->characters == NTSIGN_TEXT_MAX;
}

static void buffer_put(struct buffer *buffer, uint32_t character)
{
	char *p = buffer->bytes + buffer->len;

	if (character < 0x80) {
		p[0] = (char)character;
		buffer->len += 1;
	} else if (character < 0x800) {
		p[0] = (char)(0xC0 | character >> 6);
		p[1] = (char)(0x80 | (character & 0x3F));
		buffer->len += 2;
	} else if (character < 0x10000) {
		p[0] = (char)(0xE0 | character >> 12);
		p[1] = (char)(0x80 | (character >> 6 & 0x3F));
		p[2] = (char)(0x80 | (character & 0x3F));
		buffer->len += 3;
	} else {
		p[0] = (char)(0xF0 | character >> 18);
		p[1] = (char)(0x80 | (character >> 12 & 0x3F));
		p[2] = (char)(0x80 | (character >> 6 & 0x3F));
		p[3] = (char)(0x80 | (character & 0x3F));
		buffer->len += 4;
	}
	buffer->characters++;
}

static uint32_t utf16_unit(const uint8_t *data)
{
	return (uint32_t)data[0] | (uint32_t)data[1] << 8;
}

char *ntsign_text_utf16(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len)
{
	struct buffer buffer = { .len = 0 };
	size_t units = len / 2;
	size_t i = 0;

	while (i < units && !buffer_full(&buffer)) {
		uint32_t character = utf16_unit(data + 2 * i);
		uint32_t low = 0;

		i++;
		if (character == 0) {
			break;
		}
		if (character >= 0xD800 && character <= 0xDFFF) {
			if (i < units) {
				low = utf16_unit(data + 2 * i);
			}
			if (character <= 0xDBFF &&
			    low >= 0xDC00 && low <= 0xDFFF)
			{
				i++;
				character = 0x10000 +
					    ((character - 0xD800) << 10) +
					    (low - 0xDC00);
			} else {
				character = REPLACEMENT;
			}
		}
		buffer_put(&buffer, character);
	}

	return talloc_strndup(mem_ctx, buffer.bytes, buffer.len);
}

/*
 * The character that a well-formed UTF-8 sequence at data stands for, or
 * U+FFFD for one byte that begins none. Returns the bytes it took.
 */
static size_t utf8_take(const uint8_t *data, size_t len, uint32_t *character)
{
	/* the least character that needs a sequence of that many bytes */
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t value = 0;
	size_t need = 0;
	size_t i = 0;

	*character = REPLACEMENT;

	if (data[0] < 0x80) {
		*character = data[0];
		return 1;
	}
	if ((data[0] & 0xE0) == 0xC0) {
		need = 2;
		value = data[0] & 0x1F;
	} else if ((data[0] & 0xF0) == 0xE0) {
		need = 3;
		value = data[0] & 0x0F;
	} else if ((data[0] & 0xF8) == 0xF0) {
		need = 4;
		value = data[0] & 0x07;
	} else {
		return 1;
	}
	if (need > len) {
		return 1;
	}
	for (i = 1; i < need; i++) {
		if ((data[i] & 0xC0) != 0x80) {
			return 1;
		}
		value = value << 6 | (data[i] & 0x3F);
	}
	if (value < least[need] || value > 0x10FFFF) {
		return 1;
	}
	if (value >= 0xD800 && value <= 0xDFFF) {
		return 1;
	}
	*character = value;
	return need;
}

char *ntsign_text_bytes(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len)
{
	struct buffer buffer = { .len = 0 };
	size_t i = 0;

	while (i < len && data[i] != 0 && !buffer_full(&buffer)) {
		uint32_t character = 0;

		i += utf8_take(data + i, len - i, &character);
		buffer_put(&buffer, character);
	}

	return talloc_strndup(mem_ctx, buffer.bytes, buffer.len);
}

char *ntsign_text_string(TALLOC_CTX *mem_ctx, const char *string)
{
	if (string == NULL) {
		string = "";
	}
	return ntsign_text_bytes(mem_ctx, (const uint8_t *)string,
				 strlen(string));
}
