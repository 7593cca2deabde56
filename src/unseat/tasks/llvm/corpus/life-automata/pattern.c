/* pattern.c - the pattern book, its run-length code, detection of periods
 * and spaceship motion, and a flood-fill census of connected objects.
 * SPDX-License-Identifier: Apache-2.0 */
#include "pattern.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Pattern book[] = {
    { "block", "2o$2o!" },
    { "beehive", "b2o$o2bo$b2o!" },
    { "blinker", "3o!" },
    { "toad", "b3o$3o!" },
    { "beacon", "2o$2o$2b2o$2b2o!" },
    { "pentadecathlon", "2bo4bo$2ob4ob2o$2bo4bo!" },
    { "glider", "bo$2bo$3o!" },
    { "lwss", "bo2bo$o$o3bo$4o!" },
    { "r-pentomino", "b2o$2o$bo!" },
    { "diehard", "6bo$2o$bo3b3o!" },
    { "acorn", "bo$3bo$2o2b3o!" },
    { "gun",
      "24bo$22bobo$12b2o6b2o12b2o$11bo3bo4b2o12b2o$2o8bo5bo3b2o$2o8bo3bob2o4bobo$"
      "10bo5bo7bo$11bo3bo$12b2o!" },
    { "replicator", "2b3o$bo2bo$o3bo$o2bo$3o!" },
};

const Pattern *pattern_find(const char *name)
{
    for (size_t i = 0; i < sizeof book / sizeof book[0]; i++)
        if (!strcmp(book[i].name, name))
            return &book[i];
    return NULL;
}

int pattern_place(Grid *g, const char *rle, int x, int y)
{
    int cx = x, cy = y, run = 0, cells = 0;
    for (; *rle && *rle != '!'; rle++) {
        if (isdigit((unsigned char)*rle)) {
            run = run * 10 + (*rle - '0');
            if (run > 9999)
                return -1;
            continue;
        }
        int n = run ? run : 1;
        run = 0;
        switch (*rle) {
        case 'b':
            cx += n;
            break;
        case 'o':
            cells += n;
            while (n--)
                grid_set(g, cx++, cy, 1);
            break;
        case '$':
            cy += n;
            cx = x;
            break;
        default:
            return -1;
        }
    }
    return *rle == '!' && !run ? cells : -1;
}

typedef struct { int x0, y0, x1, y1, n; } Box;

static void box_visit(void *ctx, int x, int y)
{
    Box *b = ctx;
    if (!b->n || x < b->x0) b->x0 = x;
    if (!b->n || x > b->x1) b->x1 = x;
    if (!b->n || y < b->y0) b->y0 = y;
    if (!b->n || y > b->y1) b->y1 = y;
    b->n++;
}

static Box bounding_box(const Grid *g)
{
    Box b = { 0, 0, 0, 0, 0 };
    grid_each(g, box_visit, &b);
    return b;
}

typedef struct { char *at; int left; } Writer;

static void emit_run(Writer *w, int n, char c)
{
    char piece[16];
    int len = n == 1 ? snprintf(piece, sizeof piece, "%c", c)
                     : snprintf(piece, sizeof piece, "%d%c", n, c);
    if (n < 1 || len >= w->left)
        return;
    memcpy(w->at, piece, (size_t)len + 1);
    w->at += len;
    w->left -= len;
}

/* Run-length code of the bounding box; truncated when `out` is too small. */
void pattern_encode(const Grid *g, char *out, int size)
{
    Writer w = { out, size };
    Box b = bounding_box(g);
    int newlines = 0;
    *out = '\0';
    for (int y = b.y0; b.n && y <= b.y1; y++) {
        int x = b.x0, dead = 0;
        while (x <= b.x1) {
            int start = x, alive = grid_get(g, x, y);
            while (x <= b.x1 && grid_get(g, x, y) == alive)
                x++;
            if (!alive) {
                dead = x - start;
                continue;
            }
            emit_run(&w, newlines, '$');
            emit_run(&w, dead, 'b');
            emit_run(&w, x - start, 'o');
            newlines = 0;
            dead = 0;
        }
        newlines++;
    }
    emit_run(&w, 1, '!');
}

/* Smallest period up to a shift, from the pattern's current phase on. */
Motion pattern_motion(Grid *g, Rule r, int limit)
{
    char *first = malloc(4096), *now = malloc(4096);
    Motion m = { 0, 0, 0, 0 };
    Box start = bounding_box(g);
    if (first && now) {
        pattern_encode(g, first, 4096);
        for (int t = 1; t <= limit && !m.period; t++) {
            grid_step(g, r);
            Box b = bounding_box(g);
            if (b.n != start.n)
                continue;
            pattern_encode(g, now, 4096);
            if (!strcmp(first, now))
                m = (Motion){ t, 0, b.x0 - start.x0, b.y0 - start.y0 };
        }
    }
    free(first);
    free(now);
    return m;
}

/* Brent's algorithm on whole-grid states; the grid ends inside the cycle. */
int grid_cycle(Grid *g, Rule r, int limit, int *preperiod)
{
    Grid *origin = grid_new(grid_width(g), grid_height(g));
    Grid *saved = grid_new(grid_width(g), grid_height(g));
    int period = 0;
    if (origin && saved) {
        int power = 1, lambda = 1;
        grid_copy(origin, g);
        grid_copy(saved, g);
        grid_step(g, r);
        while (!grid_equal(saved, g) && lambda < limit) {
            if (power == lambda) {
                grid_copy(saved, g);
                power *= 2;
                lambda = 0;
            }
            grid_step(g, r);
            lambda++;
        }
        if (lambda < limit) {
            period = lambda;
            grid_copy(saved, origin);
            grid_copy(g, origin);
            for (int i = 0; i < period; i++)
                grid_step(g, r);
            for (*preperiod = 0; !grid_equal(saved, g); ++*preperiod) {
                grid_step(saved, r);
                grid_step(g, r);
            }
        }
    }
    grid_free(origin);
    grid_free(saved);
    return period;
}

static int flood(const Grid *g, unsigned char *seen, int *stack, int at)
{
    int w = grid_width(g), h = grid_height(g), top = 0, size = 0;
    stack[top++] = at;
    seen[at] = 1;
    while (top) {
        int c = stack[--top], x = c % w, y = c / w;
        size++;
        for (int dy = -1; dy <= 1; dy++)
            for (int dx = -1; dx <= 1; dx++) {
                int nx = (x + dx + w) % w, ny = (y + dy + h) % h, n = ny * w + nx;
                if (seen[n] || !grid_get(g, nx, ny))
                    continue;
                seen[n] = 1;
                stack[top++] = n;
            }
    }
    return size;
}

Census grid_census(const Grid *g)
{
    size_t cells = (size_t)grid_width(g) * (size_t)grid_height(g);
    unsigned char *seen = calloc(cells, 1);
    int *stack = malloc(cells * sizeof *stack);
    Census c = { 0, 0, 0 };
    for (int i = 0; seen && stack && i < (int)cells; i++) {
        if (seen[i] || !grid_get(g, i % grid_width(g), i / grid_width(g)))
            continue;
        int size = flood(g, seen, stack, i);
        c.largest = size > c.largest ? size : c.largest;
        c.smallest = !c.objects || size < c.smallest ? size : c.smallest;
        c.objects++;
    }
    free(seen);
    free(stack);
    return c;
}
