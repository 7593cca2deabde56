/* bitio.c - growable byte buffer with MSB-first bit reading and writing.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bitio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bytebuf_init(ByteBuf *b)
{
    b->data = NULL;
    b->len = 0;
    b->cap = 0;
}

void bytebuf_free(ByteBuf *b)
{
    free(b->data);
    bytebuf_init(b);
}

void bytebuf_clear(ByteBuf *b)
{
    b->len = 0;
}

static void reserve(ByteBuf *b, size_t extra)
{
    if (b->cap - b->len >= extra)
        return;
    size_t cap = b->cap ? b->cap : 64;
    while (cap - b->len < extra)
        cap *= 2;
    uint8_t *p = realloc(b->data, cap);
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    b->data = p;
    b->cap = cap;
}

void bytebuf_push(ByteBuf *b, uint8_t c)
{
    reserve(b, 1);
    b->data[b->len++] = c;
}

void bytebuf_append(ByteBuf *b, const void *src, size_t n)
{
    if (n == 0)
        return;
    reserve(b, n);
    memcpy(b->data + b->len, src, n);
    b->len += n;
}

void bw_init(BitWriter *w, ByteBuf *out)
{
    w->out = out;
    w->acc = 0;
    w->nacc = 0;
}

static void put_up_to_16(BitWriter *w, uint32_t value, unsigned nbits)
{
    w->acc = (w->acc << nbits) | (value & ((1u << nbits) - 1u));
    w->nacc += nbits;
    while (w->nacc >= 8) {
        w->nacc -= 8;
        bytebuf_push(w->out, (uint8_t)(w->acc >> w->nacc));
    }
    w->acc &= (1u << w->nacc) - 1u;
}

void bw_put(BitWriter *w, uint32_t value, unsigned nbits)
{
    if (nbits > 16) {
        put_up_to_16(w, value >> 16, nbits - 16);
        nbits = 16;
    }
    if (nbits)
        put_up_to_16(w, value, nbits);
}

void bw_flush(BitWriter *w)
{
    if (w->nacc)
        put_up_to_16(w, 0, 8 - w->nacc);
}

void br_init(BitReader *r, const uint8_t *p, size_t len)
{
    r->p = p;
    r->len = len;
    r->pos = 0;
    r->acc = 0;
    r->nacc = 0;
    r->overrun = 0;
}

/* Refill to at least `need` bits; past the end the stream reads as zeros,
 * which lets a table decoder peek a whole index near the end. */
static void refill(BitReader *r, unsigned need)
{
    while (r->nacc < need) {
        uint8_t c = r->pos < r->len ? r->p[r->pos] : 0;
        r->pos++;
        r->acc = (r->acc << 8) | c;
        r->nacc += 8;
    }
}

uint32_t br_peek(BitReader *r, unsigned nbits)
{
    if (nbits == 0)
        return 0;
    refill(r, nbits);
    uint64_t mask = ((uint64_t)1 << nbits) - 1;
    return (uint32_t)((r->acc >> (r->nacc - nbits)) & mask);
}

void br_skip(BitReader *r, unsigned nbits)
{
    refill(r, nbits);
    r->nacc -= nbits;
    /* bytes consumed so far beyond the real end? */
    if (r->pos > r->len && r->nacc / 8 < r->pos - r->len)
        r->overrun = 1;
}

uint32_t br_get(BitReader *r, unsigned nbits)
{
    uint32_t v = br_peek(r, nbits);
    br_skip(r, nbits);
    return v;
}
