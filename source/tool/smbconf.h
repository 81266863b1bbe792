/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * smb.conf as smbd reads it, with the line numbers that smbd forgets.
 *
 * Invariant: items stand in the order in which smbd meets them, included
 * files in their place, so that the last one wins as it does in smbd.
 */
#ifndef NTSIGN_SMBCONF_H
#define NTSIGN_SMBCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

enum ntsign_severity {
	NTSIGN_SEVERITY_ERROR,
	NTSIGN_SEVERITY_WARNING,
	NTSIGN_SEVERITY_NOTE,
	NTSIGN_SEVERITY_INFO,	/* asks for nothing */
};

/* A section's header or a parameter. */
struct ntsign_conf_item {
	const char *file;
	unsigned int line;	/* where it starts */
	const char *section;	/* NULL: [global] */
	/* the name without white space, in lower case; NULL: a header */
	const char *key;
	const char *name;	/* as written */
	const char *value;	/* white space zapped as smbd does it */
};

struct ntsign_conf_remark {
	enum ntsign_severity severity;
	const char *file;
	unsigned int line;
	const char *text;
};

/* All memory hangs below the structure itself. */
struct ntsign_conf {
	struct ntsign_conf_item *items;
	size_t count;
	struct ntsign_conf_remark *remarks;	/* what the reader noticed */
	size_t remark_count;
	/* smbd stops reading here, and does not start */
	bool broken;
	bool no_memory;		/* sticky: the items are not all */
	/* while it is being read */
	const char *section;
	unsigned int depth;
	bool no_includes;	/* leave included files alone */
};

/* Reads a file and what it includes. NULL when the file cannot be read;
 * errno says why. */
struct ntsign_conf *ntsign_conf_read(TALLOC_CTX *mem_ctx, const char *path);

/* Reads text as the file of that name; for included files and for tests. */
void ntsign_conf_parse(struct ntsign_conf *conf, const char *file,
		       const char *text, size_t len);

/* The parameter of [global] that counts, by its key; NULL if there is none.
 */
const struct ntsign_conf_item *ntsign_conf_global(
	const struct ntsign_conf *conf, const char *key);

/* The same for a parameter that has a second name: whichever comes last. */
const struct ntsign_conf_item *ntsign_conf_last(
	const struct ntsign_conf *conf, const char *key,
	const char *synonym);

/* Words of a list parameter: white space and commas part them, double quotes
 * hold them together. Ends with NULL. NULL when memory runs out. */
char **ntsign_conf_list(TALLOC_CTX *mem_ctx, const char *value);

/* smb.conf's idea of true; anything else is false. */
bool ntsign_conf_true(const char *value);

/*
 * Where the audit file is: `ntsign:audit file`, or ntsign.jsonl in the
 * directory of `log file`. % substitutions are not done. *item is what says
 * so, NULL if nothing does. NULL when memory runs out.
 */
char *ntsign_conf_audit_file(TALLOC_CTX *mem_ctx,
			     const struct ntsign_conf *conf,
			     const struct ntsign_conf_item **item);

/*
 * The audit file for a command that was not given one: what smb.conf at path
 * (NULL: smbd's own) names. Says why not and returns NULL when it cannot be
 * told.
 */
char *ntsign_conf_find_audit(TALLOC_CTX *mem_ctx, const char *path);

#endif
