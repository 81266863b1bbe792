/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which records are shown.
 *
 * Invariant: a record that lacks a field passes no filter of that field.
 */
#include <string.h>
#include <strings.h>
#include <wchar.h>

#include "follow.h"
#include "follow_filter.h"
#include "ntsign/record.h"

/* More than an account and its domain have in a record, 256 bytes each. */
#define NAME_MAX_CHARACTERS 1024

static const char out_of_memory[] = "out of memory";

bool ntsign_filter_add_client(TALLOC_CTX *mem_ctx,
			      struct ntsign_filter *filter, const char *text,
			      const char **why)
{
	size_t count = talloc_array_length(filter->clients);
	struct ntsign_block block = { .bits = 0 };
	struct ntsign_block *clients = NULL;

	if (!ntsign_block_take(&text, &block, why)) {
		return false;
	}
	if (*text != '\0') {
		*why = "one address or block, please; the option may be given "
		       "more than once";
		return false;
	}
	clients = talloc_realloc(mem_ctx, filter->clients, struct ntsign_block,
				 count + 1);
	if (clients == NULL) {
		*why = out_of_memory;
		return false;
	}
	clients[count] = block;
	filter->clients = clients;
	return true;
}

bool ntsign_filter_add_account(TALLOC_CTX *mem_ctx,
			       struct ntsign_filter *filter, const char *text,
			       const char **why)
{
	size_t count = talloc_array_length(filter->accounts);
	const char **accounts = NULL;

	if (text[0] == '\0') {
		*why = "an account has a name";
		return false;
	}
	accounts = talloc_realloc(mem_ctx, filter->accounts, const char *,
				  count + 1);
	if (accounts == NULL) {
		*why = out_of_memory;
		return false;
	}
	accounts[count] = text;
	filter->accounts = accounts;
	return true;
}

bool ntsign_filter_add_type(struct ntsign_filter *filter, const char *text,
			    const char **why)
{
	unsigned int i;

	for (i = 0; i < NTSIGN_RECORD_TYPE_COUNT; i++) {
		if (strcasecmp(text, ntsign_record_type_name(i)) == 0) {
			filter->types |= 1U << i;
			return true;
		}
	}
	*why = "the types are SMBConnection, SMBSession, SMBTree, "
	       "SMBSignature, SMBQuirk and SMBAudit";
	return false;
}

static bool type_matches(unsigned int types, const char *type)
{
	unsigned int i;

	for (i = 0; i < NTSIGN_RECORD_TYPE_COUNT; i++) {
		if ((types & (1U << i)) != 0 &&
		    strcmp(type, ntsign_record_type_name(i)) == 0) {
			return true;
		}
	}
	return false;
}

static bool client_matches(const struct ntsign_block *clients,
			   const struct ntsign_entry *entry)
{
	char *text = ntsign_entry_address(NULL, entry);
	size_t count = talloc_array_length(clients);
	struct ntsign_address address = { .len = 0 };
	bool found = false;
	size_t i;

	if (text != NULL) {
		/* a link-local address may have its interface behind it */
		text[strcspn(text, "%")] = '\0';
	}
	if (text != NULL && ntsign_address_parse(text, &address)) {
		for (i = 0; i < count && !found; i++) {
			found = ntsign_block_match(&clients[i], &address);
		}
	}
	TALLOC_FREE(text);
	return found;
}

/* Whether two names are one to Windows, as far as the locale knows letters. */
static bool same_name(const char *a, const char *b)
{
	wchar_t wide_a[NAME_MAX_CHARACTERS];
	wchar_t wide_b[NAME_MAX_CHARACTERS];
	size_t len_a = 0;
	size_t len_b = 0;

	if (strcasecmp(a, b) == 0) {
		return true;
	}
	len_a = mbstowcs(wide_a, a, NAME_MAX_CHARACTERS);
	len_b = mbstowcs(wide_b, b, NAME_MAX_CHARACTERS);
	if (len_a >= NAME_MAX_CHARACTERS || len_b >= NAME_MAX_CHARACTERS) {
		return false;	/* (size_t)-1 is no text of the locale's */
	}
	return wcscasecmp(wide_a, wide_b) == 0;
}

static bool account_matches(const char *const *accounts,
			    const struct ntsign_entry *entry)
{
	const char *account = ntsign_entry_text(entry, "account");
	const char *domain = ntsign_entry_text(entry, "domain");
	size_t count = talloc_array_length(accounts);
	char *both = NULL;
	bool found = false;
	size_t i;

	if (account == NULL) {
		return false;
	}
	if (domain != NULL) {
		both = talloc_asprintf(NULL, "%s\\%s", domain, account);
	}
	for (i = 0; i < count && !found; i++) {
		found = same_name(accounts[i], account) ||
			(both != NULL && same_name(accounts[i], both));
	}
	TALLOC_FREE(both);
	return found;
}

bool ntsign_filter_match(const struct ntsign_filter *filter,
			 const struct ntsign_entry *entry)
{
	return (filter->types == 0 ||
		type_matches(filter->types, entry->type)) &&
	       (!filter->alarms || ntsign_follow_alarm(entry)) &&
	       (filter->accounts == NULL ||
		account_matches(filter->accounts, entry)) &&
	       (filter->clients == NULL ||
		client_matches(filter->clients, entry));
}
