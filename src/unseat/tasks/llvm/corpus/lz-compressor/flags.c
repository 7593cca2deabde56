/*
 * flags.c - LZSS: groups of eight items behind a flag byte; an item is one
 * literal, or 12 bits of distance and 4 bits of length.
 * Level 1 chooses the cheapest parse by dynamic programming.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lz.h"

#include <stdlib.h>

enum { FL_WINDOW = 4095, FL_MAX = LZ_MIN_MATCH + 15 };

struct group {
	struct lz_sink *out;
	uint8_t *flag;		/* flag byte of the open group */
	int used;
};

static int group_room(struct group *g, size_t bytes)
{
	size_t need = bytes + (g->used == 8);

	if ((size_t)(g->out->end - g->out->p) < need)
		return LZ_E_SPACE;
	if (g->used == 8) {
		g->flag = g->out->p++;
		*g->flag = 0;
		g->used = 0;
	}
	return 0;
}

static int emit_literal(struct group *g, uint8_t c)
{
	if (group_room(g, 1))
		return LZ_E_SPACE;
	g->used++;
	*g->out->p++ = c;
	return 0;
}

static int emit_match(struct group *g, struct lz_match m)
{
	unsigned v = m.distance << 4 | (m.length - LZ_MIN_MATCH);

	if (group_room(g, 2))
		return LZ_E_SPACE;
	*g->flag |= (uint8_t)(1u << g->used++);
	*g->out->p++ = (uint8_t)(v >> 8);
	*g->out->p++ = (uint8_t)v;
	return 0;
}

/* Fill choice[] with a match for each position, by the wanted strategy. */
static void parse_greedy(struct lz_finder *f, struct lz_match *choice)
{
	uint32_t pos, end;

	for (pos = 0; pos < f->size; ) {
		choice[pos] = lz_finder_search(f, pos);
		end = pos + (choice[pos].length ? choice[pos].length : 1);
		while (pos < end)
			lz_finder_insert(f, pos++);
	}
}

static int parse_optimal(struct lz_finder *f, struct lz_match *choice)
{
	uint32_t *cost = malloc((f->size + (size_t)1) * sizeof *cost);
	uint32_t pos;

	if (!cost)
		return LZ_E_SPACE;
	for (pos = 0; pos < f->size; pos++) {
		choice[pos] = lz_finder_search(f, pos);
		lz_finder_insert(f, pos);
	}
	cost[f->size] = 0;
	for (pos = f->size; pos-- > 0; ) {
		uint32_t best = cost[pos + 1] + 9, take = 0, len;

		for (len = LZ_MIN_MATCH; len <= choice[pos].length; len++)
			if (cost[pos + len] + 17 < best) {
				best = cost[pos + len] + 17;
				take = len;
			}
		cost[pos] = best;
		choice[pos].length = take;
	}
	free(cost);
	return 0;
}

static lz_result flags_compress(struct lz_span in, struct lz_sink out, int level)
{
	static struct lz_finder finder;
	struct group g = { &out, NULL, 8 };
	struct lz_match *choice;
	uint32_t pos = 0;
	int err = 0;

	lz_finder_init(&finder, in, FL_WINDOW, FL_MAX, 64);
	choice = calloc(finder.size + (size_t)1, sizeof *choice);
	if (!choice)
		return LZ_E_SPACE;
	if (level == 0)
		parse_greedy(&finder, choice);
	else
		err = parse_optimal(&finder, choice);
	while (!err && pos < finder.size) {
		if (choice[pos].length) {
			err = emit_match(&g, choice[pos]);
			pos += choice[pos].length;
		} else {
			err = emit_literal(&g, in.p[pos++]);
		}
	}
	free(choice);
	return err ? err : out.p - out.base;
}

static lz_result flags_expand(struct lz_span in, struct lz_sink out)
{
	unsigned flag = 1;	/* a sentinel bit ends each group */

	while (in.p < in.end) {
		int err;

		if (flag == 1) {
			flag = *in.p++ | 0x100u;
			continue;
		}
		if (flag & 1) {
			unsigned v;

			if (in.end - in.p < 2)
				return LZ_E_INPUT;
			v = (unsigned)in.p[0] << 8 | in.p[1];
			in.p += 2;
			err = lz_copy_match(&out, v >> 4,
					    (v & 15) + LZ_MIN_MATCH);
		} else {
			err = lz_put_literals(&out, in.p++, 1);
		}
		if (err)
			return err;
		flag >>= 1;
	}
	return out.p - out.base;
}

const struct lz_codec lz_flags_codec = {
	"flags", flags_compress, flags_expand, 1
};
