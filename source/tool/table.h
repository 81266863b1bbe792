/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entries by their key, in a hash table; with a bound, where somebody else
 * chooses the keys.
 *
 * Invariant: which entries a table with a bound ends up with depends on the
 * keys that were asked for, not on their order; and an entry that it has was
 * there from its key's first time on, so that its counts are whole.
 */
#ifndef NTSIGN_TABLE_H
#define NTSIGN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "words.h"

/* What every entry starts with. */
struct ntsign_keyed {
	const char *key;	/* terminated; behind the entry */
	uint32_t key_len;
	uint32_t hash;
};

struct ntsign_table_slot {
	uint32_t hash;
	uint32_t place;		/* in the list, from 1; 0: empty */
};

struct ntsign_table {
	void **list;		/* in no order, until somebody sorts it */
	size_t count;
	size_t entry_size;
	/*
	 * Most entries after ntsign_table_prune(), 0: no bound. The keys stay
	 * whose unseeded hash is least: whoever makes keys up cannot push the
	 * others out by choosing early ones of the alphabet.
	 */
	size_t most;
	uint64_t limit;		/* greater hashes are not taken in any more */
	bool omitted;		/* some were left out */
	void (*clear)(void *entry, void *private_data);
	void *private_data;
	size_t list_size;
	struct ntsign_table_slot *slots;
	size_t slot_count;
};

/* clear(): frees what an entry holds, not the entry. */
void ntsign_table_init(struct ntsign_table *table, size_t entry_size,
		       size_t most,
		       void (*clear)(void *entry, void *private_data),
		       void *private_data);
/*
 * The entry of that key, made with zeroed memory if there is none; *made
 * says so. NULL where the bound leaves it out (*omitted), or without memory.
 */
void *ntsign_table_get(struct ntsign_table *table, struct ntsign_slice key,
		       bool *made, bool *omitted);
/* The entry of that key, or NULL. */
void *ntsign_table_find(const struct ntsign_table *table,
			struct ntsign_slice key);
/* Brings the table down to its bound; false without memory. */
bool ntsign_table_prune(struct ntsign_table *table);
void ntsign_table_clear(struct ntsign_table *table);

#endif
