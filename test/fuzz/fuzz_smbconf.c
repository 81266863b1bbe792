/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: smb.conf as `ntsign check` reads it.
 *
 * Invariant: any bytes give items and remarks whose lines are in the file;
 * included files are left alone.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "source/tool/output.c"
#include "source/tool/smbconf.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_item(const struct ntsign_conf_item *item, unsigned int lines)
{
	char **words = NULL;

	if (item->line == 0 || item->line > lines) {
		abort();
	}
	if (item->key == NULL) {
		return;
	}
	words = ntsign_conf_list(NULL, item->value);
	if (words == NULL || strpbrk(item->key, " \t\n") != NULL) {
		abort();
	}
	TALLOC_FREE(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ntsign_conf *conf = talloc_zero(NULL, struct ntsign_conf);
	const struct ntsign_conf_item *item = NULL;
	unsigned int lines = 1;
	size_t i;

	for (i = 0; i < size; i++) {
		lines += data[i] == '\n' ? 1 : 0;
	}
	conf->no_includes = true;
	ntsign_conf_parse(conf, "fuzz", (const char *)data, size);
	for (i = 0; i < conf->count; i++) {
		check_item(&conf->items[i], lines);
	}
	talloc_free(ntsign_conf_audit_file(conf, conf, &item));
	TALLOC_FREE(conf);
	return 0;
}
