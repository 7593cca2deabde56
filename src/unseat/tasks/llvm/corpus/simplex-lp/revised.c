/* revised.c - the revised simplex method in floating point: the inverse of
 * the basis is kept explicitly and updated by one elimination a step.
 * SPDX-License-Identifier: Apache-2.0 */
#include "lp.h"

#include <math.h>
#include <string.h>

#define EPS 1e-9
#define MAX_STEPS 2000

typedef struct {
    int m, n, first_art;
    double a[LP_MAX_COLS][LP_MAX_ROWS];     /* by columns */
    double inv[LP_MAX_ROWS][LP_MAX_ROWS];
    double b[LP_MAX_ROWS];                  /* values of the basic variables */
    double cost[LP_MAX_COLS];
    int basis[LP_MAX_ROWS];
    bool basic[LP_MAX_COLS];
    int steps;
} Revised;

static int add_unit(Revised *p, int row, double v)
{
    p->a[p->n][row] = v;
    return p->n++;
}

static void load(Revised *p, const LpModel *m)
{
    int need[LP_MAX_ROWS], nneed = 0;
    memset(p, 0, sizeof *p);
    p->m = m->nrows;
    p->n = m->nvars;
    for (int i = 0; i < p->m; i++) {
        const LpRow *r = &m->row[i];
        double s = r->rhs < 0 ? -1 : 1;
        for (int j = 0; j < m->nvars; j++)
            p->a[j][i] = s * (double)r->a[j];
        p->b[i] = s * (double)r->rhs;
        p->inv[i][i] = 1;
        double slack = r->rel == REL_EQ ? 0 : r->rel == REL_LE ? s : -s;
        int col = slack != 0 ? add_unit(p, i, slack) : -1;
        if (slack > 0)
            p->basis[i] = col;
        else
            need[nneed++] = i;
    }
    p->first_art = p->n;
    for (int k = 0; k < nneed; k++)
        p->basis[need[k]] = add_unit(p, need[k], 1);
    for (int i = 0; i < p->m; i++)
        p->basic[p->basis[i]] = true;
}

static void multipliers(const Revised *p, double *y)
{
    for (int k = 0; k < p->m; k++)
        y[k] = 0;
    for (int i = 0; i < p->m; i++) {
        double c = p->cost[p->basis[i]];
        if (c != 0)
            for (int k = 0; k < p->m; k++)
                y[k] += c * p->inv[i][k];
    }
}

static double reduced_cost(const Revised *p, const double *y, int j)
{
    double d = p->cost[j];
    for (int i = 0; i < p->m; i++)
        d -= y[i] * p->a[j][i];
    return d;
}

/* Largest reduced cost; after many steps the first positive one, which
 * cannot cycle. */
static int entering(const Revised *p, int limit)
{
    double y[LP_MAX_ROWS], best = EPS;
    int at = -1;
    multipliers(p, y);
    for (int j = 0; j < limit; j++) {
        if (p->basic[j])
            continue;
        double d = reduced_cost(p, y, j);
        if (d > best) {
            at = j;
            best = d;
            if (p->steps > MAX_STEPS / 4)
                break;
        }
    }
    return at;
}

static void ftran(const Revised *p, int j, double *u)
{
    for (int i = 0; i < p->m; i++) {
        double s = 0;
        for (int k = 0; k < p->m; k++)
            s += p->inv[i][k] * p->a[j][k];
        u[i] = s;
    }
}

static int ratio_test(const Revised *p, const double *u)
{
    int best = -1;
    double least = 0;
    for (int i = 0; i < p->m; i++) {
        if (u[i] <= EPS)
            continue;
        double q = p->b[i] / u[i];
        if (best < 0 || q < least - EPS ||
            (q < least + EPS && p->basis[i] < p->basis[best])) {
            best = i;
            least = q;
        }
    }
    return best;
}

static void exchange(Revised *p, int r, int j, const double *u)
{
    for (int k = 0; k < p->m; k++)
        p->inv[r][k] /= u[r];
    p->b[r] /= u[r];
    for (int i = 0; i < p->m; i++) {
        if (i == r || u[i] == 0)
            continue;
        for (int k = 0; k < p->m; k++)
            p->inv[i][k] -= u[i] * p->inv[r][k];
        p->b[i] -= u[i] * p->b[r];
        if (p->b[i] < 0 && p->b[i] > -EPS)
            p->b[i] = 0;
    }
    p->basic[p->basis[r]] = false;
    p->basic[j] = true;
    p->basis[r] = j;
    p->steps++;
}

static LpStatus maximize(Revised *p)
{
    double u[LP_MAX_ROWS];
    while (p->steps < MAX_STEPS) {
        int j = entering(p, p->first_art);
        if (j < 0)
            return LP_OPTIMAL;
        ftran(p, j, u);
        int r = ratio_test(p, u);
        if (r < 0)
            return LP_UNBOUNDED;
        exchange(p, r, j, u);
    }
    return LP_LIMIT;
}

static double objective(const Revised *p)
{
    double v = 0;
    for (int i = 0; i < p->m; i++)
        v += p->cost[p->basis[i]] * p->b[i];
    return v;
}

static void expel(Revised *p)
{
    double u[LP_MAX_ROWS];
    for (int i = 0; i < p->m; i++) {
        if (p->basis[i] < p->first_art)
            continue;
        for (int j = 0; j < p->first_art; j++) {
            if (p->basic[j])
                continue;
            ftran(p, j, u);
            if (fabs(u[i]) > 1e-7) {
                exchange(p, i, j, u);
                break;
            }
        }
    }
}

void lp_solve_revised(const LpModel *m, LpApprox *out)
{
    static Revised p;
    memset(out, 0, sizeof *out);
    load(&p, m);
    for (int j = p.first_art; j < p.n; j++)
        p.cost[j] = -1;
    if (p.first_art < p.n) {
        out->status = maximize(&p);
        if (out->status == LP_OPTIMAL && objective(&p) < -1e-6)
            out->status = LP_INFEASIBLE;
        if (out->status != LP_OPTIMAL)
            return;
        expel(&p);
        for (int j = p.first_art; j < p.n; j++)
            p.cost[j] = 0;
    }
    for (int j = 0; j < m->nvars; j++)
        p.cost[j] = m->maximize ? (double)m->cost[j] : -(double)m->cost[j];
    out->status = maximize(&p);
    out->value = m->maximize ? objective(&p) : -objective(&p);
    out->pivots = p.steps;
    for (int i = 0; i < p.m; i++)
        if (p.basis[i] < m->nvars)
            out->x[p.basis[i]] = p.b[i];
}
