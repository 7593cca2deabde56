/*
 * models.h: adaptive models. A model codes one byte with an encoder or a
 * decoder and learns from it; both sides stay in step.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef MODELS_H
#define MODELS_H

#include "rc.h"

/* Either direction in one type, so that a model has one code path. */
typedef struct coder {
  rc_encoder *enc; /* one of the two is NULL */
  rc_decoder *dec;
} coder;

typedef struct model model;
struct model {
  const char *name;
  /* codes `byte` when encoding, ignores it when decoding; returns the byte */
  int (*code)(model *, coder *, int byte);
  void (*destroy)(model *);
};

typedef model *(*model_factory)(void);

model *model_order0_new(void);  /* adaptive frequencies in a Fenwick tree */
model *model_order1_new(void);  /* one such table for each previous byte */
model *model_bitwise_new(void); /* binary tree of probabilities, order 2 */
model *model_mixing_new(void);  /* orders 1 to 4 and a match, mixed */

int coder_bit(coder *c, int bit, uint32_t p1);

#endif
