/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The smbd that is installed, and the one that runs with this smb.conf.
 *
 * After an upgrade the latter goes on with files that are gone: it has them
 * mapped, and its version is read from there. No deleted program is run.
 *
 * Invariant: of a process nothing is concluded that could not be read; that
 * is said.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "ntsign_config.h"
#include "object.h"
#include "proc.h"

/* ---- the process ---- */

/* Whether a process is an smbd; connections' processes are, too. */
static bool is_smbd(struct ntsign_check *check, unsigned int pid)
{
	char *path = talloc_asprintf(check, "/proc/%u/comm", pid);
	char *name = path != NULL ? ntsign_proc_read(check, path) : NULL;
	bool is = name != NULL && strncmp(name, "smbd", 4) == 0 &&
		(name[4] == '\n' || name[4] == '[' || name[4] == ':');

	TALLOC_FREE(name);
	TALLOC_FREE(path);
	return is;
}

/* What a pid file says; 0: nothing. */
static unsigned int read_pid(const char *text)
{
	unsigned long pid = 0;
	char *end = NULL;

	if (text[0] < '1' || text[0] > '9') {
		return 0;
	}
	pid = strtoul(text, &end, 10);
	return pid <= 999999999 && (*end == '\n' || *end == '\0') ?
		(unsigned int)pid : 0;
}

void ntsign_check_find_smbd(struct ntsign_check *check)
{
	const struct ntsign_conf_item *item =
		ntsign_conf_global(check->conf, "piddirectory");
	char *path = NULL;
	char *text = NULL;

	check->root = "";
	path = talloc_asprintf(check, "%s/smbd.pid",
			       item != NULL ? item->value : "/run/samba");
	text = path != NULL ? ntsign_proc_read(check, path) : NULL;
	if (text == NULL) {
		if (path != NULL && errno != ENOENT) {
			ntsign_check_tell(check, path, "%s: which smbd is "
					  "running cannot be told",
					  strerror(errno));
		} else if (path != NULL) {
			ntsign_check_tell(check, path, "no such file: no smbd "
					  "is running");
		}
		return;
	}
	check->pid = read_pid(text);
	if (check->pid == 0 || !is_smbd(check, check->pid)) {
		ntsign_check_tell(check, path, "leads to no smbd: none is "
				  "running");
		check->pid = 0;
		return;
	}
	check->root = talloc_asprintf(check, "/proc/%u/root", check->pid);
	if (check->root == NULL || access(check->root, X_OK) == -1) {
		check->root = "";
	}
}

const char *ntsign_check_path(struct ntsign_check *check, const char *path)
{
	const char *seen = talloc_asprintf(check, "%s%s", check->root, path);

	if (seen == NULL) {
		check->no_memory = true;
		return path;
	}
	return seen;
}

/* Whether it has the same files under the same names as this process. */
static bool has_our_root(const struct ntsign_check *check)
{
	struct stat ours;
	struct stat its;

	return check->root[0] == '\0' ||
	       (stat("/", &ours) == 0 && stat(check->root, &its) == 0 &&
		ours.st_dev == its.st_dev && ours.st_ino == its.st_ino);
}

static bool has_our_mounts(struct ntsign_check *check)
{
	char *path = talloc_asprintf(check, "/proc/%u/ns/mnt", check->pid);
	char ours[64] = "";
	char its[64] = "";

	return path == NULL ||
	       readlink("/proc/self/ns/mnt", ours, sizeof(ours) - 1) == -1 ||
	       readlink(path, its, sizeof(its) - 1) == -1 ||
	       strcmp(ours, its) == 0;
}

/* ---- what a process has mapped ---- */

/*
 * Whether the file that is mapped is not the one that has its name now. A
 * package manager renames a new file over the old one, which is then said to
 * be deleted. Inodes tell of other ways, but not always on an overlay, where
 * what is mapped may be the file that lies below, on another device or without
 * a name here.
 */
static bool is_replaced(struct ntsign_check *check, unsigned int pid,
			const struct ntsign_proc_map *map)
{
	char *link = talloc_asprintf(check, "/proc/%u/map_files/%s", pid,
				     map->range);
	char *named = talloc_asprintf(check, "/proc/%u/root%s", pid,
				      map->path);
	struct stat mapped;
	struct stat now;
	bool replaced = map->deleted;

	if (!replaced && link != NULL && named != NULL &&
	    stat(link, &mapped) == 0 && stat(named, &now) == 0) {
		replaced = mapped.st_dev == now.st_dev &&
			mapped.st_ino != now.st_ino;
	}
	TALLOC_FREE(link);
	TALLOC_FREE(named);
	return replaced;
}

/* Reads a mapped file, gone or not. */
static struct ntsign_object *read_mapped(struct ntsign_check *check,
					 unsigned int pid,
					 const struct ntsign_proc_map *map,
					 const char *like)
{
	char *path = talloc_asprintf(check, "/proc/%u/map_files/%s", pid,
				     map->range);
	struct ntsign_object *object = NULL;

	if (path != NULL) {
		object = ntsign_object_read(check, path, like);
	}
	if (object == NULL && !map->deleted) {
		TALLOC_FREE(path);
		path = talloc_asprintf(check, "/proc/%u/root%s", pid,
				       map->path);
		if (path != NULL) {
			object = ntsign_object_read(check, path, like);
		}
	}
	TALLOC_FREE(path);
	return object;
}

/* Files that a process has mapped, each once; count. */
struct maps {
	char *text;
	struct ntsign_proc_map *list;
	size_t count;
};

/* False: they cannot be read; errno says why. */
static bool read_maps(struct ntsign_check *check, unsigned int pid,
		      struct maps *maps)
{
	char *path = talloc_asprintf(check, "/proc/%u/maps", pid);
	char *save = NULL;
	char *line = NULL;

	*maps = (struct maps){ .count = 0 };
	errno = ENOMEM;
	maps->text = path != NULL ? ntsign_proc_read(check, path) : NULL;
	TALLOC_FREE(path);
	if (maps->text == NULL) {
		return false;
	}
	for (line = strtok_r(maps->text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		struct ntsign_proc_map map;
		struct ntsign_proc_map *list = NULL;

		/* a file's segments stand together */
		if (!ntsign_proc_parse_map(line, &map) ||
		    (maps->count != 0 &&
		     maps->list[maps->count - 1].inode == map.inode &&
		     strcmp(maps->list[maps->count - 1].path,
			    map.path) == 0)) {
			continue;
		}
		list = talloc_realloc(maps->text, maps->list,
				      struct ntsign_proc_map,
				      maps->count + 1);
		if (list == NULL) {
			check->no_memory = true;
			break;
		}
		maps->list = list;
		list[maps->count++] = map;
	}
	return true;
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* The library that has the version; likely: look at those only which it was
 * in every Samba so far. */
static bool find_version(struct ntsign_check *check, const struct maps *maps,
			 const char *like, bool likely)
{
	size_t i;

	for (i = 0; i < maps->count && check->running == NULL; i++) {
		const struct ntsign_proc_map *map = &maps->list[i];
		bool is_likely = strncmp(base_of(map->path), "libsmbconf.so",
					 13) == 0;
		struct ntsign_object *object = NULL;

		if (is_likely != likely) {
			continue;
		}
		object = read_mapped(check, check->pid, map, like);
		if (object != NULL && object->tells_version &&
		    object->version != NULL) {
			check->running = talloc_strdup(check, object->version);
			check->version_library = talloc_strdup(check,
							       map->path);
		}
		TALLOC_FREE(object);
	}
	return check->running != NULL;
}

/* Whether a file is smbd's own program or one of Samba's libraries. The C
 * library's upgrade, say, is no business of this. */
static bool is_sambas(const char *path)
{
	const char *base = base_of(path);

	return strcmp(base, "smbd") == 0 ||
	       (strstr(base, ".so") != NULL &&
		(strncmp(base, "libsmb", 6) == 0 ||
		 strstr(path, "/samba/") != NULL));
}

static bool any_replaced(struct ntsign_check *check, const struct maps *maps)
{
	size_t i;

	for (i = 0; i < maps->count; i++) {
		if (is_sambas(maps->list[i].path) &&
		    is_replaced(check, check->pid, &maps->list[i])) {
			return true;
		}
	}
	return false;
}

/* ---- connections ---- */

/* One process: whether it has the module, and one that is gone. */
static void look_at_connection(struct ntsign_check *check, unsigned int pid)
{
	const char *base = base_of(check->module);
	struct maps maps;
	size_t i;

	if (!is_smbd(check, pid) || !read_maps(check, pid, &maps)) {
		return;
	}
	for (i = 0; i < maps.count; i++) {
		if (strcmp(base_of(maps.list[i].path), base) == 0) {
			check->connections++;
			if (is_replaced(check, pid, &maps.list[i])) {
				check->connections_stale++;
			}
			break;
		}
	}
	TALLOC_FREE(maps.text);
}

static void look_at_connections(struct ntsign_check *check)
{
	char *path = talloc_asprintf(check, "/proc/%u/task/%u/children",
				     check->pid, check->pid);
	char *text = path != NULL ? ntsign_proc_read(check, path) : NULL;
	char *save = NULL;
	char *word = NULL;

	if (text == NULL) {
		return;
	}
	for (word = strtok_r(text, " \n", &save); word != NULL;
	     word = strtok_r(NULL, " \n", &save)) {
		unsigned int pid = read_pid(word);

		if (pid != 0) {
			look_at_connection(check, pid);
		}
	}
	TALLOC_FREE(text);
}

/* ---- what confines it ---- */

static const char *apparmor_profile(struct ntsign_check *check)
{
	/* the second where it is not the only security module */
	static const char *const files[] = { "current", "apparmor/current" };
	const char *label = NULL;
	size_t i;

	for (i = 0; i < 2 && label == NULL; i++) {
		char *path = talloc_asprintf(check, "/proc/%u/attr/%s",
					     check->pid, files[i]);
		char *text = path != NULL ? ntsign_proc_read(check, path) :
					    NULL;

		label = text != NULL ? ntsign_proc_parse_label(text) : NULL;
	}
	return label;
}

static void tell_confinement(struct ntsign_check *check)
{
	const char *label = apparmor_profile(check);

	if (label != NULL) {
		ntsign_check_tell(check, check->module,
			"the smbd that is running (%u) is confined by "
			"AppArmor's profile %s: it must permit the module's "
			"files and the audit file; see " NTSIGN_EXAMPLES,
			check->pid, label);
	}
	if (!has_our_mounts(check)) {
		ntsign_check_tell(check, check->module,
			"the smbd that is running (%u) has mounts of its own: "
			"files are looked for as it sees them", check->pid);
	}
}

void ntsign_check_look_at_running(struct ntsign_check *check,
				  const char *like)
{
	struct maps maps;

	if (check->pid == 0) {
		return;
	}
	if (!read_maps(check, check->pid, &maps)) {
		ntsign_check_tell(check, check->module,
			"whether the module fits the smbd that is running (%u) "
			"%s: /proc/%u/maps: %s", check->pid,
			geteuid() != 0 ? "only root can tell" :
					 "cannot be told",
			check->pid, strerror(errno));
		return;
	}
	if (!find_version(check, &maps, like, true) &&
	    !find_version(check, &maps, like, false)) {
		ntsign_check_tell(check, check->module,
			"whether the module fits the smbd that is running (%u) "
			"cannot be told: none of its libraries has the version",
			check->pid);
	}
	check->replaced = any_replaced(check, &maps);
	TALLOC_FREE(maps.text);
	look_at_connections(check);
	tell_confinement(check);
}

/* ---- the mount that a path lies on ---- */

const char *ntsign_check_mount_point(struct ntsign_check *check,
				     const char *path)
{
	char *file = NULL;
	char *text = NULL;
	char *save = NULL;
	char *line = NULL;
	const char *found = NULL;
	size_t found_len = 0;

	file = check->pid != 0 && check->root[0] != '\0' ?
		talloc_asprintf(check, "/proc/%u/mountinfo", check->pid) :
		talloc_strdup(check, "/proc/self/mountinfo");
	text = file != NULL ? ntsign_proc_read(check, file) : NULL;
	if (text == NULL) {
		return NULL;
	}
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		struct ntsign_proc_mount mount;
		size_t len;

		if (!ntsign_proc_parse_mount(line, &mount)) {
			continue;
		}
		len = strcmp(mount.point, "/") == 0 ? 0 : strlen(mount.point);
		/* the last one lies on top */
		if (strncmp(path, mount.point, len) == 0 &&
		    (path[len] == '/' || path[len] == '\0') &&
		    (found == NULL || len >= found_len)) {
			found = mount.read_only ? mount.point : "";
			found_len = len;
		}
	}
	return found != NULL && found[0] != '\0' ? found : NULL;
}

/* ---- the smbd that is installed ---- */

#define ANSWER_MAX 255
#define SECONDS 10

/* Reads what a child prints, for so long and no longer. */
static size_t read_answer(int fd, char *answer)
{
	time_t end = time(NULL) + SECONDS;
	size_t have = 0;

	while (have < ANSWER_MAX) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		time_t now = time(NULL);
		ssize_t n;

		if (now >= end || poll(&p, 1, (int)(end - now) * 1000) != 1) {
			break;
		}
		n = read(fd, answer + have, ANSWER_MAX - have);
		if (n <= 0) {
			break;
		}
		have += (size_t)n;
	}
	answer[have] = '\0';
	return have;
}

/* The version that `smbd -V` prints, or NULL. */
static char *ask_smbd(struct ntsign_check *check, const char *smbd)
{
	static const char start[] = "Version ";
	char answer[ANSWER_MAX + 1] = "";
	int fds[2] = { -1, -1 };
	pid_t pid = -1;
	int status = 0;

	if (access(smbd, X_OK) == -1 || pipe2(fds, O_CLOEXEC) == -1) {
		return NULL;
	}
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		if (null != -1 && dup2(null, 0) != -1 &&
		    dup2(fds[1], 1) != -1 && dup2(null, 2) != -1) {
			execl(smbd, smbd, "-V", (char *)NULL);
		}
		_exit(127);
	}
	close(fds[1]);
	if (pid != -1) {
		(void)read_answer(fds[0], answer);
		(void)kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) == -1 && errno == EINTR) {
		}
	}
	close(fds[0]);
	if (strncmp(answer, start, strlen(start)) != 0) {
		return NULL;
	}
	answer[strcspn(answer, "\n")] = '\0';
	return talloc_strdup(check, answer + strlen(start));
}

const char *ntsign_check_installed(struct ntsign_check *check,
				   const char *like)
{
	struct ntsign_object *object = NULL;
	const char *version = NULL;

	if (check->version_library != NULL) {
		object = ntsign_object_read(
			check, ntsign_check_path(check,
						 check->version_library),
			like);
		if (object != NULL && object->version != NULL) {
			version = talloc_strdup(check, object->version);
		}
		TALLOC_FREE(object);
	}
	if (version == NULL && has_our_root(check)) {
		version = ask_smbd(check, NTSIGN_SMBD);
	}
	if (version == NULL) {
		ntsign_check_tell(check, check->module,
			"whether the module fits the smbd that is installed "
			"cannot be told: %s",
			!has_our_root(check) ?
				"the one that is running has another root "
				"directory" :
				NTSIGN_SMBD " does not tell its version");
	}
	return version;
}
