/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What logrotate has made of a file.
 *
 * Invariant: names are looked at, nothing is opened.
 */
#include "rotated.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tool.h"

#define DIGITS "0123456789"

struct found {
	char *path;
	time_t seconds;		/* when it was written last */
	long nanoseconds;
};

bool ntsign_rotated_is(const char *base, const char *name)
{
	static const char *const endings[] = {
		"", ".gz", ".xz", ".zst", ".lzma",
	};
	size_t len = strlen(base);
	size_t digits = 0;
	size_t i;

	if (strncmp(name, base, len) != 0 ||
	    (name[len] != '.' && name[len] != '-')) {
		return false;
	}
	digits = strspn(name + len + 1, DIGITS "-");
	if (digits == 0 || strchr(DIGITS, name[len + 1]) == NULL ||
	    (name[len] == '-' && digits < 8)) {
		return false;
	}
	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (strcmp(name + len + 1 + digits, endings[i]) == 0) {
			return true;
		}
	}
	return false;
}

static int compare_found(const void *a, const void *b)
{
	const struct found *left = a;
	const struct found *right = b;

	if (left->seconds != right->seconds) {
		return left->seconds < right->seconds ? -1 : 1;
	}
	if (left->nanoseconds != right->nanoseconds) {
		return left->nanoseconds < right->nanoseconds ? -1 : 1;
	}
	return strcmp(left->path, right->path);
}

/* Adds the path; false without memory. */
static bool append(TALLOC_CTX *mem_ctx, struct found **list, size_t *count,
		   char *path)
{
	struct found *longer = NULL;
	struct stat st = { .st_size = 0 };

	if (path == NULL) {
		return false;
	}
	longer = talloc_realloc(mem_ctx, *list, struct found, *count + 1);
	if (longer == NULL) {
		return false;
	}
	/* one that is gone again is missed when it is opened */
	(void)stat(path, &st);
	longer[*count] = (struct found){
		.path = path,
		.seconds = st.st_mtim.tv_sec,
		.nanoseconds = st.st_mtim.tv_nsec,
	};
	*list = longer;
	(*count)++;
	return true;
}

/* The older ones of one file, by time, and itself behind them. */
static bool find_one(TALLOC_CTX *mem_ctx, char *file, struct found **list,
		     size_t *count)
{
	const char *slash = strrchr(file, '/');
	const char *base = slash != NULL ? slash + 1 : file;
	char *directory = slash == NULL ? talloc_strdup(mem_ctx, "./") :
			  talloc_strndup(mem_ctx, file,
					 (size_t)(slash - file) + 1);
	size_t start = *count;
	struct dirent *entry = NULL;
	DIR *dir = NULL;
	bool ok = directory != NULL;

	dir = ok ? opendir(directory) : NULL;
	if (dir == NULL) {
		ntsign_output_error("ntsign: %s: %s", file, strerror(errno));
		return false;
	}
	while (ok && (entry = readdir(dir)) != NULL) {
		if (ntsign_rotated_is(base, entry->d_name)) {
			ok = append(mem_ctx, list, count,
				    talloc_asprintf(mem_ctx, "%s%s",
						    slash != NULL ? directory :
								    "",
						    entry->d_name));
		}
	}
	closedir(dir);
	if (*count > start) {
		qsort(*list + start, *count - start, sizeof(**list),
		      compare_found);
	}
	ok = ok && append(mem_ctx, list, count, file);
	if (!ok) {
		ntsign_output_error("ntsign: out of memory");
	}
	return ok;
}

bool ntsign_rotated_find(TALLOC_CTX *mem_ctx, char *const *files, size_t count,
			 char ***all, size_t *all_count)
{
	struct found *list = NULL;
	size_t found = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		bool ok = strcmp(files[i], "-") == 0 ?
				  append(mem_ctx, &list, &found, files[i]) :
				  find_one(mem_ctx, files[i], &list, &found);

		if (!ok) {
			return false;
		}
	}
	*all = talloc_array(mem_ctx, char *, found);
	if (*all == NULL) {
		return false;
	}
	for (i = 0; i < found; i++) {
		(*all)[i] = list[i].path;
	}
	*all_count = found;
	return true;
}
