/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign reset`: ends an emulated outage (Q264684).
 *
 * The outage is a record in the database that smbd's processes share, which
 * source/smbd/state.c keeps through dbwrap: a tdb file in the lock directory,
 * or CTDB's under `clustering = yes`. smbd may go on using it meanwhile.
 *
 * Invariant: no other record of the database is touched, and no database is
 * made where there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <tdb.h>
#include <unistd.h>

#include "ntsign_config.h"
#include "smbconf.h"
#include "tool.h"

#define DATABASE "ntsign.tdb"
/* with its NUL, as dbwrap's string keys have it */
#define KEY "outage"
#define KEY_HEX "0x6F757461676500"

/* The exit status of a child that finds no ctdb. */
#define NO_CTDB 126

static const char *global_value(const struct ntsign_conf *conf,
				const char *key, const char *synonym)
{
	const struct ntsign_conf_item *a = ntsign_conf_global(conf, key);
	const struct ntsign_conf_item *b = NULL;

	if (synonym != NULL) {
		b = ntsign_conf_global(conf, synonym);
	}
	if (a == NULL || (b != NULL && b > a)) {
		a = b;	/* the later one counts */
	}
	return a != NULL ? a->value : NULL;
}

static int done(bool was_out)
{
	printf("%s\n", was_out ? "the emulated outage has ended" :
				 "there is no outage");
	return NTSIGN_EXIT_DONE;
}

/* The database of a server of its own. */
static int reset_tdb(const char *path)
{
	TDB_DATA key = { .dptr = (unsigned char *)KEY, .dsize = sizeof(KEY), };
	struct tdb_context *tdb = NULL;
	int error = 0;
	bool was_out = false;

	tdb = tdb_open(path, 0, TDB_DEFAULT, O_RDWR, 0);
	if (tdb == NULL && errno == ENOENT) {
		return done(false);	/* no client has come yet */
	}
	if (tdb == NULL) {
		ntsign_output_error("ntsign: %s: %s", path, strerror(errno));
		return NTSIGN_EXIT_FAILED;
	}
	was_out = tdb_delete(tdb, key) == 0;
	if (!was_out && tdb_error(tdb) != TDB_ERR_NOEXIST) {
		error = tdb_error(tdb);
		ntsign_output_error("ntsign: %s: %s", path,
				    tdb_errorstr(tdb));
	}
	(void)tdb_close(tdb);
	return error != 0 ? NTSIGN_EXIT_FAILED : done(was_out);
}

/* What `ctdb` is asked with; its own complaints go to standard error. */
static void run_ctdb(const char *socket, const char *command, int output)
{
	if (socket != NULL && setenv("CTDB_SOCKET", socket, 1) == -1) {
		_exit(127);
	}
	if (dup2(output, STDOUT_FILENO) == -1) {
		_exit(127);
	}
	execlp("ctdb", "ctdb", command, DATABASE, KEY_HEX, (char *)NULL);
	_exit(errno == ENOENT ? NO_CTDB : 127);
}

/* Runs `ctdb COMMAND' on the outage's record. text: what it prints, the
 * beginning of it. */
static bool ask_ctdb(const char *socket, const char *command, char text[256])
{
	char rest[256];
	size_t used = 0;
	ssize_t len = 0;
	int status = 0;
	int ends[2] = { -1, -1 };
	pid_t pid = -1;

	if (pipe2(ends, O_CLOEXEC) == 0) {
		pid = fork();
	}
	if (pid == 0) {
		run_ctdb(socket, command, ends[1]);
	}
	if (pid == -1) {
		ntsign_output_error("ntsign: ctdb: %s", strerror(errno));
		return false;
	}
	close(ends[1]);
	while (used < 255 &&
	       (len = read(ends[0], text + used, 255 - used)) > 0) {
		used += (size_t)len;
	}
	while (len > 0) {
		len = read(ends[0], rest, sizeof(rest));
	}
	close(ends[0]);
	text[used] = '\0';
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0) {
		bool none = WIFEXITED(status) && WEXITSTATUS(status) == NO_CTDB;

		ntsign_output_error("ntsign: `ctdb %s %s' %s", command,
				    DATABASE, none ? "cannot be run: there is "
				    "no ctdb command" : "failed");
		return false;
	}
	return true;
}

/* CTDB's: its own command asks the cluster. Of a key that is not there it
 * tells that its size is 0. */
static int reset_ctdb(const char *socket)
{
	char text[256];
	bool was_out = false;

	if (!ask_ctdb(socket, "readkey", text)) {
		return NTSIGN_EXIT_FAILED;
	}
	was_out = strstr(text, "size:0 ") == NULL;
	if (was_out && !ask_ctdb(socket, "deletekey", text)) {
		return NTSIGN_EXIT_FAILED;
	}
	return done(was_out);
}

static int reset(TALLOC_CTX *mem_ctx, const char *conf_path)
{
	struct ntsign_conf *conf = ntsign_conf_read(mem_ctx, conf_path);
	const char *clustering = NULL;
	const char *directory = NULL;
	char *path = NULL;

	if (conf == NULL || conf->no_memory) {
		ntsign_output_error("ntsign: %s: %s", conf_path,
				    strerror(conf == NULL ? errno : ENOMEM));
		return NTSIGN_EXIT_FAILED;
	}
	clustering = global_value(conf, "clustering", NULL);
	if (clustering != NULL && ntsign_conf_true(clustering)) {
		return reset_ctdb(global_value(conf, "ctdbdsocket", NULL));
	}
	directory = global_value(conf, "lockdirectory", "lockdir");
	if (directory == NULL) {
		directory = NTSIGN_LOCKDIR;
	}
	if (strchr(directory, '%') != NULL) {
		ntsign_output_error("ntsign: the lock directory of %s is %s, "
				    "and only smbd knows what its %% "
				    "variables stand for", conf_path,
				    directory);
		return NTSIGN_EXIT_FAILED;
	}
	path = talloc_asprintf(mem_ctx, "%s/%s", directory, DATABASE);
	if (path == NULL) {
		ntsign_output_error("ntsign: out of memory");
		return NTSIGN_EXIT_FAILED;
	}
	return reset_tdb(path);
}

int ntsign_reset_main(TALLOC_CTX *mem_ctx, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "smb-conf", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	const char *conf_path = NTSIGN_CONFIGFILE;
	int answer = 0;

	opterr = 0;
	while ((answer = getopt_long(argc, argv, ":", long_options, NULL)) !=
	       -1) {
		if (answer != 'c') {
			return ntsign_help_bad_option(argc, argv, answer);
		}
		conf_path = optarg;
	}
	if (optind < argc) {
		return ntsign_help_misused(argv[0], "unexpected argument '%s'",
					   argv[optind]);
	}
	return reset(mem_ctx, conf_path);
}
