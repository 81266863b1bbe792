/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The `ntsign` command: finds the subcommand and runs it.
 *
 * Invariant: the exit status is one of enum ntsign_exit, and 0 only when all
 * output has been written.
 */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "ntsign_config.h"
#include "tool.h"

const struct ntsign_command *ntsign_command_find(const char *name)
{
	const struct ntsign_command *c = NULL;

	for (c = ntsign_commands; c->name != NULL; c++) {
		if (strcmp(c->name, name) == 0) {
			return c;
		}
	}
	return NULL;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int version(int argc, char **argv)
{
	if (argc > 2) {
		return ntsign_help_misused("ntsign", "unexpected argument '%s'",
					   argv[2]);
	}
	printf("ntsign %s (built for Samba %s)\n", NTSIGN_VERSION,
	       NTSIGN_SAMBA_VERSION_STRING);
	return NTSIGN_EXIT_DONE;
}

static int run_command(TALLOC_CTX *mem_ctx, const struct ntsign_command *c,
		       int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (is_help(argv[i])) {
			return ntsign_help_command(c->name);
		}
	}
	if (c->run == NULL) {
		ntsign_output_error("ntsign: '%s' is a command of a later "
				    "version; this is ntsign %s",
				    c->name, NTSIGN_VERSION);
		return NTSIGN_EXIT_USAGE;
	}
	argv[0] = talloc_asprintf(mem_ctx, "ntsign %s", c->name);
	if (argv[0] == NULL) {
		return NTSIGN_EXIT_FAILED;
	}
	return c->run(mem_ctx, argc, argv);
}

static int dispatch(TALLOC_CTX *mem_ctx, int argc, char **argv)
{
	const struct ntsign_command *c = NULL;

	if (argc < 2) {
		ntsign_help_usage(stderr);
		return NTSIGN_EXIT_USAGE;
	}
	if (is_help(argv[1])) {
		ntsign_help_usage(stdout);
		return NTSIGN_EXIT_DONE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		return version(argc, argv);
	}
	c = ntsign_command_find(argv[1]);
	if (c == NULL) {
		return ntsign_help_misused("ntsign", "unknown %s '%s'",
					   argv[1][0] == '-' ? "option" :
							       "command",
					   argv[1]);
	}
	return run_command(mem_ctx, c, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	int result = NTSIGN_EXIT_FAILED;

	setlocale(LC_CTYPE, "");
	if (mem_ctx == NULL) {
		ntsign_output_error("ntsign: out of memory");
		return NTSIGN_EXIT_FAILED;
	}
	result = dispatch(mem_ctx, argc, argv);
	if (!ntsign_output_finish(stdout, "standard output")) {
		result = NTSIGN_EXIT_FAILED;
	}
	TALLOC_FREE(mem_ctx);
	return result;
}
