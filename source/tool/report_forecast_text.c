/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign report --what-if` for people: who would lose access, and who would
 * not, in the order in which it matters.
 *
 * Invariant: every client is in one group, and every group is there in full;
 * but those that need no thought are only counted where they are many.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report_forecast.h"
#include "report_page.h"
#include "tool.h"

/* So many clients that need no thought are named. */
#define FEW 10

/* What is printed together. */
struct group {
	enum ntsign_change change;
	bool seen;		/* it has had a session */
	uint64_t count;
};

static bool is_of(const struct group *group,
		  const struct ntsign_prospect *prospect)
{
	return prospect->change == group->change &&
	       prospect->facts.seen == group->seen;
}

static const char *system_of(struct ntsign_page *page,
			     const struct ntsign_prospect *p)
{
	const struct ntsign_word *word = p->last->native_os;

	return word != NULL ? ntsign_page_safe(page, word->text) : "";
}

/* What the client was when it was last seen; "" where it has had no session,
 * NULL without memory. */
static char *last_words(struct ntsign_page *page,
			const struct ntsign_prospect *p)
{
	const struct ntsign_word *dialect = p->last->dialect;
	const char *os = "";

	if (!p->facts.seen) {
		return talloc_strdup(page->mem_ctx, "");
	}
	os = system_of(page, p);
	return talloc_asprintf(
		page->mem_ctx, "%s%s%s; row %s, server %s: %s%s; ",
		dialect != NULL ? ntsign_page_safe(page, dialect->text) :
				  "unknown dialect",
		os[0] != '\0' ? ", " : "", os,
		ntsign_page_party(page, p->facts.client),
		ntsign_signing_name(p->facts.server.signing),
		ntsign_output_outcome(p->facts.outcome),
		p->facts.encrypted ? " (encrypted)" : "");
}

static void print_client(struct ntsign_page *page,
			 const struct ntsign_tally_client *client,
			 const struct ntsign_prospect *p)
{
	const char *address = ntsign_page_safe(page, client->key);
	char *text = talloc_asprintf(
		page->mem_ctx, "%s, last seen %s", address,
		ntsign_page_time(page, p->facts.seen ? &p->last->at :
						       &client->span.last));
	char *words = ntsign_prospect_words(page->mem_ctx, p);
	char *last = last_words(page, p);

	if (text == NULL || words == NULL || last == NULL) {
		page->no_memory = true;
		return;
	}
	text = ntsign_page_names(page, text, "", &client->accounts);
	last = talloc_asprintf_append(last, "%s.", words);
	if (text == NULL || last == NULL) {
		page->no_memory = true;
		return;
	}
	ntsign_page_wrapped(page, "  ", text);
	ntsign_page_wrapped(page, "      ", last);
	talloc_free_children(page->mem_ctx);
}

/* Without a client to name, or with too many. */
static bool is_named(const struct group *group)
{
	bool easy = group->change == NTSIGN_CHANGE_UNAFFECTED ||
		    (group->change == NTSIGN_CHANGE_UNKNOWN && !group->seen);

	return group->count > 0 && (!easy || group->count <= FEW);
}

static void print_group(struct ntsign_page *page,
			const struct ntsign_report *report,
			const struct group *group)
{
	const struct ntsign_table *clients = &report->tally->clients;
	size_t i;

	if (group->count == 0) {
		return;
	}
	fprintf(page->f, "%s%s: %" PRIu64 " client%s\n",
		ntsign_prospect_title(group->change),
		group->seen ? "" : ", without a session", group->count,
		ntsign_page_plural(group->count));
	ntsign_page_wrapped(page, "  ", group->seen ?
			    ntsign_prospect_advice(group->change,
						   report->state) :
			    "They left after the first message, or their "
			    "logons failed: they have no access to lose.");
	for (i = 0; is_named(group) && i < clients->count; i++) {
		struct ntsign_prospect p = ntsign_prospect_client(
			clients->list[i], report->state);

		if (is_of(group, &p)) {
			print_client(page, clients->list[i], &p);
		}
	}
}

/* ---- accounts that would be shut out ---- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The addresses that may lose access, sorted; NULL without memory. */
static const char **addresses_at_risk(const struct ntsign_report *report,
				      size_t *count)
{
	const struct ntsign_table *clients = &report->tally->clients;
	const char **list = calloc(clients->count + 1, sizeof(*list));
	size_t n = 0;
	size_t i;

	for (i = 0; list != NULL && i < clients->count; i++) {
		const struct ntsign_tally_client *c = clients->list[i];
		struct ntsign_prospect p = ntsign_prospect_client(
			c, report->state);

		if (p.facts.seen && p.change <= NTSIGN_CHANGE_UNKNOWN) {
			list[n++] = c->key;
		}
	}
	if (list != NULL) {
		qsort(list, n, sizeof(*list), compare_texts);
	}
	*count = n;
	return list;
}

static bool only_at_risk(const struct ntsign_tally_account *account,
			 const char **list, size_t count)
{
	size_t i;

	if (!account->facts.seen || account->addresses.more) {
		return false;
	}
	for (i = 0; i < account->addresses.count; i++) {
		const char *address = account->addresses.list[i]->text;

		if (bsearch(&address, list, count, sizeof(*list),
			    compare_texts) == NULL) {
			return false;
		}
	}
	return true;
}

static void print_accounts(struct ntsign_page *page,
			   const struct ntsign_report *report)
{
	const struct ntsign_table *accounts = &report->tally->accounts;
	size_t count = 0;
	const char **list = addresses_at_risk(report, &count);
	bool any = false;
	size_t i;

	if (list == NULL) {
		page->no_memory = true;
		return;
	}
	for (i = 0; count > 0 && i < accounts->count; i++) {
		const struct ntsign_tally_account *a = accounts->list[i];

		if (!only_at_risk(a, list, count)) {
			continue;
		}
		if (!any) {
			fprintf(page->f, "Accounts that come from nowhere "
				"else than those that lose access or are "
				"unknown:\n");
			any = true;
		}
		ntsign_page_wrapped(page, "  ",
				    ntsign_page_safe(page, a->key));
		talloc_free_children(page->mem_ctx);
	}
	free(list);
}

/* ---- the section ---- */

static const char *heading_of(enum ntsign_signing state)
{
	switch (state) {
	case NTSIGN_SIGNING_REQUIRED:
		return "If signing were required: who loses access";
	case NTSIGN_SIGNING_ENABLED:
		return "If signing were enabled: what changes";
	case NTSIGN_SIGNING_DISABLED:
		break;
	}
	return "If signing were disabled: what changes";
}

static void count_groups(const struct ntsign_report *report,
			 struct group *groups, size_t count)
{
	const struct ntsign_table *clients = &report->tally->clients;
	size_t i;
	size_t g;

	for (i = 0; i < clients->count; i++) {
		struct ntsign_prospect p = ntsign_prospect_client(
			clients->list[i], report->state);

		for (g = 0; g < count; g++) {
			groups[g].count += is_of(&groups[g], &p) ? 1 : 0;
		}
	}
}

void ntsign_report_prospects(struct ntsign_page *page,
			     const struct ntsign_report *report)
{
	struct group groups[] = {
		{ NTSIGN_CHANGE_LOSES_ACCESS, true, 0 },
		{ NTSIGN_CHANGE_UNKNOWN, true, 0 },
		{ NTSIGN_CHANGE_BECOMES_SIGNED, true, 0 },
		{ NTSIGN_CHANGE_BECOMES_UNSIGNED, true, 0 },
		{ NTSIGN_CHANGE_GAINS_ACCESS, true, 0 },
		{ NTSIGN_CHANGE_UNAFFECTED, true, 0 },
		{ NTSIGN_CHANGE_UNKNOWN, false, 0 },
	};
	size_t count = sizeof(groups) / sizeof(groups[0]);
	size_t g;

	ntsign_page_heading(page, heading_of(report->state));
	count_groups(report, groups, count);
	if (groups[0].count == 0) {
		fprintf(page->f, "Nobody%s would lose access.\n",
			groups[1].count > 0 ? " that is known to" : "");
	}
	for (g = 0; g < count; g++) {
		print_group(page, report, &groups[g]);
	}
	print_accounts(page, report);
}
