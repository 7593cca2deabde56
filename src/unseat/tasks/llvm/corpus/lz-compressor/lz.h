/*
 * lz.h - common interface of the dictionary compressors.
 *
 * A codec works from one caller-owned span to another.  Both directions
 * return the number of bytes produced, or a negative lz_error.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LZ_H
#define LZ_H

#include <stddef.h>
#include <stdint.h>

typedef int64_t lz_result;

enum lz_error {
	LZ_E_SPACE = -1,	/* output span is too small */
	LZ_E_INPUT = -2,	/* input ends early */
	LZ_E_OFFSET = -3,	/* match reaches before the start */
	LZ_E_CODE = -4,		/* impossible code */
};

struct lz_span {
	const uint8_t *p, *end;
};

struct lz_sink {
	uint8_t *base, *p, *end;
};

struct lz_codec {
	const char *name;
	lz_result (*compress)(struct lz_span in, struct lz_sink out, int level);
	lz_result (*expand)(struct lz_span in, struct lz_sink out);
	int max_level;
};

/* Match search, shared by the LZ77 style codecs. */

enum {
	LZ_HASH_BITS = 13,
	LZ_WINDOW_BITS = 16,
	LZ_WINDOW = 1 << LZ_WINDOW_BITS,
	LZ_MIN_MATCH = 4,
};

struct lz_match {
	uint32_t length;	/* 0 when nothing was found */
	uint32_t distance;
};

struct lz_finder {
	const uint8_t *base;
	uint32_t size;
	uint32_t window;	/* greatest usable distance */
	uint32_t max_length;
	int chain_limit;
	int32_t head[1 << LZ_HASH_BITS];
	int32_t prev[LZ_WINDOW];
	uint32_t probes;	/* statistics */
};

void lz_finder_init(struct lz_finder *f, struct lz_span in, uint32_t window,
		    uint32_t max_length, int chain_limit);
void lz_finder_insert(struct lz_finder *f, uint32_t pos);
struct lz_match lz_finder_search(struct lz_finder *f, uint32_t pos);

/* Safe copying into a sink. */
int lz_put_literals(struct lz_sink *out, const uint8_t *src, size_t n);
int lz_copy_match(struct lz_sink *out, uint32_t distance, uint32_t length);

extern const struct lz_codec lz_bytewise_codec;
extern const struct lz_codec lz_flags_codec;
extern const struct lz_codec lz_welch_codec;

const char *lz_strerror(lz_result r);

#endif
