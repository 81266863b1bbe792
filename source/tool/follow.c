/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign follow`: records as they come, a line each.
 *
 * Invariant: no record of a file that had the name while this command ran is
 * passed over, and none is shown twice: a file that loses the name stays open,
 * and is known again when it gets it back.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "follow.h"
#include "follow_filter.h"
#include "follow_outlet.h"
#include "follow_rotation.h"
#include "follow_stop.h"
#include "follow_stream.h"
#include "smbconf.h"
#include "tool.h"

#define RED "\033[31m"
#define PLAIN "\033[0m"

#define LINES_MAX 1000000
/* Seconds for which a deleted file is read on: smbd's processes change to
 * the new one with their next record. */
#define LINGER 60
/* Files that stay open once they have been read; beyond that the oldest is
 * left. */
#define SOURCES_MAX 16

struct settings {
	const char *smb_conf;
	size_t lines;
	bool from_start;
	bool once;
	bool json;
	struct ntsign_filter filter;
};

/* A file that has, or had, the name. */
struct source {
	struct ntsign_stream *stream;
	int watch;
};

struct follow {
	const char *path;
	const struct settings *settings;
	bool colour;
	bool terminal;
	bool failed;		/* memory, reading or output; sticks */
	int complaint;		/* the errno that was told last */
	struct ntsign_outlet *outlet;
	struct ntsign_rotation *rotation;
	struct ntsign_parser *parser;
	struct source *sources;	/* the oldest first */
	size_t count;
	bool has_name;		/* the last source, when we looked last */
	/* the last lines, while the beginning is read */
	char **ring;
	size_t ring_size;
	size_t ring_count;
	TALLOC_CTX *mem_ctx;
};

static bool is_over(const struct follow *follow)
{
	return follow->failed || ntsign_stop_asked();
}

/* ---- what is printed ---- */

static void print_line(struct follow *follow, char *line)
{
	if (!ntsign_outlet_put(follow->outlet, line, strlen(line)) ||
	    !ntsign_outlet_put(follow->outlet, "\n", 1)) {
		follow->failed = true;
	}
	talloc_free(line);
}

static void flush(struct follow *follow)
{
	if (!ntsign_outlet_flush(follow->outlet)) {
		follow->failed = true;
	}
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
		print_line(follow, follow->ring[i % size]);
	}
	follow->ring_size = 0;
	TALLOC_FREE(follow->ring);
	flush(follow);
}

static char *json_line(struct follow *follow, const struct ntsign_line *line)
{
	char *text = talloc_strndup(follow->mem_ctx, line->text, line->len);
	char *safe = NULL;

	if (text == NULL || !follow->terminal) {
		return text;
	}
	safe = ntsign_output_safe_json(follow->mem_ctx, text);
	talloc_free(text);
	return safe;
}

static char *text_line(struct follow *follow, const struct ntsign_entry *entry)
{
	char *text = ntsign_follow_line(follow->mem_ctx, entry);
	char *coloured = NULL;

	if (text == NULL || !follow->colour || !ntsign_follow_alarm(entry)) {
		return text;
	}
	coloured = talloc_asprintf(follow->mem_ctx, RED "%s" PLAIN, text);
	talloc_free(text);
	return coloured;
}

static void show(struct follow *follow, const struct ntsign_line *line,
		 const struct ntsign_entry *entry)
{
	char *text = follow->settings->json ? json_line(follow, line) :
					      text_line(follow, entry);

	if (text == NULL) {
		follow->failed = true;
	} else if (follow->ring_size > 0) {
		keep_line(follow, text);
	} else {
		print_line(follow, text);
	}
}

static void take_line(const struct ntsign_line *line, void *private_data)
{
	struct follow *follow = private_data;
	struct ntsign_entry entry = { .why = NULL };

	if (!ntsign_entry_parse(follow->parser, line, &entry)) {
		ntsign_output_error("ntsign follow: %s: a line that is no "
				    "record: %s%s%s", follow->path, entry.why,
				    entry.detail[0] != '\0' ? ": " : "",
				    entry.detail);
		return;
	}
	if (ntsign_filter_match(&follow->settings->filter, &entry)) {
		show(follow, line, &entry);
	}
}

/* ---- the files ---- */

static struct ntsign_stream *current(const struct follow *follow)
{
	return follow->sources[follow->count - 1].stream;
}

static void leave_source(struct follow *follow, size_t place)
{
	struct source *source = &follow->sources[place];

	/* after a signal, what was not read of a line may well be there */
	if (!ntsign_stop_asked()) {
		ntsign_stream_finish(source->stream);
	}
	ntsign_rotation_forget(follow->rotation, source->watch);
	TALLOC_FREE(source->stream);
	follow->count--;
	memmove(source, source + 1,
		(follow->count - place) * sizeof(*source));
}

static bool add_source(struct follow *follow, struct ntsign_stream *stream)
{
	struct source *sources = talloc_realloc(follow->mem_ctx,
						follow->sources,
						struct source,
						follow->count + 1);

	if (sources == NULL) {
		TALLOC_FREE(stream);
		errno = ENOMEM;
		return false;
	}
	follow->sources = sources;
	sources += follow->count++;
	sources->stream = stream;
	ntsign_rotation_watch(follow->rotation, ntsign_stream_fd(stream),
			      &sources->watch);
	return true;
}

/* Makes the one that is this file the last source. False if none is. */
static bool make_last(struct follow *follow, const struct stat *st)
{
	size_t i;

	for (i = 0; i < follow->count; i++) {
		struct source source = follow->sources[i];

		if (ntsign_stream_is(source.stream, st)) {
			memmove(&follow->sources[i], &follow->sources[i + 1],
				(follow->count - i - 1) * sizeof(source));
			follow->sources[follow->count - 1] = source;
			return true;
		}
	}
	return false;
}

/* Turns to a file, if it is not open already. False with errno set when it
 * cannot be had. */
static bool turn_to(struct follow *follow, const char *path)
{
	struct ntsign_stream *stream = NULL;
	struct stat st = { .st_ino = 0 };

	if (stat(path, &st) == -1) {
		return false;
	}
	if (make_last(follow, &st)) {
		return true;
	}
	stream = ntsign_stream_open(follow->mem_ctx, path, take_line, follow);
	if (stream == NULL) {
		return false;
	}
	if (!ntsign_stream_regular(stream)) {
		TALLOC_FREE(stream);
		errno = EINVAL;
		return false;
	}
	/* another one may have come by that name in the meantime */
	if (fstat(ntsign_stream_fd(stream), &st) == 0 &&
	    make_last(follow, &st)) {
		TALLOC_FREE(stream);
		return true;
	}
	return add_source(follow, stream);
}

/* Turns to the files that have lost the name since the last look, in their
 * order, and to the one that has it. Returns how many are gone. */
static size_t turn_to_all(struct follow *follow, bool had_name)
{
	size_t count = ntsign_rotation_count(follow->rotation);
	size_t gone = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		const char *path = ntsign_rotation_moved(follow->rotation, i);

		/* the first to lose it is the one that had it */
		if ((path == NULL || !turn_to(follow, path)) &&
		    !(i == 0 && had_name)) {
			gone++;
		}
	}
	follow->has_name = turn_to(follow, follow->path);
	if (!follow->has_name && errno != ENOENT &&
	    errno != follow->complaint) {
		follow->complaint = errno;
		ntsign_output_error("ntsign: %s: %s", follow->path,
				    strerror(errno));
	}
	return gone;
}

static void look_for_rotation(struct follow *follow)
{
	bool had_name = follow->has_name;
	size_t gone = 0;

	(void)ntsign_rotation_look(follow->rotation);
	do {
		gone = turn_to_all(follow, had_name);
		/* moved again while they were opened: look where they are */
	} while (ntsign_rotation_look(follow->rotation) && !is_over(follow));
	ntsign_rotation_clear(follow->rotation);
	if (gone > 0) {
		ntsign_output_error("ntsign follow: %s: rotated %zu times and "
				    "removed before it could be read",
				    follow->path, gone);
	}
}

static void read_source(struct follow *follow, struct ntsign_stream *stream)
{
	bool more = true;

	while (more && !is_over(follow)) {
		if (!ntsign_stream_read(stream, &more)) {
			follow->failed = true;
		}
		flush(follow);
	}
}

/* What came to the older files came before what the newer ones have. */
static void read_sources(struct follow *follow)
{
	time_t now = time(NULL);
	size_t i;

	for (i = 0; i < follow->count; i++) {
		read_source(follow, follow->sources[i].stream);
	}
	while (follow->count > SOURCES_MAX) {
		leave_source(follow, 0);
	}
	for (i = 0; i + 1 < follow->count;) {
		struct ntsign_stream *stream = follow->sources[i].stream;

		if (now - ntsign_stream_active(stream) > LINGER &&
		    ntsign_stream_unlinked(stream)) {
			leave_source(follow, i);
		} else {
			i++;
		}
	}
}

static void follow_file(struct follow *follow)
{
	read_sources(follow);
	while (!follow->settings->once && !is_over(follow)) {
		ntsign_rotation_wait(follow->rotation);
		look_for_rotation(follow);
		read_sources(follow);
	}
}

/* A pipe or a terminal: read until it ends. */
static void follow_pipe(struct follow *follow)
{
	struct pollfd fd = {
		.fd = ntsign_stream_fd(current(follow)),
		.events = POLLIN,
	};
	bool more = true;

	while (more && !is_over(follow)) {
		if (ntsign_stop_poll(&fd, 1, -1) < 1) {
			continue;
		}
		if (!ntsign_stream_read(current(follow), &more)) {
			follow->failed = true;
		}
		flush(follow);
	}
}

/* ---- the command ---- */

static bool open_name(struct follow *follow)
{
	struct ntsign_stream *stream = NULL;

	stream = ntsign_stream_open(follow->mem_ctx, follow->path, take_line,
				    follow);
	if (stream == NULL) {
		return false;
	}
	follow->has_name = add_source(follow, stream);
	return follow->has_name;
}

/* Opens the file, which wait waits for: smbd makes it when the first client
 * connects. False when it cannot be had, which was said. */
static bool open_first(struct follow *follow, bool wait, bool *waited)
{
	bool opened = open_name(follow);

	if (!opened && errno == ENOENT && wait) {
		*waited = true;
		ntsign_output_error("ntsign follow: waiting for %s, which is "
				    "not there yet", follow->path);
		do {
			ntsign_rotation_wait(follow->rotation);
			(void)ntsign_rotation_look(follow->rotation);
			opened = open_name(follow);
		} while (!opened && errno == ENOENT && !ntsign_stop_asked());
	}
	if (!opened && !ntsign_stop_asked()) {
		ntsign_output_error("ntsign: %s: %s", follow->path,
				    strerror(errno));
		return false;
	}
	return true;
}

/* Reads or goes past what the file has already. */
static void begin(struct follow *follow)
{
	const struct settings *settings = follow->settings;

	if (settings->lines == 0) {
		if (!ntsign_stream_seek_end(current(follow))) {
			follow->failed = true;
		}
		return;
	}
	follow->ring = talloc_zero_array(follow->mem_ctx, char *,
					 settings->lines);
	if (follow->ring == NULL) {
		follow->failed = true;
		return;
	}
	follow->ring_size = settings->lines;
	read_source(follow, current(follow));
	print_ring(follow);
}

static void follow_name(struct follow *follow, bool waited)
{
	if (!ntsign_stream_regular(current(follow))) {
		follow_pipe(follow);
	} else {
		if (!follow->settings->from_start && !waited) {
			begin(follow);
		}
		follow_file(follow);
	}
	while (follow->count > 0) {
		leave_source(follow, 0);
	}
	flush(follow);
}

/* named: the path is the user's own, not smb.conf's. */
static int run_follow(TALLOC_CTX *mem_ctx, const char *path, bool named,
		      const struct settings *settings)
{
	struct follow follow = {
		.path = path,
		.settings = settings,
		.colour = ntsign_output_colour(stdout),
		.terminal = isatty(STDOUT_FILENO) == 1,
		.outlet = ntsign_outlet_new(mem_ctx),
		.rotation = ntsign_rotation_new(mem_ctx, path),
		.parser = ntsign_parser_new(mem_ctx),
		.mem_ctx = mem_ctx,
	};
	bool waited = false;

	if (follow.outlet == NULL || follow.rotation == NULL ||
	    follow.parser == NULL) {
		return NTSIGN_EXIT_FAILED;
	}
	ntsign_stop_catch();
	if (!open_first(&follow, !named && !settings->once, &waited)) {
		return NTSIGN_EXIT_FAILED;
	}
	if (follow.count > 0) {
		follow_name(&follow, waited);
	}
	TALLOC_FREE(follow.rotation);
	return follow.failed ? NTSIGN_EXIT_FAILED : NTSIGN_EXIT_DONE;
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

/* An option that names what to show. */
static int read_filter(TALLOC_CTX *mem_ctx, const char *who, int option,
		       struct ntsign_filter *filter)
{
	const char *name = NULL;
	const char *why = NULL;
	bool good = false;

	if (option == 'a') {
		name = "client";
		good = ntsign_filter_add_client(mem_ctx, filter, optarg, &why);
	} else if (option == 'u') {
		name = "account";
		good = ntsign_filter_add_account(mem_ctx, filter, optarg,
						 &why);
	} else {
		name = "type";
		good = ntsign_filter_add_type(filter, optarg, &why);
	}
	if (!good) {
		return ntsign_help_misused(who, "--%s '%s': %s", name, optarg,
					   why);
	}
	return NTSIGN_EXIT_DONE;
}

static int read_option(TALLOC_CTX *mem_ctx, int argc, char **argv, int answer,
		       struct settings *settings)
{
	switch (answer) {
	case 'n':
		if (!read_count(optarg, &settings->lines)) {
			return ntsign_help_misused(
				argv[0], "'%s' is no number of lines up to %d",
				optarg, LINES_MAX);
		}
		return NTSIGN_EXIT_DONE;
	case 's':
		settings->from_start = true;
		return NTSIGN_EXIT_DONE;
	case 'o':
		settings->once = true;
		return NTSIGN_EXIT_DONE;
	case 'c':
		settings->smb_conf = optarg;
		return NTSIGN_EXIT_DONE;
	case 'm':
		settings->filter.alarms = true;
		return NTSIGN_EXIT_DONE;
	case 'a':
	case 'u':
	case 't':
		return read_filter(mem_ctx, argv[0], answer,
				   &settings->filter);
	case 'j':
		settings->json = true;
		return NTSIGN_EXIT_DONE;
	default:
		return ntsign_help_bad_option(argc, argv, answer);
	}
}

static int read_options(TALLOC_CTX *mem_ctx, int argc, char **argv,
			struct settings *settings)
{
	static const struct option options[] = {
		{ "lines", required_argument, NULL, 'n' },
		{ "from-start", no_argument, NULL, 's' },
		{ "once", no_argument, NULL, 'o' },
		{ "mismatch", no_argument, NULL, 'm' },
		{ "client", required_argument, NULL, 'a' },
		{ "account", required_argument, NULL, 'u' },
		{ "type", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{ "smb-conf", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	int answer = 0;

	while ((answer = getopt_long(argc, argv, ":n:", options, NULL)) != -1) {
		int result = read_option(mem_ctx, argc, argv, answer,
					 settings);

		if (result != NTSIGN_EXIT_DONE) {
			return result;
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
	int result = read_options(mem_ctx, argc, argv, &settings);
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
