/* main.c - driver: sudokus from standard input, generated ones, queens with
 * secondary columns and pentominoes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dlx.h"
#include "sudoku.h"

static unsigned lfsr = 0xACE1u;

static unsigned random_below(unsigned n)
{
    unsigned v = 0;
    for (int i = 0; i < 16; i++) {
        lfsr = lfsr >> 1 ^ (0xB400u & (0u - (lfsr & 1)));
        v = v << 1 | (lfsr & 1);
    }
    return v % n;
}

static void shuffle(int *p, int n)
{
    for (int i = 0; i < n; i++)
        p[i] = i;
    for (int i = n - 1; i > 0; i--) {
        int k = (int)random_below((unsigned)i + 1), t = p[i];
        p[i] = p[k];
        p[k] = t;
    }
}

/* ---- sudokus ---- */

static void treat(const char *name, const grid *puzzle)
{
    char text[MAX_CELLS + 1];
    unsigned long nodes;
    grid human = *puzzle, machine = *puzzle;
    rating r = sudoku_rate(&human);
    int n = sudoku_solve(&machine, 100, &nodes);
    printf("%s: %s, %d solution%s, %lu nodes\n", name, rating_name(r), n,
           n == 1 ? "" : "s", nodes);
    if (n == 0)
        return;
    grid_format(&machine, text);
    printf("  %s%s\n", text, grid_valid(&machine) ? "" : " INVALID");
    if (n == 1 && r < RATE_SEARCH && memcmp(human.cell, machine.cell,
                                            sizeof human.cell) != 0)
        printf("  METHODS DISAGREE\n");
}

static void read_puzzles(void)
{
    char line[300], name[32];
    int w, h;
    for (int k = 1; scanf("%d %d %299s", &w, &h, line) == 3; k++) {
        grid g = { 0, 0, { 0 } };
        snprintf(name, sizeof name, "puzzle %d (%dx%d)", k, w * h, w * h);
        if (grid_parse(&g, line, w, h))
            treat(name, &g);
        else
            printf("%s: malformed\n", name);
    }
}

/* A pattern solution with shuffled digits, rows, columns and bands. */
static void random_solution(grid *g, int w, int h)
{
    int n = w * h, value[MAX_SIDE], band[MAX_SIDE], stack[MAX_SIDE];
    int row[MAX_SIDE][MAX_SIDE], col[MAX_SIDE][MAX_SIDE];
    memset(g, 0, sizeof *g);
    g->box_w = w;
    g->box_h = h;
    shuffle(value, n);
    shuffle(band, w);
    shuffle(stack, h);
    for (int i = 0; i < w; i++)
        shuffle(row[i], h);
    for (int i = 0; i < h; i++)
        shuffle(col[i], w);
    for (int r = 0; r < n; r++)
        for (int c = 0; c < n; c++) {
            int rr = band[r / h] * h + row[r / h][r % h];
            int cc = stack[c / w] * w + col[c / w][c % w];
            int v = (rr % h * w + rr / h + cc) % n;
            g->cell[r * n + c] = (signed char)(value[v] + 1);
        }
}

static void generate(int w, int h, int tries)
{
    char text[MAX_CELLS + 1], name[32];
    int order[MAX_CELLS], n = w * h;
    grid g;
    random_solution(&g, w, h);
    printf("generator %dx%d: solution %s\n", n, n, grid_valid(&g) ? "valid" : "INVALID");
    shuffle(order, n * n);
    int removed = sudoku_thin_out(&g, order, tries);
    snprintf(name, sizeof name, "generated, %d givens", n * n - removed);
    grid_format(&g, text);
    printf("  %s\n", text);
    treat(name, &g);
}

/* ---- queens: ranks and files must be covered, diagonals may be ---- */

static unsigned long count_queens(int n, unsigned long *nodes)
{
    int diag = 2 * n - 1;
    dlx *d = dlx_create(2 * n, 2 * diag, 4 * n * n);
    if (!d)
        exit(2);
    for (int r = 0; r < n; r++)
        for (int c = 0; c < n; c++) {
            int cols[4] = { r, n + c, 2 * n + r + c,
                            2 * n + diag + r - c + n - 1 };
            dlx_row(d, cols, 4);
        }
    dlx_stats st = dlx_search(d, NULL, NULL);
    dlx_destroy(d);
    *nodes = st.nodes;
    return st.solutions;
}

/* ---- pentominoes ---- */

typedef struct {
    int n;
    int xy[5][2];
} shape;

static const char *const pento_rows[12][3] = {
    { ".##", "##.", ".#." }, { "#####", "", "" }, { "####", "#...", "" },
    { "###.", "..##", "" },  { "###", "##.", "" }, { "###", ".#.", ".#." },
    { "#.#", "###", "" },    { "#..", "#..", "###" }, { "#..", "##.", ".##" },
    { ".#.", "###", ".#." }, { "####", ".#..", "" }, { "##.", ".#.", ".##" },
};
static const char pento_name[] = "FILNPTUVWXYZ";

static int compare_cells(const void *a, const void *b)
{
    const int *p = a, *q = b;
    return p[1] != q[1] ? p[1] - q[1] : p[0] - q[0];
}

/* Move to the corner and sort, so that equal shapes compare equal. */
static void normalize(shape *s)
{
    int mx = s->xy[0][0], my = s->xy[0][1];
    for (int i = 1; i < s->n; i++) {
        mx = s->xy[i][0] < mx ? s->xy[i][0] : mx;
        my = s->xy[i][1] < my ? s->xy[i][1] : my;
    }
    for (int i = 0; i < s->n; i++) {
        s->xy[i][0] -= mx;
        s->xy[i][1] -= my;
    }
    qsort(s->xy, (size_t)s->n, sizeof s->xy[0], compare_cells);
}

static shape load_shape(int piece)
{
    shape s = { 0, { { 0 } } };
    for (int y = 0; y < 3; y++)
        for (int x = 0; pento_rows[piece][y][x]; x++)
            if (pento_rows[piece][y][x] == '#') {
                s.xy[s.n][0] = x;
                s.xy[s.n++][1] = y;
            }
    normalize(&s);
    return s;
}

/* Turn by a quarter; every fourth time mirror as well. */
static void next_orientation(shape *s, int step)
{
    for (int i = 0; i < s->n; i++) {
        int x = s->xy[i][0], y = s->xy[i][1];
        s->xy[i][0] = step == 4 ? y : -y;
        s->xy[i][1] = x;
    }
    normalize(s);
}

static int orientations(int piece, shape out[8])
{
    shape s = load_shape(piece);
    int n = 0;
    for (int step = 1; step <= 8; step++) {
        int fresh = 1;
        for (int i = 0; i < n; i++)
            fresh &= memcmp(&out[i], &s, sizeof s) != 0;
        if (fresh)
            out[n++] = s;
        next_orientation(&s, step);
    }
    return n;
}

typedef struct {
    int w, h, nrows;
    struct {
        char name;
        shape s;
        int x, y;
    } row[2600];
    char picture[61];
} packing;

static void place_shape(packing *p, dlx *d, int piece, const shape *s, int x, int y)
{
    int cols[6] = { piece }, n = 1;
    for (int i = 0; i < s->n; i++) {
        int cx = x + s->xy[i][0], cy = y + s->xy[i][1];
        if (cx >= p->w || cy >= p->h)
            return;
        cols[n++] = 12 + cy * p->w + cx;
    }
    int r = dlx_row(d, cols, n);
    if (r >= 0 && r < 2600) {
        p->row[r].name = pento_name[piece];
        p->row[r].s = *s;
        p->row[r].x = x;
        p->row[r].y = y;
        p->nrows = r + 1;
    }
}

static int draw_first(void *user, const int *rows, int nrows)
{
    packing *p = user;
    if (p->picture[0])
        return 0;
    for (int i = 0; i < nrows; i++)
        for (int k = 0; k < p->row[rows[i]].s.n; k++) {
            int x = p->row[rows[i]].x + p->row[rows[i]].s.xy[k][0];
            int y = p->row[rows[i]].y + p->row[rows[i]].s.xy[k][1];
            p->picture[y * p->w + x] = p->row[rows[i]].name;
        }
    return 0;
}

static void pentominoes(int w, int h)
{
    static packing p;
    shape o[8];
    dlx *d = dlx_create(12 + w * h, 0, 6 * 2600);
    if (!d)
        exit(2);
    memset(&p, 0, sizeof p);
    p.w = w;
    p.h = h;
    for (int piece = 0; piece < 12; piece++) {
        int n = orientations(piece, o);
        for (int k = 0; k < n; k++)
            for (int y = 0; y < h; y++)
                for (int x = 0; x < w; x++)
                    place_shape(&p, d, piece, &o[k], x, y);
    }
    dlx_stats st = dlx_search(d, draw_first, &p);
    printf("pentominoes %dx%d: %d placements, %lu solutions, %lu nodes, %lu updates\n",
           w, h, p.nrows, st.solutions, st.nodes, st.updates);
    for (int y = 0; y < h; y++)
        printf("  %.*s\n", w, p.picture + y * w);
    dlx_destroy(d);
}

int main(void)
{
    static const unsigned long known[] = { 1, 0, 0, 2, 10, 4, 40, 92, 352 };
    unsigned long nodes;
    int wrong = 0;

    read_puzzles();
    generate(2, 2, 16);
    generate(3, 2, 36);
    generate(3, 3, 81);
    generate(4, 4, 90);
    for (int n = 1; n <= 9; n++) {
        unsigned long k = count_queens(n, &nodes);
        wrong += k != known[n - 1];
        printf("%d queens: %lu ways, %lu nodes\n", n, k, nodes);
    }
    pentominoes(20, 3);
    return wrong != 0;
}
