/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What `ntsign check` says about options that are no errors: settings
 * without effect, rules that never match, rules that end.
 *
 * Invariant: only notes are found here, and nothing is changed. The module
 * does without, so this may take its time.
 */
#include <stdarg.h>
#include <time.h>

#include "ntsign/cover.h"
#include "settings.h"

#define DAY 86400

/* From so many days before a rule's end on there is a note. */
#define SOON 30

/* Rules that a note names by number; of more it tells how many. */
#define NAMED_MAX 4

static void note(struct reader *reader, enum id id, bool idle,
		 const char *why)
{
	if (idle && reader->setting[id] >= 0) {
		ntsign_settings_judge(reader, id, NTSIGN_OPTION_NOTE, why);
	}
}

/* ---- settings ---- */

static void review_twice(struct reader *reader)
{
	size_t i = 0;

	for (i = 0; i < reader->count; i++) {
		const struct ntsign_setting *given = &reader->settings[i];
		enum id id = ntsign_settings_find(given->name);

		if (id != ID_COUNT &&
		    ntsign_settings_set_again(reader, i, id)) {
			ntsign_settings_report(
				reader, NTSIGN_OPTION_NOTE, i,
				ntsign_option_table[id].name,
				ntsign_settings_trim(given->value),
				"without effect, a later line sets it again");
		}
	}
}

/* Settings that another one makes nothing of. One whose value is wrong is
 * blamed for nothing else. */
static void review_idle(struct reader *reader)
{
	static const char no_handles[] =
		"without effect while " PREFIX "credential handles = off";
	const struct ntsign_options *options = reader->options;
	bool handles_off =
		options->credential_handles == NTSIGN_QUIRK_OFF &&
		!reader->wrong[ID_CREDENTIAL_HANDLES];

	note(reader, ID_MINIMUM_KEY_BITS,
	     options->mode != NTSIGN_MODE_ENFORCE &&
	     options->minimum_key_bits != 0,
	     "weaker keys are recorded, to refuse them needs " PREFIX
	     "mode = enforce");
	note(reader, ID_SIGNING_COUNTER_SKEW,
	     options->signing_counter != NTSIGN_QUIRK_EMULATE &&
	     !reader->wrong[ID_SIGNING_COUNTER],
	     "without effect unless " PREFIX "signing counter = emulate");
	note(reader, ID_SERVER_CERTIFICATE, handles_off, no_handles);
	note(reader, ID_CREDENTIAL_HOLD, handles_off, no_handles);
	note(reader, ID_REMOTE_REGISTRY_SCOPE,
	     options->remote_registry != NTSIGN_QUIRK_EMULATE &&
	     !reader->wrong[ID_REMOTE_REGISTRY],
	     "without effect unless " PREFIX "remote registry = emulate");
}

/* ---- rules ---- */

/* Whether a rule in front of another lives as long. */
static bool lives_longer(const struct ntsign_rule *earlier,
			 const struct ntsign_rule *later)
{
	return earlier->until == 0 ||
	       (later->until != 0 && earlier->until >= later->until);
}

/* The rule in front of rules[i] that covers it alone, or i. */
static size_t find_cover(const struct ntsign_rule *rules, size_t i)
{
	size_t j = 0;

	for (j = 0; j < i; j++) {
		if (lives_longer(&rules[j], &rules[i]) &&
		    ntsign_block_covers(&rules[j].block, &rules[i].block))
		{
			break;
		}
	}
	return j;
}

/*
 * The numbers of the rules that cover rules[i] together, "1, 2, 3, 4 and 9
 * more". NULL when memory runs out.
 */
static char *covers_name(TALLOC_CTX *mem_ctx, const struct ntsign_rule *rules,
			 const bool *hidden, size_t i)
{
	char *names = talloc_strdup(mem_ctx, "");
	size_t count = 0;
	size_t j = 0;

	for (j = 0; names != NULL && j < i; j++) {
		if (hidden[j] || !lives_longer(&rules[j], &rules[i]) ||
		    !ntsign_block_covers(&rules[i].block, &rules[j].block))
		{
			continue;
		}
		if (count < NAMED_MAX) {
			names = talloc_asprintf_append(
				names, "%s%zu", count > 0 ? ", " : "", j + 1);
		}
		count++;
	}
	if (names != NULL && count > NAMED_MAX) {
		names = talloc_asprintf_append(names, " and %zu more",
					       count - NAMED_MAX);
	}
	return names;
}

/* A note about one rule, by its number from 1 on. */
static void note_rule(struct reader *reader, struct span element, size_t i,
		      const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void note_rule(struct reader *reader, struct span element, size_t i,
		      const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = talloc_vasprintf(reader->options, format, ap);
	va_end(ap);
	if (text == NULL) {
		reader->failed = true;
		return;
	}
	ntsign_settings_report(reader, NTSIGN_OPTION_NOTE,
			     (size_t)reader->setting[ID_SIGNING_RULES],
			     ntsign_option_table[ID_SIGNING_RULES].name,
			     element, "rule %zu %s", i + 1, text);
	talloc_free(text);
}

static void report_hidden(struct reader *reader, struct span element,
			  const bool *hidden, size_t i)
{
	const struct ntsign_rule *rules = reader->options->signing_rules;
	size_t cover = find_cover(rules, i);
	char *names = NULL;

	if (cover < i) {
		note_rule(reader, element, i, "never matches: rule %zu in "
			  "front of it covers it", cover + 1);
		return;
	}
	names = covers_name(reader->options, rules, hidden, i);
	if (names == NULL) {
		reader->failed = true;
		return;
	}
	note_rule(reader, element, i, "never matches: rules in front of it "
		  "cover it together (%s)", names);
	talloc_free(names);
}

static void report_end(struct reader *reader, struct span element, size_t i,
		       time_t now)
{
	time_t until = reader->options->signing_rules[i].until;
	time_t last_second = until - 1;
	/* whole days behind the present one */
	long long left = (long long)(last_second / DAY - now / DAY);
	struct tm day = { .tm_year = 0 };
	char text[32] = "";

	gmtime_r(&last_second, &day);
	strftime(text, sizeof(text), "%Y-%m-%d", &day);
	if (until <= now) {
		note_rule(reader, element, i, "has expired: its last day was "
			  "%s (UTC)", text);
	} else if (left == 0) {
		note_rule(reader, element, i, "expires soon: its last day is "
			  "today, %s (UTC), 0 days left", text);
	} else if (left <= SOON) {
		note_rule(reader, element, i, "expires soon: its last day is "
			  "%s (UTC), %lld day%s left", text, left,
			  left == 1 ? "" : "s");
	}
}

static void review_rules(struct reader *reader, time_t now)
{
	const struct ntsign_rule *rules = reader->options->signing_rules;
	size_t count = reader->options->signing_rules_count;
	const char *rest = NULL;
	bool *hidden = NULL;
	size_t i = 0;

	if (count == 0) {
		return;
	}
	note(reader, ID_SIGNING_RULES,
	     reader->options->mode == NTSIGN_MODE_AUDIT,
	     "rules have no effect in audit mode");

	hidden = talloc_array(reader->options, bool, count);
	if (hidden == NULL ||
	    !ntsign_rules_hidden(rules, count, now, hidden))
	{
		reader->failed = true;
		return;
	}
	rest = reader->settings[reader->setting[ID_SIGNING_RULES]].value;
	for (i = 0; i < count && !reader->failed; i++) {
		struct span element = ntsign_settings_element(&rest);

		if (hidden[i]) {
			report_hidden(reader, element, hidden, i);
		} else if (rules[i].until != 0) {
			report_end(reader, element, i, now);
		}
	}
	talloc_free(hidden);
}

/* ---- unpatched clients ---- */

/* Another block that covers blocks[i]; of two equal ones the first counts.
 * i where there is none. */
static size_t find_other(const struct ntsign_block *blocks, size_t count,
			 size_t i)
{
	size_t j = 0;

	for (j = 0; j < count; j++) {
		if (j != i && ntsign_block_covers(&blocks[j], &blocks[i]) &&
		    (j < i || !ntsign_block_covers(&blocks[i], &blocks[j])))
		{
			return j;
		}
	}
	return i;
}

static void review_clients(struct reader *reader)
{
	const struct ntsign_block *blocks =
		reader->options->unpatched_clients;
	size_t count = reader->options->unpatched_clients_count;
	const char *rest = NULL;
	size_t i = 0;

	if (count == 0) {
		return;
	}
	rest = reader->settings[reader->setting[ID_UNPATCHED_CLIENTS]].value;
	for (i = 0; i < count; i++) {
		struct span element = ntsign_settings_element(&rest);
		size_t other = find_other(blocks, count, i);

		if (other == i) {
			continue;
		}
		ntsign_settings_report(
			reader, NTSIGN_OPTION_NOTE,
			(size_t)reader->setting[ID_UNPATCHED_CLIENTS],
			ntsign_option_table[ID_UNPATCHED_CLIENTS].name,
			element, "number %zu adds nothing: number %zu covers "
			"it", i + 1, other + 1);
	}
}

struct ntsign_options *ntsign_options_review(
	TALLOC_CTX *mem_ctx,
	const struct ntsign_setting *settings, size_t count, time_t now,
	struct ntsign_option_findings *findings)
{
	struct reader reader = {
		.mem_ctx = mem_ctx,
		.settings = settings,
		.count = count,
	};

	ntsign_settings_read(&reader);
	if (!reader.failed) {
		review_twice(&reader);
		review_idle(&reader);
		review_rules(&reader, now);
		review_clients(&reader);
	}
	return ntsign_settings_finish(&reader, findings);
}
