/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One file, read as it grows.
 *
 * Invariant: before bytes are handed on, those in front of them are compared
 * with what was read there, so that a file that was cut and has grown again
 * is never taken for one that went on.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "follow_stream.h"
#include "ntsign/record.h"
#include "tool.h"

/* Bytes that are compared: with a whole record, and so a time, in them. */
#define TAIL_MAX NTSIGN_RECORD_MAX
#define READ_MAX 65536

struct ntsign_stream {
	const char *path;
	int fd;
	struct stat st;			/* as it was opened */
	off_t offset;
	time_t active;
	bool skip_first;		/* a line that began before we looked */
	struct ntsign_reader *reader;
	void (*line)(const struct ntsign_line *line, void *private_data);
	void *private_data;
	size_t tail;			/* bytes at the buffer's start that are
					 * in front of offset */
	char buffer[TAIL_MAX + READ_MAX];
};

static void take_line(const struct ntsign_line *line, void *private_data)
{
	struct ntsign_stream *stream = private_data;

	if (stream->skip_first) {
		stream->skip_first = false;
		return;
	}
	stream->line(line, stream->private_data);
}

static int stream_destructor(struct ntsign_stream *stream)
{
	if (stream->fd > STDIN_FILENO) {
		close(stream->fd);
	}
	return 0;
}

static int open_path(const char *path)
{
	if (strcmp(path, "-") == 0) {
		return STDIN_FILENO;
	}
	/* a named pipe is not waited for here, where no signal gets through */
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

struct ntsign_stream *ntsign_stream_open(
	TALLOC_CTX *mem_ctx, const char *path,
	void (*line)(const struct ntsign_line *line, void *private_data),
	void *private_data)
{
	struct ntsign_stream *stream = NULL;
	int fd = open_path(path);
	int error = ENOMEM;

	if (fd == -1) {
		return NULL;
	}
	stream = talloc_zero(mem_ctx, struct ntsign_stream);
	if (stream == NULL) {
		goto failed;
	}
	stream->reader = ntsign_reader_new(stream, take_line, stream);
	if (stream->reader == NULL) {
		goto failed;
	}
	if (fstat(fd, &stream->st) == -1) {
		error = errno;
		goto failed;
	}
	stream->path = path;
	stream->fd = fd;
	stream->active = time(NULL);
	stream->line = line;
	stream->private_data = private_data;
	talloc_set_destructor(stream, stream_destructor);
	return stream;

failed:
	TALLOC_FREE(stream);
	if (fd > STDIN_FILENO) {
		close(fd);
	}
	errno = error;
	return NULL;
}

int ntsign_stream_fd(const struct ntsign_stream *stream)
{
	return stream->fd;
}

bool ntsign_stream_regular(const struct ntsign_stream *stream)
{
	return S_ISREG(stream->st.st_mode);
}

bool ntsign_stream_is(const struct ntsign_stream *stream,
		      const struct stat *st)
{
	return stream->st.st_dev == st->st_dev &&
	       stream->st.st_ino == st->st_ino;
}

bool ntsign_stream_unlinked(const struct ntsign_stream *stream)
{
	struct stat st = { .st_nlink = 0 };

	return fstat(stream->fd, &st) == 0 && st.st_nlink == 0;
}

time_t ntsign_stream_active(const struct ntsign_stream *stream)
{
	return stream->active;
}

bool ntsign_stream_seek_end(struct ntsign_stream *stream)
{
	off_t end = lseek(stream->fd, 0, SEEK_END);
	size_t len = 0;
	ssize_t n = 0;

	if (end == -1) {
		return false;
	}
	len = end < TAIL_MAX ? (size_t)end : TAIL_MAX;
	n = pread(stream->fd, stream->buffer, len, end - (off_t)len);
	if (n != (ssize_t)len) {
		/* cut just now: what is there is new */
		return n != -1;
	}
	stream->offset = end;
	stream->tail = len;
	stream->skip_first = len > 0 && stream->buffer[len - 1] != '\n';
	return true;
}

/* Whether the file behind fd has what was read, up to offset. */
static bool has_tail(const struct ntsign_stream *stream, int fd)
{
	char found[TAIL_MAX];
	ssize_t n = pread(fd, found, stream->tail,
			  stream->offset - (off_t)stream->tail);

	return n == (ssize_t)stream->tail &&
	       memcmp(found, stream->buffer, stream->tail) == 0;
}

/* A file in the directory that may be a copy of this one. -1 if it is none */
static int open_copy(const struct ntsign_stream *stream, int directory,
		     const char *name)
{
	struct stat st = { .st_mode = 0 };
	int fd = openat(directory, name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd == -1) {
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    !ntsign_stream_is(stream, &st) && has_tail(stream, fd)) {
		return fd;
	}
	close(fd);
	return -1;
}

/*
 * Looks beside the file for what it was copied to before it was cut, as
 * logrotate's copytruncate does: a file whose name begins with this one's,
 * with the same bytes up to where we are. -1 when there is none.
 */
static int find_copy(const struct ntsign_stream *stream)
{
	const char *slash = strrchr(stream->path, '/');
	const char *name = slash != NULL ? slash + 1 : stream->path;
	size_t len = strlen(name);
	struct dirent *entry = NULL;
	char *path = NULL;
	DIR *directory = NULL;
	int fd = -1;

	path = talloc_strndup(NULL, slash != NULL ? stream->path : "./",
			      slash != NULL ?
			      (size_t)(slash - stream->path) + 1 : 2);
	if (path != NULL) {
		directory = opendir(path);
	}
	TALLOC_FREE(path);
	if (directory == NULL) {
		return -1;
	}
	while (fd == -1 && (entry = readdir(directory)) != NULL) {
		if (strncmp(entry->d_name, name, len) == 0 &&
		    entry->d_name[len] != '\0') {
			fd = open_copy(stream, dirfd(directory),
				       entry->d_name);
		}
	}
	closedir(directory);
	return fd;
}

/* Reads at offset from fd, which has what was read before. Returns the bytes
 * read, -2 when it has not, and -1 with errno set. */
static ssize_t read_part(struct ntsign_stream *stream, int fd)
{
	char old[TAIL_MAX];
	size_t len = 0;
	ssize_t n = 0;

	memcpy(old, stream->buffer, stream->tail);
	/* one call for both, so that nothing happens between them */
	n = pread(fd, stream->buffer, sizeof(stream->buffer),
		  stream->offset - (off_t)stream->tail);
	if (n < (ssize_t)stream->tail ||
	    memcmp(old, stream->buffer, stream->tail) != 0) {
		memcpy(stream->buffer, old, stream->tail);
		return n == -1 ? -1 : -2;
	}
	len = (size_t)n - stream->tail;
	if (len == 0) {
		return 0;
	}
	stream->offset += (off_t)len;
	stream->active = time(NULL);
	ntsign_reader_feed(stream->reader, stream->buffer + stream->tail, len);
	stream->tail = (size_t)n < TAIL_MAX ? (size_t)n : TAIL_MAX;
	memmove(stream->buffer, stream->buffer + n - stream->tail,
		stream->tail);
	return (ssize_t)len;
}

/* Turns to the start of a file that was cut, after what its copy has and we
 * have not read yet. */
static void begin_again(struct ntsign_stream *stream)
{
	int copy = find_copy(stream);

	ntsign_output_error("ntsign follow: %s was cut, going on at its start",
			    stream->path);
	if (copy != -1) {
		while (read_part(stream, copy) > 0) {
			continue;
		}
		close(copy);
		ntsign_reader_finish(stream->reader);
	}
	ntsign_reader_restart(stream->reader);
	stream->skip_first = false;
	stream->offset = 0;
	stream->tail = 0;
}

static bool read_failed(const struct ntsign_stream *stream)
{
	ntsign_output_error("ntsign: %s: %s", stream->path, strerror(errno));
	return false;
}

static bool read_pipe(struct ntsign_stream *stream, bool *more)
{
	ssize_t n = read(stream->fd, stream->buffer, sizeof(stream->buffer));

	*more = n != 0;
	if (n == -1) {
		return errno == EINTR || errno == EAGAIN ||
		       read_failed(stream);
	}
	ntsign_reader_feed(stream->reader, stream->buffer, (size_t)n);
	return true;
}

bool ntsign_stream_read(struct ntsign_stream *stream, bool *more)
{
	ssize_t n = 0;

	if (!ntsign_stream_regular(stream)) {
		return read_pipe(stream, more);
	}
	n = read_part(stream, stream->fd);
	*more = n > 0 || n == -2;
	if (n == -1) {
		*more = errno == EINTR;
		return *more || read_failed(stream);
	}
	if (n == -2) {
		begin_again(stream);
	}
	return true;
}

void ntsign_stream_finish(struct ntsign_stream *stream)
{
	ntsign_reader_finish(stream->reader);
}
