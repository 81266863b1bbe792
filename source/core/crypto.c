/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether ntsign-crypto.so and a module fit each other: crypto.h.
 *
 * Invariant: a module of another number is told nothing that it could take
 * for its own.
 */
#include "ntsign/crypto.h"

uint32_t ntsign_crypto_abi(uint32_t module)
{
	return (module == NTSIGN_CRYPTO_ABI) ? NTSIGN_CRYPTO_ABI : 0;
}
