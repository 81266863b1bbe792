/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The algorithms of NTLM and of SMB1 signing, by OpenSSL.
 *
 * MD4, RC4 and single DES are in OpenSSL's "legacy" provider only, which is
 * loaded into a library context of the probe's own: what the machine's
 * openssl.cnf says neither helps nor hinders.
 *
 * Invariant: keys are read, never kept.
 */
#ifndef NTSIGN_PROBE_CRYPTO_H
#define NTSIGN_PROBE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct ntsign_crypto;

/*
 * A talloc child of mem_ctx. NULL when something is missing; *why then says
 * what, a static text.
 */
struct ntsign_crypto *ntsign_crypto_new(TALLOC_CTX *mem_ctx,
					const char **why);

/* These return false when OpenSSL fails; what they were to write is then
 * not to be used. */
bool ntsign_crypto_md4(struct ntsign_crypto *crypto, const uint8_t *data,
		       size_t len, uint8_t digest[16]);
bool ntsign_crypto_md5(struct ntsign_crypto *crypto, const uint8_t *data,
		       size_t len, uint8_t digest[16]);
bool ntsign_crypto_hmac_md5(struct ntsign_crypto *crypto,
			    const uint8_t *key, size_t key_len,
			    const uint8_t *data, size_t len,
			    uint8_t digest[16]);
bool ntsign_crypto_rc4(struct ntsign_crypto *crypto, const uint8_t key[16],
		       const uint8_t *in, size_t len, uint8_t *out);
/* key: 56 bits, parity is added. */
bool ntsign_crypto_des(struct ntsign_crypto *crypto, const uint8_t key[7],
		       const uint8_t in[8], uint8_t out[8]);
bool ntsign_crypto_random(struct ntsign_crypto *crypto, uint8_t *data,
			  size_t len);

/*
 * The signature of an SMB1 message, [MS-CIFS] 3.1.4.1: the first 8 bytes of
 * MD5 over the key and the message, the sequence number standing in the
 * signature field's place. message: from its 0xFF 'S' 'M' 'B' on, at least
 * 32 bytes.
 */
bool ntsign_crypto_signature(struct ntsign_crypto *crypto,
			     const uint8_t *key, size_t key_len,
			     const uint8_t *message, size_t len,
			     uint32_t sequence, uint8_t signature[8]);

/* Overwrites a secret; the compiler does not leave it out. */
void ntsign_crypto_wipe(void *data, size_t len);

#endif
