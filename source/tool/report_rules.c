/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign report --suggest-rules`: which client needs which rule, and which
 * of them share one.
 *
 * Invariant: no address has two rules, so that their order does not matter;
 * the one for everybody is the last.
 */
#include <arpa/inet.h>
#include <string.h>

#include "report_rules.h"

#define DAY_SECONDS 86400

/* ---- which clients ---- */

/* The clients with an address stand first in the tally. */
static void take_clients(struct ntsign_rules *rules,
			 const struct ntsign_tally *tally)
{
	size_t i;

	for (i = 0; i < tally->clients.count; i++) {
		struct ntsign_rules_client *c = &rules->clients[i];
		struct ntsign_prospect p;

		c->client = tally->clients.list[i];
		if (!ntsign_address_parse(c->client->key, &c->address)) {
			break;
		}
		p = ntsign_prospect_client(c->client, NTSIGN_SIGNING_REQUIRED);
		c->exception = ntsign_forecast_exception(&p.facts, &c->state);
	}
	rules->client_count = i;
	rules->no_address = i;
}

/* ---- which rules ---- */

static bool needs_rule(const struct ntsign_rules_client *c)
{
	return c->exception == NTSIGN_EXCEPTION_RULE;
}

static void add_rule(struct ntsign_rules *rules, size_t first, size_t end,
		     unsigned int bits)
{
	const struct ntsign_rules_client *c = &rules->clients[first];
	struct ntsign_rules_rule *rule = &rules->rules[rules->count++];
	struct ntsign_address address = c->address;
	bool v4 = address.len == 4;
	size_t len = 0;
	size_t i;

	rule->state = c->state;
	rule->first = first;
	rule->end = end;
	for (i = first; i < end; i++) {
		if (needs_rule(&rules->clients[i])) {
			rule->state = rules->clients[i].state;
			rule->count++;
		}
	}
	memset(address.bytes + (bits + 7) / 8, 0,
	       sizeof(address.bytes) - (bits + 7) / 8);
	(void)inet_ntop(v4 ? AF_INET : AF_INET6, address.bytes, rule->block,
			INET6_ADDRSTRLEN);
	if (bits < address.len * 8U) {
		len = strlen(rule->block);
		(void)snprintf(rule->block + len, sizeof(rule->block) - len,
			       "/%u", bits);
	}
}

static uint32_t number_of(const struct ntsign_rules_client *c)
{
	const uint8_t *b = c->address.bytes;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

/* How many clients from `first' on have the addresses that follow each other,
 * and need the same rule; `limit' at most. */
static uint64_t run_length(const struct ntsign_rules *rules, size_t first,
			   uint64_t limit)
{
	const struct ntsign_rules_client *c = &rules->clients[first];
	uint64_t n = 1;

	while (n < limit && first + n < rules->client_count) {
		const struct ntsign_rules_client *next = c + n;

		if (next->address.len != 4 || !needs_rule(next) ||
		    next->state != c->state ||
		    (uint64_t)number_of(next) != number_of(c) + n) {
			break;
		}
		n++;
	}
	return n;
}

/* The largest block that begins with a client, and all of whose addresses
 * need the same rule; returns where the next one begins. */
static size_t add_ipv4(struct ntsign_rules *rules, size_t first)
{
	uint32_t number = number_of(&rules->clients[first]);
	/* what the address can be the start of */
	uint64_t limit = number == 0 ? UINT64_C(1) << 32 :
				       number & (~number + 1);
	uint64_t n = run_length(rules, first, limit);
	unsigned int bits = 32;
	uint64_t size = 1;

	while (size * 2 <= n) {
		size *= 2;
		bits--;
	}
	add_rule(rules, first, first + size, bits);
	return first + size;
}

static bool is_link_local(const struct ntsign_address *address)
{
	return address->bytes[0] == 0xFE && (address->bytes[1] & 0xC0) == 0x80;
}

/*
 * A /64 is a client's network: it takes a new address in it every day. On one
 * link all are in the same.
 */
static bool is_one_rule(const struct ntsign_rules *rules, size_t first,
			size_t end)
{
	const struct ntsign_rules_client *one = NULL;
	size_t count = 0;
	size_t i;

	for (i = first; i < end; i++) {
		const struct ntsign_rules_client *c = &rules->clients[i];

		if (!needs_rule(c)) {
			if (c->client->facts.seen) {
				return false;
			}
			continue;
		}
		if (one != NULL && one->state != c->state) {
			return false;
		}
		one = c;
		count++;
	}
	return count > 1 && !is_link_local(&one->address);
}

static size_t add_ipv6(struct ntsign_rules *rules, size_t first)
{
	const uint8_t *network = rules->clients[first].address.bytes;
	size_t end = first + 1;
	size_t i;

	while (end < rules->client_count &&
	       memcmp(rules->clients[end].address.bytes, network, 8) == 0) {
		end++;
	}
	if (is_one_rule(rules, first, end)) {
		add_rule(rules, first, end, 64);
		return end;
	}
	for (i = first; i < end; i++) {
		if (needs_rule(&rules->clients[i])) {
			add_rule(rules, i, i + 1, 128);
		}
	}
	return end;
}

static void take_rules(struct ntsign_rules *rules)
{
	size_t i = 0;

	while (i < rules->client_count) {
		const struct ntsign_rules_client *c = &rules->clients[i];

		if (c->address.len != 4) {
			i = add_ipv6(rules, i);
		} else if (needs_rule(c)) {
			i = add_ipv4(rules, i);
		} else {
			i++;
		}
	}
}

struct ntsign_rules *ntsign_rules_suggest(TALLOC_CTX *mem_ctx,
					  const struct ntsign_report *report)
{
	struct ntsign_rules *rules = talloc_zero(mem_ctx, struct ntsign_rules);
	size_t count = report->tally->clients.count;
	time_t until = report->now +
		       (time_t)report->exception_days * DAY_SECONDS;
	struct tm tm = { .tm_year = 0 };

	if (rules == NULL) {
		return NULL;
	}
	/* one more than there are: none of no bytes */
	rules->clients = talloc_zero_array(rules, struct ntsign_rules_client,
					   count + 1);
	rules->rules = talloc_zero_array(rules, struct ntsign_rules_rule,
					 count + 1);
	if (rules->clients == NULL || rules->rules == NULL ||
	    gmtime_r(&until, &tm) == NULL ||
	    strftime(rules->until, sizeof(rules->until), "%Y-%m-%d", &tm) ==
		    0) {
		TALLOC_FREE(rules);
		return NULL;
	}
	take_clients(rules, report->tally);
	take_rules(rules);
	return rules;
}

char *ntsign_rules_value(TALLOC_CTX *mem_ctx, const struct ntsign_rules *rules)
{
	char *text = talloc_strdup(mem_ctx, "");
	size_t i;

	for (i = 0; text != NULL && i < rules->count; i++) {
		text = talloc_asprintf_append_buffer(
			text, "%s=%s@%s, ", rules->rules[i].block,
			ntsign_signing_name(rules->rules[i].state),
			rules->until);
	}
	return text != NULL ? talloc_strdup_append_buffer(text, "*=required") :
			      NULL;
}
