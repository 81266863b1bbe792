/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the parts of `ntsign report` for people print with.
 *
 * Invariant: every text from a record goes through ntsign_output_safe(), and
 * text is wrapped before the page's last column.
 */
#include <string.h>

#include "report_page.h"
#include "tool.h"

#define BOLD "\033[1m"
#define PLAIN "\033[0m"

const char *ntsign_page_safe(struct ntsign_page *page, const char *text)
{
	const char *copy = ntsign_output_safe(page->mem_ctx, text);

	if (copy == NULL) {
		page->no_memory = true;
		return "";
	}
	return copy;
}

void ntsign_page_heading(struct ntsign_page *page, const char *text)
{
	fprintf(page->f, "\n%s%s%s\n", page->colour ? BOLD : "", text,
		page->colour ? PLAIN : "");
}

const char *ntsign_page_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

const char *ntsign_page_time(struct ntsign_page *page,
			     const struct ntsign_moment *moment)
{
	char text[NTSIGN_MOMENT_TEXT];
	char *copy = NULL;

	(void)ntsign_moment_text(moment, text);
	copy = talloc_asprintf(page->mem_ctx, "%.10s %.8s", text, text + 11);

	if (copy == NULL) {
		page->no_memory = true;
		return "";
	}
	return copy;
}

void ntsign_page_wrapped(struct ntsign_page *page, const char *indent,
			 const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");
		char *word = talloc_strndup(page->mem_ctx, text, len);
		size_t width = 0;

		if (word == NULL) {
			page->no_memory = true;
			return;
		}
		width = ntsign_output_width(word);
		if (column == 0) {
			column = (size_t)fprintf(page->f, "%s", indent);
		} else if (column + 1 + width > page->columns) {
			fprintf(page->f, "\n");
			column = (size_t)fprintf(page->f, "%s", indent);
		} else {
			column += (size_t)fprintf(page->f, " ");
		}
		fprintf(page->f, "%s", word);
		column += width;
		TALLOC_FREE(word);
		text += len;
		text += strspn(text, " ");
	}
	if (column > 0) {
		fprintf(page->f, "\n");
	}
}

const char *ntsign_page_party(struct ntsign_page *page, struct ntsign_party p)
{
	char *text = talloc_asprintf(page->mem_ctx, "%s %s",
				     p.patched ? "patched" : "unpatched",
				     ntsign_signing_name(p.signing));

	if (text == NULL) {
		page->no_memory = true;
		return "";
	}
	return text;
}

char *ntsign_page_names(struct ntsign_page *page, char *text,
			const char *label, const struct ntsign_names *names)
{
	size_t i;

	if (names->count == 0 || text == NULL) {
		return text;
	}
	if (text[0] != '\0') {
		text = talloc_strdup_append(text, "; ");
	}
	text = text != NULL ? talloc_strdup_append(text, label) : NULL;
	for (i = 0; text != NULL && i < names->count; i++) {
		const char *name = ntsign_page_safe(page,
						    names->list[i]->text);

		text = talloc_asprintf_append(text, "%s%s", i > 0 ? ", " : "",
					      name);
	}
	if (text != NULL && names->more) {
		text = talloc_strdup_append(text, ", ...");
	}
	return text;
}

