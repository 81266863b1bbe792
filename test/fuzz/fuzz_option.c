/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes the reading of options: each line is NAME, "=" and a value.
 *
 * Invariant: every finding is about a setting that was given, and its
 * message is one printable line. What the module reads and what `ntsign
 * check` reviews has the same errors.
 */
#include <assert.h>
#include <string.h>

#include "ntsign/option.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SETTINGS 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct ntsign_setting settings[SETTINGS] = { { NULL, NULL } };
	struct ntsign_option_findings findings = { .count = 0 };
	struct ntsign_option_findings errors = { .count = 0 };
	struct ntsign_options *options = NULL;
	char *rest = talloc_strndup(ctx, (const char *)data,
				    size < 2048 ? size : 2048);
	size_t count = 0;
	size_t i = 0;
	const char *p = NULL;

	while (rest != NULL && count < SETTINGS) {
		char *line = strsep(&rest, "\n");

		settings[count].name = strsep(&line, "=");
		settings[count].value = line != NULL ? line : "";
		count++;
	}
	options = ntsign_options_review(ctx, settings, count, 1795204893,
					&findings);
	assert(options != NULL);
	assert(options->signing_counter_skew >= 1 &&
	       options->signing_counter_skew <= 8);
	assert(options->credential_hold <= 10000);
	for (i = 0; i < findings.count; i++) {
		const struct ntsign_option_finding *f = &findings.list[i];

		assert(f->setting >= 0 && (size_t)f->setting < count);
		assert(strstr(f->message, f->option) == f->message);
		for (p = f->message; *p != '\0'; p++) {
			assert((unsigned char)*p >= 0x20 && *p != 0x7F);
		}
	}
	assert(ntsign_options_parse(ctx, settings, count, &errors) != NULL);
	assert(errors.count <= findings.count);
	for (i = 0; i < findings.count; i++) {
		bool error = ntsign_option_is_error(findings.list[i].problem);

		/* notes come behind all errors */
		assert(error == (i < errors.count));
		assert(!error || strcmp(findings.list[i].message,
					errors.list[i].message) == 0);
	}
	assert(ntsign_options_refuse(options, &findings) ==
	       ntsign_options_refuse(options, &errors));
	talloc_free(ctx);
	return 0;
}
