/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: packed audit files.
 *
 * Invariant: any bytes come to an end, in a bounded number of steps; and what
 * is whole is unpacked the same however it is cut into pieces.
 */
#include <stdlib.h>
#include <string.h>

#include "source/tool/unpack.h"

#define ROOM 4096
/* No format makes more of a byte than some thousands. */
#define MOST (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unpacks in pieces of so many bytes; the sum of what comes out, 0 where it is
 * damaged: how much of a block is handed out then is the library's affair. */
static uint64_t unpack(enum ntsign_unpack_format format, const uint8_t *data,
		       size_t size, size_t piece, size_t room)
{
	struct ntsign_unpack *unpack = ntsign_unpack_new(NULL, format);
	enum ntsign_unpack_result result = NTSIGN_UNPACK_MORE;
	uint64_t sum = 0;
	size_t total = 0;
	size_t left = 0;
	char out[ROOM];

	while (unpack != NULL && result == NTSIGN_UNPACK_MORE &&
	       total < MOST) {
		size_t len = room;
		size_t i;

		if (left == 0) {
			left = size < piece ? size : piece;
			size -= left;
		}
		result = ntsign_unpack_run(unpack, &data, &left, size == 0,
					   out, &len);
		if (len > room) {
			abort();
		}
		for (i = 0; i < len && total + i < MOST; i++) {
			sum = sum * 31 + (unsigned char)out[i];
		}
		total += len;
	}
	if (result == NTSIGN_UNPACK_DAMAGED &&
	    ntsign_unpack_why(unpack) == NULL) {
		abort();
	}
	TALLOC_FREE(unpack);
	return result == NTSIGN_UNPACK_DAMAGED ? 0 : sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum ntsign_unpack_format format = ntsign_unpack_tell(data, size);

	if (format == NTSIGN_UNPACK_PLAIN) {
		return 0;
	}
	if (unpack(format, data, size, size, ROOM) !=
	    unpack(format, data, size, 1 + size / 3, 1000)) {
		abort();
	}
	return 0;
}
