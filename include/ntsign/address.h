/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Client addresses, address blocks and the per-client signing rules.
 *
 * Invariant: an IPv4-mapped IPv6 address (::ffff:a.b.c.d) is the IPv4
 * address it stands for, wherever it comes from.
 */
#ifndef NTSIGN_ADDRESS_H
#define NTSIGN_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "ntsign/policy.h"

/* An address in network byte order; IPv4 takes the first 4 bytes. */
struct ntsign_address {
	uint8_t bytes[16];
	uint8_t len;		/* bytes used: 4 or 16 */
};

/* An address block: the first `bits` bits of `address` count. */
struct ntsign_block {
	struct ntsign_address address;
	uint8_t bits;
	bool any;		/* "*": every address of either family */
};

struct ntsign_rule {
	struct ntsign_block block;
	enum ntsign_signing signing;
	/* the rule matches while now < until; 0: it does not expire */
	time_t until;
};

/*
 * Reads a numeric IPv4 or IPv6 address. No names, no zone index, no port,
 * no octal or short IPv4 forms (inet_pton's rules).
 */
bool ntsign_address_parse(const char *text, struct ntsign_address *address);

/* Whether an element of smb.conf's lists ends in front of this character:
 * white space, a comma, a semicolon, or the NUL behind the last one. */
bool ntsign_element_ends(char c);

/*
 * Reads ADDRESS, ADDRESS/BITS or "*", host bits zero: the element at the
 * start of *list, which is then moved to the element's end.
 *
 * On failure *list and *block stay as they are and *why is a static text that
 * says what is wrong with the element; else *why means nothing.
 */
bool ntsign_block_take(const char **list, struct ntsign_block *block,
		       const char **why);

bool ntsign_block_match(const struct ntsign_block *block,
			const struct ntsign_address *address);

/* Whether every address that `inner` matches is matched by `outer` too. */
bool ntsign_block_covers(const struct ntsign_block *outer,
			 const struct ntsign_block *inner);

/*
 * The same for ADDRESS=STATE[@YYYY-MM-DD]. Case does not count in STATE. A
 * date is the rule's last day, UTC, from 1970 on.
 */
bool ntsign_rule_take(const char **list, struct ntsign_rule *rule,
		      const char **why);

/* The first rule that matches, or NULL. */
const struct ntsign_rule *ntsign_rules_match(
	const struct ntsign_rule *rules, size_t count,
	const struct ntsign_address *address, time_t now);

#endif
