/*
 * welch.c - LZW with codes growing from 9 to 13 bits, LSB first, and a
 * clear code when the dictionary is full.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lz.h"

#include <string.h>

enum {
	CODE_CLEAR = 256,
	CODE_END = 257,
	CODE_FIRST = 258,
	BITS_MIN = 9,
	BITS_MAX = 13,
	DICT_SIZE = 1 << BITS_MAX,
	NIL = 0xffff,
};

/* Children of a phrase form a linked list: first[code] -> sibling[...]. */
struct dict {
	uint16_t first[DICT_SIZE], sibling[DICT_SIZE], parent[DICT_SIZE];
	uint8_t last[DICT_SIZE];
	unsigned next;
	unsigned bits;
};

struct codeio {
	uint32_t acc;
	unsigned n;
};

static void dict_clear(struct dict *d)
{
	memset(d->first, 0xff, sizeof d->first);
	d->next = CODE_FIRST;
	d->bits = BITS_MIN;
}

static unsigned dict_child(const struct dict *d, unsigned code, uint8_t c)
{
	unsigned k = d->first[code];

	while (k != NIL && d->last[k] != c)
		k = d->sibling[k];
	return k;
}

static void dict_add(struct dict *d, unsigned parent, uint8_t c)
{
	unsigned k = d->next++;

	d->parent[k] = (uint16_t)parent;
	d->last[k] = c;
	d->sibling[k] = d->first[parent];
	d->first[parent] = (uint16_t)k;
}

static int put_code(struct codeio *io, struct lz_sink *out, unsigned code,
		    unsigned bits)
{
	io->acc |= (uint32_t)code << io->n;
	for (io->n += bits; io->n >= 8; io->n -= 8, io->acc >>= 8) {
		if (out->p == out->end)
			return LZ_E_SPACE;
		*out->p++ = (uint8_t)io->acc;
	}
	return 0;
}

static int get_code(struct codeio *io, struct lz_span *in, unsigned bits)
{
	unsigned code;

	while (io->n < bits) {
		if (in->p == in->end)
			return LZ_E_INPUT;
		io->acc |= (uint32_t)*in->p++ << io->n;
		io->n += 8;
	}
	code = io->acc & ((1u << bits) - 1);
	io->acc >>= bits;
	io->n -= bits;
	return (int)code;
}

/* The writer is one entry ahead of the reader, hence `ahead`. */
static void grow_bits(struct dict *d, unsigned ahead)
{
	if (d->next + ahead > 1u << d->bits && d->bits < BITS_MAX)
		d->bits++;
}

static lz_result welch_compress(struct lz_span in, struct lz_sink out, int level)
{
	static struct dict d;
	struct codeio io = { 0, 0 };
	unsigned cur;

	(void)level;
	dict_clear(&d);
	if (put_code(&io, &out, CODE_CLEAR, d.bits))
		return LZ_E_SPACE;
	for (cur = NIL; in.p < in.end; in.p++) {
		unsigned next = cur == NIL ? *in.p : dict_child(&d, cur, *in.p);

		if (next != NIL) {
			cur = next;
			continue;
		}
		if (put_code(&io, &out, cur, d.bits))
			return LZ_E_SPACE;
		dict_add(&d, cur, *in.p);
		grow_bits(&d, 0);
		if (d.next == DICT_SIZE) {
			if (put_code(&io, &out, CODE_CLEAR, d.bits))
				return LZ_E_SPACE;
			dict_clear(&d);
		}
		cur = *in.p;
	}
	if (cur != NIL) {
		if (put_code(&io, &out, cur, d.bits))
			return LZ_E_SPACE;
		d.next++;
		grow_bits(&d, 0);
	}
	if (put_code(&io, &out, CODE_END, d.bits) ||
	    put_code(&io, &out, 0, (8 - io.n) & 7))
		return LZ_E_SPACE;
	return out.p - out.base;
}

/* Append the phrase of `code`; returns its first byte, or an error. */
static int put_phrase(const struct dict *d, struct lz_sink *out, unsigned code)
{
	uint8_t stack[DICT_SIZE];
	uint8_t *top = stack + DICT_SIZE, *end = top;

	for (; code > 255; code = d->parent[code])
		*--top = d->last[code];
	*--top = (uint8_t)code;
	return lz_put_literals(out, top, (size_t)(end - top)) ? LZ_E_SPACE : *top;
}

static lz_result welch_expand(struct lz_span in, struct lz_sink out)
{
	static struct dict d;
	struct codeio io = { 0, 0 };
	unsigned prev = NIL;
	int head = 0;

	dict_clear(&d);
	for (;;) {
		int code = get_code(&io, &in, d.bits);

		if (code < 0)
			return code;
		if (code == CODE_END)
			return out.p - out.base;
		if (code == CODE_CLEAR) {
			dict_clear(&d);
			prev = NIL;
			continue;
		}
		if (prev == NIL) {
			if (code > 255)
				return LZ_E_CODE;
			head = put_phrase(&d, &out, (unsigned)code);
		} else if ((unsigned)code < d.next) {
			head = put_phrase(&d, &out, (unsigned)code);
			if (head >= 0 && d.next < DICT_SIZE)
				dict_add(&d, prev, (uint8_t)head);
		} else if ((unsigned)code == d.next && d.next < DICT_SIZE) {
			dict_add(&d, prev, (uint8_t)head);
			head = put_phrase(&d, &out, (unsigned)code);
		} else {
			return LZ_E_CODE;
		}
		if (head < 0)
			return head;
		prev = (unsigned)code;
		grow_bits(&d, 1);
	}
}

const struct lz_codec lz_welch_codec = {
	"welch", welch_compress, welch_expand, 0
};
