/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Q192749 on a live smbd: session setups acquire the server's credential
 * handle, in an order that all smbd processes share.
 *
 * Invariant: no process waits for another one's doing. The queue is a record
 * of ntsign.tdb, changed under its lock only, and says when each acquisition
 * begins and ends; each process looks at its own clock, and waits by a timer
 * of the event loop it was given.
 *
 * Why not Samba's g_lock: measured with 200 processes and holds of 20 ms it
 * keeps the order and takes 4.15 s, on a busy machine (four loops on two
 * processors) 4.8 s, because what is late in each process adds up. It hands
 * the lock on by a message to the next process, which that one may not live
 * to act on: with one of 50 killed the others needed 24 to 34 s in place of
 * one, since they look by themselves only after 5 to 9 s. And a process
 * cannot wait for itself with it, which an SMB2 client can make one do.
 * Turns laid down in advance take 4.00 s, busy or not.
 *
 * A process has one turn in the queue at a time; what more it has to acquire
 * stands behind that in the process, in order. So a client that sets up
 * hundreds of sessions on one connection puts the others off by one hold, and
 * not by hundreds.
 *
 * Times are gettimeofday()'s, as the event loop's timers are; a cluster's
 * clocks differ by what its turns may overlap.
 */
#include "module.h"
#include "messages.h"
#include "serverid.h"
#include "util_tdb.h"

#include "ntsign/certificate.h"
#include "ntsign/credential.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

struct ntsign_handle {
	struct db_context *db;		/* NULL: nobody to share it with */
	enum ntsign_quirk quirk;
	int64_t hold;			/* microseconds */
	uint8_t digest[NTSIGN_CERTIFICATE_DIGEST_LEN];
	/* the name of its record: a prefix and the digest */
	uint8_t key[10 + NTSIGN_CERTIFICATE_DIGEST_LEN];
	/* the digest in lower case */
	char certificate[2 * NTSIGN_CERTIFICATE_DIGEST_LEN + 1];
	uint64_t tickets;
	/* of this process: the one that has its turn in the queue, and those
	 * that stand behind it, in their order */
	struct acquire_state *turn;
	struct acquire_state *behind;
};

/* ---- the certificate ---- */

typedef bool (*digest_fn)(const char *path, uint8_t *digest,
			  const char **why);

static bool handle_digest(const char *path, uint8_t *digest, const char **why)
{
	digest_fn fn = (digest_fn)ntsign_crypto_symbol(
		"ntsign_certificate_digest");

	if (fn == NULL) {
		*why = "ntsign-crypto.so, which reads it, cannot be loaded";
		return false;
	}
	return fn(path, digest, why);
}

/* Without one, all session setups share a handle: SHA-256 of nothing. */
static void handle_no_certificate(uint8_t *digest)
{
	static const uint8_t nothing[NTSIGN_CERTIFICATE_DIGEST_LEN] = {
		0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
		0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
		0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c,
		0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
	};

	memcpy(digest, nothing, sizeof(nothing));
}

static bool handle_certificate(struct ntsign_module *module,
			       struct ntsign_handle *handle)
{
	const char *option = module->options->server_certificate;
	const char *why = NULL;
	char *path = NULL;
	bool ok = true;

	handle_no_certificate(handle->digest);
	if (option == NULL) {
		return true;
	}
	path = ntsign_config_substitute(handle, option);
	if (path == NULL) {
		return false;
	}
	if (!handle_digest(path, handle->digest, &why)) {
		ok = ntsign_config_bad_value(module, "server certificate",
					     path, why);
	}
	TALLOC_FREE(path);
	return ok;
}

bool ntsign_credential_load(struct ntsign_module *module)
{
	static const char prefix[10] = "credential";
	const struct ntsign_options *options = module->options;
	struct ntsign_handle *handle = NULL;
	size_t i;

	if (options->credential_handles == NTSIGN_QUIRK_OFF) {
		return true;
	}
	handle = talloc_zero(module, struct ntsign_handle);
	if (handle == NULL || !handle_certificate(module, handle)) {
		return false;
	}
	handle->db = ntsign_state_db(module->state);
	handle->quirk = options->credential_handles;
	handle->hold = (int64_t)options->credential_hold * 1000;
	memcpy(handle->key, prefix, sizeof(prefix));
	memcpy(handle->key + sizeof(prefix), handle->digest,
	       sizeof(handle->digest));
	for (i = 0; i < sizeof(handle->digest); i++) {
		snprintf(handle->certificate + 2 * i, 3, "%02x",
			 handle->digest[i]);
	}
	module->handle = handle;
	return true;
}

/* ---- what processes share ---- */

static int64_t time_now(void)
{
	struct timeval now = timeval_current();

	return (int64_t)now.tv_sec * 1000000 + now.tv_usec;
}

static TDB_DATA handle_key(const struct ntsign_handle *handle)
{
	return make_tdb_data(handle->key, sizeof(handle->key));
}

/* The queue as it is stored, with room for one more; false when memory runs
 * out. What is not a queue is an empty one. */
static bool queue_load(TDB_DATA value, struct ntsign_credential_queue *queue)
{
	const size_t size = sizeof(queue->turns[0]);

	queue->count = (value.dsize % size == 0) ? value.dsize / size : 0;
	queue->turns = talloc_array(talloc_tos(),
				    struct ntsign_credential_turn,
				    queue->count + 1);
	if (queue->turns == NULL) {
		return false;
	}
	if (queue->count != 0) {
		memcpy(queue->turns, value.dptr, queue->count * size);
	}
	return true;
}

static NTSTATUS queue_store(struct db_record *rec, bool stored,
			    const struct ntsign_credential_queue *queue)
{
	if (queue->count == 0) {
		return stored ? dbwrap_record_delete(rec) : NT_STATUS_OK;
	}
	return dbwrap_record_store(
		rec, make_tdb_data((const uint8_t *)queue->turns,
				   queue->count * sizeof(queue->turns[0])), 0);
}

/* Whether the one whose turn it is has died. As root: smbd may be acting for
 * a user, who cannot tell. */
static bool front_dead(const struct ntsign_credential_queue *queue)
{
	const struct ntsign_credential_owner *owner = NULL;
	struct server_id id = { .pid = 0, };
	bool exists;

	if (queue->count == 0) {
		return false;
	}
	owner = &queue->turns[0].owner;
	id.pid = owner->pid;
	id.task_id = owner->task;
	id.vnn = owner->node;
	id.unique_id = owner->unique;
	become_root();
	exists = serverid_exists(&id);
	unbecome_root();
	return !exists;
}

/* ---- one acquisition ---- */

struct acquire_state {
	struct acquire_state *prev, *next;	/* in the process's line */
	struct tevent_req *req;
	struct tevent_context *ev;
	struct smbXsrv_connection *xconn;
	struct ntsign_handle *handle;
	struct ntsign_credential_turn turn;
	bool queued;		/* its turn may be in the queue */
	bool behind;		/* another one of the process is first */
	bool waited;
	int64_t began;
	uint64_t disturbed_by;	/* the pid of the one that was first */
	size_t ahead;
	char *account;
};

enum change { BEGIN, BURY, END };

/* One change of the queue under its record's lock. */
struct queue_change {
	struct acquire_state *state;
	enum change change;
	enum ntsign_credential_state result;
	NTSTATUS status;
};

static void queue_begin(struct queue_change *change,
			struct ntsign_credential_queue *queue, int64_t now)
{
	struct acquire_state *state = change->state;

	state->ahead = queue->count;
	if (queue->count != 0) {
		state->disturbed_by = queue->turns[0].owner.pid;
	}
	change->result = ntsign_credential_begin(
		queue, state->handle->quirk, &state->turn, now,
		state->handle->hold);
}

static void queue_change_fn(struct db_record *rec, TDB_DATA value,
			    void *private_data)
{
	struct queue_change *change = private_data;
	struct ntsign_credential_queue queue = { .count = 0, };
	int64_t now = time_now();

	if (!queue_load(value, &queue)) {
		change->status = NT_STATUS_NO_MEMORY;
		return;
	}
	ntsign_credential_settle(&queue, now);
	if (change->change != END) {
		while (front_dead(&queue)) {
			ntsign_credential_died(&queue, now);
		}
	}
	if (change->change == BEGIN) {
		queue_begin(change, &queue, now);
	} else if (change->change == END) {
		ntsign_credential_end(&queue, &change->state->turn, now);
	}
	change->status = queue_store(rec, value.dsize != 0, &queue);
	TALLOC_FREE(queue.turns);
}

static bool queue_change(struct acquire_state *state, enum change what,
			 enum ntsign_credential_state *result)
{
	struct queue_change change = { .state = state, .change = what, };
	NTSTATUS status;

	status = dbwrap_do_locked(state->handle->db,
				  handle_key(state->handle), queue_change_fn,
				  &change);
	if (NT_STATUS_IS_OK(status)) {
		status = change.status;
	}
	if (!NT_STATUS_IS_OK(status)) {
		DBG_ERR("ntsign: ntsign.tdb: %s: a credential handle is not "
			"shared\n", nt_errstr(status));
		return false;
	}
	if (result != NULL) {
		*result = change.result;
	}
	return true;
}

struct look {
	struct acquire_state *state;
	enum ntsign_credential_state result;
	bool front_dead;
};

static void look_parse(TDB_DATA key, TDB_DATA value, void *private_data)
{
	struct look *look = private_data;
	struct ntsign_credential_queue queue = { .count = 0, };

	if (!queue_load(value, &queue)) {
		return;
	}
	look->result = ntsign_credential_look(&queue, &look->state->turn,
					      time_now(),
					      &look->state->ahead);
	look->front_dead = look->state->ahead != 0 && front_dead(&queue);
	TALLOC_FREE(queue.turns);
}

/* Where the acquisition stands, once the dead in front of it are gone. */
static enum ntsign_credential_state acquire_look(struct acquire_state *state)
{
	struct look look = {
		.state = state,
		.result = NTSIGN_CREDENTIAL_OVER,	/* no queue */
	};

	(void)dbwrap_parse_record(state->handle->db,
				  handle_key(state->handle), look_parse,
				  &look);
	if (!look.front_dead || !queue_change(state, BURY, NULL)) {
		return look.result;
	}
	look.result = NTSIGN_CREDENTIAL_OVER;
	(void)dbwrap_parse_record(state->handle->db,
				  handle_key(state->handle), look_parse,
				  &look);
	return look.result;
}

static void acquire_next(struct ntsign_handle *handle);

/* However it ends: done, or its client is gone. */
static void acquire_cleanup(struct tevent_req *req,
			    enum tevent_req_state req_state)
{
	struct acquire_state *state = tevent_req_data(
		req, struct acquire_state);
	struct ntsign_handle *handle = state->handle;

	if (state->queued) {
		state->queued = false;
		(void)queue_change(state, END, NULL);
	}
	if (handle->turn == state) {
		handle->turn = NULL;
		acquire_next(handle);
	} else if (state->behind) {
		state->behind = false;
		DLIST_REMOVE(handle->behind, state);
	}
}

/* ---- records ---- */

static struct ntsign_record *acquire_record(
	const struct acquire_state *state, const struct ntsign_connection *c,
	const char *event)
{
	struct ntsign_record *record = ntsign_audit_start(
		c, NTSIGN_RECORD_QUIRK);

	ntsign_record_text(record, "article", "Q192749");
	ntsign_record_text(record, "event", event);
	ntsign_record_text(record, "dialect", ntsign_connection_dialect(c));
	ntsign_record_text(record, "account", state->account);
	ntsign_record_text(record, "certificate", state->handle->certificate);
	return record;
}

/* Its connection, which may have gone while it waited. */
static struct ntsign_connection *acquire_connection(
	const struct acquire_state *state)
{
	struct ntsign_connection *c = ntsign->connections;

	while (c != NULL && c->xconn != state->xconn) {
		c = c->next;
	}
	return c;
}

/*
 * Whether nobody waits for the answer any more. From 4.22 on smbd lets the
 * requests of a client that has gone come to their ends before it exits.
 */
static bool acquire_deserted(const struct acquire_state *state)
{
	const struct ntsign_connection *c = acquire_connection(state);

	return c == NULL || !NT_STATUS_IS_OK(c->xconn->transport.status);
}

static void record_failed(const struct acquire_state *state)
{
	struct ntsign_connection *c = acquire_connection(state);
	struct ntsign_record *record = NULL;

	if (c == NULL) {
		return;
	}
	record = acquire_record(state, c, "failed");
	ntsign_record_int(record, "holderPid", (int64_t)state->disturbed_by);
	(void)ntsign_audit_finish(c, record, true, NTSIGN_EVENTS_MISMATCH);
}

static void record_waited(const struct acquire_state *state, int64_t now)
{
	struct ntsign_connection *c = acquire_connection(state);
	struct ntsign_record *record = NULL;
	int64_t waited = now - state->began - state->handle->hold;

	if (c == NULL || !state->waited) {
		return;
	}
	record = acquire_record(state, c, "waited");
	ntsign_record_int(record, "milliseconds", MAX(waited, 0) / 1000);
	(void)ntsign_audit_finish(c, record, true, NTSIGN_EVENTS_MISMATCH);
}

/* ---- the request ---- */

bool ntsign_credential_wanted(void)
{
	return ntsign->handle != NULL && ntsign->handle->hold != 0;
}

static void acquire_timer(struct tevent_req *subreq);

static void acquire_sleep(struct tevent_req *req)
{
	struct acquire_state *state = tevent_req_data(
		req, struct acquire_state);
	struct tevent_req *subreq = NULL;
	int64_t at = time_now();

	at += ntsign_credential_next_look(&state->turn, state->ahead, at);
	subreq = tevent_wakeup_send(
		state, state->ev,
		tevent_timeval_set((uint32_t)(at / 1000000),
				   (uint32_t)(at % 1000000)));
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, acquire_timer, req);
}

static void acquire_timer(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(
		subreq, struct tevent_req);
	struct acquire_state *state = tevent_req_data(
		req, struct acquire_state);

	(void)tevent_wakeup_recv(subreq);
	TALLOC_FREE(subreq);
	if (acquire_deserted(state)) {
		tevent_req_nterror(req, NT_STATUS_CONNECTION_DISCONNECTED);
		return;
	}
	if (state->queued &&
	    acquire_look(state) != NTSIGN_CREDENTIAL_OVER) {
		acquire_sleep(req);
		return;
	}
	record_waited(state, time_now());
	tevent_req_done(req);
}

/* An acquisition that no other process can be told of takes its time. */
static void acquire_alone(struct acquire_state *state)
{
	state->turn.start = time_now();
	state->turn.end = state->turn.start + state->handle->hold;
	state->ahead = 0;
}

static enum ntsign_credential_state acquire_begin(struct acquire_state *state)
{
	enum ntsign_credential_state result = NTSIGN_CREDENTIAL_HOLDS;

	state->turn.ticket = ++state->handle->tickets;
	if (state->handle->db == NULL ||
	    !queue_change(state, BEGIN, &result)) {
		acquire_alone(state);
		return NTSIGN_CREDENTIAL_HOLDS;
	}
	state->queued = (result != NTSIGN_CREDENTIAL_FAILED);
	state->waited |= (result == NTSIGN_CREDENTIAL_WAITS);
	return result;
}

/* Its process has no other turn in the queue. False: it has failed. */
static bool acquire_enter(struct acquire_state *state)
{
	if (acquire_begin(state) == NTSIGN_CREDENTIAL_FAILED) {
		return false;
	}
	if (state->handle->turn == NULL) {
		state->handle->turn = state;
	}
	acquire_sleep(state->req);
	return true;
}

/* The next one of the process's line enters the queue, at its end. */
static void acquire_next(struct ntsign_handle *handle)
{
	struct acquire_state *state = NULL;

	while (handle->turn == NULL && handle->behind != NULL) {
		state = handle->behind;
		DLIST_REMOVE(handle->behind, state);
		state->behind = false;
		/* its callback is not for who has just ended */
		tevent_req_defer_callback(state->req, state->ev);
		if (acquire_deserted(state)) {
			tevent_req_nterror(state->req,
					   NT_STATUS_CONNECTION_DISCONNECTED);
		} else {
			(void)acquire_enter(state);
		}
	}
}

/* Whether it has to stand behind another one of its process. One that waits
 * in an event loop of its own holds up the loop that the other needs. */
static bool acquire_stands_behind(const struct acquire_state *state)
{
	const struct acquire_state *turn = state->handle->turn;

	return turn != NULL && turn->ev == state->ev &&
		state->handle->quirk == NTSIGN_QUIRK_FIX;
}

struct tevent_req *ntsign_credential_acquire_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct ntsign_connection *c, const char *account)
{
	struct tevent_req *req = NULL;
	struct acquire_state *state = NULL;
	struct server_id self = messaging_server_id(c->xconn->client->msg_ctx);

	req = tevent_req_create(mem_ctx, &state, struct acquire_state);
	if (req == NULL) {
		return NULL;
	}
	state->turn.owner = (struct ntsign_credential_owner) {
		.pid = self.pid,
		.unique = self.unique_id,
		.node = self.vnn,
		.task = self.task_id,
	};
	state->req = req;
	state->ev = ev;
	state->xconn = c->xconn;
	state->handle = ntsign->handle;
	state->began = time_now();
	if (account != NULL) {
		state->account = talloc_strdup(state, account);
	}
	tevent_req_set_cleanup_fn(req, acquire_cleanup);
	if (acquire_stands_behind(state)) {
		state->behind = true;
		state->waited = true;
		DLIST_ADD_END(state->handle->behind, state);
		return req;
	}
	if (!acquire_enter(state)) {
		record_failed(state);
		tevent_req_nterror(req, NT_STATUS_INTERNAL_ERROR);
		return tevent_req_post(req, ev);
	}
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

NTSTATUS ntsign_credential_acquire_recv(struct tevent_req *req)
{
	return tevent_req_simple_recv_ntstatus(req);
}

NTSTATUS ntsign_credential_acquire(struct ntsign_connection *c,
				   const char *account)
{
	TALLOC_CTX *frame = talloc_stackframe();
	struct tevent_context *ev = samba_tevent_context_init(frame);
	struct tevent_req *req = NULL;
	NTSTATUS status = NT_STATUS_NO_MEMORY;

	if (ev != NULL) {
		req = ntsign_credential_acquire_send(frame, ev, c, account);
	}
	if (req != NULL && tevent_req_poll_ntstatus(req, ev, &status)) {
		status = ntsign_credential_acquire_recv(req);
	}
	TALLOC_FREE(frame);
	return status;
}
