/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that a command writes.
 *
 * Invariant: whoever reads the file sees what was there before or all of what
 * is there now, and nothing in between.
 */
#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

static int file_destructor(struct ntsign_output_file *file)
{
	if (file->f != NULL && file->f != stdout) {
		fclose(file->f);
	}
	if (file->temporary != NULL) {
		unlink(file->temporary);
	}
	return 0;
}

/* The file behind symbolic links; as it is where there is none yet. */
static char *resolve(TALLOC_CTX *mem_ctx, const char *name)
{
	char *real = realpath(name, NULL);
	char *path = talloc_strdup(mem_ctx, real != NULL ? real : name);

	free(real);
	return path;
}

/* The new file belongs to whom the old one did, and may be read by the same. */
static bool take_over(int fd, const char *path)
{
	struct stat old = { .st_mode = 0 };
	mode_t mode = 0666;
	mode_t mask = 0;

	if (stat(path, &old) == 0) {
		mode = old.st_mode & 0777;
		/* who is not root cannot give it away; another group than the
		 * old one's has no business with it */
		if (fchown(fd, old.st_uid, old.st_gid) != 0 &&
		    fchown(fd, (uid_t)-1, old.st_gid) != 0) {
			mode &= ~(mode_t)0070;
		}
	} else {
		mask = umask(0);
		(void)umask(mask);
	}
	return fchmod(fd, mode & ~mask) == 0;
}

/* Next to the file, because a rename does not leave the file system; with a
 * dot, and another end, because some read all *.prom of a directory. */
static FILE *open_temporary(struct ntsign_output_file *file)
{
	const char *slash = strrchr(file->path, '/');
	const char *base = slash != NULL ? slash + 1 : file->path;
	char *path = NULL;
	FILE *f = NULL;
	int fd = -1;

	path = talloc_asprintf(file, "%.*s.%s.XXXXXX",
			       (int)(base - file->path), file->path, base);
	if (path == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd == -1) {
		return NULL;
	}
	file->temporary = path;
	if (take_over(fd, file->path)) {
		f = fdopen(fd, "w");
	}
	if (f == NULL) {
		close(fd);
	}
	return f;
}

static bool is_replaceable(const char *path)
{
	struct stat st = { .st_mode = 0 };

	if (stat(path, &st) == 0) {
		return S_ISREG(st.st_mode);
	}
	return errno == ENOENT;
}

static FILE *open_file(struct ntsign_output_file *file)
{
	FILE *f = NULL;

	if (is_replaceable(file->path)) {
		f = open_temporary(file);
		if (f != NULL || file->temporary != NULL ||
		    (errno != EACCES && errno != EPERM && errno != EROFS)) {
			return f;
		}
	}
	return fopen(file->path, "we");
}

struct ntsign_output_file *ntsign_output_file_open(TALLOC_CTX *mem_ctx,
						   const char *name)
{
	struct ntsign_output_file *file = NULL;

	file = talloc_zero(mem_ctx, struct ntsign_output_file);
	if (file == NULL) {
		ntsign_output_error("ntsign: out of memory");
		return NULL;
	}
	talloc_set_destructor(file, file_destructor);
	if (name == NULL || strcmp(name, "-") == 0) {
		file->name = "standard output";
		file->f = stdout;
		return file;
	}
	file->name = name;
	file->path = resolve(file, name);
	if (file->path == NULL) {
		errno = ENOMEM;
	} else {
		file->f = open_file(file);
	}
	if (file->f == NULL) {
		ntsign_output_error("ntsign: %s: %s", name, strerror(errno));
		TALLOC_FREE(file);
	}
	return file;
}

bool ntsign_output_file_finish(struct ntsign_output_file *file)
{
	bool ok = ntsign_output_finish(file->f, file->name);

	/* or a power failure could leave the new name and no content */
	if (ok && file->temporary != NULL) {
		ok = fsync(fileno(file->f)) == 0 &&
		     rename(file->temporary, file->path) == 0;
		if (ok) {
			TALLOC_FREE(file->temporary);
		} else {
			ntsign_output_error("ntsign: cannot write %s: %s",
					    file->name, strerror(errno));
		}
	}
	talloc_free(file);
	return ok;
}
