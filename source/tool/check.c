/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign check`: errors in smb.conf, with the line to change.
 *
 * Invariant: what the options mean is ntsign_options_review()'s to say, which
 * reads them as the module does; here are only their places.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "ntsign_config.h"
#include "tool.h"

#define PREFIX "ntsign:"

static void add_at(struct ntsign_check *check, enum ntsign_severity severity,
		   const char *file, unsigned int line, const char *text)
{
	struct ntsign_check_finding *findings = NULL;

	findings = talloc_realloc(check, check->findings,
				  struct ntsign_check_finding,
				  check->count + 1);
	if (findings == NULL || text == NULL) {
		check->no_memory = true;
		return;
	}
	check->findings = findings;
	findings[check->count] = (struct ntsign_check_finding){
		.severity = severity,
		.file = file,
		.line = line,
		.text = text,
		.number = check->count,
	};
	check->count++;
}

__attribute__((format(printf, 5, 0)))
static void add_formatted(struct ntsign_check *check,
			  enum ntsign_severity severity, const char *file,
			  unsigned int line, const char *format, va_list ap)
{
	add_at(check, severity, file, line,
	       talloc_vasprintf(check, format, ap));
}

void ntsign_check_add(struct ntsign_check *check,
		      enum ntsign_severity severity,
		      const struct ntsign_conf_item *item,
		      const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add_formatted(check, severity, item != NULL ? item->file : check->path,
		      item != NULL ? item->line : check->global_line, format,
		      ap);
	va_end(ap);
}

void ntsign_check_tell(struct ntsign_check *check, const char *file,
		       const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add_formatted(check, NTSIGN_SEVERITY_INFO, file, 0, format, ap);
	va_end(ap);
}

/* ---- the options ---- */

bool ntsign_check_enforces(const struct ntsign_check *check)
{
	return check->options != NULL &&
	       check->options->mode != NTSIGN_MODE_AUDIT;
}

bool ntsign_check_is_option(const struct ntsign_conf_item *item)
{
	return item->key != NULL &&
	       strncmp(item->key, PREFIX, strlen(PREFIX)) == 0;
}

/* What comes of a mode that there is not; "" for another finding. */
static const char *of_bad_mode(struct ntsign_check *check,
			       struct ntsign_option_finding *finding)
{
	struct ntsign_option_findings alone = { .list = finding, .count = 1 };

	if (finding->problem != NTSIGN_OPTION_BAD_VALUE ||
	    strcmp(finding->option, PREFIX "mode") != 0) {
		return "";
	}
	if (!ntsign_options_refuse(check->options, &alone)) {
		return ": it is taken for audit, and nothing is enforced";
	}
	check->more_was_meant = true;
	return ": more than an audit was meant, and it cannot be known what";
}

static void add_option_findings(struct ntsign_check *check,
				const struct ntsign_option_findings *findings,
				const struct ntsign_conf_item *const *items)
{
	const struct ntsign_conf_item *last = NULL;
	size_t i;

	for (i = 0; i < findings->count; i++) {
		struct ntsign_option_finding *f = &findings->list[i];
		const struct ntsign_conf_item *item =
			f->setting >= 0 ? items[f->setting] : NULL;
		bool error = ntsign_option_is_error(f->problem);

		ntsign_check_add(check,
			error ? NTSIGN_SEVERITY_ERROR : NTSIGN_SEVERITY_NOTE,
			item, "%s%s", f->message, of_bad_mode(check, f));
		if (f->problem == NTSIGN_OPTION_BAD_VALUE && item != NULL &&
		    item != last) {
			ntsign_check_value(check, item);
			last = item;
		}
	}
	if (ntsign_options_refuse(check->options, findings)) {
		add_at(check, NTSIGN_SEVERITY_NOTE, check->path, 0,
		       "as long as there are such errors in ntsign: options, "
		       "smbd refuses every connection");
	}
}

static void check_options(struct ntsign_check *check)
{
	const struct ntsign_conf *conf = check->conf;
	struct ntsign_option_findings findings = { .count = 0 };
	const struct ntsign_conf_item **items = NULL;
	struct ntsign_setting *settings = NULL;
	size_t count = 0;
	size_t i;

	items = talloc_array(check, const struct ntsign_conf_item *,
			     conf->count + 1);
	settings = talloc_array(check, struct ntsign_setting,
				conf->count + 1);
	if (items == NULL || settings == NULL) {
		check->no_memory = true;
		return;
	}
	for (i = 0; i < conf->count; i++) {
		const struct ntsign_conf_item *item = &conf->items[i];

		if (item->section != NULL || !ntsign_check_is_option(item)) {
			continue;
		}
		items[count] = item;
		settings[count].name = strchr(item->name, ':') + 1;
		settings[count].value = item->value;
		count++;
	}
	check->options = ntsign_options_review(check, settings, count,
					       time(NULL), &findings);
	if (check->options == NULL) {
		check->no_memory = true;
		return;
	}
	add_option_findings(check, &findings, items);
}

/* ---- the two lines ---- */

/* How a word of `preload modules` or `vfs objects` speaks of the module. */
enum mention {
	MENTION_NONE,
	MENTION_GOOD,
	MENTION_PATH,		/* where a name belongs */
	MENTION_CASE,		/* in letters of another case */
};

/* The last part of a path without its ".so". */
static bool is_module_file(const char *word)
{
	const char *slash = strrchr(word, '/');
	const char *base = slash != NULL ? slash + 1 : word;

	return strcasecmp(base, "ntsign.so") == 0 ||
	       strcasecmp(base, "ntsign") == 0;
}

/* A word of `vfs objects`: NAME or NAME:PARAMETER. */
static enum mention mention_of(const char *word)
{
	size_t len = strcspn(word, ":");

	if (len == 6 && strncmp(word, "ntsign", len) == 0) {
		return MENTION_GOOD;
	}
	if (len == 6 && strncasecmp(word, "ntsign", len) == 0) {
		return MENTION_CASE;
	}
	return is_module_file(word) ? MENTION_PATH : MENTION_NONE;
}

/* Words of a list; an empty list without the parameter. */
static char **words_of(struct ntsign_check *check,
		       const struct ntsign_conf_item *item)
{
	char **words = ntsign_conf_list(check, item != NULL ? item->value : "");

	if (words == NULL) {
		check->no_memory = true;
	}
	return words;
}

static unsigned int count_mentions(struct ntsign_check *check,
				   const struct ntsign_conf_item *item)
{
	char **words = words_of(check, item);
	unsigned int count = 0;
	size_t i;

	for (i = 0; words != NULL && words[i] != NULL; i++) {
		count += mention_of(words[i]) == MENTION_GOOD ? 1 : 0;
	}
	TALLOC_FREE(words);
	return count;
}

/* What comes of it that the module is not preloaded. */
static const char *not_preloaded(const struct ntsign_check *check)
{
	return ntsign_check_enforces(check) ?
		"smbd refuses every tree connect to a share with ntsign in "
		"its `vfs objects'" :
		"the module sees no connection";
}

static void check_preload_file(struct ntsign_check *check,
			       const struct ntsign_conf_item *item,
			       const char *word)
{
	struct stat preload = { .st_ino = 0 };
	struct stat module = { .st_ino = 0 };

	if (word[0] != '/') {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
			"%s is no absolute path: smbd passes over it without "
			"a word, and %s; write %s", word,
			not_preloaded(check), check->module);
	} else if (stat(ntsign_check_path(check, word), &preload) == -1) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
			"%s: %s: %s", word, strerror(errno),
			not_preloaded(check));
	} else if (stat(ntsign_check_path(check, check->module), &module) == 0 &&
		   (preload.st_dev != module.st_dev ||
		    preload.st_ino != module.st_ino)) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
			"%s is not the file that `vfs objects = ntsign' "
			"loads, which is %s%s%s", word, check->module,
			ntsign_check_enforces(check) ? ": " : "",
			ntsign_check_enforces(check) ? not_preloaded(check) :
						       "");
	}
}

static void check_preload(struct ntsign_check *check)
{
	const struct ntsign_conf_item *item =
		ntsign_conf_global(check->conf, "preloadmodules");
	char **words = words_of(check, item);
	unsigned int count = 0;
	size_t i;

	for (i = 0; words != NULL && words[i] != NULL; i++) {
		if (strcmp(words[i], check->module) == 0) {
			count++;	/* the file itself: check_module.c */
		} else if (is_module_file(words[i])) {
			check_preload_file(check, item, words[i]);
			count++;
		}
	}
	if (item == NULL) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, NULL,
			"`preload modules = %s' is missing in [global]: %s",
			check->module, not_preloaded(check));
	} else if (count == 0) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
			"`preload modules' does not name %s: %s",
			check->module, not_preloaded(check));
	} else if (count > 1) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
			"`preload modules' names ntsign.so %u times", count);
	}
	TALLOC_FREE(words);
}

/* What is wrong with the words of one `vfs objects`. Returns whether any of
 * them is meant for the module, right or wrong. */
static bool check_vfs_words(struct ntsign_check *check,
			    const struct ntsign_conf_item *item)
{
	char **words = words_of(check, item);
	unsigned int count = 0;
	bool meant = false;
	size_t i;

	for (i = 0; words != NULL && words[i] != NULL; i++) {
		enum mention mention = mention_of(words[i]);

		meant = meant || mention != MENTION_NONE;
		switch (mention) {
		case MENTION_NONE:
			break;
		case MENTION_GOOD:
			count++;
			break;
		case MENTION_PATH:
			ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
				"`vfs objects' takes no path: write ntsign "
				"instead of %s", words[i]);
			break;
		case MENTION_CASE:
			ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
				"%s: modules' names are in lower case; write "
				"ntsign", words[i]);
			break;
		}
	}
	if (count > 1) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
			"`vfs objects' names ntsign %u times", count);
	}
	TALLOC_FREE(words);
	return meant;
}

static bool is_vfs_objects(const struct ntsign_conf_item *item)
{
	return item->key != NULL && (strcmp(item->key, "vfsobjects") == 0 ||
				     strcmp(item->key, "vfsobject") == 0);
}

/* What comes of it that a share does not have the module. */
static const char *not_in_vfs(const struct ntsign_check *check)
{
	return ntsign_check_enforces(check) ?
		"shares are served without the lock that holds when the "
		"module is not preloaded" :
		"the module sees no tree connect";
}

static void check_global_vfs(struct ntsign_check *check,
			     const struct ntsign_conf_item *item)
{
	if (item == NULL) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, NULL,
			"`vfs objects = ntsign' is missing in [global]: %s",
			not_in_vfs(check));
		return;
	}
	if (!check_vfs_words(check, item)) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
			"`vfs objects' does not name ntsign: %s",
			not_in_vfs(check));
	}
}

/* ---- the shares ---- */

struct share {
	const struct ntsign_conf_item *header;
	/* the `vfs objects` that holds for it, NULL if none */
	const struct ntsign_conf_item *vfs;
	bool printable;		/* smbd loads no VFS modules for it */
};

struct shares {
	struct share *list;
	size_t count;
};

static struct share *find_share(const struct shares *shares, const char *name)
{
	size_t i;

	for (i = 0; i < shares->count; i++) {
		struct share *share = &shares->list[i];

		if (strcasecmp(share->header->section, name) == 0) {
			return share;
		}
	}
	return NULL;
}

/* smbd copies into a new share what [global] has said until then. */
static void add_share(struct ntsign_check *check, struct shares *shares,
		      const struct ntsign_conf_item *header,
		      const struct ntsign_conf_item *vfs)
{
	struct share *list = NULL;

	if (find_share(shares, header->section) != NULL) {
		return;
	}
	list = talloc_realloc(check, shares->list, struct share,
			      shares->count + 1);
	if (list == NULL) {
		check->no_memory = true;
		return;
	}
	shares->list = list;
	list[shares->count++] = (struct share){ .header = header, .vfs = vfs };
}

static void share_item(const struct shares *shares,
		       const struct ntsign_conf_item *item)
{
	struct share *share = find_share(shares, item->section);
	const struct share *model = NULL;

	if (share == NULL) {
		return;
	}
	if (is_vfs_objects(item)) {
		share->vfs = item;
	} else if (strcmp(item->key, "printable") == 0 ||
		   strcmp(item->key, "printok") == 0) {
		share->printable = ntsign_conf_true(item->value);
	} else if (strcmp(item->key, "copy") == 0) {
		model = find_share(shares, item->value);
		if (model != NULL &&
		    (share->vfs == NULL || share->vfs->section == NULL)) {
			share->vfs = model->vfs;
		}
	}
}

/* Goes through the file as smbd does. Returns [global]'s `vfs objects`. */
static const struct ntsign_conf_item *gather_shares(struct ntsign_check *check,
						    struct shares *shares)
{
	const struct ntsign_conf_item *vfs = NULL;
	size_t i;

	for (i = 0; i < check->conf->count; i++) {
		const struct ntsign_conf_item *item = &check->conf->items[i];

		if (item->section == NULL) {
			vfs = is_vfs_objects(item) ? item : vfs;
		} else if (item->key == NULL) {
			add_share(check, shares, item, vfs);
		} else {
			share_item(shares, item);
		}
	}
	return vfs;
}

static const char *not_in_share(const struct ntsign_check *check)
{
	return ntsign_check_enforces(check) ?
		"it is served without the lock that holds when the module is "
		"not preloaded" :
		"the module does not see its tree connects";
}

static void check_share(struct ntsign_check *check, const struct share *share,
			const struct ntsign_conf_item *global)
{
	const char *name = share->header->section;
	bool own = share->vfs != NULL && share->vfs->section != NULL;

	if (share->printable) {
		return;
	}
	if (own && strcasecmp(share->vfs->section, name) == 0 &&
	    check_vfs_words(check, share->vfs)) {
		return;
	}
	if (count_mentions(check, share->vfs) > 0 ||
	    count_mentions(check, global) == 0) {
		return;
	}
	if (own) {
		ntsign_check_add(check, NTSIGN_SEVERITY_WARNING, share->vfs,
			"[%s] has `vfs objects' of its own without ntsign: %s",
			name, not_in_share(check));
	} else {
		ntsign_check_add(check, NTSIGN_SEVERITY_WARNING,
			share->header,
			"[%s] stands before the `vfs objects' of [global] "
			"(%s:%u) and does not get it: %s", name,
			global->file, global->line, not_in_share(check));
	}
}

static void check_vfs(struct ntsign_check *check)
{
	struct shares shares = { .count = 0 };
	const struct ntsign_conf_item *global = gather_shares(check, &shares);
	size_t i;

	check_global_vfs(check, global);
	for (i = 0; i < shares.count; i++) {
		check_share(check, &shares.list[i], global);
	}
}

/* ---- the audit file ---- */

/* The directory a path is in; a talloc child of the check. */
static char *directory_of(struct ntsign_check *check, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory = NULL;

	if (slash == path) {
		directory = talloc_strdup(check, "/");
	} else {
		directory = talloc_strndup(check, path, (size_t)(slash - path));
	}
	if (directory == NULL) {
		check->no_memory = true;
	}
	return directory;
}

/* What comes of it that the audit file cannot be written. */
static const char *not_written(const struct ntsign_check *check)
{
	return check->options != NULL &&
	       check->options->on_audit_failure == NTSIGN_FAILURE_REFUSE ?
		"smbd refuses every session setup" : "nothing is recorded";
}

/* Whether smbd can write there; it does so as root. */
static void check_writable(struct ntsign_check *check,
			   const struct ntsign_conf_item *item,
			   const char *path)
{
	if (access(ntsign_check_path(check, path), W_OK) == 0) {
		return;
	}
	if (errno == EACCES && geteuid() != 0) {
		ntsign_check_add(check, NTSIGN_SEVERITY_NOTE, item,
			"%s: whether it can be written only root can tell",
			path);
	} else {
		int error = errno;
		const char *point = error == EROFS ?
			ntsign_check_mount_point(check, path) : NULL;

		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
			"%s: cannot be written: %s: %s", path,
			strerror(error), not_written(check));
		if (point != NULL) {
			ntsign_check_tell(check, path, "smbd sees %s mounted "
				"read-only: where its unit has ProtectSystem, "
				"ReadWritePaths must name what it shall "
				"write; see " NTSIGN_EXAMPLES, point);
		}
	}
}

static void check_audit_path(struct ntsign_check *check,
			     const struct ntsign_conf_item *item,
			     const char *path)
{
	struct stat st = { .st_mode = 0 };
	char *directory = directory_of(check, path);

	if (directory == NULL) {
		return;
	}
	if (strchr(directory, '%') != NULL) {
		ntsign_check_add(check, NTSIGN_SEVERITY_NOTE, item,
			"audit file %s: not checked, since only smbd knows "
			"what its %% variables stand for", path);
	} else if (stat(ntsign_check_path(check, directory), &st) == -1) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
			"audit file %s: the directory %s: %s: %s", path,
			directory, strerror(errno), not_written(check));
	} else if (!S_ISDIR(st.st_mode)) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
			"audit file %s: %s is no directory: %s", path,
			directory, not_written(check));
	} else if (strchr(path, '%') != NULL ||
		   stat(ntsign_check_path(check, path), &st) == -1) {
		check_writable(check, item, directory);
	} else if (S_ISDIR(st.st_mode)) {
		ntsign_check_add(check, NTSIGN_SEVERITY_ERROR, item,
			"audit file %s: a directory is in the way: %s", path,
			not_written(check));
	} else if (!S_ISREG(st.st_mode)) {
		ntsign_check_add(check, NTSIGN_SEVERITY_WARNING, item,
			"audit file %s is not a regular file", path);
	} else {
		check_writable(check, item, path);
	}
}

static void check_audit_file(struct ntsign_check *check)
{
	const struct ntsign_conf_item *item = NULL;
	char *path = ntsign_conf_audit_file(check, check->conf, &item);

	if (path == NULL) {
		check->no_memory = true;
		return;
	}
	check_audit_path(check, item, path);
}

/* ---- all of it ---- */

static void find_global_line(struct ntsign_check *check)
{
	size_t i;

	check->global_line = 1;
	for (i = 0; i < check->conf->count; i++) {
		const struct ntsign_conf_item *item = &check->conf->items[i];

		if (item->key == NULL && item->section == NULL &&
		    strcmp(item->file, check->path) == 0) {
			check->global_line = item->line;
			return;
		}
	}
}

static void take_remarks(struct ntsign_check *check)
{
	size_t i;

	for (i = 0; i < check->conf->remark_count; i++) {
		const struct ntsign_conf_remark *r = &check->conf->remarks[i];

		add_at(check, r->severity, r->file, r->line, r->text);
	}
}

static int compare_findings(const void *a, const void *b)
{
	const struct ntsign_check_finding *left = a;
	const struct ntsign_check_finding *right = b;
	int order = strcmp(left->file, right->file);

	if ((left->line == 0) != (right->line == 0)) {
		return left->line == 0 ? 1 : -1;
	}
	if (order != 0) {
		return order;
	}
	if (left->line != right->line) {
		return left->line < right->line ? -1 : 1;
	}
	return left->number < right->number ? -1 : 1;
}

static bool print_finding(struct ntsign_check *check,
			  const struct ntsign_check_finding *finding)
{
	static const char *const names[] = { "error", "warning", "note",
					       "info" };
	char line[16] = "";
	char *text = NULL;
	char *safe = NULL;

	if (finding->line != 0) {
		snprintf(line, sizeof(line), "%u:", finding->line);
	}
	text = talloc_asprintf(check, "%s:%s %s: %s", finding->file, line,
			       names[finding->severity], finding->text);
	safe = ntsign_output_safe(check, text);

	if (safe == NULL) {
		return false;
	}
	printf("%s\n", safe);
	return true;
}

static int print_findings(struct ntsign_check *check)
{
	unsigned int counts[] = { 0, 0, 0, 0 };
	size_t i;

	if (check->count > 1) {
		qsort(check->findings, check->count,
		      sizeof(struct ntsign_check_finding), compare_findings);
	}
	for (i = 0; i < check->count; i++) {
		counts[check->findings[i].severity]++;
		if (!print_finding(check, &check->findings[i])) {
			check->no_memory = true;
		}
	}
	if (check->no_memory) {
		ntsign_output_error("ntsign: out of memory");
		return NTSIGN_EXIT_FAILED;
	}
	printf("%s: ", ntsign_output_safe(check, check->path));
	if (counts[NTSIGN_SEVERITY_ERROR] == 0) {
		printf("no errors");
	} else {
		printf("%u error%s", counts[NTSIGN_SEVERITY_ERROR],
		       counts[NTSIGN_SEVERITY_ERROR] == 1 ? "" : "s");
	}
	printf(", %u warning%s, %u note%s\n", counts[NTSIGN_SEVERITY_WARNING],
	       counts[NTSIGN_SEVERITY_WARNING] == 1 ? "" : "s",
	       counts[NTSIGN_SEVERITY_NOTE],
	       counts[NTSIGN_SEVERITY_NOTE] == 1 ? "" : "s");
	return counts[NTSIGN_SEVERITY_ERROR] == 0 ? NTSIGN_EXIT_DONE :
						    NTSIGN_EXIT_NO;
}

static int run_check(TALLOC_CTX *mem_ctx, const char *path,
		     const char *module)
{
	struct ntsign_check *check = talloc_zero(mem_ctx, struct ntsign_check);

	if (check == NULL) {
		ntsign_output_error("ntsign: out of memory");
		return NTSIGN_EXIT_FAILED;
	}
	check->path = path;
	check->module = module;
	check->conf = ntsign_conf_read(check, path);
	if (check->conf == NULL) {
		ntsign_output_error("ntsign: %s: %s", path, strerror(errno));
		return NTSIGN_EXIT_FAILED;
	}
	ntsign_check_find_smbd(check);
	find_global_line(check);
	take_remarks(check);
	ntsign_check_names(check);
	check_options(check);
	ntsign_check_role(check);
	check_preload(check);
	check_vfs(check);
	ntsign_check_module(check);
	check_audit_file(check);
	ntsign_check_certificate(check);
	ntsign_check_effects(check);
	return print_findings(check);
}

int ntsign_check_main(TALLOC_CTX *mem_ctx, int argc, char **argv)
{
	static const struct option options[] = {
		{ "smb-conf", required_argument, NULL, 'c' },
		{ "module", required_argument, NULL, 'm' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = NTSIGN_CONFIGFILE;
	const char *module = NTSIGN_MODULESDIR "/vfs/ntsign.so";
	int answer = 0;

	while ((answer = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (answer) {
		case 'c':
			path = optarg;
			break;
		case 'm':
			module = optarg;
			break;
		default:
			return ntsign_help_bad_option(argc, argv, answer);
		}
	}
	if (optind < argc) {
		return ntsign_help_misused(argv[0], "unexpected argument '%s'; "
					   "a file is named by --smb-conf",
					   argv[optind]);
	}
	return run_check(mem_ctx, path, module);
}
