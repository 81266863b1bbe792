/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The signing matrix of KB916846 as a pure function.
 *
 * Invariant: nothing here allocates, does I/O, reads a clock or a global;
 * everything a decision depends on is among its arguments.
 */
#ifndef NTSIGN_POLICY_H
#define NTSIGN_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SMB1 header Flags2, [MS-CIFS] 2.2.3.1 and [MS-SMB] 2.2.3.1 */
#define NTSIGN_FLAGS2_SIGNATURES		0x0004
#define NTSIGN_FLAGS2_SIGNATURES_REQUIRED	0x0010
#define NTSIGN_FLAGS2_EXTENDED_SECURITY		0x0800
#define NTSIGN_FLAGS2_UNICODE			0x8000

/* SMB2 SecurityMode, [MS-SMB2] 2.2.3 and 2.2.5 */
#define NTSIGN_SMB2_SIGNING_ENABLED		0x01
#define NTSIGN_SMB2_SIGNING_REQUIRED		0x02

/* A side's signing policy, in the article's words. */
enum ntsign_signing {
	NTSIGN_SIGNING_REQUIRED,
	NTSIGN_SIGNING_ENABLED,
	NTSIGN_SIGNING_DISABLED,
};
#define NTSIGN_SIGNING_COUNT 3

/* What a cell of the matrix says, and what a session came to. */
enum ntsign_outcome {
	NTSIGN_OUTCOME_SIGNED,
	NTSIGN_OUTCOME_NOT_SIGNED,
	NTSIGN_OUTCOME_NO_COMMUNICATION,
};
#define NTSIGN_OUTCOME_COUNT 3

enum ntsign_mismatch {
	NTSIGN_MISMATCH_NONE,
	/* one side requires what the other has disabled, or does not do */
	NTSIGN_MISMATCH_SETTINGS,
	/* what happened is not what the matrix says */
	NTSIGN_MISMATCH_OUTCOME,
};
#define NTSIGN_MISMATCH_COUNT 3

/* One side: with or without the KB916846 update, and its policy. */
struct ntsign_party {
	bool patched;
	enum ntsign_signing signing;
};

/*
 * Which table decides. SMB1 is the article's own. SMB2 and later know only
 * "required" and "not required" (recorded as enabled), and two sides of which
 * neither requires do not sign: [MS-SMB2] 3.2.5.3.1 and 3.3.5.5.3.
 */
enum ntsign_family {
	NTSIGN_FAMILY_SMB1,
	NTSIGN_FAMILY_SMB2,
};
#define NTSIGN_FAMILY_COUNT 2

/* The names that stand in records, options and the command's output;
 * "invalid" for a value outside the enum. */
const char *ntsign_signing_name(enum ntsign_signing signing);
const char *ntsign_outcome_name(enum ntsign_outcome outcome);
const char *ntsign_mismatch_name(enum ntsign_mismatch mismatch);

/*
 * The reverse; exact, lower case, as written by the functions above.
 * Returns false and leaves the result alone when the name is none.
 */
bool ntsign_signing_from_name(const char *name, enum ntsign_signing *signing);
bool ntsign_outcome_from_name(const char *name, enum ntsign_outcome *outcome);
bool ntsign_mismatch_from_name(const char *name,
			       enum ntsign_mismatch *mismatch);

/*
 * The matrix: KB916846, "Interoperability matrix for SMB signing".
 * Any value outside the enums is answered NO_COMMUNICATION.
 */
enum ntsign_outcome ntsign_policy_expected(enum ntsign_family family,
					   struct ntsign_party client,
					   struct ntsign_party server);

/* What is known of a session setup that has ended. */
struct ntsign_session_facts {
	enum ntsign_family family;
	struct ntsign_party client;
	struct ntsign_party server;
	/* the server's final answer was STATUS_SUCCESS */
	bool established;
	/* the server refused because of signing, not of the password */
	bool refused;
	/* messages are signed (or encrypted) in both directions from here */
	bool signing;
	/* strength of an NTLMSSP session's key; 0: not known, or none */
	unsigned int key_bits;
	/* what the administrator asks for; 0: nothing */
	unsigned int minimum_key_bits;
};

struct ntsign_session_verdict {
	enum ntsign_outcome expected;
	enum ntsign_outcome outcome;
	enum ntsign_mismatch mismatch;
};

/*
 * Judges a session setup that has ended. A logon that failed for another
 * reason than signing has the outcome NO_COMMUNICATION and is no mismatch of
 * outcome: the matrix does not speak of passwords. A session that is better
 * protected than the matrix says (an encrypted one) is no mismatch either.
 *
 * SETTINGS comes second to OUTCOME, but where a session was refused for a key
 * that is too weak. SMB2 has no "disabled", so there it can
 * only come of a key with fewer bits than the administrator asks for.
 */
struct ntsign_session_verdict ntsign_policy_judge(
	const struct ntsign_session_facts *facts);

/*
 * The row an SMB1 client belongs in, from what it says on the wire:
 * Flags2 of its session setup. [MS-SMB] 2.2.3.1
 */
enum ntsign_signing ntsign_policy_smb1_client(uint16_t flags2);

/*
 * The row of an SMB2 client: SecurityMode of its NEGOTIATE and of its
 * SESSION_SETUP; either one can require. [MS-SMB2] 2.2.3, 2.2.5
 */
enum ntsign_signing ntsign_policy_smb2_client(uint16_t negotiate_mode,
					      uint16_t session_mode);

/* What a server does with an SMB1 session setup. */
enum ntsign_action {
	/* goes on, and signs from the session's first key on */
	NTSIGN_ACTION_SIGN,
	/* goes on, and does not sign */
	NTSIGN_ACTION_NOT_SIGN,
	/* answers STATUS_ACCESS_DENIED, whatever the password */
	NTSIGN_ACTION_REFUSE,
};

/*
 * What a server in column `server` does with an SMB1 session setup request,
 * by what the client says in it; whether the client has the update never
 * changes it. KB916846, "Interoperability matrix for SMB signing".
 *
 * flags2: the request's. 0x0010 without 0x0004 counts as both.
 * bsrspyl: its SecuritySignature is "BSRSPYL ", the mark of a client that is
 * going to sign and has no key yet. It counts only where the server requires
 * signing: Samba's clients that sign for no other reason send it without
 * 0x0004.
 *
 * A `signing` outside the enum is answered REFUSE.
 */
enum ntsign_action ntsign_policy_smb1_decide(struct ntsign_party server,
					     uint16_t flags2, bool bsrspyl);

/*
 * Whether a native OS string (UTF-8, may be NULL) is Windows NT 4.0's or
 * Windows 2000's, which never had the update. "Windows 2002" (XP) is not.
 *
 * On the wire these are "Windows NT 1381", "Windows NT 4.0", "Windows 2000
 * 2195" and "Windows 2000 5.0". Case counts. "Windows 2000" has to be
 * followed by the end or a space; "Windows NT" by the end, or by a space
 * and a version up to 4 or a build from 100 to 1381 and then the end or a
 * space.
 */
bool ntsign_policy_os_unpatched(const char *native_os);

#endif
