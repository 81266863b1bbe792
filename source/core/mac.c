/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The SMB1 message signature: [MS-CIFS] 3.1.4.1.
 *
 * Invariant: the key is read, never kept.
 */
#include "ntsign/mac.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* Where the signature stands in a message, and the length of a header. */
#define SIGNATURE_OFFSET 14
#define SIGNATURE_LEN 8
#define HEADER_LEN 32

bool ntsign_mac_smb1(const uint8_t *key, size_t key_len,
		     const uint8_t *message, size_t message_len,
		     uint32_t sequence, uint8_t mac[8])
{
	/* the sequence number stands in for the signature */
	uint8_t field[SIGNATURE_LEN] = {
		(uint8_t)sequence,
		(uint8_t)(sequence >> 8),
		(uint8_t)(sequence >> 16),
		(uint8_t)(sequence >> 24),
	};
	const size_t rest = SIGNATURE_OFFSET + SIGNATURE_LEN;
	uint8_t digest[EVP_MAX_MD_SIZE] = { 0 };
	EVP_MD_CTX *ctx = NULL;
	bool ok = false;

	if (message_len < HEADER_LEN) {
		return false;
	}

	ctx = EVP_MD_CTX_new();
	if (ctx == NULL) {
		return false;
	}
	/* a context that was not set up must not be given bytes */
	if (EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1) {
		ok = true;
		ok &= EVP_DigestUpdate(ctx, key, key_len) == 1;
		ok &= EVP_DigestUpdate(ctx, message, SIGNATURE_OFFSET) == 1;
		ok &= EVP_DigestUpdate(ctx, field, sizeof(field)) == 1;
		ok &= EVP_DigestUpdate(ctx, message + rest,
				       message_len - rest) == 1;
		ok &= EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
	}
	EVP_MD_CTX_free(ctx);

	if (ok) {
		memcpy(mac, digest, SIGNATURE_LEN);
	}
	OPENSSL_cleanse(digest, sizeof(digest));
	return ok;
}

enum ntsign_mac_result ntsign_mac_smb1_match(
	const uint8_t *key, size_t key_len,
	const uint8_t *message, size_t message_len,
	uint32_t expected, uint32_t *matched)
{
	unsigned int i = 0;

	/* 0, +1, -1, +2, -2 ... from the expected number */
	for (i = 0; i <= 2 * NTSIGN_MAC_WINDOW; i++) {
		uint32_t distance = (i + 1) / 2;
		uint32_t sequence = i % 2 == 1 ? expected + distance :
						 expected - distance;
		uint8_t mac[SIGNATURE_LEN] = { 0 };

		if (i % 2 == 0 && distance > expected) {
			continue;	/* a connection counts from 0 */
		}
		if (!ntsign_mac_smb1(key, key_len, message, message_len,
				     sequence, mac)) {
			return NTSIGN_MAC_ERROR;
		}
		if (CRYPTO_memcmp(mac, message + SIGNATURE_OFFSET,
				  sizeof(mac)) == 0) {
			*matched = sequence;
			return i == 0 ? NTSIGN_MAC_GOOD : NTSIGN_MAC_NEAR;
		}
	}
	return NTSIGN_MAC_BAD;
}
