/*
 * rc.h: range encoder and decoder. Symbols are coded by intervals of a total
 * or as single bits with a 16-bit probability.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef RC_H
#define RC_H

#include <stddef.h>
#include <stdint.h>

/* Bytes go out and come in through callbacks. */
typedef struct rc_sink {
  void (*put)(struct rc_sink *, uint8_t byte);
} rc_sink;

typedef struct rc_source {
  int (*get)(struct rc_source *); /* -1 at the end */
} rc_source;

typedef struct rc_encoder {
  rc_sink *sink;
  uint64_t low; /* 33 bits: the top one is a carry */
  uint32_t range;
  uint64_t pending; /* bytes 0xff that a carry could still change */
  int cache;        /* byte before them, or -1 at the start */
} rc_encoder;

typedef struct rc_decoder {
  rc_source *source;
  uint32_t code, range;
  unsigned missing; /* bytes that were wanted after the end */
} rc_decoder;

enum { RC_MAX_TOTAL = 1 << 16, RC_PROB_BITS = 16 };

void rc_enc_init(rc_encoder *e, rc_sink *sink);
void rc_enc_interval(rc_encoder *e, uint32_t start, uint32_t width, uint32_t total);
void rc_enc_bit(rc_encoder *e, int bit, uint32_t p1);
void rc_enc_finish(rc_encoder *e);

void rc_dec_init(rc_decoder *d, rc_source *source);
uint32_t rc_dec_target(rc_decoder *d, uint32_t total); /* then rc_dec_take */
void rc_dec_take(rc_decoder *d, uint32_t start, uint32_t width);
int rc_dec_bit(rc_decoder *d, uint32_t p1);

#endif
