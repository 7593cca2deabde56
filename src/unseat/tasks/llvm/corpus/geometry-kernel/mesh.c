// SPDX-License-Identifier: Apache-2.0
//
// mesh.c - Delaunay triangulation by insertion and edge flips, the closest
// pair by divide and conquer, and the least enclosing circle.
#include "geom.h"

#include <math.h>
#include <stdlib.h>

enum { MESH_MAX = 1200 };

// Triangle i has corners v[0..2], counter-clockwise; near[k] lies across the
// edge opposite to corner k, -1 outside.
typedef struct { int v[3], near[3]; } Cell;

static Cell cells[MESH_MAX];
static int ncells;
static const Pt *points;
static int npoints;

// Corners from npoints on are the far triangle around everything.
static Pt position(int v)
{
    static const Pt far[3] = { { -8 * GEOM_LIMIT, -8 * GEOM_LIMIT }, { 8 * GEOM_LIMIT, -8 * GEOM_LIMIT },
                               { 0, 12 * GEOM_LIMIT } };
    return v < npoints ? points[v] : far[v - npoints];
}

static int turn(int a, int b, int c) { return orient(position(a), position(b), position(c)); }

static int cornerOf(const Cell *c, int v) { return c->v[0] == v ? 0 : c->v[1] == v ? 1 : 2; }

static int sideTo(const Cell *c, int neighbour)
{
    return c->near[0] == neighbour ? 0 : c->near[1] == neighbour ? 1 : 2;
}

static void relink(int cell, int from, int to)
{
    if (cell >= 0)
        cells[cell].near[sideTo(&cells[cell], from)] = to;
}

// Visibility walk towards p.
static int locate(int p, int start)
{
    int at = start;
    for (int steps = 0; steps < 4 * MESH_MAX; steps++) {
        const Cell *c = &cells[at];
        int k = 0;
        while (k < 3 && turn(c->v[(k + 1) % 3], c->v[(k + 2) % 3], p) >= 0)
            k++;
        if (k == 3)
            return at;
        at = c->near[k];
        if (at < 0)
            break;
    }
    return -1;
}

// p is corner 0 of cell a; the edge opposite is flipped while it is illegal.
static void legalise(int a, int p)
{
    Cell *c = &cells[a];
    int k = cornerOf(c, p), b = c->near[k];
    if (b < 0)
        return;
    Cell *d = &cells[b];
    int m = sideTo(d, a), q = d->v[m];
    if (inCircle(position(c->v[0]), position(c->v[1]), position(c->v[2]), position(q)) <= 0)
        return;
    int u = c->v[(k + 1) % 3], w = c->v[(k + 2) % 3];
    if (turn(p, u, q) <= 0 || turn(p, q, w) <= 0)
        return; // only with the far corners: the quadrangle is not convex
    int cu = c->near[(k + 1) % 3], cw = c->near[(k + 2) % 3];
    int du = d->near[(m + 1) % 3], dw = d->near[(m + 2) % 3];
    // c: u w p with q across uw;   d: q w u.  du is across u q, dw across q w
    *c = (Cell){ { p, u, q }, { du, b, cw } };
    *d = (Cell){ { p, q, w }, { dw, cu, a } };
    relink(du, b, a);
    relink(cu, a, b);
    legalise(a, p);
    legalise(b, p);
}

static bool splitInside(int at, int p)
{
    Cell old = cells[at];
    if (ncells + 2 > MESH_MAX)
        return false;
    int b = ncells++, c = ncells++;
    cells[at] = (Cell){ { p, old.v[0], old.v[1] }, { old.near[2], b, c } };
    cells[b] = (Cell){ { p, old.v[1], old.v[2] }, { old.near[0], c, at } };
    cells[c] = (Cell){ { p, old.v[2], old.v[0] }, { old.near[1], at, b } };
    relink(old.near[0], at, b);
    relink(old.near[1], at, c);
    legalise(at, p);
    legalise(b, p);
    legalise(c, p);
    return true;
}

// p lies on the edge opposite to corner k of cell a: four new cells.
static bool splitEdge(int a, int k, int p)
{
    Cell old = cells[a];
    int o = old.v[k], u = old.v[(k + 1) % 3], w = old.v[(k + 2) % 3], b = old.near[k];
    int ou = old.near[(k + 2) % 3], ow = old.near[(k + 1) % 3];
    if (b < 0 || ncells + 2 > MESH_MAX)
        return false;
    Cell other = cells[b];
    int m = sideTo(&other, a), q = other.v[m];
    int qw = other.near[(m + 2) % 3], qu = other.near[(m + 1) % 3];
    int c = ncells++, d = ncells++;
    cells[a] = (Cell){ { p, o, u }, { ou, d, c } };
    cells[c] = (Cell){ { p, w, o }, { ow, a, b } };
    cells[b] = (Cell){ { p, q, w }, { qw, c, d } };
    cells[d] = (Cell){ { p, u, q }, { qu, b, a } };
    relink(ow, a, c);
    relink(qu, b, d);
    legalise(a, p);
    legalise(c, p);
    legalise(b, p);
    legalise(d, p);
    return true;
}

static bool insertPoint(int p, int *hint)
{
    int at = locate(p, *hint);
    if (at < 0)
        return false;
    *hint = at;
    for (int k = 0; k < 3; k++)
        if (ptSame(position(cells[at].v[k]), position(p)))
            return true; // a duplicate adds nothing
    for (int k = 0; k < 3; k++)
        if (turn(cells[at].v[(k + 1) % 3], cells[at].v[(k + 2) % 3], p) == 0)
            return splitEdge(at, k, p);
    return splitInside(at, p);
}

int delaunay(const Pts *in, Tri *out, int max)
{
    int count = 0, hint = 0;
    points = in->at;
    npoints = in->n;
    ncells = 1;
    cells[0] = (Cell){ { npoints, npoints + 1, npoints + 2 }, { -1, -1, -1 } };
    for (int p = 0; p < npoints; p++)
        if (!insertPoint(p, &hint))
            return -1;
    for (int i = 0; i < ncells; i++) {
        const Cell *c = &cells[i];
        if (c->v[0] >= npoints || c->v[1] >= npoints || c->v[2] >= npoints)
            continue;
        if (count == max)
            return -1;
        out[count++] = (Tri){ { c->v[0], c->v[1], c->v[2] } };
    }
    return count;
}

// ---- closest pair ----

typedef struct { Pt a, b; int64_t d2; int compared; } Best;

static void consider(Best *best, Pt a, Pt b)
{
    int64_t d = ptDist2(a, b);
    best->compared++;
    if (d < best->d2)
        *best = (Best){ a, b, d, best->compared };
}

// Sorts by y while recursing on a range that was sorted by x.
static void closest(Pt *v, Pt *scratch, int n, Best *best)
{
    if (n < 2)
        return;
    int half = n / 2, i = 0, j = half, k = 0;
    int32_t middle = v[half].x;
    closest(v, scratch, half, best);
    closest(v + half, scratch, n - half, best);
    while (i < half || j < n)
        scratch[k++] = j == n || (i < half && v[i].y <= v[j].y) ? v[i++] : v[j++];
    for (k = 0; k < n; k++)
        v[k] = scratch[k];
    int strip = 0;
    for (k = 0; k < n; k++) {
        int64_t dx = v[k].x - middle;
        if (dx * dx >= best->d2)
            continue;
        for (int s = strip - 1; s >= 0; s--) {
            int64_t dy = v[k].y - scratch[s].y;
            if (dy * dy >= best->d2)
                break;
            consider(best, scratch[s], v[k]);
        }
        scratch[strip++] = v[k];
    }
}

int closestPair(const Pts *in, Pt *a, Pt *b, int64_t *d2)
{
    Best best = { { 0, 0 }, { 0, 0 }, INT64_MAX, 0 };
    Pt *v = malloc(((size_t)in->n * 2 + 1) * sizeof *v);
    if (!v)
        abort();
    for (int i = 0; i < in->n; i++)
        v[i] = in->at[i];
    qsort(v, (size_t)in->n, sizeof *v, ptOrder);
    closest(v, v + in->n, in->n, &best);
    free(v);
    *a = best.a;
    *b = best.b;
    *d2 = best.d2;
    return best.compared;
}

// ---- least enclosing circle, incremental (points in the given order) ----

static double dist2(PtF c, Pt p)
{
    double dx = c.x - p.x, dy = c.y - p.y;
    return dx * dx + dy * dy;
}

static Circle onTwo(Pt a, Pt b)
{
    return (Circle){ { (a.x + b.x) / 2.0, (a.y + b.y) / 2.0 }, (double)ptDist2(a, b) / 4.0 };
}

static Circle onThree(Pt a, Pt b, Pt c)
{
    double den = 2.0 * (double)ptCross(a, b, c);
    if (den == 0.0)
        return onTwo(a, c);
    double b2 = (double)ptDist2(a, b), c2 = (double)ptDist2(a, c);
    double bx = b.x - a.x, by = b.y - a.y, cx = c.x - a.x, cy = c.y - a.y;
    PtF o = { a.x + (cy * b2 - by * c2) / den, a.y + (bx * c2 - cx * b2) / den };
    return (Circle){ o, dist2(o, a) };
}

static bool holdsPoint(const Circle *c, Pt p) { return dist2(c->centre, p) <= c->r2 * (1 + 1e-12) + 1e-9; }

Circle enclosingCircle(const Pts *in)
{
    const Pt *p = in->at;
    Circle c = { { 0, 0 }, -1 };
    for (int i = 0; i < in->n; i++) {
        if (holdsPoint(&c, p[i]))
            continue;
        c = (Circle){ { p[i].x, p[i].y }, 0 };
        for (int j = 0; j < i; j++) {
            if (holdsPoint(&c, p[j]))
                continue;
            c = onTwo(p[i], p[j]);
            for (int k = 0; k < j; k++)
                if (!holdsPoint(&c, p[k]))
                    c = onThree(p[i], p[j], p[k]);
        }
    }
    return c;
}
