/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files read into a tally by several threads.
 *
 * A thread takes a file that no other one is reading from, reads a chunk of
 * it, gives the file back, and adds the chunk to a tally of its own: so one
 * thread unpacks while others count, and packed files are unpacked side by
 * side. Tallies are added to the common one when they have grown, so that
 * memory does not grow with the threads.
 *
 * Invariant: `lock` is held by whoever touches files' states or the common
 * tally; no chunk is read or counted under it.
 */
#include "reading.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "input.h"
#include "progress.h"
#include "tool.h"

/* What all threads' own tallies may take before they are added. */
#define OWN_TALLIES (96 << 20)
#define PROGRESS_MS 200

enum state {
	STATE_NEW,
	STATE_IDLE,		/* open, and nobody reads from it */
	STATE_BUSY,
	STATE_DONE,
};

struct source {
	enum state state;
	struct ntsign_input *input;
	struct ntsign_tally_source where;
};

struct pool {
	struct ntsign_reading *reading;
	TALLOC_CTX *mem_ctx;	/* used under the lock */
	struct source *sources;
	size_t first;		/* all before it are done */
	unsigned int jobs, working;
	uint64_t bytes;		/* of files that are done */
	bool failed;
	bool told;		/* why, on standard error */
	pthread_mutex_t lock;
	pthread_cond_t changed;	/* a file can be read from, or all are done */
	pthread_cond_t ended;	/* a thread has */
};

struct worker {
	struct pool *pool;
	pthread_t thread;
	bool started;
	struct ntsign_tally *tally;
	struct ntsign_parser *parser;
	struct ntsign_chunk chunk;
};

/* ---- one thread ---- */

/* The first file that can be read from; NULL where all are done, after
 * waiting for those that others read from. */
static struct source *take_source(struct pool *pool)
{
	for (;;) {
		bool busy = false;
		size_t i;

		for (i = pool->first; i < pool->reading->count; i++) {
			struct source *source = &pool->sources[i];

			if (source->state == STATE_DONE && i == pool->first) {
				pool->first++;
			}
			if (source->state == STATE_NEW ||
			    source->state == STATE_IDLE) {
				return source;
			}
			busy = busy || source->state == STATE_BUSY;
		}
		if (!busy || pool->failed) {
			return NULL;
		}
		(void)pthread_cond_wait(&pool->changed, &pool->lock);
	}
}

/* Opens the file first, if need be; without the lock, because a pipe may wait
 * for its other end. *error: why it cannot be opened. False at its end. */
static bool read_source(struct source *source, struct ntsign_chunk *chunk,
			int *error)
{
	struct ntsign_input *input = source->input;

	*error = 0;
	if (input == NULL) {
		input = ntsign_input_open(NULL, source->where.name);
		if (input == NULL) {
			*error = errno;
			return false;
		}
		__atomic_store_n(&source->input, input, __ATOMIC_RELEASE);
	}
	return ntsign_input_read(input, chunk);
}

static void close_source(struct pool *pool, struct source *source)
{
	struct ntsign_reading_file *file =
		&pool->reading->files[source->where.place];

	if (!ntsign_input_is_whole(source->input)) {
		file->problem = ntsign_input_problem(pool->mem_ctx,
						     source->input);
		pool->failed = pool->failed || file->problem == NULL;
		pool->reading->whole = false;
	}
	pool->bytes += ntsign_input_bytes(source->input);
	TALLOC_FREE(source->input);
	source->state = STATE_DONE;
}

/* Gives back a file that was read from. */
static void leave_source(struct pool *pool, struct source *source, bool ended,
			 int error)
{
	if (error != 0) {
		ntsign_output_error("ntsign: %s: %s", source->where.name,
				    strerror(error));
		pool->failed = true;
		pool->told = true;
		source->state = STATE_DONE;
	} else if (ended) {
		close_source(pool, source);
	} else {
		source->state = STATE_IDLE;
	}
	(void)pthread_cond_broadcast(&pool->changed);
}

/* Reads a chunk of some file into the worker's; NULL when all are done. */
static struct source *next_chunk(struct worker *worker)
{
	struct pool *pool = worker->pool;
	struct source *source = NULL;
	bool more = false;

	(void)pthread_mutex_lock(&pool->lock);
	while (!more && !pool->failed) {
		int error = 0;

		source = take_source(pool);
		if (source == NULL) {
			break;
		}
		source->state = STATE_BUSY;
		(void)pthread_mutex_unlock(&pool->lock);
		more = read_source(source, &worker->chunk, &error);
		(void)pthread_mutex_lock(&pool->lock);
		leave_source(pool, source, !more || worker->chunk.last, error);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return more ? source : NULL;
}

static void add_line(struct worker *worker, const struct source *source,
		     const char *text, size_t len, uint64_t number,
		     enum ntsign_reader_end end)
{
	struct ntsign_line line = {
		.text = text,
		.len = len,
		.number = number,
		.end = end,
	};

	if (len > NTSIGN_READER_LINE_MAX) {
		line.end = NTSIGN_READER_TOO_LONG;
	}
	ntsign_tally_line(worker->tally, worker->parser, &source->where,
			  &line);
}

static void add_chunk(struct worker *worker, const struct source *source)
{
	const struct ntsign_chunk *chunk = &worker->chunk;
	const char *text = chunk->text;
	const char *end = text + chunk->len;
	uint64_t number = chunk->number;
	bool too_long = chunk->begins_too_long;

	if (chunk->len == 0) {
		add_line(worker, source, text, 0, number,
			 NTSIGN_READER_TOO_LONG);
	}
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline != NULL ? newline : end;

		add_line(worker, source, text, (size_t)(stop - text), number,
			 too_long ? NTSIGN_READER_TOO_LONG :
			 newline == NULL ? NTSIGN_READER_CUT_OFF :
					   NTSIGN_READER_WHOLE);
		too_long = false;
		number++;
		text = stop + 1;
	}
}

/* Adds the worker's tally to the common one. */
static void hand_in(struct worker *worker)
{
	struct pool *pool = worker->pool;

	(void)pthread_mutex_lock(&pool->lock);
	ntsign_tally_merge(pool->reading->tally, worker->tally);
	(void)pthread_mutex_unlock(&pool->lock);
}

static struct ntsign_tally *new_tally(const struct pool *pool)
{
	struct ntsign_tally *tally = ntsign_tally_new(NULL);

	if (tally != NULL) {
		tally->range = pool->reading->range;
	}
	return tally;
}

static void *work(void *private_data)
{
	struct worker *worker = private_data;
	struct pool *pool = worker->pool;
	size_t limit = OWN_TALLIES / pool->jobs;
	struct source *source = NULL;

	while (worker->tally != NULL &&
	       (source = next_chunk(worker)) != NULL) {
		add_chunk(worker, source);
		if (ntsign_tally_size(worker->tally) > limit) {
			hand_in(worker);
			TALLOC_FREE(worker->tally);
			worker->tally = new_tally(pool);
		}
	}
	(void)pthread_mutex_lock(&pool->lock);
	pool->failed = pool->failed || worker->tally == NULL ||
		       worker->tally->no_memory;
	pool->working--;
	(void)pthread_cond_broadcast(&pool->changed);
	(void)pthread_cond_broadcast(&pool->ended);
	(void)pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* ---- all of them ---- */

static uint64_t bytes_done(const struct pool *pool)
{
	uint64_t bytes = pool->bytes;
	size_t i;

	for (i = pool->first; i < pool->reading->count; i++) {
		const struct ntsign_input *input = __atomic_load_n(
			&pool->sources[i].input, __ATOMIC_ACQUIRE);

		if (input != NULL) {
			bytes += ntsign_input_bytes(input);
		}
	}
	return bytes;
}

/* Waits until all threads have ended. */
static void wait_for_all(struct pool *pool, uint64_t total)
{
	struct ntsign_progress progress;

	ntsign_progress_start(&progress, total);
	(void)pthread_mutex_lock(&pool->lock);
	while (pool->working > 0) {
		struct timespec until = { .tv_sec = 0 };

		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += PROGRESS_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		(void)pthread_cond_timedwait(&pool->ended, &pool->lock,
					     &until);
		ntsign_progress_show(&progress, bytes_done(pool));
	}
	(void)pthread_mutex_unlock(&pool->lock);
	ntsign_progress_end(&progress);
}

static struct worker *new_worker(struct pool *pool)
{
	struct worker *worker = talloc(pool->mem_ctx, struct worker);

	if (worker == NULL) {
		return NULL;
	}
	worker->pool = pool;
	worker->started = false;
	worker->tally = new_tally(pool);
	worker->parser = ntsign_parser_new(worker);
	if (worker->tally == NULL || worker->parser == NULL) {
		TALLOC_FREE(worker->tally);
		TALLOC_FREE(worker);
	}
	return worker;
}

/* A thread that cannot be started leaves its work to the others. All memory
 * is taken first: talloc's is one thread's at a time. */
static bool start_workers(struct pool *pool, struct worker **workers)
{
	unsigned int count = 0;
	unsigned int i;

	for (i = 0; i < pool->jobs; i++) {
		workers[i] = new_worker(pool);
	}
	(void)pthread_mutex_lock(&pool->lock);
	for (i = 0; i < pool->jobs; i++) {
		struct worker *worker = workers[i];

		if (worker != NULL &&
		    pthread_create(&worker->thread, NULL, work, worker) == 0) {
			worker->started = true;
			count++;
		}
	}
	pool->working = count;
	(void)pthread_mutex_unlock(&pool->lock);
	return count > 0;
}

static void end_workers(struct pool *pool, struct worker **workers)
{
	unsigned int i;

	for (i = 0; i < pool->jobs; i++) {
		struct worker *worker = workers[i];

		if (worker == NULL) {
			continue;
		}
		if (worker->started) {
			(void)pthread_join(worker->thread, NULL);
		}
		if (worker->tally != NULL) {
			hand_in(worker);
			TALLOC_FREE(worker->tally);
		}
		TALLOC_FREE(workers[i]);
	}
}

/* ---- what is read ---- */

/* Marks files that were given before. Returns the bytes of all others; 0
 * where it is not known. */
static bool look(struct pool *pool, uint64_t *total)
{
	struct ntsign_reading *reading = pool->reading;
	struct stat *stats = talloc_zero_array(pool->mem_ctx, struct stat,
					       reading->count);
	bool known = true;
	size_t i, j;

	for (i = 0; stats != NULL && i < reading->count; i++) {
		const char *path = reading->paths[i];
		int ret = strcmp(path, "-") == 0 ?
				  fstat(STDIN_FILENO, &stats[i]) :
				  stat(path, &stats[i]);

		if (ret == -1 || S_ISDIR(stats[i].st_mode)) {
			ntsign_output_error("ntsign: %s: %s", path,
					    strerror(ret == -1 ? errno :
								 EISDIR));
			pool->told = true;
			return false;
		}
		for (j = 0; j < i; j++) {
			if (stats[j].st_dev == stats[i].st_dev &&
			    stats[j].st_ino == stats[i].st_ino) {
				reading->files[i].twice = true;
				pool->sources[i].state = STATE_DONE;
				break;
			}
		}
		known = known && S_ISREG(stats[i].st_mode);
		if (!reading->files[i].twice) {
			*total += (uint64_t)stats[i].st_size;
		}
	}
	if (!known) {
		*total = 0;
	}
	return stats != NULL;
}

static unsigned int jobs_of(const struct ntsign_reading *reading)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (reading->jobs > 0) {
		return reading->jobs;
	}
	if (processors < 1) {
		return 1;
	}
	return processors < NTSIGN_READING_JOBS_MAX ?
		       (unsigned int)processors : NTSIGN_READING_JOBS_MAX;
}

static bool run_pool(struct pool *pool)
{
	struct worker **workers = talloc_zero_array(
		pool->mem_ctx, struct worker *, pool->jobs);
	uint64_t total = 0;
	bool ok = workers != NULL && look(pool, &total);

	(void)ntsign_hash_seed();
	ok = ok && start_workers(pool, workers);
	if (ok) {
		wait_for_all(pool, total);
	}
	if (workers != NULL) {
		end_workers(pool, workers);
	}
	return ok && !pool->failed && !pool->reading->tally->no_memory;
}

bool ntsign_reading_run(TALLOC_CTX *mem_ctx, struct ntsign_reading *reading)
{
	struct pool pool = {
		.reading = reading,
		.mem_ctx = mem_ctx,
		.jobs = jobs_of(reading),
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
		.ended = PTHREAD_COND_INITIALIZER,
	};
	size_t i;

	reading->whole = true;
	reading->tally = ntsign_tally_new(mem_ctx);
	reading->files = talloc_zero_array(mem_ctx, struct ntsign_reading_file,
					   reading->count);
	pool.sources = talloc_zero_array(mem_ctx, struct source,
					 reading->count);
	if (reading->tally == NULL || reading->files == NULL ||
	    pool.sources == NULL) {
		ntsign_output_error("ntsign: out of memory");
		return false;
	}
	for (i = 0; i < reading->count; i++) {
		const char *path = reading->paths[i];

		reading->files[i].path = path;
		pool.sources[i].where.name = path;
		pool.sources[i].where.place = i;
	}
	if (!run_pool(&pool)) {
		if (!pool.told) {
			ntsign_output_error("ntsign: out of memory");
		}
		return false;
	}
	return true;
}

char *ntsign_reading_words(TALLOC_CTX *mem_ctx,
			   const struct ntsign_reading_file *file)
{
	if (file->twice) {
		return talloc_strdup(mem_ctx,
				     "given more than once, counted once");
	}
	if (file->problem == NULL) {
		return talloc_strdup(mem_ctx, "");
	}
	return talloc_asprintf(mem_ctx, "%s; what came before is counted, what "
			       "follows is not", file->problem);
}
