/* myers.c - Myers' O(ND) difference in linear space (middle snakes). */
#include "diff.h"

#include <stdlib.h>

typedef struct {
    const int *a, *b;
    int *fwd, *bwd;           /* furthest x on each diagonal, index k + offset */
    int offset;
    script out;
} context;

void script_add(script *s, int a0, int a1, int b0, int b1)
{
    if (s->n && s->v[s->n - 1].a1 == a0 && s->v[s->n - 1].b1 == b0) {
        s->v[s->n - 1].a1 = a1;            /* extend the previous region */
        s->v[s->n - 1].b1 = b1;
        return;
    }
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 16;
        s->v = realloc(s->v, (size_t)s->cap * sizeof *s->v);
        if (!s->v)
            abort();
    }
    hunk h = { a0, a1, b0, b1 };
    s->v[s->n++] = h;
}

void script_free(script *s)
{
    free(s->v);
    s->v = NULL;
    s->n = s->cap = 0;
}

int script_distance(const script *s)
{
    int d = 0;
    for (int i = 0; i < s->n; i++)
        d += s->v[i].a1 - s->v[i].a0 + s->v[i].b1 - s->v[i].b0;
    return d;
}

/* Finds a point on an optimal path about half-way through the box. */
static void middle(context *c, int a0, int a1, int b0, int b1, int *px, int *py)
{
    int n = a1 - a0, m = b1 - b0, delta = n - m, odd = delta & 1;
    int *f = c->fwd + c->offset, *r = c->bwd + c->offset;
    f[1] = 0;
    r[1] = 0;
    for (int d = 0;; d++) {
        for (int k = -d; k <= d; k += 2) {
            int x = k == -d || (k != d && f[k - 1] < f[k + 1]) ? f[k + 1] : f[k - 1] + 1;
            int y = x - k;
            while (x < n && y < m && y >= 0 && c->a[a0 + x] == c->b[b0 + y])
                x++, y++;
            f[k] = x;
            int rk = delta - k;
            if (odd && rk >= -(d - 1) && rk <= d - 1 && x + r[rk] >= n) {
                *px = a0 + x;
                *py = b0 + y;
                return;
            }
        }
        for (int k = -d; k <= d; k += 2) {
            int x = k == -d || (k != d && r[k - 1] < r[k + 1]) ? r[k + 1] : r[k - 1] + 1;
            int y = x - k;
            while (x < n && y < m && y >= 0 && c->a[a1 - 1 - x] == c->b[b1 - 1 - y])
                x++, y++;
            r[k] = x;
            int fk = delta - k;
            if (!odd && fk >= -d && fk <= d && x + f[fk] >= n) {
                *px = a1 - x;
                *py = b1 - y;
                return;
            }
        }
    }
}

static void solve(context *c, int a0, int a1, int b0, int b1)
{
    while (a0 < a1 && b0 < b1 && c->a[a0] == c->b[b0])
        a0++, b0++;
    while (a0 < a1 && b0 < b1 && c->a[a1 - 1] == c->b[b1 - 1])
        a1--, b1--;
    if (a0 == a1 && b0 == b1)
        return;
    if (a0 == a1 || b0 == b1) {
        script_add(&c->out, a0, a1, b0, b1);
        return;
    }
    int x = a0, y = b0;
    middle(c, a0, a1, b0, b1, &x, &y);
    solve(c, a0, x, b0, y);
    solve(c, x, a1, y, b1);
}

/* Slides pure insertions and deletions down as far as they go. */
static void slide_down(context *c, int n, int m)
{
    script old = c->out, fresh = { NULL, 0, 0 };
    for (int i = 0; i < old.n; i++) {
        hunk h = old.v[i];
        int a_stop = i + 1 < old.n ? old.v[i + 1].a0 : n;
        int b_stop = i + 1 < old.n ? old.v[i + 1].b0 : m;
        while (h.a1 < a_stop && h.b1 < b_stop &&
               ((h.a0 == h.a1 && c->b[h.b0] == c->b[h.b1]) ||
                (h.b0 == h.b1 && c->a[h.a0] == c->a[h.a1])))
            h.a0++, h.a1++, h.b0++, h.b1++;
        script_add(&fresh, h.a0, h.a1, h.b0, h.b1);
    }
    script_free(&old);
    c->out = fresh;
}

script diff_compute(const int *a, int n, const int *b, int m)
{
    context c = { .a = a, .b = b, .offset = n + m + 2 };
    size_t width = (size_t)c.offset * 2 + 2;
    c.fwd = calloc(width, sizeof *c.fwd);
    c.bwd = calloc(width, sizeof *c.bwd);
    if (!c.fwd || !c.bwd)
        abort();
    solve(&c, 0, n, 0, m);
    slide_down(&c, n, m);
    free(c.fwd);
    free(c.bwd);
    return c.out;
}
