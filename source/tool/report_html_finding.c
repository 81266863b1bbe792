/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mismatches and quirks, by where they come from.
 *
 * Invariant: each entry of the tally stands in one group, and the groups are
 * as many as this program has explanations, whatever the records say.
 */
#include <stdlib.h>
#include <string.h>

#include "html.h"
#include "html_table.h"
#include "report_html.h"
#include "tool.h"

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

struct finding {
	const char *explanation;	/* a static text; NULL: none */
	size_t place;			/* in the tally's list */
	const void *entry;
};

static int compare_explanations(const struct finding *a,
				const struct finding *b)
{
	if (a->explanation == NULL || b->explanation == NULL) {
		return (a->explanation == NULL) - (b->explanation == NULL);
	}
	return strcmp(a->explanation, b->explanation);
}

/* By the explanation, then as the tally has them. */
static int compare_findings(const void *a, const void *b)
{
	const struct finding *left = a;
	const struct finding *right = b;
	int order = compare_explanations(left, right);

	if (order != 0) {
		return order;
	}
	return left->place < right->place ? -1 : left->place > right->place;
}

static const char *explain_mismatch(const void *entry)
{
	return ntsign_tally_explain(entry);
}

static const char *explain_quirk(const void *entry)
{
	return ntsign_tally_explain_quirk(entry);
}

/* All of a table's entries in that order; an array to be freed, NULL without
 * memory. */
static struct finding *find_all(const struct ntsign_table *list,
				const char *(*explain)(const void *entry))
{
	struct finding *all = calloc(list->count, sizeof(*all));
	size_t i;

	for (i = 0; all != NULL && i < list->count; i++) {
		all[i] = (struct finding){
			.explanation = explain(list->list[i]),
			.place = i,
			.entry = list->list[i],
		};
	}
	if (all != NULL) {
		qsort(all, list->count, sizeof(*all), compare_findings);
	}
	return all;
}

static size_t group_size(const struct finding *all, size_t count)
{
	size_t n = 1;

	while (n < count && compare_explanations(&all[n], &all[0]) == 0) {
		n++;
	}
	return n;
}

/* A group's heading, and its table's beginning. */
static void open_group(FILE *f, const struct ntsign_html_table *table,
		       const char *explanation)
{
	fprintf(f, "<h3 id=\"%s-heading\">", table->id);
	if (explanation == NULL) {
		fprintf(f, "Recorded by a later version, which this one "
			"cannot explain");
	} else {
		/* a program's name stays as it is */
		bool name = strncmp(explanation, "smbd ", 5) == 0;

		fprintf(f, "<span class=\"%s\" data-key=\"explanation\">",
			name ? "name" : "sentence");
		ntsign_html_text(f, explanation);
		fprintf(f, "</span>");
	}
	fprintf(f, "</h3>\n");
	ntsign_html_table_open(f, table);
}

/* ---- mismatches ---- */

static void write_mismatch(FILE *f, const struct ntsign_tally_mismatch *m)
{
	ntsign_html_row(f, m->address);
	ntsign_html_cell(f, m->dialect);
	ntsign_html_cell(f, m->setup);
	ntsign_report_html_cell_party(f, m->client);
	ntsign_report_html_cell_party(f, m->server);
	ntsign_html_cell(f, ntsign_mismatch_name(m->mismatch));
	ntsign_html_cell(f, ntsign_output_outcome(m->expected));
	ntsign_html_cell(f, ntsign_output_outcome(m->outcome));
	ntsign_html_cell(f, m->keyless ? "yes" : "no");
	ntsign_html_cell_count(f, m->count);
	ntsign_html_cell_count(f, m->failed);
	ntsign_html_cell_count(f, m->refused);
	ntsign_html_cell(f, m->reason);
	ntsign_html_cell_span(f, &m->span);
	ntsign_report_html_cell_article(f, m->article);
}

static void write_mismatches(FILE *f, const struct finding *all, size_t count)
{
	static const struct ntsign_html_column columns[] = {
		{ "address", "Address", NTSIGN_HTML_PLACE },
		{ "dialect", "Dialect", NTSIGN_HTML_TEXT },
		{ "setup", "Setup", NTSIGN_HTML_TEXT },
		{ "client", "Client", NTSIGN_HTML_TEXT },
		{ "server", "Server", NTSIGN_HTML_TEXT },
		{ "mismatch", "Mismatch of", NTSIGN_HTML_TEXT },
		{ "expected", "Expected", NTSIGN_HTML_TEXT },
		{ "outcome", "Came to", NTSIGN_HTML_TEXT },
		{ "keyless", "Anonymous or guest", NTSIGN_HTML_TEXT },
		{ "count", "Times", NTSIGN_HTML_NUMBER },
		{ "failed", "Logon failed", NTSIGN_HTML_NUMBER },
		{ "refused", "Refused", NTSIGN_HTML_NUMBER },
		{ "reason", "Why refused", NTSIGN_HTML_TEXT },
		{ "firstSeen", "First seen", NTSIGN_HTML_TIME },
		{ "lastSeen", "Last seen", NTSIGN_HTML_TIME },
		{ "article", "Article", NTSIGN_HTML_TEXT },
	};
	static const struct ntsign_html_choice choices[] = {
		{ "mismatch=settings", "of the settings" },
		{ "mismatch=outcome", "of the outcome" },
		{ "refused&gt;", "that were refused" },
		{ "failed&gt;", "whose logon failed" },
	};
	char id[32];
	struct ntsign_html_table table = {
		.id = id,
		.grouped = true,
		.caption = "Who, with what, how often and when",
		.unit = "row",
		.columns = columns,
		.column_count = COUNT_OF(columns),
		.choices = choices,
		.choice_count = COUNT_OF(choices),
	};
	size_t number = 0;
	size_t i;

	while (count > 0) {
		table.rows = group_size(all, count);
		(void)snprintf(id, sizeof(id), "mismatches-%zu", ++number);
		open_group(f, &table, all[0].explanation);
		for (i = 0; i < table.rows; i++) {
			write_mismatch(f, all[i].entry);
		}
		ntsign_html_table_close(f);
		all += table.rows;
		count -= table.rows;
	}
}

bool ntsign_report_html_mismatches(FILE *f, const struct ntsign_tally *tally)
{
	const struct ntsign_table *list = &tally->mismatches;
	struct finding *all = NULL;

	fprintf(f, "<section id=\"mismatches-section\" "
		"aria-labelledby=\"mismatches-heading\">\n"
		"<h2 id=\"mismatches-heading\">Mismatches</h2>\n");
	if (list->count == 0) {
		fprintf(f, "<p>None.</p>\n</section>\n");
		return true;
	}
	fprintf(f, "<p>Sessions that went wrong, by where it comes from. "
		"Mismatches of the settings are for you to mend: one side "
		"requires what the other has disabled, or a key is too weak. "
		"Mismatches of the outcome are sessions that came to something "
		"else than the settings lead to.</p>\n");
	all = find_all(list, explain_mismatch);
	if (all != NULL) {
		write_mismatches(f, all, list->count);
	}
	fprintf(f, "</section>\n");
	free(all);
	return all != NULL;
}

/* ---- quirks ---- */

static void write_quirk(FILE *f, const struct ntsign_tally_quirk *q)
{
	ntsign_html_row(f, q->address);
	ntsign_report_html_cell_article(f, q->article);
	ntsign_html_cell(f, q->event);
	ntsign_html_cell_names(f, &q->accounts);
	ntsign_html_cell_count(f, q->count);
	ntsign_html_cell_span(f, &q->span);
}

static void write_quirks(FILE *f, const struct finding *all, size_t count)
{
	static const struct ntsign_html_column columns[] = {
		{ "address", "Address", NTSIGN_HTML_PLACE },
		{ "article", "Article", NTSIGN_HTML_TEXT },
		{ "event", "Event", NTSIGN_HTML_TEXT },
		{ "accounts", "Accounts", NTSIGN_HTML_TEXT },
		{ "count", "Times", NTSIGN_HTML_NUMBER },
		{ "firstSeen", "First seen", NTSIGN_HTML_TIME },
		{ "lastSeen", "Last seen", NTSIGN_HTML_TIME },
	};
	char id[32];
	struct ntsign_html_table table = {
		.id = id,
		.grouped = true,
		.caption = "From whom, how often and when",
		.unit = "row",
		.columns = columns,
		.column_count = COUNT_OF(columns),
	};
	size_t number = 0;
	size_t i;

	while (count > 0) {
		table.rows = group_size(all, count);
		(void)snprintf(id, sizeof(id), "quirks-%zu", ++number);
		open_group(f, &table, all[0].explanation);
		for (i = 0; i < table.rows; i++) {
			write_quirk(f, all[i].entry);
		}
		ntsign_html_table_close(f);
		all += table.rows;
		count -= table.rows;
	}
}

bool ntsign_report_html_quirks(FILE *f, const struct ntsign_tally *tally)
{
	const struct ntsign_table *list = &tally->quirks;
	struct finding *all = NULL;

	fprintf(f, "<section id=\"quirks-section\" "
		"aria-labelledby=\"quirks-heading\">\n"
		"<h2 id=\"quirks-heading\">Quirks</h2>\n");
	if (list->count == 0) {
		fprintf(f, "<p>None.</p>\n</section>\n");
		return true;
	}
	fprintf(f, "<p>Known defects of the past that showed, by what it "
		"means. What is listed of a server in emulate mode was played; "
		"the module's own messages below say so.</p>\n");
	all = find_all(list, explain_quirk);
	if (all != NULL) {
		write_quirks(f, all, list->count);
	}
	fprintf(f, "</section>\n");
	free(all);
	return all != NULL;
}
