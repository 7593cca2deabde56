// SPDX-License-Identifier: Apache-2.0
//
// hull.c - convex hulls by two methods, and rotating calipers on them.
#include "geom.h"

#include <stdlib.h>
#include <string.h>

static Pts sortedUnique(const Pts *in)
{
    Pts s = PTS_INIT, out = PTS_INIT;
    for (int i = 0; i < in->n; i++)
        ptsPush(&s, in->at[i]);
    if (s.n)
        qsort(s.at, (size_t)s.n, sizeof *s.at, ptOrder);
    for (int i = 0; i < s.n; i++)
        if (!i || !ptSame(s.at[i], s.at[i - 1]))
            ptsPush(&out, s.at[i]);
    ptsFree(&s);
    return out;
}

static void extend(Pts *chain, int keep, Pt p)
{
    while (chain->n > keep && orient(chain->at[chain->n - 2], chain->at[chain->n - 1], p) <= 0)
        chain->n--;
    ptsPush(chain, p);
}

void hullChain(const Pts *in, Pts *out)
{
    Pts s = sortedUnique(in);
    out->n = 0;
    for (int i = 0; i < s.n; i++)
        extend(out, 1, s.at[i]);
    int lower = out->n;
    for (int i = s.n - 2; i >= 0; i--)
        extend(out, lower, s.at[i]);
    if (out->n > 1)
        out->n--; // the start came round again
    ptsFree(&s);
}

void hullWrap(const Pts *in, Pts *out)
{
    Pts s = sortedUnique(in);
    out->n = 0;
    int start = 0, at = 0;
    while (s.n) {
        ptsPush(out, s.at[at]);
        int next = at == 0 ? (s.n > 1) : 0;
        for (int i = 0; i < s.n; i++) {
            if (i == at || i == next)
                continue;
            int o = orient(s.at[at], s.at[next], s.at[i]);
            if (o < 0 || (o == 0 && ptDist2(s.at[at], s.at[i]) > ptDist2(s.at[at], s.at[next])))
                next = i;
        }
        at = next;
        if (at == start)
            break;
    }
    ptsFree(&s);
}

static int64_t height(const Pts *h, int edge, int corner)
{
    return ptCross(h->at[edge], h->at[(edge + 1) % h->n], h->at[corner % h->n]);
}

// The farthest pair is antipodal: walk both ends around the hull.
int64_t hullDiameter2(const Pts *h, Pt *p, Pt *q)
{
    int64_t best = -1;
    int far = 1;
    for (int i = 0; i < h->n; i++) {
        while (h->n > 2 && height(h, i, far + 1) > height(h, i, far))
            far = (far + 1) % h->n;
        for (int k = 0; k < 2; k++) {
            Pt a = h->at[(i + k) % h->n], b = h->at[far % h->n];
            if (ptDist2(a, b) <= best)
                continue;
            best = ptDist2(a, b);
            *p = a;
            *q = b;
        }
    }
    return best;
}

static int64_t along(const Pts *h, int edge, int corner)
{
    Pt a = h->at[edge], b = h->at[(edge + 1) % h->n], c = h->at[corner % h->n];
    return (int64_t)(b.x - a.x) * (c.x - a.x) + (int64_t)(b.y - a.y) * (c.y - a.y);
}

// The least enclosing rectangle lies on an edge.  Its area is
// height * width / length^2, kept as an exact fraction per edge.
int64_t hullMinRectangle(const Pts *h, int64_t *den)
{
    int64_t best = 0;
    *den = 0;
    if (h->n < 3)
        return 0;
    for (int i = 0; i < h->n; i++) {
        int64_t top = 0, lo = 0, hi = 0;
        for (int k = 0; k < h->n; k++) {
            int64_t up = height(h, i, k), t = along(h, i, k);
            top = up > top ? up : top;
            lo = t < lo ? t : lo;
            hi = t > hi ? t : hi;
        }
        int64_t len2 = ptDist2(h->at[i], h->at[(i + 1) % h->n]), area = top * (hi - lo);
        // compare fractions without overflow: whole parts, then remainders
        int64_t w = area / len2, bw = *den ? best / *den : 0;
        bool less = !*den || w < bw;
        if (*den && w == bw)
            less = (area % len2) * *den < (best % *den) * len2;
        if (less) {
            best = area;
            *den = len2;
        }
    }
    return best;
}
