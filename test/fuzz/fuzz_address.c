/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes addresses, blocks and rules with one text each.
 *
 * Invariant: what is taken is one thing in all three: an address, which is
 * what inet_pton() takes, is a block that matches it, and a rule's block is
 * the block in front of its "=". An element ends where the next may start.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <string.h>
#include <talloc.h>

#include "ntsign/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(const char *text)
{
	struct ntsign_address address = { .len = 0 };
	struct ntsign_block block = { .bits = 0 };
	uint8_t bytes[16] = { 0 };
	const char *why = NULL;
	bool v4 = inet_pton(AF_INET, text, bytes) == 1;
	bool v6 = !v4 && inet_pton(AF_INET6, text, bytes) == 1;

	assert(ntsign_address_parse(text, &address) == (v4 || v6));
	if (v4 || v6) {
		assert(address.len == 4 || (v6 && address.len == 16));
		assert(memcmp(bytes + (v6 ? 16 - address.len : 0),
			      address.bytes, address.len) == 0);
		assert(ntsign_block_take(&text, &block, &why));
		assert(*text == '\0');
		assert(ntsign_block_match(&block, &address));
		assert(block.bits == address.len * 8);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = talloc_strndup(NULL, (const char *)data, size);
	struct ntsign_block block = { .bits = 0 };
	struct ntsign_rule rule = { .until = 0 };
	const char *rest = text;
	const char *why = NULL;

	check_address(text);
	if (ntsign_block_take(&rest, &block, &why)) {
		assert(rest > text && ntsign_element_ends(*rest));
		assert(block.any || block.bits <= block.address.len * 8);
		assert(ntsign_block_match(&block, &block.address));
		assert(ntsign_block_covers(&block, &block));
	} else {
		assert(rest == text && why != NULL);
	}
	why = NULL;
	rest = text;
	if (ntsign_rule_take(&rest, &rule, &why)) {
		assert(rest > text && ntsign_element_ends(*rest));
		assert(rule.until >= 0 && rule.until % 86400 == 0);
		assert(rule.signing < NTSIGN_SIGNING_COUNT);
		assert(ntsign_rules_match(&rule, 1, &rule.block.address,
					  0) == &rule);
		text[strcspn(text, "=")] = '\0';
		rest = text;
		assert(ntsign_block_take(&rest, &block, &why));
		assert(*rest == '\0');
		assert(ntsign_block_covers(&block, &rule.block));
		assert(ntsign_block_covers(&rule.block, &block));
	} else {
		assert(rest == text && why != NULL);
	}
	talloc_free(text);
	return 0;
}
