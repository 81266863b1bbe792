/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes ntsign_winreg_judge(): two bytes of operation, one of byte order, a
 * stub.
 *
 * Invariant: what is good is no longer so with a byte more or less.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ntsign/winreg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum ntsign_winreg_fault fault;
	uint8_t *longer = NULL;
	uint16_t opnum = 0;
	bool big_endian = false;

	if (size < 3) {
		return 0;
	}
	opnum = (uint16_t)(data[0] | data[1] << 8);
	big_endian = (data[2] & 1) != 0;
	data += 3;
	size -= 3;
	fault = ntsign_winreg_judge(opnum, big_endian, data, size);
	assert((ntsign_winreg_reason(fault) == NULL) ==
	       (fault == NTSIGN_WINREG_GOOD));
	assert((fault == NTSIGN_WINREG_BAD_OPNUM) ==
	       (opnum >= NTSIGN_WINREG_OPNUMS));
	if (fault != NTSIGN_WINREG_GOOD) {
		return 0;
	}
	assert(size != 0);
	assert(ntsign_winreg_judge(opnum, big_endian, data, size - 1) !=
	       NTSIGN_WINREG_GOOD);
	longer = malloc(size + 1);
	assert(longer != NULL);
	memcpy(longer, data, size);
	longer[size] = 0;
	assert(ntsign_winreg_judge(opnum, big_endian, longer, size + 1) ==
	       NTSIGN_WINREG_MORE);
	free(longer);
	return 0;
}
