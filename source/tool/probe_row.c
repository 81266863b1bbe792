/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a client row of the matrix does on the wire.
 *
 * Invariant: a row that is going to sign says so in Flags2.
 */
#include <stdio.h>
#include <string.h>

#include "probe_message.h"
#include "probe_row.h"

#define OFFERS NTSIGN_FLAGS2_SIGNATURES
#define INSISTS (NTSIGN_FLAGS2_SIGNATURES | NTSIGN_FLAGS2_SIGNATURES_REQUIRED)

struct ntsign_party ntsign_row_party(unsigned int i)
{
	struct ntsign_party party = {
		.patched = i < NTSIGN_SIGNING_COUNT,
		.signing = (enum ntsign_signing)(i % NTSIGN_SIGNING_COUNT),
	};
	return party;
}

bool ntsign_row_from_name(const char *name, struct ntsign_party *party)
{
	struct ntsign_party found = { .patched = true };

	if (strncmp(name, "un", 2) == 0) {
		found.patched = false;
		name += 2;
	}
	if (strncmp(name, "patched-", 8) != 0 ||
	    !ntsign_signing_from_name(name + 8, &found.signing)) {
		return false;
	}
	*party = found;
	return true;
}

enum ntsign_signing ntsign_row_server(uint8_t security_mode)
{
	if ((security_mode & NTSIGN_MESSAGE_REQUIRES) != 0) {
		return NTSIGN_SIGNING_REQUIRED;
	}
	if ((security_mode & NTSIGN_MESSAGE_OFFERS) != 0) {
		return NTSIGN_SIGNING_ENABLED;
	}
	return NTSIGN_SIGNING_DISABLED;
}

struct ntsign_row_plan ntsign_row_decide(struct ntsign_party client,
					 uint8_t security_mode)
{
	enum ntsign_signing server = ntsign_row_server(security_mode);
	struct ntsign_row_plan plan = { .gives_up = false };

	switch (client.signing) {
	case NTSIGN_SIGNING_REQUIRED:
		/* the update lets it go on and say that it must sign */
		plan.gives_up = !client.patched &&
				server == NTSIGN_SIGNING_DISABLED;
		plan.flags2 = INSISTS;
		plan.insists = true;
		break;
	case NTSIGN_SIGNING_ENABLED:
		plan.flags2 = server != NTSIGN_SIGNING_DISABLED ? OFFERS : 0;
		break;
	case NTSIGN_SIGNING_DISABLED:
		/* the update lets it sign where the server requires it */
		plan.flags2 = client.patched &&
			      server == NTSIGN_SIGNING_REQUIRED ? OFFERS : 0;
		break;
	}
	return plan;
}
