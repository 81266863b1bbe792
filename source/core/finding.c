/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Findings about options: messages for an administrator.
 *
 * Invariant: a message is one printable line, whatever a value holds.
 */
#include <stdarg.h>
#include <string.h>

#include "ntsign/text.h"
#include "settings.h"

/* Characters of a value that a message shows. */
#define SHOWN_MAX 100

/*
 * A value as a message can show it: valid UTF-8, control characters as \xNN,
 * cut with "..." behind the last character shown.
 */
static char *printable(TALLOC_CTX *mem_ctx, struct span value)
{
	static const char digits[] = "0123456789ABCDEF";
	char shown[SHOWN_MAX * 4 + sizeof("...")] = "";
	char *fit = NULL;
	char *result = NULL;
	const char *p = NULL;
	size_t characters = 0;
	size_t len = 0;

	fit = ntsign_text_bytes(mem_ctx, (const uint8_t *)value.text,
				value.len);
	if (fit == NULL) {
		return NULL;
	}
	for (p = fit; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;
		/* U+0080 to U+009F are control characters as well */
		bool c1 = c == 0xC2 && (unsigned char)p[1] < 0xA0;

		if ((c & 0xC0) != 0x80) {
			if (characters == SHOWN_MAX) {
				memcpy(shown + len, "...", 3);
				len += 3;
				break;
			}
			characters++;
		}
		if (c1) {
			p++;
			c = (unsigned char)*p;
		}
		if (c1 || c < 0x20 || c == 0x7F) {
			shown[len++] = '\\';
			shown[len++] = 'x';
			shown[len++] = digits[c >> 4];
			shown[len++] = digits[c & 0x0F];
		} else {
			shown[len++] = *p;
		}
	}

	result = talloc_strndup(mem_ctx, shown, len);
	talloc_free(fit);
	return result;
}

static struct ntsign_option_finding *finding_new(
	struct ntsign_option_findings *findings, TALLOC_CTX *mem_ctx)
{
	struct ntsign_option_finding *list = NULL;

	list = talloc_realloc(mem_ctx, findings->list,
			      struct ntsign_option_finding,
			      findings->count + 1);
	if (list == NULL) {
		return NULL;
	}
	findings->list = list;
	return &list[findings->count];
}

void ntsign_settings_report(struct reader *reader,
			  enum ntsign_option_problem problem, size_t setting,
			  const char *name, struct span value,
			  const char *format, ...)
{
	struct ntsign_option_finding *finding = NULL;
	struct ntsign_option_finding result = {
		.problem = problem,
		.setting = (ssize_t)setting,
	};
	const struct span name_span = { .text = name, .len = strlen(name) };
	TALLOC_CTX *list = NULL;
	char *shown = NULL;
	char *why = NULL;
	va_list ap;

	if (reader->failed) {
		return;
	}
	reader->failed = true;

	finding = finding_new(&reader->findings, reader->mem_ctx);
	if (finding == NULL) {
		return;
	}
	list = reader->findings.list;

	shown = printable(list, name_span);
	if (shown == NULL) {
		return;
	}
	result.option = talloc_asprintf(list, PREFIX "%s", shown);
	talloc_free(shown);
	result.value = printable(list, value);
	if (result.option == NULL || result.value == NULL) {
		return;
	}

	va_start(ap, format);
	why = talloc_vasprintf(list, format, ap);
	va_end(ap);
	if (why == NULL) {
		return;
	}
	result.message = talloc_asprintf(list, "%s = %s: %s", result.option,
					 result.value, why);
	talloc_free(why);
	if (result.message == NULL) {
		return;
	}

	*finding = result;
	reader->findings.count++;
	reader->failed = false;
}

void ntsign_settings_judge(struct reader *reader, enum id id,
			 enum ntsign_option_problem problem,
			 const char *why)
{
	size_t setting = (size_t)reader->setting[id];
	const char *value = reader->settings[setting].value;

	ntsign_settings_report(reader, problem, setting,
			     ntsign_option_table[id].name,
			     ntsign_settings_trim(value), "%s", why);
}
