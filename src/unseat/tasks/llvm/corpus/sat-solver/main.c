/* main.c - driver: DIMACS formulas from standard input and classic puzzles
 * turned into clauses; every model is checked against the clauses.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sat.h"
#include "vec.h"

static const char *const answer[] = { "unknown", "satisfiable", "unsatisfiable" };
static int mistakes;

/* A formula remembers its clauses, so that models can be verified. */
typedef struct {
    Solver *solver;
    IntVec lits;                /* zero-terminated clauses */
    IntVec open;                /* clause under construction */
} Formula;

static Formula formula_new(int nvars)
{
    Formula f = { .solver = sat_new() };
    while (nvars-- > 0)
        sat_new_var(f.solver);
    return f;
}

static void formula_free(Formula *f)
{
    sat_delete(f->solver);
    vec_free(&f->lits);
    vec_free(&f->open);
}

static void lit(Formula *f, int x)
{
    vec_push(&f->open, x);
}

static void end_clause(Formula *f)
{
    for (int i = 0; i < f->open.n; i++)
        vec_push(&f->lits, f->open.at[i]);
    vec_push(&f->lits, 0);
    sat_add(f->solver, f->open.at, f->open.n);
    f->open.n = 0;
}

static void clause2(Formula *f, int a, int b)
{
    lit(f, a);
    lit(f, b);
    end_clause(f);
}

static void at_most_one(Formula *f, const int *x, int n)
{
    for (int i = 0; i < n; i++)
        for (int k = i + 1; k < n; k++)
            clause2(f, -x[i], -x[k]);
}

static void exactly_one(Formula *f, const int *x, int n)
{
    for (int i = 0; i < n; i++)
        lit(f, x[i]);
    end_clause(f);
    at_most_one(f, x, n);
}

static bool model_holds(const Formula *f)
{
    bool any = false;
    for (int i = 0; i < f->lits.n; i++) {
        int x = f->lits.at[i];
        if (x == 0) {
            if (!any)
                return false;
            any = false;
        } else if (sat_value(f->solver, abs(x)) == (x > 0)) {
            any = true;
        }
    }
    return true;
}

static SatResult run(Formula *f, const char *name, SatResult want)
{
    SatResult r = sat_solve(f->solver, NULL, 0, 0);
    const SatStats *st = sat_stats(f->solver);
    printf("%-22s %-13s %6lu conflicts %6lu decisions %3lu restarts\n", name,
           answer[r], st->conflicts, st->decisions, st->restarts);
    if (want != SAT_UNKNOWN && r != want) {
        printf("  expected %s\n", answer[want]);
        mistakes++;
    }
    if (r == SAT_YES && !model_holds(f)) {
        printf("  MODEL VIOLATES A CLAUSE\n");
        mistakes++;
    }
    return r;
}

/* ---- generated problems ---- */

static uint64_t rng = 0x853c49e6748fea9bu;

static uint32_t next_rand(void)         /* xorshift64* */
{
    rng ^= rng >> 12;
    rng ^= rng << 25;
    rng ^= rng >> 27;
    return (uint32_t)(rng * 0x2545F4914F6CDD1Du >> 32);
}

static void pigeons(int n, int holes)
{
    char name[32];
    int col[16];
    Formula f = formula_new(n * holes);
    for (int p = 0; p < n; p++) {
        for (int h = 0; h < holes; h++)
            lit(&f, p * holes + h + 1);
        end_clause(&f);
    }
    for (int h = 0; h < holes; h++) {
        for (int p = 0; p < n; p++)
            col[p] = p * holes + h + 1;
        at_most_one(&f, col, n);
    }
    snprintf(name, sizeof name, "pigeons %d in %d", n, holes);
    run(&f, name, n > holes ? SAT_NO : SAT_YES);
    formula_free(&f);
}

static void queens(int n)
{
    char name[32];
    int line[16], k;
    Formula f = formula_new(n * n);
    for (int i = 0; i < n; i++) {
        for (k = 0; k < n; k++)
            line[k] = i * n + k + 1;
        exactly_one(&f, line, n);
        for (k = 0; k < n; k++)
            line[k] = k * n + i + 1;
        exactly_one(&f, line, n);
    }
    for (int d = 1 - n; d < 2 * n - 1; d++) {
        int up = 0, down = 0, line2[16];
        for (int r = 0; r < n; r++) {
            if (r + d >= 0 && r + d < n)
                line[down++] = r * n + r + d + 1;
            if (d - r >= 0 && d - r < n)
                line2[up++] = r * n + d - r + 1;
        }
        at_most_one(&f, line, down);
        at_most_one(&f, line2, up);
    }
    snprintf(name, sizeof name, "%d queens", n);
    if (run(&f, name, n > 3 ? SAT_YES : SAT_NO) == SAT_YES) {
        printf("  columns:");
        for (int r = 0; r < n; r++)
            for (k = 0; k < n; k++)
                if (sat_value(f.solver, r * n + k + 1))
                    printf(" %d", k + 1);
        printf("\n");
    }
    formula_free(&f);
}

static int random3(int vars, int clauses, bool quiet)
{
    char name[32];
    Formula f = formula_new(vars);
    for (int i = 0; i < clauses; i++) {
        for (int k = 0; k < 3; k++) {
            int v = 1 + (int)(next_rand() % (unsigned)vars);
            lit(&f, next_rand() & 1 ? v : -v);
        }
        end_clause(&f);
    }
    SatResult r;
    if (quiet) {
        r = sat_solve(f.solver, NULL, 0, 0);
        mistakes += r == SAT_YES && !model_holds(&f);
    } else {
        snprintf(name, sizeof name, "random %d/%d", vars, clauses);
        r = run(&f, name, SAT_UNKNOWN);
        const SatStats *st = sat_stats(f.solver);
        printf("  learned %lu, saved %lu literals, %lu reductions\n",
               st->learned, st->literals_saved, st->reductions);
    }
    formula_free(&f);
    return r == SAT_YES;
}

/* Small formulas against trying everything. */
static void against_brute_force(void)
{
    int agree = 0, sat = 0;
    for (int round = 0; round < 120; round++) {
        enum { N = 9 };
        int m = 25 + round % 25;
        Formula f = formula_new(N);
        for (int i = 0; i < m; i++) {
            for (int k = 2 + (int)(next_rand() % 3); k > 0; k--) {
                int v = 1 + (int)(next_rand() % N);
                lit(&f, next_rand() & 1 ? v : -v);
            }
            end_clause(&f);
        }
        bool found = false;
        for (unsigned a = 0; a < 1u << N && !found; a++) {
            bool all = true, any = false;
            for (int i = 0; i < f.lits.n && all; i++) {
                int x = f.lits.at[i];
                if (x == 0) {
                    all = any;
                    any = false;
                } else if ((a >> (abs(x) - 1) & 1) == (x > 0)) {
                    any = true;
                }
            }
            found = all;
        }
        SatResult r = sat_solve(f.solver, NULL, 0, 0);
        agree += r == (found ? SAT_YES : SAT_NO) &&
                 (r != SAT_YES || model_holds(&f));
        sat += found;
        formula_free(&f);
    }
    printf("brute force: %d of 120 agree, %d satisfiable\n", agree, sat);
    mistakes += agree != 120;
}

/* Colour a wheel of n spokes with k colours, then ask under assumptions. */
static void wheel(int n, int k)
{
    Formula f = formula_new((n + 1) * k);
    int x[8], yes = 0;
#define COLOUR(node, c) ((node) * k + (c) + 1)
    for (int v = 0; v <= n; v++) {
        for (int c = 0; c < k; c++)
            x[c] = COLOUR(v, c);
        exactly_one(&f, x, k);
    }
    for (int v = 1; v <= n; v++)
        for (int c = 0; c < k; c++) {
            clause2(&f, -COLOUR(0, c), -COLOUR(v, c));
            clause2(&f, -COLOUR(v, c), -COLOUR(v % n + 1, c));
        }
    for (int c = 0; c < k; c++)
        for (int d = 0; d < k; d++) {
            int assume[2] = { COLOUR(1, c), COLOUR(3, d) };
            yes += sat_solve(f.solver, assume, 2, 0) == SAT_YES &&
                   model_holds(&f) && sat_value(f.solver, assume[1]);
        }
#undef COLOUR
    printf("wheel of %d with %d colours: %d pairs possible\n", n, k, yes);
    formula_free(&f);
}

/* ---- DIMACS ---- */

static bool read_token(char *buf, size_t size)
{
    int c;
    size_t n = 0;
    while ((c = getchar()) != EOF && isspace(c))
        ;
    for (; c != EOF && !isspace(c); c = getchar())
        if (n + 1 < size)
            buf[n++] = (char)c;
    buf[n] = '\0';
    return n > 0;
}

static void skip_line(void)
{
    int c;
    while ((c = getchar()) != EOF && c != '\n')
        ;
}

static bool read_formula(Formula *f)
{
    char tok[32];
    int vars, clauses;
    for (;;) {
        if (!read_token(tok, sizeof tok))
            return false;
        if (strcmp(tok, "c") == 0)
            skip_line();
        else if (strcmp(tok, "p") == 0)
            break;
        else
            printf("stray token '%s'\n", tok);
    }
    if (scanf(" cnf %d %d", &vars, &clauses) != 2 || vars < 0 || vars > 10000)
        return false;
    *f = formula_new(vars);
    while (clauses > 0 && read_token(tok, sizeof tok)) {
        int x = atoi(tok);
        if (x == 0) {
            end_clause(f);
            clauses--;
        } else if (abs(x) > vars) {
            printf("variable %d out of range\n", abs(x));
        } else {
            lit(f, x);
        }
    }
    return true;
}

static void dimacs(void)
{
    Formula f;
    for (int n = 1; read_formula(&f); n++) {
        char name[32];
        snprintf(name, sizeof name, "dimacs %d", n);
        if (run(&f, name, SAT_UNKNOWN) == SAT_YES) {
            printf("  v");
            for (int v = 1; v <= sat_num_vars(f.solver); v++)
                printf(" %d", sat_value(f.solver, v) ? v : -v);
            printf("\n");
        }
        formula_free(&f);
    }
}

int main(void)
{
    dimacs();
    against_brute_force();
    pigeons(6, 6);
    pigeons(7, 6);
    for (int n = 3; n <= 11; n += 4)
        queens(n);
    wheel(7, 3);
    wheel(8, 3);
    wheel(7, 4);
    random3(60, 200, false);
    random3(110, 475, false);
    random3(120, 530, false);
    for (int ratio = 30; ratio <= 60; ratio += 5) {
        int yes = 0;
        for (int i = 0; i < 20; i++)
            yes += random3(40, 4 * ratio, true);
        printf("40 variables, %d clauses: %d of 20 satisfiable\n", 4 * ratio, yes);
    }
    printf("%d mistakes\n", mistakes);
    return mistakes != 0;
}
