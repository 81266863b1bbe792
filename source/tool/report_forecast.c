/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign report --what-if`: forecasts for the clients and accounts of a
 * tally, and words for them.
 *
 * Invariant: what is forecast is ntsign/forecast.h's; here are its facts.
 */
#include <string.h>

#include "report_forecast.h"

/* ---- facts ---- */

static struct ntsign_prospect prospect_of(
	const struct ntsign_tally_facts *last, const bool *verified,
	bool downgraded, enum ntsign_signing state)
{
	struct ntsign_prospect p = {
		.last = last,
		.facts = {
			.seen = last->seen,
			.family = last->family,
			.client = last->client,
			.server = last->server,
			.outcome = last->outcome,
			.encrypted = last->encrypted,
			.keyless = ntsign_tally_is_keyless(last),
			.some_keyless = last->keyless,
			.claims = last->claims,
			.downgraded = downgraded,
			.unsigned_smb1 = last->unsigned_smb1,
		},
		.state = state,
	};

	memcpy(p.facts.was_signed, last->was_signed,
	       sizeof(p.facts.was_signed));
	memcpy(p.facts.verified, verified, sizeof(p.facts.verified));
	p.matrix = ntsign_forecast_matrix(&p.facts, state);
	p.last_change = ntsign_forecast_client(&p.facts, state);
	p.earlier = ntsign_forecast_earlier(&p.facts, state);
	p.change = p.earlier < p.last_change ? p.earlier : p.last_change;
	p.proof = ntsign_forecast_proof(&p.facts);
	p.doubt = ntsign_forecast_doubt(&p.facts);
	return p;
}

struct ntsign_prospect ntsign_prospect_client(
	const struct ntsign_tally_client *client, enum ntsign_signing state)
{
	return prospect_of(&client->facts, client->verified,
			   client->downgraded > 0, state);
}

struct ntsign_prospect ntsign_prospect_account(
	const struct ntsign_tally_account *account, enum ntsign_signing state)
{
	return prospect_of(&account->facts, account->verified, false, state);
}

static void count(struct ntsign_prospect_counts *counts,
		  const struct ntsign_prospect *prospect)
{
	counts->matrix[prospect->matrix]++;
	counts->change[prospect->change]++;
}

struct ntsign_prospect_counts ntsign_prospect_clients(
	const struct ntsign_tally *tally, enum ntsign_signing state)
{
	struct ntsign_prospect_counts counts = { .matrix = { 0 } };
	size_t i;

	for (i = 0; i < tally->clients.count; i++) {
		struct ntsign_prospect p = ntsign_prospect_client(
			tally->clients.list[i], state);

		count(&counts, &p);
	}
	return counts;
}

struct ntsign_prospect_counts ntsign_prospect_accounts(
	const struct ntsign_tally *tally, enum ntsign_signing state)
{
	struct ntsign_prospect_counts counts = { .matrix = { 0 } };
	size_t i;

	for (i = 0; i < tally->accounts.count; i++) {
		struct ntsign_prospect p = ntsign_prospect_account(
			tally->accounts.list[i], state);

		count(&counts, &p);
	}
	return counts;
}

/* ---- words ---- */

const char *ntsign_prospect_title(enum ntsign_change change)
{
	switch (change) {
	case NTSIGN_CHANGE_LOSES_ACCESS:
		return "Lose access";
	case NTSIGN_CHANGE_UNKNOWN:
		return "Unknown";
	case NTSIGN_CHANGE_BECOMES_SIGNED:
		return "Become signed";
	case NTSIGN_CHANGE_BECOMES_UNSIGNED:
		return "Become unsigned";
	case NTSIGN_CHANGE_GAINS_ACCESS:
		return "Gain access";
	case NTSIGN_CHANGE_UNAFFECTED:
		break;
	}
	return "Unaffected";
}

const char *ntsign_prospect_advice(enum ntsign_change change,
				   enum ntsign_signing state)
{
	switch (change) {
	case NTSIGN_CHANGE_LOSES_ACCESS:
		return state == NTSIGN_SIGNING_REQUIRED ?
			"Have them sign, or give them a rule with a date "
			"first: ntsign report --suggest-rules writes it." :
			"They require signing, which this server would not "
			"do: leave it on for them.";
	case NTSIGN_CHANGE_UNKNOWN:
		return state == NTSIGN_SIGNING_REQUIRED ?
			"They would have to sign, and nothing has shown that "
			"they can: require it of one and see, before the "
			"others." :
			"They would have to sign, and nothing has shown that "
			"they can: try one, before the others.";
	case NTSIGN_CHANGE_BECOMES_SIGNED:
		return "Nothing to do: they can sign, and would.";
	case NTSIGN_CHANGE_BECOMES_UNSIGNED:
		return "They go on without signing, and can be relayed: keep "
		       "a rule that requires it of them.";
	case NTSIGN_CHANGE_GAINS_ACCESS:
		return "They are refused now, and would get in: see whether "
		       "they should.";
	case NTSIGN_CHANGE_UNAFFECTED:
		break;
	}
	return "Nothing to do.";
}

static const char *proof_words(const struct ntsign_prospect *p)
{
	if (!p->facts.seen) {
		return "it never had a session: only connections, or logons "
		       "that failed";
	}
	if (p->facts.keyless) {
		return "anonymous or guest only, which have no key to sign "
		       "with";
	}
	switch (p->proof) {
	case NTSIGN_PROOF_NONE:
		return "it has never said that it can sign";
	case NTSIGN_PROOF_CLAIM:
		return "it says that it can sign, and has never shown it";
	case NTSIGN_PROOF_PROTOCOL:
		return "it never had to sign, but every SMB2 client can";
	case NTSIGN_PROOF_SIGNED:
		return "it has had signed sessions";
	case NTSIGN_PROOF_VERIFIED:
		break;
	}
	return "its signature was verified";
}

static const char *doubt_words(const struct ntsign_prospect *p)
{
	switch (p->doubt) {
	case NTSIGN_DOUBT_NOT_OFFERED:
		return "; the server did not offer signing, so that its own "
		       "policy is not known";
	case NTSIGN_DOUBT_FORCED:
		/* the policy counts where signing is not required */
		if (p->state != NTSIGN_SIGNING_REQUIRED) {
			return "; the server required signing: it may not "
			       "sign where it need not";
		}
		break;
	case NTSIGN_DOUBT_NONE:
		break;
	}
	return "";
}

static const char *failing_words(const struct ntsign_prospect *p)
{
	if (!p->facts.downgraded) {
		return "";
	}
	return p->facts.verified[NTSIGN_FAMILY_SMB1] ?
		"; smbd has switched its signing off now and then, after a "
		"bad or missing signature" :
		"; smbd switched its signing off, after a bad or missing "
		"signature, and it has never made a good one";
}

static const char *earlier_words(const struct ntsign_prospect *p)
{
	if (p->earlier >= p->last_change) {
		return "";
	}
	return p->earlier == NTSIGN_CHANGE_LOSES_ACCESS ?
		"; it has had unsigned SMB1 sessions, too, which could not go "
		"on (--since leaves them out)" :
		"; it has had unsigned SMB1 sessions, too, and may not be "
		"able to sign those (--since leaves them out)";
}

static const char *keyless_words(const struct ntsign_prospect *p)
{
	bool some = p->facts.some_keyless && !p->facts.keyless;

	return some && p->state == NTSIGN_SIGNING_REQUIRED ?
		"; its anonymous and guest sessions would be refused" : "";
}

char *ntsign_prospect_words(TALLOC_CTX *mem_ctx,
			    const struct ntsign_prospect *prospect)
{
	return talloc_asprintf(mem_ctx, "%s%s%s%s%s", proof_words(prospect),
			       doubt_words(prospect), failing_words(prospect),
			       earlier_words(prospect),
			       keyless_words(prospect));
}

/* ---- JSON ---- */

static json_t *party_json(struct ntsign_party party)
{
	return json_pack("{s:b, s:s}", "patched", party.patched, "signing",
			 ntsign_signing_name(party.signing));
}

static json_t *word_json(const struct ntsign_word *word)
{
	return word != NULL ? json_string(word->text) : json_null();
}

static const char *keyless_name(const struct ntsign_forecast_facts *facts)
{
	if (facts->keyless) {
		return "all";
	}
	return facts->some_keyless ? "some" : "none";
}

static json_t *evidence_json(const struct ntsign_prospect *p)
{
	char text[NTSIGN_MOMENT_TEXT];
	json_t *object = json_pack(
		"{s:s, s:s, s:s, s:b, s:s}",
		"proof", ntsign_proof_name(p->proof),
		"doubt", ntsign_doubt_name(p->doubt),
		"keyless", keyless_name(&p->facts),
		"downgraded", p->facts.downgraded,
		"earlier", ntsign_change_name(p->earlier));
	json_t *last = NULL;

	if (!p->facts.seen) {
		last = json_pack("{s:n, s:n, s:n, s:n, s:n, s:n, s:n}",
				 "lastSeen", "dialect", "nativeOs", "row",
				 "server", "outcome", "encrypted");
	} else {
		last = json_pack(
			"{s:s, s:o, s:o, s:o, s:o, s:s, s:b}",
			"lastSeen", ntsign_moment_text(&p->last->at, text),
			"dialect", word_json(p->last->dialect),
			"nativeOs", word_json(p->last->native_os),
			"row", party_json(p->facts.client),
			"server", party_json(p->facts.server),
			"outcome", ntsign_outcome_name(p->facts.outcome),
			"encrypted", p->facts.encrypted);
	}
	if (object == NULL || last == NULL ||
	    json_object_update(object, last) != 0) {
		json_decref(object);
		object = NULL;
	}
	json_decref(last);
	return object;
}

bool ntsign_prospect_add_json(json_t *object,
			      const struct ntsign_prospect *prospect)
{
	json_t *more = json_pack(
		"{s:s, s:s, s:o}",
		"whatIf", ntsign_change_name(prospect->matrix),
		"forecast", ntsign_change_name(prospect->change),
		"evidence", evidence_json(prospect));
	bool ok = more != NULL && json_object_update(object, more) == 0;

	json_decref(more);
	return ok;
}

static json_t *counts_json(const uint64_t *counts)
{
	json_t *object = json_object();
	unsigned int i;

	for (i = 0; i < NTSIGN_CHANGE_COUNT; i++) {
		const char *name = ntsign_change_name((enum ntsign_change)i);
		json_t *number = json_integer((json_int_t)counts[i]);

		if (json_object_set_new(object, name, number) != 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

json_t *ntsign_prospect_totals_json(const struct ntsign_tally *tally,
				    enum ntsign_signing state)
{
	struct ntsign_prospect_counts clients =
		ntsign_prospect_clients(tally, state);
	struct ntsign_prospect_counts accounts =
		ntsign_prospect_accounts(tally, state);

	return json_pack("{s:s, s:o, s:o, s:{s:o, s:o}}",
			 "state", ntsign_signing_name(state),
			 "clients", counts_json(clients.matrix),
			 "accounts", counts_json(accounts.matrix),
			 "forecast",
			 "clients", counts_json(clients.change),
			 "accounts", counts_json(accounts.change));
}
