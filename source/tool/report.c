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
#include "rotated.h"
#include "smbconf.h"
#include "tool.h"
#include "when.h"

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
	unsigned int jobs;	/* 0: as many as there are processors */
	bool rotated;		/* and what logrotate has made of the files */
	const char *since, *until;	/* as given, or NULL */
	struct ntsign_tally_range range;
};

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

/* Names files that could not be read to their end; false if there are any. */
static bool complain(const struct ntsign_reading *reading)
{
	size_t i;

	for (i = 0; i < reading->count; i++) {
		if (reading->files[i].problem != NULL) {
			ntsign_output_error("ntsign: %s: %s",
					    reading->files[i].path,
					    reading->files[i].problem);
		}
	}
	return reading->whole;
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
	struct ntsign_reading reading = {
		.paths = (const char *const *)files,
		.count = (size_t)count,
		.jobs = settings->jobs,
		.range = settings->range,
	};
	int result = NTSIGN_EXIT_DONE;

	if (settings->output != NULL &&
	    overwrites(settings->output, files, count)) {
		ntsign_output_error("ntsign report: %s is what is read; the "
				    "report would overwrite it",
				    settings->output);
		return NTSIGN_EXIT_USAGE;
	}
	if (!ntsign_reading_run(mem_ctx, &reading)) {
		return NTSIGN_EXIT_FAILED;
	}
	ntsign_tally_sort(reading.tally);
	if (reading.tally->no_memory) {
		ntsign_output_error("ntsign: out of memory");
		return NTSIGN_EXIT_FAILED;
	}
	report.tally = reading.tally;
	report.reading = &reading;
	result = write_report(mem_ctx, &report, settings);
	return complain(&reading) ? result : NTSIGN_EXIT_FAILED;
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
		return ntsign_help_misused(who, "unknown format '%s': text, "
					   "json, csv, html or prometheus",
					   value);
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

static int set_jobs(const char *who, const char *value,
		    struct settings *settings)
{
	unsigned int jobs = 0;
	const char *p = value;

	for (; *p >= '0' && *p <= '9' && jobs <= NTSIGN_READING_JOBS_MAX;
	     p++) {
		jobs = jobs * 10 + (unsigned int)(*p - '0');
	}
	if (*p != '\0' || jobs == 0 || jobs > NTSIGN_READING_JOBS_MAX) {
		return ntsign_help_misused(who, "'%s' is no number of jobs "
					   "from 1 to %d", value,
					   NTSIGN_READING_JOBS_MAX);
	}
	settings->jobs = jobs;
	return NTSIGN_EXIT_DONE;
}

/* Both ends of the time that counts, by one clock. */
static int set_range(const char *who, struct settings *settings)
{
	int64_t now = (int64_t)time(NULL) * 1000000;
	struct ntsign_tally_range range = { INT64_MIN, INT64_MAX };
	int64_t ignored = 0;

	if (settings->since != NULL &&
	    !ntsign_when_parse(settings->since, now, &range.since,
			       &ignored)) {
		return ntsign_help_misused(who, "--since: '%s' is no time",
					   settings->since);
	}
	if (settings->until != NULL &&
	    !ntsign_when_parse(settings->until, now, &ignored,
			       &range.until)) {
		return ntsign_help_misused(who, "--until: '%s' is no time",
					   settings->until);
	}
	if (range.since >= range.until) {
		return ntsign_help_misused(who, "--since %s is not before "
					   "--until %s", settings->since,
					   settings->until);
	}
	settings->range = range;
	return NTSIGN_EXIT_DONE;
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
		{ "jobs", required_argument, NULL, 'j' },
		{ "rotated", no_argument, NULL, 'r' },
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
		case 'j':
			result = set_jobs(argv[0], optarg, settings);
			break;
		case 'r':
			settings->rotated = true;
			break;
		case 'S':
			settings->since = optarg;
			break;
		case 'U':
			settings->until = optarg;
			break;
		case 'W':
			result = set_state(argv[0], optarg, settings);
			break;
		default:
			result = ntsign_help_bad_option(argc, argv, answer);
			break;
		}
	}
	if (result == NTSIGN_EXIT_DONE) {
		result = set_range(argv[0], settings);
	}
	return result == NTSIGN_EXIT_DONE ? check_format(argv[0], settings) :
					    result;
}

/* With --rotated each file stands for what it was before, too. */
static int report_on(TALLOC_CTX *mem_ctx, const struct settings *settings,
		     char *const *files, int count)
{
	char **all = NULL;
	size_t all_count = 0;

	if (!settings->rotated) {
		return make_report(mem_ctx, settings, files, count);
	}
	if (!ntsign_rotated_find(mem_ctx, files, (size_t)count, &all,
				 &all_count)) {
		return NTSIGN_EXIT_FAILED;
	}
	return make_report(mem_ctx, settings, all, (int)all_count);
}

int ntsign_report_main(TALLOC_CTX *mem_ctx, int argc, char **argv)
{
	struct settings settings = { .write = ntsign_report_text };
	char *audit = NULL;
	int result = read_options(argc, argv, &settings);

	if (result != NTSIGN_EXIT_DONE) {
		return result;
	}
	if (optind == argc) {
		audit = ntsign_conf_find_audit(mem_ctx, settings.smb_conf);
		if (audit == NULL) {
			return NTSIGN_EXIT_FAILED;
		}
		return report_on(mem_ctx, &settings, &audit, 1);
	}
	return report_on(mem_ctx, &settings, argv + optind, argc - optind);
}
