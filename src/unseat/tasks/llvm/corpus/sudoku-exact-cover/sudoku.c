/* sudoku.c - sudoku of any box size: as exact cover, and by human methods.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sudoku.h"

#include <stdlib.h>
#include <string.h>

#include "dlx.h"

static const char digits[] = ".123456789ABCDEFG";

static int box_of(const grid *g, int r, int c)
{
    return r / g->box_h * g->box_h + c / g->box_w;
}

int grid_parse(grid *g, const char *text, int box_w, int box_h)
{
    int n = box_w * box_h;
    g->box_w = box_w;
    g->box_h = box_h;
    if (n < 1 || n > MAX_SIDE || strlen(text) != (size_t)(n * n))
        return 0;
    for (int i = 0; i < n * n; i++) {
        const char *p = strchr(digits, text[i] == '0' ? '.' : text[i]);
        if (!p || p - digits > n)
            return 0;
        g->cell[i] = (signed char)(p - digits);
    }
    return 1;
}

void grid_format(const grid *g, char *out)
{
    int n = grid_side(g);
    for (int i = 0; i < n * n; i++)
        *out++ = digits[(int)g->cell[i]];
    *out = '\0';
}

/* ---- units: rows, columns and boxes as lists of cells ---- */

typedef struct {
    int side;
    short unit[3 * MAX_SIDE][MAX_SIDE];
    short of_cell[MAX_CELLS][3];
} layout;

static void layout_build(layout *l, const grid *g)
{
    int n = grid_side(g), fill[MAX_SIDE] = { 0 };
    l->side = n;
    for (int r = 0; r < n; r++)
        for (int c = 0; c < n; c++) {
            int cell = r * n + c, b = box_of(g, r, c);
            l->unit[r][c] = (short)cell;
            l->unit[n + c][r] = (short)cell;
            l->unit[2 * n + b][fill[b]++] = (short)cell;
            l->of_cell[cell][0] = (short)r;
            l->of_cell[cell][1] = (short)(n + c);
            l->of_cell[cell][2] = (short)(2 * n + b);
        }
}

int grid_valid(const grid *g)
{
    layout l;
    layout_build(&l, g);
    for (int u = 0; u < 3 * l.side; u++) {
        unsigned seen = 0;
        for (int i = 0; i < l.side; i++)
            seen |= 1u << g->cell[l.unit[u][i]];
        if (seen != ((1u << (l.side + 1)) - 2))
            return 0;
    }
    return 1;
}

/* ---- exact cover ---- */

typedef struct {
    grid *g;
    int found, limit;
} collector;

static int collect(void *user, const int *rows, int nrows)
{
    collector *c = user;
    int n = grid_side(c->g);
    if (c->found++ == 0)
        for (int i = 0; i < nrows; i++)     /* row = cell * n + value - 1 */
            c->g->cell[rows[i] / n] = (signed char)(rows[i] % n + 1);
    return c->limit && c->found >= c->limit;
}

int sudoku_solve(grid *g, int limit, unsigned long *nodes)
{
    int n = grid_side(g), cells = n * n, ok = 1;
    collector col = { g, 0, limit };
    dlx *d = dlx_create(4 * cells, 0, 4 * cells * n);
    if (!d)
        abort();
    for (int cell = 0; cell < cells; cell++)
        for (int v = 0; v < n; v++) {
            int r = cell / n, c = cell % n;
            int cols[4] = { cell, cells + r * n + v, 2 * cells + c * n + v,
                            3 * cells + box_of(g, r, c) * n + v };
            dlx_row(d, cols, 4);
        }
    for (int cell = 0; cell < cells && ok; cell++)
        if (g->cell[cell])
            ok = dlx_choose(d, cell * n + g->cell[cell] - 1);
    if (nodes)
        *nodes = 0;
    if (ok) {
        dlx_stats st = dlx_search(d, collect, &col);
        if (nodes)
            *nodes = st.nodes;
    }
    dlx_destroy(d);
    return col.found;
}

int sudoku_thin_out(grid *g, const int *order, int n)
{
    int removed = 0;
    for (int i = 0; i < n; i++) {
        grid trial = *g;
        if (!trial.cell[order[i]])
            continue;
        trial.cell[order[i]] = 0;
        grid keep = trial;
        if (sudoku_solve(&trial, 2, NULL) == 1) {
            *g = keep;
            removed++;
        }
    }
    return removed;
}

/* ---- human methods on candidate sets ---- */

typedef struct {
    layout l;
    grid *g;
    unsigned cand[MAX_CELLS];   /* bit v: value v is possible */
    int left;
    int broken;
} board;

static int count_bits(unsigned x)
{
    int n = 0;
    for (; x; x &= x - 1)
        n++;
    return n;
}

static int lowest_bit(unsigned x)
{
    int n = 0;
    while (!(x & 1)) {
        x >>= 1;
        n++;
    }
    return n;
}

static int strike(board *b, int cell, unsigned mask)
{
    if (b->g->cell[cell] || !(b->cand[cell] & mask))
        return 0;
    b->cand[cell] &= ~mask;
    if (!b->cand[cell])
        b->broken = 1;
    return 1;
}

static void set_value(board *b, int cell, int v)
{
    b->g->cell[cell] = (signed char)v;
    b->cand[cell] = 1u << v;
    b->left--;
    for (int k = 0; k < 3; k++) {
        const short *u = b->l.unit[b->l.of_cell[cell][k]];
        for (int i = 0; i < b->l.side; i++) {
            if (u[i] != cell && b->g->cell[u[i]] == v)
                b->broken = 1;
            strike(b, u[i], 1u << v);
        }
    }
}

static int naked_single(board *b)
{
    int progress = 0;
    for (int cell = 0; cell < b->l.side * b->l.side && !b->broken; cell++)
        if (!b->g->cell[cell] && count_bits(b->cand[cell]) == 1) {
            set_value(b, cell, lowest_bit(b->cand[cell]));
            progress++;
        }
    return progress;
}

static int hidden_single(board *b)
{
    for (int u = 0; u < 3 * b->l.side; u++) {
        unsigned once = 0, more = 0, done = 0;
        for (int i = 0; i < b->l.side; i++) {
            int cell = b->l.unit[u][i];
            more |= once & b->cand[cell];
            once |= b->cand[cell];
            if (b->g->cell[cell])
                done |= b->cand[cell];
        }
        once &= ~more & ~done;
        for (int i = 0; i < b->l.side && once; i++)
            if (b->cand[b->l.unit[u][i]] & once) {
                set_value(b, b->l.unit[u][i],
                          lowest_bit(b->cand[b->l.unit[u][i]] & once));
                return 1;
            }
    }
    return 0;
}

/* Two cells of a unit with the same two candidates keep them to themselves. */
static int naked_pair(board *b)
{
    int progress = 0, n = b->l.side;
    for (int u = 0; u < 3 * n; u++)
        for (int i = 0; i < n; i++) {
            unsigned m = b->cand[b->l.unit[u][i]];
            if (count_bits(m) != 2)
                continue;
            for (int k = i + 1; k < n; k++) {
                if (b->cand[b->l.unit[u][k]] != m)
                    continue;
                for (int x = 0; x < n; x++)
                    if (x != i && x != k)
                        progress += strike(b, b->l.unit[u][x], m);
            }
        }
    return progress;
}

/* If all places for v in unit a lie in unit b too, the rest of b loses v. */
static int pointing(board *b)
{
    int progress = 0, n = b->l.side;
    for (int u = 0; u < 3 * n; u++)
        for (int v = 1; v <= n; v++) {
            int common[3] = { -1, -1, -1 }, any = 0;
            for (int i = 0; i < n; i++) {
                int cell = b->l.unit[u][i];
                if (!(b->cand[cell] >> v & 1))
                    continue;
                for (int k = 0; k < 3; k++)
                    common[k] = !any || common[k] == b->l.of_cell[cell][k]
                                    ? b->l.of_cell[cell][k] : -1;
                any = 1;
            }
            for (int k = 0; k < 3; k++) {
                if (!any || common[k] < 0 || common[k] == u)
                    continue;
                const short *other = b->l.unit[common[k]];
                for (int i = 0; i < n; i++) {
                    const short *of = b->l.of_cell[other[i]];
                    if (of[0] != u && of[1] != u && of[2] != u)
                        progress += strike(b, other[i], 1u << v);
                }
            }
        }
    return progress;
}

static const struct {
    int (*method)(board *);
    rating level;
} methods[] = {
    { naked_single, RATE_EASY },
    { hidden_single, RATE_MEDIUM },
    { pointing, RATE_HARD },
    { naked_pair, RATE_HARD },
};

rating sudoku_rate(grid *g)
{
    board b;
    int n = grid_side(g);
    rating worst = RATE_EASY;

    layout_build(&b.l, g);
    b.g = g;
    b.left = n * n;
    b.broken = 0;
    for (int i = 0; i < n * n; i++)
        b.cand[i] = (1u << (n + 1)) - 2;
    for (int i = 0; i < n * n; i++) {
        int v = g->cell[i];
        if (!v)
            continue;
        if (!(b.cand[i] >> v & 1))
            b.broken = 1;
        set_value(&b, i, v);
    }
    while (b.left > 0 && !b.broken) {
        size_t k = 0;
        while (k < sizeof methods / sizeof methods[0] && !methods[k].method(&b))
            k++;
        if (k == sizeof methods / sizeof methods[0])
            return b.broken ? RATE_BROKEN : RATE_SEARCH;
        if (methods[k].level > worst)
            worst = methods[k].level;
    }
    return b.broken ? RATE_BROKEN : worst;
}

const char *rating_name(rating r)
{
    static const char *const names[] = { "easy", "medium", "hard", "search", "broken" };
    return names[r];
}
