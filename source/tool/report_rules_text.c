/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign report --suggest-rules`, written out.
 *
 * Invariant: in the form for smb.conf every line is a comment but the last,
 * which is the option; there is nothing behind its value, because smb.conf
 * has no comments there.
 */
#include <inttypes.h>
#include <string.h>

#include "report_json.h"
#include "report_page.h"
#include "report_rules.h"
#include "tool.h"

/* ---- for smb.conf ---- */

static struct ntsign_prospect prospect_of(
	const struct ntsign_tally_client *client)
{
	return ntsign_prospect_client(client, NTSIGN_SIGNING_REQUIRED);
}

static void print_text(struct ntsign_page *page, const char *indent,
		       const char *text)
{
	if (text == NULL) {
		page->no_memory = true;
		return;
	}
	ntsign_page_wrapped(page, indent, text);
}

/* Why a client has a rule. */
static void print_client(struct ntsign_page *page,
			 const struct ntsign_tally_client *client,
			 bool name_it)
{
	struct ntsign_prospect p = prospect_of(client);
	const struct ntsign_word *dialect = client->facts.dialect;
	const struct ntsign_word *os = client->facts.native_os;
	char *words = ntsign_prospect_words(page->mem_ctx, &p);
	char *text = NULL;

	text = talloc_asprintf(
		page->mem_ctx, "%s%s%s%s%s%s",
		name_it ? ntsign_page_safe(page, client->key) : "",
		name_it ? ": " : "",
		p.change == NTSIGN_CHANGE_UNKNOWN ? "may lose access" :
						    "would lose access",
		dialect != NULL ? "; " : "",
		dialect != NULL ? ntsign_page_safe(page, dialect->text) : "",
		os != NULL ? " " : "");
	if (text != NULL && os != NULL) {
		text = talloc_strdup_append(text,
					    ntsign_page_safe(page, os->text));
	}
	text = ntsign_page_names(page, text, "accounts ", &client->accounts);
	if (text != NULL && words != NULL) {
		text = talloc_asprintf_append(
			text, "; last seen %s; %s.",
			ntsign_page_time(page, &client->facts.at), words);
	} else {
		text = NULL;
	}
	print_text(page, "#     ", text);
}

static void print_rule(struct ntsign_page *page,
		       const struct ntsign_rules *rules,
		       const struct ntsign_rules_rule *rule)
{
	bool block = strchr(rule->block, '/') != NULL;
	bool v6 = strchr(rule->block, ':') != NULL;
	size_t i;

	fprintf(page->f, "#   %s=%s\n", rule->block,
		ntsign_signing_name(rule->state));
	if (block) {
		fprintf(page->f, "#     %zu addresses of this block were seen, "
			"%s\n", rule->count, v6 ?
			"and it holds for the others too" :
			"which is all of it");
	}
	for (i = rule->first; i < rule->end; i++) {
		const struct ntsign_rules_client *c = &rules->clients[i];

		if (c->exception == NTSIGN_EXCEPTION_RULE) {
			print_client(page, c->client, block);
			talloc_free_children(page->mem_ctx);
		}
	}
}

static void print_exceptions(struct ntsign_page *page,
			     const struct ntsign_rules *rules)
{
	size_t i;

	if (rules->count == 0) {
		print_text(page, "# ", "No client that was seen needs an "
			   "exception.");
		return;
	}
	fprintf(page->f, "# Exceptions until %s, UTC:\n", rules->until);
	for (i = 0; i < rules->count; i++) {
		print_rule(page, rules, &rules->rules[i]);
	}
}

static void print_helpless(struct ntsign_page *page,
			   const struct ntsign_rules *rules)
{
	bool any = false;
	size_t i;

	for (i = 0; i < rules->client_count; i++) {
		const struct ntsign_rules_client *c = &rules->clients[i];

		if (c->exception != NTSIGN_EXCEPTION_HELPLESS) {
			continue;
		}
		if (!any) {
			print_text(page, "# ", "These would have to sign "
				   "under every rule, and have not shown that "
				   "they can:");
			any = true;
		}
		print_client(page, c->client, true);
		talloc_free_children(page->mem_ctx);
	}
}

/* Without a key there is no signing: such sessions of clients that sign. */
static bool loses_some(const struct ntsign_rules_client *c)
{
	const struct ntsign_tally_facts *facts = &c->client->facts;

	return c->exception == NTSIGN_EXCEPTION_NONE && facts->keyless &&
	       facts->keyed;
}

static void print_keyless(struct ntsign_page *page,
			  const struct ntsign_rules *rules)
{
	char *text = talloc_strdup(page->mem_ctx, "");
	size_t i;

	for (i = 0; text != NULL && i < rules->client_count; i++) {
		if (loses_some(&rules->clients[i])) {
			text = talloc_asprintf_append_buffer(
				text, "%s%s", text[0] != '\0' ? ", " : "",
				rules->clients[i].client->key);
		}
	}
	if (text == NULL || text[0] != '\0') {
		print_text(page, "# ", "These sign, but their anonymous and "
			   "guest sessions will be refused:");
		print_text(page, "#   ", text);
	}
	talloc_free_children(page->mem_ctx);
}

static void print_no_address(struct ntsign_page *page,
			     const struct ntsign_rules *rules,
			     const struct ntsign_tally *tally)
{
	size_t i;

	if (rules->no_address == tally->clients.count) {
		return;
	}
	print_text(page, "# ", "Left out, because these are no addresses:");
	for (i = rules->no_address; i < tally->clients.count; i++) {
		const struct ntsign_tally_client *c = tally->clients.list[i];
		const char *name = ntsign_page_safe(page, c->key);

		/* what ends a comment line is ours */
		print_text(page, "#   ", talloc_asprintf(
				   page->mem_ctx, "\"%s\".", name));
		talloc_free_children(page->mem_ctx);
	}
}

static void print_counts(struct ntsign_page *page,
			 const struct ntsign_rules *rules,
			 const struct ntsign_tally *t)
{
	size_t seen = 0;
	size_t i;

	for (i = 0; i < t->clients.count; i++) {
		const struct ntsign_tally_client *c = t->clients.list[i];

		seen += c->facts.seen ? 1 : 0;
	}
	print_text(page, "# ", talloc_asprintf(
			   page->mem_ctx, "Suggested by ntsign report, of %"
			   PRIu64 " record%s from %s to %s: %zu client%s with "
			   "a session, %zu without one.", t->records,
			   ntsign_page_plural(t->records),
			   t->span.seen ? ntsign_page_time(
				   page, &t->span.first) : "never",
			   t->span.seen ? ntsign_page_time(
				   page, &t->span.last) : "never",
			   seen, ntsign_page_plural(seen),
			   t->clients.count - seen));
	if (seen == 0) {
		print_text(page, "# ", "NOBODY WAS SEEN: this requires "
			   "signing of everybody, and it is not known who "
			   "can.");
	}
	if (t->suppressed + t->lost + t->skipped > 0) {
		print_text(page, "# ", talloc_asprintf(
				   page->mem_ctx, "Not all was seen: %" PRIu64
				   " records were suppressed, %" PRIu64
				   " lost; lines that are no records: %"
				   PRIu64 ".",
				   t->suppressed, t->lost, t->skipped));
	}
	talloc_free_children(page->mem_ctx);
}

bool ntsign_report_rules_text(FILE *f, const struct ntsign_report *report)
{
	struct ntsign_page page = {
		.f = f,
		.mem_ctx = talloc_new(NULL),
		.columns = ntsign_output_columns(f),
	};
	struct ntsign_rules *rules = NULL;
	char *value = NULL;

	if (page.mem_ctx == NULL) {
		return false;
	}
	rules = ntsign_rules_suggest(NULL, report);
	value = rules != NULL ? ntsign_rules_value(rules, rules) : NULL;
	if (value == NULL) {
		TALLOC_FREE(rules);
		TALLOC_FREE(page.mem_ctx);
		return false;
	}
	print_counts(&page, rules, report->tally);
	print_exceptions(&page, rules);
	print_helpless(&page, rules);
	print_keyless(&page, rules);
	print_no_address(&page, rules, report->tally);
	fprintf(f, "ntsign:signing rules = %s\n", value);
	TALLOC_FREE(rules);
	TALLOC_FREE(page.mem_ctx);
	return !page.no_memory;
}

/* ---- for programs ---- */

static json_t *client_json(const struct ntsign_tally_client *client)
{
	struct ntsign_prospect p = prospect_of(client);
	json_t *object = json_pack("{s:s, s:o}", "address", client->key,
				   "accounts",
				   ntsign_json_names(&client->accounts));

	if (object != NULL && !ntsign_prospect_add_json(object, &p)) {
		json_decref(object);
		return NULL;
	}
	return object;
}

/* Clients from first to before end that have this exception. */
static json_t *clients_json(const struct ntsign_rules *rules, size_t first,
			    size_t end, enum ntsign_exception exception)
{
	json_t *list = json_array();
	size_t i;

	for (i = first; i < end; i++) {
		const struct ntsign_rules_client *c = &rules->clients[i];

		if (c->exception == exception &&
		    json_array_append_new(list, client_json(c->client)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *exception_json(const struct ntsign_rules *rules, size_t i)
{
	const struct ntsign_rules_rule *rule = &rules->rules[i];

	return json_pack("{s:s, s:s, s:s, s:o}",
			 "address", rule->block,
			 "state", ntsign_signing_name(rule->state),
			 "until", rules->until,
			 "clients", clients_json(rules, rule->first, rule->end,
						 NTSIGN_EXCEPTION_RULE));
}

static json_t *keyless_json(const struct ntsign_rules *rules)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < rules->client_count; i++) {
		const struct ntsign_rules_client *c = &rules->clients[i];

		if (loses_some(c) &&
		    json_array_append_new(list, json_string(c->client->key)) !=
			    0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *no_address_json(const struct ntsign_rules *rules,
			       const struct ntsign_tally *tally)
{
	json_t *list = json_array();
	size_t i;

	for (i = rules->no_address; i < tally->clients.count; i++) {
		const struct ntsign_tally_client *c = tally->clients.list[i];

		if (json_array_append_new(list, json_string(c->key)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* Takes over value; a write that fails shows in f. False for NULL. */
static bool put(FILE *f, const char *before, json_t *value)
{
	if (value == NULL) {
		return false;
	}
	fprintf(f, "%s", before);
	(void)json_dumpf(value, f, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	json_decref(value);
	return true;
}

static bool put_rules(FILE *f, const struct ntsign_rules *rules,
		      const struct ntsign_tally *tally, const char *value)
{
	bool ok = put(f, "{\n  \"signingRules\": ", json_string(value));
	size_t i;

	fprintf(f, ",\n  \"exceptions\": [");
	for (i = 0; ok && i < rules->count; i++) {
		ok = put(f, i > 0 ? ",\n    " : "\n    ",
			 exception_json(rules, i));
	}
	fprintf(f, "%s]", rules->count > 0 ? "\n  " : "");
	ok = ok && put(f, ",\n  \"helpless\": ",
		       clients_json(rules, 0, rules->client_count,
				    NTSIGN_EXCEPTION_HELPLESS)) &&
	     put(f, ",\n  \"keylessRefused\": ", keyless_json(rules)) &&
	     put(f, ",\n  \"noAddress\": ", no_address_json(rules, tally));
	fprintf(f, "\n}\n");
	return ok;
}

bool ntsign_report_rules_json(FILE *f, const struct ntsign_report *report)
{
	struct ntsign_rules *rules = ntsign_rules_suggest(NULL, report);
	char *value = rules != NULL ? ntsign_rules_value(rules, rules) : NULL;
	bool ok = value != NULL &&
		  put_rules(f, rules, report->tally, value);

	TALLOC_FREE(rules);
	return ok;
}
