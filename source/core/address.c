/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Client addresses, address blocks and the per-client signing rules.
 *
 * Invariant: an IPv4-mapped IPv6 address (::ffff:a.b.c.d) is the IPv4
 * address it stands for, wherever it comes from.
 */
#include "ntsign/address.h"

#include <string.h>

static const char not_address[] = "not a numeric IPv4 or IPv6 address";

bool ntsign_element_ends(char c)
{
	static const bool separators[UINT8_MAX + 1] = {
		['\0'] = true, [' '] = true, ['\t'] = true, [','] = true,
		[';'] = true, ['\n'] = true, ['\r'] = true, ['\v'] = true,
		['\f'] = true,
	};

	return separators[(uint8_t)c];
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* 0 to 15, or -1. */
static int hex_digit(char c)
{
	if (is_digit(c)) {
		return c - '0';
	}
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly `digits` decimal digits. */
static bool digits_take(const char **text, size_t digits,
			unsigned int *number)
{
	const char *p = *text;
	unsigned int value = 0;

	for (; digits > 0; digits--, p++) {
		if (!is_digit(*p)) {
			return false;
		}
		value = value * 10 + (unsigned int)(*p - '0');
	}
	*text = p;
	*number = value;
	return true;
}

/* As many digits as there are, no leading zero, a value up to max. */
static bool number_take(const char **text, unsigned int max,
			unsigned int *number)
{
	const char *p = *text;
	unsigned int value = 0;

	if (!is_digit(*p) || (*p == '0' && is_digit(p[1]))) {
		return false;
	}
	for (; is_digit(*p); p++) {
		value = value * 10 + (unsigned int)(*p - '0');
		if (value > max) {
			return false;
		}
	}
	*text = p;
	*number = value;
	return true;
}

/*
 * What follows writes to where its caller reads to, and nothing good where it
 * fails.
 */

/* Four numbers with dots between them. */
static bool v4_take(const char **text, uint8_t bytes[4])
{
	const char *p = *text;
	unsigned int number = 0;
	size_t i = 0;

	for (i = 0; i < 4; i++) {
		if (i > 0 && *p++ != '.') {
			return false;
		}
		if (!number_take(&p, UINT8_MAX, &number)) {
			return false;
		}
		bytes[i] = (uint8_t)number;
	}
	*text = p;
	return true;
}

/* One to four hexadecimal digits. */
static bool group_take(const char **text, uint8_t bytes[2])
{
	const char *p = *text;
	unsigned int value = 0;

	for (; p < *text + 4; p++) {
		int digit = hex_digit(*p);

		if (digit < 0) {
			break;
		}
		value = value << 4 | (unsigned int)digit;
	}
	if (p == *text) {
		return false;
	}
	*text = p;
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
	return true;
}

/*
 * Groups with colons between them, of which "::" stands for one or more of
 * zeros; the last two may be written as an IPv4 address. RFC 4291, 2.2
 */
static bool v6_take(const char **text, uint8_t bytes[16])
{
	const char *p = *text;
	size_t len = 0;
	size_t gap = 16;	/* how much was read before "::" */

	if (p[0] == ':' && p[1] == ':') {
		gap = 0;
		p += 2;
	}
	for (;;) {
		const char *group = p;

		if (!group_take(&p, bytes + len)) {
			/* nothing has to follow "::" */
			if (gap != len) {
				return false;
			}
			break;
		}
		if (*p == '.') {
			p = group;
			if (len > 16 - 4 || !v4_take(&p, bytes + len)) {
				return false;
			}
			len += 4;
			break;
		}
		len += 2;
		if (*p != ':' || len == 16) {
			break;
		}
		p++;
		if (*p == ':') {
			if (gap < 16) {
				return false;
			}
			gap = len;
			p++;
		}
	}
	if ((len == 16) != (gap == 16)) {
		return false;
	}
	if (gap < 16) {
		size_t behind = len - gap;

		memmove(bytes + 16 - behind, bytes + gap, behind);
		memset(bytes + gap, 0, 16 - len);
	}
	*text = p;
	return true;
}

/* As it is written: an IPv4-mapped address stays one of 16 bytes. */
static bool address_take(const char **text, struct ntsign_address *address)
{
	if (v4_take(text, address->bytes)) {
		memset(address->bytes + 4, 0, 12);
		address->len = 4;
		return true;
	}
	address->len = 16;
	return v6_take(text, address->bytes);
}

static bool address_mapped(const struct ntsign_address *address)
{
	static const uint8_t prefix[12] = { [10] = 0xFF, [11] = 0xFF };

	return address->len == 16 &&
	       memcmp(address->bytes, prefix, sizeof(prefix)) == 0;
}

static void address_unmap(struct ntsign_address *address)
{
	memcpy(address->bytes, address->bytes + 12, 4);
	memset(address->bytes + 4, 0, 12);
	address->len = 4;
}

bool ntsign_address_parse(const char *text, struct ntsign_address *address)
{
	struct ntsign_address result = { .len = 0 };

	if (!address_take(&text, &result) || *text != '\0') {
		return false;
	}
	if (address_mapped(&result)) {
		address_unmap(&result);
	}
	*address = result;
	return true;
}

/* Whether a and b agree in their first bits. */
static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int whole = bits / 8;
	uint8_t mask = (uint8_t)(0xFF00 >> (bits % 8));

	if (memcmp(a, b, whole) != 0) {
		return false;
	}
	/* without a bit left over the next byte may not exist */
	return bits % 8 == 0 || ((a[whole] ^ b[whole]) & mask) == 0;
}

static bool host_bits_zero(const struct ntsign_address *address,
			   unsigned int bits)
{
	unsigned int i = bits / 8;
	uint8_t mask = (uint8_t)(0xFF >> (bits % 8));

	for (; i < address->len; i++) {
		if ((address->bytes[i] & mask) != 0) {
			return false;
		}
		mask = 0xFF;
	}
	return true;
}

/*
 * Reads a block that `stop` has to follow, which '\0' means the element's
 * end. block: all zero.
 */
static bool block_take(const char **text, char stop,
		       struct ntsign_block *block, const char **why)
{
	const char *p = *text;
	unsigned int bits = 0;

	*why = not_address;
	block->any = *p == '*';
	if (block->any) {
		p++;
	} else if (!address_take(&p, &block->address)) {
		return false;
	}
	bits = block->address.len * 8U;
	if (*p == '/' && !block->any) {
		*why = block->address.len == 4 ?
			"the part behind / is not a number from 0 to 32" :
			"the part behind / is not a number from 0 to 128";
		p++;
		if (!number_take(&p, bits, &bits)) {
			return false;
		}
	}
	if (stop == '\0' ? !ntsign_element_ends(*p) : *p != stop) {
		return false;
	}
	if (!host_bits_zero(&block->address, bits)) {
		*why = "the address has bits set behind those that count";
		return false;
	}

	/*
	 * With fewer than 96 bits a mapped address would have had host bits
	 * set, those of its ffff.
	 */
	if (address_mapped(&block->address)) {
		address_unmap(&block->address);
		bits -= 96;
	}
	block->bits = (uint8_t)bits;
	*text = p;
	return true;
}

bool ntsign_block_take(const char **list, struct ntsign_block *block,
		       const char **why)
{
	struct ntsign_block result = { .bits = 0 };

	if (!block_take(list, '\0', &result, why)) {
		return false;
	}
	*block = result;
	return true;
}

bool ntsign_block_match(const struct ntsign_block *block,
			const struct ntsign_address *address)
{
	if (block->any) {
		return true;
	}
	return block->address.len == address->len &&
	       bits_equal(block->address.bytes, address->bytes, block->bits);
}

bool ntsign_block_covers(const struct ntsign_block *outer,
			 const struct ntsign_block *inner)
{
	if (outer->any) {
		return true;
	}
	return !inner->any && outer->bits <= inner->bits &&
	       ntsign_block_match(outer, &inner->address);
}

/* Takes a word of small letters; case does not count in the text. */
static bool word_take(const char **text, const char *word)
{
	const char *p = *text;

	for (; *word != '\0'; word++, p++) {
		if ((*p | 0x20) != *word) {
			return false;
		}
	}
	*text = p;
	return true;
}

static bool state_take(const char **text, enum ntsign_signing *signing)
{
	unsigned int i = 0;

	for (i = 0; i < NTSIGN_SIGNING_COUNT; i++) {
		if (word_take(text, ntsign_signing_name(i))) {
			*signing = i;
			return true;
		}
	}
	return false;
}

static bool leap_year(unsigned int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* YYYY-MM-DD; *end is the second after that day's last, UTC. */
static bool day_take(const char **text, time_t *end)
{
	/* days of the year before each month, without a leap day */
	static const uint16_t before[] = { 0, 31, 59, 90, 120, 151, 181, 212,
					   243, 273, 304, 334, 365 };
	const char *p = *text;
	unsigned int year = 0;
	unsigned int month = 0;
	unsigned int day = 0;
	unsigned int last = 0;
	int64_t count = 0;

	if (!digits_take(&p, 4, &year) || *p++ != '-' ||
	    !digits_take(&p, 2, &month) || *p++ != '-' ||
	    !digits_take(&p, 2, &day))
	{
		return false;
	}
	if (year < 1970 || month < 1 || month > 12) {
		return false;
	}
	last = before[month] - before[month - 1];
	if (month == 2 && leap_year(year)) {
		last = 29;
	}
	if (day < 1 || day > last) {
		return false;
	}

	/* whole days since 1970-01-01, this one included */
	count = (year - 1970) * 365 + before[month - 1] + day;
	/* and the leap days of the years before, and of this one */
	count += (year - 1969) / 4 - (year - 1901) / 100 +
		 (year - 1601) / 400;
	if (month > 2 && leap_year(year)) {
		count++;
	}
	*text = p;
	*end = (time_t)(count * 86400);
	return true;
}

/* Whether there is this character in the element at the text's start. */
static bool element_has(const char *text, char c)
{
	for (; !ntsign_element_ends(*text); text++) {
		if (*text == c) {
			return true;
		}
	}
	return false;
}

bool ntsign_rule_take(const char **list, struct ntsign_rule *rule,
		      const char **why)
{
	struct ntsign_rule result = { .until = 0 };
	const char *p = *list;

	if (!block_take(&p, '=', &result.block, why)) {
		if (!element_has(*list, '=')) {
			*why = "not of the form ADDRESS=STATE[@YYYY-MM-DD]";
		}
		return false;
	}
	p++;
	*why = "the state is not one of required, enabled, disabled";
	if (!state_take(&p, &result.signing)) {
		return false;
	}
	if (*p == '@') {
		*why = "the part behind @ is not a day YYYY-MM-DD from 1970 "
			"on";
		p++;
		if (!day_take(&p, &result.until)) {
			return false;
		}
	}
	if (!ntsign_element_ends(*p)) {
		return false;
	}
	*rule = result;
	*list = p;
	return true;
}

const struct ntsign_rule *ntsign_rules_match(
	const struct ntsign_rule *rules, size_t count,
	const struct ntsign_address *address, time_t now)
{
	size_t i = 0;

	for (i = 0; i < count; i++) {
		bool live = rules[i].until == 0 || now < rules[i].until;

		if (live && ntsign_block_match(&rules[i].block, address)) {
			return &rules[i];
		}
	}
	return NULL;
}
