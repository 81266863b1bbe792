/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SMB1 requests that open a pipe: [MS-CIFS] 2.2.4.64 and 2.2.4.41.
 *
 * Invariant: every offset is compared with the length before it is used.
 */
#include "ntsign/smb1_open.h"

#include <string.h>
#include <strings.h>

#include "bytes.h"
#include "ntsign/smb1.h"

#define FLAGS2_UNICODE 0x8000

/* Word counts; smbd looks at none of them but the name. */
#define NT_CREATE_WORDS 24
#define OPEN_WORDS 15

bool ntsign_smb1_is_pipe(const char *name, const char *pipe)
{
	const char *last = name;
	const char *p = NULL;

	for (p = name; *p != '\0'; p++) {
		if (*p == '\\' || *p == '/') {
			last = p + 1;
		}
	}
	return strcasecmp(last, pipe) == 0;
}

/* Characters of 1 or 2 bytes up to a NUL or the end. */
static void name_copy(const uint8_t *data, size_t len, size_t width,
		      char *name, size_t size)
{
	size_t n = 0;

	while (len >= width && n + 1 < size) {
		unsigned int c = (width == 2) ? pull16(data) : data[0];

		if (c == 0) {
			break;
		}
		name[n++] = (c < 0x80) ? (char)c : '?';
		data += width;
		len -= width;
	}
	name[n] = '\0';
}

bool ntsign_smb1_open_name(const uint8_t *data, size_t len, char *name,
			   size_t size)
{
	struct ntsign_smb1_header header = { .command = 0, };
	size_t pos = NTSIGN_SMB1_HEADER_LEN;
	size_t words = 0;
	size_t width = 1;

	if (size == 0 || !ntsign_smb1_header_parse(data, len, &header) ||
	    len < pos + 1) {
		return false;
	}
	words = data[pos];
	if ((header.command == NTSIGN_SMB1_NT_CREATE_ANDX &&
	     words < NT_CREATE_WORDS) ||
	    (header.command == NTSIGN_SMB1_OPEN_ANDX && words < OPEN_WORDS) ||
	    (header.command != NTSIGN_SMB1_NT_CREATE_ANDX &&
	     header.command != NTSIGN_SMB1_OPEN_ANDX)) {
		return false;
	}
	pos += 1 + 2 * words + 2;
	if (len < pos) {
		return false;
	}
	if (header.flags2 & FLAGS2_UNICODE) {
		width = 2;
		pos += pos % 2;
	}
	name_copy(data + pos, pos < len ? len - pos : 0, width, name, size);
	return true;
}
