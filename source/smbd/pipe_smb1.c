/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SMB1 requests about pipes that smbd must not see: see pipe.c.
 *
 * Before authentication a client can reach: ntsign_pipe_frame(), up to the
 * lookup of its tree.
 *
 * Invariant: a request is taken from smbd only when all of it is in the socket
 * and its signature, where signing is on, is the one that smbd expects.
 */
#include "module.h"
#include "librpc/gen_ndr/smbXsrv.h"

#include "ntsign/smb1_open.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_RPC_SRV

/* An open's header, words and the longest name that is of interest. */
#define OPEN_MAX 1024

static bool is_ipc(struct ntsign_connection *c, const uint8_t *message)
{
	struct smbXsrv_tcon *tcon = NULL;
	NTSTATUS status;

	status = smb1srv_tcon_lookup(c->xconn, SVAL(message, 24),
				     timeval_to_nttime(&(struct timeval) {
					     .tv_sec = time(NULL), }),
				     &tcon);
	return NT_STATUS_IS_OK(status) &&
	       ntsign_layout_fits(NTSIGN_LAYOUT_TREE, tcon) &&
	       ntsign_layout_fits(NTSIGN_LAYOUT_SHARE, tcon->compat) &&
	       IS_IPC(tcon->compat);
}

/*
 * Answers in smbd's place. False: smbd shall see the request, because its
 * signature is wrong.
 */
static bool answer(struct ntsign_connection *c, const uint8_t *message,
		   size_t len, NTSTATUS status)
{
	uint32_t sequence = 0;

	if (!ntsign_signature_take(c, &sequence)) {
		return false;
	}
	ntsign_enforce_answer(c, message, len, sequence, status);
	return true;
}

/*
 * smbd carries an AndX chain out in one go: what is written to a pipe behind
 * its open, by whichever of many commands, would be on its way before a tap is
 * in place. No client has anything there.
 */
static bool goes_on_behind_open(const uint8_t *message, size_t len)
{
	static const uint8_t opens[] = {
		NTSIGN_SMB1_OPEN_ANDX, NTSIGN_SMB1_NT_CREATE_ANDX,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(opens); i++) {
		size_t at = ntsign_smb1_find_command(message, len, opens[i]);

		/* its word count, and its first word's AndXCommand */
		if (at != 0 && at + 1 < len && message[at] != 0 &&
		    message[at + 1] != 0xFF) {
			return true;
		}
	}
	return false;
}

/*
 * Whether a request of the chain may be about IPC$: a tree connect, wherever
 * it stands, is what takes those behind it to another tree.
 */
static bool reaches_ipc(struct ntsign_connection *c,
			const struct ntsign_smb1_header *header,
			const uint8_t *message, size_t have)
{
	return header->command == NTSIGN_SMB1_SESSION_SETUP ||
	       ntsign_smb1_find_command(message, have,
					NTSIGN_SMB1_TREE_CONNECT) != 0 ||
	       is_ipc(c, message);
}

/* Whether no command of the chain can stand behind what is there of it. */
static bool all_commands_seen(size_t have, size_t full)
{
	return have == full || NTSIGN_NBT_HEADER_LEN + have >= NTSIGN_WAIT_MAX;
}

static bool chain_denied(struct ntsign_connection *c,
			 const struct ntsign_smb1_header *header,
			 const uint8_t *message, size_t have, size_t full)
{
	if (!reaches_ipc(c, header, message, have) &&
	    all_commands_seen(have, full)) {
		return false;
	}
	if (have < full) {
		/* its rest is not to come, or it is longer than any */
		exit_server_cleanly("ntsign: a chain of requests cannot be "
				    "seen");
	}
	if (!goes_on_behind_open(message, have)) {
		return false;
	}
	DBG_NOTICE("ntsign: a pipe's open with a request behind it in one "
		   "message is denied\n");
	return answer(c, message, full, NT_STATUS_ACCESS_DENIED);
}

static bool open_unavailable(struct ntsign_connection *c,
			     const uint8_t *message, size_t full)
{
	uint8_t whole[NTSIGN_NBT_HEADER_LEN + OPEN_MAX];
	char name[64];
	ssize_t n;

	if (NTSIGN_NBT_HEADER_LEN + full > sizeof(whole) ||
	    !is_ipc(c, message)) {
		return false;
	}
	n = recv(c->xconn->transport.sock, whole,
		 NTSIGN_NBT_HEADER_LEN + full, MSG_PEEK | MSG_DONTWAIT);
	if (n != (ssize_t)(NTSIGN_NBT_HEADER_LEN + full) ||
	    !ntsign_smb1_open_name(whole + NTSIGN_NBT_HEADER_LEN, full, name,
				   sizeof(name)) ||
	    !ntsign_smb1_is_pipe(name, "winreg") ||
	    !answer(c, whole + NTSIGN_NBT_HEADER_LEN, full,
		    NT_STATUS_PIPE_NOT_AVAILABLE)) {
		return false;
	}
	ntsign_pipe_unavailable(c, SVAL(message, 28));
	return true;
}

bool ntsign_pipe_frame(struct ntsign_connection *c,
		       const struct ntsign_smb1_header *header,
		       const uint8_t *message, size_t have, size_t full)
{
	if (!ntsign_pipe_acts()) {
		return false;
	}
	if (ntsign_smb1_is_chain(message, have)) {
		return chain_denied(c, header, message, have, full);
	}
	if (header->command != NTSIGN_SMB1_NT_CREATE_ANDX &&
	    header->command != NTSIGN_SMB1_OPEN_ANDX) {
		return false;
	}
	return ntsign_pipe_registry_down() &&
	       open_unavailable(c, message, full);
}
