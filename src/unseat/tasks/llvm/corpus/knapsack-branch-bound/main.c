/* main.c - driver: all solvers against each other on several kinds of
 * instances, the worth of the bounds, several knapsacks and bins.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "knap.h"

#include <stdio.h>
#include <string.h>

static int mistakes;

static const struct {
  const char *name;
  Solver solve;
  int exact;
} solvers[] = {
    {"greedy", solve_greedy, 0}, {"table", solve_table, 1}, {"depth", solve_depth, 1},
    {"best", solve_best, 1},     {"halves", solve_halves, 1},
};
enum { NSOLVERS = sizeof solvers / sizeof solvers[0] };

static void check(int ok, const char *what) {
  if (!ok) {
    printf("  MISTAKE: %s\n", what);
    mistakes++;
  }
}

static void print_set(unsigned long long s) {
  const char *sep = "";
  printf("{");
  for (int i = 0; s; i++, s >>= 1)
    if (s & 1) {
      printf("%s%d", sep, i);
      sep = " ";
    }
  printf("}");
}

/* Optima that are known from the literature or by plain thought. */
static void textbook(void) {
  static const Instance ten = {10, 165,
                               {{23, 92}, {31, 57}, {29, 49}, {44, 68}, {53, 60},
                                {38, 43}, {63, 67}, {85, 84}, {89, 87}, {82, 72}}};
  static const Instance fifteen = {
      15, 750, {{70, 135}, {73, 139}, {77, 149}, {80, 150}, {82, 156}, {87, 163}, {90, 173},
                {94, 184}, {98, 192}, {106, 201}, {110, 210}, {113, 214}, {115, 221},
                {118, 229}, {120, 240}}};
  static const Instance none = {3, 5, {{6, 10}, {7, 20}, {8, 30}}};
  static const struct {
    const Instance *in;
    long best;
  } known[] = {{&ten, 309}, {&fifteen, 1458}, {&none, 0}};

  for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
    Packing p;
    solve_depth(known[k].in, &p);
    printf("textbook %lu: profit %ld weight %ld ", (unsigned long)k + 1, p.profit, p.weight);
    print_set(p.chosen);
    printf("\n");
    for (int s = 1; s < NSOLVERS; s++) {
      check(solvers[s].solve(known[k].in, &p) == 0, "solver gave up");
      check(p.profit == known[k].best && packing_valid(known[k].in, &p), solvers[s].name);
    }
  }
}

static void compare(Kind kind, int n, int range, unsigned rounds) {
  unsigned long work[NSOLVERS] = {0}, gave_up[NSOLVERS] = {0};
  long total[NSOLVERS] = {0};
  for (unsigned r = 1; r <= rounds; r++) {
    Instance in;
    Packing p;
    long best = -1;
    instance_generate(&in, kind, n, range, r * 31 + (unsigned)kind);
    for (int s = NSOLVERS - 1; s >= 0; s--) {
      int rc = solvers[s].solve(&in, &p);
      work[s] += p.work;
      gave_up[s] += rc != 0;
      if (rc)
        continue;
      total[s] += p.profit;
      check(packing_valid(&in, &p), "packing is not valid");
      if (!solvers[s].exact)
        check(p.profit <= best, "greedy beats the optimum");
      else if (best >= 0)
        check(p.profit == best, solvers[s].name);
      else
        best = p.profit;
    }
  }
  printf("%s, %d items up to %d\n", kind_name(kind), n, range);
  for (int s = 0; s < NSOLVERS; s++) {
    printf("  %-7s profit %7ld work %8lu", solvers[s].name, total[s], work[s]);
    if (gave_up[s])
      printf(" gave up %lu", gave_up[s]);
    printf("\n");
  }
}

static void compare_bounds(void) {
  static const struct {
    const char *name;
    Bound bound;
  } bounds[] = {{"sum", bound_sum}, {"fraction", bound_fraction}, {"break", bound_break}};
  Instance in, sorted;
  int index[KNAP_MAX];
  for (int kind = 0; kind < KIND_STRONG; kind++) {
    instance_generate(&in, (Kind)kind, 22, 100, 5);
    instance_sort(&in, &sorted, index);
    printf("bounds, %s:", kind_name((Kind)kind));
    for (int b = 0; b < 3; b++) {
      Packing p;
      int rc = solve_depth_with(&in, &p, bounds[b].bound);
      printf(" %s %ld, %lu nodes%s;", bounds[b].name, bounds[b].bound(&sorted, 0, in.capacity),
             p.work, rc ? " (gave up)" : "");
    }
    printf("\n");
  }
}

static long check_multi(const Instance *in, const int *cap, int m, const MultiPacking *p) {
  long load[MULTI_MAX] = {0}, profit = 0;
  for (int i = 0; i < in->n; i++)
    if (p->where[i] >= 0) {
      load[p->where[i]] += in->item[i].weight;
      profit += in->item[i].profit;
    }
  for (int i = 0; i < m; i++)
    check(load[i] <= cap[i], "a knapsack is too full");
  return profit;
}

/* One sack after the other, by table, is a lower bound. */
static long sack_by_sack(const Instance *in, const int *cap, int m) {
  Instance rest = *in;
  long profit = 0;
  for (int i = 0; i < m; i++) {
    Packing p;
    int keep = 0;
    rest.capacity = cap[i];
    if (solve_table(&rest, &p) != 0)
      return -1;
    profit += p.profit;
    for (int k = 0; k < rest.n; k++)
      if (!(p.chosen >> k & 1))
        rest.item[keep++] = rest.item[k];
    rest.n = keep;
  }
  return profit;
}

static void several(void) {
  for (unsigned seed = 1; seed <= 5; seed++) {
    Instance in;
    MultiPacking p;
    int m = 2 + (int)seed % 3, cap[MULTI_MAX];
    instance_generate(&in, KIND_UNCORRELATED, 14 + (int)seed, 40, seed + 400);
    for (int i = 0; i < m; i++)
      cap[i] = in.capacity / m + 3 * i;
    solve_multi(&in, cap, m, &p);
    long stepwise = sack_by_sack(&in, cap, m);
    check(check_multi(&in, cap, m, &p) == p.profit, "profit is wrong");
    check(stepwise <= p.profit, "not optimal");
    printf("%d knapsacks, %d items: profit %ld (one by one %ld), %lu nodes\n", m, in.n, p.profit,
           stepwise, p.nodes);
  }
}

static void bins(void) {
  int first_total = 0, exact_total = 0, bound_total = 0;
  unsigned long node_total = 0;
  for (unsigned seed = 1; seed <= 12; seed++) {
    Instance in;
    int bin[KNAP_MAX], load[KNAP_MAX] = {0};
    unsigned long nodes;
    instance_generate(&in, KIND_SUBSET, 24, 60, seed + 90);
    for (int i = 0; i < in.n; i++)
      in.item[i].weight += 15;
    in.capacity = 100;
    int first = bin_pack_first_fit(&in, bin), used = bin_pack_exact(&in, bin, &nodes);
    for (int i = 0; i < in.n; i++) {
      load[bin[i]] += in.item[i].weight;
      check(bin[i] < used, "too many bins");
      check(load[bin[i]] <= in.capacity, "a bin is too full");
    }
    first_total += first;
    exact_total += used;
    bound_total += bin_lower_bound(&in);
    node_total += nodes;
  }
  printf("bins: bound %d, exact %d, first fit %d, %lu nodes\n", bound_total, exact_total,
         first_total, node_total);
}

int main(void) {
  textbook();
  for (int kind = 0; kind < KIND_COUNT; kind++)
    compare((Kind)kind, 24, 100, 3);
  compare(KIND_UNCORRELATED, 60, 200, 3);
  compare(KIND_WEAK, 50, 120, 3);
  compare_bounds();
  several();
  bins();
  printf("%d mistakes\n", mistakes);
  return mistakes != 0;
}
