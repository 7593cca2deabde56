/* patch.c - unified diffs: writing, applying; and the three-way merge. */
#include "diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_line(buffer *out, const interner *in, const char *prefix, int id)
{
    buf_text(out, prefix);
    buf_add(out, in->text[id], in->len[id]);
    buf_text(out, "\n");
}

static void put_range(buffer *out, const interner *in, const char *prefix, lines l, int from, int to)
{
    for (int i = from; i < to; i++)
        put_line(out, in, prefix, l.id[i]);
}

static int min(int a, int b) { return a < b ? a : b; }
static int max(int a, int b) { return a > b ? a : b; }

void unified_write(buffer *out, const interner *in, lines a, lines b, const script *s, int context)
{
    for (int i = 0; i < s->n; ) {
        int last = i;
        while (last + 1 < s->n && s->v[last + 1].a0 - s->v[last].a1 <= 2 * context)
            last++;
        int a0 = max(0, s->v[i].a0 - context), a1 = min(a.n, s->v[last].a1 + context);
        int b0 = s->v[i].b0 - (s->v[i].a0 - a0), b1 = s->v[last].b1 + (a1 - s->v[last].a1);
        char head[80];
        snprintf(head, sizeof head, "@@ -%d,%d +%d,%d @@\n", a0 + (a1 > a0), a1 - a0,
                 b0 + (b1 > b0), b1 - b0);
        buf_text(out, head);
        for (int at = a0; i <= last; i++) {
            put_range(out, in, " ", a, at, s->v[i].a0);
            put_range(out, in, "-", a, s->v[i].a0, s->v[i].a1);
            put_range(out, in, "+", b, s->v[i].b0, s->v[i].b1);
            at = s->v[i].a1;
            if (i == last)
                put_range(out, in, " ", a, at, a1);
        }
    }
}

typedef struct { const char *p, *end; } cursor;

static int next_line(cursor *c, const char **s, size_t *n)
{
    if (c->p == c->end)
        return 0;
    const char *nl = memchr(c->p, '\n', (size_t)(c->end - c->p));
    *s = c->p;
    *n = (size_t)((nl ? nl : c->end) - c->p);
    c->p = nl ? nl + 1 : c->end;
    return 1;
}

static void copy_line(buffer *out, const char *s, size_t n)
{
    buf_add(out, s, n);
    buf_text(out, "\n");
}

static int parse_header(const char *s, size_t n, int v[4])
{
    static const char *const lead[4] = { "@@ -", ",", " +", "," };
    const char *end = s + n;
    for (int i = 0; i < 4; i++) {
        size_t k = strlen(lead[i]);
        if ((size_t)(end - s) <= k || memcmp(s, lead[i], k))
            return 0;
        s += k;
        if (*s < '0' || *s > '9')
            return 0;
        for (v[i] = 0; s < end && *s >= '0' && *s <= '9' && v[i] < 100000000; s++)
            v[i] = v[i] * 10 + (*s - '0');
    }
    return end - s == 3 && !memcmp(s, " @@", 3);
}

static const char *apply_hunk(cursor *old, cursor *patch, int old_left, int new_left, buffer *out)
{
    const char *s, *t;
    size_t n, k;
    while (old_left || new_left) {
        if (!next_line(patch, &s, &n) || n == 0)
            return "patch ends within a hunk";
        int consume = *s == ' ' || *s == '-', produce = *s == ' ' || *s == '+';
        if (!consume && !produce)
            return "bad line in a hunk";
        if (consume) {
            if (!next_line(old, &t, &k) || k != n - 1 || memcmp(t, s + 1, k))
                return "context does not match";
            old_left--;
        }
        if (produce) {
            copy_line(out, s + 1, n - 1);
            new_left--;
        }
        if (old_left < 0 || new_left < 0)
            return "hunk longer than its header says";
    }
    return NULL;
}

const char *unified_apply(const char *old_text, size_t old_len, const char *patch_text,
                          size_t patch_len, buffer *out)
{
    cursor old = { old_text, old_text + old_len }, patch = { patch_text, patch_text + patch_len };
    const char *s, *why;
    size_t n;
    int line = 0, v[4];
    while (next_line(&patch, &s, &n)) {
        if (!parse_header(s, n, v))
            return "hunk header expected";
        int target = v[0] - (v[1] > 0);
        if (target < line)
            return "hunks out of order";
        for (; line < target; line++) {
            if (!next_line(&old, &s, &n))
                return "hunk beyond the end";
            copy_line(out, s, n);
        }
        if ((why = apply_hunk(&old, &patch, v[1], v[3], out)))
            return why;
        line += v[1];
    }
    while (next_line(&old, &s, &n))
        copy_line(out, s, n);
    return NULL;
}

static int same_range(lines x, int x0, int x1, lines y, int y0, int y1)
{
    return x1 - x0 == y1 - y0 &&
           (x1 == x0 || !memcmp(x.id + x0, y.id + y0, (size_t)(x1 - x0) * sizeof *x.id));
}

/* Hunks of one side that touch base lines [lo, hi]; grows hi while they overlap. */
static int absorb(const script *s, int *at, int *hi)
{
    int grew = 0;
    while (*at < s->n && s->v[*at].a0 <= *hi) {
        *hi = max(*hi, s->v[*at].a1);
        (*at)++;
        grew = 1;
    }
    return grew;
}

int merge3(buffer *out, const interner *in, lines base, lines mine, lines yours)
{
    script m = diff_compute(base.id, base.n, mine.id, mine.n);
    script y = diff_compute(base.id, base.n, yours.id, yours.n);
    int i = 0, j = 0, at = 0, dm = 0, dy = 0, conflicts = 0;
    while (i < m.n || j < y.n) {
        int lo = min(i < m.n ? m.v[i].a0 : base.n, j < y.n ? y.v[j].a0 : base.n), hi = lo;
        int i0 = i, j0 = j;
        while (absorb(&m, &i, &hi) | absorb(&y, &j, &hi))
            ;
        put_range(out, in, "", base, at, lo);
        int m0 = lo + dm, y0 = lo + dy;
        if (i > i0)
            dm = m.v[i - 1].b1 - m.v[i - 1].a1;
        if (j > j0)
            dy = y.v[j - 1].b1 - y.v[j - 1].a1;
        int m1 = hi + dm, y1 = hi + dy;
        if (j == j0 || same_range(mine, m0, m1, yours, y0, y1)) {
            put_range(out, in, "", mine, m0, m1);
        } else if (i == i0) {
            put_range(out, in, "", yours, y0, y1);
        } else {
            conflicts++;
            buf_text(out, "<<<<<<<\n");
            put_range(out, in, "", mine, m0, m1);
            buf_text(out, "=======\n");
            put_range(out, in, "", yours, y0, y1);
            buf_text(out, ">>>>>>>\n");
        }
        at = hi;
    }
    put_range(out, in, "", base, at, base.n);
    script_free(&m);
    script_free(&y);
    return conflicts;
}
