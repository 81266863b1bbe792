/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who logs on for `ntsign probe`, and where the password comes from.
 *
 * Invariant: every copy of the password that is made here is wiped, and the
 * one on the command line is overwritten as soon as it has been read.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "probe_account.h"
#include "probe_bytes.h"
#include "tool.h"

#define AUTH_FILE_MAX 65536
#define PASSWORD_MAX 1024

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
static bool take_user(struct ntsign_account_words *w, const char *text)
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

int ntsign_account_take(struct ntsign_account_words *w, char *text)
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
static bool take_auth_line(struct ntsign_account_words *w, const char *line)
{
	const char *equals = strchr(line, '=');
	struct ntsign_account_words file = { .mem_ctx = w->mem_ctx };
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

static bool take_auth_text(struct ntsign_account_words *w, char *text)
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

static int read_auth_file(struct ntsign_account_words *w)
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

static int ask_password(struct ntsign_account_words *w)
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

int ntsign_account_find(struct ntsign_account_words *w,
			struct ntsign_ntlm_account *account)
{
	const char *environment = getenv("PASSWD");
	int result = NTSIGN_EXIT_DONE;

	if (w->auth_file != NULL) {
		result = read_auth_file(w);
	}
	if (result != NTSIGN_EXIT_DONE) {
		return result;
	}
	if (w->user == NULL && w->auth_file != NULL) {
		return ntsign_help_misused(w->who, "no user: %s has no line "
					   "`username = ', and there is no -U",
					   w->auth_file);
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
