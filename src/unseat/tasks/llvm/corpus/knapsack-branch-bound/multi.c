/* multi.c - several knapsacks at once, and bin packing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "knap.h"

#include <string.h>

typedef struct {
  Instance in; /* sorted */
  int m;
  long room[MULTI_MAX];
  signed char now[KNAP_MAX];
  MultiPacking *best;
  unsigned long nodes;
} Multi;

/* All knapsacks thrown together. */
static long surrogate_bound(const Multi *s, int k) {
  long room = 0;
  for (int i = 0; i < s->m; i++)
    room += s->room[i];
  return bound_fraction(&s->in, k, room);
}

static int same_as_earlier(const Multi *s, int sack) {
  for (int i = 0; i < sack; i++)
    if (s->room[i] == s->room[sack])
      return 1;
  return 0;
}

static void multi_descend(Multi *s, int k, long profit) {
  s->nodes++;
  if (profit > s->best->profit) {
    s->best->profit = profit;
    memcpy(s->best->where, s->now, sizeof s->now);
  }
  if (k == s->in.n || profit + surrogate_bound(s, k) <= s->best->profit)
    return;
  const Item *it = &s->in.item[k];
  for (int i = 0; i < s->m; i++) {
    if (it->weight > s->room[i] || same_as_earlier(s, i))
      continue;
    s->room[i] -= it->weight;
    s->now[k] = (signed char)i;
    multi_descend(s, k + 1, profit + it->profit);
    s->now[k] = -1;
    s->room[i] += it->weight;
  }
  multi_descend(s, k + 1, profit);
}

void solve_multi(const Instance *in, const int *capacity, int m, MultiPacking *out) {
  Multi s;
  int index[KNAP_MAX];
  signed char sorted_where[KNAP_MAX];
  memset(&s, 0, sizeof s);
  instance_sort(in, &s.in, index);
  s.m = m;
  for (int i = 0; i < m; i++)
    s.room[i] = capacity[i];
  memset(s.now, -1, sizeof s.now);
  out->profit = -1;
  s.best = out;
  multi_descend(&s, 0, 0);
  out->nodes = s.nodes;
  memcpy(sorted_where, out->where, sizeof sorted_where);
  for (int i = 0; i < in->n; i++)
    out->where[index[i]] = sorted_where[i];
}

/* ---- bin packing: capacity is that of one bin, profits do not matter ---- */

int bin_lower_bound(const Instance *in) {
  long total = 0;
  int large = 0; /* no two of them share a bin */
  for (int i = 0; i < in->n; i++) {
    total += in->item[i].weight;
    large += in->item[i].weight * 2 > in->capacity;
  }
  int volume = (int)((total + in->capacity - 1) / in->capacity);
  return volume > large ? volume : large;
}

static void heaviest_first(const Instance *in, int *order) {
  for (int i = 0; i < in->n; i++) {
    int k = i;
    while (k > 0 && in->item[order[k - 1]].weight < in->item[i].weight) {
      order[k] = order[k - 1];
      k--;
    }
    order[k] = i;
  }
}

int bin_pack_first_fit(const Instance *in, int *bin) {
  int order[KNAP_MAX], load[KNAP_MAX] = {0}, used = 0;
  heaviest_first(in, order);
  for (int i = 0; i < in->n; i++) {
    int w = in->item[order[i]].weight, b = 0;
    while (load[b] + w > in->capacity)
      b++;
    load[b] += w;
    bin[order[i]] = b;
    used = b + 1 > used ? b + 1 : used;
  }
  return used;
}

typedef struct {
  const Instance *in;
  int order[KNAP_MAX], load[KNAP_MAX], bin[KNAP_MAX];
  int limit; /* bins that may be used */
  long slack; /* space that may stay empty */
  unsigned long nodes;
} Bins;

static int bins_descend(Bins *s, int k, int used) {
  if (k == s->in->n)
    return 1;
  if (++s->nodes > 200000)
    return 0;
  int w = s->in->item[s->order[k]].weight;
  for (int b = 0; b < used + 1 && b < s->limit; b++) {
    int twin = 0;
    for (int e = 0; e < b; e++)
      twin |= s->load[e] == s->load[b];
    if (twin || s->load[b] + w > s->in->capacity)
      continue;
    s->load[b] += w;
    s->bin[s->order[k]] = b;
    if (bins_descend(s, k + 1, b == used ? used + 1 : used))
      return 1;
    s->load[b] -= w;
    if (s->load[b] + w == s->in->capacity)
      return 0; /* a perfect fit need not be undone */
  }
  return 0;
}

int bin_pack_exact(const Instance *in, int *bin, unsigned long *nodes) {
  Bins s;
  int used = bin_pack_first_fit(in, bin), low = bin_lower_bound(in);
  *nodes = 0;
  while (used > low) {
    memset(&s, 0, sizeof s);
    s.in = in;
    s.limit = used - 1;
    heaviest_first(in, s.order);
    int ok = bins_descend(&s, 0, 0);
    *nodes += s.nodes;
    if (!ok)
      break;
    memcpy(bin, s.bin, sizeof s.bin);
    used--;
  }
  return used;
}
