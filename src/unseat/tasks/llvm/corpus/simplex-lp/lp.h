/* lp.h - small linear programs: the model, a text reader, and two solvers.
 *
 * Everything is of fixed size, so that nothing is ever allocated.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LP_H
#define LP_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LP_MAX_VARS = 26,
    LP_MAX_ROWS = 30,
    LP_MAX_COLS = LP_MAX_VARS + 2 * LP_MAX_ROWS,    /* slacks, artificials */
    LP_NAME = 8
};

typedef enum { REL_LE, REL_GE, REL_EQ } LpRelation;

typedef struct {
    long a[LP_MAX_VARS];
    LpRelation rel;
    long rhs;
    char name[LP_NAME];
} LpRow;

typedef struct {
    bool maximize;
    int nvars, nrows;
    long cost[LP_MAX_VARS];
    bool integer[LP_MAX_VARS];
    char var[LP_MAX_VARS][LP_NAME];
    LpRow row[LP_MAX_ROWS];
} LpModel;                      /* all variables are >= 0 */

typedef enum {
    LP_OPTIMAL, LP_INFEASIBLE, LP_UNBOUNDED, LP_OVERFLOW, LP_LIMIT
} LpStatus;

typedef struct {
    int64_t num, den;           /* lowest terms, den > 0 */
} Frac;

typedef struct {
    LpStatus status;
    Frac value;
    Frac x[LP_MAX_VARS];
    Frac dual[LP_MAX_ROWS];
    int pivots;
} LpSolution;

typedef struct {
    LpStatus status;
    double value;
    double x[LP_MAX_VARS];
    int pivots;
} LpApprox;

/* model.c */
void lp_clear(LpModel *m, bool maximize);
int lp_variable(LpModel *m, const char *name);      /* finds or adds; -1 full */
LpRow *lp_add_row(LpModel *m, LpRelation rel, long rhs);
const char *lp_status_name(LpStatus s);
/* Reads the next model from stdin. 1 ok, 0 end of file, -1 error (reported
 * on stdout; the rest of that model is skipped). */
int lp_read(LpModel *m);

/* exact.c: integer pivoting, Bland's rule */
void lp_solve_exact(const LpModel *m, LpSolution *out);
bool frac_make(int64_t num, int64_t den, Frac *out);
bool lp_add_scaled(Frac *acc, Frac f, int64_t k);   /* acc += f * k */
int frac_cmp(Frac a, Frac b);
/* Feasible, dual feasible and of equal value? */
bool lp_certify(const LpModel *m, const LpSolution *s);

/* revised.c: floating point, explicit basis inverse, steepest cost */
void lp_solve_revised(const LpModel *m, LpApprox *out);

/* branch.c: integer variables, by branch and bound over lp_solve_exact */
void lp_solve_integer(const LpModel *m, LpSolution *best, int *nodes);

#endif
