/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes addresses, blocks and rules with one text each.
 *
 * Invariant: what is taken is one thing in all three: an address is a block
 * that matches it, and a rule's block is the block in front of its "=".
 */
#include <assert.h>
#include <string.h>
#include <talloc.h>

#include "ntsign/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = talloc_strndup(NULL, (const char *)data, size);
	struct ntsign_address address = { .len = 0 };
	struct ntsign_block block = { .bits = 0 };
	struct ntsign_rule rule = { .until = 0 };
	const char *why = NULL;

	if (ntsign_address_parse(text, &address)) {
		assert(address.len == 4 || address.len == 16);
		assert(ntsign_block_parse(text, &block, &why));
		assert(ntsign_block_match(&block, &address));
		assert(block.bits == address.len * 8);
	}
	if (ntsign_block_parse(text, &block, &why)) {
		assert(block.any || block.bits <= block.address.len * 8);
		assert(ntsign_block_match(&block, &block.address));
		assert(ntsign_block_covers(&block, &block));
	} else {
		assert(why != NULL);
	}
	why = NULL;
	if (ntsign_rule_parse(text, &rule, &why)) {
		size_t len = strcspn(text, "=");

		assert(rule.until >= 0 && rule.until % 86400 == 0);
		assert(rule.signing < NTSIGN_SIGNING_COUNT);
		assert(ntsign_rules_match(&rule, 1, &rule.block.address,
					  0) == &rule);
		text[len] = '\0';
		assert(ntsign_block_parse(text, &block, &why));
		assert(ntsign_block_covers(&block, &rule.block));
		assert(ntsign_block_covers(&rule.block, &block));
	} else {
		assert(why != NULL);
	}
	talloc_free(text);
	return 0;
}
