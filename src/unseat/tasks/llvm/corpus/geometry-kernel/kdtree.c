// SPDX-License-Identifier: Apache-2.0
//
// kdtree.c - an implicit balanced tree over an index array: the middle of
// each range is its root, and the split axis alternates with depth.
#include "geom.h"

#include <stdlib.h>

struct KdTree {
    const Pt *points;
    int n;
    int *index;
    long visited;
};

static int32_t coordinate(Pt p, int axis) { return axis ? p.y : p.x; }

static int32_t keyAt(const KdTree *t, int i, int axis) { return coordinate(t->points[t->index[i]], axis); }

static void swapAt(KdTree *t, int i, int j)
{
    int s = t->index[i];
    t->index[i] = t->index[j];
    t->index[j] = s;
}

// Quickselect: puts the k-th of [lo, hi) in place.
static void selectKth(KdTree *t, int lo, int hi, int k, int axis)
{
    while (hi - lo > 1) {
        int32_t pivot = keyAt(t, lo + (hi - lo) / 2, axis);
        int i = lo, j = hi - 1;
        while (i <= j) {
            while (keyAt(t, i, axis) < pivot)
                i++;
            while (keyAt(t, j, axis) > pivot)
                j--;
            if (i <= j)
                swapAt(t, i++, j--);
        }
        if (k <= j)
            hi = j + 1;
        else if (k >= i)
            lo = i;
        else
            return;
    }
}

static void arrange(KdTree *t, int lo, int hi, int axis)
{
    int mid = lo + (hi - lo) / 2;
    if (hi - lo < 2)
        return;
    selectKth(t, lo, hi, mid, axis);
    arrange(t, lo, mid, !axis);
    arrange(t, mid + 1, hi, !axis);
}

KdTree *kdBuild(const Pts *in)
{
    KdTree *t = malloc(sizeof *t);
    int *index = malloc(((size_t)in->n + 1) * sizeof *index);
    if (!t || !index)
        abort();
    *t = (KdTree){ in->at, in->n, index, 0 };
    for (int i = 0; i < t->n; i++)
        t->index[i] = i;
    arrange(t, 0, t->n, 0);
    return t;
}

void kdFree(KdTree *t)
{
    free(t->index);
    free(t);
}

typedef struct { Pt q; int found; int64_t d2; long visited; } Search;

static void descend(const KdTree *t, int lo, int hi, int axis, Search *s)
{
    if (lo >= hi)
        return;
    int mid = lo + (hi - lo) / 2, i = t->index[mid];
    int64_t d = ptDist2(t->points[i], s->q);
    s->visited++;
    if (d < s->d2 || (d == s->d2 && i < s->found)) {
        s->d2 = d;
        s->found = i;
    }
    int64_t gap = (int64_t)coordinate(s->q, axis) - coordinate(t->points[i], axis);
    bool left = gap < 0;
    descend(t, left ? lo : mid + 1, left ? mid : hi, !axis, s);
    if (gap * gap <= s->d2)
        descend(t, left ? mid + 1 : lo, left ? hi : mid, !axis, s);
}

int kdNearest(const KdTree *t, Pt q, int64_t *d2)
{
    Search s = { q, -1, INT64_MAX, 0 };
    descend(t, 0, t->n, 0, &s);
    ((KdTree *)t)->visited += s.visited; // trees are never const objects
    *d2 = s.d2;
    return s.found;
}

static int countRange(const KdTree *t, int lo, int hi, int axis, Pt from, Pt to)
{
    if (lo >= hi)
        return 0;
    int mid = lo + (hi - lo) / 2;
    Pt p = t->points[t->index[mid]];
    int n = p.x >= from.x && p.x <= to.x && p.y >= from.y && p.y <= to.y;
    if (coordinate(from, axis) <= coordinate(p, axis))
        n += countRange(t, lo, mid, !axis, from, to);
    if (coordinate(to, axis) >= coordinate(p, axis))
        n += countRange(t, mid + 1, hi, !axis, from, to);
    return n;
}

int kdCount(const KdTree *t, Pt lo, Pt hi) { return countRange(t, 0, t->n, 0, lo, hi); }

long kdVisited(const KdTree *t) { return t->visited; }
