/* instance.c - random instances of several kinds of difficulty.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "knap.h"

#include <stdlib.h>

unsigned random_next(unsigned *state) {
  unsigned x = *state;
  x ^= x << 13;
  x &= 0xffffffffu;
  x ^= x >> 17;
  x ^= x << 5;
  x &= 0xffffffffu;
  return *state = x;
}

static int uniform(unsigned *state, int lo, int hi) {
  return lo + (int)(random_next(state) % (unsigned)(hi - lo + 1));
}

static int make_profit(Kind kind, int weight, int range, unsigned *state) {
  int p;
  switch (kind) {
  case KIND_UNCORRELATED:
    return uniform(state, 1, range);
  case KIND_WEAK:
    p = uniform(state, weight - range / 10, weight + range / 10);
    return p < 1 ? 1 : p;
  case KIND_STRONG:
    return weight + range / 10;
  default:
    return weight;
  }
}

void instance_generate(Instance *in, Kind kind, int n, int range, unsigned seed) {
  unsigned state = seed * 2654435761u + 97u;
  long total = 0;
  in->n = n;
  for (int i = 0; i < n; i++) {
    int w = uniform(&state, 1, range);
    in->item[i].weight = w;
    in->item[i].profit = make_profit(kind, w, range, &state);
    total += w;
  }
  in->capacity = (int)(total / 2);
}

const char *kind_name(Kind k) {
  static const char *const names[KIND_COUNT] = {"uncorrelated", "weak", "strong", "subset"};
  return names[k];
}

static const Instance *sorting; /* qsort has no context argument */

static int by_efficiency(const void *pa, const void *pb) {
  int a = *(const int *)pa, b = *(const int *)pb;
  const Item *x = &sorting->item[a], *y = &sorting->item[b];
  long left = (long)x->profit * y->weight, right = (long)y->profit * x->weight;
  if (left != right)
    return left > right ? -1 : 1;
  if (x->weight != y->weight)
    return y->weight - x->weight;
  return a - b;
}

void instance_sort(const Instance *in, Instance *out, int *index) {
  for (int i = 0; i < in->n; i++)
    index[i] = i;
  sorting = in;
  qsort(index, (size_t)in->n, sizeof *index, by_efficiency);
  sorting = NULL;
  out->n = in->n;
  out->capacity = in->capacity;
  for (int i = 0; i < in->n; i++)
    out->item[i] = in->item[index[i]];
}

int packing_valid(const Instance *in, const Packing *p) {
  long profit = 0, weight = 0;
  for (int i = 0; i < KNAP_MAX; i++) {
    if (!(p->chosen >> i & 1))
      continue;
    if (i >= in->n)
      return 0;
    profit += in->item[i].profit;
    weight += in->item[i].weight;
  }
  return profit == p->profit && weight == p->weight && weight <= in->capacity;
}
