/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ntsign: options of smb.conf, read strictly.
 *
 * Invariant: one table names every option, its values and its default.
 * Reading, messages and documentation's tests all go by that table: a word
 * is an option's value when it is in the table's list, and its place there
 * says what it means.
 */
#include "ntsign/option.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "settings.h"

/* Longer than any option's name and any word that is a value. */
#define WORD_MAX 64

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

const struct ntsign_option_info ntsign_option_table[] = {
	[ID_MODE] = { "mode", "audit, enforce, emulate", "audit" },
	[ID_SERVER] = { "server", "patched, unpatched", "patched" },
	[ID_SIGNING_RULES] = { "signing rules",
			       "list of ADDRESS=STATE[@YYYY-MM-DD]",
			       "empty" },
	[ID_UNPATCHED_CLIENTS] = { "unpatched clients", "list of ADDRESS",
				   "empty" },
	[ID_MINIMUM_KEY_BITS] = { "minimum key bits", "0, 40, 56, 128", "0" },
	[ID_SIGNING_COUNTER] = { "signing counter",
				 "off, detect, emulate, fix", "detect" },
	[ID_SIGNING_COUNTER_SKEW] = { "signing counter skew", "1 to 8", "1" },
	[ID_BAD_SIGNATURE] = { "bad signature", "disconnect, access denied",
			       "disconnect" },
	[ID_KEY_STRENGTH] = { "key strength", "off, detect, emulate",
			      "detect" },
	[ID_CREDENTIAL_HANDLES] = { "credential handles",
				    "off, emulate, fix", "off" },
	[ID_SERVER_CERTIFICATE] = { "server certificate",
				    "PEM file, with smb.conf's "
				    "% substitutions", "none" },
	[ID_CREDENTIAL_HOLD] = { "credential hold", "0 to 10000 ms", "20" },
	[ID_REMOTE_REGISTRY] = { "remote registry",
				 "off, detect, emulate, fix", "detect" },
	[ID_REMOTE_REGISTRY_SCOPE] = { "remote registry scope",
				       "registry, system", "registry" },
	[ID_AUDIT_FILE] = { "audit file", "path, % substitutions allowed",
			    "ntsign.jsonl in the directory of log file" },
	[ID_AUDIT_SYSLOG] = { "audit syslog", "yes, no", "no" },
	[ID_AUDIT_EVENTS] = { "audit events", "mismatch, session, all",
			      "session" },
	[ID_ON_AUDIT_FAILURE] = { "on audit failure", "continue, refuse",
				  "refuse in enforce, else continue" },
};
static_assert(ARRAY_LEN(ntsign_option_table) == ID_COUNT,
	      "every option is in the table");

const size_t ntsign_option_count = ID_COUNT;

static bool is_space(char c)
{
	return memchr(SPACES, c, sizeof(SPACES) - 1) != NULL;
}

static char to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

struct span ntsign_settings_trim(const char *text)
{
	struct span span = { .text = text + strspn(text, SPACES) };

	span.len = strlen(span.text);
	while (span.len > 0 && is_space(span.text[span.len - 1])) {
		span.len--;
	}
	return span;
}

/* Where the next element of a list starts, or the list ends. */
static const char *list_start(const char *list)
{
	while (*list != '\0' && ntsign_element_ends(*list)) {
		list++;
	}
	return list;
}

struct span ntsign_settings_element(const char **list)
{
	struct span span = { .text = list_start(*list) };
	const char *p = span.text;

	while (!ntsign_element_ends(*p)) {
		p++;
	}
	span.len = (size_t)(p - span.text);
	*list = p;
	return span;
}

/* As smb.conf does it: case and white space do not count. */
static bool name_equal(const char *a, const char *b)
{
	for (;;) {
		a += strspn(a, SPACES);
		b += strspn(b, SPACES);
		if (to_lower(*a) != to_lower(*b)) {
			return false;
		}
		if (*a == '\0') {
			return true;
		}
		a++;
		b++;
	}
}

enum id ntsign_settings_find(const char *name)
{
	unsigned int id = 0;

	for (id = 0; id < ID_COUNT; id++) {
		if (name_equal(name, ntsign_option_table[id].name)) {
			break;
		}
	}
	return id;
}

/* A name without what does not count in it; false when it is too long. */
static bool name_reduce(const char *name, char reduced[WORD_MAX])
{
	size_t len = 0;

	for (; *name != '\0'; name++) {
		if (is_space(*name)) {
			continue;
		}
		if (len == WORD_MAX - 1) {
			return false;
		}
		reduced[len++] = to_lower(*name);
	}
	reduced[len] = '\0';
	return true;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * How many letters have to be added, taken away, exchanged or swapped with
 * their neighbour to make b of a.
 */
static size_t name_distance(const char a[WORD_MAX], const char b[WORD_MAX])
{
	size_t rows[WORD_MAX][WORD_MAX];
	size_t a_len = strlen(a);
	size_t b_len = strlen(b);
	size_t i = 0;
	size_t j = 0;

	for (i = 0; i <= a_len; i++) {
		rows[i][0] = i;
	}
	for (j = 0; j <= b_len; j++) {
		rows[0][j] = j;
	}
	for (i = 1; i <= a_len; i++) {
		for (j = 1; j <= b_len; j++) {
			size_t other = a[i - 1] != b[j - 1];
			size_t best = rows[i - 1][j - 1] + other;

			best = least(best, rows[i - 1][j] + 1);
			best = least(best, rows[i][j - 1] + 1);
			if (i > 1 && j > 1 &&
			    a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
			{
				best = least(best, rows[i - 2][j - 2] + 1);
			}
			rows[i][j] = best;
		}
	}
	return rows[a_len][b_len];
}

/* The option that was probably meant, or NULL: a third of it may differ. */
static const char *name_guess(const char *name)
{
	char given[WORD_MAX] = "";
	const char *guess = NULL;
	size_t nearest = WORD_MAX;
	unsigned int id = 0;

	if (!name_reduce(name, given)) {
		return NULL;
	}
	for (id = 0; id < ID_COUNT; id++) {
		const char *option = ntsign_option_table[id].name;
		char reduced[WORD_MAX] = "";
		size_t distance = 0;

		name_reduce(option, reduced);
		distance = name_distance(given, reduced);
		if (distance < nearest && distance * 3 <= strlen(reduced)) {
			nearest = distance;
			guess = option;
		}
	}
	return guess;
}

/* One option's value on its way into the options. */
struct input {
	struct reader *reader;
	enum id id;
	size_t setting;
	const char *text;	/* the whole value as it is given */
	struct span value;	/* without white space around it */
};

static void input_bad(const struct input *input, const char *why)
{
	ntsign_settings_report(input->reader, NTSIGN_OPTION_BAD_VALUE,
			     input->setting,
			     ntsign_option_table[input->id].name,
			     input->value, "%s%s", why,
			     ntsign_option_table[input->id].values);
}

/* Runs of white space become one space; false when it is too long. */
static bool word_normalise(struct span value, char word[WORD_MAX])
{
	size_t len = 0;
	size_t i = 0;

	for (i = 0; i < value.len; i++) {
		char c = value.text[i];

		if (is_space(c)) {
			/* a trimmed value does not end with one */
			if (is_space(value.text[i + 1])) {
				continue;
			}
			c = ' ';
		}
		if (len == WORD_MAX - 1) {
			return false;
		}
		word[len++] = c;
	}
	word[len] = '\0';
	return true;
}

/* Reads one of the words that the table lists; *place counts from 0. */
static bool read_word(const struct input *input, unsigned int *place)
{
	const char *list = ntsign_option_table[input->id].values;
	char word[WORD_MAX] = "";
	unsigned int i = 0;

	if (word_normalise(input->value, word)) {
		size_t len = strlen(word);

		for (i = 0; *list != '\0'; i++) {
			size_t listed = strcspn(list, ",");

			if (listed == len && strncasecmp(list, word, len) == 0)
			{
				*place = i;
				return true;
			}
			list += listed;
			list += strspn(list, ", ");
		}
	}
	input_bad(input, "not one of ");
	return false;
}

/* Reads a decimal number: digits only, no leading zero. */
static bool read_number(const struct input *input, unsigned int min,
			unsigned int max, unsigned int *number)
{
	struct span value = input->value;
	bool ok = value.len >= 1 && value.len <= 9;
	unsigned int result = 0;
	size_t i = 0;

	for (i = 0; ok && i < value.len; i++) {
		char c = value.text[i];

		ok = c >= '0' && c <= '9';
		result = result * 10 + (unsigned int)(c - '0');
	}
	if (!ok || (value.text[0] == '0' && value.len > 1) ||
	    result < min || result > max)
	{
		input_bad(input, "not a whole number in the range ");
		return false;
	}
	*number = result;
	return true;
}

/* Reads yes or no in all the ways that smb.conf knows. */
static bool read_bool(const struct input *input, bool *value)
{
	static const char *const words[] = {
		"no", "yes", "false", "true", "off", "on", "0", "1",
	};
	struct span given = input->value;
	size_t i = 0;

	for (i = 0; i < ARRAY_LEN(words); i++) {
		if (strlen(words[i]) == given.len &&
		    strncasecmp(words[i], given.text, given.len) == 0)
		{
			*value = i % 2 == 1;
			return true;
		}
	}
	input_bad(input, "not one of ");
	return false;
}

/* smbd's working directory is no place to count on. */
static bool read_path(const struct input *input, const char **path)
{
	struct reader *reader = input->reader;
	char *copy = NULL;

	if (input->value.len == 0 ||
	    (input->value.text[0] != '/' && input->value.text[0] != '%'))
	{
		input_bad(input, "not an absolute path; it takes a ");
		return false;
	}
	copy = talloc_strndup(reader->options, input->value.text,
			      input->value.len);
	if (copy == NULL) {
		reader->failed = true;
		return false;
	}
	*path = copy;
	return true;
}

/*
 * Reads the element of a list at *text into the place given, and moves *text
 * behind it. On failure *why is a static text.
 */
static bool take_rule(const char **text, void *place, const char **why)
{
	return ntsign_rule_take(text, place, why);
}

static bool take_block(const char **text, void *place, const char **why)
{
	return ntsign_block_take(text, place, why);
}

/* A common length of an element, its separator included. */
#define ELEMENT_LEN 24

/*
 * Reads a list; every element that is bad is a finding of its own. Each
 * connection's process reads it, and it may have ten thousand elements: what
 * is good is looked at once and not copied.
 */
static bool read_list(const struct input *input, size_t size,
		      bool (*take)(const char **, void *, const char **),
		      void **list, size_t *count)
{
	struct reader *reader = input->reader;
	const char *rest = input->text;
	size_t room = input->value.len / ELEMENT_LEN + 1;
	size_t found = 0;
	bool good = true;
	uint8_t *result = NULL;

	result = talloc_size(reader->options, room * size);
	for (;;) {
		const char *why = NULL;

		if (result == NULL) {
			reader->failed = true;
			return false;
		}
		rest = list_start(rest);
		if (*rest == '\0') {
			break;
		}
		if (take(&rest, result + found * size, &why)) {
			found++;
		} else {
			ntsign_settings_report(
				reader, NTSIGN_OPTION_BAD_VALUE,
				input->setting,
				ntsign_option_table[input->id].name,
				ntsign_settings_element(&rest), "%s", why);
			good = false;
		}
		if (found == room) {
			room *= 2;
			result = talloc_realloc_size(reader->options, result,
						     room * size);
		}
	}
	if (!good) {
		talloc_free(result);
		return false;
	}
	*list = result;
	*count = found;
	return true;
}

static bool read_quirk(const struct input *input, enum ntsign_quirk *quirk)
{
	static const enum ntsign_quirk no_detect[] = {
		NTSIGN_QUIRK_OFF,
		NTSIGN_QUIRK_EMULATE,
		NTSIGN_QUIRK_FIX,
	};
	unsigned int place = 0;

	if (!read_word(input, &place)) {
		return false;
	}
	*quirk = input->id == ID_CREDENTIAL_HANDLES ? no_detect[place] : place;
	return true;
}

/* Reads one option's value; on any failure its option stays as it is. */
static bool read_value(const struct input *input)
{
	static const unsigned int key_bits[] = { 0, 40, 56, 128 };
	struct ntsign_options *options = input->reader->options;
	unsigned int place = 0;
	void *list = NULL;
	size_t count = 0;

	switch (input->id) {
	case ID_SIGNING_RULES:
		if (!read_list(input, sizeof(struct ntsign_rule),
			       take_rule, &list, &count)) {
			return false;
		}
		options->signing_rules = list;
		options->signing_rules_count = count;
		return true;
	case ID_UNPATCHED_CLIENTS:
		if (!read_list(input, sizeof(struct ntsign_block),
			       take_block, &list, &count)) {
			return false;
		}
		options->unpatched_clients = list;
		options->unpatched_clients_count = count;
		return true;
	case ID_SIGNING_COUNTER:
		return read_quirk(input, &options->signing_counter);
	case ID_SIGNING_COUNTER_SKEW:
		return read_number(input, 1, 8,
				   &options->signing_counter_skew);
	case ID_KEY_STRENGTH:
		return read_quirk(input, &options->key_strength);
	case ID_CREDENTIAL_HANDLES:
		return read_quirk(input, &options->credential_handles);
	case ID_SERVER_CERTIFICATE:
		return read_path(input, &options->server_certificate);
	case ID_CREDENTIAL_HOLD:
		return read_number(input, 0, 10000,
				   &options->credential_hold);
	case ID_REMOTE_REGISTRY:
		return read_quirk(input, &options->remote_registry);
	case ID_AUDIT_FILE:
		return read_path(input, &options->audit_file);
	case ID_AUDIT_SYSLOG:
		return read_bool(input, &options->audit_syslog);
	default:
		break;
	}

	/* the others are words, whose place in the table is their value */
	if (!read_word(input, &place)) {
		return false;
	}
	switch (input->id) {
	case ID_MODE:
		options->mode = place;
		break;
	case ID_SERVER:
		options->server_patched = place == 0;
		break;
	case ID_MINIMUM_KEY_BITS:
		options->minimum_key_bits = key_bits[place];
		break;
	case ID_BAD_SIGNATURE:
		options->bad_signature = place;
		break;
	case ID_REMOTE_REGISTRY_SCOPE:
		options->remote_registry_scope = place;
		break;
	case ID_AUDIT_EVENTS:
		options->audit_events = place;
		break;
	default:
		options->on_audit_failure = place;
		break;
	}
	return true;
}

bool ntsign_settings_set_again(const struct reader *reader, size_t setting,
			     enum id id)
{
	size_t i = 0;

	for (i = setting + 1; i < reader->count; i++) {
		if (ntsign_settings_find(reader->settings[i].name) == id) {
			return true;
		}
	}
	return false;
}

static void read_setting(struct reader *reader, size_t setting)
{
	const struct ntsign_setting *given = &reader->settings[setting];
	struct input input = {
		.reader = reader,
		.id = ntsign_settings_find(given->name),
		.setting = setting,
		.text = given->value,
		.value = ntsign_settings_trim(given->value),
	};

	if (input.id == ID_COUNT) {
		const char *guess = name_guess(given->name);

		ntsign_settings_report(reader, NTSIGN_OPTION_UNKNOWN, setting,
				     given->name, input.value,
				     "there is no such option%s%s%s",
				     guess != NULL ?
				     "; did you mean " PREFIX : "",
				     guess != NULL ? guess : "",
				     guess != NULL ? "?" : "");
		return;
	}
	if (!ntsign_settings_set_again(reader, setting, input.id) &&
	    read_value(&input))
	{
		reader->setting[input.id] = (ssize_t)setting;
	}
}

/* An option is set to what needs another mode. */
static void judge_conflict(struct reader *reader, enum id id)
{
	ntsign_settings_judge(reader, id, NTSIGN_OPTION_CONFLICT,
			      "needs " PREFIX "mode = emulate");
	reader->wrong[id] = true;
}

/* The options that name a quirk. */
static void judge_quirk(struct reader *reader, enum id id,
			enum ntsign_quirk *quirk, enum ntsign_quirk fallback)
{
	if (*quirk == NTSIGN_QUIRK_EMULATE &&
	    reader->options->mode != NTSIGN_MODE_EMULATE)
	{
		judge_conflict(reader, id);
		*quirk = fallback;
	}
}

/* What the values mean together. */
static void judge_all(struct reader *reader)
{
	struct ntsign_options *options = reader->options;
	bool emulate = options->mode == NTSIGN_MODE_EMULATE;

	if (!options->server_patched && !emulate) {
		judge_conflict(reader, ID_SERVER);
		options->server_patched = true;
	}
	judge_quirk(reader, ID_SIGNING_COUNTER, &options->signing_counter,
		    NTSIGN_QUIRK_DETECT);
	if (options->bad_signature == NTSIGN_BAD_SIGNATURE_ACCESS_DENIED &&
	    !emulate)
	{
		judge_conflict(reader, ID_BAD_SIGNATURE);
		options->bad_signature = NTSIGN_BAD_SIGNATURE_DISCONNECT;
	}
	judge_quirk(reader, ID_KEY_STRENGTH, &options->key_strength,
		    NTSIGN_QUIRK_DETECT);
	judge_quirk(reader, ID_CREDENTIAL_HANDLES,
		    &options->credential_handles, NTSIGN_QUIRK_OFF);
	judge_quirk(reader, ID_REMOTE_REGISTRY, &options->remote_registry,
		    NTSIGN_QUIRK_DETECT);
}

void ntsign_settings_read(struct reader *reader)
{
	struct ntsign_options *options = NULL;
	size_t i = 0;

	options = talloc_zero(reader->mem_ctx, struct ntsign_options);
	if (options == NULL) {
		reader->failed = true;
		return;
	}
	*options = (struct ntsign_options) {
		.mode = NTSIGN_MODE_AUDIT,
		.server_patched = true,
		.signing_counter = NTSIGN_QUIRK_DETECT,
		.signing_counter_skew = 1,
		.bad_signature = NTSIGN_BAD_SIGNATURE_DISCONNECT,
		.key_strength = NTSIGN_QUIRK_DETECT,
		.credential_handles = NTSIGN_QUIRK_OFF,
		.credential_hold = 20,
		.remote_registry = NTSIGN_QUIRK_DETECT,
		.remote_registry_scope = NTSIGN_SCOPE_REGISTRY,
		.audit_events = NTSIGN_EVENTS_SESSION,
		.on_audit_failure = NTSIGN_FAILURE_CONTINUE,
	};
	reader->options = options;
	for (i = 0; i < ID_COUNT; i++) {
		reader->setting[i] = -1;
	}

	for (i = 0; i < reader->count; i++) {
		read_setting(reader, i);
	}
	judge_all(reader);
	if (reader->setting[ID_ON_AUDIT_FAILURE] < 0 &&
	    options->mode == NTSIGN_MODE_ENFORCE)
	{
		options->on_audit_failure = NTSIGN_FAILURE_REFUSE;
	}
}

struct ntsign_options *ntsign_settings_finish(
	struct reader *reader, struct ntsign_option_findings *findings)
{
	if (reader->failed) {
		talloc_free(reader->findings.list);
		talloc_free(reader->options);
		return NULL;
	}
	*findings = reader->findings;
	return reader->options;
}

struct ntsign_options *ntsign_options_parse(
	TALLOC_CTX *mem_ctx,
	const struct ntsign_setting *settings, size_t count,
	struct ntsign_option_findings *findings)
{
	struct reader reader = {
		.mem_ctx = mem_ctx,
		.settings = settings,
		.count = count,
	};

	ntsign_settings_read(&reader);
	return ntsign_settings_finish(&reader, findings);
}

bool ntsign_option_is_error(enum ntsign_option_problem problem)
{
	return problem != NTSIGN_OPTION_NOTE;
}

/* A mode that is none, and was meant to be `enforce` or `emulate`. */
static bool more_was_meant(const struct ntsign_option_finding *finding)
{
	return finding->problem == NTSIGN_OPTION_BAD_VALUE &&
	       strcmp(finding->option, PREFIX "mode") == 0 &&
	       to_lower(finding->value[0]) == 'e';
}

bool ntsign_options_refuse(const struct ntsign_options *options,
			   const struct ntsign_option_findings *findings)
{
	size_t i = 0;

	for (i = 0; i < findings->count; i++) {
		enum ntsign_option_problem problem = findings->list[i].problem;

		if (more_was_meant(&findings->list[i])) {
			return true;
		}
		if (options->mode != NTSIGN_MODE_AUDIT &&
		    ntsign_option_is_error(problem))
		{
			return true;
		}
	}
	return false;
}

static const char *name_of(const char *const *names, size_t count,
			   unsigned int value)
{
	return value < count ? names[value] : "invalid";
}

const char *ntsign_mode_name(enum ntsign_mode mode)
{
	static const char *const names[] = {
		[NTSIGN_MODE_AUDIT] = "audit",
		[NTSIGN_MODE_ENFORCE] = "enforce",
		[NTSIGN_MODE_EMULATE] = "emulate",
	};

	return name_of(names, ARRAY_LEN(names), mode);
}

const char *ntsign_events_name(enum ntsign_events events)
{
	static const char *const names[] = {
		[NTSIGN_EVENTS_MISMATCH] = "mismatch",
		[NTSIGN_EVENTS_SESSION] = "session",
		[NTSIGN_EVENTS_ALL] = "all",
	};

	return name_of(names, ARRAY_LEN(names), events);
}
