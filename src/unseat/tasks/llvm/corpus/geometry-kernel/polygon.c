// SPDX-License-Identifier: Apache-2.0
//
// polygon.c - areas, containment, simplicity, ear clipping, clipping
// against a convex window, and the area of a union of rectangles.
#include "geom.h"

#include <math.h>
#include <stdlib.h>

static Pt corner(const Pts *p, int i) { return p->at[(i % p->n + p->n) % p->n]; }
static Seg edge(const Pts *p, int i) { return (Seg){ corner(p, i), corner(p, i + 1) }; }

int64_t polyArea2(const Pts *p)
{
    int64_t sum = 0;
    for (int i = 0; i < p->n; i++) {
        Pt a = corner(p, i), b = corner(p, i + 1);
        sum += (int64_t)a.x * b.y - (int64_t)a.y * b.x;
    }
    return sum;
}

static int64_t gcd(int64_t a, int64_t b)
{
    a = a < 0 ? -a : a;
    b = b < 0 ? -b : b;
    return b ? gcd(b, a % b) : a;
}

int64_t polyBoundaryPoints(const Pts *p)
{
    int64_t n = 0;
    for (int i = 0; i < p->n; i++) {
        Seg e = edge(p, i);
        n += gcd(e.b.x - e.a.x, e.b.y - e.a.y);
    }
    return n;
}

// Counts crossings of the ray to the right, half-open in y.
Where polyWhere(const Pts *p, Pt q)
{
    bool inside = false;
    for (int i = 0; i < p->n; i++) {
        Seg e = edge(p, i);
        if (segHas(e, q))
            return BORDER;
        if ((e.a.y > q.y) == (e.b.y > q.y))
            continue;
        int side = orient(e.a, e.b, q);
        if ((e.b.y > e.a.y) == (side > 0))
            inside = !inside;
    }
    return inside ? INSIDE : OUTSIDE;
}

bool polySimple(const Pts *p)
{
    for (int i = 0; i < p->n; i++)
        for (int j = i + 1; j < p->n; j++) {
            SegRelation r = segRelate(edge(p, i), edge(p, j));
            bool neighbours = j == i + 1 || (i == 0 && j == p->n - 1);
            if (neighbours ? r == SEG_OVERLAP : r != SEG_APART)
                return false;
        }
    return p->n >= 3;
}

bool polyConvex(const Pts *p)
{
    for (int i = 0; i < p->n; i++)
        if (orient(corner(p, i), corner(p, i + 1), corner(p, i + 2)) <= 0)
            return false;
    return p->n >= 3;
}

static bool inTriangle(Pt a, Pt b, Pt c, Pt q)
{
    return orient(a, b, q) >= 0 && orient(b, c, q) >= 0 && orient(c, a, q) >= 0;
}

static bool isEar(const Pts *p, const int *ring, int n, int i)
{
    Pt a = p->at[ring[(i + n - 1) % n]], b = p->at[ring[i]], c = p->at[ring[(i + 1) % n]];
    if (orient(a, b, c) <= 0)
        return false;
    for (int k = 0; k < n; k++) {
        Pt q = p->at[ring[k]];
        if (ptSame(q, a) || ptSame(q, b) || ptSame(q, c))
            continue;
        if (inTriangle(a, b, c, q))
            return false;
    }
    return true;
}

// Needs a simple counter-clockwise polygon.
int polyTriangulate(const Pts *p, int (*tri)[3], int max)
{
    int n = p->n, count = 0, stuck = 0, i = 0;
    if (n < 3 || max < n - 2)
        return -1;
    int *ring = malloc((size_t)n * sizeof *ring);
    if (!ring)
        abort();
    for (int k = 0; k < n; k++)
        ring[k] = k;
    while (n > 2 && stuck <= n) {
        i %= n;
        if (n > 3 && !isEar(p, ring, n, i)) {
            // a straight corner has no triangle but may be dropped last
            i++;
            stuck++;
            continue;
        }
        tri[count][0] = ring[(i + n - 1) % n];
        tri[count][1] = ring[i];
        tri[count++][2] = ring[(i + 1) % n];
        for (int k = i; k < n - 1; k++)
            ring[k] = ring[k + 1];
        n--;
        stuck = 0;
    }
    free(ring);
    return n == 2 ? count : -1;
}

enum { CLIP_MAX = 128 };

static double sideOf(PtF p, Seg window)
{
    return ((double)window.b.x - window.a.x) * (p.y - window.a.y) -
           ((double)window.b.y - window.a.y) * (p.x - window.a.x);
}

static PtF crossing(PtF p, PtF q, double sp, double sq)
{
    double t = sp / (sp - sq);
    return (PtF){ p.x + (q.x - p.x) * t, p.y + (q.y - p.y) * t };
}

static int clipBy(const PtF *in, int n, Seg window, PtF *out)
{
    int m = 0;
    for (int i = 0; i < n; i++) {
        PtF p = in[i], q = in[(i + 1) % n];
        double sp = sideOf(p, window), sq = sideOf(q, window);
        if (sp >= 0 && m < CLIP_MAX)
            out[m++] = p;
        if (((sp > 0 && sq < 0) || (sp < 0 && sq > 0)) && m < CLIP_MAX)
            out[m++] = crossing(p, q, sp, sq);
    }
    return m;
}

// Sutherland-Hodgman; the area of the common part.
double polyClipArea(const Pts *subject, const Pts *convex)
{
    PtF buffers[2][CLIP_MAX];
    int n = 0, now = 0;
    for (; n < subject->n && n < CLIP_MAX; n++)
        buffers[0][n] = (PtF){ subject->at[n].x, subject->at[n].y };
    for (int i = 0; i < convex->n; i++) {
        n = clipBy(buffers[now], n, edge(convex, i), buffers[1 - now]);
        now = 1 - now;
    }
    double sum = 0.0;
    for (int i = 0; i < n; i++) {
        PtF a = buffers[now][i], b = buffers[now][(i + 1) % n];
        sum += a.x * b.y - a.y * b.x;
    }
    return fabs(sum) / 2.0;
}

static int byValue(const void *a, const void *b)
{
    int32_t p = *(const int32_t *)a, q = *(const int32_t *)b;
    return (p > q) - (p < q);
}

static int byBottom(const void *a, const void *b)
{
    const Seg *p = a, *q = b;
    return (p->a.y > q->a.y) - (p->a.y < q->a.y);
}

// Vertical strips between neighbouring x; in each, intervals are merged.
int64_t rectUnionArea(const Seg *rects, int n)
{
    int64_t area = 0;
    int32_t *xs = malloc(((size_t)n * 2 + 1) * sizeof *xs);
    Seg *order = malloc(((size_t)n + 1) * sizeof *order);
    if (!xs || !order)
        abort();
    for (int i = 0; i < n; i++) {
        xs[2 * i] = rects[i].a.x;
        xs[2 * i + 1] = rects[i].b.x;
        order[i] = rects[i];
    }
    qsort(xs, (size_t)n * 2, sizeof *xs, byValue);
    qsort(order, (size_t)n, sizeof *order, byBottom);
    for (int s = 0; s + 1 < 2 * n; s++) {
        int32_t reach = INT32_MIN;
        int64_t covered = 0;
        if (xs[s] == xs[s + 1])
            continue;
        for (int i = 0; i < n; i++) {
            if (order[i].a.x > xs[s] || order[i].b.x < xs[s + 1] || order[i].b.y <= reach)
                continue;
            int32_t from = order[i].a.y > reach ? order[i].a.y : reach;
            covered += order[i].b.y - from;
            reach = order[i].b.y;
        }
        area += covered * (xs[s + 1] - xs[s]);
    }
    free(xs);
    free(order);
    return area;
}
