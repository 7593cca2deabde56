/* knap.h - the 0/1 knapsack problem and relatives.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KNAP_H
#define KNAP_H

#include <stddef.h>

#define KNAP_MAX 64

typedef struct {
  int weight, profit;
} Item;

typedef struct {
  int n, capacity;
  Item item[KNAP_MAX];
} Instance;

typedef struct {
  long profit, weight;
  unsigned long long chosen; /* bit i: item i */
  unsigned long work;        /* nodes or table cells */
} Packing;

typedef int (*Solver)(const Instance *, Packing *); /* 0, or -1: gave up */

/* instance.c */
typedef enum { KIND_UNCORRELATED, KIND_WEAK, KIND_STRONG, KIND_SUBSET, KIND_COUNT } Kind;
void instance_generate(Instance *in, Kind kind, int n, int range, unsigned seed);
const char *kind_name(Kind k);
/* Items by falling profit per weight; index[] gets the original numbers. */
void instance_sort(const Instance *in, Instance *out, int *index);
/* Does the packing exist, and has it the value that it claims? */
int packing_valid(const Instance *in, const Packing *p);
unsigned random_next(unsigned *state);

/* bounds.c: upper bounds for the items from k on, in a sorted instance */
typedef long (*Bound)(const Instance *in, int k, long room);
long bound_sum(const Instance *in, int k, long room);
long bound_fraction(const Instance *in, int k, long room); /* Dantzig */
long bound_break(const Instance *in, int k, long room);    /* Martello, Toth */

/* solvers.c */
int solve_greedy(const Instance *in, Packing *out);  /* not optimal */
int solve_table(const Instance *in, Packing *out);   /* dynamic programming */
int solve_depth(const Instance *in, Packing *out);   /* depth first */
int solve_best(const Instance *in, Packing *out);    /* best first */
int solve_halves(const Instance *in, Packing *out);  /* meet in the middle */
int solve_depth_with(const Instance *in, Packing *out, Bound bound);

/* multi.c: several knapsacks, and bin packing built upon it */
#define MULTI_MAX 4
typedef struct {
  long profit;
  signed char where[KNAP_MAX]; /* knapsack of each item or -1 */
  unsigned long nodes;
} MultiPacking;
void solve_multi(const Instance *in, const int *capacity, int m, MultiPacking *out);
int bin_pack_first_fit(const Instance *in, int *bin);
int bin_pack_exact(const Instance *in, int *bin, unsigned long *nodes);
int bin_lower_bound(const Instance *in);

#endif
