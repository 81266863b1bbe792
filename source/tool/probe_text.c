/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What `ntsign probe` prints for people.
 *
 * Invariant: what a server chose is printed through ntsign_output_safe(),
 * and every column is as wide as its longest word.
 */
#include <inttypes.h>
#include <langinfo.h>
#include <string.h>

#include "ntsign/policy.h"
#include "probe.h"
#include "probe_message.h"
#include "probe_status.h"
#include "tool.h"

#define GREEN "\033[32m"
#define RED "\033[31m"
#define RESET "\033[0m"

static const char *patched_word(struct ntsign_party party)
{
	return party.patched ? "patched" : "unpatched";
}

/* Whether it is as expected, at a glance. */
static void print_mark(bool good)
{
	bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	bool colour = ntsign_output_colour(stdout);

	printf("%s%s%s", colour ? (good ? GREEN : RED) : "",
	       good ? (utf8 ? "\u2713" : "ok") : (utf8 ? "\u2717" : "DIFFERS"),
	       colour ? RESET : "");
}

/* What the user typed, safe. */
static void print_target(const struct ntsign_play_server *server)
{
	char *host = ntsign_output_safe(NULL, server->host);
	char *share = ntsign_output_safe(NULL, server->share);
	const char *open = strchr(server->host, ':') != NULL ? "[" : "";

	printf("//%s%s%s/%s", open, host != NULL ? host : "?",
	       open[0] != '\0' ? "]" : "", share != NULL ? share : "");
	TALLOC_FREE(host);
	TALLOC_FREE(share);
}

/* ---- messages, for -v ---- */

static void print_verdict(const struct ntsign_play_message *m)
{
	unsigned int number = (unsigned int)(m->sequence + 1);

	switch (m->verdict) {
	case NTSIGN_VERDICT_UNSIGNED:
		printf(", not signed");
		break;
	case NTSIGN_VERDICT_GOOD:
		if (m->sequence == -1) {
			printf(", signature good");
		} else {
			printf(", signature %u good", number);
		}
		break;
	case NTSIGN_VERDICT_BAD:
		if (m->sequence == -1) {
			printf(", signature BAD");
		} else {
			printf(", signature BAD, expected %u", number);
		}
		break;
	case NTSIGN_VERDICT_UNCHECKED:
		printf(", signature not checked");
		break;
	}
}

static void print_message(const struct ntsign_play_message *m)
{
	char *status = NULL;

	printf("      %-18s flags2 0x%04x", m->name, m->flags2);
	if (m->is_signed) {
		printf(" signature %-2" PRId64, m->sequence);
	} else {
		printf(" %-12s", m->filler ? "\"BSRSPYL \"" : "not signed");
	}
	if (!m->answered) {
		printf(" -> no answer\n");
		return;
	}
	status = ntsign_status_text(NULL, m->status);
	printf(" -> %s, flags2 0x%04x", status != NULL ? status : "?",
	       m->answer_flags2);
	TALLOC_FREE(status);
	if (m->security_mode != -1) {
		printf(", security mode 0x%02x",
		       (unsigned int)m->security_mode);
	} else {
		print_verdict(m);
	}
	printf("\n");
}

void ntsign_probe_text_messages(const struct ntsign_play_result *result)
{
	size_t i;

	for (i = 0; i < result->message_count; i++) {
		print_message(&result->messages[i]);
	}
}

/* ---- rows ---- */

static void print_head(const struct ntsign_probe *probe)
{
	const struct ntsign_probe_options *o = probe->options;
	const struct ntsign_play_result *r = probe->rows[0].result;

	print_target(&o->server);
	printf(" (%s port %u): signing %s, SecurityMode 0x%02x\n",
	       r->address, o->server.port,
	       ntsign_signing_name(ntsign_row_server(r->security_mode)),
	       r->security_mode);
	if (o->has_column) {
		printf("compared with what %s says of a server that is %s "
		       "%s\n", NTSIGN_ARTICLE, patched_word(o->column),
		       ntsign_signing_name(o->column.signing));
	}
	printf("\n  %-8s %-19s %s%s\n", "setup", "client",
	       o->has_column ? "expected          " : "", "got");
}

/* Whether the reason says more than the outcome does. */
static bool needs_reason(const struct ntsign_probe *probe,
			 const struct ntsign_probe_row *row)
{
	return probe->options->mode == NTSIGN_PROBE_AS ||
	       probe->options->verbose || ntsign_probe_differs(row) ||
	       row->result->outcome == NTSIGN_OUTCOME_NO_COMMUNICATION;
}

void ntsign_probe_text_row(const struct ntsign_probe *probe)
{
	const struct ntsign_probe_row *row = &probe->rows[probe->count - 1];
	char *reason = NULL;

	if (probe->count == 1) {
		print_head(probe);
	}
	printf("  %-8s %-9s %-9s ", ntsign_setup_name(row->setup),
	       patched_word(row->client),
	       ntsign_signing_name(row->client.signing));
	if (row->has_expected) {
		printf("%-17s %-17s ", ntsign_output_outcome(row->expected),
		       ntsign_output_outcome(row->result->outcome));
		print_mark(!ntsign_probe_differs(row));
		printf("\n");
	} else {
		printf("%s\n", ntsign_output_outcome(row->result->outcome));
	}
	if (needs_reason(probe, row)) {
		reason = ntsign_output_safe(NULL, row->result->reason);
		printf("           %s\n", reason != NULL ? reason : "?");
		TALLOC_FREE(reason);
	}
	if (probe->options->verbose) {
		ntsign_probe_text_messages(row->result);
	}
	fflush(stdout);
}

/* Whether a session setup was denied where the matrix has a session. */
static bool denied_otherwise(const struct ntsign_probe *probe)
{
	size_t i;

	for (i = 0; i < probe->count; i++) {
		const struct ntsign_probe_row *row = &probe->rows[i];

		if (ntsign_probe_differs(row) &&
		    row->expected != NTSIGN_OUTCOME_NO_COMMUNICATION &&
		    row->result->ended_by == NTSIGN_ENDED_BY_SERVER &&
		    row->result->status == NTSIGN_STATUS_ACCESS_DENIED) {
			return true;
		}
	}
	return false;
}

void ntsign_probe_text_end(const struct ntsign_probe *probe)
{
	if (probe->options->mode != NTSIGN_PROBE_MATRIX) {
		return;
	}
	printf("\n%zu rows, ", probe->count);
	if (probe->differences == 0) {
		printf("all as expected");
	} else {
		printf("%zu %s", probe->differences,
		       probe->differences == 1 ? "differs" : "differ");
	}
	printf(" (%" PRIu64 ".%02" PRIu64 " s)\n", probe->elapsed / 1000,
	       probe->elapsed % 1000 / 10);
	if (!probe->options->nt4) {
		printf("NT4-style session setups were not tried: --setup both "
		       "does\n");
	}
	if (denied_otherwise(probe)) {
		printf("STATUS_ACCESS_DENIED where the matrix has a session "
		       "may have another reason: a\nguest, an audit file that "
		       "cannot be written; the server's records tell (ntsign "
		       "follow)\n");
	}
}

/* ---- SMB2 ---- */

/* Prints a list in a column; returns nothing more than it. */
static void print_list(const struct ntsign_smb2_algorithms *list, int width)
{
	size_t used = 0;
	size_t i;

	for (i = 0; i < list->count; i++) {
		used += (size_t)printf("%s%s", i > 0 ? " " : "",
				       list->names[i]);
	}
	if (list->count == 0) {
		used += (size_t)printf("-");
	}
	if (used < (size_t)width) {
		printf("%*s", width - (int)used, "");
	}
}

static void print_capabilities(uint32_t capabilities)
{
	const char *separator = "";
	unsigned int bit;

	printf("%11s", "");
	for (bit = 0; bit < 32; bit++) {
		const char *name = NULL;

		if ((capabilities & (uint32_t)1 << bit) != 0) {
			name = ntsign_smb2_capability((uint32_t)1 << bit,
						      false);
		}
		if (name != NULL) {
			printf("%s%s", separator, name);
			separator = ", ";
		}
	}
	printf("%s\n", separator[0] == '\0' ? "no capabilities" : "");
}

static void print_dialect(const struct ntsign_smb2_dialect *d, bool verbose)
{
	bool required = (d->reply.security_mode &
			 NTSIGN_DIALECT_SIGNING_REQUIRED) != 0;

	if (!d->offered) {
		printf("%-10s no\n", ntsign_smb2_name(d->dialect));
		return;
	}
	printf("%-10s yes      %-9s ", ntsign_smb2_name(d->dialect),
	       required ? "required" : "enabled");
	print_list(&d->signings, 30);
	printf(" ");
	print_list(&d->ciphers, 0);
	printf("\n");
	print_capabilities(d->reply.capabilities);
	if (verbose) {
		printf("%11ssecurity mode 0x%04x, capabilities 0x%08x, "
		       "largest read %u, write %u, transaction %u\n", "",
		       d->reply.security_mode, d->reply.capabilities,
		       d->reply.max_read, d->reply.max_write,
		       d->reply.max_transact);
	}
}

void ntsign_probe_text_smb2(const struct ntsign_probe_options *options,
			    const struct ntsign_smb2 *smb2)
{
	char *host = ntsign_output_safe(NULL, options->server.host);
	size_t i;

	printf("%s (%s port %u)", host != NULL ? host : "?", smb2->address,
	       options->server.port);
	TALLOC_FREE(host);
	if (smb2->offered == 0) {
		printf(" speaks no SMB2\n");
		return;
	}
	printf("\n\n%-10s %-8s %-9s %-30s %s\n", "dialect", "offered",
	       "signing", "signature by", "encryption by");
	for (i = 0; i < NTSIGN_SMB2_DIALECTS; i++) {
		print_dialect(&smb2->dialects[i], options->verbose);
	}
}
