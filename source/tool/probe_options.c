/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line of `ntsign probe`.
 *
 * Invariant: what goes together is decided before anything is asked of the
 * user or the network.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"
#include "probe_account.h"
#include "probe_bytes.h"
#include "tool.h"

#define PORT_DEFAULT 445
#define TIMEOUT_DEFAULT 10
#define TIMEOUT_MAX 3600

enum {
	OPTION_AS = 256,
	OPTION_MATRIX,
	OPTION_SERVER,
	OPTION_SETUP,
	OPTION_NTLMV1,
	OPTION_JSON,
	OPTION_SMB2,
	OPTION_TIMEOUT,
};

/* The command line as it is read; NULL is what it does not say. */
struct words {
	struct ntsign_account_words account;
	const char *who;
	const char *setup;
	bool as;
	bool matrix;
	bool smb2;
	struct ntsign_probe_options *options;
};

/* ---- //HOST/SHARE ---- */

/* Takes it apart; the share stays NULL where there is none. False: it is not
 * of that form. */
static bool take_target(struct words *w, const char *text)
{
	struct ntsign_play_server *server = &w->options->server;
	char *host = talloc_strdup(w->account.mem_ctx, text);
	char *end = NULL;
	char *share = NULL;
	char *rest = NULL;

	if (host == NULL || !ntsign_bytes_is_text(host)) {
		return false;
	}
	if (strncmp(host, "\\\\", 2) == 0) {
		for (end = host; *end != '\0'; end++) {
			*end = *end == '\\' ? '/' : *end;
		}
	}
	if (strncmp(host, "//", 2) != 0) {
		return false;
	}
	host += 2;
	end = host + strcspn(host, "/");
	if (*end == '/') {
		*end = '\0';
		share = end + 1;
		rest = share + strcspn(share, "/");
		if (rest[0] == '/' && rest[1] != '\0') {
			return false;
		}
		*rest = '\0';
	}
	if (host[0] == '[' && end > host + 2 && end[-1] == ']') {
		end[-1] = '\0';
		host++;
	}
	if (host[0] == '\0' || strpbrk(host, "[]") != NULL) {
		return false;
	}
	server->host = host;
	server->share = share != NULL && share[0] != '\0' ? share : NULL;
	return true;
}

/* Whether the host ends with a port; one colon alone is no IPv6 address. */
static bool has_port(const char *text)
{
	const char *host = text + strspn(text, "/\\");
	size_t len = strcspn(host, "/\\");
	size_t colon = strcspn(host, ":");
	size_t digits = 0;

	if (host[0] == '[') {
		colon = strcspn(host, "]") + 1;
	}
	if (colon + 1 >= len || host[colon] != ':') {
		return false;
	}
	digits = strspn(host + colon + 1, "0123456789");
	return colon + 1 + digits == len;
}

/* The words that are no options. A password that stands among them by
 * mistake is not repeated. */
static int take_arguments(struct words *w, int argc, char **argv)
{
	if (optind == argc) {
		return ntsign_help_misused(w->who, "no server: //HOST/SHARE");
	}
	if (optind + 1 < argc) {
		char *word = argv[optind + 1];

		word[strcspn(word, "%")] = '\0';
		return ntsign_help_misused(w->who, "unexpected argument '%s'",
					   word);
	}
	if (has_port(argv[optind])) {
		return ntsign_help_misused(w->who, "'%s' has a port in it: "
					   "give that with -p", argv[optind]);
	}
	if (!take_target(w, argv[optind])) {
		return ntsign_help_misused(w->who, "'%s' is not //HOST/SHARE",
					   argv[optind]);
	}
	if (w->options->server.share == NULL && !w->smb2) {
		return ntsign_help_misused(w->who, "'%s' names no share",
					   argv[optind]);
	}
	return NTSIGN_EXIT_DONE;
}

/* ---- options ---- */

/* A whole number from 1 to max. */
static bool take_number(const char *text, unsigned long max,
			unsigned long *number)
{
	char *end = NULL;

	if (text[0] < '0' || text[0] > '9') {
		return false;
	}
	errno = 0;
	*number = strtoul(text, &end, 10);
	return *end == '\0' && errno == 0 && *number >= 1 && *number <= max;
}

static int take_port(struct words *w, const char *text)
{
	unsigned long number = 0;

	if (!take_number(text, UINT16_MAX, &number)) {
		return ntsign_help_misused(w->who, "'%s' is no TCP port",
					   text);
	}
	w->options->server.port = (uint16_t)number;
	return NTSIGN_EXIT_DONE;
}

static int take_timeout(struct words *w, const char *text)
{
	unsigned long number = 0;

	if (!take_number(text, TIMEOUT_MAX, &number)) {
		return ntsign_help_misused(w->who, "'%s' is no number of "
					   "seconds from 1 to %d", text,
					   TIMEOUT_MAX);
	}
	w->options->server.timeout = (unsigned int)number * 1000;
	return NTSIGN_EXIT_DONE;
}

static int take_setup(struct words *w, const char *value)
{
	if (strcmp(value, "nt4") != 0 && strcmp(value, "ntlmssp") != 0 &&
	    strcmp(value, "both") != 0) {
		return ntsign_help_misused(w->who, "unknown session setup "
					   "'%s': nt4, ntlmssp or both",
					   value);
	}
	w->setup = value;
	return NTSIGN_EXIT_DONE;
}

static int take_party(struct words *w, const char *text,
		      struct ntsign_party *party)
{
	if (ntsign_row_from_name(text, party)) {
		return NTSIGN_EXIT_DONE;
	}
	return ntsign_help_misused(w->who, "'%s' is none of patched-required, "
				   "patched-enabled, patched-disabled, "
				   "unpatched-required, unpatched-enabled and "
				   "unpatched-disabled", text);
}

static int take_option(struct words *w, int answer)
{
	struct ntsign_probe_options *options = w->options;

	switch (answer) {
	case 'p':
		return take_port(w, optarg);
	case 'U':
		return ntsign_account_take(&w->account, optarg);
	case 'A':
		w->account.auth_file = optarg;
		break;
	case 'v':
		options->verbose = true;
		break;
	case OPTION_AS:
		w->as = true;
		return take_party(w, optarg, &options->row);
	case OPTION_MATRIX:
		w->matrix = true;
		break;
	case OPTION_SERVER:
		options->has_column = true;
		return take_party(w, optarg, &options->column);
	case OPTION_SETUP:
		return take_setup(w, optarg);
	case OPTION_NTLMV1:
		options->ntlmv1 = true;
		break;
	case OPTION_JSON:
		options->json = true;
		break;
	case OPTION_SMB2:
		w->smb2 = true;
		break;
	default:
		return take_timeout(w, optarg);
	}
	return NTSIGN_EXIT_DONE;
}

static int read_words(struct words *w, int argc, char **argv)
{
	static const struct option options[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "user", required_argument, NULL, 'U' },
		{ "authentication-file", required_argument, NULL, 'A' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "as", required_argument, NULL, OPTION_AS },
		{ "matrix", no_argument, NULL, OPTION_MATRIX },
		{ "server", required_argument, NULL, OPTION_SERVER },
		{ "setup", required_argument, NULL, OPTION_SETUP },
		{ "ntlmv1", no_argument, NULL, OPTION_NTLMV1 },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "smb2", no_argument, NULL, OPTION_SMB2 },
		{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
		{ NULL, 0, NULL, 0 },
	};
	int result = NTSIGN_EXIT_DONE;
	int answer = 0;

	while (result == NTSIGN_EXIT_DONE &&
	       (answer = getopt_long(argc, argv, ":p:U:A:v", options,
				     NULL)) != -1) {
		if (answer == ':' || answer == '?') {
			result = ntsign_help_bad_option(argc, argv, answer);
		} else {
			result = take_option(w, answer);
		}
	}
	return result;
}

/* ---- what goes with what ---- */

static int check_mode(struct words *w)
{
	struct ntsign_probe_options *o = w->options;

	int modes = (int)w->as + (int)w->matrix + (int)w->smb2;

	if (modes != 1) {
		return ntsign_help_misused(
			w->who, modes == 0 ?
			"one of --as, --matrix and --smb2 is needed" :
			"only one of --as, --matrix and --smb2 can be had");
	}
	o->mode = w->as ? NTSIGN_PROBE_AS :
		  w->matrix ? NTSIGN_PROBE_MATRIX : NTSIGN_PROBE_SMB2;
	if (w->matrix && !o->has_column) {
		return ntsign_help_misused(w->who, "--matrix needs --server "
					   "COLUMN, what to compare with");
	}
	if (w->smb2 && (o->has_column || w->setup != NULL || o->ntlmv1)) {
		return ntsign_help_misused(w->who, "--server, --setup and "
					   "--ntlmv1 do not go with --smb2");
	}
	return NTSIGN_EXIT_DONE;
}

static int check_setup(struct words *w)
{
	const char *setup = w->setup != NULL ? w->setup : "ntlmssp";
	bool both = strcmp(setup, "both") == 0;

	if (both && !w->matrix) {
		return ntsign_help_misused(w->who, "--setup both goes with "
					   "--matrix only");
	}
	w->options->nt4 = both || strcmp(setup, "nt4") == 0;
	w->options->ntlmssp = both || strcmp(setup, "ntlmssp") == 0;
	return NTSIGN_EXIT_DONE;
}

int ntsign_probe_options(TALLOC_CTX *mem_ctx, int argc, char **argv,
			 struct ntsign_probe_options *options)
{
	struct words w = {
		.account = { .mem_ctx = mem_ctx, .who = argv[0] },
		.who = argv[0],
		.options = options,
	};
	int result = NTSIGN_EXIT_DONE;

	options->server.port = PORT_DEFAULT;
	options->server.timeout = TIMEOUT_DEFAULT * 1000;
	result = read_words(&w, argc, argv);
	if (result == NTSIGN_EXIT_DONE) {
		result = take_arguments(&w, argc, argv);
	}
	if (result == NTSIGN_EXIT_DONE) {
		result = check_mode(&w);
	}
	if (result == NTSIGN_EXIT_DONE) {
		result = check_setup(&w);
	}
	if (result == NTSIGN_EXIT_DONE && !w.smb2) {
		result = ntsign_account_find(&w.account, &options->account);
	}
	return result;
}
