/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests the SMB1 signature with a message that smbclient signed.
 *
 * Invariant: the key was worked out from that session's NTLMv2 exchange by
 * other means than this code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ntsign/crypto.h"
#include "ntsign/mac.h"
#include "failing_malloc.h"
#include "frames.h"

#define SEQUENCE 2

static bool mac_of(const uint8_t *message, size_t len, uint32_t sequence,
		   uint8_t mac[8])
{
	return ntsign_mac_smb1(frame_signed_key, sizeof(frame_signed_key),
			       message, len, sequence, mac);
}

static enum ntsign_mac_result match(const uint8_t *message, size_t len,
				    uint32_t expected, uint32_t *matched)
{
	return ntsign_mac_smb1_match(frame_signed_key,
				     sizeof(frame_signed_key), message, len,
				     expected, matched);
}

static void test_real(void **state)
{
	uint8_t mac[8] = { 0 };

	(void)state;
	assert_true(mac_of(frame_signed, sizeof(frame_signed), SEQUENCE,
			   mac));
	assert_memory_equal(mac, frame_signed + 14, 8);
}

/* Only the signature field does not count, all other bytes do. */
static void test_every_byte(void **state)
{
	uint8_t copy[sizeof(frame_signed)];
	uint8_t key[sizeof(frame_signed_key)];
	uint8_t mac[8] = { 0 };
	size_t i = 0;

	(void)state;
	for (i = 0; i < sizeof(copy); i++) {
		bool signature = i >= 14 && i < 22;
		bool same = false;

		memcpy(copy, frame_signed, sizeof(copy));
		copy[i] ^= 0x80;
		assert_true(mac_of(copy, sizeof(copy), SEQUENCE, mac));
		same = memcmp(mac, frame_signed + 14, 8) == 0;
		assert_int_equal(same, signature);
	}
	for (i = 0; i < sizeof(key); i++) {
		memcpy(key, frame_signed_key, sizeof(key));
		key[i] ^= 1;
		assert_true(ntsign_mac_smb1(key, sizeof(key), frame_signed,
					    sizeof(frame_signed), SEQUENCE,
					    mac));
		assert_memory_not_equal(mac, frame_signed + 14, 8);
	}
}

static void test_lengths(void **state)
{
	/* md5sum of 32 bytes: FF 'S' 'M' 'B', zeros, and sequence number
	 * 0x01020304 little-endian at 14; no key */
	static const uint8_t wanted[8] = {
		0x5A, 0x7D, 0x98, 0xAD, 0xDF, 0x6D, 0x0C, 0x1B,
	};
	uint8_t header[32] = { 0xFF, 'S', 'M', 'B' };
	uint8_t mac[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint32_t matched = 77;
	size_t len = 0;

	(void)state;
	for (len = 0; len < 32; len++) {
		uint8_t *copy = malloc(len > 0 ? len : 1);

		memcpy(copy, frame_signed, len);
		assert_false(mac_of(copy, len, SEQUENCE, mac));
		assert_int_equal(match(copy, len, SEQUENCE, &matched),
				 NTSIGN_MAC_ERROR);
		free(copy);
	}
	assert_memory_equal(mac, "\1\2\3\4\5\6\7\10", 8);
	assert_int_equal(matched, 77);

	assert_true(ntsign_mac_smb1(NULL, 0, header, sizeof(header),
				    0x01020304, mac));
	assert_memory_equal(mac, wanted, 8);
}

static void test_window(void **state)
{
	int32_t distance = 0;

	(void)state;
	for (distance = -10; distance <= 10; distance++) {
		uint32_t expected = SEQUENCE + (uint32_t)distance;
		uint32_t matched = 77;
		enum ntsign_mac_result got = match(frame_signed,
						   sizeof(frame_signed),
						   expected, &matched);

		if (distance == 0) {
			assert_int_equal(got, NTSIGN_MAC_GOOD);
		} else if (distance >= -8 && distance <= 8) {
			assert_int_equal(got, NTSIGN_MAC_NEAR);
		} else {
			assert_int_equal(got, NTSIGN_MAC_BAD);
			assert_int_equal(matched, 77);
			continue;
		}
		assert_int_equal(matched, SEQUENCE);
	}
}

/* The count goes on from 0xFFFFFFFF to 0, and has begun with 0. */
static void test_wrap(void **state)
{
	uint8_t copy[sizeof(frame_signed)];
	uint32_t matched = 77;

	(void)state;
	memcpy(copy, frame_signed, sizeof(copy));
	assert_true(mac_of(copy, sizeof(copy), 0xFFFFFFFE, copy + 14));
	assert_int_equal(match(copy, sizeof(copy), 1, &matched),
			 NTSIGN_MAC_BAD);
	assert_int_equal(matched, 77);
	assert_true(mac_of(copy, sizeof(copy), 0, copy + 14));
	assert_int_equal(match(copy, sizeof(copy), 8, &matched),
			 NTSIGN_MAC_NEAR);
	assert_int_equal(matched, 0);
	assert_true(mac_of(copy, sizeof(copy), 1, copy + 14));
	assert_int_equal(match(copy, sizeof(copy), 0xFFFFFFFE, &matched),
			 NTSIGN_MAC_NEAR);
	assert_int_equal(matched, 1);
}

static void test_no_memory(void **state)
{
	uint8_t mac[8] = { 0 };
	size_t failures = 0;
	size_t n = 0;
	bool failed = true;

	(void)state;
	if (!FAILING_MALLOC_WORKS) {
		skip();
	}
	/* what OpenSSL sets up once is set up without a failure */
	assert_true(mac_of(frame_signed, sizeof(frame_signed), SEQUENCE,
			   mac));
	for (n = 0; failed; n++) {
		uint8_t got[8] = { 0 };
		uint32_t matched = 77;
		bool ok = false;
		enum ntsign_mac_result result = NTSIGN_MAC_BAD;

		failing_malloc_arm(n);
		ok = mac_of(frame_signed, sizeof(frame_signed), SEQUENCE,
			    got);
		failed = failing_malloc_disarm();
		if (!ok) {
			assert_true(failed);
			failures++;
			failing_malloc_arm(n);
			result = match(frame_signed, sizeof(frame_signed),
				       SEQUENCE, &matched);
			failing_malloc_disarm();
			assert_int_equal(result, NTSIGN_MAC_ERROR);
			assert_int_equal(matched, 77);
		} else {
			assert_memory_equal(got, frame_signed + 14, 8);
		}
	}
	/* the context, and what it is set up with */
	assert_true(failures >= 2);
}

/* A module of another number gets an answer that it does not take. */
static void test_abi(void **state)
{
	uint32_t module;

	assert_int_equal(ntsign_crypto_abi(NTSIGN_CRYPTO_ABI),
			 NTSIGN_CRYPTO_ABI);
	for (module = 0; module < 10; module++) {
		if (module != NTSIGN_CRYPTO_ABI) {
			assert_int_not_equal(ntsign_crypto_abi(module),
					     module == 0 ? NTSIGN_CRYPTO_ABI :
							   module);
		}
	}
	assert_int_equal(ntsign_crypto_abi(UINT32_MAX), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_abi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
