/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What Linux tells of another process: proc.h, proc(5).
 *
 * Invariant: every pointer that a parser hands out points into its line.
 */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The next word, NUL at its end; NULL at the end of the line. */
static char *word(char **line)
{
	char *start = *line + strspn(*line, " ");
	char *end = start + strcspn(start, " ");

	if (start == end) {
		return NULL;
	}
	*line = end;
	if (*end != '\0') {
		*end = '\0';
		*line = end + 1;
	}
	return start;
}

static bool hex_digits(const char *text)
{
	size_t len = strspn(text, "0123456789abcdef");

	return len != 0 && len <= 16 && text[len] == '\0';
}

/* START-END, with no more zeros than map_files has. */
static bool is_range(const char *text)
{
	const char *minus = strchr(text, '-');
	char start[17];

	if (minus == NULL || minus == text || minus - text > 16) {
		return false;
	}
	memcpy(start, text, (size_t)(minus - text));
	start[minus - text] = '\0';
	return hex_digits(start) && hex_digits(minus + 1);
}

static bool parse_device(const char *text, struct ntsign_proc_map *map)
{
	char *end = NULL;

	map->major = (unsigned int)strtoul(text, &end, 16);
	if (end == text || *end != ':') {
		return false;
	}
	text = end + 1;
	map->minor = (unsigned int)strtoul(text, &end, 16);
	return end != text && *end == '\0';
}

/* map_files' names have no leading zeros, maps' have. */
static const char *without_zeros(char *range)
{
	char *minus = strchr(range, '-');
	char *from = range;
	char *to = minus + 1;

	while (from[0] == '0' && from[1] != '-') {
		from++;
	}
	while (to[0] == '0' && to[1] != '\0') {
		to++;
	}
	memmove(minus + 1, to, strlen(to) + 1);
	return from;
}

bool ntsign_proc_parse_map(char *line, struct ntsign_proc_map *map)
{
	static const char gone[] = " (deleted)";
	char *range = word(&line);
	char *permissions = word(&line);
	char *offset = word(&line);
	char *device = word(&line);
	char *inode = word(&line);
	char *end = NULL;
	size_t len;

	*map = (struct ntsign_proc_map){ .range = NULL };
	if (inode == NULL || permissions == NULL || offset == NULL ||
	    !is_range(range) || !parse_device(device, map)) {
		return false;
	}
	errno = 0;
	map->inode = strtoull(inode, &end, 10);
	if (errno != 0 || *end != '\0' || map->inode == 0) {
		return false;
	}
	line += strspn(line, " ");
	len = strlen(line);
	if (line[0] != '/') {
		return false;
	}
	if (len > strlen(gone) &&
	    strcmp(line + len - strlen(gone), gone) == 0) {
		line[len - strlen(gone)] = '\0';
		map->deleted = true;
	}
	map->range = without_zeros(range);
	map->path = line;
	return true;
}

/* Blanks and the like are \NNN there. */
static void unescape(char *text)
{
	char *to = text;

	while (*text != '\0') {
		if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3 &&
		    text[1] < '4') {
			*to++ = (char)((text[1] - '0') << 6 |
				       (text[2] - '0') << 3 | (text[3] - '0'));
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* Whether "ro" is among options that commas part. */
static bool is_read_only(const char *options)
{
	return strcmp(options, "ro") == 0 || strncmp(options, "ro,", 3) == 0;
}

bool ntsign_proc_parse_mount(char *line, struct ntsign_proc_mount *mount)
{
	char *fields[6] = { NULL };
	char *field = NULL;
	size_t i;

	*mount = (struct ntsign_proc_mount){ .root = NULL };
	for (i = 0; i < 6; i++) {
		fields[i] = word(&line);
		if (fields[i] == NULL) {
			return false;
		}
	}
	do {
		field = word(&line);	/* optional ones */
	} while (field != NULL && strcmp(field, "-") != 0);
	if (field == NULL || word(&line) == NULL || word(&line) == NULL) {
		return false;
	}
	field = word(&line);
	if (field == NULL || fields[4][0] != '/') {
		return false;
	}
	unescape(fields[3]);
	unescape(fields[4]);
	mount->root = fields[3];
	mount->point = fields[4];
	mount->read_only = is_read_only(fields[5]) || is_read_only(field);
	return true;
}

const char *ntsign_proc_parse_label(char *text)
{
	static const char enforced[] = " (enforce)";
	size_t len = strcspn(text, "\n");

	text[len] = '\0';
	if (len <= strlen(enforced) ||
	    strcmp(text + len - strlen(enforced), enforced) != 0) {
		return NULL;
	}
	text[len - strlen(enforced)] = '\0';
	return text;
}

char *ntsign_proc_read(TALLOC_CTX *mem_ctx, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = NULL;
	size_t have = 0;
	int error = 0;

	if (fd == -1) {
		return NULL;
	}
	for (;;) {
		char *more = talloc_realloc(mem_ctx, text, char, have + 65537);
		ssize_t n;

		if (more == NULL) {
			error = ENOMEM;
			break;
		}
		text = more;
		n = read(fd, text + have, 65536);
		if (n == -1 && errno != EINTR) {
			error = errno;
			break;
		}
		if (n == 0) {
			break;
		}
		have += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	if (error != 0) {
		TALLOC_FREE(text);
		errno = error;
		return NULL;
	}
	text[have] = '\0';
	return text;
}
