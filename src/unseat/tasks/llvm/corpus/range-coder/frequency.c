/*
 * frequency.c: byte models with adaptive frequencies of order 0 and 1.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "models.h"

enum { SYMBOLS = 256, LIMIT = 1 << 14 };

/* A Fenwick tree over the symbol counts; index 0 is not used. */
typedef struct table {
  uint16_t tree[SYMBOLS + 1];
  uint16_t total;
  uint16_t step; /* weight of one observation */
} table;

static void tree_add(table *t, int sym, int delta) {
  for (int i = sym + 1; i <= SYMBOLS; i += i & -i)
    t->tree[i] = (uint16_t)(t->tree[i] + delta);
  t->total = (uint16_t)(t->total + delta);
}

/* Sum of the counts of all symbols below sym. */
static uint32_t tree_below(const table *t, int sym) {
  uint32_t sum = 0;
  for (int i = sym; i > 0; i -= i & -i)
    sum += t->tree[i];
  return sum;
}

static uint32_t tree_count(const table *t, int sym) {
  return tree_below(t, sym + 1) - tree_below(t, sym);
}

/* The symbol whose interval holds the target. */
static int tree_find(const table *t, uint32_t target) {
  int at = 0;
  for (int half = SYMBOLS / 2; half; half /= 2)
    if (t->tree[at + half] <= target) {
      at += half;
      target -= t->tree[at];
    }
  return at;
}

static void table_init(table *t, int step) {
  memset(t, 0, sizeof *t);
  t->step = (uint16_t)step;
  for (int s = 0; s < SYMBOLS; s++)
    tree_add(t, s, 1);
}

static void table_halve(table *t) {
  uint16_t count[SYMBOLS];
  for (int s = 0; s < SYMBOLS; s++)
    count[s] = (uint16_t)((tree_count(t, s) + 1) / 2);
  memset(t->tree, 0, sizeof t->tree);
  t->total = 0;
  for (int s = 0; s < SYMBOLS; s++)
    tree_add(t, s, count[s]);
}

static void table_learn(table *t, int sym) {
  tree_add(t, sym, t->step);
  if (t->total > LIMIT)
    table_halve(t);
}

static int table_code(table *t, coder *c, int byte) {
  if (c->enc) {
    rc_enc_interval(c->enc, tree_below(t, byte), tree_count(t, byte), t->total);
  } else {
    byte = tree_find(t, rc_dec_target(c->dec, t->total));
    rc_dec_take(c->dec, tree_below(t, byte), tree_count(t, byte));
  }
  table_learn(t, byte);
  return byte;
}

typedef struct freq_model {
  model base;
  int order;
  int last;
  table tables[]; /* one, or one for each context */
} freq_model;

static int freq_code(model *m, coder *c, int byte) {
  freq_model *f = (freq_model *)m;
  byte = table_code(&f->tables[f->order ? f->last : 0], c, byte);
  f->last = byte;
  return byte;
}

static void freq_destroy(model *m) { free(m); }

static model *freq_new(const char *name, int order, int step) {
  size_t n = order ? SYMBOLS : 1;
  freq_model *f = malloc(sizeof *f + n * sizeof(table));
  if (!f)
    return NULL;
  f->base = (model){name, freq_code, freq_destroy};
  f->order = order;
  f->last = 0;
  while (n--)
    table_init(&f->tables[n], step);
  return &f->base;
}

model *model_order0_new(void) { return freq_new("order-0", 0, 24); }
model *model_order1_new(void) { return freq_new("order-1", 1, 32); }
