/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The answers to an NTLM challenge.
 *
 * Invariant: no hash of the password outlives the function that made it.
 */
#include <locale.h>
#include <string.h>
#include <time.h>
#include <wctype.h>

#include "probe_bytes.h"
#include "probe_ntlm.h"

/* Seconds from 1601 to 1970. */
#define EPOCH 11644473600ULL

uint64_t ntsign_ntlm_now(void)
{
	struct timespec now = { .tv_sec = 0 };

	clock_gettime(CLOCK_REALTIME, &now);
	return ((uint64_t)now.tv_sec + EPOCH) * 10000000 +
	       (uint64_t)now.tv_nsec / 100;
}

/* NTOWFv1: MD4 of the password in UTF-16. */
static bool nt_hash(TALLOC_CTX *mem_ctx, struct ntsign_crypto *crypto,
		    const char *password, uint8_t hash[16])
{
	/* room from the start, so that growing leaves no copy behind */
	size_t room = strlen(password) * 2 + 1;
	struct ntsign_bytes text = {
		.mem_ctx = mem_ctx,
		.data = talloc_array(mem_ctx, uint8_t, room),
		.room = room,
	};
	bool ok = false;

	if (text.data == NULL) {
		return false;
	}
	ntsign_bytes_put_text(&text, password);
	ok = !text.failed &&
	     ntsign_crypto_md4(crypto, text.data, text.len, hash);
	ntsign_crypto_wipe(text.data, text.len);
	TALLOC_FREE(text.data);
	return ok;
}

/* DESL: three DES keys out of the hash and zeros, [MS-NLMP] 6. */
static bool desl(struct ntsign_crypto *crypto, const uint8_t hash[16],
		 const uint8_t challenge[8], uint8_t response[24])
{
	uint8_t keys[21] = { 0 };
	bool ok = true;
	unsigned int i;

	memcpy(keys, hash, 16);
	for (i = 0; ok && i < 3; i++) {
		ok = ntsign_crypto_des(crypto, keys + 7 * i, challenge,
				       response + 8 * i);
	}
	ntsign_crypto_wipe(keys, sizeof(keys));
	return ok;
}

bool ntsign_ntlm_v1(TALLOC_CTX *mem_ctx, struct ntsign_crypto *crypto,
		    const struct ntsign_ntlm_account *account,
		    const uint8_t challenge[8],
		    struct ntsign_ntlm_response *response)
{
	uint8_t hash[16];
	bool ok = false;

	response->nt = talloc_zero_array(mem_ctx, uint8_t, 24);
	response->nt_len = 24;
	ok = response->nt != NULL &&
	     nt_hash(mem_ctx, crypto, account->password, hash) &&
	     desl(crypto, hash, challenge, response->nt) &&
	     ntsign_crypto_md4(crypto, hash, sizeof(hash), response->key);
	if (ok) {
		memcpy(response->lm, response->nt, 24);
	}
	ntsign_crypto_wipe(hash, sizeof(hash));
	return ok;
}

/*
 * Adds the user's name in upper case. Which characters have an upper case
 * does not depend on the user's locale, since it does not at the server.
 */
static void put_upper(struct ntsign_bytes *bytes, const char *user)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	size_t from = bytes->len;
	size_t i = 0;

	ntsign_bytes_put_text(bytes, user);
	for (i = from; !bytes->failed && i < bytes->len; i += 2) {
		wint_t c = get16(bytes->data + i);
		wint_t upper = c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;

		if (locale != (locale_t)0) {
			upper = towupper_l(c, locale);
		}
		if (upper < 0x10000) {
			ntsign_bytes_set16(bytes, i, (uint16_t)upper);
		}
	}
	if (locale != (locale_t)0) {
		freelocale(locale);
	}
}

/* NTOWFv2. */
static bool v2_hash(TALLOC_CTX *mem_ctx, struct ntsign_crypto *crypto,
		    const struct ntsign_ntlm_account *account,
		    uint8_t v2[16])
{
	struct ntsign_bytes name = { .mem_ctx = mem_ctx };
	uint8_t hash[16];
	bool ok = nt_hash(mem_ctx, crypto, account->password, hash);

	put_upper(&name, account->user);
	ntsign_bytes_put_text(&name, account->domain);
	ok = ok && !name.failed &&
	     ntsign_crypto_hmac_md5(crypto, hash, sizeof(hash), name.data,
				    name.len, v2);
	ntsign_crypto_wipe(hash, sizeof(hash));
	TALLOC_FREE(name.data);
	return ok;
}

/* Both responses and the key, from the hash. */
static bool v2_answer(TALLOC_CTX *mem_ctx, struct ntsign_crypto *crypto,
		      const uint8_t v2[16], const uint8_t challenge[8],
		      const struct ntsign_ntlm_client *client,
		      struct ntsign_ntlm_response *response)
{
	/* the server's challenge, then `temp` of [MS-NLMP] 3.3.2 */
	struct ntsign_bytes temp = { .mem_ctx = mem_ctx };
	uint8_t challenges[16];
	uint8_t *proof = NULL;

	ntsign_bytes_zero(&temp, 8);
	ntsign_bytes_put(&temp, challenge, 8);
	ntsign_bytes_put16(&temp, 0x0101);
	ntsign_bytes_zero(&temp, 6);
	ntsign_bytes_put64(&temp, client->time);
	ntsign_bytes_put(&temp, client->challenge, 8);
	ntsign_bytes_zero(&temp, 4);
	ntsign_bytes_put(&temp, client->target_info, client->target_info_len);
	ntsign_bytes_zero(&temp, 4);
	if (temp.failed) {
		return false;
	}
	/* NTProofStr takes the place of the challenge, and 8 bytes more */
	proof = temp.data;
	response->nt = proof;
	response->nt_len = temp.len;
	if (!ntsign_crypto_hmac_md5(crypto, v2, 16, temp.data + 8,
				    temp.len - 8, proof) ||
	    !ntsign_crypto_hmac_md5(crypto, v2, 16, proof, 16,
				    response->key)) {
		return false;
	}
	memset(response->lm, 0, sizeof(response->lm));
	if (client->no_lm) {
		return true;
	}
	memcpy(challenges, challenge, 8);
	memcpy(challenges + 8, client->challenge, 8);
	memcpy(response->lm + 16, client->challenge, 8);
	return ntsign_crypto_hmac_md5(crypto, v2, 16, challenges,
				      sizeof(challenges), response->lm);
}

bool ntsign_ntlm_v2(TALLOC_CTX *mem_ctx, struct ntsign_crypto *crypto,
		    const struct ntsign_ntlm_account *account,
		    const uint8_t challenge[8],
		    const struct ntsign_ntlm_client *client,
		    struct ntsign_ntlm_response *response)
{
	uint8_t v2[16];
	bool ok = v2_hash(mem_ctx, crypto, account, v2) &&
		  v2_answer(mem_ctx, crypto, v2, challenge, client, response);

	ntsign_crypto_wipe(v2, sizeof(v2));
	return ok;
}
