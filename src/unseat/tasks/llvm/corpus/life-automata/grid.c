/* grid.c - rows are arrays of 64-bit words; a generation is computed for 64
 * cells at once by adding the eight neighbour bit planes in parallel.
 * SPDX-License-Identifier: Apache-2.0 */
#include "grid.h"

#include <stdlib.h>
#include <string.h>

struct Grid {
    int width, height;
    int words;           /* words in a row                        */
    uint64_t tail;       /* mask of valid bits in a row's last word */
    uint64_t *now, *next;
};

Grid *grid_new(int width, int height)
{
    if (width < 3 || height < 3 || width > 4096 || height > 4096)
        return NULL;
    Grid *g = malloc(sizeof *g);
    if (!g)
        return NULL;
    g->width = width;
    g->height = height;
    g->words = (width + 63) / 64;
    g->tail = width % 64 ? (UINT64_C(1) << (width % 64)) - 1 : ~UINT64_C(0);
    size_t cells = (size_t)g->words * (size_t)height;
    g->now = calloc(2 * cells, sizeof *g->now);
    if (!g->now) {
        free(g);
        return NULL;
    }
    g->next = g->now + cells;
    return g;
}

void grid_free(Grid *g)
{
    if (!g)
        return;
    free(g->now < g->next ? g->now : g->next);
    free(g);
}

int grid_width(const Grid *g) { return g->width; }
int grid_height(const Grid *g) { return g->height; }

static int wrap(int v, int n)
{
    v %= n;
    return v < 0 ? v + n : v;
}

static uint64_t *row(const Grid *g, uint64_t *plane, int y)
{
    return plane + (size_t)wrap(y, g->height) * (size_t)g->words;
}

int grid_get(const Grid *g, int x, int y)
{
    x = wrap(x, g->width);
    return (int)(row(g, g->now, y)[x / 64] >> (x % 64) & 1);
}

void grid_set(Grid *g, int x, int y, int alive)
{
    x = wrap(x, g->width);
    uint64_t bit = UINT64_C(1) << (x % 64);
    uint64_t *w = &row(g, g->now, y)[x / 64];
    *w = alive ? *w | bit : *w & ~bit;
}

static size_t plane_bytes(const Grid *g)
{
    return (size_t)g->words * (size_t)g->height * sizeof *g->now;
}

void grid_clear(Grid *g) { memset(g->now, 0, plane_bytes(g)); }

void grid_copy(Grid *dst, const Grid *src)
{
    memcpy(dst->now, src->now, plane_bytes(src));
}

int grid_equal(const Grid *a, const Grid *b)
{
    return a->width == b->width && a->height == b->height &&
           memcmp(a->now, b->now, plane_bytes(a)) == 0;
}

/* The word whose bit i is the cell to the west of cell i, with wrap. */
static uint64_t west_word(const Grid *g, const uint64_t *r, int i)
{
    if (i > 0)
        return r[i] << 1 | r[i - 1] >> 63;
    int last = g->width - 1;
    return r[0] << 1 | (r[last / 64] >> (last % 64) & 1);
}

static uint64_t east_word(const Grid *g, const uint64_t *r, int i)
{
    if (i + 1 < g->words)
        return r[i] >> 1 | r[i + 1] << 63;
    int last = (g->width - 1) % 64;
    return r[i] >> 1 | (r[0] & 1) << last;
}

typedef struct { uint64_t bit[4]; } Counter; /* 64 four-bit counters */

static void count(Counter *c, uint64_t plane)
{
    for (int k = 0; k < 4; k++) {
        uint64_t carry = c->bit[k] & plane;
        c->bit[k] ^= plane;
        plane = carry;
    }
}

static void count_row(const Grid *g, Counter *c, const uint64_t *r, int i, int centre)
{
    count(c, west_word(g, r, i));
    if (centre)
        count(c, r[i]);
    count(c, east_word(g, r, i));
}

/* Lanes whose counter equals n. */
static uint64_t equals(const Counter *c, unsigned n)
{
    uint64_t m = ~UINT64_C(0);
    for (int k = 0; k < 4; k++)
        m &= n >> k & 1 ? c->bit[k] : ~c->bit[k];
    return m;
}

static uint64_t matches(const Counter *c, uint16_t set)
{
    uint64_t m = 0;
    for (unsigned n = 0; n <= 8; n++)
        if (set >> n & 1)
            m |= equals(c, n);
    return m;
}

/* True when the word and everything around it in this row is dead; such a
 * place stays dead because rules with B0 are refused. */
static int quiet(const Grid *g, const uint64_t *r, int i)
{
    int west = i > 0 ? i - 1 : g->words - 1, east = i + 1 < g->words ? i + 1 : 0;
    return !(r[west] | r[i] | r[east]);
}

void grid_step(Grid *g, Rule r)
{
    for (int y = 0; y < g->height; y++) {
        const uint64_t *up = row(g, g->now, y - 1), *mid = row(g, g->now, y);
        const uint64_t *down = row(g, g->now, y + 1);
        uint64_t *out = row(g, g->next, y);
        for (int i = 0; i < g->words; i++) {
            Counter c = { { 0, 0, 0, 0 } };
            if (quiet(g, up, i) && quiet(g, mid, i) && quiet(g, down, i)) {
                out[i] = 0;
                continue;
            }
            count_row(g, &c, up, i, 1);
            count_row(g, &c, mid, i, 0);
            count_row(g, &c, down, i, 1);
            out[i] = (mid[i] & matches(&c, r.survive)) | (~mid[i] & matches(&c, r.birth));
        }
        out[g->words - 1] &= g->tail;
    }
    uint64_t *t = g->now;
    g->now = g->next;
    g->next = t;
}

static int popcount64(uint64_t v)
{
    v -= v >> 1 & UINT64_C(0x5555555555555555);
    v = (v & UINT64_C(0x3333333333333333)) + (v >> 2 & UINT64_C(0x3333333333333333));
    v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (int)((v * UINT64_C(0x0101010101010101)) >> 56);
}

long grid_population(const Grid *g)
{
    long n = 0;
    for (size_t i = 0; i < plane_bytes(g) / sizeof *g->now; i++)
        n += popcount64(g->now[i]);
    return n;
}

uint64_t grid_hash(const Grid *g)
{
    uint64_t h = UINT64_C(1469598103934665603);
    for (size_t i = 0; i < plane_bytes(g) / sizeof *g->now; i++) {
        h = (h ^ g->now[i]) * UINT64_C(1099511628211);
        h ^= h >> 29;
    }
    return h;
}

void grid_each(const Grid *g, CellFn fn, void *ctx)
{
    for (int y = 0; y < g->height; y++) {
        const uint64_t *r = row(g, g->now, y);
        for (int i = 0; i < g->words; i++)
            for (uint64_t w = r[i]; w; w &= w - 1)
                fn(ctx, i * 64 + popcount64((w & -w) - 1), y);
    }
}

int rule_parse(const char *text, Rule *out)
{
    uint16_t *target = NULL;
    Rule r = { 0, 0 };
    for (; *text; text++) {
        if (*text == 'B')
            target = &r.birth;
        else if (*text == 'S')
            target = &r.survive;
        else if (*text >= '0' && *text <= '8' && target)
            *target |= (uint16_t)(1u << (*text - '0'));
        else if (*text != '/')
            return -1;
    }
    if (!target || (r.birth & 1)) /* B0 would fill the plane */
        return -1;
    *out = r;
    return 0;
}

void rule_format(Rule r, char out[24])
{
    *out++ = 'B';
    for (int n = 0; n <= 8; n++)
        if (r.birth >> n & 1)
            *out++ = (char)('0' + n);
    *out++ = '/';
    *out++ = 'S';
    for (int n = 0; n <= 8; n++)
        if (r.survive >> n & 1)
            *out++ = (char)('0' + n);
    *out = '\0';
}
