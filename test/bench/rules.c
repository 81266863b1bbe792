/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rules: how long a new process takes to read ntsign:signing rules and to
 * find the one for a client, as each connection's process of smbd does.
 *
 * Invariant: every measurement is a process of its own, forked off one that
 * has the text of the rules and nothing else of them.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ntsign/option.h"

#define COUNT 200

struct times {
	double parse;
	double match;
};

static double now(void)
{
	struct timespec t = { .tv_sec = 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct times measure(const char *value, size_t *count)
{
	const struct ntsign_setting settings[] = {
		{ "mode", "enforce" },
		{ "signing rules", value },
	};
	struct ntsign_option_findings findings = { .count = 0 };
	struct ntsign_address client = { .len = 0 };
	const struct ntsign_options *options = NULL;
	const struct ntsign_rule *rule = NULL;
	double start = now();
	struct times times = { .parse = 0 };

	options = ntsign_options_parse(NULL, settings, 2, &findings);
	times.parse = now() - start;
	if (options == NULL || findings.count > 0) {
		errx(3, "the rules are not read: %s", findings.count > 0 ?
		     findings.list[0].message : "out of memory");
	}
	start = now();
	ntsign_address_parse("127.0.0.1", &client);
	rule = ntsign_rules_match(options->signing_rules,
				  options->signing_rules_count, &client,
				  time(NULL));
	times.match = now() - start;
	*count = options->signing_rules_count;
	if (rule != &options->signing_rules[*count - 1]) {
		errx(3, "127.0.0.1 is not matched by the last rule alone");
	}
	return times;
}

static struct times measure_apart(const char *value)
{
	struct times times = { .parse = 0 };
	int ends[2] = { -1, -1 };
	size_t count = 0;
	int status = 0;
	pid_t child = -1;

	if (pipe(ends) != 0) {
		err(3, "pipe");
	}
	child = fork();
	if (child < 0) {
		err(3, "fork");
	}
	if (child == 0) {
		times = measure(value, &count);
		if (write(ends[1], &times, sizeof(times)) != sizeof(times)) {
			err(3, "write");
		}
		_exit(0);
	}
	close(ends[1]);
	if (read(ends[0], &times, sizeof(times)) != sizeof(times) ||
	    waitpid(child, &status, 0) != child || status != 0)
	{
		errx(3, "the measuring process has failed");
	}
	close(ends[0]);
	return times;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static char *read_value(const char *path)
{
	FILE *f = fopen(path, "re");
	char *value = NULL;
	size_t size = 0;

	if (f == NULL || getline(&value, &size, f) < 0) {
		err(3, "%s", path);
	}
	fclose(f);
	return value;
}

int main(int argc, char **argv)
{
	double parse[COUNT] = { 0 };
	double match[COUNT] = { 0 };
	char *value = NULL;
	size_t i = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: rules FILE\n"
			"FILE's first line is the value of the option, its "
			"last rule the one for 127.0.0.1.\n"
			"Prints the medians of %d processes, in ms.\n",
			COUNT);
		return 2;
	}
	value = read_value(argv[1]);
	for (i = 0; i < COUNT; i++) {
		struct times times = measure_apart(value);

		parse[i] = times.parse * 1000;
		match[i] = times.match * 1000;
	}
	qsort(parse, COUNT, sizeof(parse[0]), compare);
	qsort(match, COUNT, sizeof(match[0]), compare);
	printf("parse %.3f match %.3f\n", parse[COUNT / 2], match[COUNT / 2]);
	free(value);
	return 0;
}
