/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What `ntsign probe --json` prints: one object, for programs.
 *
 * Invariant: the output is ASCII, so that no text from a server can reach a
 * terminal as anything but letters.
 */
#include <jansson.h>
#include <string.h>

#include "probe.h"
#include "probe_message.h"
#include "probe_status.h"
#include "tool.h"

/* json_pack() and the setters answer a missing value with an error, which
 * ends up in the NULL that the whole comes to. */

static json_t *hex_json(unsigned int value, unsigned int digits)
{
	return json_sprintf("0x%0*x", (int)digits, value);
}

static json_t *party_json(struct ntsign_party party)
{
	return json_pack("{s:b, s:s}", "patched", party.patched, "signing",
			 ntsign_signing_name(party.signing));
}

static json_t *status_json(uint32_t status)
{
	char *text = ntsign_status_text(NULL, status);
	json_t *json = json_string(text);

	TALLOC_FREE(text);
	return json;
}

static json_t *seconds_json(uint64_t milliseconds)
{
	return json_real((double)milliseconds / 1000);
}

static bool add(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

/* ---- one row ---- */

static const char *verdict_name(enum ntsign_verdict verdict)
{
	switch (verdict) {
	case NTSIGN_VERDICT_UNSIGNED:
		return "none";
	case NTSIGN_VERDICT_GOOD:
		return "good";
	case NTSIGN_VERDICT_BAD:
		return "bad";
	case NTSIGN_VERDICT_UNCHECKED:
		break;
	}
	return "unchecked";
}

static bool add_answer(json_t *object, const struct ntsign_play_message *m)
{
	json_t *mode = json_null();

	if (m->security_mode != -1) {
		mode = hex_json((unsigned int)m->security_mode, 2);
	}
	return add(object, "status", status_json(m->status)) &&
	       add(object, "answerFlags2", hex_json(m->answer_flags2, 4)) &&
	       add(object, "securityMode", mode) &&
	       add(object, "signature",
		   json_string(verdict_name(m->verdict)));
}

static json_t *message_json(const struct ntsign_play_message *m)
{
	json_t *object = json_pack(
		"{s:s, s:o, s:b, s:o, s:b}",
		"message", m->name,
		"flags2", hex_json(m->flags2, 4),
		"signed", m->is_signed,
		"sequence", m->sequence == -1 ? json_null() :
						json_integer(m->sequence),
		"answered", m->answered);

	if (object != NULL && m->answered && !add_answer(object, m)) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *messages_json(const struct ntsign_play_result *r)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < r->message_count; i++) {
		if (json_array_append_new(list,
					  message_json(&r->messages[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static const char *ended_by(enum ntsign_ended_by by)
{
	return by == NTSIGN_ENDED_BY_CLIENT ? "client" :
	       by == NTSIGN_ENDED_BY_SERVER ? "server" : NULL;
}

static json_t *bad_signature_json(const struct ntsign_play_result *r)
{
	if (!r->bad_signature) {
		return json_null();
	}
	return json_pack("{s:s, s:I, s:o}",
			 "message", r->ended_at,
			 "expected", (json_int_t)r->expected_sequence,
			 "matched", r->matched_sequence == -1 ? json_null() :
				json_integer(r->matched_sequence));
}

/* Adds what a row came to. */
static bool add_row(json_t *object, const struct ntsign_probe *probe,
		    const struct ntsign_probe_row *row)
{
	const struct ntsign_play_result *r = row->result;
	const char *expected = row->has_expected ?
				       ntsign_outcome_name(row->expected) :
				       NULL;
	json_t *rest = json_pack(
		"{s:o, s:s, s:s, s:s?, s:o, s:s, s:s, s:s?, s:s?, s:o, s:o, "
		"s:i, s:o}",
		"client", party_json(row->client),
		"setup", ntsign_setup_name(row->setup),
		"ntlmVersion", probe->options->ntlmv1 ? "NTLMv1" : "NTLMv2",
		"expected", expected,
		"equal", row->has_expected ?
			 json_boolean(!ntsign_probe_differs(row)) :
			 json_null(),
		"outcome", ntsign_outcome_name(r->outcome),
		"reason", r->reason,
		"endedBy", ended_by(r->ended_by),
		"endedAt", r->ended_at,
		"status", r->status != 0 ? status_json(r->status) :
					   json_null(),
		"badSignature", bad_signature_json(r),
		"signaturesVerified", (int)r->verified,
		"elapsed", seconds_json(r->elapsed));
	bool ok = rest != NULL && json_object_update(object, rest) == 0;

	json_decref(rest);
	return ok && (!probe->options->verbose ||
		      add(object, "messages", messages_json(r)));
}

static json_t *rows_json(const struct ntsign_probe *probe)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < probe->count; i++) {
		json_t *object = json_object();

		if (!add_row(object, probe, &probe->rows[i])) {
			json_decref(object);
			object = NULL;
		}
		if (json_array_append_new(list, object) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* ---- the whole ---- */

static json_t *server_json(const struct ntsign_probe *probe)
{
	const struct ntsign_play_server *s = &probe->options->server;
	const struct ntsign_play_result *r = probe->rows[0].result;
	const char *os = NULL;
	const char *lanman = NULL;
	size_t i;

	/* rows that end before the session setup do not learn them */
	for (i = 0; i < probe->count && os == NULL; i++) {
		os = probe->rows[i].result->native_os;
		lanman = probe->rows[i].result->native_lanman;
	}
	return json_pack(
		"{s:s, s:s, s:i, s:s, s:o, s:s, s:o, s:s?, s:s?}",
		"host", s->host,
		"address", r->address,
		"port", (int)s->port,
		"share", s->share,
		"securityMode", hex_json(r->security_mode, 2),
		"signing",
		ntsign_signing_name(ntsign_row_server(r->security_mode)),
		"capabilities", hex_json(r->capabilities, 8),
		"nativeOs", os,
		"nativeLanman", lanman);
}

static bool print(json_t *root, bool ok)
{
	/* a write that fails shows in stdout */
	if (ok) {
		(void)json_dumpf(root, stdout,
				 JSON_INDENT(2) | JSON_ENSURE_ASCII |
					 JSON_REAL_PRECISION(6));
		(void)fputc('\n', stdout);
	}
	json_decref(root);
	return ok;
}

static json_t *column_json(const struct ntsign_probe_options *options)
{
	return options->has_column ? party_json(options->column) :
				     json_null();
}

bool ntsign_probe_json(const struct ntsign_probe *probe)
{
	json_t *root = json_pack("{s:s, s:o, s:o}",
				 "article", NTSIGN_ARTICLE,
				 "server", server_json(probe),
				 "column", column_json(probe->options));
	bool ok = root != NULL;

	if (ok && probe->options->mode == NTSIGN_PROBE_AS) {
		ok = add_row(root, probe, &probe->rows[0]);
	} else if (ok) {
		ok = add(root, "rows", rows_json(probe)) &&
		     add(root, "differences",
			 json_integer((json_int_t)probe->differences)) &&
		     add(root, "elapsed", seconds_json(probe->elapsed));
	}
	return print(root, ok);
}

/* ---- SMB2 ---- */

static json_t *algorithms_json(const struct ntsign_smb2_algorithms *list)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (json_array_append_new(array,
					  json_string(list->names[i]))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *capabilities_json(uint32_t capabilities)
{
	json_t *array = json_array();
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		const char *name = NULL;

		if ((capabilities & (uint32_t)1 << bit) != 0) {
			name = ntsign_smb2_capability((uint32_t)1 << bit,
						      true);
		}
		if (name != NULL &&
		    json_array_append_new(array, json_string(name)) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *dialect_json(const struct ntsign_smb2_dialect *d)
{
	const struct ntsign_dialect_reply *r = &d->reply;
	bool required = (r->security_mode &
			 NTSIGN_DIALECT_SIGNING_REQUIRED) != 0;

	if (!d->offered) {
		return json_pack("{s:s, s:b}",
				 "dialect", ntsign_smb2_key(d->dialect),
				 "offered", 0);
	}
	return json_pack(
		"{s:s, s:b, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:I, s:I, s:I}",
		"dialect", ntsign_smb2_key(d->dialect),
		"offered", 1,
		"signing", required ? "required" : "enabled",
		"securityMode", hex_json(r->security_mode, 4),
		"encryption", d->ciphers.count > 0,
		"ciphers", algorithms_json(&d->ciphers),
		"signingAlgorithms", algorithms_json(&d->signings),
		"capabilities", capabilities_json(r->capabilities),
		"capabilityFlags", hex_json(r->capabilities, 8),
		"maxTransact", (json_int_t)r->max_transact,
		"maxRead", (json_int_t)r->max_read,
		"maxWrite", (json_int_t)r->max_write);
}

static json_t *dialects_json(const struct ntsign_smb2 *smb2)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < NTSIGN_SMB2_DIALECTS; i++) {
		if (json_array_append_new(list,
					  dialect_json(&smb2->dialects[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

bool ntsign_probe_json_smb2(const struct ntsign_probe_options *options,
			    const struct ntsign_smb2 *smb2)
{
	json_t *root = json_pack("{s:{s:s, s:s, s:i}, s:o, s:b, s:o}",
				 "server", "host", options->server.host,
				 "address", smb2->address,
				 "port", (int)options->server.port,
				 "dialects", dialects_json(smb2),
				 "smb2", smb2->offered > 0,
				 "elapsed", seconds_json(smb2->elapsed));

	return print(root, root != NULL);
}
