/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The certificate whose credential handle Q192749 is about.
 *
 * Built into ntsign-crypto.so, like mac.h, because it needs OpenSSL.
 *
 * Invariant: the file is read once and nothing of it is kept but the digest.
 */
#ifndef NTSIGN_CERTIFICATE_H
#define NTSIGN_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#define NTSIGN_CERTIFICATE_DIGEST_LEN 32

/*
 * The SHA-256 of the first certificate in a PEM file, DER encoded: what
 * `openssl x509 -fingerprint -sha256` prints. A private key in front of it is
 * passed over. On failure returns false, and *why says what is wrong with the
 * file, a static text or strerror()'s.
 */
bool ntsign_certificate_digest(
	const char *path, uint8_t digest[NTSIGN_CERTIFICATE_DIGEST_LEN],
	const char **why);

#endif
