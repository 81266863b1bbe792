/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign report` for people.
 *
 * Invariant: every text from a record goes through ntsign_output_safe(), and
 * no line of a table is wider than 80 columns.
 */
#include <inttypes.h>
#include <string.h>

#include "report.h"
#include "report_page.h"
#include "tool.h"

#define RED "\033[31m"
#define PLAIN "\033[0m"

static void print_skips(struct ntsign_page *page, const struct ntsign_tally *t)
{
	size_t i;

	if (t->skipped == 0) {
		return;
	}
	fprintf(page->f, "%" PRIu64 " line%s skipped:\n", t->skipped,
		ntsign_page_plural(t->skipped));
	for (i = 0; i < t->skips.count; i++) {
		const struct ntsign_tally_skip *s = t->skips.list[i];
		char *text = talloc_asprintf(
			page->mem_ctx, "%" PRIu64 " %s, first %s line %" PRIu64
			"%s%s", s->count, s->key,
			ntsign_page_safe(page, s->source.name), s->line,
			s->detail[0] != '\0' ? ": " : "",
			ntsign_page_safe(page, s->detail));

		if (text == NULL) {
			page->no_memory = true;
			return;
		}
		ntsign_page_wrapped(page, "  ", text);
	}
}

/* What a reader has to know before any count: it is not of all. */
static void print_problems(struct ntsign_page *page,
			   const struct ntsign_reading *reading)
{
	size_t i;

	for (i = 0; i < reading->count; i++) {
		const struct ntsign_reading_file *file = &reading->files[i];
		char *words = ntsign_reading_words(page->mem_ctx, file);
		char *text = NULL;

		if (words != NULL && words[0] == '\0') {
			continue;
		}
		text = talloc_asprintf(page->mem_ctx, "%s: %s",
				       ntsign_page_safe(page, file->path),
				       words != NULL ? words : "");
		if (words == NULL || text == NULL) {
			page->no_memory = true;
			return;
		}
		ntsign_page_wrapped(page, "", text);
	}
}

static void print_head(struct ntsign_page *page,
		       const struct ntsign_report *report)
{
	const struct ntsign_tally *t = report->tally;
	size_t i;

	for (i = 0; i < report->file_count; i++) {
		const char *name = report->files[i];

		fprintf(page->f, "%s%s\n", i == 0 ? "Audit: " : "       ",
			strcmp(name, "-") == 0 ? "standard input" :
						 ntsign_page_safe(page, name));
	}
	print_problems(page, report->reading);
	fprintf(page->f, "%" PRIu64 " record%s", t->records,
		ntsign_page_plural(t->records));
	if (t->span.seen) {
		fprintf(page->f, " from %s to %s",
			ntsign_page_time(page, &t->span.first),
			ntsign_page_time(page, &t->span.last));
	}
	fprintf(page->f, "\n");
	if (t->outside > 0) {
		fprintf(page->f, "%" PRIu64 " record%s of other times left "
			"out\n", t->outside,
			ntsign_page_plural(t->outside));
	}
	print_skips(page, t);
	if (t->suppressed > 0) {
		fprintf(page->f, "%" PRIu64 " record%s more were suppressed: "
			"too many a second from one client\n", t->suppressed,
			ntsign_page_plural(t->suppressed));
	}
	if (t->lost > 0) {
		fprintf(page->f, "%" PRIu64 " record%s more were lost: the "
			"audit file could not be written\n", t->lost,
			ntsign_page_plural(t->lost));
	}
}

static void print_totals(struct ntsign_page *page, const struct ntsign_tally *t)
{
	const uint64_t *outcome = t->count.outcome;

	fprintf(page->f, "%" PRIu64 " session setup%s: %" PRIu64 " signed, %"
		PRIu64 " not signed, %" PRIu64 " no communication, %" PRIu64
		" failed\n", t->count.sessions,
		ntsign_page_plural(t->count.sessions),
		outcome[NTSIGN_OUTCOME_SIGNED],
		outcome[NTSIGN_OUTCOME_NOT_SIGNED],
		outcome[NTSIGN_OUTCOME_NO_COMMUNICATION], t->count.failed);
	if (t->unplaced > 0) {
		fprintf(page->f, "%" PRIu64 " of them with fields missing, "
			"not in the counts below\n", t->unplaced);
	}
	if (t->encrypted > 0) {
		fprintf(page->f, "%" PRIu64 " of them encrypted, which counts "
			"as signed\n", t->encrypted);
	}
	if (t->refused > 0) {
		fprintf(page->f, "%" PRIu64 " of them refused\n", t->refused);
	}
}

/* Whether sessions of a cell came to what the matrix does not say. */
static bool deviates(const struct ntsign_tally_cell *cell)
{
	unsigned int i;

	for (i = 0; i < NTSIGN_OUTCOME_COUNT; i++) {
		if (i != (unsigned int)cell->expected &&
		    cell->count.outcome[i] > 0) {
			return true;
		}
	}
	return false;
}

static void print_cell(struct ntsign_page *page,
		       const struct ntsign_tally_cell *cell)
{
	const uint64_t *outcome = cell->count.outcome;
	bool mark = deviates(cell);
	const char *expected =
		cell->expected == NTSIGN_OUTCOME_NO_COMMUNICATION ?
			"none" : ntsign_output_outcome(cell->expected);

	fprintf(page->f, "%s%-18s  %-18s  %-10s %6" PRIu64 " %6" PRIu64
		" %6" PRIu64 " %6" PRIu64 "%s%s\n",
		mark && page->colour ? RED : "",
		ntsign_page_party(page, cell->client),
		ntsign_page_party(page, cell->server), expected,
		outcome[NTSIGN_OUTCOME_SIGNED],
		outcome[NTSIGN_OUTCOME_NOT_SIGNED],
		outcome[NTSIGN_OUTCOME_NO_COMMUNICATION], cell->count.failed,
		mark ? " !" : "", mark && page->colour ? PLAIN : "");
}

static void print_cells(struct ntsign_page *page, const struct ntsign_tally *t)
{
	bool marked = false;
	size_t i;

	ntsign_page_heading(page, "Signing matrix (KB916846), sessions by "
			    "what came of them");
	fprintf(page->f, "%-18s  %-18s  %-10s %6s %6s %6s %6s\n", "client",
		"server", "expected", "signed", "not s.", "none", "failed");
	for (i = 0; i < NTSIGN_TALLY_CELLS; i++) {
		if (t->cells[i].count.sessions > 0) {
			print_cell(page, &t->cells[i]);
			marked = marked || deviates(&t->cells[i]);
		}
	}
	ntsign_page_wrapped(page, "", "not s.: not signed. none: no "
			    "communication. failed: logons that failed for "
			    "another reason than signing.");
	if (marked) {
		fprintf(page->f, "!: not what the matrix says.\n");
	}
}

static void print_client(struct ntsign_page *page,
			 const struct ntsign_tally_client *c)
{
	const char *address = ntsign_page_safe(page, c->key);
	char *details = talloc_strdup(page->mem_ctx, "");

	fprintf(page->f, "%s", address);
	if (ntsign_output_width(address) > 21) {
		fprintf(page->f, "\n%-21s", "");
	} else {
		fprintf(page->f, "%*s",
			21 - (int)ntsign_output_width(address), "");
	}
	fprintf(page->f, " %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6" PRIu64
		" %-6s  %s\n", c->count.outcome[NTSIGN_OUTCOME_SIGNED],
		c->count.outcome[NTSIGN_OUTCOME_NOT_SIGNED],
		c->count.outcome[NTSIGN_OUTCOME_NO_COMMUNICATION],
		c->count.failed, c->proven ? "yes" : "no",
		ntsign_page_time(page, &c->span.last));
	details = ntsign_page_names(page, details, "", &c->dialects);
	details = ntsign_page_names(page, details, "accounts: ", &c->accounts);
	details = ntsign_page_names(page, details, "systems: ", &c->native_os);
	if (details == NULL) {
		page->no_memory = true;
		return;
	}
	ntsign_page_wrapped(page, "    ", details);
	if (c->bad + c->missing + c->downgraded > 0) {
		fprintf(page->f, "    signatures: %" PRIu64 " bad, %" PRIu64
			" missing; signing switched off %" PRIu64 " time%s\n",
			c->bad, c->missing, c->downgraded,
			ntsign_page_plural(c->downgraded));
	}
}

static void print_clients(struct ntsign_page *page,
			  const struct ntsign_tally *t)
{
	size_t i;

	ntsign_page_heading(page, "Clients");
	fprintf(page->f, "%-21s %6s %6s %6s %6s %-6s  %s\n", "address",
		"signed", "not s.", "none", "failed", "proven", "last seen");
	for (i = 0; i < t->clients.count; i++) {
		print_client(page, t->clients.list[i]);
		talloc_free_children(page->mem_ctx);
	}
	fprintf(page->f, "proven: a signature of this client's was "
		"verified.\n");
}

static void print_span(struct ntsign_page *page, const char *label,
		       uint64_t count, const struct ntsign_span *span)
{
	char *text = NULL;

	if (count == 1) {
		text = talloc_asprintf(page->mem_ctx, "%s: once, %s", label,
				       ntsign_page_time(page, &span->first));
	} else {
		text = talloc_asprintf(page->mem_ctx, "%s: %" PRIu64 " times, "
				       "%s to %s", label, count,
				       ntsign_page_time(page, &span->first),
				       ntsign_page_time(page, &span->last));
	}
	if (text == NULL) {
		page->no_memory = true;
		return;
	}
	ntsign_page_wrapped(page, "    ", text);
}

/* NULL when memory runs out. */
static char *what_came(struct ntsign_page *page,
		       const struct ntsign_tally_mismatch *m)
{
	if (m->failed > 0) {
		return talloc_asprintf(
			page->mem_ctx, "expected %s, and the logon failed for "
			"another reason than signing",
			ntsign_output_outcome(m->expected));
	}
	if (m->expected == m->outcome) {
		return talloc_asprintf(page->mem_ctx,
				       "%s, as the matrix has it",
				       ntsign_output_outcome(m->outcome));
	}
	return talloc_asprintf(page->mem_ctx, "expected %s, came to %s",
			       ntsign_output_outcome(m->expected),
			       ntsign_output_outcome(m->outcome));
}

static void print_mismatch(struct ntsign_page *page,
			   const struct ntsign_tally_mismatch *m)
{
	char *sentence = NULL;

	fprintf(page->f, "%s  %s %s  %s client, %s server\n",
		ntsign_page_safe(page, m->address),
		ntsign_page_safe(page, m->dialect),
		ntsign_page_safe(page, m->setup),
		ntsign_page_party(page, m->client),
		ntsign_page_party(page, m->server));
	sentence = what_came(page, m);
	if (sentence == NULL) {
		page->no_memory = true;
		return;
	}
	print_span(page, sentence, m->count, &m->span);
	if (m->refused > 0) {
		fprintf(page->f, "    refused %" PRIu64 " time%s%s%s\n",
			m->refused, ntsign_page_plural(m->refused),
			m->reason[0] != '\0' ? ": " : "",
			ntsign_page_safe(page, m->reason));
	}
	sentence = talloc_asprintf(page->mem_ctx, "%s (%s)",
				   ntsign_tally_explain(m),
				   ntsign_page_safe(page, m->article));
	if (sentence == NULL) {
		page->no_memory = true;
		return;
	}
	ntsign_page_wrapped(page, "    ", sentence);
}

static void print_mismatches(struct ntsign_page *page,
			     const struct ntsign_tally *t)
{
	size_t i;

	ntsign_page_heading(page, "Mismatches");
	if (t->mismatches.count == 0) {
		fprintf(page->f, "none\n");
	}
	for (i = 0; i < t->mismatches.count; i++) {
		print_mismatch(page, t->mismatches.list[i]);
	}
}

/* Its entries follow each other: they are sorted. */
static bool is_same_quirk(const struct ntsign_tally_quirk *a,
			  const struct ntsign_tally_quirk *b)
{
	return strcmp(a->address, b->address) == 0 &&
	       strcmp(a->article, b->article) == 0;
}

static void print_quirk(struct ntsign_page *page,
			const struct ntsign_tally_quirk *q)
{
	const char *meaning = ntsign_tally_explain_quirk(q);
	char *accounts = talloc_strdup(page->mem_ctx, "");

	print_span(page, ntsign_page_safe(page, q->event), q->count, &q->span);
	if (meaning != NULL) {
		ntsign_page_wrapped(page, "        ", meaning);
	}
	accounts = ntsign_page_names(page, accounts, "accounts: ",
				     &q->accounts);
	if (accounts == NULL) {
		page->no_memory = true;
	} else if (accounts[0] != '\0') {
		ntsign_page_wrapped(page, "        ", accounts);
	}
}

static void print_quirks(struct ntsign_page *page, const struct ntsign_tally *t)
{
	const struct ntsign_tally_quirk *last = NULL;
	size_t i;

	if (t->quirks.count == 0) {
		return;
	}
	ntsign_page_heading(page, "Quirks");
	for (i = 0; i < t->quirks.count; i++) {
		const struct ntsign_tally_quirk *q = t->quirks.list[i];

		if (last == NULL || !is_same_quirk(last, q)) {
			fprintf(page->f, "%s  %s\n",
				ntsign_page_safe(page, q->address),
				ntsign_page_safe(page, q->article));
		}
		print_quirk(page, q);
		last = q;
	}
}

static void print_turned_away(struct ntsign_page *page,
			      const struct ntsign_tally *t)
{
	size_t i;

	if (t->turned_away.count == 0) {
		return;
	}
	ntsign_page_heading(page, "Turned away before a session setup");
	for (i = 0; i < t->turned_away.count; i++) {
		const struct ntsign_tally_turned_away *a =
			t->turned_away.list[i];
		char *offered = talloc_strdup(page->mem_ctx, "");

		fprintf(page->f, "%s\n", ntsign_page_safe(page, a->address));
		print_span(page, ntsign_page_safe(page, a->reason), a->count,
			   &a->span);
		offered = ntsign_page_names(page, offered, "offered: ",
				       &a->offered);
		if (offered == NULL) {
			page->no_memory = true;
			return;
		}
		ntsign_page_wrapped(page, "    ", offered);
	}
}

static void print_notes(struct ntsign_page *page, const struct ntsign_tally *t)
{
	size_t i;

	if (t->notes.count == 0) {
		return;
	}
	ntsign_page_heading(page, "The module's own messages");
	for (i = 0; i < t->notes.count; i++) {
		const struct ntsign_tally_note *n = t->notes.list[i];

		fprintf(page->f, "%s\n", ntsign_page_safe(page, n->event));
		print_span(page, ntsign_page_safe(page, n->message), n->count,
			   &n->span);
	}
	if (t->notes_omitted > 0) {
		fprintf(page->f, "%" PRIu64 " more\n", t->notes_omitted);
	}
}

bool ntsign_report_text(FILE *f, const struct ntsign_report *report)
{
	const struct ntsign_tally *t = report->tally;
	struct ntsign_page page = {
		.f = f,
		.mem_ctx = talloc_new(NULL),
		.columns = ntsign_output_columns(f),
		.colour = ntsign_output_colour(f),
	};

	if (page.mem_ctx == NULL) {
		return false;
	}
	print_head(&page, report);
	print_totals(&page, t);
	if (report->what_if) {
		ntsign_report_prospects(&page, report);
	}
	if (t->count.sessions > t->unplaced) {
		print_cells(&page, t);
	}
	if (t->clients.count > 0) {
		print_clients(&page, t);
	}
	print_mismatches(&page, t);
	print_turned_away(&page, t);
	print_quirks(&page, t);
	print_notes(&page, t);
	TALLOC_FREE(page.mem_ctx);
	return !page.no_memory;
}
