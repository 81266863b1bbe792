/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Texts of records that are kept: each once, in sorted sets of a bounded
 * size.
 *
 * Invariant: what a set holds depends on what was added, not on the order in
 * which it was; and a text is kept as long as a set has it, no longer.
 */
#ifndef NTSIGN_WORDS_H
#define NTSIGN_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Text that is not terminated, of somebody else's; NULL: there is none. */
struct ntsign_slice {
	const char *text;
	size_t len;
};

struct ntsign_slice ntsign_slice_of(const char *text);

/* In the header, because the compiler knows most texts' lengths. */
static inline bool ntsign_slice_is(struct ntsign_slice slice, const char *text)
{
	size_t len = strlen(text);

	return slice.text != NULL && slice.len == len &&
	       memcmp(slice.text, text, len) == 0;
}

/* The order of the bytes. */
int ntsign_slice_compare(struct ntsign_slice a, struct ntsign_slice b);
/* At most NTSIGN_TEXT_MAX characters of it; it has to be UTF-8. */
struct ntsign_slice ntsign_slice_cut(struct ntsign_slice slice);

/* A hash that is another one for another seed. */
uint64_t ntsign_slice_hash(struct ntsign_slice slice, uint64_t seed);
/* This process's own seed: what a file says cannot be made to collide. */
uint64_t ntsign_hash_seed(void);

/* A text that several may hold. */
struct ntsign_word {
	uint32_t refs;
	uint32_t hash;
	uint32_t len;
	char text[];		/* terminated */
};

/* All words of a tally. */
struct ntsign_words {
	struct ntsign_word **slots;
	size_t slot_count;	/* 0, or a power of two */
	size_t count;
};

/* The word of that text, cut, with one reference more; NULL: no memory. */
struct ntsign_word *ntsign_words_take(struct ntsign_words *words,
				      struct ntsign_slice text);
/* Gives a reference back; NULL is none. */
void ntsign_words_drop(struct ntsign_words *words, struct ntsign_word *word);
/* Frees the words, whoever holds them. */
void ntsign_words_clear(struct ntsign_words *words);

/* A set of words, sorted: of more than fit it has the first ones. */
struct ntsign_names {
	struct ntsign_word **list;
	uint16_t count, size;
	bool more;		/* there were more than fit */
};

/*
 * Adds a text, if there is one, to a set that holds at most `most`. False when
 * memory runs out.
 */
bool ntsign_names_add(struct ntsign_words *words, struct ntsign_names *names,
		      uint16_t most, struct ntsign_slice text);
/* Adds all of another set, whose words may be of other `words`. */
bool ntsign_names_merge(struct ntsign_words *words, struct ntsign_names *names,
			uint16_t most, const struct ntsign_names *from);
void ntsign_names_clear(struct ntsign_words *words,
			struct ntsign_names *names);

#endif
