/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Texts of records that are kept.
 *
 * Invariant: a word is in its slot, or behind it with no empty one between.
 */
#include "words.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "ntsign/text.h"

struct ntsign_slice ntsign_slice_of(const char *text)
{
	return (struct ntsign_slice){
		.text = text,
		.len = text != NULL ? strlen(text) : 0,
	};
}

int ntsign_slice_compare(struct ntsign_slice a, struct ntsign_slice b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.text, b.text, len) : 0;

	if (order != 0) {
		return order;
	}
	return a.len < b.len ? -1 : a.len > b.len;
}

struct ntsign_slice ntsign_slice_cut(struct ntsign_slice slice)
{
	size_t characters = 0;
	size_t i;

	if (slice.len <= NTSIGN_TEXT_MAX) {
		return slice;
	}
	for (i = 0; i < slice.len; i++) {
		if (((unsigned char)slice.text[i] & 0xC0) == 0x80) {
			continue;
		}
		if (characters == NTSIGN_TEXT_MAX) {
			slice.len = i;
			break;
		}
		characters++;
	}
	return slice;
}

/* ---- hashing ---- */

/* Both halves of the product take part, so that every bit counts. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t ntsign_slice_hash(struct ntsign_slice slice, uint64_t seed)
{
	const uint64_t odd = 0x9E3779B97F4A7C15;
	const char *p = slice.text;
	size_t left = slice.len;
	uint64_t hash = mix(seed ^ odd, slice.len + 0x632BE59BD9B4E019);
	uint64_t part = 0;

	for (; left >= sizeof(part); left -= sizeof(part)) {
		memcpy(&part, p, sizeof(part));
		hash = mix(hash ^ part, odd);
		p += sizeof(part);
	}
	if (left > 0) {
		part = 0;
		memcpy(&part, p, left);
		hash = mix(hash ^ part, odd);
	}
	return mix(hash ^ seed, odd);
}

uint64_t ntsign_hash_seed(void)
{
	static uint64_t seed;	/* set before there is a second thread */

	while (seed == 0 &&
	       getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		seed = 0;
	}
	return seed;
}

/* ---- words ---- */

static bool words_grow(struct ntsign_words *words)
{
	size_t count = words->slot_count == 0 ? 64 : words->slot_count * 2;
	struct ntsign_word **slots = calloc(count, sizeof(*slots));
	size_t i;

	if (slots == NULL) {
		return false;
	}
	for (i = 0; i < words->slot_count; i++) {
		struct ntsign_word *word = words->slots[i];
		size_t slot = 0;

		if (word == NULL) {
			continue;
		}
		slot = word->hash & (count - 1);
		while (slots[slot] != NULL) {
			slot = (slot + 1) & (count - 1);
		}
		slots[slot] = word;
	}
	free(words->slots);
	words->slots = slots;
	words->slot_count = count;
	return true;
}

/* The slot of the word, or the empty one where it would be. */
static size_t words_find(const struct ntsign_words *words,
			 struct ntsign_slice text, uint32_t hash)
{
	size_t slot = hash & (words->slot_count - 1);

	while (words->slots[slot] != NULL) {
		const struct ntsign_word *word = words->slots[slot];

		if (word->hash == hash && word->len == text.len &&
		    memcmp(word->text, text.text, text.len) == 0) {
			break;
		}
		slot = (slot + 1) & (words->slot_count - 1);
	}
	return slot;
}

struct ntsign_word *ntsign_words_take(struct ntsign_words *words,
				      struct ntsign_slice text)
{
	struct ntsign_word *word = NULL;
	uint32_t hash = 0;
	size_t slot = 0;

	text = ntsign_slice_cut(text);
	if (words->count * 4 >= words->slot_count * 3 && !words_grow(words)) {
		return NULL;
	}
	hash = (uint32_t)ntsign_slice_hash(text, ntsign_hash_seed());
	slot = words_find(words, text, hash);
	word = words->slots[slot];
	if (word != NULL) {
		word->refs++;
		return word;
	}
	word = malloc(sizeof(*word) + text.len + 1);
	if (word == NULL) {
		return NULL;
	}
	word->refs = 1;
	word->hash = hash;
	word->len = (uint32_t)text.len;
	memcpy(word->text, text.text, text.len);
	word->text[text.len] = '\0';
	words->slots[slot] = word;
	words->count++;
	return word;
}

/* Empties a slot; what follows moves up to where it is found. */
static void words_remove(struct ntsign_words *words, size_t slot)
{
	size_t mask = words->slot_count - 1;
	size_t next = slot;

	for (;;) {
		size_t home = 0;

		next = (next + 1) & mask;
		if (words->slots[next] == NULL) {
			break;
		}
		home = words->slots[next]->hash & mask;
		if (((next - home) & mask) >= ((next - slot) & mask)) {
			words->slots[slot] = words->slots[next];
			slot = next;
		}
	}
	words->slots[slot] = NULL;
	words->count--;
}

void ntsign_words_drop(struct ntsign_words *words, struct ntsign_word *word)
{
	struct ntsign_slice text = { .text = NULL };

	if (word == NULL || --word->refs > 0) {
		return;
	}
	text = (struct ntsign_slice){ .text = word->text, .len = word->len };
	words_remove(words, words_find(words, text, word->hash));
	free(word);
}

void ntsign_words_clear(struct ntsign_words *words)
{
	size_t i;

	for (i = 0; i < words->slot_count; i++) {
		free(words->slots[i]);
	}
	free(words->slots);
	*words = (struct ntsign_words){ .slots = NULL };
}

/* ---- sets ---- */

static struct ntsign_slice word_slice(const struct ntsign_word *word)
{
	return (struct ntsign_slice){ .text = word->text, .len = word->len };
}

/* Where the text is or would be; *found: whether it is there. */
static size_t names_find(const struct ntsign_names *names,
			 struct ntsign_slice text, bool *found)
{
	size_t low = 0;
	size_t high = names->count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = ntsign_slice_compare(
			word_slice(names->list[middle]), text);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static bool names_room(struct ntsign_names *names, uint16_t most)
{
	size_t size = names->size == 0 ? 1 : (size_t)names->size * 2;
	struct ntsign_word **list = NULL;

	if (names->count < names->size) {
		return true;
	}
	if (size > most) {
		size = most;
	}
	list = realloc(names->list, size * sizeof(*list));
	if (list == NULL) {
		return false;
	}
	names->list = list;
	names->size = (uint16_t)size;
	return true;
}

bool ntsign_names_add(struct ntsign_words *words, struct ntsign_names *names,
		      uint16_t most, struct ntsign_slice text)
{
	struct ntsign_word *word = NULL;
	bool found = false;
	size_t place = 0;

	if (text.len == 0) {
		return true;
	}
	text = ntsign_slice_cut(text);
	place = names_find(names, text, &found);
	if (found) {
		return true;
	}
	if (names->count == most) {
		names->more = true;
		if (place == most) {
			return true;
		}
	} else if (!names_room(names, most)) {
		return false;
	}
	word = ntsign_words_take(words, text);
	if (word == NULL) {
		return false;
	}
	if (names->count == most) {
		ntsign_words_drop(words, names->list[--names->count]);
	}
	memmove(&names->list[place + 1], &names->list[place],
		(names->count - place) * sizeof(names->list[0]));
	names->list[place] = word;
	names->count++;
	return true;
}

bool ntsign_names_merge(struct ntsign_words *words, struct ntsign_names *names,
			uint16_t most, const struct ntsign_names *from)
{
	size_t i;

	for (i = 0; i < from->count; i++) {
		if (!ntsign_names_add(words, names, most,
				      word_slice(from->list[i]))) {
			return false;
		}
	}
	names->more = names->more || from->more;
	return true;
}

void ntsign_names_clear(struct ntsign_words *words, struct ntsign_names *names)
{
	size_t i;

	for (i = 0; i < names->count; i++) {
		ntsign_words_drop(words, names->list[i]);
	}
	free(names->list);
	*names = (struct ntsign_names){ .list = NULL };
}
