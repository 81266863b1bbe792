/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes the SMB1 signature: 16 bytes of key, 4 of sequence number, 1 of
 * distance, then the message.
 *
 * Invariant: a message signed with a number is found by that number from
 * within the window and from nowhere else.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ntsign/mac.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum ntsign_mac_result result = NTSIGN_MAC_ERROR;
	uint8_t mac[8] = { 0 };
	uint8_t *message = NULL;
	size_t message_len = 0;
	uint32_t sequence = 0;
	uint32_t matched = 0;
	int distance = 0;

	if (size < 21) {
		return 0;
	}
	memcpy(&sequence, data + 16, sizeof(sequence));
	distance = data[20] % 21 - 10;
	message_len = size - 21;
	message = malloc(message_len + 1);
	memcpy(message, data + 21, message_len);

	if (!ntsign_mac_smb1(data, 16, message, message_len, sequence, mac)) {
		assert(message_len < 32);
		free(message);
		return 0;
	}
	memcpy(message + 14, mac, sizeof(mac));
	result = ntsign_mac_smb1_match(data, 16, message, message_len,
				       sequence + (uint32_t)distance,
				       &matched);
	if (distance == 0) {
		assert(result == NTSIGN_MAC_GOOD);
	} else if (distance > 0 && sequence + (uint32_t)distance < sequence) {
		/* it is below 0 from where it is looked for */
		assert(result == NTSIGN_MAC_BAD);
	} else if (abs(distance) <= NTSIGN_MAC_WINDOW) {
		assert(result == NTSIGN_MAC_NEAR);
	} else {
		assert(result == NTSIGN_MAC_BAD);
	}
	assert(result == NTSIGN_MAC_BAD || matched == sequence);
	free(message);
	return 0;
}
