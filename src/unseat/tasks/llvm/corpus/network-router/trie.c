/* SPDX-License-Identifier: Apache-2.0 */
/* trie.c - one binary trie per router for longest prefix matching, and the
 * text form of prefixes. */
#include "net.h"

#define TRIE_NODES 512

struct tnode {
	int16_t kid[2];
	int16_t value;		/* -1: no route ends here */
};

struct trie {
	struct tnode node[TRIE_NODES];
	int used, routes;
	int16_t free;		/* list of free nodes through kid[0] */
};

static struct trie tries[NODES];

struct trie *trie_of_node(int node)
{
	return &tries[node];
}

static int16_t tnode_new(struct trie *t)
{
	int16_t i = t->free;

	if (i)
		t->free = t->node[i].kid[0];
	else if (t->used < TRIE_NODES)
		i = (int16_t)t->used++;
	else
		return -1;
	t->node[i] = (struct tnode){ { 0, 0 }, -1 };
	return i;
}

void trie_reset(struct trie *t)
{
	t->used = 1;
	t->routes = 0;
	t->free = 0;
	t->node[0] = (struct tnode){ { 0, 0 }, -1 };
}

static int bit_of(addr_t a, int depth)
{
	return (int)(a >> (31 - depth) & 1);
}

int trie_insert(struct trie *t, addr_t prefix, int bits, int value)
{
	int16_t at = 0;

	for (int d = 0; d < bits; d++) {
		int b = bit_of(prefix, d);
		if (!t->node[at].kid[b]) {
			int16_t fresh = tnode_new(t);
			if (fresh < 0)
				return -1;
			t->node[at].kid[b] = fresh;
		}
		at = t->node[at].kid[b];
	}
	t->routes += t->node[at].value < 0;
	t->node[at].value = (int16_t)value;
	return 0;
}

/* Returns 1 when the child became empty and was released. */
static int remove_below(struct trie *t, int16_t at, addr_t prefix, int bits, int depth, int *found)
{
	struct tnode *n = &t->node[at];

	if (depth == bits) {
		*found = n->value >= 0;
		n->value = -1;
	} else {
		int b = bit_of(prefix, depth);
		if (!n->kid[b])
			return 0;
		if (remove_below(t, n->kid[b], prefix, bits, depth + 1, found))
			n->kid[b] = 0;
	}
	if (at == 0 || n->value >= 0 || n->kid[0] || n->kid[1])
		return 0;
	n->kid[0] = t->free;
	t->free = at;
	return 1;
}

int trie_remove(struct trie *t, addr_t prefix, int bits)
{
	int found = 0;

	remove_below(t, 0, prefix, bits, 0, &found);
	t->routes -= found;
	return found ? 0 : -1;
}

int trie_lookup(const struct trie *t, addr_t a)
{
	int16_t at = 0;
	int best = t->node[0].value;

	for (int d = 0; d < 32; d++) {
		at = t->node[at].kid[bit_of(a, d)];
		if (!at)
			break;
		if (t->node[at].value >= 0)
			best = t->node[at].value;
	}
	return best;
}

int trie_size(const struct trie *t)
{
	return t->routes;
}

static const char *parse_decimal(const char *s, int max, int *out)
{
	int v = 0, digits = 0;

	while (*s >= '0' && *s <= '9' && digits < 4) {
		v = v * 10 + (*s++ - '0');
		digits++;
	}
	*out = v;
	return digits && v <= max ? s : 0;
}

/* "a.b.c.d/n"; host bits must be clear.  0, or a negative error. */
int parse_prefix(const char *s, addr_t *prefix, int *bits)
{
	addr_t a = 0;
	int v;

	for (int i = 0; i < 4; i++) {
		if (i && *s++ != '.')
			return -1;
		s = parse_decimal(s, 255, &v);
		if (!s)
			return -1;
		a = a << 8 | (addr_t)v;
	}
	*bits = 32;
	if (*s == '/') {
		s = parse_decimal(s + 1, 32, bits);
		if (!s)
			return -2;
	}
	if (*s)
		return -3;
	addr_t mask = *bits ? 0xffffffffu << (32 - *bits) : 0;
	if (a & ~mask)
		return -4;
	*prefix = a;
	return 0;
}
