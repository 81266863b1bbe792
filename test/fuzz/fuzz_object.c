/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: an object file as `ntsign check` reads it.
 *
 * Invariant: what is taken from any bytes is short text, and a version has a
 * version's form.
 */
#include <stdlib.h>
#include <string.h>

#include "ntsign/samba.h"
#include "source/tool/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
	if (text != NULL && (text[0] == '\0' || strlen(text) > 200 ||
			     strchr(text, '\n') != NULL)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const like[] = { NULL, "4.17.12-Debian" };
	size_t i;

	for (i = 0; i < 2; i++) {
		struct ntsign_object *object = ntsign_object_parse(
			NULL, data, size, like[i]);

		check_text(object->module);
		check_text(object->record);
		check_text(object->samba);
		check_text(object->interface);
		check_text(object->version);
		if (object->version != NULL &&
		    (!object->tells_version ||
		     ntsign_samba_release_len(object->version) < 5)) {
			abort();
		}
		TALLOC_FREE(object);
	}
	return 0;
}
