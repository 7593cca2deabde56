// SPDX-License-Identifier: Apache-2.0
//
// basic.c - point lists, exact predicates and the relation of segments.
#include "geom.h"

#include <stdlib.h>

void ptsPush(Pts *v, Pt p)
{
    if (v->n == v->cap) {
        int cap = v->cap ? v->cap * 2 : 8;
        Pt *at = realloc(v->at, (size_t)cap * sizeof *at);
        if (!at)
            abort();
        v->at = at;
        v->cap = cap;
    }
    v->at[v->n++] = p;
}

void ptsFree(Pts *v)
{
    free(v->at);
    *v = (Pts)PTS_INIT;
}

int ptOrder(const void *a, const void *b)
{
    const Pt *p = a, *q = b;
    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    return (p->y > q->y) - (p->y < q->y);
}

static int sign(int64_t v) { return (v > 0) - (v < 0); }

int orient(Pt a, Pt b, Pt c) { return sign(ptCross(a, b, c)); }

int inCircle(Pt a, Pt b, Pt c, Pt d)
{
    int64_t ax = a.x - d.x, ay = a.y - d.y, bx = b.x - d.x, by = b.y - d.y;
    int64_t cx = c.x - d.x, cy = c.y - d.y;
    int64_t a2 = ax * ax + ay * ay, b2 = bx * bx + by * by, c2 = cx * cx + cy * cy;
    return sign(a2 * (bx * cy - cx * by) - b2 * (ax * cy - cx * ay) + c2 * (ax * by - bx * ay));
}

static bool between(int32_t v, int32_t a, int32_t b) { return a < b ? v >= a && v <= b : v >= b && v <= a; }

bool segHas(Seg s, Pt p)
{
    return orient(s.a, s.b, p) == 0 && between(p.x, s.a.x, s.b.x) && between(p.y, s.a.y, s.b.y);
}

static SegRelation relateStraight(Seg s, Seg t)
{
    Pt on[4];
    int n = 0;
    const Pt ends[4] = { t.a, t.b, s.a, s.b };
    for (int i = 0; i < 4; i++) {
        if (!segHas(i < 2 ? s : t, ends[i]))
            continue;
        bool known = false;
        for (int k = 0; k < n; k++)
            known |= ptSame(on[k], ends[i]);
        if (!known)
            on[n++] = ends[i];
    }
    return n == 0 ? SEG_APART : n == 1 ? SEG_TOUCH : SEG_OVERLAP;
}

SegRelation segRelate(Seg s, Seg t)
{
    int a = orient(s.a, s.b, t.a), b = orient(s.a, s.b, t.b);
    int c = orient(t.a, t.b, s.a), d = orient(t.a, t.b, s.b);
    if (!a && !b && !c && !d)
        return relateStraight(s, t);
    if (a * b < 0 && c * d < 0)
        return SEG_CROSS;
    if (segHas(s, t.a) || segHas(s, t.b) || segHas(t, s.a) || segHas(t, s.b))
        return SEG_TOUCH;
    return SEG_APART;
}
