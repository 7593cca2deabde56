/* bounds.c - upper bounds on what the rest of the items can add.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "knap.h"

/* The bluntest: everything fits. */
long bound_sum(const Instance *in, int k, long room) {
  long sum = 0;
  for (; k < in->n; k++)
    if (in->item[k].weight <= room)
      sum += in->item[k].profit;
  return sum;
}

/* Pack whole items as long as they fit; returns the index of the first that
 * does not, the break item. */
static int pack_prefix(const Instance *in, int k, long *room, long *profit) {
  while (k < in->n && in->item[k].weight <= *room) {
    *room -= in->item[k].weight;
    *profit += in->item[k].profit;
    k++;
  }
  return k;
}

/* The break item may be cut. */
long bound_fraction(const Instance *in, int k, long room) {
  long profit = 0;
  int b = pack_prefix(in, k, &room, &profit);
  if (b < in->n)
    profit += room * in->item[b].profit / in->item[b].weight;
  return profit;
}

static long floor_div(long a, long b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

/* Either the break item stays out, and the gap is filled at the rate of the
 * one after it, or it goes in, and space is bought back at the rate of the one
 * before it. */
long bound_break(const Instance *in, int k, long room) {
  long profit = 0, without, with;
  int b = pack_prefix(in, k, &room, &profit);
  if (b >= in->n)
    return profit;
  const Item *at = &in->item[b];
  without = profit;
  if (b + 1 < in->n)
    without += room * in->item[b + 1].profit / in->item[b + 1].weight;
  if (b == k)
    return without > bound_fraction(in, k, room) ? without : bound_fraction(in, k, room);
  const Item *before = &in->item[b - 1];
  with = profit + at->profit +
         floor_div(-(at->weight - room) * (long)before->profit, before->weight);
  return with > without ? with : without;
}
