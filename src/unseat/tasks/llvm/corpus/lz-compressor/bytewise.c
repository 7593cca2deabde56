/*
 * bytewise.c - LZ77 in whole bytes: a token (literal count, match length),
 * length extensions of 255s, the literals and a 16-bit distance.
 * Level 0 is greedy, level 1 looks one byte ahead, level 2 searches deeper.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lz.h"

enum { NIBBLE = 15, MAX_MATCH = 1 << 20 };

static const int chain_limits[] = { 4, 16, 200 };

static int put_byte(struct lz_sink *out, unsigned c)
{
	if (out->p == out->end)
		return LZ_E_SPACE;
	*out->p++ = (uint8_t)c;
	return 0;
}

static int put_extension(struct lz_sink *out, uint32_t rest)
{
	for (; rest >= 255; rest -= 255)
		if (put_byte(out, 255))
			return LZ_E_SPACE;
	return put_byte(out, rest);
}

static uint32_t clip(uint32_t v)
{
	return v < NIBBLE ? v : NIBBLE;
}

/* One sequence; a zero-length match marks the end of the stream. */
static int put_sequence(struct lz_sink *out, const uint8_t *lit, uint32_t nlit,
			struct lz_match m)
{
	uint32_t mcode = m.length ? m.length - LZ_MIN_MATCH : 0;
	int err;

	err = put_byte(out, clip(nlit) << 4 | clip(mcode));
	if (!err && nlit >= NIBBLE)
		err = put_extension(out, nlit - NIBBLE);
	if (!err)
		err = lz_put_literals(out, lit, nlit);
	if (err || m.length == 0)
		return err;
	if (put_byte(out, m.distance & 255) || put_byte(out, m.distance >> 8))
		return LZ_E_SPACE;
	if (mcode >= NIBBLE)
		return put_extension(out, mcode - NIBBLE);
	return 0;
}

static void insert_range(struct lz_finder *f, uint32_t from, uint32_t to)
{
	while (from < to)
		lz_finder_insert(f, from++);
}

static lz_result bytewise_compress(struct lz_span in, struct lz_sink out,
				   int level)
{
	static struct lz_finder finder;	/* too large for a stack frame */
	const struct lz_match none = { 0, 0 };
	uint32_t pos = 0, anchor = 0;
	uint32_t size = (uint32_t)(in.end - in.p);
	int err;

	lz_finder_init(&finder, in, LZ_WINDOW - 1, MAX_MATCH,
		       chain_limits[level]);
	while (pos < size) {
		struct lz_match m = lz_finder_search(&finder, pos);

		lz_finder_insert(&finder, pos);
		if (m.length == 0) {
			pos++;
			continue;
		}
		if (level > 0 && pos + 1 < size) {
			struct lz_match later = lz_finder_search(&finder, pos + 1);

			if (later.length > m.length + 1) {
				lz_finder_insert(&finder, ++pos);
				m = later;
			}
		}
		err = put_sequence(&out, in.p + anchor, pos - anchor, m);
		if (err)
			return err;
		insert_range(&finder, pos + 1, pos + m.length);
		pos += m.length;
		anchor = pos;
	}
	err = put_sequence(&out, in.p + anchor, size - anchor, none);
	return err ? err : out.p - out.base;
}

static int get_extension(struct lz_span *in, uint32_t *value)
{
	unsigned c;

	do {
		if (in->p == in->end || *value > (1u << 28))
			return LZ_E_INPUT;
		c = *in->p++;
		*value += c;
	} while (c == 255);
	return 0;
}

static lz_result bytewise_expand(struct lz_span in, struct lz_sink out)
{
	while (in.p < in.end) {
		unsigned token = *in.p++;
		uint32_t nlit = token >> 4, len = token & NIBBLE, dist;
		int err = 0;

		if (nlit == NIBBLE)
			err = get_extension(&in, &nlit);
		if (!err && nlit > (size_t)(in.end - in.p))
			err = LZ_E_INPUT;
		if (!err)
			err = lz_put_literals(&out, in.p, nlit);
		if (err)
			return err;
		in.p += nlit;
		if (in.p == in.end)
			return out.p - out.base;
		if (in.end - in.p < 2)
			return LZ_E_INPUT;
		dist = in.p[0] | (uint32_t)in.p[1] << 8;
		in.p += 2;
		if (len == NIBBLE)
			err = get_extension(&in, &len);
		if (!err)
			err = lz_copy_match(&out, dist, len + LZ_MIN_MATCH);
		if (err)
			return err;
	}
	return LZ_E_INPUT;
}

const struct lz_codec lz_bytewise_codec = {
	"bytewise", bytewise_compress, bytewise_expand, 2
};
