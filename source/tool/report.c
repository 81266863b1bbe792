/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign report`: reads audit files and prints what they say.
 *
 * Invariant: nothing is written before everything has been read, and never
 * over a file that was read.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ntsign_config.h"
#include "output_file.h"
#include "report.h"
#include "smbconf.h"
#include "tool.h"

/* How long exceptions last. */
#define EXCEPTION_DAYS 90
#define EXCEPTION_DAYS_MAX 3650

struct settings {
	/* writes the form that was asked for */
	bool (*write)(FILE *f, const struct ntsign_report *report);
	const char *output;	/* NULL: standard output */
	const char *smb_conf;	/* NULL: smbd's own */
	bool what_if;
	enum ntsign_signing state;	/* with what_if */
	const char *table;	/* of the CSV; NULL: the first */
	bool suggest;
	unsigned int days;	/* that exceptions last; 0: as by default */
};

/* What the reader's callback needs. */
struct source {
	struct ntsign_tally *tally;
	struct ntsign_parser *parser;
	struct ntsign_tally_source where;
};

static void take_line(const struct ntsign_line *line, void *private_data)
{
	struct source *source = private_data;

	ntsign_tally_line(source->tally, source->parser, &source->where, line);
}

static bool read_stream(struct ntsign_reader *reader, FILE *f,
			const char *name)
{
	char buffer[65536];
	size_t len = 0;

	do {
		len = fread(buffer, 1, sizeof(buffer), f);
		ntsign_reader_feed(reader, buffer, len);
	} while (len > 0);
	if (ferror(f)) {
		ntsign_output_error("ntsign: %s: %s", name, strerror(errno));
		return false;
	}
	ntsign_reader_finish(reader);
	return true;
}

static bool read_file(struct ntsign_tally *tally, const char *path,
		      size_t place)
{
	struct source source = {
		.tally = tally,
		.where = { .name = path, .place = place },
	};
	struct ntsign_reader *reader = NULL;
	FILE *f = stdin;
	bool ok = false;

	reader = ntsign_reader_new(tally, take_line, &source);
	source.parser = ntsign_parser_new(tally);
	if (reader == NULL || source.parser == NULL) {
		tally->no_memory = true;
		return false;
	}
	if (strcmp(path, "-") == 0) {
		source.where.name = "(standard input)";
	} else {
		f = fopen(path, "re");
	}
	if (f == NULL) {
		ntsign_output_error("ntsign: %s: %s", path, strerror(errno));
	} else {
		ok = read_stream(reader, f, source.where.name);
	}
	if (f != NULL && f != stdin) {
		fclose(f);
	}
	TALLOC_FREE(reader);
	return ok;
}

/* Whether the output is one of the files that are read. */
static bool overwrites(const char *output, char *const *files, int count)
{
	struct stat out = { .st_ino = 0 };
	struct stat in = { .st_ino = 0 };
	int i;

	if (stat(output, &out) == -1 || !S_ISREG(out.st_mode)) {
		return false;
	}
	for (i = 0; i < count; i++) {
		int ret = strcmp(files[i], "-") == 0 ?
				  fstat(STDIN_FILENO, &in) :
				  stat(files[i], &in);

		if (ret == 0 && in.st_dev == out.st_dev &&
		    in.st_ino == out.st_ino) {
			return true;
		}
	}
	return false;
}

static int write_report(TALLOC_CTX *mem_ctx,
			const struct ntsign_report *report,
			const struct settings *settings)
{
	struct ntsign_output_file *file = NULL;

	file = ntsign_output_file_open(mem_ctx, settings->output);
	if (file == NULL) {
		return NTSIGN_EXIT_FAILED;
	}
	if (!settings->write(file->f, report)) {
		ntsign_output_error("ntsign: out of memory");
		talloc_free(file);
		return NTSIGN_EXIT_FAILED;
	}
	return ntsign_output_file_finish(file) ? NTSIGN_EXIT_DONE :
						 NTSIGN_EXIT_FAILED;
}

static int make_report(TALLOC_CTX *mem_ctx, const struct settings *settings,
		       char *const *files, int count)
{
	struct ntsign_report report = {
		.files = (const char *const *)files,
		.file_count = (size_t)count,
		.what_if = settings->what_if,
		.state = settings->state,
		.table = settings->table,
		.now = time(NULL),
		.exception_days = settings->days > 0 ? settings->days :
						       EXCEPTION_DAYS,
	};
	struct ntsign_tally *tally = ntsign_tally_new(mem_ctx);
	int i;

	if (settings->output != NULL &&
	    overwrites(settings->output, files, count)) {
		ntsign_output_error("ntsign report: %s is what is read; the "
				    "report would overwrite it",
				    settings->output);
		return NTSIGN_EXIT_USAGE;
	}
	for (i = 0; tally != NULL && i < count; i++) {
		if (!read_file(tally, files[i], (size_t)i)) {
			return NTSIGN_EXIT_FAILED;
		}
	}
	if (tally == NULL || tally->no_memory) {
		ntsign_output_error("ntsign: out of memory");
		return NTSIGN_EXIT_FAILED;
	}
	ntsign_tally_sort(tally);
	report.tally = tally;
	return write_report(mem_ctx, &report, settings);
}

static int later_version(const char *who, const char *option,
			 const char *value)
{
	ntsign_output_error("%s: %s%s%s is of a later version; this is "
			    "ntsign %s", who, option,
			    value != NULL ? " " : "",
			    value != NULL ? value : "", NTSIGN_VERSION);
	return NTSIGN_EXIT_USAGE;
}

static int set_format(const char *who, const char *value,
		      struct settings *settings)
{
	if (strcmp(value, "text") == 0) {
		settings->write = ntsign_report_text;
	} else if (strcmp(value, "json") == 0) {
		settings->write = ntsign_report_json;
	} else if (strcmp(value, "prometheus") == 0) {
		settings->write = ntsign_report_prometheus;
	} else if (strcmp(value, "csv") == 0) {
		settings->write = ntsign_report_csv;
	} else if (strcmp(value, "html") == 0) {
		settings->write = ntsign_report_html;
	} else {
		return ntsign_help_misused(who, "unknown format '%s'", value);
	}
	return NTSIGN_EXIT_DONE;
}

static int set_state(const char *who, const char *value,
		     struct settings *settings)
{
	if (!ntsign_signing_from_name(value, &settings->state)) {
		return ntsign_help_misused(who, "--what-if takes required, "
					   "enabled or disabled, not '%s'",
					   value);
	}
	settings->what_if = true;
	return NTSIGN_EXIT_DONE;
}

static int set_table(const char *who, const char *value,
		     struct settings *settings)
{
	if (!ntsign_report_csv_has(value)) {
		return ntsign_help_misused(who, "unknown table '%s'", value);
	}
	settings->table = value;
	return NTSIGN_EXIT_DONE;
}

static int set_days(const char *who, const char *value,
		    struct settings *settings)
{
	size_t digits = strspn(value, "0123456789");
	unsigned long days = 0;

	if (digits > 0 && digits <= 4 && value[digits] == '\0') {
		days = strtoul(value, NULL, 10);
	}
	if (days < 1 || days > EXCEPTION_DAYS_MAX) {
		return ntsign_help_misused(who, "--exception-days takes 1 to "
					   "%d, not '%s'", EXCEPTION_DAYS_MAX,
					   value);
	}
	settings->days = (unsigned int)days;
	return NTSIGN_EXIT_DONE;
}

/* The rules instead of the report. */
static int choose_rules(const char *who, struct settings *settings)
{
	if (settings->what_if &&
	    settings->state != NTSIGN_SIGNING_REQUIRED) {
		return ntsign_help_misused(who, "--suggest-rules is about "
					   "signing that is required, not %s",
					   ntsign_signing_name(
						   settings->state));
	}
	if (settings->write == ntsign_report_text) {
		settings->write = ntsign_report_rules_text;
	} else if (settings->write == ntsign_report_json) {
		settings->write = ntsign_report_rules_json;
	} else {
		return ntsign_help_misused(who, "--suggest-rules has the "
					   "formats text and json");
	}
	return NTSIGN_EXIT_DONE;
}

/* What does not go with the format, whichever came first. */
static int check_format(const char *who, struct settings *settings)
{
	if (settings->table != NULL && settings->write != ntsign_report_csv) {
		return ntsign_help_misused(who, "--table goes with "
					   "--format csv");
	}
	if (settings->what_if && settings->write == ntsign_report_prometheus) {
		return ntsign_help_misused(who, "--what-if does not go with "
					   "--format prometheus");
	}
	if (settings->days > 0 && !settings->suggest) {
		return ntsign_help_misused(who, "--exception-days goes with "
					   "--suggest-rules");
	}
	return settings->suggest ? choose_rules(who, settings) :
				   NTSIGN_EXIT_DONE;
}

static int read_options(int argc, char **argv, struct settings *settings)
{
	static const struct option options[] = {
		{ "format", required_argument, NULL, 'f' },
		{ "output", required_argument, NULL, 'o' },
		{ "smb-conf", required_argument, NULL, 'c' },
		{ "suggest-rules", no_argument, NULL, 'R' },
		{ "exception-days", required_argument, NULL, 'D' },
		{ "table", required_argument, NULL, 't' },
		{ "since", required_argument, NULL, 'S' },
		{ "until", required_argument, NULL, 'U' },
		{ "what-if", required_argument, NULL, 'W' },
		{ NULL, 0, NULL, 0 },
	};
	int result = NTSIGN_EXIT_DONE;
	int answer = 0;

	while (result == NTSIGN_EXIT_DONE &&
	       (answer = getopt_long(argc, argv, ":o:", options, NULL)) != -1) {
		switch (answer) {
		case 'f':
			result = set_format(argv[0], optarg, settings);
			break;
		case 'o':
			settings->output = optarg;
			break;
		case 'c':
			settings->smb_conf = optarg;
			break;
		case 'R':
			settings->suggest = true;
			break;
		case 'D':
			result = set_days(argv[0], optarg, settings);
			break;
		case 't':
			result = set_table(argv[0], optarg, settings);
			break;
		case 'S':
			result = later_version(argv[0], "--since", NULL);
			break;
		case 'U':
			result = later_version(argv[0], "--until", NULL);
			break;
		case 'W':
			result = set_state(argv[0], optarg, settings);
			break;
		default:
			result = ntsign_help_bad_option(argc, argv, answer);
			break;
		}
	}
	return result == NTSIGN_EXIT_DONE ? check_format(argv[0], settings) :
					    result;
}

int ntsign_report_main(TALLOC_CTX *mem_ctx, int argc, char **argv)
{
	struct settings settings = { .write = ntsign_report_text };
	char *audit = NULL;
	int result = read_options(argc, argv, &settings);

	if (result != NTSIGN_EXIT_DONE) {
		return result;
	}
	if (optind < argc) {
		return make_report(mem_ctx, &settings, argv + optind,
				   argc - optind);
	}
	audit = ntsign_conf_find_audit(mem_ctx, settings.smb_conf);
	if (audit == NULL) {
		return NTSIGN_EXIT_FAILED;
	}
	return make_report(mem_ctx, &settings, &audit, 1);
}
