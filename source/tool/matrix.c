/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign matrix`: the 36 cells of KB916846.
 *
 * Invariant: every cell comes from ntsign_policy_expected(), none from here.
 */
#include <getopt.h>
#include <jansson.h>

#include "ntsign/policy.h"
#include "tool.h"

#define SIDES 6

/* The sides in the article's order, patched ones first. */
static struct ntsign_party side(unsigned int i)
{
	struct ntsign_party party = {
		.patched = i < NTSIGN_SIGNING_COUNT,
		.signing = (enum ntsign_signing)(i % NTSIGN_SIGNING_COUNT),
	};
	return party;
}

static enum ntsign_outcome cell(unsigned int client, unsigned int server)
{
	return ntsign_policy_expected(NTSIGN_FAMILY_SMB1, side(client),
				      side(server));
}

static const char *short_name(enum ntsign_outcome outcome)
{
	return outcome == NTSIGN_OUTCOME_NO_COMMUNICATION ?
		       "none" : ntsign_output_outcome(outcome);
}

static void print_row(unsigned int client)
{
	unsigned int server;

	printf("  %-11s", ntsign_signing_name(side(client).signing));
	for (server = 0; server < SIDES; server++) {
		const char *name = short_name(cell(client, server));

		if (server == SIDES - 1) {
			printf(" %s\n", name);
		} else {
			printf(" %-10s", name);
		}
	}
}

static void print_text(void)
{
	unsigned int i;

	printf("SMB signing: what comes of a client and a server (%s)\n\n",
	       NTSIGN_ARTICLE);
	printf("%-13s %-32s %s\n", "", "server patched", "server unpatched");
	printf("%-13s", "client");
	for (i = 0; i < SIDES; i++) {
		const char *name = ntsign_signing_name(side(i).signing);

		if (i == SIDES - 1) {
			printf(" %s\n", name);
		} else {
			printf(" %-10s", name);
		}
	}
	for (i = 0; i < SIDES; i++) {
		if (i % NTSIGN_SIGNING_COUNT == 0) {
			printf("%s\n",
			       side(i).patched ? "patched" : "unpatched");
		}
		print_row(i);
	}
	printf("\nnone: no communication. patched: with the update of %s.\n",
	       NTSIGN_ARTICLE);
}

static json_t *party_json(struct ntsign_party party)
{
	return json_pack("{s:b, s:s}", "patched", party.patched, "signing",
			 ntsign_signing_name(party.signing));
}

static bool print_json(void)
{
	json_t *cells = json_array();
	json_t *root = json_pack("{s:s, s:o}", "article", NTSIGN_ARTICLE,
				 "matrix", cells);
	bool ok = root != NULL;
	unsigned int i;

	for (i = 0; ok && i < SIDES * SIDES; i++) {
		enum ntsign_outcome outcome = cell(i / SIDES, i % SIDES);
		json_t *item = json_pack(
			"{s:o, s:o, s:s}",
			"client", party_json(side(i / SIDES)),
			"server", party_json(side(i % SIDES)),
			"expected", ntsign_outcome_name(outcome));

		ok = json_array_append_new(cells, item) == 0;
	}
	ok = ok && json_dumpf(root, stdout, JSON_INDENT(2)) == 0;
	printf("\n");
	json_decref(root);
	return ok;
}

int ntsign_matrix_main(TALLOC_CTX *mem_ctx, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false;
	int answer = 0;

	(void)mem_ctx;
	while ((answer = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (answer != 'j') {
			return ntsign_help_bad_option(argc, argv, answer);
		}
		json = true;
	}
	if (optind < argc) {
		return ntsign_help_misused(argv[0], "unexpected argument '%s'",
					   argv[optind]);
	}
	if (!json) {
		print_text();
		return NTSIGN_EXIT_DONE;
	}
	return print_json() ? NTSIGN_EXIT_DONE : NTSIGN_EXIT_FAILED;
}
