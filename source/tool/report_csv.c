/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign report --format csv`: one table, as RFC 4180 has it.
 *
 * Invariant: a row's cells are the values of the same entry of the JSON
 * report; and no text of a record's is a formula to a spreadsheet, or more
 * than letters to a terminal.
 */
#include <inttypes.h>
#include <string.h>

#include "report_json.h"
#include "tool.h"

#define COUNTS "signed", "not_signed", "no_communication", "failed"
#define SIDE(name) name ".patched", name ".signing"

/* ---- tables ---- */

static const char *const client_columns[] = {
	"address", "firstSeen", "lastSeen", "sessions", COUNTS, "exposed",
	"proven", "badSignatures", "missingSignatures", "downgraded",
	"dialects", "accounts", "nativeOs", "moreNames", NULL,
};
static const char *const account_columns[] = {
	"account", "known", "proven", "firstSeen", "lastSeen", "sessions",
	COUNTS, "exposed", "addresses", "moreAddresses", NULL,
};
static const char *const mismatch_columns[] = {
	"address", "dialect", "setup", SIDE("client"), SIDE("server"),
	"mismatch", "expected", "outcome", "keyless", "count", "refused",
	"failed", "reason", "firstSeen", "lastSeen", "article", "explanation",
	NULL,
};
static const char *const quirk_columns[] = {
	"address", "article", "event", "accounts", "count", "firstSeen",
	"lastSeen", "explanation", NULL,
};
static const char *const turned_away_columns[] = {
	"address", "reason", "offered", "count", "firstSeen", "lastSeen",
	NULL,
};
static const char *const matrix_columns[] = {
	SIDE("client"), SIDE("server"), "expected", "sessions", COUNTS, NULL,
};
static const char *const session_columns[] = {
	"begin", COUNTS, NULL,
};
/* With --what-if, behind those of clients and accounts. */
static const char *const forecast_columns[] = {
	"whatIf", "forecast", "evidence.proof", "evidence.doubt",
	"evidence.keyless", "evidence.downgraded", "evidence.earlier",
	"evidence.lastSeen", "evidence.dialect", "evidence.nativeOs",
	SIDE("evidence.row"), SIDE("evidence.server"), "evidence.outcome",
	"evidence.encrypted", NULL,
};

/* A table of the tally's, or NULL for the other two. */
struct csv_table {
	const char *name;
	const char *const *columns;
	bool forecast;
	size_t table;		/* offset in struct ntsign_tally; or 0 */
	json_t *(*entry)(const struct ntsign_report *report,
			 const void *entry);
};

#define TALLY(member) offsetof(struct ntsign_tally, member)

static const struct csv_table tables[] = {
	{ "clients", client_columns, true, TALLY(clients),
	  ntsign_json_client },
	{ "accounts", account_columns, true, TALLY(accounts),
	  ntsign_json_account },
	{ "mismatches", mismatch_columns, false, TALLY(mismatches),
	  ntsign_json_mismatch },
	{ "quirks", quirk_columns, false, TALLY(quirks), ntsign_json_quirk },
	{ "turned-away", turned_away_columns, false, TALLY(turned_away),
	  ntsign_json_turned_away },
	{ "matrix", matrix_columns, false, 0, NULL },
	{ "sessions", session_columns, false, 0, NULL },
};

static const struct csv_table *table_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (strcmp(tables[i].name, name) == 0) {
			return &tables[i];
		}
	}
	return NULL;
}

bool ntsign_report_csv_has(const char *table)
{
	return table_find(table) != NULL;
}

/* ---- cells ---- */

struct csv {
	FILE *f;
	TALLOC_CTX *mem_ctx;
	const struct csv_table *table;
	bool forecast;
	bool first;		/* no cell of the row has been written yet */
	bool no_memory;
};

/*
 * Whether a spreadsheet would take a text for a formula: behind spaces, one
 * of = + - @, or their full-width forms (U+FF1D, U+FF0B, U+FF0D, U+FF20).
 * Control characters are no more in it.
 */
static bool is_formula(const char *text)
{
	text += strspn(text, " ");
	if (*text != '\0' && strchr("=+-@", *text) != NULL) {
		return true;
	}
	return strncmp(text, "\xEF\xBC\x9D", 3) == 0 ||
	       strncmp(text, "\xEF\xBC\x8B", 3) == 0 ||
	       strncmp(text, "\xEF\xBC\x8D", 3) == 0 ||
	       strncmp(text, "\xEF\xBC\xA0", 3) == 0;
}

static void put_text(struct csv *csv, const char *text)
{
	bool quoted = strpbrk(text, "\",\r\n") != NULL ||
		      text[0] == ' ' ||
		      (text[0] != '\0' && text[strlen(text) - 1] == ' ');

	if (quoted) {
		fputc('"', csv->f);
	}
	if (is_formula(text)) {
		fputc('\'', csv->f);
	}
	for (; *text != '\0'; text++) {
		if (*text == '"') {
			fputc('"', csv->f);
		}
		fputc(*text, csv->f);
	}
	if (quoted) {
		fputc('"', csv->f);
	}
}

static const char *safe(struct csv *csv, const char *text)
{
	const char *copy = ntsign_output_safe(csv->mem_ctx, text);

	csv->no_memory = csv->no_memory || copy == NULL;
	return copy != NULL ? copy : "";
}

/* Elements of a list between semicolons; those in them have a backslash in
 * front, and so do backslashes. NULL without memory. */
static char *list_text(struct csv *csv, const json_t *list)
{
	char *text = talloc_strdup(csv->mem_ctx, "");
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const char *p = safe(csv, json_string_value(
					     json_array_get(list, i)));

		if (i > 0 && text != NULL) {
			text = talloc_strdup_append_buffer(text, ";");
		}
		while (*p != '\0' && text != NULL) {
			size_t len = strcspn(p, "\\;");

			if (len == 0) {
				text = talloc_asprintf_append_buffer(
					text, "\\%c", *p++);
			} else {
				text = talloc_strndup_append_buffer(text, p,
								    len);
				p += len;
			}
		}
	}
	return text;
}

static void put_cell(struct csv *csv, const json_t *value)
{
	char *text = NULL;

	switch (value != NULL ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		put_text(csv, safe(csv, json_string_value(value)));
		break;
	case JSON_INTEGER:
		fprintf(csv->f, "%" JSON_INTEGER_FORMAT,
			json_integer_value(value));
		break;
	case JSON_TRUE:
		fprintf(csv->f, "true");
		break;
	case JSON_FALSE:
		fprintf(csv->f, "false");
		break;
	case JSON_ARRAY:
		text = list_text(csv, value);
		csv->no_memory = csv->no_memory || text == NULL;
		put_text(csv, text != NULL ? text : "");
		break;
	case JSON_OBJECT:
	case JSON_REAL:
	case JSON_NULL:
		break;
	}
}

/* The value of a dotted name; NULL where there is none. */
static const json_t *find(const json_t *object, const char *path)
{
	while (object != NULL && *path != '\0') {
		char name[32] = "";
		size_t len = strcspn(path, ".");

		if (len >= sizeof(name)) {
			return NULL;
		}
		memcpy(name, path, len);
		object = json_object_get(object, name);
		path += len;
		path += *path == '.' ? 1 : 0;
	}
	return object;
}

/* ---- rows ---- */

static void put_separator(struct csv *csv)
{
	if (!csv->first) {
		fputc(',', csv->f);
	}
	csv->first = false;
}

static void end_row(struct csv *csv)
{
	fprintf(csv->f, "\r\n");
	csv->first = true;
}

static void put_cells(struct csv *csv, const char *const *columns,
		      const json_t *row)
{
	for (; *columns != NULL; columns++) {
		put_separator(csv);
		if (row == NULL) {
			fprintf(csv->f, "%s", *columns);
		} else {
			put_cell(csv, find(row, *columns));
		}
	}
}

/* An entry's row, or without one the header; takes over row. */
static void put_row(struct csv *csv, json_t *row)
{
	put_cells(csv, csv->table->columns, row);
	if (csv->forecast) {
		put_cells(csv, forecast_columns, row);
	}
	end_row(csv);
	json_decref(row);
	talloc_free_children(csv->mem_ctx);
}

static void put_entry(struct csv *csv, json_t *row)
{
	if (row == NULL) {
		csv->no_memory = true;
		return;
	}
	put_row(csv, row);
}

static void put_table(struct csv *csv, const struct ntsign_report *report)
{
	const struct ntsign_table *table = (const void *)(
		(const char *)report->tally + csv->table->table);
	size_t i;

	for (i = 0; i < table->count; i++) {
		put_entry(csv, csv->table->entry(report, table->list[i]));
	}
}

static void put_matrix(struct csv *csv, const struct ntsign_tally *tally)
{
	size_t i;

	for (i = 0; i < NTSIGN_TALLY_CELLS; i++) {
		if (tally->cells[i].count.sessions > 0) {
			put_entry(csv, ntsign_json_cell(&tally->cells[i]));
		}
	}
}

static void put_sessions(struct csv *csv, const struct ntsign_trend *trend)
{
	size_t i;

	for (i = 0; i < trend->count; i++) {
		put_entry(csv, ntsign_json_interval(trend, i));
	}
}

bool ntsign_report_csv(FILE *f, const struct ntsign_report *report)
{
	struct csv csv = {
		.f = f,
		.mem_ctx = talloc_new(NULL),
		.table = &tables[0],
		.first = true,
	};

	if (csv.mem_ctx == NULL) {
		return false;
	}
	if (report->table != NULL) {
		csv.table = table_find(report->table);
	}
	csv.forecast = report->what_if && csv.table->forecast;
	put_row(&csv, NULL);
	if (csv.table->entry != NULL) {
		put_table(&csv, report);
	} else if (csv.table->columns == matrix_columns) {
		put_matrix(&csv, report->tally);
	} else {
		put_sessions(&csv, &report->tally->trend);
	}
	TALLOC_FREE(csv.mem_ctx);
	return !csv.no_memory;
}
