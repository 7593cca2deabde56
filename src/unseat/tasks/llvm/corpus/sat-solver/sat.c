/* sat.c - conflict-driven clause learning: two watched literals, first-UIP
 * analysis with minimisation, activity order, phase saving, Luby restarts and
 * deletion of clauses by literal block distance.
 *
 * Inside, literal 2v is "v" and 2v+1 is "not v". A clause lives in one big
 * int array: size, flags, lbd, then the literals; it is named by its offset.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sat.h"

#include <stdlib.h>
#include <string.h>

#include "vec.h"

enum { H_SIZE, H_LEARNED, H_LBD, H_LITS };      /* clause layout */
enum { NO_CLAUSE = -1 };
enum { V_TRUE = 1, V_FALSE = -1, V_OPEN = 0 };

struct Solver {
    int nvars;
    bool broken;                /* contradiction at level 0 */
    IntVec arena;               /* all clauses */
    IntVec learned;             /* offsets of learned ones */
    IntVec *watch;              /* by literal: clause, blocker, clause, ... */
    int watch_cap;
    IntVec value, level, reason, phase, seen;   /* by variable */
    IntVec trail, trail_lim;
    int qhead;
    double *activity;
    int activity_cap;
    double bump;
    Heap order;
    IntVec model;
    IntVec tmp, stack, touched, level_mark;
    int mark;
    int reduce_limit;
    SatStats stats;
};

static inline int lit_var(int l) { return l >> 1; }
static inline int lit_not(int l) { return l ^ 1; }
static inline int from_dimacs(int x) { return x > 0 ? 2 * x : -2 * x + 1; }

static inline int lit_value(const Solver *s, int l)
{
    int v = s->value.at[lit_var(l)];
    return l & 1 ? -v : v;
}

static inline int level_now(const Solver *s) { return s->trail_lim.n; }

static bool more_active(const void *ctx, int a, int b)
{
    const Solver *s = ctx;
    if (s->activity[a] != s->activity[b])
        return s->activity[a] > s->activity[b];
    return a < b;
}

static void push_var_slots(Solver *s)
{
    vec_push(&s->value, V_OPEN);
    vec_push(&s->level, 0);
    vec_push(&s->reason, NO_CLAUSE);
    vec_push(&s->phase, V_FALSE);
    vec_push(&s->seen, 0);
}

Solver *sat_new(void)
{
    Solver *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->bump = 1;
    s->order.before = more_active;
    s->order.ctx = s;
    s->reduce_limit = 600;
    push_var_slots(s);                  /* variable 0 is never used */
    return s;
}

void sat_delete(Solver *s)
{
    IntVec *all[] = { &s->arena, &s->learned, &s->value, &s->level, &s->reason,
                      &s->phase, &s->seen, &s->trail, &s->trail_lim, &s->model,
                      &s->tmp, &s->stack, &s->touched, &s->level_mark };
    for (int i = 0; i < s->watch_cap; i++)
        vec_free(&s->watch[i]);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        vec_free(all[i]);
    heap_free(&s->order);
    free(s->watch);
    free(s->activity);
    free(s);
}

static void *grow_zeroed(void *p, int *cap, int need, size_t size)
{
    if (need <= *cap)
        return p;
    int ncap = need * 2;
    char *q = realloc(p, (size_t)ncap * size);
    if (!q)
        abort();
    memset(q + (size_t)*cap * size, 0, (size_t)(ncap - *cap) * size);
    *cap = ncap;
    return q;
}

int sat_new_var(Solver *s)
{
    int v = ++s->nvars;
    s->watch = grow_zeroed(s->watch, &s->watch_cap, 2 * v + 2, sizeof *s->watch);
    s->activity = grow_zeroed(s->activity, &s->activity_cap, v + 1,
                              sizeof *s->activity);
    push_var_slots(s);
    heap_add(&s->order, v);
    return v;
}

/* ---- clauses ---- */

static void watch_clause(Solver *s, int lit, int c, int blocker)
{
    vec_push(&s->watch[lit], c);
    vec_push(&s->watch[lit], blocker);
}

static void attach(Solver *s, int c)
{
    const int *l = &s->arena.at[c + H_LITS];
    watch_clause(s, lit_not(l[0]), c, l[1]);
    watch_clause(s, lit_not(l[1]), c, l[0]);
}

static int store_clause(Solver *s, const int *lits, int n, bool learned, int lbd)
{
    int c = s->arena.n;
    vec_push(&s->arena, n);
    vec_push(&s->arena, learned);
    vec_push(&s->arena, lbd);
    for (int i = 0; i < n; i++)
        vec_push(&s->arena, lits[i]);
    attach(s, c);
    return c;
}

static void assign(Solver *s, int lit, int reason)
{
    int v = lit_var(lit);
    s->value.at[v] = lit & 1 ? V_FALSE : V_TRUE;
    s->level.at[v] = level_now(s);
    s->reason.at[v] = reason;
    vec_push(&s->trail, lit);
}

/* Propagate all facts; returns the clause in conflict or NO_CLAUSE. */
static int propagate(Solver *s)
{
    while (s->qhead < s->trail.n) {
        int p = s->trail.at[s->qhead++], neg = lit_not(p);
        IntVec *w = &s->watch[p];
        int keep = 0, i = 0, n = w->n;

        s->stats.propagations++;
        while (i < n) {
            int c = w->at[i++], blocker = w->at[i++];
            if (lit_value(s, blocker) == V_TRUE) {
                w->at[keep++] = c;
                w->at[keep++] = blocker;
                continue;
            }
            int *l = &s->arena.at[c + H_LITS];
            if (l[0] == neg) {
                l[0] = l[1];
                l[1] = neg;
            }
            int first = l[0], size = s->arena.at[c + H_SIZE], k;
            if (lit_value(s, first) != V_TRUE) {
                for (k = 2; k < size; k++)
                    if (lit_value(s, l[k]) != V_FALSE)
                        break;
                if (k < size) {
                    l[1] = l[k];
                    l[k] = neg;
                    watch_clause(s, lit_not(l[1]), c, first);
                    continue;
                }
            }
            w->at[keep++] = c;
            w->at[keep++] = first;
            if (lit_value(s, first) == V_FALSE) {
                while (i < n)
                    w->at[keep++] = w->at[i++];
                w->n = keep;
                s->qhead = s->trail.n;
                return c;
            }
            if (lit_value(s, first) == V_OPEN)
                assign(s, first, c);
        }
        w->n = keep;
    }
    return NO_CLAUSE;
}

static void backtrack(Solver *s, int level)
{
    if (level_now(s) <= level)
        return;
    int stop = s->trail_lim.at[level];
    while (s->trail.n > stop) {
        int v = lit_var(vec_pop(&s->trail));
        s->phase.at[v] = s->value.at[v];
        s->value.at[v] = V_OPEN;
        s->reason.at[v] = NO_CLAUSE;
        heap_add(&s->order, v);
    }
    s->trail_lim.n = level;
    s->qhead = stop;
}

static int compare_ints(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

bool sat_add(Solver *s, const int *lits, int n)
{
    IntVec *t = &s->tmp;
    backtrack(s, 0);
    if (s->broken)
        return false;
    t->n = 0;
    for (int i = 0; i < n; i++)
        vec_push(t, from_dimacs(lits[i]));
    if (t->n)
        qsort(t->at, (size_t)t->n, sizeof t->at[0], compare_ints);
    int keep = 0;
    for (int i = 0; i < t->n; i++) {
        int l = t->at[i], val = lit_value(s, l);
        if (val == V_TRUE || (keep && t->at[keep - 1] == lit_not(l)))
            return true;                /* holds already, or always */
        if (val != V_FALSE && !(keep && t->at[keep - 1] == l))
            t->at[keep++] = l;
    }
    if (keep == 0) {
        s->broken = true;
    } else if (keep == 1) {
        assign(s, t->at[0], NO_CLAUSE);
        s->broken = propagate(s) != NO_CLAUSE;
    } else {
        store_clause(s, t->at, keep, false, 0);
    }
    return !s->broken;
}

/* ---- conflict analysis ---- */

static void bump_var(Solver *s, int v)
{
    s->activity[v] += s->bump;
    if (s->activity[v] > 1e100) {
        for (int i = 1; i <= s->nvars; i++)
            s->activity[i] *= 0x1p-332;
        s->bump *= 0x1p-332;
    }
    heap_moved_up(&s->order, v);
}

/* Is the literal implied by others of the learned clause? */
static bool redundant(Solver *s, int lit)
{
    int undo = s->touched.n;
    s->stack.n = 0;
    vec_push(&s->stack, lit);
    while (s->stack.n) {
        int c = s->reason.at[lit_var(vec_pop(&s->stack))];
        int size = s->arena.at[c + H_SIZE];
        for (int i = 1; i < size; i++) {
            int q = s->arena.at[c + H_LITS + i], v = lit_var(q);
            if (s->seen.at[v] || s->level.at[v] == 0)
                continue;
            if (s->reason.at[v] == NO_CLAUSE) {
                while (s->touched.n > undo)
                    s->seen.at[vec_pop(&s->touched)] = 0;
                return false;
            }
            s->seen.at[v] = 1;
            vec_push(&s->touched, v);
            vec_push(&s->stack, q);
        }
    }
    return true;
}

static int count_levels(Solver *s, const IntVec *lits)
{
    int n = 0;
    s->mark++;
    for (int i = 0; i < lits->n; i++) {
        int lv = s->level.at[lit_var(lits->at[i])];
        while (s->level_mark.n <= lv)
            vec_push(&s->level_mark, 0);
        if (s->level_mark.at[lv] != s->mark) {
            s->level_mark.at[lv] = s->mark;
            n++;
        }
    }
    return n;
}

static void minimize(Solver *s, IntVec *out)
{
    int keep = 1;
    for (int i = 1; i < out->n; i++) {
        int l = out->at[i];
        if (s->reason.at[lit_var(l)] == NO_CLAUSE || !redundant(s, l))
            out->at[keep++] = l;
    }
    s->stats.literals_saved += (unsigned long)(out->n - keep);
    out->n = keep;
}

/* Leaves the clause in s->tmp, asserting literal first and the literal of the
 * next highest level second; returns that level. */
static int analyze(Solver *s, int conflict)
{
    IntVec *out = &s->tmp;
    int open = 0, lit = 0, at = s->trail.n - 1, c = conflict;

    out->n = 0;
    s->touched.n = 0;
    vec_push(out, 0);
    do {
        int size = s->arena.at[c + H_SIZE];
        for (int i = lit ? 1 : 0; i < size; i++) {
            int q = s->arena.at[c + H_LITS + i], v = lit_var(q);
            if (s->seen.at[v] || s->level.at[v] == 0)
                continue;
            s->seen.at[v] = 1;
            vec_push(&s->touched, v);
            bump_var(s, v);
            if (s->level.at[v] == level_now(s))
                open++;
            else
                vec_push(out, q);
        }
        while (!s->seen.at[lit_var(s->trail.at[at])])
            at--;
        lit = s->trail.at[at--];
        c = s->reason.at[lit_var(lit)];
        open--;
    } while (open > 0);
    out->at[0] = lit_not(lit);
    minimize(s, out);
    while (s->touched.n)
        s->seen.at[vec_pop(&s->touched)] = 0;

    int best = 1;
    for (int i = 2; i < out->n; i++)
        if (s->level.at[lit_var(out->at[i])] > s->level.at[lit_var(out->at[best])])
            best = i;
    if (out->n == 1)
        return 0;
    int t = out->at[1];
    out->at[1] = out->at[best];
    out->at[best] = t;
    return s->level.at[lit_var(out->at[1])];
}

static void learn(Solver *s, int back)
{
    int lbd = count_levels(s, &s->tmp);
    int reason = NO_CLAUSE;
    backtrack(s, back);
    if (s->tmp.n > 1) {
        reason = store_clause(s, s->tmp.at, s->tmp.n, true, lbd);
        vec_push(&s->learned, reason);
    }
    assign(s, s->tmp.at[0], reason);
    s->stats.learned++;
    s->bump /= 0.95;
}

/* ---- clause deletion: compact the arena and rebuild the watches ---- */

static bool is_reason(const Solver *s, int c)
{
    int l = s->arena.at[c + H_LITS], v = lit_var(l);
    return s->value.at[v] != V_OPEN && s->reason.at[v] == c;
}

static int median_lbd(const Solver *s)
{
    int count[32] = { 0 }, seen = 0, lbd;
    for (int i = 0; i < s->learned.n; i++) {
        lbd = s->arena.at[s->learned.at[i] + H_LBD];
        count[lbd < 31 ? lbd : 31]++;
    }
    for (lbd = 0; lbd < 31; lbd++)
        if ((seen += count[lbd]) * 2 > s->learned.n)
            break;
    return lbd;
}

static void reduce_learned(Solver *s)
{
    int limit = median_lbd(s), to = 0, next;
    s->stats.reductions++;
    s->learned.n = 0;
    for (int i = 0; i < s->watch_cap; i++)
        s->watch[i].n = 0;
    for (int c = 0; c < s->arena.n; c = next) {
        int *h = &s->arena.at[c], size = h[H_SIZE] + H_LITS;
        bool locked = is_reason(s, c);
        next = c + size;
        if (h[H_LEARNED] && !locked && h[H_LBD] > 2 && h[H_LBD] >= limit)
            continue;
        if (locked)
            s->reason.at[lit_var(h[H_LITS])] = to;
        memmove(&s->arena.at[to], h, (size_t)size * sizeof(int));
        attach(s, to);
        if (s->arena.at[to + H_LEARNED])
            vec_push(&s->learned, to);
        to += size;
    }
    s->arena.n = to;
    s->stats.kept += (unsigned long)s->learned.n;
}

/* ---- search ---- */

/* 1 1 2 1 1 2 4 1 1 2 1 1 2 4 8 ... */
static unsigned luby(unsigned i)
{
    unsigned k = 1;
    while ((1u << k) - 1 < i)
        k++;
    return (1u << k) - 1 == i ? 1u << (k - 1) : luby(i - (1u << (k - 1)) + 1);
}

static int pick_branch(Solver *s)
{
    while (s->order.heap.n) {
        int v = heap_take(&s->order);
        if (s->value.at[v] == V_OPEN)
            return 2 * v + (s->phase.at[v] == V_FALSE);
    }
    return 0;
}

/* The next assumption not yet decided; 0 if none, -1 if one is violated. */
static int next_assumption(Solver *s, const int *assume, int n)
{
    while (level_now(s) < n) {
        int l = from_dimacs(assume[level_now(s)]);
        int val = lit_value(s, l);
        if (val == V_FALSE)
            return -1;
        if (val == V_OPEN)
            return l;
        vec_push(&s->trail_lim, s->trail.n);    /* an empty level */
    }
    return 0;
}

static void save_model(Solver *s)
{
    s->model.n = 0;
    for (int v = 0; v <= s->nvars; v++)
        vec_push(&s->model, s->value.at[v] == V_TRUE);
}

static SatResult search(Solver *s, const int *assume, int nassume,
                        unsigned long conflicts)
{
    for (;;) {
        int c = propagate(s);
        if (c != NO_CLAUSE) {
            s->stats.conflicts++;
            if (level_now(s) == 0) {
                s->broken = true;
                return SAT_NO;
            }
            learn(s, analyze(s, c));
            if (conflicts)
                conflicts--;
            continue;
        }
        if (conflicts == 0) {
            backtrack(s, 0);
            return SAT_UNKNOWN;
        }
        if (s->learned.n >= s->reduce_limit) {
            reduce_learned(s);
            s->reduce_limit += 200;
        }
        int l = next_assumption(s, assume, nassume);
        if (l < 0)
            return SAT_NO;
        if (l == 0 && (l = pick_branch(s)) == 0) {
            save_model(s);
            return SAT_YES;
        }
        s->stats.decisions++;
        vec_push(&s->trail_lim, s->trail.n);
        assign(s, l, NO_CLAUSE);
    }
}

SatResult sat_solve(Solver *s, const int *assume, int nassume,
                    unsigned long max_conflicts)
{
    unsigned long start = s->stats.conflicts;
    SatResult r = SAT_UNKNOWN;
    backtrack(s, 0);
    if (s->broken)
        return SAT_NO;
    for (unsigned round = 1; r == SAT_UNKNOWN; round++) {
        r = search(s, assume, nassume, 64ul * luby(round));
        s->stats.restarts += r == SAT_UNKNOWN;
        if (max_conflicts && s->stats.conflicts - start >= max_conflicts)
            break;
    }
    backtrack(s, 0);
    return r;
}

bool sat_value(const Solver *s, int var)
{
    return s->model.at[var] != 0;
}

int sat_num_vars(const Solver *s) { return s->nvars; }
const SatStats *sat_stats(const Solver *s) { return &s->stats; }
