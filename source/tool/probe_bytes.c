/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes of messages, and their texts.
 *
 * Invariant: nothing is written beyond what was asked of talloc, and nothing
 * is read beyond the length given.
 */
#include <string.h>

#include "probe_bytes.h"

/* Makes room for len more bytes and returns where they go; NULL: failed. */
static uint8_t *extend(struct ntsign_bytes *bytes, size_t len)
{
	uint8_t *grown = NULL;
	size_t room = bytes->room > 0 ? bytes->room : 256;

	if (bytes->failed || len > NTSIGN_BYTES_MAX - bytes->len) {
		bytes->failed = true;
		return NULL;
	}
	while (room < bytes->len + len) {
		room *= 2;
	}
	if (room > bytes->room) {
		grown = talloc_realloc(bytes->mem_ctx, bytes->data, uint8_t,
				       room);
		if (grown == NULL) {
			bytes->failed = true;
			return NULL;
		}
		bytes->data = grown;
		bytes->room = room;
	}
	bytes->len += len;
	return bytes->data + bytes->len - len;
}

void ntsign_bytes_put(struct ntsign_bytes *bytes, const void *data, size_t len)
{
	uint8_t *p = extend(bytes, len);

	if (p != NULL && len > 0) {
		memcpy(p, data, len);
	}
}

void ntsign_bytes_zero(struct ntsign_bytes *bytes, size_t len)
{
	uint8_t *p = extend(bytes, len);

	if (p != NULL) {
		memset(p, 0, len);
	}
}

void ntsign_bytes_put8(struct ntsign_bytes *bytes, uint8_t value)
{
	ntsign_bytes_put(bytes, &value, 1);
}

static void store16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}

void ntsign_bytes_put16(struct ntsign_bytes *bytes, uint16_t value)
{
	uint8_t p[2];

	store16(p, value);
	ntsign_bytes_put(bytes, p, sizeof(p));
}

void ntsign_bytes_put32(struct ntsign_bytes *bytes, uint32_t value)
{
	ntsign_bytes_put16(bytes, (uint16_t)value);
	ntsign_bytes_put16(bytes, (uint16_t)(value >> 16));
}

void ntsign_bytes_put64(struct ntsign_bytes *bytes, uint64_t value)
{
	ntsign_bytes_put32(bytes, (uint32_t)value);
	ntsign_bytes_put32(bytes, (uint32_t)(value >> 32));
}

void ntsign_bytes_set16(struct ntsign_bytes *bytes, size_t at, uint16_t value)
{
	if (bytes->failed || bytes->len < 2 || at > bytes->len - 2) {
		bytes->failed = true;
		return;
	}
	store16(bytes->data + at, value);
}

void ntsign_bytes_set32(struct ntsign_bytes *bytes, size_t at, uint32_t value)
{
	ntsign_bytes_set16(bytes, at, (uint16_t)value);
	ntsign_bytes_set16(bytes, at + 2, (uint16_t)(value >> 16));
}

size_t ntsign_bytes_character(const char *text, uint32_t *character)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xC0 ? 0 : p[0] < 0xE0 ? 2 :
		     p[0] < 0xF0 ? 3 : p[0] < 0xF8 ? 4 : 0;
	uint32_t c = 0;
	size_t i;

	if (len == 0) {
		return 0;
	}
	c = len == 1 ? p[0] : p[0] & (0x7FU >> len);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xC0) != 0x80) {
			return 0;
		}
		c = c << 6 | (p[i] & 0x3FU);
	}
	if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
		return 0;
	}
	*character = c;
	return len;
}

bool ntsign_bytes_is_text(const char *text)
{
	uint32_t c = 0;

	while (*text != '\0') {
		size_t len = ntsign_bytes_character(text, &c);

		if (len == 0) {
			return false;
		}
		text += len;
	}
	return true;
}

void ntsign_bytes_put_text(struct ntsign_bytes *bytes, const char *text)
{
	uint32_t c = 0;

	while (*text != '\0') {
		size_t len = ntsign_bytes_character(text, &c);

		if (len == 0) {
			bytes->failed = true;
			return;
		}
		if (c >= 0x10000) {
			c -= 0x10000;
			ntsign_bytes_put16(bytes,
					   (uint16_t)(0xD800 | c >> 10));
			c = 0xDC00 | (c & 0x3FF);
		}
		ntsign_bytes_put16(bytes, (uint16_t)c);
		text += len;
	}
}

/* Adds one character as UTF-8. */
static size_t store_utf8(char *p, uint32_t c)
{
	if (c < 0x80) {
		p[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		p[0] = (char)(0xC0 | c >> 6);
		p[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		p[0] = (char)(0xE0 | c >> 12);
		p[1] = (char)(0x80 | (c >> 6 & 0x3F));
		p[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	p[0] = (char)(0xF0 | c >> 18);
	p[1] = (char)(0x80 | (c >> 12 & 0x3F));
	p[2] = (char)(0x80 | (c >> 6 & 0x3F));
	p[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

char *ntsign_bytes_text(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len,
			size_t *used)
{
	/* two bytes of UTF-16 are at most three of UTF-8 */
	char *text = talloc_array(mem_ctx, char, len / 2 * 3 + 1);
	size_t out = 0;
	size_t i = 0;

	if (text == NULL) {
		return NULL;
	}
	while (len - i >= 2) {
		uint32_t c = get16(data + i);

		i += 2;
		if (c == 0) {
			break;
		}
		if (c >= 0xD800 && c <= 0xDFFF) {
			uint32_t low = len - i >= 2 ? get16(data + i) : 0;

			if (c <= 0xDBFF && low >= 0xDC00 && low <= 0xDFFF) {
				c = 0x10000 + ((c & 0x3FF) << 10 |
					       (low & 0x3FF));
				i += 2;
			} else {
				c = 0xFFFD;
			}
		}
		out += store_utf8(text + out, c);
	}
	text[out] = '\0';
	if (used != NULL) {
		*used = i;
	}
	return text;
}
