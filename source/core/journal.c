/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records as systemd's journal takes them.
 *
 * Invariant: an entry is whole fields only, and no value, whatever is in it,
 * can begin a field of its own.
 */
#include "ntsign/journal.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ntsign/address.h"

#define PREFIX "NTSIGN_"

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool name_valid(const char *name)
{
	size_t i = 0;

	if (!is_upper(name[0])) {
		return false;
	}
	for (i = 0; name[i] != '\0'; i++) {
		if (!is_upper(name[i]) && !is_digit(name[i]) &&
		    name[i] != '_') {
			return false;
		}
	}
	return i <= NTSIGN_JOURNAL_NAME_MAX;
}

/* The caller has seen to the room. */
static void put(struct ntsign_journal *entry, const char *data, size_t len)
{
	memcpy(entry->data + entry->len, data, len);
	entry->len += len;
}

bool ntsign_journal_add(struct ntsign_journal *entry, const char *name,
			const char *value, size_t len)
{
	size_t name_len = strlen(name);
	char length[8] = "";
	size_t need = 0;
	bool counted = false;
	size_t i = 0;

	if (!name_valid(name) || len > sizeof(entry->data)) {
		return false;
	}
	/* A newline would end the value: then its length goes in front. */
	counted = len > 0 && memchr(value, '\n', len) != NULL;
	need = name_len + 1 + (counted ? sizeof(length) : 0) + len + 1;
	if (need > sizeof(entry->data) - entry->len) {
		return false;
	}
	put(entry, name, name_len);
	put(entry, counted ? "\n" : "=", 1);
	if (counted) {
		for (i = 0; i < sizeof(length); i++) {
			length[i] = (char)((uint64_t)len >> (8 * i));
		}
		put(entry, length, sizeof(length));
	}
	put(entry, value, len);
	put(entry, "\n", 1);
	return true;
}

/* remoteAddress: REMOTE_ADDRESS; ntlmssp.keyBits: NTLMSSP_KEY_BITS */
static bool name_of(const char *field, char *name, size_t size)
{
	size_t used = sizeof(PREFIX) - 1;
	size_t i = 0;

	memcpy(name, PREFIX, used);
	for (i = 0; field[i] != '\0'; i++) {
		bool word = i > 0 && is_upper(field[i]) &&
			    !is_upper(field[i - 1]) && field[i - 1] != '.';
		char c = field[i];

		if (used + 3 > size) {
			return false;
		}
		if (word) {
			name[used++] = '_';
		}
		if (is_lower(c)) {
			c = (char)(c - 'a' + 'A');
		}
		name[used++] = c == '.' ? '_' : c;
	}
	name[used] = '\0';
	return true;
}

/*
 * An address in Samba's form, ipv4:192.0.2.1:50123, or without family and
 * port, in the form that reports have it in.
 */
static bool address_of(const char *value, char *text, size_t size)
{
	struct ntsign_address address = { .len = 0 };
	char cut[INET6_ADDRSTRLEN] = "";
	const char *start = value;
	size_t len = 0;

	if (strncmp(value, "ipv4:", 5) == 0 ||
	    strncmp(value, "ipv6:", 5) == 0) {
		const char *port = NULL;

		start = value + 5;
		port = strrchr(start, ':');
		len = port == NULL ? 0 : (size_t)(port - start);
	} else {
		len = strlen(start);
	}
	if (len == 0 || len >= sizeof(cut)) {
		return false;
	}
	memcpy(cut, start, len);
	if (!ntsign_address_parse(cut, &address)) {
		return false;
	}
	return inet_ntop(address.len == 4 ? AF_INET : AF_INET6, address.bytes,
			 text, (socklen_t)size) != NULL;
}

static void add_field(const char *field, const char *value, size_t len,
		      void *private_data)
{
	struct ntsign_journal *entry = private_data;
	char name[NTSIGN_JOURNAL_NAME_MAX + 1] = "";
	char address[INET6_ADDRSTRLEN] = "";

	if (strncmp(field, "version.", 8) == 0 || strcmp(field, "pid") == 0) {
		return;
	}
	if ((strcmp(field, "remoteAddress") == 0 ||
	     strcmp(field, "address") == 0) &&
	    address_of(value, address, sizeof(address))) {
		(void)ntsign_journal_add(entry, PREFIX "CLIENT", address,
					 strlen(address));
	}
	if (name_of(field, name, sizeof(name))) {
		(void)ntsign_journal_add(entry, name, value, len);
	}
}

void ntsign_journal_record(struct ntsign_journal *entry,
			   const struct ntsign_record *record)
{
	ntsign_record_walk(record, add_field, entry);
}
