/*
 * mixing.c: bitwise context models: a plain order-2 one, and one that mixes
 * the predictions of several contexts in the logistic domain.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "models.h"

int coder_bit(coder *c, int bit, uint32_t p1) {
  if (!c->enc)
    return rc_dec_bit(c->dec, p1);
  rc_enc_bit(c->enc, bit, p1);
  return bit;
}

/* ---- probabilities of 16 bits that move towards what they see ---- */

static uint32_t usable(uint32_t p) {
  return p < 32 ? 32 : p > 65535 - 32 ? 65535 - 32 : p;
}

static void learn(uint16_t *p, int bit, int rate) {
  if (bit)
    *p = (uint16_t)(*p + ((65535 - *p) >> rate));
  else
    *p = (uint16_t)(*p - (*p >> rate));
}

static void fill(uint16_t *p, size_t n) {
  while (n--)
    *p++ = 32768;
}

/* ---- order 2, hashed ---- */

enum { BW_BITS = 17 };

typedef struct bitwise {
  model base;
  uint32_t history;
  uint16_t prob[1 << BW_BITS];
} bitwise;

static uint32_t context_hash(uint32_t history, int order, int bits) {
  uint32_t kept = order >= 4 ? history : history & ((1u << (8 * order)) - 1);
  return (kept * 0x2c1b3c6du + (uint32_t)order * 0x297a2d39u) >> (32 - bits);
}

static int bitwise_code(model *m, coder *c, int byte) {
  bitwise *b = (bitwise *)m;
  uint32_t base = context_hash(b->history, 2, BW_BITS);
  uint32_t node = 1;
  while (node < 256) {
    uint16_t *p = &b->prob[(base + node * 0x9e5u) & ((1u << BW_BITS) - 1)];
    int bit = coder_bit(c, (int)(byte >> 7 & 1), usable(*p));
    learn(p, bit, 4);
    byte <<= 1;
    node = node << 1 | (uint32_t)bit;
  }
  b->history = b->history << 8 | (node & 255);
  return (int)(node & 255);
}

static void plain_destroy(model *m) { free(m); }

model *model_bitwise_new(void) {
  bitwise *b = malloc(sizeof *b);
  if (!b)
    return NULL;
  b->base = (model){"bitwise", bitwise_code, plain_destroy};
  b->history = 0;
  fill(b->prob, 1 << BW_BITS);
  return &b->base;
}

/* ---- mixing ---- */

enum {
  ORDERS = 5,        /* contexts of 0, 1, 2, 3 and 4 bytes */
  INPUTS = ORDERS + 2, /* and the match, and a constant */
  MIX_BITS = 16,
  MATCH_BITS = 12,
  BUFFER = 1 << 16,
  DOMAIN = 2047
};

typedef struct mixing {
  model base;
  uint32_t history;
  uint16_t prob[ORDERS][1 << MIX_BITS];
  int32_t weight[256][INPUTS]; /* Q16; one set for each partial byte */
  int16_t stretch[4096];
  uint8_t past[BUFFER];
  uint32_t count;                     /* bytes seen */
  uint32_t match_at, match_len;       /* predicted continuation */
  uint32_t last_seen[1 << MATCH_BITS];
  uint16_t match_prob[64]; /* trust by length of the match */
} mixing;

/* Logistic function, Q8 to 12 bits, between the points of a coarse table. */
static int squash(int x) {
  static const int16_t point[17] = {1,    4,    10,   27,   74,   194,  488,  1102, 2048,
                                    2994, 3608, 3902, 4022, 4069, 4086, 4092, 4095};
  if (x > DOMAIN)
    return 4095;
  if (x < -DOMAIN)
    return 1;
  int at = (x + 2048) / 256, part = (x + 2048) % 256;
  return (point[at] * (256 - part) + point[at + 1] * part) / 256;
}

/* The inverse, by running through the arguments once. */
static void build_stretch(int16_t *table) {
  int next = 0;
  for (int x = -DOMAIN; x <= DOMAIN; x++)
    for (int v = squash(x); next <= v; next++)
      table[next] = (int16_t)x;
  for (; next < 4096; next++)
    table[next] = DOMAIN;
}

static int dot(const int32_t *w, const int *x) {
  int64_t sum = 0;
  for (int i = 0; i < INPUTS; i++)
    sum += (int64_t)w[i] * x[i];
  sum /= 65536;
  return sum > DOMAIN ? DOMAIN : sum < -DOMAIN ? -DOMAIN : (int)sum;
}

static void train(int32_t *w, const int *x, int error) {
  for (int i = 0; i < INPUTS; i++)
    w[i] += x[i] * error / 600;
}

/* Bit that the match predicts, or -1; `node` holds the bits so far. */
static int match_bit(const mixing *m, uint32_t node, int nbits) {
  if (m->match_len == 0)
    return -1;
  uint32_t expect = m->past[m->match_at % BUFFER] | 256u;
  if (expect >> (8 - nbits) != node)
    return -1;
  return (int)(expect >> (7 - nbits) & 1);
}

static uint16_t *match_trust(mixing *m) {
  return &m->match_prob[m->match_len < 63 ? m->match_len : 63];
}

static int code_one_bit(mixing *m, coder *c, const uint32_t *base, uint32_t node,
                        int nbits, int bit) {
  uint16_t *slot[ORDERS];
  int x[INPUTS];
  for (int i = 0; i < ORDERS; i++) {
    uint32_t at = (base[i] + node * 0x3d4du) & ((1u << MIX_BITS) - 1);
    slot[i] = &m->prob[i][at];
    x[i] = m->stretch[*slot[i] >> 4];
  }
  int predicted = match_bit(m, node, nbits);
  int trust = predicted < 0 ? 0 : m->stretch[*match_trust(m) >> 4];
  x[ORDERS] = predicted == 0 ? -trust : trust;
  x[ORDERS + 1] = 256;

  int p = squash(dot(m->weight[node], x));
  bit = coder_bit(c, bit, usable((uint32_t)p << 4));
  train(m->weight[node], x, (bit << 12) - p);
  for (int i = 0; i < ORDERS; i++)
    learn(slot[i], bit, i < 2 ? 5 : 3);
  if (predicted >= 0)
    learn(match_trust(m), bit == predicted, 6);
  return bit;
}

static void remember(mixing *m, int byte) {
  m->past[m->count % BUFFER] = (uint8_t)byte;
  if (m->match_len && m->past[m->match_at % BUFFER] == byte) {
    m->match_len++;
    m->match_at++;
  } else {
    m->match_len = 0;
  }
  m->count++;
  m->history = m->history << 8 | (uint32_t)byte;
  uint32_t h = context_hash(m->history, 4, MATCH_BITS);
  if (m->match_len == 0 && m->last_seen[h]) {
    m->match_at = m->last_seen[h];
    m->match_len = 1;
  }
  m->last_seen[h] = m->count;
}

static int mixing_code(model *base, coder *c, int byte) {
  mixing *m = (mixing *)base;
  uint32_t ctx[ORDERS], node = 1;
  for (int i = 0; i < ORDERS; i++)
    ctx[i] = context_hash(m->history, i, MIX_BITS);
  for (int nbits = 0; nbits < 8; nbits++) {
    int bit = code_one_bit(m, c, ctx, node, nbits, byte >> (7 - nbits) & 1);
    node = node << 1 | (uint32_t)bit;
  }
  remember(m, (int)(node & 255));
  return (int)(node & 255);
}

model *model_mixing_new(void) {
  mixing *m = calloc(1, sizeof *m);
  if (!m)
    return NULL;
  m->base = (model){"mixing", mixing_code, plain_destroy};
  fill(&m->prob[0][0], (size_t)ORDERS << MIX_BITS);
  fill(m->match_prob, 64);
  for (int s = 0; s < 256; s++)
    for (int i = 0; i < INPUTS - 1; i++)
      m->weight[s][i] = 65536 * 3 / 10;
  build_stretch(m->stretch);
  return &m->base;
}
