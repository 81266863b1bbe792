/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The little of SPNEGO that carries NTLMSSP: [RFC4178] 4.2.
 *
 * Invariant: DER is read as DER: definite and shortest lengths, fields in
 * their order, nothing left over.
 */
#ifndef NTSIGN_PROBE_SPNEGO_H
#define NTSIGN_PROBE_SPNEGO_H

#include "probe_bytes.h"

/* Adds a NegTokenInit that offers NTLMSSP alone, with its first message. */
void ntsign_spnego_init(struct ntsign_bytes *out, const uint8_t *token,
			size_t len);
/* Adds a NegTokenResp with a further message and, unless it is NULL, the
 * 16 bytes of the signature of the mechanism list. */
void ntsign_spnego_answer(struct ntsign_bytes *out, const uint8_t *token,
			  size_t len, const uint8_t *mic);

/* The mechanism list of ntsign_spnego_init(), which the two sides sign:
 * [RFC4178] 5. */
const uint8_t *ntsign_spnego_mechanisms(size_t *len);

enum ntsign_spnego_state {
	NTSIGN_SPNEGO_COMPLETED = 0,
	NTSIGN_SPNEGO_INCOMPLETE = 1,
	NTSIGN_SPNEGO_REJECT = 2,
	NTSIGN_SPNEGO_REQUEST_MIC = 3,
	NTSIGN_SPNEGO_NONE,	/* the field is not there */
};

/* A NegTokenResp. */
struct ntsign_spnego_reply {
	enum ntsign_spnego_state state;
	/* the server has chosen a mechanism, and it is not NTLMSSP */
	bool other_mechanism;
	/* within the bytes given; NULL where there is none */
	const uint8_t *token;
	size_t token_len;
	/* the server's signature of the mechanism list, likewise */
	const uint8_t *mic;
	size_t mic_len;
};

/* False when it is no NegTokenResp. */
bool ntsign_spnego_parse(const uint8_t *data, size_t len,
			 struct ntsign_spnego_reply *reply);

#endif
