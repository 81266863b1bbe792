/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The algorithms of NTLM and of SMB1 signing, by OpenSSL.
 *
 * Invariant: every algorithm has been fetched, and so is known to be there,
 * before the first message is sent.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <string.h>

#include "probe_bytes.h"
#include "probe_crypto.h"

#define SIGNATURE_AT 14
#define HEADER_LEN 32

struct ntsign_crypto {
	OSSL_LIB_CTX *library;
	OSSL_PROVIDER *common;
	OSSL_PROVIDER *legacy;
	EVP_MD *md4;
	EVP_MD *md5;
	EVP_CIPHER *rc4;
	EVP_CIPHER *des;
};

static int crypto_destructor(struct ntsign_crypto *crypto)
{
	EVP_CIPHER_free(crypto->des);
	EVP_CIPHER_free(crypto->rc4);
	EVP_MD_free(crypto->md5);
	EVP_MD_free(crypto->md4);
	if (crypto->legacy != NULL) {
		OSSL_PROVIDER_unload(crypto->legacy);
	}
	if (crypto->common != NULL) {
		OSSL_PROVIDER_unload(crypto->common);
	}
	OSSL_LIB_CTX_free(crypto->library);
	return 0;
}

static const char *load(struct ntsign_crypto *crypto)
{
	crypto->library = OSSL_LIB_CTX_new();
	if (crypto->library == NULL) {
		return "OpenSSL has no memory";
	}
	crypto->common = OSSL_PROVIDER_load(crypto->library, "default");
	crypto->legacy = OSSL_PROVIDER_load(crypto->library, "legacy");
	if (crypto->common == NULL) {
		return "OpenSSL's default provider cannot be loaded";
	}
	if (crypto->legacy == NULL) {
		return "OpenSSL's legacy provider cannot be loaded, which has "
		       "the MD4, RC4 and DES that NTLM needs (legacy.so; "
		       "Debian: libssl3, from trixie on "
		       "openssl-provider-legacy)";
	}
	crypto->md4 = EVP_MD_fetch(crypto->library, "MD4", NULL);
	crypto->md5 = EVP_MD_fetch(crypto->library, "MD5", NULL);
	crypto->rc4 = EVP_CIPHER_fetch(crypto->library, "RC4", NULL);
	crypto->des = EVP_CIPHER_fetch(crypto->library, "DES-ECB", NULL);
	if (crypto->md4 == NULL || crypto->md5 == NULL ||
	    crypto->rc4 == NULL || crypto->des == NULL) {
		return "OpenSSL has not all of MD4, MD5, RC4 and DES, which "
		       "NTLM needs";
	}
	return NULL;
}

struct ntsign_crypto *ntsign_crypto_new(TALLOC_CTX *mem_ctx, const char **why)
{
	struct ntsign_crypto *crypto = talloc_zero(mem_ctx,
						   struct ntsign_crypto);

	if (crypto == NULL) {
		*why = "out of memory";
		return NULL;
	}
	talloc_set_destructor(crypto, crypto_destructor);
	*why = load(crypto);
	if (*why != NULL) {
		TALLOC_FREE(crypto);
	}
	return crypto;
}

bool ntsign_crypto_md4(struct ntsign_crypto *crypto, const uint8_t *data,
		       size_t len, uint8_t digest[16])
{
	return EVP_Digest(data, len, digest, NULL, crypto->md4, NULL) == 1;
}

bool ntsign_crypto_md5(struct ntsign_crypto *crypto, const uint8_t *data,
		       size_t len, uint8_t digest[16])
{
	return EVP_Digest(data, len, digest, NULL, crypto->md5, NULL) == 1;
}

bool ntsign_crypto_hmac_md5(struct ntsign_crypto *crypto,
			    const uint8_t *key, size_t key_len,
			    const uint8_t *data, size_t len,
			    uint8_t digest[16])
{
	return EVP_Q_mac(crypto->library, "HMAC", NULL, "MD5", NULL, key,
			 key_len, data, len, digest, 16, NULL) != NULL;
}

static bool encrypt(const EVP_CIPHER *cipher, const uint8_t *key,
		    const uint8_t *in, size_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int done = 0;
	bool ok = ctx != NULL &&
		  EVP_EncryptInit_ex2(ctx, cipher, key, NULL, NULL) == 1 &&
		  EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
		  EVP_EncryptUpdate(ctx, out, &done, in, (int)len) == 1 &&
		  (size_t)done == len;

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

bool ntsign_crypto_rc4(struct ntsign_crypto *crypto, const uint8_t key[16],
		       const uint8_t *in, size_t len, uint8_t *out)
{
	return encrypt(crypto->rc4, key, in, len, out);
}

bool ntsign_crypto_des(struct ntsign_crypto *crypto, const uint8_t key[7],
		       const uint8_t in[8], uint8_t out[8])
{
	uint64_t bits = 0;
	uint8_t full[8];
	unsigned int i;
	bool ok = false;

	for (i = 0; i < 7; i++) {
		bits = bits << 8 | key[i];
	}
	for (i = 0; i < 8; i++) {
		full[i] = (uint8_t)((bits >> (49 - 7 * i) & 0x7F) << 1);
	}
	ok = encrypt(crypto->des, full, in, 8, out);
	OPENSSL_cleanse(full, sizeof(full));
	OPENSSL_cleanse(&bits, sizeof(bits));
	return ok;
}

bool ntsign_crypto_random(struct ntsign_crypto *crypto, uint8_t *data,
			  size_t len)
{
	return RAND_bytes_ex(crypto->library, data, len, 0) == 1;
}

bool ntsign_crypto_signature(struct ntsign_crypto *crypto,
			     const uint8_t *key, size_t key_len,
			     const uint8_t *message, size_t len,
			     uint32_t sequence, uint8_t signature[8])
{
	uint8_t number[8] = {
		(uint8_t)sequence, (uint8_t)(sequence >> 8),
		(uint8_t)(sequence >> 16), (uint8_t)(sequence >> 24),
	};
	uint8_t digest[16];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = len >= HEADER_LEN && ctx != NULL &&
		  EVP_DigestInit_ex2(ctx, crypto->md5, NULL) == 1 &&
		  EVP_DigestUpdate(ctx, key, key_len) == 1 &&
		  EVP_DigestUpdate(ctx, message, SIGNATURE_AT) == 1 &&
		  EVP_DigestUpdate(ctx, number, sizeof(number)) == 1 &&
		  EVP_DigestUpdate(ctx, message + SIGNATURE_AT + 8,
				   len - SIGNATURE_AT - 8) == 1 &&
		  EVP_DigestFinal_ex(ctx, digest, NULL) == 1;

	if (ok) {
		memcpy(signature, digest, 8);
	}
	EVP_MD_CTX_free(ctx);
	return ok;
}

void ntsign_crypto_wipe(void *data, size_t len)
{
	if (data != NULL) {
		OPENSSL_cleanse(data, len);
	}
}
