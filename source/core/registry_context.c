/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine behind the tap on a named pipe: presentation and security
 * contexts, [MS-RPCE] 3.3.1.5.3 and 3.3.1.5.4.
 *
 * Invariant: what a client has proposed is remembered as the strictest of
 * what it was proposed as, and never forgotten.
 */
#include "registry_machine.h"

#include <string.h>

#include "ntsign/ntlmssp.h"

/* What Samba takes of them: dcesrv:max auth states */
#define AUTHS_MAX 2049

uint8_t ntsign_registry_context_use(const struct ntsign_registry *r,
				    uint16_t id)
{
	const uint8_t *page = r->contexts[id / PAGE_LEN];

	return page != NULL ? page[id % PAGE_LEN] : NOT_PROPOSED;
}

/* What has once been proposed as winreg's stays so: the server may have
 * refused what was proposed later. The uses are in that order. */
bool ntsign_registry_context_note(void *private_data, uint16_t id,
				  enum ntsign_dcerpc_use use)
{
	struct ntsign_registry *r = private_data;
	uint8_t **page = &r->contexts[id / PAGE_LEN];

	if (*page == NULL) {
		if (!ntsign_registry_keep(r, PAGE_LEN)) {
			return ntsign_registry_too_much(r);
		}
		*page = talloc_zero_array(r, uint8_t, PAGE_LEN);
		if (*page == NULL) {
			return ntsign_registry_no_memory(r);
		}
	}
	if ((*page)[id % PAGE_LEN] < (uint8_t)use) {
		(*page)[id % PAGE_LEN] = (uint8_t)use;
	}
	return true;
}

struct auth *ntsign_registry_auth_find(const struct ntsign_registry *r,
				       uint32_t id)
{
	size_t i;

	for (i = 0; i < r->auths_count; i++) {
		if (r->auths[i].id == id) {
			return &r->auths[i];
		}
	}
	return NULL;
}

/* NTLMSSP tokens stand in SPNEGO's as they are. NULL: there is none. */
static const uint8_t *find_ntlmssp(const uint8_t *token, size_t len)
{
	static const char mark[] = "NTLMSSP";
	size_t pos;

	for (pos = 0; pos + sizeof(mark) <= len; pos++) {
		if (memcmp(token + pos, mark, sizeof(mark)) == 0) {
			return token + pos;
		}
	}
	return NULL;
}

static void auth_token(struct ntsign_registry *r, struct auth *auth,
		       const uint8_t *token, size_t len)
{
	struct ntsign_ntlmssp *message = NULL;
	const uint8_t *p = find_ntlmssp(token, len);

	if (p == NULL) {
		return;
	}
	auth->ntlmssp = true;
	message = ntsign_ntlmssp_parse(r, p, len - (size_t)(p - token), 0);
	if (message != NULL && message->type == NTSIGN_NTLMSSP_AUTHENTICATE &&
	    message->flags != 0) {
		auth->key_bits = ntsign_ntlmssp_key_bits(message->flags);
	}
	TALLOC_FREE(message);
}

bool ntsign_registry_auth_note(struct ntsign_registry *r,
			       const struct ntsign_dcerpc_auth *said)
{
	struct auth *auth = NULL;

	if (!said->present) {
		return true;
	}
	auth = ntsign_registry_auth_find(r, said->context);
	if (auth == NULL && r->auths_count < AUTHS_MAX) {
		if (!ntsign_registry_keep(r, sizeof(*auth))) {
			return ntsign_registry_too_much(r);
		}
		auth = talloc_realloc(r, r->auths, struct auth,
				      r->auths_count + 1);
		if (auth == NULL) {
			return ntsign_registry_no_memory(r);
		}
		r->auths = auth;
		auth += r->auths_count;
		r->auths_count++;
		*auth = (struct auth) {
			.id = said->context,
			.type = said->type,
			.level = said->level,
		};
	}
	if (auth != NULL) {
		auth_token(r, auth, said->token, said->token_len);
	}
	return true;
}
