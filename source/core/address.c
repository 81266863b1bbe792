/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Client addresses, address blocks and the per-client signing rules.
 *
 * Invariant: an IPv4-mapped IPv6 address (::ffff:a.b.c.d) is the IPv4
 * address it stands for, wherever it comes from.
 */
#include "ntsign/address.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* Longer than any numeric address, any word and any date. */
#define PART_MAX 64

static const char not_address[] = "not a numeric IPv4 or IPv6 address";

/* A part of a text as a C string; false when it does not fit. */
static bool part_copy(char part[PART_MAX], const char *text, size_t len)
{
	if (len >= PART_MAX) {
		return false;
	}
	memcpy(part, text, len);
	part[len] = '\0';
	return true;
}

/* Exactly `digits` decimal digits; false when it is anything else. */
static bool number_take(const char *text, size_t digits, unsigned int *number)
{
	unsigned int value = 0;
	size_t i = 0;

	for (i = 0; i < digits; i++) {
		if (text[i] < '0' || text[i] > '9') {
			return false;
		}
		value = value * 10 + (unsigned int)(text[i] - '0');
	}
	*number = value;
	return true;
}

/* As it is written: an IPv4-mapped address stays one of 16 bytes. */
static bool address_read(const char *text, struct ntsign_address *address)
{
	struct ntsign_address result = { .len = 0 };

	if (inet_pton(AF_INET, text, result.bytes) == 1) {
		result.len = 4;
	} else if (inet_pton(AF_INET6, text, result.bytes) == 1) {
		result.len = 16;
	} else {
		return false;
	}
	*address = result;
	return true;
}

static bool address_mapped(const struct ntsign_address *address)
{
	static const uint8_t prefix[12] = { [10] = 0xFF, [11] = 0xFF };

	return address->len == 16 &&
	       memcmp(address->bytes, prefix, sizeof(prefix)) == 0;
}

static void address_unmap(struct ntsign_address *address)
{
	struct ntsign_address v4 = { .len = 4 };

	memcpy(v4.bytes, address->bytes + 12, 4);
	*address = v4;
}

bool ntsign_address_parse(const char *text, struct ntsign_address *address)
{
	struct ntsign_address result = { .len = 0 };

	if (!address_read(text, &result)) {
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
	unsigned int i = 0;

	for (i = bits; i < address->len * 8U; i++) {
		if (address->bytes[i / 8] & (0x80 >> (i % 8))) {
			return false;
		}
	}
	return true;
}

static bool bits_read(const char *text, unsigned int max, unsigned int *bits)
{
	unsigned int value = 0;
	size_t digits = strlen(text);

	if (digits < 1 || digits > 3 || (text[0] == '0' && digits > 1)) {
		return false;
	}
	if (!number_take(text, digits, &value) || value > max) {
		return false;
	}
	*bits = value;
	return true;
}

bool ntsign_block_parse(const char *text, struct ntsign_block *block,
			const char **why)
{
	struct ntsign_block result = { .bits = 0 };
	const char *slash = strchr(text, '/');
	char part[PART_MAX] = "";
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	unsigned int bits = 0;

	if (strcmp(text, "*") == 0) {
		result.any = true;
		*block = result;
		return true;
	}

	if (!part_copy(part, text, len) ||
	    !address_read(part, &result.address))
	{
		*why = not_address;
		return false;
	}

	bits = result.address.len * 8U;
	if (slash != NULL && !bits_read(slash + 1, bits, &bits)) {
		*why = result.address.len == 4 ?
			"the part behind / is not a number from 0 to 32" :
			"the part behind / is not a number from 0 to 128";
		return false;
	}
	if (!host_bits_zero(&result.address, bits)) {
		*why = "the address has bits set behind those that count";
		return false;
	}

	/*
	 * With fewer than 96 bits a mapped address would have had host bits
	 * set, those of its ffff.
	 */
	if (address_mapped(&result.address)) {
		address_unmap(&result.address);
		bits -= 96;
	}
	result.bits = (uint8_t)bits;
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

static bool state_read(const char *text, size_t len,
		       enum ntsign_signing *signing)
{
	unsigned int i = 0;

	for (i = 0; i < NTSIGN_SIGNING_COUNT; i++) {
		const char *name = ntsign_signing_name(i);

		if (strlen(name) == len && strncasecmp(name, text, len) == 0) {
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
static bool day_read(const char *text, time_t *end)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30,
					31, 31, 30, 31, 30, 31 };
	unsigned int year = 0;
	unsigned int month = 0;
	unsigned int day = 0;
	unsigned int last = 0;
	unsigned int y = 0;
	int64_t count = 0;

	if (strlen(text) != 10 || text[4] != '-' || text[7] != '-') {
		return false;
	}
	if (!number_take(text, 4, &year) ||
	    !number_take(text + 5, 2, &month) ||
	    !number_take(text + 8, 2, &day))
	{
		return false;
	}
	if (year < 1970 || month < 1 || month > 12) {
		return false;
	}
	last = days[month - 1];
	if (month == 2 && leap_year(year)) {
		last = 29;
	}
	if (day < 1 || day > last) {
		return false;
	}

	/* whole days since 1970-01-01, this one included */
	for (y = 1970; y < year; y++) {
		count += leap_year(y) ? 366 : 365;
	}
	for (; month > 1; month--) {
		count += days[month - 2];
		if (month - 1 == 2 && leap_year(year)) {
			count++;
		}
	}
	count += day;
	*end = (time_t)(count * 86400);
	return true;
}

bool ntsign_rule_parse(const char *text, struct ntsign_rule *rule,
		       const char **why)
{
	struct ntsign_rule result = { .until = 0 };
	const char *equals = strchr(text, '=');
	const char *state = NULL;
	const char *at = NULL;
	char part[PART_MAX] = "";

	if (equals == NULL) {
		*why = "not of the form ADDRESS=STATE[@YYYY-MM-DD]";
		return false;
	}
	if (!part_copy(part, text, (size_t)(equals - text))) {
		*why = not_address;
		return false;
	}
	if (!ntsign_block_parse(part, &result.block, why)) {
		return false;
	}

	state = equals + 1;
	at = state + strcspn(state, "@");
	if (!state_read(state, (size_t)(at - state), &result.signing)) {
		*why = "the state is not one of required, enabled, disabled";
		return false;
	}
	if (*at == '@' && !day_read(at + 1, &result.until)) {
		*why = "the part behind @ is not a day YYYY-MM-DD from 1970 on";
		return false;
	}

	*rule = result;
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
