/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One client that is being played: how it ends, and how it talks. Internal
 * to probe_play.c, probe_setup.c and probe_player.c.
 *
 * Functions that return a bool say whether the play goes on; one that says
 * no has written either an outcome or an error into the result.
 *
 * Invariant: from the first signed answer on every answer is signed, with
 * the number that is due, or the client gives up.
 */
#ifndef NTSIGN_PROBE_PLAYER_H
#define NTSIGN_PROBE_PLAYER_H

#include "probe_message.h"
#include "probe_play.h"

#define NTSIGN_PLAYER_NEGOTIATE "NEGOTIATE"
#define NTSIGN_PLAYER_SETUP "SESSION_SETUP_ANDX"
#define NTSIGN_PLAYER_TREE_CONNECT "TREE_CONNECT_ANDX"
#define NTSIGN_PLAYER_ECHO "ECHO"
#define NTSIGN_PLAYER_TREE_DISCONNECT "TREE_DISCONNECT"

struct ntsign_player {
	const struct ntsign_play_part *part;
	struct ntsign_play_result *result;
	struct ntsign_link *link;
	struct ntsign_negotiated server;
	struct ntsign_row_plan plan;
	struct ntsign_message_header header;
	/* the key that messages are signed with, a secret */
	uint8_t *key;
	size_t key_len;
	/* requests are signed, and answers have to be */
	bool is_signing;
	/* of the next request; 0 until the session setup is over */
	uint32_t sequence;
};

/* An answer, with the bytes it lies in. */
struct ntsign_player_answer {
	uint8_t *message;
	size_t len;
	struct ntsign_reply reply;
	struct ntsign_play_message *note;
};

/* ---- how it ends; all of these return false ---- */

/* An error; NULL is the one of a text that memory did not suffice for. */
bool ntsign_player_fail(struct ntsign_player *p, const char *text);
bool ntsign_player_fail_text(struct ntsign_player *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The server does not speak SMB1. */
bool ntsign_player_no_smb1(struct ntsign_player *p, const char *how);
/* No communication; at: the message it ended at. */
bool ntsign_player_end(struct ntsign_player *p, enum ntsign_ended_by by,
		       const char *at, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* No communication: the client gives up because of a bad signature. */
bool ntsign_player_bad_signature(struct ntsign_player *p, const char *at,
				 const struct ntsign_player_answer *a,
				 uint32_t expected);

/* "signed" or "not signed", what the client's requests are. */
const char *ntsign_player_how(const struct ntsign_player *p);

/* ---- requests and answers ---- */

/* What an answer's signature is, the number that is due being given. */
enum ntsign_verdict ntsign_player_judge(struct ntsign_player *p,
					const struct ntsign_player_answer *a,
					uint32_t sequence);

/* An empty request; the header has its number. */
struct ntsign_bytes ntsign_player_request(struct ntsign_player *p);

/*
 * Sends a request and waits for its answer, whose signature is then found
 * good where there has to be one. name: one of the names above. What the
 * answer points to is a child of the link.
 */
bool ntsign_player_exchange(struct ntsign_player *p, const char *name,
			    struct ntsign_bytes *request,
			    struct ntsign_player_answer *a);

/* ---- probe_setup.c ---- */

/* The session setup, as the row and the server's SecurityMode have it; after
 * it the client knows whether it signs. */
bool ntsign_player_setup(struct ntsign_player *p);

#endif
