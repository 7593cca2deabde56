/*
 * rc.c: range encoder and decoder with delayed carry.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rc.h"

#define TOP ((uint32_t)1 << 24)

void rc_enc_init(rc_encoder *e, rc_sink *sink) {
  e->sink = sink;
  e->low = 0;
  e->range = UINT32_MAX;
  e->pending = 0;
  e->cache = -1;
}

static void emit_settled(rc_encoder *e, int carry) {
  if (e->cache >= 0)
    e->sink->put(e->sink, (uint8_t)(e->cache + carry));
  for (; e->pending; e->pending--)
    e->sink->put(e->sink, (uint8_t)(0xff + carry));
}

static void shift_low(rc_encoder *e) {
  int carry = (int)(e->low >> 32);
  uint32_t low = (uint32_t)e->low;
  if (carry || low < 0xff000000u) {
    emit_settled(e, carry);
    e->cache = (int)(low >> 24);
  } else {
    e->pending++;
  }
  e->low = (uint64_t)(low & 0xffffffu) << 8;
}

static void enc_normalize(rc_encoder *e) {
  while (e->range < TOP) {
    e->range <<= 8;
    shift_low(e);
  }
}

void rc_enc_interval(rc_encoder *e, uint32_t start, uint32_t width, uint32_t total) {
  uint32_t unit = e->range / total;
  e->low += (uint64_t)unit * start;
  e->range = unit * width;
  enc_normalize(e);
}

void rc_enc_bit(rc_encoder *e, int bit, uint32_t p1) {
  uint32_t bound = (e->range >> RC_PROB_BITS) * p1;
  if (bit) {
    e->range = bound;
  } else {
    e->low += bound;
    e->range -= bound;
  }
  enc_normalize(e);
}

void rc_enc_finish(rc_encoder *e) {
  for (int i = 0; i < 4; i++)
    shift_low(e);
  /* one more settles what is still held back; its own byte is not needed */
  emit_settled(e, (int)(e->low >> 32));
}

static uint32_t next_byte(rc_decoder *d) {
  int c = d->source->get(d->source);
  if (c < 0) {
    d->missing++;
    return 0;
  }
  return (uint32_t)c;
}

void rc_dec_init(rc_decoder *d, rc_source *source) {
  d->source = source;
  d->range = UINT32_MAX;
  d->code = 0;
  d->missing = 0;
  for (int i = 0; i < 4; i++)
    d->code = d->code << 8 | next_byte(d);
}

static void dec_normalize(rc_decoder *d) {
  while (d->range < TOP) {
    d->range <<= 8;
    d->code = d->code << 8 | next_byte(d);
  }
}

uint32_t rc_dec_target(rc_decoder *d, uint32_t total) {
  d->range /= total;
  uint32_t t = d->code / d->range;
  return t < total ? t : total - 1;
}

void rc_dec_take(rc_decoder *d, uint32_t start, uint32_t width) {
  d->code -= start * d->range;
  d->range *= width;
  dec_normalize(d);
}

int rc_dec_bit(rc_decoder *d, uint32_t p1) {
  uint32_t bound = (d->range >> RC_PROB_BITS) * p1;
  int bit = d->code < bound;
  if (bit) {
    d->range = bound;
  } else {
    d->code -= bound;
    d->range -= bound;
  }
  dec_normalize(d);
  return bit;
}
