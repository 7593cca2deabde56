/* main.c - driver: models from standard input, the Klee-Minty cube, random
 * programs certified by duality, and assignment problems.
 * SPDX-License-Identifier: Apache-2.0 */
#include "lp.h"

#include <math.h>
#include <stdio.h>

static int mistakes;
static unsigned long rng = 1234567;

static long draw(long lo, long hi)
{
    rng = (rng * 69069ul + 5ul) & 0xfffffffful;
    return lo + (long)((rng >> 12) % (unsigned long)(hi - lo + 1));
}

static void print_frac(Frac f)
{
    if (f.den == 1)
        printf("%lld", (long long)f.num);
    else
        printf("%lld/%lld", (long long)f.num, (long long)f.den);
}

static bool close_to(double v, Frac f)
{
    double want = (double)f.num / (double)f.den;
    return fabs(v - want) <= 1e-6 * (1 + fabs(want));
}

/* Both solvers must agree, and an optimum must prove itself. */
static bool solve_both(const LpModel *m, LpSolution *s)
{
    LpApprox approx;
    lp_solve_exact(m, s);
    lp_solve_revised(m, &approx);
    if (s->status == LP_OVERFLOW)
        return approx.status == LP_OPTIMAL;
    bool ok = s->status == approx.status;
    if (ok && s->status == LP_OPTIMAL)
        ok = close_to(approx.value, s->value) && lp_certify(m, s);
    if (!ok)
        mistakes++;
    return ok;
}

static void print_solution(const LpModel *m, const LpSolution *s, bool duals)
{
    printf(" value ");
    print_frac(s->value);
    printf(" at");
    for (int j = 0; j < m->nvars; j++)
        if (s->x[j].num) {
            printf(" %s=", m->var[j]);
            print_frac(s->x[j]);
        }
    if (duals) {
        printf(", prices");
        for (int i = 0; i < m->nrows; i++)
            if (s->dual[i].num) {
                printf(" %s:", m->row[i].name);
                print_frac(s->dual[i]);
            }
    }
    printf("\n");
}

static void read_models(void)
{
    LpModel m;
    LpSolution s;
    int r, nodes;
    for (int k = 1; (r = lp_read(&m)) != 0; k++) {
        if (r < 0)
            continue;
        bool ok = solve_both(&m, &s), any = false;
        printf("model %d: %d variables, %d rows: %s, %d pivots%s\n", k, m.nvars,
               m.nrows, lp_status_name(s.status), s.pivots, ok ? "" : " DISAGREE");
        if (s.status == LP_OPTIMAL)
            print_solution(&m, &s, true);
        for (int j = 0; j < m.nvars; j++)
            any |= m.integer[j];
        if (!any || s.status != LP_OPTIMAL)
            continue;
        lp_solve_integer(&m, &s, &nodes);
        printf(" integer: %s, %d nodes\n", lp_status_name(s.status), nodes);
        if (s.status == LP_OPTIMAL)
            print_solution(&m, &s, false);
    }
}

/* The cube on which the largest-coefficient rule visits every vertex. */
static void klee_minty(int n)
{
    LpModel m;
    LpSolution s;
    LpApprox a;
    char name[LP_NAME];
    lp_clear(&m, true);
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "x%d", i % 100);
        m.cost[lp_variable(&m, name)] = 1l << (n - 1 - i);
    }
    long rhs = 5;
    for (int i = 0; i < n; i++, rhs *= 5) {
        LpRow *r = lp_add_row(&m, REL_LE, rhs);
        for (int j = 0; j < i; j++)
            r->a[j] = 1l << (i - j + 1);
        r->a[i] = 1;
    }
    solve_both(&m, &s);
    lp_solve_revised(&m, &a);
    printf("Klee-Minty %2d: %s", n, lp_status_name(s.status));
    if (s.status == LP_OPTIMAL)
        printf(", value %lld", (long long)s.value.num);
    printf(", pivots %d and %d\n", s.pivots, a.pivots);
}

static void random_models(int nvars, int nrows, int count)
{
    int tally[5] = { 0 }, agree = 0;
    Frac total = { 0, 1 };
    for (int k = 0; k < count; k++) {
        LpModel m;
        LpSolution s;
        char name[LP_NAME];
        lp_clear(&m, draw(0, 1));
        for (int j = 0; j < nvars; j++) {
            snprintf(name, sizeof name, "v%d", j % 100);
            m.cost[lp_variable(&m, name)] = draw(-4, 9);
        }
        for (int i = 0; i < nrows; i++) {
            long kind = draw(0, 9);
            LpRow *r = lp_add_row(&m, kind < 8 ? REL_LE : kind == 8 ? REL_GE : REL_EQ,
                                  draw(-2, 40));
            for (int j = 0; j < nvars; j++)
                r->a[j] = draw(0, 2) ? draw(-2, 6) : 0;
        }
        agree += solve_both(&m, &s);
        tally[s.status]++;
        if (s.status == LP_OPTIMAL)     /* a sum of rounded values */
            lp_add_scaled(&total, (Frac){ s.value.num * 100 / s.value.den, 1 }, 1);
    }
    printf("random %dx%d: %d of %d agree;", nrows, nvars, agree, count);
    for (int i = 0; i < 5; i++)
        if (tally[i])
            printf(" %s %d", lp_status_name((LpStatus)i), tally[i]);
    printf("; sum %lld\n", (long long)total.num);
}

/* ---- assignment: the vertices of the program are permutations ---- */

static long best_permutation(long cost[5][5], int n, int row, unsigned used)
{
    long best = 1000000;
    if (row == n)
        return 0;
    for (int c = 0; c < n; c++)
        if (!(used >> c & 1)) {
            long v = cost[row][c] + best_permutation(cost, n, row + 1, used | 1u << c);
            best = v < best ? v : best;
        }
    return best;
}

static void assignments(int n, int count)
{
    int right = 0, whole = 0;
    long sum = 0;
    for (int k = 0; k < count; k++) {
        long cost[5][5];
        LpModel m;
        LpSolution s;
        lp_clear(&m, false);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                char name[LP_NAME] = { (char)('a' + i), (char)('1' + j), '\0' };
                cost[i][j] = draw(1, 30);
                m.cost[lp_variable(&m, name)] = cost[i][j];
            }
        for (int line = 0; line < 2 * n; line++) {
            LpRow *r = lp_add_row(&m, REL_EQ, 1);
            for (int i = 0; i < n; i++)
                r->a[line < n ? line * n + i : i * n + line - n] = 1;
        }
        solve_both(&m, &s);
        long best = best_permutation(cost, n, 0, 0);
        right += s.status == LP_OPTIMAL && s.value.den == 1 && s.value.num == best;
        bool all = true;
        for (int j = 0; j < m.nvars; j++)
            all &= s.x[j].den == 1 && s.x[j].num <= 1;
        whole += all;
        sum += best;
    }
    printf("assignment %dx%d: %d of %d right, %d integral, costs %ld\n", n, n,
           right, count, whole, sum);
    mistakes += right != count;
}

int main(void)
{
    read_models();
    klee_minty(3);
    klee_minty(7);
    klee_minty(12);
    random_models(3, 4, 100);
    random_models(6, 8, 60);
    random_models(12, 14, 20);
    assignments(4, 20);
    assignments(5, 20);
    printf("%d mistakes\n", mistakes);
    return mistakes != 0;
}
