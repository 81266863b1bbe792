/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the parts of `ntsign check` share.
 *
 * Invariant: a finding is about one line of a file that was read, the line
 * that is to be changed. About none are: one alone, what all errors come to;
 * and what is told, which asks for no change.
 */
#ifndef NTSIGN_CHECK_H
#define NTSIGN_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "ntsign/option.h"
#include "smbconf.h"

struct ntsign_check_finding {
	enum ntsign_severity severity;
	const char *file;
	unsigned int line;	/* 0: about all of the file, comes last */
	const char *text;
	size_t number;		/* keeps those of one line in order */
};

struct ntsign_check {
	const struct ntsign_conf *conf;
	const char *path;	/* the file asked for */
	const char *module;	/* what smbd loads for `vfs objects` */
	const char *root;	/* in front of paths as smbd sees them */
	/* the smbd that runs with this smb.conf; 0: none */
	unsigned int pid;
	/* its version, and the library that has it; NULL: not known */
	const char *running;
	const char *version_library;
	/* files of its that are mapped are not those installed any more */
	bool replaced;
	/* processes of its that have the module, and how many have another
	 * than is installed */
	unsigned int connections;
	unsigned int connections_stale;
	unsigned int global_line;	/* where [global] starts */
	/* as the module reads them; NULL when memory has run out */
	const struct ntsign_options *options;
	/* ntsign:mode is none, and keeps everybody out as `enforce' does */
	bool more_was_meant;
	struct ntsign_check_finding *findings;
	size_t count;
	bool no_memory;
};

/* item: whose line is to be changed; NULL: a line is missing in [global]. */
void ntsign_check_add(struct ntsign_check *check,
		      enum ntsign_severity severity,
		      const struct ntsign_conf_item *item,
		      const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* What is so, and need not be changed. file: what it is about. */
void ntsign_check_tell(struct ntsign_check *check, const char *file,
		       const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Whether the module would do more than observe. */
bool ntsign_check_enforces(const struct ntsign_check *check);

/* Whether a parameter is one of the module's, ntsign:ANYTHING. */
bool ntsign_check_is_option(const struct ntsign_conf_item *item);

/* ---- check_module.c ---- */

/* Whether the module is there, and fits the Samba that is installed and the
 * one that runs. */
void ntsign_check_module(struct ntsign_check *check);

/* ---- check_running.c ---- */

/* Where samba-vfs-ntsign's examples are installed, with what lets a confined
 * smbd have the module. */
#define NTSIGN_EXAMPLES "/usr/share/doc/samba-vfs-ntsign/examples"

/* Finds the smbd that runs with this smb.conf: check->pid and check->root. */
void ntsign_check_find_smbd(struct ntsign_check *check);
/* The absolute path by which to look for what smbd knows as `path`: another
 * one where smbd has a mount namespace of its own. */
const char *ntsign_check_path(struct ntsign_check *check, const char *path);
/* Which Samba it is, and what it makes of the module's files. like: a version
 * string that is known. */
void ntsign_check_look_at_running(struct ntsign_check *check,
				  const char *like);
/* The version of the smbd that is installed; NULL, and said, where it cannot
 * be told. */
const char *ntsign_check_installed(struct ntsign_check *check,
				   const char *like);
/* The mount that a path of smbd's lies on, where that is read-only, or NULL.
 */
const char *ntsign_check_mount_point(struct ntsign_check *check,
				     const char *path);

/* ---- check_name.c ---- */

/* Options that do not reach the module by their name or their place. */
void ntsign_check_names(struct ntsign_check *check);

/* ---- check_value.c ---- */

/* What is written in a value that has an error, and hardly meant. */
void ntsign_check_value(struct ntsign_check *check,
			const struct ntsign_conf_item *item);

/* ---- check_role.c ---- */

/* Whether this server is one that the module does not work on. */
void ntsign_check_role(struct ntsign_check *check);

/* ---- check_certificate.c ---- */

/* Whether the certificate can be had that the module will want. */
void ntsign_check_certificate(struct ntsign_check *check);

/* ---- check_effect.c ---- */

/* Notes on what other options of smb.conf and the module's make of each
 * other. */
void ntsign_check_effects(struct ntsign_check *check);

#endif
