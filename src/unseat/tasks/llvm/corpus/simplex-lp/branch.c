/* branch.c - branch and bound for integer variables.
 * SPDX-License-Identifier: Apache-2.0 */
#include "lp.h"

#include <stddef.h>

enum { NODE_LIMIT = 5000 };

typedef struct {
    LpModel m;                  /* grows and shrinks along the recursion */
    LpSolution *best;
    bool found;
    int nodes;
    LpStatus trouble;           /* a reason to distrust the result */
} Search;

static int first_fractional(const LpModel *m, const LpSolution *s)
{
    for (int j = 0; j < m->nvars; j++)
        if (m->integer[j] && s->x[j].den != 1)
            return j;
    return -1;
}

static bool improves(const Search *s, const LpSolution *sol)
{
    if (!s->found)
        return true;
    int c = frac_cmp(sol->value, s->best->value);
    return s->m.maximize ? c > 0 : c < 0;
}

static void explore(Search *s);

static void with_bound(Search *s, int var, LpRelation rel, long rhs)
{
    LpRow *r = lp_add_row(&s->m, rel, rhs);
    if (!r) {
        s->trouble = LP_LIMIT;
        return;
    }
    r->a[var] = 1;
    explore(s);
    s->m.nrows--;
}

static void explore(Search *s)
{
    LpSolution sol;
    if (s->trouble != LP_OPTIMAL)
        return;
    if (++s->nodes > NODE_LIMIT) {
        s->trouble = LP_LIMIT;
        return;
    }
    lp_solve_exact(&s->m, &sol);
    if (sol.status == LP_INFEASIBLE)
        return;
    if (sol.status != LP_OPTIMAL) {
        s->trouble = sol.status;
        return;
    }
    if (!improves(s, &sol))
        return;
    int j = first_fractional(&s->m, &sol);
    if (j < 0) {
        *s->best = sol;
        s->found = true;
        return;
    }
    long floor_x = (long)(sol.x[j].num / sol.x[j].den);     /* x >= 0 */
    with_bound(s, j, REL_LE, floor_x);
    with_bound(s, j, REL_GE, floor_x + 1);
}

void lp_solve_integer(const LpModel *m, LpSolution *best, int *nodes)
{
    static Search s;
    s = (Search){ .m = *m, .best = best, .trouble = LP_OPTIMAL };
    explore(&s);
    if (s.trouble != LP_OPTIMAL)
        best->status = s.trouble;
    else
        best->status = s.found ? LP_OPTIMAL : LP_INFEASIBLE;
    *nodes = s.nodes;
}
