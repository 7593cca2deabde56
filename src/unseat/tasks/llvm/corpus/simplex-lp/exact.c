/* exact.c - two-phase simplex method in integers.
 *
 * The tableau holds numerators over one common denominator, which is always
 * the last pivot; each division in a pivot step comes out even, for the
 * entries are determinants of the original matrix. Overflow is detected.
 * SPDX-License-Identifier: Apache-2.0 */
#include "lp.h"

#include <string.h>

typedef struct {
    int64_t t[LP_MAX_ROWS + 2][LP_MAX_COLS + 1];    /* last column: right side */
    int64_t den;
    int basis[LP_MAX_ROWS];
    int m, ncols, first_art;    /* artificial columns come last */
    int unit[LP_MAX_ROWS];      /* identity column of each row */
    int sign[LP_MAX_ROWS];      /* -1 if the row was negated */
    int pivots;
    bool overflow;
} Tableau;

static int64_t gcd64(int64_t a, int64_t b)
{
    while (b) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a < 0 ? -a : a;
}

static bool mul_ok(int64_t a, int64_t b, int64_t *r)
{
    const int64_t lim = INT64_C(3037000499);        /* root of the range */
    if (a >= -lim && a <= lim && b >= -lim && b <= lim) {
        *r = a * b;
        return true;
    }
    if (a == 0 || b == 0) {
        *r = 0;
        return true;
    }
    if (a == INT64_MIN || b == INT64_MIN)
        return false;
    int64_t x = a < 0 ? -a : a, y = b < 0 ? -b : b;
    if (x > INT64_MAX / y)
        return false;
    *r = a * b;
    return true;
}

static bool add_ok(int64_t a, int64_t b, int64_t *r)
{
    if (b > 0 ? a > INT64_MAX - b : a < INT64_MIN + 1 - b)
        return false;
    *r = a + b;
    return true;
}

bool frac_make(int64_t num, int64_t den, Frac *out)
{
    if (den == 0)
        return false;
    int64_t g = gcd64(num, den);
    if (den < 0)
        g = -g;
    out->num = num / g;
    out->den = den / g;
    return true;
}

bool lp_add_scaled(Frac *acc, Frac f, int64_t k)
{
    int64_t p, q, d, sum;
    int64_t g = gcd64(acc->den, f.den);
    return mul_ok(f.num, k, &p) && mul_ok(p, acc->den / g, &p) &&
           mul_ok(acc->num, f.den / g, &q) && add_ok(p, q, &sum) &&
           mul_ok(acc->den / g, f.den, &d) && frac_make(sum, d, acc);
}

int frac_cmp(Frac a, Frac b)
{
    Frac d = a;
    if (!lp_add_scaled(&d, b, -1)) {        /* far apart: compare whole parts */
        int64_t x = a.num / a.den, y = b.num / b.den;
        return (x > y) - (x < y);
    }
    return (d.num > 0) - (d.num < 0);
}

/* ---- tableau ---- */

static void setup(Tableau *t, const LpModel *m)
{
    int n = m->nvars, col = n;
    memset(t, 0, sizeof *t);
    t->den = 1;
    t->m = m->nrows;
    for (int i = 0; i < t->m; i++) {        /* slack or surplus columns */
        const LpRow *r = &m->row[i];
        t->sign[i] = r->rhs < 0 ? -1 : 1;
        for (int j = 0; j < n; j++)
            t->t[i][j] = t->sign[i] * r->a[j];
        t->unit[i] = -1;
        if (r->rel != REL_EQ) {
            int s = r->rel == REL_LE ? t->sign[i] : -t->sign[i];
            t->t[i][col] = s;
            if (s > 0)
                t->unit[i] = col;
            col++;
        }
    }
    t->first_art = col;
    for (int i = 0; i < t->m; i++) {
        if (t->unit[i] < 0) {
            t->t[i][col] = 1;
            t->unit[i] = col++;
        }
        t->basis[i] = t->unit[i];
    }
    t->ncols = col;
    int64_t *z = t->t[t->m], *w = t->t[t->m + 1];
    for (int j = 0; j < n; j++)
        z[j] = m->maximize ? -m->cost[j] : m->cost[j];
    for (int i = 0; i < t->m; i++) {
        t->t[i][col] = t->sign[i] * m->row[i].rhs;
        if (t->basis[i] < t->first_art)
            continue;
        for (int j = 0; j <= col; j++)
            if (j < t->first_art || j == col)
                w[j] -= t->t[i][j];
    }
}

static void pivot(Tableau *t, int r, int c)
{
    int64_t *pr = t->t[r], p = pr[c];
    if (p < 0) {
        for (int j = 0; j <= t->ncols; j++)
            pr[j] = -pr[j];
        p = -p;
    }
    for (int i = 0; i < t->m + 2; i++) {
        int64_t *row = t->t[i], f = row[c];
        if (i == r)
            continue;
        for (int j = 0; j <= t->ncols; j++) {
            int64_t x, y;
            if (!mul_ok(row[j], p, &x) || !mul_ok(f, pr[j], &y) ||
                !add_ok(x, -y, &x)) {
                t->overflow = true;
                return;
            }
            row[j] = x / t->den;
        }
    }
    t->den = p;
    t->basis[r] = c;
    t->pivots++;
}

/* Smallest quotient, ties to the smallest basic variable; -1 if none. */
static int leaving_row(Tableau *t, int c)
{
    int best = -1;
    for (int i = 0; i < t->m; i++) {
        int64_t x, y;
        if (t->t[i][c] <= 0)
            continue;
        if (best < 0) {
            best = i;
            continue;
        }
        if (!mul_ok(t->t[i][t->ncols], t->t[best][c], &x) ||
            !mul_ok(t->t[best][t->ncols], t->t[i][c], &y)) {
            t->overflow = true;
            return -1;
        }
        if (x < y || (x == y && t->basis[i] < t->basis[best]))
            best = i;
    }
    return best;
}

static LpStatus iterate(Tableau *t, int obj)
{
    for (;;) {
        int c = 0;
        while (c < t->first_art && t->t[obj][c] >= 0)
            c++;
        if (c == t->first_art)
            return LP_OPTIMAL;
        int r = leaving_row(t, c);
        if (t->overflow)
            return LP_OVERFLOW;
        if (r < 0)
            return LP_UNBOUNDED;
        pivot(t, r, c);
        if (t->overflow)
            return LP_OVERFLOW;
    }
}

/* Artificial variables left in the basis at zero are exchanged, or their row
 * is redundant and stays as it is. */
static void expel_artificials(Tableau *t)
{
    for (int i = 0; i < t->m && !t->overflow; i++) {
        if (t->basis[i] < t->first_art)
            continue;
        for (int c = 0; c < t->first_art; c++)
            if (t->t[i][c] != 0) {
                pivot(t, i, c);
                break;
            }
    }
}

static void extract(const Tableau *t, const LpModel *m, LpSolution *out)
{
    int flip = m->maximize ? 1 : -1;
    const int64_t *z = t->t[t->m];
    frac_make(flip * z[t->ncols], t->den, &out->value);
    for (int j = 0; j < m->nvars; j++)
        out->x[j] = (Frac){ 0, 1 };
    for (int i = 0; i < t->m; i++) {
        if (t->basis[i] < m->nvars)
            frac_make(t->t[i][t->ncols], t->den, &out->x[t->basis[i]]);
        frac_make(flip * t->sign[i] * z[t->unit[i]], t->den, &out->dual[i]);
    }
}

void lp_solve_exact(const LpModel *m, LpSolution *out)
{
    Tableau t;
    memset(out, 0, sizeof *out);
    setup(&t, m);
    out->status = LP_OPTIMAL;
    if (t.first_art < t.ncols) {
        out->status = iterate(&t, t.m + 1);
        if (out->status == LP_OPTIMAL && t.t[t.m + 1][t.ncols] != 0)
            out->status = LP_INFEASIBLE;
        if (out->status == LP_OPTIMAL)
            expel_artificials(&t);
    }
    if (out->status == LP_OPTIMAL)
        out->status = t.overflow ? LP_OVERFLOW : iterate(&t, t.m);
    out->pivots = t.pivots;
    if (out->status == LP_OPTIMAL)
        extract(&t, m, out);
}

/* ---- certificate ---- */

static bool relation_holds(int cmp, LpRelation rel)
{
    return rel == REL_LE ? cmp <= 0 : rel == REL_GE ? cmp >= 0 : cmp == 0;
}

bool lp_certify(const LpModel *m, const LpSolution *s)
{
    const Frac zero = { 0, 1 };
    Frac sum, dual_value = zero, value = zero;
    int dir = m->maximize ? 1 : -1;
    for (int i = 0; i < m->nrows; i++) {
        const LpRow *r = &m->row[i];
        sum = zero;
        for (int j = 0; j < m->nvars; j++)
            if (!lp_add_scaled(&sum, s->x[j], r->a[j]))
                return false;
        if (!relation_holds(frac_cmp(sum, (Frac){ r->rhs, 1 }), r->rel))
            return false;
        int ysign = dir * frac_cmp(s->dual[i], zero);
        if ((r->rel == REL_LE && ysign < 0) || (r->rel == REL_GE && ysign > 0))
            return false;
        if (!lp_add_scaled(&dual_value, s->dual[i], r->rhs))
            return false;
    }
    for (int j = 0; j < m->nvars; j++) {
        sum = (Frac){ -m->cost[j], 1 };
        for (int i = 0; i < m->nrows; i++)
            if (!lp_add_scaled(&sum, s->dual[i], m->row[i].a[j]))
                return false;
        if (dir * frac_cmp(sum, zero) < 0 || frac_cmp(s->x[j], zero) < 0)
            return false;
        if (!lp_add_scaled(&value, s->x[j], m->cost[j]))
            return false;
    }
    return frac_cmp(value, dual_value) == 0 && frac_cmp(value, s->value) == 0;
}
