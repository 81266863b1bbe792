/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes ntsign_frame_classify() and the SMB1 header behind it.
 *
 * Invariant: what was told from fewer bytes is not told otherwise from more.
 */
#include <assert.h>

#include "ntsign/smb1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum ntsign_frame known = NTSIGN_FRAME_SHORT;
	struct ntsign_smb1_header header = { .command = 0 };
	uint8_t answer[NTSIGN_SMB1_ERROR_LEN];
	uint32_t length = 0;
	size_t len = 0;

	for (len = 0; len <= size && len <= 12; len++) {
		enum ntsign_frame frame = ntsign_frame_classify(data, len,
								&length);

		if (known != NTSIGN_FRAME_SHORT) {
			assert(frame == known);
		}
		assert(frame <= NTSIGN_FRAME_UNKNOWN);
		assert(length <= 0xFFFFFF);
		/* 8 bytes tell everything */
		assert(len < 8 || frame != NTSIGN_FRAME_SHORT);
		known = frame;
	}
	if (size >= NTSIGN_NBT_HEADER_LEN &&
	    ntsign_smb1_header_parse(data + NTSIGN_NBT_HEADER_LEN,
				     size - NTSIGN_NBT_HEADER_LEN, &header))
	{
		assert(known == NTSIGN_FRAME_SMB1 || data[0] != 0 ||
		       length < 4);
		assert(ntsign_smb1_error(data + NTSIGN_NBT_HEADER_LEN,
					 size - NTSIGN_NBT_HEADER_LEN,
					 0xC0000022, data[0], answer));
		assert(ntsign_smb1_signature_absent(&header) ||
		       !ntsign_smb1_signature_promised(&header));
	}
	return 0;
}
