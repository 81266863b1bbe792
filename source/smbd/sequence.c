/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Q275020 on a live connection: what core's counter is told, and what is
 * done about its answers.
 *
 * Invariant: smbd's own count is the only one there is; it is moved by the
 * calls that smbd itself counts with. A key never leaves smbd's signing
 * state but for the copy in signature.c.
 */
#include "module.h"
#include "librpc/gen_ndr/smbXsrv.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

void ntsign_sequence_attach(struct ntsign_connection *c)
{
	c->counter.quirk = ntsign->options->signing_counter;
	c->counter.skew = ntsign->options->signing_counter_skew;
}

static bool sequence_off(const struct ntsign_connection *c)
{
	return c->counter.quirk == NTSIGN_QUIRK_OFF || !ntsign_signature_on(c);
}

/* ---- session setups that are outstanding ---- */

struct find_setups {
	const struct ntsign_connection *c;
	uint16_t uid;
	unsigned int pending;
	bool uid_pending;	/* the uid is one of theirs */
	bool uid_stands;	/* the uid is a session's that stands */
};

static int find_setups_fn(struct smbXsrv_session *session, void *private_data)
{
	struct find_setups *find = private_data;
	const struct smbXsrv_session_auth *auth = NULL;
	bool mine;

	if (!ntsign_layout_fits(NTSIGN_LAYOUT_SESSION, session) ||
	    !ntsign_layout_fits(NTSIGN_LAYOUT_SESSION_GLOBAL,
				session->global)) {
		return 0;
	}
	mine = session->global->session_wire_id == find->uid;
	if (NT_STATUS_IS_OK(session->status)) {
		find->uid_stands |= mine;
		return 0;	/* what led to it may still hang on it */
	}
	for (auth = session->pending_auth;
	     ntsign_layout_fits(NTSIGN_LAYOUT_SESSION_AUTH, auth);
	     auth = auth->next) {
		if (auth->connection == find->c->xconn) {
			find->pending++;
			find->uid_pending |= mine;
		}
	}
	return 0;
}

static struct find_setups find_setups(const struct ntsign_connection *c,
				      uint16_t uid)
{
	struct find_setups find = { .c = c, .uid = uid, };

	ntsign_session_traverse(find_setups_fn, &find);
	return find;
}

/* ---- records ---- */

static void record_quirk(const struct ntsign_connection *c, const char *event,
			 uint32_t expected, const uint32_t *received)
{
	struct ntsign_record *record = ntsign_audit_start(
		c, NTSIGN_RECORD_QUIRK);

	ntsign_record_text(record, "article", "Q275020");
	ntsign_record_text(record, "event", event);
	ntsign_record_text(record, "dialect", ntsign_connection_dialect(c));
	ntsign_record_text(record, "account", ntsign_signature_account(c));
	ntsign_record_int(record, "expected", expected);
	if (received != NULL) {
		ntsign_record_int(record, "received", *received);
		ntsign_record_int(record, "skew",
				  (int64_t)*received - (int64_t)expected);
	}
	(void)ntsign_audit_finish(c, record, true, NTSIGN_EVENTS_MISMATCH);
}

void ntsign_sequence_record_desynchronised(const struct ntsign_connection *c,
					   uint32_t expected,
					   uint32_t received)
{
	if (c->counter.quirk != NTSIGN_QUIRK_OFF) {
		record_quirk(c, "desynchronised", expected, &received);
	}
}

/* ---- frames ---- */

/* Another SMB has arrived; the count goes wrong when so many frames have
 * been handled. */
static void other_arrived(struct ntsign_connection *c, unsigned int frames)
{
	struct ntsign_counter_action action = ntsign_counter_other(
		&c->counter);

	if (!action.triggered) {
		return;
	}
	record_quirk(c, "triggered", ntsign_signature_expected(c), NULL);
	if (action.shift != 0) {
		c->shift = action.shift;
		c->shift_frames = frames;
	}
}

void ntsign_sequence_arrived(struct ntsign_connection *c,
			     const struct ntsign_smb1_header *header,
			     bool setup)
{
	struct find_setups find;
	bool again;

	c->setup_in_hand = setup;
	if (!setup && c->counter.outstanding == 0) {
		return;		/* most requests by far */
	}
	if (sequence_off(c)) {
		return;
	}
	if (!setup) {
		other_arrived(c, 1);
		return;
	}
	find = find_setups(c, header->uid);
	if (find.uid_pending) {
		return;		/* a further leg of one that is outstanding */
	}
	other_arrived(c, 1);
	again = find.uid_stands && c->setup.request != NULL &&
		c->setup.request->extended;
	if (!again) {
		ntsign_counter_begin(&c->counter, true);
	}
}

void ntsign_sequence_behind(struct ntsign_connection *c)
{
	uint8_t head[NTSIGN_NBT_HEADER_LEN] = { 0, };
	ssize_t n;

	if (!c->setup_in_hand || c->counter.outstanding == 0) {
		return;
	}
	n = recv(c->xconn->transport.sock, head, sizeof(head),
		 MSG_PEEK | MSG_DONTWAIT);
	if (n > 0 && head[0] == 0) {
		/* this session setup's frame, and the other one */
		other_arrived(c, 2);
	}
}

void ntsign_sequence_handled(struct ntsign_connection *c)
{
	struct smb1_signing_state *si = c->xconn->smb1.signing_state;
	struct find_setups find;

	if (c->shift_frames != 0) {
		c->shift_frames--;
	}
	for (; c->shift_frames == 0 && c->shift != 0; c->shift--) {
		(void)smb1_signing_next_seqnum(si, true);
	}
	if (!c->setup_in_hand) {
		return;
	}
	c->setup_in_hand = false;
	if (c->counter.outstanding != 0) {
		find = find_setups(c, 0);
		while (c->counter.outstanding > find.pending) {
			ntsign_counter_end(&c->counter);
		}
	}
}

/* ---- signatures ---- */

bool ntsign_sequence_checks(const struct ntsign_connection *c)
{
	if (!c->counter.skewed && c->counter.credit == 0 && c->repeats == 0) {
		return false;
	}
	/* only then smbd's state stays as it is, whatever the signature */
	return ntsign_enforcing() || ntsign_signature_proven(c);
}

bool ntsign_sequence_holds(const struct ntsign_connection *c)
{
	return c->counter.quirk == NTSIGN_QUIRK_EMULATE ||
		c->counter.quirk == NTSIGN_QUIRK_FIX;
}

/* Moves smbd's count to `received`, at most NTSIGN_MAC_WINDOW away. */
static void sequence_move(struct ntsign_connection *c, uint32_t expected,
			  uint32_t received)
{
	struct smb1_signing_state *si = c->xconn->smb1.signing_state;

	for (; expected < received; expected++) {
		(void)smb1_signing_next_seqnum(si, true);
	}
	for (; expected > received; expected--) {
		smb1_signing_cancel_reply(si, true);
	}
}

void ntsign_sequence_matched(struct ntsign_connection *c)
{
	ntsign_counter_match(&c->counter);
	if (c->repeats != 0) {
		c->repeats--;
	}
}

enum ntsign_counter_verdict ntsign_sequence_mismatch(
	struct ntsign_connection *c, uint32_t expected, bool near,
	uint32_t received)
{
	/* 0 and 1 are the session setup's own, and numbers do not wrap */
	bool sound = near && received >= 2 &&
		received <= expected + NTSIGN_MAC_WINDOW;
	enum ntsign_counter_verdict verdict = ntsign_counter_mismatch(
		&c->counter, sound);

	if (verdict == NTSIGN_COUNTER_RESYNCHRONISED) {
		sequence_move(c, expected, received);
		/* with the count moved back old requests fit again */
		c->repeats = NTSIGN_MAC_WINDOW;
		record_quirk(c, "resynchronised", expected, &received);
	}
	return verdict;
}
