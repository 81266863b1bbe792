/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The SMB1 message signature: [MS-CIFS] 3.1.4.1.
 *
 * Built into an object of its own, ntsign-crypto.so, because it is all that
 * needs OpenSSL: smbd loads that object only when a signature has to be
 * looked into.
 *
 * Invariant: the key is read, never kept.
 */
#ifndef NTSIGN_MAC_H
#define NTSIGN_MAC_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

/* How far from the expected sequence number a match is looked for. */
#define NTSIGN_MAC_WINDOW 8

/*
 * Computes the 8 byte signature of a message.
 * message: from its 0xFF 'S' 'M' 'B' on, at least 32 bytes, its signature
 * field is not used. Returns false when OpenSSL fails (MD5 not allowed) or
 * the message is too short.
 */
bool ntsign_mac_smb1(const uint8_t *key, size_t key_len,
		     const uint8_t *message, size_t message_len,
		     uint32_t sequence, uint8_t mac[8]);

enum ntsign_mac_result {
	NTSIGN_MAC_GOOD,	/* the signature is that of `expected` */
	NTSIGN_MAC_NEAR,	/* it is that of *matched, within the window */
	NTSIGN_MAC_BAD,		/* it is that of no number in the window */
	NTSIGN_MAC_ERROR,
};

/*
 * Compares the signature in a message with those for the expected sequence
 * number and all within NTSIGN_MAC_WINDOW of it, nearest first. There is none
 * below 0, where a connection's count begins; above, 0 follows 0xFFFFFFFF.
 * *matched is written for GOOD and NEAR.
 */
enum ntsign_mac_result ntsign_mac_smb1_match(
	const uint8_t *key, size_t key_len,
	const uint8_t *message, size_t message_len,
	uint32_t expected, uint32_t *matched);

#endif
