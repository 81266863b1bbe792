/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which files have, or had, the name that is followed.
 *
 * Invariant: a file is traced by the names that it was given one after the
 * other, never guessed by what it is called: what bears a name like that of a
 * rotated file may be a copy.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "follow_rotation.h"
#include "follow_stop.h"

/* Milliseconds between looks, with and without inotify. */
#define WAIT_NOTIFIED 1000
#define WAIT_POLLING 200
/* Nobody sees the difference, and many records are read at once. */
#define WAIT_LEAST 20

#define DIRECTORY_EVENTS (IN_CREATE | IN_DELETE | IN_MOVED_FROM | \
			  IN_MOVED_TO | IN_MOVE_SELF | IN_DELETE_SELF)
#define FILE_EVENTS (IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF)

/* A file that has lost the name. */
struct moved {
	char *path;		/* NULL: on its way, or gone */
	uint32_t cookie;	/* of the event that it is on its way by */
};

struct ntsign_rotation {
	const char *name;	/* without the directory */
	char *directory;	/* with a slash behind it */
	int notify;		/* inotify, -1 without it */
	int watch;		/* of the directory, -1 without it */
	struct moved *moved;
	bool lost_one;		/* since the last look */
	int64_t last;		/* when we looked, in ms */
};

static int64_t now_ms(void)
{
	struct timespec now = { .tv_sec = 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int rotation_destructor(struct ntsign_rotation *rotation)
{
	if (rotation->notify != -1) {
		close(rotation->notify);
	}
	return 0;
}

/* Watches the directory that has its name now, which may be another one. */
static void watch_directory(struct ntsign_rotation *rotation)
{
	int watch = -1;

	if (rotation->notify == -1) {
		return;
	}
	watch = inotify_add_watch(rotation->notify, rotation->directory,
				  DIRECTORY_EVENTS | IN_ONLYDIR);
	if (rotation->watch != -1 && rotation->watch != watch) {
		(void)inotify_rm_watch(rotation->notify, rotation->watch);
	}
	rotation->watch = watch;
}

struct ntsign_rotation *ntsign_rotation_new(TALLOC_CTX *mem_ctx,
					    const char *path)
{
	struct ntsign_rotation *rotation =
		talloc_zero(mem_ctx, struct ntsign_rotation);
	const char *slash = strrchr(path, '/');

	if (rotation == NULL) {
		return NULL;
	}
	rotation->name = slash != NULL ? slash + 1 : path;
	rotation->directory = slash == NULL ? talloc_strdup(rotation, "./") :
		talloc_strndup(rotation, path, (size_t)(slash - path) + 1);
	rotation->moved = talloc_array(rotation, struct moved, 0);
	if (rotation->directory == NULL || rotation->moved == NULL) {
		TALLOC_FREE(rotation);
		return NULL;
	}
	rotation->watch = -1;
	rotation->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	talloc_set_destructor(rotation, rotation_destructor);
	watch_directory(rotation);
	return rotation;
}

void ntsign_rotation_watch(struct ntsign_rotation *rotation, int fd,
			   int *watch)
{
	char path[64];

	*watch = -1;
	if (rotation->notify != -1) {
		/* the name may be another file's by now */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		*watch = inotify_add_watch(rotation->notify, path,
					   FILE_EVENTS);
	}
}

void ntsign_rotation_forget(struct ntsign_rotation *rotation, int watch)
{
	if (watch != -1) {
		(void)inotify_rm_watch(rotation->notify, watch);
	}
}

void ntsign_rotation_wait(struct ntsign_rotation *rotation)
{
	struct pollfd fd = { .fd = rotation->notify, .events = POLLIN };
	int64_t passed = 0;

	if (rotation->watch == -1) {
		(void)ntsign_stop_poll(NULL, 0, WAIT_POLLING);
	} else {
		(void)ntsign_stop_poll(&fd, 1, WAIT_NOTIFIED);
	}
	passed = now_ms() - rotation->last;
	if (passed >= 0 && passed < WAIT_LEAST && !ntsign_stop_asked()) {
		(void)ntsign_stop_poll(NULL, 0, (long)(WAIT_LEAST - passed));
	}
}

/* ---- the files that have lost the name ---- */

static struct moved *find_moved(struct ntsign_rotation *rotation,
				const char *name)
{
	size_t dir = strlen(rotation->directory);
	size_t i;

	for (i = 0; i < ntsign_rotation_count(rotation); i++) {
		struct moved *moved = &rotation->moved[i];

		if (moved->path != NULL &&
		    strcmp(moved->path + dir, name) == 0) {
			return moved;
		}
	}
	return NULL;
}

/* One more. Without memory it is passed over. */
static struct moved *add_moved(struct ntsign_rotation *rotation)
{
	size_t count = ntsign_rotation_count(rotation);
	struct moved *moved = talloc_realloc(rotation, rotation->moved,
					     struct moved, count + 1);

	if (moved == NULL) {
		return NULL;
	}
	rotation->moved = moved;
	rotation->lost_one = true;
	moved[count] = (struct moved){ .path = NULL };
	return &moved[count];
}

static void lost_name(struct ntsign_rotation *rotation, const char *name,
		      uint32_t cookie)
{
	struct moved *moved = find_moved(rotation, name);

	if (moved == NULL && strcmp(name, rotation->name) == 0) {
		moved = add_moved(rotation);
	}
	if (moved != NULL) {
		TALLOC_FREE(moved->path);
		moved->cookie = cookie;
		rotation->lost_one = true;
	}
}

static void got_name(struct ntsign_rotation *rotation, const char *name,
		     uint32_t cookie)
{
	struct moved *gone = find_moved(rotation, name);
	size_t i;

	if (gone != NULL) {
		TALLOC_FREE(gone->path);
		gone->cookie = 0;
	}
	for (i = 0; i < ntsign_rotation_count(rotation); i++) {
		struct moved *moved = &rotation->moved[i];

		if (moved->path == NULL && moved->cookie == cookie) {
			moved->path = talloc_asprintf(rotation->moved, "%s%s",
						      rotation->directory,
						      name);
			moved->cookie = 0;
		}
	}
}

static void take_event(struct ntsign_rotation *rotation,
		       const struct inotify_event *event, const char *name)
{
	if (event->wd != rotation->watch || event->len == 0) {
		return;
	}
	if ((event->mask & IN_MOVED_FROM) != 0) {
		lost_name(rotation, name, event->cookie);
	} else if ((event->mask & IN_DELETE) != 0) {
		lost_name(rotation, name, 0);
	} else if ((event->mask & IN_MOVED_TO) != 0) {
		got_name(rotation, name, event->cookie);
	}
}

bool ntsign_rotation_look(struct ntsign_rotation *rotation)
{
	char buffer[8192];
	ssize_t len = 0;

	rotation->lost_one = false;
	rotation->last = now_ms();
	while (rotation->notify != -1 &&
	       (len = read(rotation->notify, buffer, sizeof(buffer))) > 0) {
		const char *p = buffer;

		while (p < buffer + len) {
			struct inotify_event event = { .len = 0 };

			memcpy(&event, p, sizeof(event));
			p += sizeof(event);
			take_event(rotation, &event, p);
			p += event.len;
		}
	}
	watch_directory(rotation);
	return rotation->lost_one;
}

size_t ntsign_rotation_count(const struct ntsign_rotation *rotation)
{
	return talloc_array_length(rotation->moved);
}

const char *ntsign_rotation_moved(const struct ntsign_rotation *rotation,
				  size_t place)
{
	return rotation->moved[place].path;
}

void ntsign_rotation_clear(struct ntsign_rotation *rotation)
{
	struct moved *none = talloc_array(rotation, struct moved, 0);

	if (none != NULL) {
		TALLOC_FREE(rotation->moved);
		rotation->moved = none;
	}
}
