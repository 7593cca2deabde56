/* solvers.c - five ways to fill one knapsack.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "knap.h"

#include <stdlib.h>
#include <string.h>

typedef unsigned long long Set;

static void put(const Instance *in, Packing *p, int i) {
  p->chosen |= 1ull << i;
  p->profit += in->item[i].profit;
  p->weight += in->item[i].weight;
}

/* From positions in the sorted instance back to the original numbers. */
static Set translate(Set s, const int *index) {
  Set t = 0;
  for (int i = 0; s; i++, s >>= 1)
    if (s & 1)
      t |= 1ull << index[i];
  return t;
}

int solve_greedy(const Instance *in, Packing *out) {
  Instance sorted;
  int index[KNAP_MAX];
  instance_sort(in, &sorted, index);
  memset(out, 0, sizeof *out);
  for (int i = 0; i < sorted.n; i++) {
    out->work++;
    if (out->weight + sorted.item[i].weight <= sorted.capacity)
      put(&sorted, out, i);
  }
  out->chosen = translate(out->chosen, index);
  return 0;
}

/* ---- dynamic programming: best[c] with a bit for every decision ---- */

int solve_table(const Instance *in, Packing *out) {
  size_t width = (size_t)in->capacity + 1, bytes = (width + 7) / 8;
  long *best = calloc(width, sizeof *best);
  unsigned char *taken = calloc((size_t)in->n, bytes);
  int rc = -1;

  memset(out, 0, sizeof *out);
  if (!best || (!taken && in->n))
    goto done;
  for (int i = 0; i < in->n; i++) {
    int w = in->item[i].weight, p = in->item[i].profit;
    for (int c = in->capacity; c >= w; c--) {
      out->work++;
      if (best[c - w] + p > best[c]) {
        best[c] = best[c - w] + p;
        taken[(size_t)i * bytes + (size_t)c / 8] |= (unsigned char)(1 << c % 8);
      }
    }
  }
  for (int i = in->n - 1, c = in->capacity; i >= 0; i--)
    if (taken[(size_t)i * bytes + (size_t)c / 8] >> c % 8 & 1) {
      put(in, out, i);
      c -= in->item[i].weight;
    }
  rc = 0;
done:
  free(best);
  free(taken);
  return rc;
}

/* ---- depth first ---- */

enum { NODE_LIMIT = 400000 };

typedef struct {
  Instance in;
  Bound bound;
  long best, profit, room;
  Set now, chosen;
  unsigned long nodes;
} Depth;

static int descend(Depth *d, int k) {
  if (++d->nodes > NODE_LIMIT)
    return -1;
  if (d->profit > d->best) {
    d->best = d->profit;
    d->chosen = d->now;
  }
  if (k == d->in.n || d->profit + d->bound(&d->in, k, d->room) <= d->best)
    return 0;
  const Item *it = &d->in.item[k];
  if (it->weight <= d->room) {
    d->room -= it->weight;
    d->profit += it->profit;
    d->now |= 1ull << k;
    int rc = descend(d, k + 1);
    d->now &= ~(1ull << k);
    d->profit -= it->profit;
    d->room += it->weight;
    if (rc)
      return rc;
  }
  return descend(d, k + 1);
}

static void report(const Instance *sorted, const int *index, Set chosen, Packing *out) {
  memset(out, 0, sizeof *out);
  for (int i = 0; i < sorted->n; i++)
    if (chosen >> i & 1)
      put(sorted, out, i);
  out->chosen = translate(chosen, index);
}

int solve_depth_with(const Instance *in, Packing *out, Bound bound) {
  Depth d = {.bound = bound, .best = -1, .room = in->capacity};
  int index[KNAP_MAX];
  instance_sort(in, &d.in, index);
  int rc = descend(&d, 0);
  report(&d.in, index, d.chosen, out);
  out->work = d.nodes;
  return rc;
}

int solve_depth(const Instance *in, Packing *out) {
  return solve_depth_with(in, out, bound_break);
}

/* ---- best first: open nodes in a heap by their bound ---- */

typedef struct {
  long bound, profit, room;
  Set chosen;
  int level;
} Open;

typedef struct {
  Open *at;
  size_t n, cap;
} Queue;

static int before(const Open *a, const Open *b) {
  if (a->bound != b->bound)
    return a->bound > b->bound;
  if (a->level != b->level)
    return a->level > b->level;
  return a->chosen < b->chosen;
}

static int queue_push(Queue *q, Open o) {
  if (q->n == q->cap) {
    size_t cap = q->cap ? 2 * q->cap : 64;
    Open *p = realloc(q->at, cap * sizeof *p);
    if (!p)
      return -1;
    q->at = p;
    q->cap = cap;
  }
  size_t i = q->n++;
  for (; i > 0 && before(&o, &q->at[(i - 1) / 2]); i = (i - 1) / 2)
    q->at[i] = q->at[(i - 1) / 2];
  q->at[i] = o;
  return 0;
}

static Open queue_pop(Queue *q) {
  Open top = q->at[0], last = q->at[--q->n];
  size_t i = 0, kid;
  while ((kid = 2 * i + 1) < q->n) {
    if (kid + 1 < q->n && before(&q->at[kid + 1], &q->at[kid]))
      kid++;
    if (!before(&q->at[kid], &last))
      break;
    q->at[i] = q->at[kid];
    i = kid;
  }
  q->at[i] = last;
  return top;
}

static int branch(const Instance *in, Queue *q, Open o, int take, long *best, Set *chosen) {
  const Item *it = &in->item[o.level];
  if (take) {
    if (it->weight > o.room)
      return 0;
    o.room -= it->weight;
    o.profit += it->profit;
    o.chosen |= 1ull << o.level;
  }
  o.level++;
  if (o.profit > *best) {
    *best = o.profit;
    *chosen = o.chosen;
  }
  o.bound = o.profit + bound_break(in, o.level, o.room);
  return o.bound > *best ? queue_push(q, o) : 0;
}

int solve_best(const Instance *in, Packing *out) {
  Instance sorted;
  int index[KNAP_MAX], rc = 0;
  Queue q = {NULL, 0, 0};
  long best = 0;
  Set chosen = 0;
  unsigned long nodes = 0;

  instance_sort(in, &sorted, index);
  Open root = {bound_break(&sorted, 0, in->capacity), 0, in->capacity, 0, 0};
  rc = queue_push(&q, root);
  while (rc == 0 && q.n > 0) {
    Open o = queue_pop(&q);
    if (o.bound <= best)
      break; /* nothing better is left */
    if (++nodes > NODE_LIMIT)
      rc = -1;
    if (o.level == sorted.n)
      continue;
    for (int take = 1; rc == 0 && take >= 0; take--)
      rc = branch(&sorted, &q, o, take, &best, &chosen);
  }
  free(q.at);
  report(&sorted, index, chosen, out);
  out->work = nodes;
  return rc;
}

/* ---- meet in the middle ---- */

typedef struct {
  long weight, profit;
  Set set;
} Part;

static int by_weight(const void *pa, const void *pb) {
  const Part *a = pa, *b = pb;
  if (a->weight != b->weight)
    return a->weight < b->weight ? -1 : 1;
  if (a->profit != b->profit)
    return a->profit > b->profit ? -1 : 1;
  return a->set < b->set ? -1 : a->set > b->set;
}

/* All subsets of items from ... to-1; each item doubles the list. */
static size_t subsets(const Instance *in, int from, int to, Part *list) {
  size_t n = 1;
  list[0] = (Part){0, 0, 0};
  for (int i = from; i < to; i++, n *= 2)
    for (size_t k = 0; k < n; k++) {
      list[n + k].weight = list[k].weight + in->item[i].weight;
      list[n + k].profit = list[k].profit + in->item[i].profit;
      list[n + k].set = list[k].set | 1ull << i;
    }
  return n;
}

/* Drop what is both heavier and not better. */
static size_t undominated(Part *list, size_t n) {
  size_t keep = 0;
  qsort(list, n, sizeof *list, by_weight);
  for (size_t i = 0; i < n; i++)
    if (keep == 0 || list[i].profit > list[keep - 1].profit)
      list[keep++] = list[i];
  return keep;
}

int solve_halves(const Instance *in, Packing *out) {
  int half = in->n / 2;
  memset(out, 0, sizeof *out);
  if (in->n > 30)
    return -1;
  Part *a = malloc(sizeof *a << half), *b = malloc(sizeof *b << (in->n - half));
  if (!a || !b) {
    free(a);
    free(b);
    return -1;
  }
  size_t na = undominated(a, subsets(in, 0, half, a));
  size_t nb = undominated(b, subsets(in, half, in->n, b));
  const Part *best_a = a, *best_b = b;
  long best = -1;
  for (size_t i = 0, k = nb; i < na; i++) {
    while (k > 0 && a[i].weight + b[k - 1].weight > in->capacity)
      k--;
    if (k == 0)
      break;
    out->work++;
    if (a[i].profit + b[k - 1].profit > best) {
      best = a[i].profit + b[k - 1].profit;
      best_a = &a[i];
      best_b = &b[k - 1];
    }
  }
  Set s = best_a->set | best_b->set;
  for (int i = 0; i < in->n; i++)
    if (s >> i & 1)
      put(in, out, i);
  free(a);
  free(b);
  return 0;
}
