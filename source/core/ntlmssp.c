/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NTLMSSP messages as far as an audit needs them: [MS-NLMP] 2.2.1.
 *
 * Invariant: no parser reads outside the bytes it was given.
 */
#include "ntsign/ntlmssp.h"

#include <string.h>

#include "bytes.h"
#include "ntsign/text.h"

/* Least lengths: [MS-NLMP] 2.2.1.1 to 2.2.1.3, without optional fields. */
#define NEGOTIATE_LEN 16
#define CHALLENGE_LEN 32
#define AUTHENTICATE_LEN 64
/* Windows 9x ends the fixed part of AUTHENTICATE in front of the key. */
#define AUTHENTICATE_SHORT_LEN 52

struct message {
	const uint8_t *data;
	size_t len;
};

/* A part of the payload that the fixed part points to. */
struct field {
	const uint8_t *data;
	uint16_t len;
};

/* Reads the pointer at `at`; false when it points outside the message. */
static bool field_take(const struct message *message, size_t at,
		       struct field *field)
{
	uint16_t len = pull16(message->data + at);
	uint32_t offset = pull32(message->data + at + 4);

	if (len == 0) {
		*field = (struct field) { .data = message->data };
		return true;
	}
	if (offset > message->len || len > message->len - offset) {
		return false;
	}
	*field = (struct field) { .data = message->data + offset, .len = len };
	return true;
}

static char *field_text(TALLOC_CTX *mem_ctx, const struct field *field,
			uint32_t flags)
{
	if (flags & NTSIGN_NTLMSSP_UNICODE) {
		return ntsign_text_utf16(mem_ctx, field->data, field->len);
	}
	return ntsign_text_bytes(mem_ctx, field->data, field->len);
}

static bool negotiate_parse(const struct message *message,
			    struct ntsign_ntlmssp *result)
{
	if (message->len < NEGOTIATE_LEN) {
		return false;
	}
	result->flags = pull32(message->data + 12);
	return true;
}

static bool challenge_parse(const struct message *message,
			    struct ntsign_ntlmssp *result)
{
	struct field target = { .len = 0 };

	if (message->len < CHALLENGE_LEN || !field_take(message, 12, &target))
	{
		return false;
	}
	result->flags = pull32(message->data + 20);
	return true;
}

enum {
	FIELD_LM,
	FIELD_NT,
	FIELD_DOMAIN,
	FIELD_ACCOUNT,
	FIELD_WORKSTATION,
	FIELD_COUNT
};

/*
 * The flags of an AUTHENTICATE message, 0 for one that has none: there the
 * payload begins where they would stand, or the field in front of them does
 * not hold together, which Samba takes for the same.
 */
static uint32_t authenticate_flags(const struct message *message,
				   const struct field fields[FIELD_COUNT])
{
	struct field session_key = { .len = 0 };
	size_t i = 0;

	if (message->len < AUTHENTICATE_LEN) {
		return 0;
	}
	for (i = 0; i < FIELD_COUNT; i++) {
		size_t offset = (size_t)(fields[i].data - message->data);

		if (fields[i].len > 0 && offset < AUTHENTICATE_LEN) {
			return 0;
		}
	}
	if (!field_take(message, 52, &session_key)) {
		return 0;
	}
	return pull32(message->data + 60);
}

static bool authenticate_parse(const struct message *message,
			       uint32_t negotiated,
			       struct ntsign_ntlmssp *result)
{
	struct field fields[FIELD_COUNT] = { { .len = 0 } };
	const struct field *lm = &fields[FIELD_LM];
	size_t i = 0;

	if (message->len < AUTHENTICATE_SHORT_LEN) {
		return false;
	}
	for (i = 0; i < FIELD_COUNT; i++) {
		if (!field_take(message, 12 + 8 * i, &fields[i])) {
			return false;
		}
	}
	result->flags = authenticate_flags(message, fields);
	if (result->flags != 0) {
		negotiated = result->flags;
	}

	result->lm_response_len = lm->len;
	result->nt_response_len = fields[FIELD_NT].len;
	result->anonymous = fields[FIELD_ACCOUNT].len == 0 &&
			    fields[FIELD_NT].len == 0 &&
			    (lm->len == 0 ||
			     (lm->len == 1 && lm->data[0] == 0));

	result->domain = field_text(result, &fields[FIELD_DOMAIN],
				    negotiated);
	result->account = field_text(result, &fields[FIELD_ACCOUNT],
				     negotiated);
	result->workstation = field_text(result, &fields[FIELD_WORKSTATION],
					 negotiated);
	return result->domain != NULL && result->account != NULL &&
	       result->workstation != NULL;
}

struct ntsign_ntlmssp *ntsign_ntlmssp_parse(TALLOC_CTX *mem_ctx,
					    const uint8_t *data, size_t len,
					    uint32_t negotiated)
{
	static const char signature[8] = "NTLMSSP";
	const struct message message = { .data = data, .len = len };
	struct ntsign_ntlmssp *result = NULL;
	uint32_t type = 0;
	bool ok = false;

	if (len < sizeof(signature) + 4 ||
	    memcmp(data, signature, sizeof(signature)) != 0)
	{
		return NULL;
	}

	result = talloc_zero(mem_ctx, struct ntsign_ntlmssp);
	if (result == NULL) {
		return NULL;
	}
	type = pull32(data + sizeof(signature));
	switch (type) {
	case NTSIGN_NTLMSSP_NEGOTIATE:
		ok = negotiate_parse(&message, result);
		break;
	case NTSIGN_NTLMSSP_CHALLENGE:
		ok = challenge_parse(&message, result);
		break;
	case NTSIGN_NTLMSSP_AUTHENTICATE:
		ok = authenticate_parse(&message, negotiated, result);
		break;
	default:
		break;
	}
	if (!ok) {
		talloc_free(result);
		return NULL;
	}
	result->type = type;
	return result;
}

unsigned int ntsign_ntlmssp_key_bits(uint32_t flags)
{
	if (flags & NTSIGN_NTLMSSP_EXTENDED_SESSIONSECURITY) {
		if (flags & NTSIGN_NTLMSSP_128) {
			return 128;
		}
		return flags & NTSIGN_NTLMSSP_56 ? 56 : 40;
	}
	if (flags & NTSIGN_NTLMSSP_LM_KEY) {
		return flags & NTSIGN_NTLMSSP_56 ? 56 : 40;
	}
	/* the session key as it is */
	return 128;
}

const char *ntsign_ntlmssp_version(const struct ntsign_ntlmssp *authenticate)
{
	if (authenticate->anonymous) {
		return "anonymous";
	}
	if (authenticate->nt_response_len > 24) {
		return "NTLMv2";
	}
	if (authenticate->nt_response_len == 0) {
		return "LM";
	}
	if (authenticate->flags & NTSIGN_NTLMSSP_EXTENDED_SESSIONSECURITY) {
		return "NTLMv2 session";
	}
	return "NTLMv1";
}
