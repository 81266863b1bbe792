/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an object file tells of itself: the note of ntsign's own objects, and
 * the version of Samba in one of Samba's libraries.
 *
 * Invariant: the file may be anything. It is read, and nothing of it is run.
 */
#ifndef NTSIGN_TOOL_OBJECT_H
#define NTSIGN_TOOL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* Larger files are not read. Samba's largest library has 4 MiB. */
#define NTSIGN_OBJECT_SIZE_MAX ((size_t)64 << 20)

struct ntsign_object {
	bool shared;		/* a shared object, of this processor */
	bool noted;		/* it has the note of include/ntsign/note.h */
	/* of the note; NULL: it does not say */
	const char *module;
	const char *record;
	const char *samba;
	const char *interface;
	bool entry;		/* it has a Samba module's entry point */
	bool tells_version;	/* it has samba_version_string() */
	/* what that returns, as far as can be told; NULL: it cannot */
	const char *version;
};

/*
 * Reads an object file. like: a version string of Samba that is preferred
 * where the file has several that could be its own, or NULL. NULL when memory
 * runs out.
 */
struct ntsign_object *ntsign_object_parse(TALLOC_CTX *mem_ctx, const void *data,
				    size_t size, const char *like);

/* The same with a file. NULL when it cannot be read; errno says why. */
struct ntsign_object *ntsign_object_read(TALLOC_CTX *mem_ctx, const char *path,
				   const char *like);

#endif
