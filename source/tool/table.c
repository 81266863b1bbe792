/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entries by their key.
 *
 * Invariant: every entry of the list has a slot, until the list is sorted:
 * from there on nothing is looked up.
 */
#include "table.h"

#include <stdlib.h>
#include <string.h>

/* A table grows so far over its bound before it is pruned. */
#define OVER(most) ((most) + (most) / 4)

void ntsign_table_init(struct ntsign_table *table, size_t entry_size,
		       size_t most,
		       void (*clear)(void *entry, void *private_data),
		       void *private_data)
{
	*table = (struct ntsign_table){
		.entry_size = entry_size,
		.most = most,
		.limit = UINT64_MAX,
		.clear = clear,
		.private_data = private_data,
	};
}

static struct ntsign_slice key_of(const struct ntsign_keyed *entry)
{
	return (struct ntsign_slice){
		.text = entry->key,
		.len = entry->key_len,
	};
}

/* The slot of the key, or the empty one where it would be. */
static size_t find_slot(const struct ntsign_table *table,
			struct ntsign_slice key, uint32_t hash)
{
	size_t mask = table->slot_count - 1;
	size_t slot = hash & mask;

	for (; table->slots[slot].place != 0; slot = (slot + 1) & mask) {
		const struct ntsign_keyed *entry = NULL;

		if (table->slots[slot].hash != hash) {
			continue;
		}
		entry = table->list[table->slots[slot].place - 1];
		if (entry->key_len == key.len &&
		    memcmp(entry->key, key.text, key.len) == 0) {
			break;
		}
	}
	return slot;
}

/* Fills `count` new slots from the list. */
static bool rebuild(struct ntsign_table *table, size_t count)
{
	struct ntsign_table_slot *slots = calloc(count, sizeof(*slots));
	size_t i;

	if (slots == NULL) {
		return false;
	}
	for (i = 0; i < table->count; i++) {
		const struct ntsign_keyed *entry = table->list[i];
		size_t slot = entry->hash & (count - 1);

		while (slots[slot].place != 0) {
			slot = (slot + 1) & (count - 1);
		}
		slots[slot].hash = entry->hash;
		slots[slot].place = (uint32_t)(i + 1);
	}
	free(table->slots);
	table->slots = slots;
	table->slot_count = count;
	return true;
}

static bool make_room(struct ntsign_table *table)
{
	if (table->count == UINT32_MAX - 1) {
		return false;
	}
	if (table->count == table->list_size) {
		size_t size = table->list_size == 0 ? 8 : table->list_size * 2;
		void **list = realloc(table->list, size * sizeof(*list));

		if (list == NULL) {
			return false;
		}
		table->list = list;
		table->list_size = size;
	}
	if (table->count * 4 >= table->slot_count * 3) {
		return rebuild(table, table->slot_count == 0 ?
					      16 : table->slot_count * 2);
	}
	return true;
}

static struct ntsign_keyed *new_entry(const struct ntsign_table *table,
				      struct ntsign_slice key, uint32_t hash)
{
	struct ntsign_keyed *entry = calloc(1, table->entry_size + key.len +
						       1);
	char *copy = NULL;

	if (entry == NULL) {
		return NULL;
	}
	copy = (char *)entry + table->entry_size;
	memcpy(copy, key.text, key.len);
	entry->key = copy;
	entry->key_len = (uint32_t)key.len;
	entry->hash = hash;
	return entry;
}

static bool is_over(struct ntsign_table *table, struct ntsign_slice key)
{
	if (table->most == 0 ||
	    (table->limit == UINT64_MAX && table->count < OVER(table->most))) {
		return false;
	}
	if (ntsign_slice_hash(key, 0) > table->limit) {
		table->omitted = true;
		return true;
	}
	return false;
}

void *ntsign_table_get(struct ntsign_table *table, struct ntsign_slice key,
		       bool *made, bool *omitted)
{
	uint32_t hash = (uint32_t)ntsign_slice_hash(key, ntsign_hash_seed());
	struct ntsign_keyed *entry = NULL;
	size_t slot = 0;

	*made = false;
	*omitted = false;
	if (table->slot_count > 0) {
		slot = find_slot(table, key, hash);
		if (table->slots[slot].place != 0) {
			return table->list[table->slots[slot].place - 1];
		}
	}
	if (table->most != 0 && table->count >= OVER(table->most) &&
	    !ntsign_table_prune(table)) {
		return NULL;
	}
	if (is_over(table, key)) {
		*omitted = true;
		return NULL;
	}
	if (!make_room(table)) {
		return NULL;
	}
	entry = new_entry(table, key, hash);
	if (entry == NULL) {
		return NULL;
	}
	slot = find_slot(table, key, hash);
	table->list[table->count++] = entry;
	table->slots[slot].hash = hash;
	table->slots[slot].place = (uint32_t)table->count;
	*made = true;
	return entry;
}

void *ntsign_table_find(const struct ntsign_table *table,
			struct ntsign_slice key)
{
	uint32_t hash = (uint32_t)ntsign_slice_hash(key, ntsign_hash_seed());
	size_t slot = 0;

	if (table->slot_count == 0) {
		return NULL;
	}
	slot = find_slot(table, key, hash);
	return table->slots[slot].place != 0 ?
		       table->list[table->slots[slot].place - 1] : NULL;
}

static void free_entry(struct ntsign_table *table, void *entry)
{
	if (table->clear != NULL) {
		table->clear(entry, table->private_data);
	}
	free(entry);
}

static int compare_ranks(const void *a, const void *b)
{
	const struct ntsign_keyed *left = *(const struct ntsign_keyed *const *)a;
	const struct ntsign_keyed *right =
		*(const struct ntsign_keyed *const *)b;
	uint64_t left_hash = ntsign_slice_hash(key_of(left), 0);
	uint64_t right_hash = ntsign_slice_hash(key_of(right), 0);

	if (left_hash != right_hash) {
		return left_hash < right_hash ? -1 : 1;
	}
	return ntsign_slice_compare(key_of(left), key_of(right));
}

bool ntsign_table_prune(struct ntsign_table *table)
{
	if (table->most == 0 || table->count <= table->most) {
		return true;
	}
	qsort(table->list, table->count, sizeof(table->list[0]),
	      compare_ranks);
	while (table->count > table->most) {
		free_entry(table, table->list[--table->count]);
	}
	table->limit = ntsign_slice_hash(
		key_of(table->list[table->count - 1]), 0);
	table->omitted = true;
	return rebuild(table, table->slot_count);
}

void ntsign_table_clear(struct ntsign_table *table)
{
	size_t i;

	for (i = 0; i < table->count; i++) {
		free_entry(table, table->list[i]);
	}
	free(table->list);
	free(table->slots);
	table->list = NULL;
	table->slots = NULL;
	table->count = 0;
	table->list_size = 0;
	table->slot_count = 0;
}
