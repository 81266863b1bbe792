/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that is read in chunks of whole lines.
 *
 * Invariant: a chunk's text is terminated by its length only; what stands
 * behind a line may be read and means nothing.
 */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ntsign_input {
	const char *path;
	int fd;
	bool regular;
	off_t size;		/* a regular file's, when it was opened */
	uint64_t bytes;		/* read from it */
	bool asked;		/* its size once more, at its end */
	bool at_end;		/* the file's */
	bool ended;		/* what is in it */
	const char *problem;	/* NULL, or a text that stays */
	uint64_t place;		/* of the problem, in the file */
	struct ntsign_unpack *unpack;	/* NULL: as it is */
	uint64_t lines;		/* in the chunks so far */
	bool too_long;		/* in the midst of such a line */
	size_t tail_len;
	char tail[NTSIGN_CHUNK_MAX];	/* a line's beginning */
	size_t packed_len;
	const uint8_t *packed;		/* in `raw` */
	uint8_t raw[NTSIGN_CHUNK_MAX];
};

static int input_destructor(struct ntsign_input *input)
{
	if (input->fd > STDERR_FILENO) {
		close(input->fd);
	}
	return 0;
}

/* The first one stays: what follows comes of it. */
static void set_problem(struct ntsign_input *input, const char *what)
{
	if (input->problem == NULL) {
		input->problem = what;
		input->place = input->bytes - input->packed_len;
	}
}

/*
 * A file may grow as fast as it is read: what it had when it was opened and
 * what came until that was read are taken.
 */
static size_t wanted(struct ntsign_input *input, size_t room)
{
	struct stat st = { .st_size = 0 };
	uint64_t left = 0;

	if (!input->regular) {
		return room;
	}
	if (input->bytes >= (uint64_t)input->size && !input->asked) {
		input->asked = true;
		if (fstat(input->fd, &st) == 0 && st.st_size > input->size) {
			input->size = st.st_size;
		}
	}
	left = (uint64_t)input->size > input->bytes ?
		       (uint64_t)input->size - input->bytes : 0;
	return left < room ? (size_t)left : room;
}

/* Reads bytes as they are; 0 at the end. */
static size_t read_raw(struct ntsign_input *input, void *buffer, size_t room)
{
	ssize_t n = 0;

	room = input->at_end ? 0 : wanted(input, room);
	if (room > 0) {
		do {
			n = read(input->fd, buffer, room);
		} while (n == -1 && errno == EINTR);
	}
	if (n == -1) {
		set_problem(input, strerrordesc_np(errno));
		n = 0;
	} else if (n == 0 && input->regular &&
		   input->bytes < (uint64_t)input->size) {
		set_problem(input, "it became shorter while it was read");
	}
	input->at_end = input->at_end || n == 0;
	(void)__atomic_add_fetch(&input->bytes, (uint64_t)n, __ATOMIC_RELAXED);
	return (size_t)n;
}

static size_t read_unpacked(struct ntsign_input *input, char *buffer,
			    size_t room)
{
	enum ntsign_unpack_result result = NTSIGN_UNPACK_MORE;
	size_t len = 0;

	while (len == 0 && result == NTSIGN_UNPACK_MORE) {
		if (input->packed_len == 0 && !input->at_end) {
			input->packed = input->raw;
			input->packed_len = read_raw(input, input->raw,
						     sizeof(input->raw));
		}
		len = room;
		result = ntsign_unpack_run(input->unpack, &input->packed,
					   &input->packed_len, input->at_end,
					   buffer, &len);
	}
	if (result == NTSIGN_UNPACK_DAMAGED) {
		set_problem(input, ntsign_unpack_why(input->unpack));
	}
	input->ended = result != NTSIGN_UNPACK_MORE;
	return len;
}

/* Some bytes; 0: there are no more. */
static size_t read_some(struct ntsign_input *input, char *buffer, size_t room)
{
	size_t len = 0;

	if (input->ended) {
		return 0;
	}
	if (input->unpack != NULL) {
		return read_unpacked(input, buffer, room);
	}
	if (input->packed_len > 0) {
		/* what was read to tell the format */
		len = input->packed_len < room ? input->packed_len : room;
		memcpy(buffer, input->packed, len);
		input->packed += len;
		input->packed_len -= len;
		return len;
	}
	len = read_raw(input, buffer, room);
	input->ended = len == 0;
	return len;
}

static bool tell_format(struct ntsign_input *input)
{
	enum ntsign_unpack_format format = NTSIGN_UNPACK_PLAIN;

	input->packed = input->raw;
	while (input->packed_len < NTSIGN_UNPACK_MAGIC && !input->at_end) {
		input->packed_len += read_raw(
			input, input->raw + input->packed_len,
			NTSIGN_UNPACK_MAGIC - input->packed_len);
	}
	format = ntsign_unpack_tell(input->raw, input->packed_len);
	if (format == NTSIGN_UNPACK_PLAIN) {
		return true;
	}
	input->unpack = ntsign_unpack_new(input, format);
	return input->unpack != NULL;
}

struct ntsign_input *ntsign_input_open(TALLOC_CTX *mem_ctx, const char *path)
{
	struct ntsign_input *input = talloc(mem_ctx, struct ntsign_input);
	struct stat st = { .st_size = 0 };

	if (input == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	memset(input, 0, offsetof(struct ntsign_input, tail));
	input->packed_len = 0;
	input->path = path;
	input->fd = strcmp(path, "-") == 0 ? STDIN_FILENO :
					     open(path, O_RDONLY | O_CLOEXEC |
							O_NOCTTY);
	talloc_set_destructor(input, input_destructor);
	if (input->fd == -1 || fstat(input->fd, &st) == -1) {
		goto failed;
	}
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		goto failed;
	}
	/* standard input may stand anywhere in its file; /proc has no sizes */
	input->regular = S_ISREG(st.st_mode) && st.st_size > 0 &&
			 input->fd != STDIN_FILENO;
	input->size = st.st_size;
	if (!tell_format(input)) {
		errno = ENOMEM;
		goto failed;
	}
	return input;
failed:
	{
		int error = errno;

		TALLOC_FREE(input);
		errno = error;
	}
	return NULL;
}

/* Fills the chunk as far as there is something; false at the end. */
static bool fill(struct ntsign_input *input, struct ntsign_chunk *chunk)
{
	while (chunk->len < NTSIGN_CHUNK_MAX) {
		size_t n = read_some(input, chunk->text + chunk->len,
				     NTSIGN_CHUNK_MAX - chunk->len);

		if (n == 0) {
			return false;
		}
		chunk->len += n;
		if (!input->regular) {
			break;		/* a pipe: what there is, now */
		}
	}
	return true;
}

static uint64_t count_lines(const char *text, size_t len)
{
	const char *end = text + len;
	uint64_t count = 0;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));

		if (newline == NULL) {
			return count + 1;
		}
		count++;
		text = newline + 1;
	}
	return count;
}

/* Keeps what is behind the last newline for the next chunk. */
static bool cut(struct ntsign_input *input, struct ntsign_chunk *chunk)
{
	const char *newline = memrchr(chunk->text, '\n', chunk->len);
	size_t whole = 0;

	if (newline == NULL) {
		return false;
	}
	whole = (size_t)(newline - chunk->text) + 1;
	input->tail_len = chunk->len - whole;
	memcpy(input->tail, chunk->text + whole, input->tail_len);
	chunk->len = whole;
	return true;
}

static void number(struct ntsign_input *input, struct ntsign_chunk *chunk)
{
	chunk->number = input->lines + 1;
	chunk->begins_too_long = input->too_long;
	input->too_long = false;
	input->lines += count_lines(chunk->text, chunk->len);
	if (chunk->len == 0 && chunk->begins_too_long) {
		input->lines++;
	}
}

bool ntsign_input_read(struct ntsign_input *input, struct ntsign_chunk *chunk)
{
	chunk->len = input->tail_len;
	chunk->last = false;
	memcpy(chunk->text, input->tail, input->tail_len);
	input->tail_len = 0;
	for (;;) {
		if (!fill(input, chunk)) {
			chunk->last = true;
			number(input, chunk);
			return chunk->len > 0 || chunk->begins_too_long;
		}
		if (cut(input, chunk)) {
			number(input, chunk);
			return true;
		}
		if (chunk->len > NTSIGN_READER_LINE_MAX) {
			input->too_long = true;
			chunk->len = 0;
		}
	}
}

char *ntsign_input_problem(TALLOC_CTX *mem_ctx,
			   const struct ntsign_input *input)
{
	if (input->problem == NULL) {
		return NULL;
	}
	return talloc_asprintf(mem_ctx, "%s, at byte %" PRIu64 ", behind line "
			       "%" PRIu64, input->problem, input->place,
			       input->lines);
}

bool ntsign_input_is_whole(const struct ntsign_input *input)
{
	return input->problem == NULL;
}

uint64_t ntsign_input_bytes(const struct ntsign_input *input)
{
	return __atomic_load_n(&input->bytes, __ATOMIC_RELAXED);
}
