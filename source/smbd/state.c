/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What smbd's processes share: how many records an address has caused in
 * this second, and what has been said already; and the database for it, in
 * which credential.c keeps its queues.
 *
 * Invariant: everything is in one dbwrap database (CTDB's under clustering),
 * every change is made under its record's lock, and no lock is held while
 * anything waits. Nothing of this file is needed for a correct record: it only
 * bounds how many there are.
 */
#include "module.h"
#include "util_tdb.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

#define RECORDS_PER_SECOND 100

/* Addresses share this many counters, so that the database is bounded. */
#define BUCKETS 1024

struct ntsign_state {
	struct db_context *db;
};

/* A counter as it is stored, in this host's byte order. */
struct counter {
	int64_t second;
	uint32_t written;
	uint32_t suppressed;
	/* the seconds of the oldest and the latest suppressed record */
	int64_t since;
	int64_t until;
	char address[INET6_ADDRSTRLEN];
};

/* Nothing here is needed for a correct record: a failure is only told. */
static void complain(NTSTATUS status)
{
	if (!NT_STATUS_IS_OK(status)) {
		DBG_NOTICE("ntsign: ntsign.tdb: %s\n", nt_errstr(status));
	}
}

struct ntsign_state *ntsign_state_open(TALLOC_CTX *mem_ctx)
{
	struct ntsign_state *state = NULL;
	char *path = NULL;

	state = talloc_zero(mem_ctx, struct ntsign_state);
	if (state == NULL) {
		return NULL;
	}
	path = lock_path(state, "ntsign.tdb");
	if (path == NULL) {
		TALLOC_FREE(state);
		return NULL;
	}
	/*
	 * To CTDB the last flag says that the database is a volatile one,
	 * which lasts as long as the cluster: others are written to disk on
	 * all nodes at every change.
	 */
	state->db = db_open(state, path, 0,
			    TDB_DEFAULT | TDB_NOSYNC | TDB_INCOMPATIBLE_HASH |
			    (lp_clustering() ? TDB_CLEAR_IF_FIRST : 0),
			    O_RDWR | O_CREAT, 0600,
			    DBWRAP_LOCK_ORDER_NONE, DBWRAP_FLAG_NONE);
	TALLOC_FREE(path);
	if (state->db == NULL) {
		DBG_ERR("ntsign: cannot open ntsign.tdb in the lock "
			"directory: %s; records are not limited\n",
			strerror(errno));
		TALLOC_FREE(state);
		return NULL;
	}
	return state;
}

struct db_context *ntsign_state_db(struct ntsign_state *state)
{
	return (state != NULL) ? state->db : NULL;
}

/* A name for what is one node's own: each has its smbd and its audit file. */
static TDB_DATA node_key(const char *name, char key[32])
{
	if (!lp_clustering()) {
		return string_term_tdb_data(name);
	}
	snprintf(key, 32, "%s@%" PRIu32, name, get_my_vnn());
	return string_term_tdb_data(key);
}

struct changed {
	const char *fingerprint;
	bool is_new;
};

static void known_parse(TDB_DATA key, TDB_DATA value, void *private_data)
{
	struct changed *c = private_data;
	size_t len = strlen(c->fingerprint);

	c->is_new = value.dsize != len ||
		memcmp(value.dptr, c->fingerprint, len) != 0;
}

static void changed_fn(struct db_record *rec, TDB_DATA value, void *private_data)
{
	struct changed *c = private_data;
	size_t len = strlen(c->fingerprint);
	NTSTATUS status;

	known_parse((TDB_DATA) { .dsize = 0, }, value, c);
	if (!c->is_new) {
		return;
	}
	status = dbwrap_record_store(
		rec, make_tdb_data((const uint8_t *)c->fingerprint, len), 0);
	complain(status);
}

bool ntsign_state_changed(struct ntsign_state *state, const char *name,
			  const char *fingerprint)
{
	struct changed c = { .fingerprint = fingerprint, .is_new = true, };
	char buffer[32];
	TDB_DATA key = node_key(name, buffer);
	NTSTATUS status;

	if (state == NULL) {
		return true;
	}
	/* Mostly it is known: seen without the record's lock. */
	(void)dbwrap_parse_record(state->db, key, known_parse, &c);
	if (!c.is_new) {
		return false;
	}
	status = dbwrap_do_locked(state->db, key, changed_fn, &c);
	complain(status);
	return c.is_new;
}

void ntsign_state_forget(struct ntsign_state *state, const char *name)
{
	char buffer[32];
	NTSTATUS status;

	if (state == NULL) {
		return;
	}
	status = dbwrap_delete(state->db, node_key(name, buffer));
	complain(status);
}

/* The name under which lost records are counted. */
#define LOST "lost"

struct lost {
	uint32_t add;		/* 0: take what is there */
	uint32_t count;
};

static void lost_parse(TDB_DATA key, TDB_DATA value, void *private_data)
{
	uint32_t *count = private_data;

	if (value.dsize == sizeof(*count)) {
		memcpy(count, value.dptr, sizeof(*count));
	}
}

static void lost_fn(struct db_record *rec, TDB_DATA value, void *private_data)
{
	struct lost *lost = private_data;
	uint32_t count = 0;
	NTSTATUS status;

	lost_parse((TDB_DATA) { .dsize = 0, }, value, &lost->count);
	if (lost->add != 0) {
		count = lost->count + lost->add;
	}
	status = dbwrap_record_store(
		rec, make_tdb_data((const uint8_t *)&count, sizeof(count)), 0);
	complain(status);
}

void ntsign_state_lost(struct ntsign_state *state)
{
	struct lost lost = { .add = 1, };
	char buffer[32];

	if (state != NULL) {
		(void)dbwrap_do_locked(state->db, node_key(LOST, buffer),
				       lost_fn, &lost);
	}
}

uint32_t ntsign_state_take_lost(struct ntsign_state *state)
{
	struct lost lost = { .add = 0, };
	char buffer[32];
	TDB_DATA key = node_key(LOST, buffer);
	uint32_t count = 0;

	if (state == NULL) {
		return 0;
	}
	/* Mostly none is: seen without the record's lock. */
	(void)dbwrap_parse_record(state->db, key, lost_parse, &count);
	if (count == 0) {
		return 0;
	}
	(void)dbwrap_do_locked(state->db, key, lost_fn, &lost);
	return lost.count;
}

/* `ntsign reset` deletes the record of this name: source/tool/reset.c. */
#define OUTAGE "outage"

static void outage_parse(TDB_DATA key, TDB_DATA value, void *private_data)
{
	const char **scope = private_data;
	bool registry = value.dsize == strlen("registry") &&
		memcmp(value.dptr, "registry", value.dsize) == 0;

	*scope = registry ? "registry" : "system";
}

const char *ntsign_state_outage(struct ntsign_state *state)
{
	const char *scope = NULL;

	if (state != NULL) {
		(void)dbwrap_parse_record(state->db,
					  string_term_tdb_data(OUTAGE),
					  outage_parse, &scope);
	}
	return scope;
}

void ntsign_state_outage_begin(struct ntsign_state *state, const char *scope)
{
	NTSTATUS status = NT_STATUS_INVALID_HANDLE;

	if (state != NULL) {
		status = dbwrap_store(
			state->db, string_term_tdb_data(OUTAGE),
			make_tdb_data((const uint8_t *)scope, strlen(scope)),
			0);
	}
	complain(status);
}

/* A key for an address's counter: "c" and the bucket's number. */
static TDB_DATA bucket_key(const char *address, char key[8])
{
	uint32_t hash = 2166136261U;	/* FNV-1a */
	const char *p = NULL;
	int len;

	for (p = address; *p != '\0'; p++) {
		hash = (hash ^ (uint8_t)*p) * 16777619U;
	}
	len = snprintf(key, 8, "c%u", hash % BUCKETS);
	return make_tdb_data((const uint8_t *)key, (size_t)len);
}

static bool counter_load(TDB_DATA value, struct counter *counter)
{
	if (value.dsize != sizeof(*counter)) {
		return false;
	}
	memcpy(counter, value.dptr, sizeof(*counter));
	counter->address[sizeof(counter->address) - 1] = '\0';
	return true;
}

static void counter_store(struct db_record *rec, const struct counter *counter)
{
	NTSTATUS status;

	status = dbwrap_record_store(
		rec,
		make_tdb_data((const uint8_t *)counter, sizeof(*counter)), 0);
	complain(status);
}

struct admit {
	const char *address;
	time_t now;
	bool admitted;
	bool first_suppressed;	/* of this address, in this second */
};

static void admit_fn(struct db_record *rec, TDB_DATA value, void *private_data)
{
	struct admit *a = private_data;
	struct counter counter = { .second = 0, };

	if (!counter_load(value, &counter)) {
		counter = (struct counter) { .second = 0, };
	}
	if (strcmp(counter.address, a->address) != 0 &&
	    counter.second != (int64_t)a->now && counter.suppressed == 0) {
		/*
		 * Within a second two addresses that share a counter share
		 * what it allows, or taking turns would take them past it.
		 */
		counter = (struct counter) { .second = 0, };
		strlcpy(counter.address, a->address, sizeof(counter.address));
	}
	if (counter.second != (int64_t)a->now) {
		counter.second = (int64_t)a->now;
		counter.written = 0;
	}
	if (counter.written < RECORDS_PER_SECOND) {
		counter.written++;
	} else {
		a->admitted = false;
		if (counter.suppressed == 0) {
			counter.since = (int64_t)a->now;
		}
		if (counter.suppressed == 0 ||
		    counter.until != (int64_t)a->now) {
			a->first_suppressed = true;
			counter.until = (int64_t)a->now;
		}
		counter.suppressed++;
	}
	counter_store(rec, &counter);
}

/*
 * Under this name stands the second of the oldest suppressed record that no
 * process has taken yet, or 0.
 */
#define OWED "owed"

struct owed {
	int64_t second;		/* in: to be stored, 0 to take */
	time_t now;
	bool due;
};

static void owed_fn(struct db_record *rec, TDB_DATA value, void *private_data)
{
	struct owed *owed = private_data;
	int64_t second = 0;
	NTSTATUS status;

	if (value.dsize == sizeof(second)) {
		memcpy(&second, value.dptr, sizeof(second));
	}
	if (owed->second == 0) {
		owed->due = (second != 0 && second < (int64_t)owed->now);
		if (!owed->due) {
			return;
		}
	} else if (second != 0 && second <= owed->second) {
		return;
	}
	status = dbwrap_record_store(
		rec, make_tdb_data((const uint8_t *)&owed->second,
				   sizeof(owed->second)), 0);
	complain(status);
}

static void owed_set(struct ntsign_state *state, int64_t second)
{
	struct owed owed = { .second = second, };
	NTSTATUS status;

	status = dbwrap_do_locked(state->db, string_term_tdb_data(OWED),
				  owed_fn, &owed);
	complain(status);
}

static void owed_parse(TDB_DATA key, TDB_DATA value, void *private_data)
{
	int64_t *second = private_data;

	if (value.dsize == sizeof(*second)) {
		memcpy(second, value.dptr, sizeof(*second));
	}
}

/* Whether this process is the one to take what is owed. */
static bool owed_take(struct ntsign_state *state, time_t now)
{
	struct owed owed = { .now = now, };
	int64_t second = 0;

	/* Mostly nothing is: seen without the record's lock. */
	(void)dbwrap_parse_record(state->db, string_term_tdb_data(OWED),
				  owed_parse, &second);
	if (second == 0 || second >= (int64_t)now) {
		return false;
	}
	(void)dbwrap_do_locked(state->db, string_term_tdb_data(OWED),
			       owed_fn, &owed);
	return owed.due;
}

bool ntsign_state_admit(struct ntsign_state *state, const char *address,
			time_t now, bool *first_suppressed)
{
	struct admit a = { .address = address, .now = now, .admitted = true, };
	char key[8];
	NTSTATUS status;

	if (state == NULL) {
		return true;
	}
	status = dbwrap_do_locked(state->db, bucket_key(address, key),
				  admit_fn, &a);
	if (!NT_STATUS_IS_OK(status)) {
		complain(status);
		return true;
	}
	if (a.first_suppressed) {
		owed_set(state, (int64_t)now);
	}
	if (first_suppressed != NULL) {
		*first_suppressed = a.first_suppressed;
	}
	return a.admitted;
}

struct take {
	time_t now;
	struct ntsign_suppressed *list;
	size_t count;
	TALLOC_CTX *mem_ctx;
	/* the oldest second that is not over yet, or 0 */
	int64_t left;
};

static void take_fn(struct db_record *rec, TDB_DATA value, void *private_data)
{
	struct take *take = private_data;
	struct ntsign_suppressed *list = NULL;
	struct counter counter = { .second = 0, };
	char *address = NULL;

	if (!counter_load(value, &counter) || counter.suppressed == 0) {
		return;
	}
	if (counter.until >= (int64_t)take->now) {
		take->left = counter.until;
		return;
	}
	list = talloc_realloc(take->mem_ctx, take->list,
			      struct ntsign_suppressed, take->count + 1);
	if (list == NULL) {
		return;
	}
	take->list = list;
	address = talloc_strdup(list, counter.address);
	if (address == NULL) {
		return;
	}
	list[take->count] = (struct ntsign_suppressed) {
		.address = address,
		.count = counter.suppressed,
		.since = (time_t)counter.since,
	};
	take->count++;
	counter.suppressed = 0;
	counter_store(rec, &counter);
}

struct ntsign_suppressed *ntsign_state_take_suppressed(
	TALLOC_CTX *mem_ctx, struct ntsign_state *state, time_t now,
	size_t *count)
{
	struct take take = { .now = now, .mem_ctx = mem_ctx, };
	unsigned int i;

	*count = 0;
	if (state == NULL || !owed_take(state, now)) {
		return NULL;
	}
	for (i = 0; i < BUCKETS; i++) {
		char key[8];
		int len = snprintf(key, sizeof(key), "c%u", i);
		TDB_DATA k = make_tdb_data((const uint8_t *)key, (size_t)len);

		if (dbwrap_exists(state->db, k)) {
			(void)dbwrap_do_locked(state->db, k, take_fn, &take);
		}
	}
	if (take.left != 0) {
		owed_set(state, take.left);
	}
	*count = take.count;
	return take.list;
}
