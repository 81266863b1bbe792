/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How ntsign.so and ntsign-crypto.so know that they fit each other.
 *
 * A connection's process has loaded ntsign.so when it began, and loads
 * ntsign-crypto.so when it first needs it: after an upgrade these are files
 * of two releases.
 *
 * Invariant: whoever changes what mac.h or certificate.h declare gives
 * NTSIGN_CRYPTO_ABI the next number.
 */
#ifndef NTSIGN_CRYPTO_H
#define NTSIGN_CRYPTO_H

#include <stdint.h>

#define NTSIGN_CRYPTO_ABI 1

/*
 * What ntsign-crypto.so answers a module with the number `module`: its own
 * number, or 0 where it does not serve such a module. The module in turn
 * takes no other number than its own.
 */
uint32_t ntsign_crypto_abi(uint32_t module);

#endif
