/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign follow`: records as they come, a line each.
 *
 * Invariant: no record of a file that had the name while this command ran is
 * passed over: a file that loses the name is read on until it has been quiet
 * for a while.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "follow.h"
#include "smbconf.h"
#include "tool.h"

#define RED "\033[31m"
#define PLAIN "\033[0m"

#define LINES_MAX 1000000
/* Milliseconds between looks, with and without inotify. */
#define WAIT_NOTIFIED 1000
#define WAIT_POLLING 200
/* Seconds for which a file that lost the name is read on: smbd's processes
 * change to the new one with their next record. */
#define LINGER 60

/* A file that is read as it grows. */
struct stream {
	int fd;
	dev_t device;
	ino_t inode;
	off_t offset;
	time_t active;		/* when bytes came last */
	struct ntsign_reader *reader;
};

struct follow {
	const char *path;
	bool once;
	bool from_start;
	bool colour;
	bool failed;		/* memory or output; sticks */
	int notify;		/* inotify, -1 without it */
	struct stream current;
	struct stream previous;	/* fd -1: there is none */
	bool skip_first;	/* a line that began before we looked */
	/* the last lines, while the beginning is read */
	char **ring;
	size_t ring_size;
	size_t ring_count;
	TALLOC_CTX *mem_ctx;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	stopped = 1;
}

/* Signals wait while ppoll() does not, so one may be pending. */
static bool is_stopped(void)
{
	sigset_t pending;

	return stopped || (sigpending(&pending) == 0 &&
			   (sigismember(&pending, SIGINT) == 1 ||
			    sigismember(&pending, SIGTERM) == 1));
}

/* ---- what is printed ---- */

static void print_line(char *line)
{
	printf("%s\n", line);
	talloc_free(line);
}

/* Keeps a line as one of the last ones. */
static void keep_line(struct follow *follow, char *line)
{
	size_t slot = follow->ring_count % follow->ring_size;

	TALLOC_FREE(follow->ring[slot]);
	follow->ring[slot] = line;
	follow->ring_count++;
}

static void print_ring(struct follow *follow)
{
	size_t size = follow->ring_size;
	size_t count = follow->ring_count < size ? follow->ring_count : size;
	size_t i;

	for (i = follow->ring_count - count; i < follow->ring_count; i++) {
		print_line(follow->ring[i % size]);
	}
	follow->ring_size = 0;
	TALLOC_FREE(follow->ring);
}

static char *colour_line(struct follow *follow, char *line)
{
	char *coloured = talloc_asprintf(follow->mem_ctx, RED "%s" PLAIN,
					 line);

	talloc_free(line);
	return coloured;
}

static void take_line(const struct ntsign_line *line, void *private_data)
{
	struct follow *follow = private_data;
	struct ntsign_entry entry = { .root = NULL };
	char *text = NULL;
	bool alarm = false;

	if (follow->skip_first) {
		follow->skip_first = false;
		return;
	}
	if (!ntsign_entry_parse(line, &entry)) {
		ntsign_output_error("ntsign follow: a line that is no record: "
				    "%s%s%s", entry.why,
				    entry.detail[0] != '\0' ? ": " : "",
				    entry.detail);
		return;
	}
	text = ntsign_follow_line(follow->mem_ctx, &entry, &alarm);
	ntsign_entry_free(&entry);
	if (text != NULL && alarm && follow->colour) {
		text = colour_line(follow, text);
	}
	if (text == NULL) {
		follow->failed = true;
	} else if (follow->ring_size > 0) {
		keep_line(follow, text);
	} else {
		print_line(text);
	}
}

/* ---- one file ---- */

static bool stream_open(struct follow *follow, struct stream *stream)
{
	struct stat st = { .st_ino = 0 };
	int fd = open(follow->path, O_RDONLY | O_CLOEXEC);

	if (fd == -1) {
		return false;
	}
	if (fstat(fd, &st) == -1) {
		int error = errno;

		close(fd);
		errno = error;
		return false;
	}
	*stream = (struct stream){
		.fd = fd,
		.device = st.st_dev,
		.inode = st.st_ino,
		.active = time(NULL),
		.reader = ntsign_reader_new(follow->mem_ctx, take_line,
					    follow),
	};
	if (stream->reader == NULL) {
		follow->failed = true;
	}
	if (follow->notify != -1) {
		(void)inotify_add_watch(follow->notify, follow->path,
					IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF);
	}
	return stream->reader != NULL;
}

static void stream_close(struct stream *stream)
{
	if (stream->fd == -1) {
		return;
	}
	ntsign_reader_finish(stream->reader);
	TALLOC_FREE(stream->reader);
	close(stream->fd);
	stream->fd = -1;
}

/* Reads what there is. False when the stream has failed. */
static bool stream_read(struct follow *follow, struct stream *stream)
{
	char buffer[65536];
	struct stat st = { .st_size = 0 };
	ssize_t len = 0;

	if (fstat(stream->fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size < stream->offset) {
		ntsign_output_error("ntsign follow: %s was cut, going on at "
				    "its start", follow->path);
		ntsign_reader_restart(stream->reader);
		stream->offset = lseek(stream->fd, 0, SEEK_SET);
	}
	while (!is_stopped() && !follow->failed) {
		len = read(stream->fd, buffer, sizeof(buffer));
		if (len <= 0) {
			break;
		}
		stream->offset += len;
		stream->active = time(NULL);
		ntsign_reader_feed(stream->reader, buffer, (size_t)len);
		if (!ntsign_output_finish(stdout, "standard output")) {
			follow->failed = true;
		}
	}
	if (len == -1 && errno != EINTR) {
		ntsign_output_error("ntsign: %s: %s", follow->path,
				    strerror(errno));
		follow->failed = true;
	}
	return !follow->failed;
}

/* Goes to the end of the file; a line that is being written is left out. */
static void stream_seek_end(struct follow *follow, struct stream *stream)
{
	char last = '\n';

	stream->offset = lseek(stream->fd, 0, SEEK_END);
	if (stream->offset > 0 &&
	    pread(stream->fd, &last, 1, stream->offset - 1) == 1) {
		follow->skip_first = last != '\n';
	}
}

/* ---- waiting and rotation ---- */

static void start_notify(struct follow *follow)
{
	const char *slash = strrchr(follow->path, '/');
	char *directory = NULL;

	follow->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (follow->notify == -1) {
		return;
	}
	if (slash == NULL) {
		directory = talloc_strdup(follow->mem_ctx, ".");
	} else {
		directory = talloc_strndup(follow->mem_ctx, follow->path,
					   (size_t)(slash - follow->path) + 1);
	}
	if (directory == NULL ||
	    inotify_add_watch(follow->notify, directory,
			      IN_CREATE | IN_MOVED_TO) == -1) {
		close(follow->notify);
		follow->notify = -1;
	}
	TALLOC_FREE(directory);
}

/* What has happened is looked for, not read from the events. */
static void drain_notify(struct follow *follow)
{
	char events[4096];

	while (follow->notify != -1 &&
	       read(follow->notify, events, sizeof(events)) > 0) {
		continue;
	}
}

/* Waits until there may be something new; signals come through only here. */
static void wait_for_news(struct follow *follow, const sigset_t *open_mask)
{
	struct pollfd fd = { .fd = follow->notify, .events = POLLIN };
	long wait = follow->notify != -1 ? WAIT_NOTIFIED : WAIT_POLLING;
	struct timespec limit = {
		.tv_sec = wait / 1000,
		.tv_nsec = wait % 1000 * 1000000,
	};

	(void)ppoll(&fd, follow->notify != -1 ? 1 : 0, &limit, open_mask);
	drain_notify(follow);
}

/* Turns to the file that has the name now, if it is another one. */
static void look_for_rotation(struct follow *follow)
{
	struct stat st = { .st_ino = 0 };
	struct stream next = { .fd = -1 };

	if (stat(follow->path, &st) == -1 ||
	    (st.st_dev == follow->current.device &&
	     st.st_ino == follow->current.inode) ||
	    !stream_open(follow, &next)) {
		return;
	}
	if (follow->previous.fd != -1) {
		(void)stream_read(follow, &follow->previous);
		stream_close(&follow->previous);
	}
	/* what came until now is older than what the new file has */
	(void)stream_read(follow, &follow->current);
	follow->previous = follow->current;
	follow->previous.active = time(NULL);
	follow->current = next;
}

static void read_previous(struct follow *follow)
{
	if (follow->previous.fd == -1) {
		return;
	}
	(void)stream_read(follow, &follow->previous);
	if (time(NULL) - follow->previous.active > LINGER) {
		stream_close(&follow->previous);
	}
}

static int follow_file(struct follow *follow, const sigset_t *open_mask)
{
	while (!is_stopped() && !follow->failed) {
		read_previous(follow);
		(void)stream_read(follow, &follow->current);
		if (follow->once) {
			break;
		}
		look_for_rotation(follow);
		if (follow->current.offset == 0) {
			/* a new file may have lines already */
			(void)stream_read(follow, &follow->current);
		}
		wait_for_news(follow, open_mask);
	}
	stream_close(&follow->previous);
	return follow->failed ? NTSIGN_EXIT_FAILED : NTSIGN_EXIT_DONE;
}

/* A pipe or a terminal: read until it ends. */
static int follow_pipe(struct follow *follow, const sigset_t *open_mask)
{
	char buffer[65536];
	ssize_t len = 1;

	while (!is_stopped() && !follow->failed && len != 0) {
		struct pollfd fd = {
			.fd = follow->current.fd,
			.events = POLLIN,
		};

		if (ppoll(&fd, 1, NULL, open_mask) == -1) {
			continue;
		}
		len = read(follow->current.fd, buffer, sizeof(buffer));
		if (len == -1) {
			ntsign_output_error("ntsign: %s: %s", follow->path,
					    strerror(errno));
			return NTSIGN_EXIT_FAILED;
		}
		ntsign_reader_feed(follow->current.reader, buffer,
				   (size_t)len);
		if (!ntsign_output_finish(stdout, "standard output")) {
			follow->failed = true;
		}
	}
	return follow->failed ? NTSIGN_EXIT_FAILED : NTSIGN_EXIT_DONE;
}

/* ---- the command ---- */

/* Lets the signals that end this command through in ppoll() only. */
static void catch_signals(sigset_t *open_mask)
{
	struct sigaction action = { .sa_handler = stop };
	sigset_t ours;

	sigemptyset(&action.sa_mask);
	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigprocmask(SIG_BLOCK, &ours, open_mask);
	sigdelset(open_mask, SIGINT);
	sigdelset(open_mask, SIGTERM);
}

static bool is_pipe(const struct stream *stream)
{
	struct stat st = { .st_mode = 0 };

	return fstat(stream->fd, &st) == 0 && !S_ISREG(st.st_mode);
}

/* Waits for the file that smb.conf names: smbd makes it when the first client
 * connects. False when it cannot be had. */
static bool wait_for_file(struct follow *follow, const sigset_t *open_mask)
{
	bool opened = false;

	ntsign_output_error("ntsign follow: waiting for %s, which is not there "
			    "yet", follow->path);
	do {
		wait_for_news(follow, open_mask);
		opened = stream_open(follow, &follow->current);
	} while (!opened && errno == ENOENT && !is_stopped());
	return opened;
}

static bool open_first(struct follow *follow, bool wait,
		       const sigset_t *open_mask)
{
	struct stream *stream = &follow->current;

	if (strcmp(follow->path, "-") == 0) {
		*stream = (struct stream){
			.fd = STDIN_FILENO,
			.reader = ntsign_reader_new(follow->mem_ctx,
						    take_line, follow),
		};
		return stream->reader != NULL;
	}
	start_notify(follow);
	if (stream_open(follow, stream)) {
		return true;
	}
	if (errno == ENOENT && wait) {
		follow->from_start = true;
		if (wait_for_file(follow, open_mask) || is_stopped()) {
			return true;
		}
	}
	ntsign_output_error("ntsign: %s: %s", follow->path, strerror(errno));
	return false;
}

struct settings {
	const char *smb_conf;
	size_t lines;
	bool from_start;
	bool once;
};

/* Reads or goes past what the file has already. */
static bool begin(struct follow *follow, const struct settings *settings)
{
	if (follow->from_start) {
		return true;
	}
	if (settings->lines == 0) {
		stream_seek_end(follow, &follow->current);
		return true;
	}
	follow->ring = talloc_zero_array(follow->mem_ctx, char *,
					 settings->lines);
	if (follow->ring == NULL) {
		return false;
	}
	follow->ring_size = settings->lines;
	(void)stream_read(follow, &follow->current);
	print_ring(follow);
	return ntsign_output_finish(stdout, "standard output");
}

/* named: the path is the user's own, not smb.conf's. */
static int run_follow(TALLOC_CTX *mem_ctx, const char *path, bool named,
		      const struct settings *settings)
{
	struct follow follow = {
		.path = path,
		.once = settings->once,
		.from_start = settings->from_start,
		.colour = ntsign_output_colour(stdout),
		.notify = -1,
		.current = { .fd = -1 },
		.previous = { .fd = -1 },
		.mem_ctx = mem_ctx,
	};
	int result = NTSIGN_EXIT_FAILED;
	sigset_t open_mask;

	catch_signals(&open_mask);
	if (!open_first(&follow, !named && !settings->once, &open_mask)) {
		return NTSIGN_EXIT_FAILED;
	}
	if (follow.current.fd == -1) {
		result = NTSIGN_EXIT_DONE;	/* stopped while waiting */
	} else if (is_pipe(&follow.current)) {
		result = follow_pipe(&follow, &open_mask);
	} else if (begin(&follow, settings)) {
		result = follow_file(&follow, &open_mask);
	}
	stream_close(&follow.current);
	if (follow.notify != -1) {
		close(follow.notify);
	}
	return result;
}

static bool read_count(const char *text, size_t *count)
{
	char *end = NULL;
	unsigned long n = 0;

	if (text[0] < '0' || text[0] > '9') {
		return false;
	}
	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || n > LINES_MAX) {
		return false;
	}
	*count = n;
	return true;
}

static int read_options(int argc, char **argv, struct settings *settings)
{
	static const struct option options[] = {
		{ "lines", required_argument, NULL, 'n' },
		{ "from-start", no_argument, NULL, 's' },
		{ "once", no_argument, NULL, 'o' },
		{ "smb-conf", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	int answer = 0;

	while ((answer = getopt_long(argc, argv, ":n:", options, NULL)) != -1) {
		switch (answer) {
		case 'n':
			if (!read_count(optarg, &settings->lines)) {
				return ntsign_help_misused(
					argv[0], "'%s' is no number of lines "
					"up to %d", optarg, LINES_MAX);
			}
			break;
		case 's':
			settings->from_start = true;
			break;
		case 'o':
			settings->once = true;
			break;
		case 'c':
			settings->smb_conf = optarg;
			break;
		default:
			return ntsign_help_bad_option(argc, argv, answer);
		}
	}
	if (argc - optind > 1) {
		return ntsign_help_misused(argv[0], "unexpected argument '%s'",
					   argv[optind + 1]);
	}
	return NTSIGN_EXIT_DONE;
}

int ntsign_follow_main(TALLOC_CTX *mem_ctx, int argc, char **argv)
{
	struct settings settings = { .lines = 0 };
	int result = read_options(argc, argv, &settings);
	const char *path = NULL;

	if (result != NTSIGN_EXIT_DONE) {
		return result;
	}
	if (optind < argc) {
		path = argv[optind];
	} else {
		path = ntsign_conf_find_audit(mem_ctx, settings.smb_conf);
	}
	if (path == NULL) {
		return NTSIGN_EXIT_FAILED;
	}
	return run_follow(mem_ctx, path, optind < argc, &settings);
}
