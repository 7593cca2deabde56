/*
 * match.c - hash-chain match finder and the copying primitives.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lz.h"

#include <string.h>

static inline uint32_t load32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static inline uint32_t hash4(const uint8_t *p)
{
	return (load32(p) * 0x9E3779B1u) >> (32 - LZ_HASH_BITS);
}

void lz_finder_init(struct lz_finder *f, struct lz_span in, uint32_t window,
		    uint32_t max_length, int chain_limit)
{
	f->base = in.p;
	f->size = (uint32_t)(in.end - in.p);
	f->window = window < LZ_WINDOW ? window : LZ_WINDOW - 1;
	f->max_length = max_length;
	f->chain_limit = chain_limit;
	f->probes = 0;
	memset(f->head, 0xff, sizeof f->head);
	memset(f->prev, 0xff, sizeof f->prev);
}

void lz_finder_insert(struct lz_finder *f, uint32_t pos)
{
	uint32_t h;

	if (f->size - pos < LZ_MIN_MATCH)
		return;
	h = hash4(f->base + pos);
	f->prev[pos & (LZ_WINDOW - 1)] = f->head[h];
	f->head[h] = (int32_t)pos;
}

static uint32_t common_length(const uint8_t *a, const uint8_t *b, uint32_t max)
{
	uint32_t n = 0;

	while (n + 4 <= max) {
		if (load32(a + n) != load32(b + n))
			break;
		n += 4;
	}
	while (n < max && a[n] == b[n])
		n++;
	return n;
}

struct lz_match lz_finder_search(struct lz_finder *f, uint32_t pos)
{
	struct lz_match best = { 0, 0 };
	uint32_t room = f->size - pos;
	const uint8_t *here = f->base + pos;
	int32_t cand;
	int tries;

	if (room < LZ_MIN_MATCH)
		return best;
	if (room > f->max_length)
		room = f->max_length;
	cand = f->head[hash4(here)];
	for (tries = f->chain_limit; tries > 0 && cand >= 0; tries--) {
		uint32_t dist = pos - (uint32_t)cand;
		const uint8_t *there = f->base + cand;
		int32_t next;

		if (dist > f->window)
			break;
		f->probes++;
		/* cheap reject: the byte that would make it longer */
		if (best.length == 0 || there[best.length] == here[best.length]) {
			uint32_t len = common_length(here, there, room);

			if (len >= LZ_MIN_MATCH && len > best.length) {
				best.length = len;
				best.distance = dist;
				if (len == room)
					break;
			}
		}
		next = f->prev[(uint32_t)cand & (LZ_WINDOW - 1)];
		if (next >= cand)	/* overwritten slot */
			break;
		cand = next;
	}
	return best;
}

int lz_put_literals(struct lz_sink *out, const uint8_t *src, size_t n)
{
	if ((size_t)(out->end - out->p) < n)
		return LZ_E_SPACE;
	if (n)
		memcpy(out->p, src, n);
	out->p += n;
	return 0;
}

int lz_copy_match(struct lz_sink *out, uint32_t distance, uint32_t length)
{
	const uint8_t *src;

	if (distance == 0 || distance > (size_t)(out->p - out->base))
		return LZ_E_OFFSET;
	if (length > (size_t)(out->end - out->p))
		return LZ_E_SPACE;
	src = out->p - distance;
	if (distance >= length) {
		memcpy(out->p, src, length);
		out->p += length;
	} else {
		while (length--)	/* overlapping: repeats itself */
			*out->p++ = *src++;
	}
	return 0;
}

const char *lz_strerror(lz_result r)
{
	switch (r) {
	case LZ_E_SPACE:
		return "no space";
	case LZ_E_INPUT:
		return "input ends early";
	case LZ_E_OFFSET:
		return "bad offset";
	case LZ_E_CODE:
		return "bad code";
	default:
		return r >= 0 ? "ok" : "unknown error";
	}
}
