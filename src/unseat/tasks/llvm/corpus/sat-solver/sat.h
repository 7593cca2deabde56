/* sat.h - a CDCL satisfiability solver for clauses in conjunctive normal form.
 *
 * Variables are numbered from 1 outside, literals are +v and -v as in DIMACS.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SAT_H
#define SAT_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Solver Solver;

typedef enum { SAT_UNKNOWN, SAT_YES, SAT_NO } SatResult;

typedef struct {
    unsigned long decisions, propagations, conflicts, restarts;
    unsigned long learned, literals_saved, reductions, kept;
} SatStats;

Solver *sat_new(void);
void sat_delete(Solver *s);
int sat_new_var(Solver *s);
/* The literals need no terminator; false once the formula is contradictory. */
bool sat_add(Solver *s, const int *lits, int n);
/* Solves under assumptions, giving up after max_conflicts (0: never). */
SatResult sat_solve(Solver *s, const int *assume, int nassume,
                    unsigned long max_conflicts);
bool sat_value(const Solver *s, int var);       /* in the model found */
int sat_num_vars(const Solver *s);
const SatStats *sat_stats(const Solver *s);

#endif
