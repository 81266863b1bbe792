/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the subcommands of `ntsign` share.
 *
 * Invariant: nothing that a client or a file chose reaches a terminal but
 * through ntsign_output_safe().
 */
#ifndef NTSIGN_TOOL_H
#define NTSIGN_TOOL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <talloc.h>

#include "ntsign/policy.h"

#define NTSIGN_ARTICLE "KB916846"

/* Exit statuses. */
enum ntsign_exit {
	NTSIGN_EXIT_DONE = 0,
	NTSIGN_EXIT_NO = 1,		/* the answer is no */
	NTSIGN_EXIT_USAGE = 2,
	NTSIGN_EXIT_FAILED = 3,		/* no file, no memory, no space */
};

struct ntsign_command {
	const char *name;
	const char *summary;		/* for the list of commands */
	const char *help;		/* all of it */
	/* argv[0] is "ntsign NAME"; NULL for a command of later versions */
	int (*run)(TALLOC_CTX *mem_ctx, int argc, char **argv);
};
/* Ends with an entry without a name. */
extern const struct ntsign_command ntsign_commands[];

const struct ntsign_command *ntsign_command_find(const char *name);

/* ---- the subcommands, one file each ---- */

int ntsign_matrix_main(TALLOC_CTX *mem_ctx, int argc, char **argv);
int ntsign_check_main(TALLOC_CTX *mem_ctx, int argc, char **argv);
int ntsign_report_main(TALLOC_CTX *mem_ctx, int argc, char **argv);
int ntsign_follow_main(TALLOC_CTX *mem_ctx, int argc, char **argv);
int ntsign_probe_main(TALLOC_CTX *mem_ctx, int argc, char **argv);
int ntsign_reset_main(TALLOC_CTX *mem_ctx, int argc, char **argv);
int ntsign_help_main(TALLOC_CTX *mem_ctx, int argc, char **argv);

/* ---- help.c ---- */

/* The list of commands. */
void ntsign_help_usage(FILE *f);
/* Prints a command's help on standard output. */
int ntsign_help_command(const char *name);
/* Says what is wrong with the command line, and where help is to be had.
 * `who` is argv[0]. Returns NTSIGN_EXIT_USAGE. */
int ntsign_help_misused(const char *who, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Names what getopt_long() did not like. Returns NTSIGN_EXIT_USAGE. */
int ntsign_help_bad_option(int argc, char **argv, int answer);

/* ---- output.c ---- */

/*
 * Reads one UTF-8 character. Returns its length in bytes, 0 where there is
 * none (overlong forms and surrogates are none).
 */
size_t ntsign_output_character(const char *text, uint32_t *character);
/* Whether a character does something else than being seen. */
bool ntsign_output_is_treacherous(uint32_t character);
/*
 * Text fit for a terminal: control characters, bytes that are no UTF-8 and
 * characters that reorder or hide others are written as \xNN or \u{NNNN}.
 * A talloc child of mem_ctx; NULL when memory runs out or text is NULL.
 */
char *ntsign_output_safe(TALLOC_CTX *mem_ctx, const char *text);
/*
 * A line of JSON fit for a terminal, and still the same JSON: what
 * ntsign_output_safe() writes otherwise is \uNNNN here. As above.
 */
char *ntsign_output_safe_json(TALLOC_CTX *mem_ctx, const char *json);
/* Columns that a safe text takes. */
size_t ntsign_output_width(const char *safe);
/* Columns of the terminal f writes to; 80 where it is none. */
size_t ntsign_output_columns(FILE *f);
/* Whether f may have colours: a terminal, and no NO_COLOR. */
bool ntsign_output_colour(FILE *f);
/* "signed", "not signed" or "no communication" */
const char *ntsign_output_outcome(enum ntsign_outcome outcome);
/* "ntsign: ..." on standard error, made safe. */
void ntsign_output_error(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
/* Flushes f: whether all that was written has arrived. Says so if not. */
bool ntsign_output_finish(FILE *f, const char *name);

#endif
