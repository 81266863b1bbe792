/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which rules never get their turn.
 *
 * Rules are put into a tree one after the other. Its root is "*", below it
 * are IPv4 and IPv6, and below those each bit of an address decides for one
 * side. Each place knows until when its block is taken, and each rule looks
 * there before it is put in.
 *
 * Invariant: every node's `all` is what its own `own` and its children's
 * `all` say.
 */
#include "ntsign/cover.h"

#include <talloc.h>

/* The family, and the bits of the longest address. */
#define DEPTH_MAX (1 + 128)

#define FOREVER INT64_MAX

/* Until when, in seconds since 1970; 0: never was. */
struct node {
	int64_t own;	/* a rule for just this block takes all of it */
	int64_t all;	/* rules for it or its parts take all of it */
	uint32_t child[2];	/* places in the tree; 0: none */
};

struct tree {
	struct node *nodes;	/* the root is the first one */
	size_t count;
	size_t room;
};

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* How many steps it takes from the root to a block. */
static unsigned int depth_of(const struct ntsign_block *block)
{
	return block->any ? 0 : 1U + block->bits;
}

/* Which side a step goes to. */
static unsigned int side_of(const struct ntsign_block *block,
			    unsigned int step)
{
	unsigned int bit = step - 1;

	if (step == 0) {
		return block->address.len == 4 ? 0 : 1;
	}
	return block->address.bytes[bit / 8] >> (7 - bit % 8) & 1;
}

/* Until when every address of a block is taken. */
static int64_t tree_taken(const struct tree *tree,
			  const struct ntsign_block *block)
{
	const struct node *node = tree->nodes;
	unsigned int depth = depth_of(block);
	unsigned int step = 0;
	int64_t taken = 0;

	for (step = 0; step < depth; step++) {
		uint32_t child = node->child[side_of(block, step)];

		taken = later(taken, node->own);
		if (child == 0) {
			return taken;
		}
		node = &tree->nodes[child];
	}
	return later(taken, node->all);
}

/* Room for a path of any length. */
static bool tree_grow(struct tree *tree)
{
	struct node *nodes = NULL;
	size_t room = tree->room * 2 + DEPTH_MAX + 1;

	if (tree->room - tree->count > DEPTH_MAX) {
		return true;
	}
	nodes = talloc_realloc(NULL, tree->nodes, struct node, room);
	if (nodes == NULL) {
		return false;
	}
	if (tree->count == 0) {
		nodes[0] = (struct node) { .own = 0 };
		tree->count = 1;
	}
	tree->nodes = nodes;
	tree->room = room;
	return true;
}

/* Takes a block until then, which is later than until now. */
static bool tree_take(struct tree *tree, const struct ntsign_block *block,
		      int64_t until)
{
	uint32_t path[DEPTH_MAX + 1] = { 0 };
	unsigned int depth = depth_of(block);
	unsigned int step = 0;
	struct node *node = NULL;

	if (!tree_grow(tree)) {
		return false;
	}
	node = tree->nodes;
	for (step = 0; step < depth; step++) {
		uint32_t *child = &node->child[side_of(block, step)];

		if (*child == 0) {
			*child = (uint32_t)tree->count++;
			tree->nodes[*child] = (struct node) { .own = 0 };
		}
		path[step + 1] = *child;
		node = &tree->nodes[*child];
	}
	node->own = until;
	node->all = until;
	while (step-- > 0) {
		int64_t left = 0;
		int64_t right = 0;

		node = &tree->nodes[path[step]];
		/* the root stands for no child */
		if (node->child[0] != 0) {
			left = tree->nodes[node->child[0]].all;
		}
		if (node->child[1] != 0) {
			right = tree->nodes[node->child[1]].all;
		}
		node->all = later(node->own, earlier(left, right));
	}
	return true;
}

bool ntsign_rules_hidden(const struct ntsign_rule *rules, size_t count,
			 time_t now, bool *hidden)
{
	/* these are IPv4 addresses: as IPv6 ones no client has them */
	static const struct ntsign_block mapped = {
		.address = { .bytes = { [10] = 0xFF, [11] = 0xFF },
			     .len = 16 },
		.bits = 96,
	};
	struct tree tree = { .count = 0 };
	bool ok = tree_take(&tree, &mapped, FOREVER);
	size_t i = 0;

	for (i = 0; ok && i < count; i++) {
		int64_t until = rules[i].until;

		hidden[i] = false;
		if (until != 0 && until <= now) {
			continue;
		}
		if (until == 0) {
			until = FOREVER;
		}
		hidden[i] = tree_taken(&tree, &rules[i].block) >= until;
		/* what is hidden changes nothing */
		if (!hidden[i]) {
			ok = tree_take(&tree, &rules[i].block, until);
		}
	}
	talloc_free(tree.nodes);
	return ok;
}
