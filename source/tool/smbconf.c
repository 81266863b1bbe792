/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * smb.conf as smbd reads it, with the line numbers that smbd forgets.
 *
 * Invariant: what smbd ignores is ignored here too, and remarked on.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "ntsign_config.h"
#include "smbconf.h"
#include "tool.h"

/* smbd's own limit. */
#define INCLUDE_DEPTH_MAX 100
#define FILE_MAX (16 * 1024 * 1024)

/* smbd's, whatever the locale. */
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* A name as smbd compares it: case and white space do not count. */
static char *make_key(TALLOC_CTX *mem_ctx, const char *name)
{
	char *key = talloc_strdup(mem_ctx, name);
	char *to = key;

	if (key == NULL) {
		return NULL;
	}
	for (; *name != '\0'; name++) {
		if (!is_space(*name)) {
			*to++ = lower(*name);
		}
	}
	*to = '\0';
	return key;
}

static void remark(struct ntsign_conf *conf, enum ntsign_severity severity,
		   const char *file, unsigned int line,
		   const char *format, ...)
	__attribute__((format(printf, 5, 6)));

static void remark(struct ntsign_conf *conf, enum ntsign_severity severity,
		   const char *file, unsigned int line,
		   const char *format, ...)
{
	struct ntsign_conf_remark *list = NULL;
	struct ntsign_conf_remark *r = NULL;
	va_list ap;

	list = talloc_realloc(conf, conf->remarks, struct ntsign_conf_remark,
			      conf->remark_count + 1);
	if (list == NULL) {
		conf->no_memory = true;
		return;
	}
	conf->remarks = list;
	r = &list[conf->remark_count];
	va_start(ap, format);
	*r = (struct ntsign_conf_remark){
		.severity = severity,
		.file = file,
		.line = line,
		.text = talloc_vasprintf(conf, format, ap),
	};
	va_end(ap);
	if (r->text == NULL) {
		conf->no_memory = true;
		return;
	}
	conf->remark_count++;
}

/* Adds an item; name and value are copied. */
static void add_item(struct ntsign_conf *conf, const char *file,
		     unsigned int line, const char *name, const char *value)
{
	struct ntsign_conf_item *item = NULL;

	/* grown in doubling steps, at every power of two */
	if ((conf->count & (conf->count - 1)) == 0) {
		size_t size = conf->count == 0 ? 1 : conf->count * 2;
		struct ntsign_conf_item *items = talloc_realloc(
			conf, conf->items, struct ntsign_conf_item, size);

		if (items == NULL) {
			conf->no_memory = true;
			return;
		}
		conf->items = items;
	}
	item = &conf->items[conf->count];
	*item = (struct ntsign_conf_item){
		.file = file,
		.line = line,
		.section = conf->section,
	};
	if (name != NULL) {
		item->key = make_key(conf, name);
		item->name = talloc_strdup(conf, name);
		item->value = talloc_strdup(conf, value);
		if (item->key == NULL || item->name == NULL ||
		    item->value == NULL) {
			conf->no_memory = true;
			return;
		}
	}
	conf->count++;
}

/* A text being read, and the logical line last read from it. */
struct cursor {
	const char *file;
	const char *text;
	size_t len;
	size_t at;
	unsigned int next_line;	/* number of the line at `at` */
	char *buffer;		/* the logical line, terminated */
	unsigned int line;	/* where that starts */
};

/* Goes past white space and empty lines and comments. */
static bool skip_to_content(struct cursor *c)
{
	while (c->at < c->len) {
		char ch = c->text[c->at];

		if (ch == '#' || ch == ';') {
			while (c->at < c->len && c->text[c->at] != '\n') {
				c->at++;
			}
		} else if (is_space(ch)) {
			c->next_line += ch == '\n' ? 1 : 0;
			c->at++;
		} else {
			return true;
		}
	}
	return false;
}

/*
 * At the end of a line: whether a backslash continues it, which then is
 * taken off. One white space after the backslash does not matter.
 */
static bool take_continuation(const char *buffer, size_t *used)
{
	if (*used > 0 && buffer[*used - 1] == '\\') {
		*used -= 1;
		return true;
	}
	if (*used > 1 && buffer[*used - 2] == '\\' &&
	    is_space(buffer[*used - 1])) {
		*used -= 2;
		return true;
	}
	return false;
}

/* Reads the next logical line into the buffer. False at the end. */
static bool next_line(struct cursor *c)
{
	size_t used = 0;

	if (!skip_to_content(c)) {
		return false;
	}
	c->line = c->next_line;
	for (; c->at < c->len; c->at++) {
		char ch = c->text[c->at];

		if (ch == '\n') {
			c->next_line++;
			if (take_continuation(c->buffer, &used)) {
				continue;
			}
			c->at++;
			break;
		}
		if (used > 0 && is_space(c->buffer[used - 1]) &&
		    is_space(ch)) {
			continue;
		}
		c->buffer[used++] = ch;
	}
	c->buffer[used] = '\0';
	return true;
}

static char *trim(char *text)
{
	size_t len = 0;

	while (is_space(*text)) {
		text++;
	}
	len = strlen(text);
	while (len > 0 && is_space(text[len - 1])) {
		text[--len] = '\0';
	}
	return text;
}

static void parse_section(struct ntsign_conf *conf, const struct cursor *c)
{
	char *name = c->buffer + 1;
	char *end = strchr(name, ']');
	char *key = NULL;

	if (end == NULL) {
		remark(conf, NTSIGN_SEVERITY_ERROR, c->file, c->line,
		       "a section without ']': smbd reads no further and "
		       "does not start");
		conf->broken = true;
		return;
	}
	*end = '\0';
	name = trim(name);
	key = make_key(conf, name);
	if (key == NULL) {
		conf->no_memory = true;
		return;
	}
	if (strcmp(key, "global") == 0 || strcmp(key, "globals") == 0) {
		conf->section = NULL;
	} else {
		conf->section = talloc_strdup(conf, name);
		conf->no_memory = conf->no_memory || conf->section == NULL;
	}
	TALLOC_FREE(key);
	add_item(conf, c->file, c->line, NULL, NULL);
}

/* The bytes of a file, a talloc child of mem_ctx; NULL with errno. */
static char *slurp(TALLOC_CTX *mem_ctx, const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	struct stat st = { .st_mode = 0 };
	char *text = NULL;
	size_t size = 0;
	size_t used = 0;
	int error = 0;

	if (f == NULL) {
		return NULL;
	}
	if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode)) {
		error = EISDIR;
	}
	while (error == 0 && !feof(f)) {
		if (used == size) {
			size = size == 0 ? 16384 : size * 2;
			text = talloc_realloc(mem_ctx, text, char, size);
		}
		if (text == NULL || size > FILE_MAX) {
			error = text == NULL ? ENOMEM : EFBIG;
			break;
		}
		used += fread(text + used, 1, size - used, f);
		error = ferror(f) ? EIO : 0;
	}
	fclose(f);
	if (error != 0) {
		TALLOC_FREE(text);
		errno = error;
		return NULL;
	}
	*len = used;
	return text;
}

static void include_file(struct ntsign_conf *conf, const struct cursor *c,
			 const char *path)
{
	char *name = NULL;
	char *text = NULL;
	size_t len = 0;

	if (conf->depth >= INCLUDE_DEPTH_MAX) {
		remark(conf, NTSIGN_SEVERITY_ERROR, c->file, c->line,
		       "include goes deeper than %d files: smbd reads no "
		       "further and does not start", INCLUDE_DEPTH_MAX);
		conf->broken = true;
		return;
	}
	name = talloc_strdup(conf, path);
	if (name == NULL) {
		conf->no_memory = true;
		return;
	}
	text = slurp(conf, name, &len);
	if (text == NULL) {
		remark(conf, NTSIGN_SEVERITY_WARNING, c->file, c->line,
		       "include = %s: %s", path, strerror(errno));
		return;
	}
	conf->depth++;
	ntsign_conf_parse(conf, name, text, len);
	conf->depth--;
	TALLOC_FREE(text);
}

static void include(struct ntsign_conf *conf, const struct cursor *c,
		    const char *path)
{
	if (strcasecmp(path, "registry") == 0) {
		remark(conf, NTSIGN_SEVERITY_NOTE, c->file, c->line,
		       "include = registry: what the registry holds is not "
		       "checked");
	} else if (strchr(path, '%') != NULL) {
		remark(conf, NTSIGN_SEVERITY_NOTE, c->file, c->line,
		       "include = %s: not checked, since only smbd knows what "
		       "its %% variables stand for", path);
	} else if (!conf->no_includes) {
		include_file(conf, c, path);
	}
}

static void parse_parameter(struct ntsign_conf *conf, const struct cursor *c)
{
	char *equals = strchr(c->buffer, '=');
	char *name = NULL;
	char *value = NULL;
	const char *key = NULL;

	if (equals == NULL) {
		remark(conf, NTSIGN_SEVERITY_WARNING, c->file, c->line,
		       "no '=' in this line, smbd ignores it: %.60s",
		       c->buffer);
		return;
	}
	*equals = '\0';
	name = trim(c->buffer);
	value = trim(equals + 1);
	if (name[0] == '\0') {
		remark(conf, NTSIGN_SEVERITY_ERROR, c->file, c->line,
		       "no name before the '=': smbd reads no further and "
		       "does not start");
		conf->broken = true;
		return;
	}
	add_item(conf, c->file, c->line, name, value);
	if (conf->no_memory) {
		return;
	}
	key = conf->items[conf->count - 1].key;
	if (strcmp(key, "include") == 0) {
		include(conf, c, value);
	} else if (strcmp(key, "configbackend") == 0 &&
		   strcasecmp(value, "registry") == 0) {
		remark(conf, NTSIGN_SEVERITY_NOTE, c->file, c->line,
		       "config backend = registry: smbd takes its settings "
		       "from the registry, which is not checked");
	} else if (strcmp(key, "configfile") == 0) {
		remark(conf, NTSIGN_SEVERITY_NOTE, c->file, c->line,
		       "config file = %s: smbd reads that file instead; check "
		       "it with --smb-conf", value);
	}
}

void ntsign_conf_parse(struct ntsign_conf *conf, const char *file,
		       const char *text, size_t len)
{
	struct cursor c = {
		.file = file,
		.text = text,
		.len = len,
		.next_line = 1,
		.buffer = talloc_array(conf, char, len + 1),
	};

	if (c.buffer == NULL) {
		conf->no_memory = true;
		return;
	}
	while (!conf->broken && !conf->no_memory && next_line(&c)) {
		if (c.buffer[0] == '[') {
			parse_section(conf, &c);
		} else if (c.buffer[0] != '\0') {
			parse_parameter(conf, &c);
		}
	}
	TALLOC_FREE(c.buffer);
}

struct ntsign_conf *ntsign_conf_read(TALLOC_CTX *mem_ctx, const char *path)
{
	struct ntsign_conf *conf = talloc_zero(mem_ctx, struct ntsign_conf);
	char *name = NULL;
	char *text = NULL;
	size_t len = 0;

	if (conf == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	name = talloc_strdup(conf, path);
	text = name != NULL ? slurp(conf, name, &len) : NULL;
	if (text == NULL) {
		int error = name != NULL ? errno : ENOMEM;

		TALLOC_FREE(conf);
		errno = error;
		return NULL;
	}
	ntsign_conf_parse(conf, name, text, len);
	TALLOC_FREE(text);
	if (conf->no_memory) {
		TALLOC_FREE(conf);
		errno = ENOMEM;
	}
	return conf;
}

const struct ntsign_conf_item *ntsign_conf_last(
	const struct ntsign_conf *conf, const char *key, const char *synonym)
{
	size_t i = conf->count;

	while (i-- > 0) {
		const struct ntsign_conf_item *item = &conf->items[i];

		if (item->section == NULL && item->key != NULL &&
		    (strcmp(item->key, key) == 0 ||
		     strcmp(item->key, synonym) == 0)) {
			return item;
		}
	}
	return NULL;
}

const struct ntsign_conf_item *ntsign_conf_global(
	const struct ntsign_conf *conf, const char *key)
{
	return ntsign_conf_last(conf, key, key);
}

/* Copies one word and goes past it and what parts it from the next. */
static char *take_word(TALLOC_CTX *mem_ctx, const char **text)
{
	char *word = talloc_array(mem_ctx, char, strlen(*text) + 1);
	bool quoted = false;
	size_t used = 0;
	const char *p = *text;

	if (word == NULL) {
		return NULL;
	}
	for (; *p != '\0' && (quoted || (!is_space(*p) && *p != ',')); p++) {
		if (*p == '"') {
			quoted = !quoted;
		} else {
			word[used++] = *p;
		}
	}
	word[used] = '\0';
	*text = p;
	return word;
}

char **ntsign_conf_list(TALLOC_CTX *mem_ctx, const char *value)
{
	char **list = talloc_zero_array(mem_ctx, char *, 1);
	size_t count = 0;

	while (list != NULL) {
		char **longer = NULL;

		while (is_space(*value) || *value == ',') {
			value++;
		}
		if (*value == '\0') {
			return list;
		}
		longer = talloc_realloc(mem_ctx, list, char *, count + 2);
		if (longer == NULL) {
			break;
		}
		list = longer;
		list[count] = take_word(list, &value);
		if (list[count] == NULL) {
			break;
		}
		list[++count] = NULL;
	}
	TALLOC_FREE(list);
	return NULL;
}

bool ntsign_conf_true(const char *value)
{
	static const char *const names[] = { "yes", "true", "on", "1" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(value, names[i]) == 0) {
			return true;
		}
	}
	return false;
}

char *ntsign_conf_audit_file(TALLOC_CTX *mem_ctx,
			     const struct ntsign_conf *conf,
			     const struct ntsign_conf_item **item)
{
	const char *slash = NULL;

	/* the module does not take a path of another kind either */
	*item = ntsign_conf_global(conf, "ntsign:auditfile");
	if (*item != NULL &&
	    ((*item)->value[0] == '/' || (*item)->value[0] == '%')) {
		return talloc_strdup(mem_ctx, (*item)->value);
	}
	*item = ntsign_conf_global(conf, "logfile");
	if (*item != NULL) {
		slash = strrchr((*item)->value, '/');
	}
	if (slash == NULL) {
		return talloc_asprintf(mem_ctx, "%s/ntsign.jsonl",
				       NTSIGN_LOGFILEBASE);
	}
	return talloc_asprintf(mem_ctx, "%.*s/ntsign.jsonl",
			       (int)(slash - (*item)->value), (*item)->value);
}

char *ntsign_conf_find_audit(TALLOC_CTX *mem_ctx, const char *path)
{
	const struct ntsign_conf_item *item = NULL;
	struct ntsign_conf *conf = NULL;
	char *audit = NULL;

	if (path == NULL) {
		path = NTSIGN_CONFIGFILE;
	}
	conf = ntsign_conf_read(mem_ctx, path);
	if (conf == NULL) {
		ntsign_output_error("ntsign: %s: %s", path, strerror(errno));
		return NULL;
	}
	audit = ntsign_conf_audit_file(mem_ctx, conf, &item);
	if (audit != NULL && strchr(audit, '%') != NULL) {
		ntsign_output_error("ntsign: the audit file of %s is %s, and "
				    "only smbd knows what its %% variables "
				    "stand for: name the file", path, audit);
		TALLOC_FREE(audit);
	}
	TALLOC_FREE(conf);
	return audit;
}
