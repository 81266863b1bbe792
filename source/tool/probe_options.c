/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line of `ntsign probe`, and where the password comes from.
 *
 * Invariant: every copy of the password that is made here is wiped, and the
 * one on the command line is overwritten as soon as it has been read.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "probe.h"
#include "probe_bytes.h"
#include "tool.h"

#define PORT_DEFAULT 445
#define TIMEOUT_DEFAULT 10
#define TIMEOUT_MAX 3600
#define AUTH_FILE_MAX 65536
#define PASSWORD_MAX 1024

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
	TALLOC_CTX *mem_ctx;
	const char *who;
	const char *user;
	const char *domain;
	const char *password;
	const char *auth_file;
	const char *setup;
	bool as;
	bool matrix;
	bool smb2;
	struct ntsign_probe_options *options;
};

/* ---- secrets ---- */

static int secret_destructor(char *secret)
{
	ntsign_crypto_wipe(secret, talloc_get_size(secret));
	return 0;
}

/* A copy that is wiped when it is freed. */
static char *keep_secret(TALLOC_CTX *mem_ctx, const char *text)
{
	char *secret = talloc_strdup(mem_ctx, text);

	if (secret != NULL) {
		talloc_set_destructor(secret, secret_destructor);
	}
	return secret;
}

/* Takes [DOMAIN\|DOMAIN/]USER[%PASSWORD] apart; what is not in it stays as
 * it is. False when memory runs out. */
static bool take_user(struct words *w, const char *text)
{
	const char *percent = strchr(text, '%');
	size_t len = percent != NULL ? (size_t)(percent - text) :
				       strlen(text);
	char *name = talloc_strndup(w->mem_ctx, text, len);
	char *slash = NULL;

	if (name == NULL) {
		return false;
	}
	if (percent != NULL) {
		w->password = keep_secret(w->mem_ctx, percent + 1);
	}
	slash = strpbrk(name, "\\/");
	if (slash != NULL) {
		*slash = '\0';
		w->domain = name;
		w->user = slash + 1;
	} else {
		w->user = name;
	}
	return percent == NULL || w->password != NULL;
}

/* -U; what follows the % is overwritten, so that ps does not show it. */
static int take_user_option(struct words *w, char *text)
{
	char *percent = strchr(text, '%');
	bool ok = take_user(w, text);

	if (percent != NULL) {
		ntsign_crypto_wipe(percent + 1, strlen(percent + 1));
	}
	if (!ok) {
		ntsign_output_error("%s: out of memory", w->who);
		return NTSIGN_EXIT_FAILED;
	}
	return NTSIGN_EXIT_DONE;
}

/* ---- the file of -A ---- */

/* Whether a key, which may have blanks around it, is that word. */
static bool is_key(const char *key, size_t len, const char *word)
{
	while (len > 0 && (*key == ' ' || *key == '\t')) {
		key++;
		len--;
	}
	while (len > 0 && (key[len - 1] == ' ' || key[len - 1] == '\t')) {
		len--;
	}
	return len == strlen(word) && strncasecmp(key, word, len) == 0;
}

/* One line of smbclient's format; the command line goes before the file. */
static bool take_auth_line(struct words *w, const char *line)
{
	const char *equals = strchr(line, '=');
	struct words file = { .mem_ctx = w->mem_ctx };
	const char *value = NULL;
	size_t len = 0;
	bool ok = true;

	if (equals == NULL) {
		return true;
	}
	len = (size_t)(equals - line);
	value = equals + 1 + strspn(equals + 1, " \t");
	if (is_key(line, len, "username")) {
		ok = take_user(&file, value);
	} else if (is_key(line, len, "password")) {
		file.password = keep_secret(w->mem_ctx, value);
		ok = file.password != NULL;
	} else if (is_key(line, len, "domain")) {
		file.domain = talloc_strdup(w->mem_ctx, value);
		ok = file.domain != NULL;
	}
	w->user = w->user != NULL ? w->user : file.user;
	w->domain = w->domain != NULL ? w->domain : file.domain;
	w->password = w->password != NULL ? w->password : file.password;
	return ok;
}

static bool take_auth_text(struct words *w, char *text)
{
	char *rest = NULL;
	char *line = strtok_r(text, "\r\n", &rest);
	bool ok = true;

	while (line != NULL && ok) {
		ok = take_auth_line(w, line);
		line = strtok_r(NULL, "\r\n", &rest);
	}
	return ok;
}

static int read_auth_file(struct words *w)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = fopen(w->auth_file, "re");
	bool ok = false;

	text = talloc_zero_size(w->mem_ctx, AUTH_FILE_MAX + 1);
	if (f != NULL && text != NULL) {
		setvbuf(f, NULL, _IONBF, 0);	/* no copy in a buffer */
		size = fread(text, 1, AUTH_FILE_MAX, f);
		ok = !ferror(f);
	}
	if (!ok) {
		ntsign_output_error("%s: %s: %s", w->who, w->auth_file,
				    strerror(errno));
	} else if (strlen(text) != size || size == AUTH_FILE_MAX) {
		ntsign_output_error("%s: %s is no file of `username = ', "
				    "`password = ' and `domain = '", w->who,
				    w->auth_file);
		ok = false;
	} else if (!take_auth_text(w, text)) {
		ntsign_output_error("%s: out of memory", w->who);
		ok = false;
	}
	ntsign_crypto_wipe(text, text != NULL ? AUTH_FILE_MAX : 0);
	TALLOC_FREE(text);
	if (f != NULL) {
		fclose(f);
	}
	return ok ? NTSIGN_EXIT_DONE : NTSIGN_EXIT_FAILED;
}

/* ---- asking ---- */

static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd == -1) {
		return false;
	}
	close(fd);
	return true;
}

static int ask_password(struct words *w)
{
	char password[PASSWORD_MAX] = { 0 };
	char *prompt = NULL;
	int ret = -1;

	if (!has_terminal()) {
		return ntsign_help_misused(w->who, "no password: give it with "
					   "-U, -A or the environment's "
					   "PASSWD");
	}
	prompt = talloc_asprintf(w->mem_ctx, "Password for %s: ", w->user);
	prompt = ntsign_output_safe(w->mem_ctx, prompt);
	if (prompt != NULL) {
		ret = EVP_read_pw_string(password, sizeof(password), prompt,
					 0);
	}
	if (ret == 0) {
		w->password = keep_secret(w->mem_ctx, password);
	}
	ntsign_crypto_wipe(password, sizeof(password));
	if (w->password == NULL) {
		ntsign_output_error("%s: no password was given", w->who);
		return NTSIGN_EXIT_FAILED;
	}
	return NTSIGN_EXIT_DONE;
}

/* Whoever logs on, by -U, -A, PASSWD, and the terminal, in this order. */
static int find_account(struct words *w)
{
	const char *environment = getenv("PASSWD");
	struct ntsign_ntlm_account *account = &w->options->account;
	int result = NTSIGN_EXIT_DONE;

	if (w->auth_file != NULL) {
		result = read_auth_file(w);
	}
	if (result != NTSIGN_EXIT_DONE) {
		return result;
	}
	if (w->user == NULL || w->user[0] == '\0') {
		return ntsign_help_misused(w->who, "no user: give one with -U "
					   "or -A (an anonymous session has "
					   "no key to sign with)");
	}
	if (w->password == NULL && environment != NULL) {
		w->password = keep_secret(w->mem_ctx, environment);
	}
	if (w->password == NULL) {
		result = ask_password(w);
	}
	if (result != NTSIGN_EXIT_DONE) {
		return result;
	}
	account->user = w->user;
	account->domain = w->domain != NULL ? w->domain : "";
	account->password = w->password;
	if (!ntsign_bytes_is_text(account->user) ||
	    !ntsign_bytes_is_text(account->domain) ||
	    !ntsign_bytes_is_text(account->password)) {
		return ntsign_help_misused(w->who, "user, domain and password "
					   "have to be UTF-8");
	}
	return NTSIGN_EXIT_DONE;
}

/* ---- //HOST/SHARE ---- */

/* Takes it apart; the share stays NULL where there is none. False: it is not
 * of that form. */
static bool take_target(struct words *w, const char *text)
{
	struct ntsign_play_server *server = &w->options->server;
	char *host = talloc_strdup(w->mem_ctx, text);
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

static int take_party(struct words *w, const char *text,
		      struct ntsign_party *party)
{
	if (ntsign_row_from_name(text, party)) {
		return NTSIGN_EXIT_DONE;
	}
	return ntsign_help_misused(w->who, "'%s' is none of "
				   "[un]patched-required, [un]patched-enabled "
				   "and [un]patched-disabled", text);
}

static int take_option(struct words *w, int answer)
{
	struct ntsign_probe_options *options = w->options;

	switch (answer) {
	case 'p':
		return take_port(w, optarg);
	case 'U':
		return take_user_option(w, optarg);
	case 'A':
		w->auth_file = optarg;
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
		w->setup = optarg;
		break;
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

	if ((int)w->as + (int)w->matrix + (int)w->smb2 != 1) {
		return ntsign_help_misused(w->who, "one of --as, --matrix and "
					   "--smb2 is needed");
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
	if (!w->options->nt4 && !w->options->ntlmssp) {
		return ntsign_help_misused(w->who, "unknown session setup "
					   "'%s'", setup);
	}
	return NTSIGN_EXIT_DONE;
}

int ntsign_probe_options(TALLOC_CTX *mem_ctx, int argc, char **argv,
			 struct ntsign_probe_options *options)
{
	struct words w = {
		.mem_ctx = mem_ctx, .who = argv[0], .options = options,
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
		result = find_account(&w);
	}
	return result;
}
