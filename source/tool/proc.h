/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What Linux tells of another process: /proc/PID/maps, /proc/PID/mountinfo,
 * its label.
 *
 * Invariant: the parsers look at one line and change nothing outside of it.
 */
#ifndef NTSIGN_TOOL_PROC_H
#define NTSIGN_TOOL_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* A line of /proc/PID/maps that is of a file. */
struct ntsign_proc_map {
	const char *range;	/* as /proc/PID/map_files has it */
	unsigned int major;
	unsigned int minor;
	uint64_t inode;
	const char *path;	/* without what says that it is gone */
	bool deleted;		/* no file has this name any more */
};

/* Cuts a line up, which is without its newline. False: it is no such line, or
 * not of a file. */
bool ntsign_proc_parse_map(char *line, struct ntsign_proc_map *map);

/* A line of /proc/PID/mountinfo. */
struct ntsign_proc_mount {
	const char *root;	/* in its file system */
	const char *point;	/* where it is mounted */
	bool read_only;		/* here, or the file system is */
};

bool ntsign_proc_parse_mount(char *line, struct ntsign_proc_mount *mount);

/*
 * The name of the AppArmor profile in /proc/PID/attr/current, where it is
 * enforced: cuts the text up. NULL: there is none, it only complains, or the
 * label is another security module's.
 */
const char *ntsign_proc_parse_label(char *text);

/* All of a file below /proc, with a NUL behind it; NULL: errno says why. */
char *ntsign_proc_read(TALLOC_CTX *mem_ctx, const char *path);

#endif
