/* bitio.h - growable byte buffer with MSB-first bit reading and writing.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BITIO_H
#define BITIO_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t *data;
    size_t len;
    size_t cap;
} ByteBuf;

typedef struct {
    ByteBuf *out;
    uint32_t acc;   /* pending bits, right aligned */
    unsigned nacc;  /* number of pending bits, always < 8 between calls */
} BitWriter;

typedef struct {
    const uint8_t *p;
    size_t len;
    size_t pos;
    uint64_t acc;
    unsigned nacc;
    int overrun;    /* set once more bits were asked for than exist */
} BitReader;

void bytebuf_init(ByteBuf *b);
void bytebuf_free(ByteBuf *b);
void bytebuf_clear(ByteBuf *b);
void bytebuf_push(ByteBuf *b, uint8_t c);
void bytebuf_append(ByteBuf *b, const void *src, size_t n);

void bw_init(BitWriter *w, ByteBuf *out);
void bw_put(BitWriter *w, uint32_t value, unsigned nbits);
void bw_flush(BitWriter *w);

void br_init(BitReader *r, const uint8_t *p, size_t len);
uint32_t br_peek(BitReader *r, unsigned nbits);
void br_skip(BitReader *r, unsigned nbits);
uint32_t br_get(BitReader *r, unsigned nbits);

#endif
