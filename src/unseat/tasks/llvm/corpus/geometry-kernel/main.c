// SPDX-License-Identifier: Apache-2.0
//
// main.c - small figures with known measures, then random sets on which
// every algorithm is compared with a slower or an independent one.
#include "geom.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t rngState = 0x853c49e6748fea9bu;

static uint32_t rng(void)
{
    uint64_t old = rngState;
    rngState = old * 6364136223846793005u + 1442695040888963407u;
    uint32_t x = (uint32_t)(((old >> 18) ^ old) >> 27), rot = (uint32_t)(old >> 59);
    return x >> rot | x << ((32 - rot) & 31);
}

static int below(int n) { return (int)(rng() % (uint32_t)n); }

static Pt randomPt(int range)
{
    int x = below(2 * range + 1) - range;
    int y = below(2 * range + 1) - range;
    return pt(x, y);
}

static Pts randomPts(int n, int range)
{
    Pts v = PTS_INIT;
    for (int i = 0; i < n; i++)
        ptsPush(&v, randomPt(range));
    return v;
}

static Pts listed(const int (*xy)[2], int n)
{
    Pts v = PTS_INIT;
    for (int i = 0; i < n; i++)
        ptsPush(&v, pt(xy[i][0], xy[i][1]));
    return v;
}

static void segments(void)
{
    static const struct { Seg s, t; } cases[] = {
        { { { 0, 0 }, { 4, 4 } }, { { 0, 4 }, { 4, 0 } } }, { { { 0, 0 }, { 4, 0 } }, { { 4, 0 }, { 5, 5 } } },
        { { { 0, 0 }, { 4, 0 } }, { { 2, 0 }, { 2, 3 } } }, { { { 0, 0 }, { 4, 0 } }, { { 3, 0 }, { 9, 0 } } },
        { { { 0, 0 }, { 4, 0 } }, { { 4, 0 }, { 9, 0 } } }, { { { 0, 0 }, { 4, 0 } }, { { 5, 0 }, { 9, 0 } } },
        { { { 0, 0 }, { 4, 4 } }, { { 5, 5 }, { 5, 0 } } }, { { { 1, 1 }, { 1, 1 } }, { { 0, 0 }, { 2, 2 } } },
    };
    static const char *const names[] = { "apart", "cross", "touch", "overlap" };
    printf("segments:");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        printf(" %s", names[segRelate(cases[i].s, cases[i].t)]);
    // the relation must not depend on order or direction
    long odd = 0;
    for (int i = 0; i < 20000; i++) {
        Pt a = randomPt(6), b = randomPt(6), c = randomPt(6), d = randomPt(6);
        SegRelation r = segRelate((Seg){ a, b }, (Seg){ c, d });
        odd += r != segRelate((Seg){ d, c }, (Seg){ a, b }) || r != segRelate((Seg){ b, a }, (Seg){ d, c });
    }
    printf("; asymmetric %ld\n", odd);
}

static void polygons(void)
{
    static const int comb[][2] = { { 0, 0 }, { 12, 0 }, { 12, 6 }, { 10, 6 }, { 10, 2 }, { 8, 2 }, { 8, 6 },
                                   { 4, 6 }, { 4, 2 }, { 2, 2 }, { 2, 6 }, { 0, 6 } };
    static const int bow[][2] = { { 0, 0 }, { 4, 4 }, { 4, 0 }, { 0, 4 } };
    static const int window[][2] = { { 1, 1 }, { 11, 1 }, { 11, 5 }, { 1, 5 } };
    int tri[16][3];
    Pts p = listed(comb, 12), b = listed(bow, 4), w = listed(window, 4);
    int64_t a2 = polyArea2(&p), border = polyBoundaryPoints(&p), inside = 0, on = 0;
    for (int x = -1; x <= 13; x++)
        for (int y = -1; y <= 7; y++) {
            Where where = polyWhere(&p, pt(x, y));
            inside += where == INSIDE;
            on += where == BORDER;
        }
    int n = polyTriangulate(&p, tri, 16);
    int64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += ptCross(p.at[tri[i][0]], p.at[tri[i][1]], p.at[tri[i][2]]);
    printf("comb: area %lld/2, border %lld, inside %lld, Pick %s, %d triangles of %lld/2\n", (long long)a2,
           (long long)border, (long long)inside,
           on == border && a2 == 2 * inside + border - 2 ? "holds" : "FAILS", n, (long long)sum);
    printf("comb simple %d convex %d; bow simple %d area %lld; window convex %d; clipped %.3f; no room %d\n",
           polySimple(&p), polyConvex(&p), polySimple(&b), (long long)polyArea2(&b), polyConvex(&w),
           polyClipArea(&p, &w), polyTriangulate(&p, tri, 9));
    ptsFree(&p);
    ptsFree(&b);
    ptsFree(&w);
}

// A star-shaped polygon around the origin: sorted by angle, exactly.
static int half(Pt p) { return p.y < 0 || (p.y == 0 && p.x < 0); }

static int byAngle(const void *a, const void *b)
{
    const Pt *p = a, *q = b;
    if (half(*p) != half(*q))
        return half(*p) - half(*q);
    int o = orient(pt(0, 0), *p, *q);
    if (o)
        return -o;
    int64_t d = ptDist2(pt(0, 0), *p) - ptDist2(pt(0, 0), *q);
    return (d > 0) - (d < 0);
}

static Pts randomStar(int n, int range)
{
    Pts v = randomPts(n, range), out = PTS_INIT;
    qsort(v.at, (size_t)v.n, sizeof *v.at, byAngle);
    for (int i = 0; i < v.n; i++) {
        if (v.at[i].x == 0 && v.at[i].y == 0)
            continue;
        bool same = out.n && orient(pt(0, 0), out.at[out.n - 1], v.at[i]) == 0 &&
                    half(out.at[out.n - 1]) == half(v.at[i]);
        if (!same)
            ptsPush(&out, v.at[i]);
    }
    ptsFree(&v);
    return out;
}

static void randomPolygons(void)
{
    static int tri[80][3];
    long bad = 0, triangles = 0, unsimple = 0;
    int64_t total = 0;
    for (int run = 0; run < 60; run++) {
        Pts p = randomStar(12 + run, 60);
        int n;
        if (!polySimple(&p) || polyArea2(&p) <= 0) {
            unsimple++;
        } else if ((n = polyTriangulate(&p, tri, 80)) != p.n - 2) {
            bad++;
        } else {
            int64_t sum = 0;
            for (int i = 0; i < n; i++)
                sum += ptCross(p.at[tri[i][0]], p.at[tri[i][1]], p.at[tri[i][2]]);
            bad += sum != polyArea2(&p);
            triangles += n;
            total += sum;
            // Pick's theorem needs the count of inner lattice points
            int64_t inside = 0;
            for (int x = -60; run < 12 && x <= 60; x++)
                for (int y = -60; y <= 60; y++)
                    inside += polyWhere(&p, pt(x, y)) == INSIDE;
            if (run < 12)
                bad += polyArea2(&p) != 2 * inside + polyBoundaryPoints(&p) - 2;
        }
        ptsFree(&p);
    }
    printf("stars: %ld triangles, area sum %lld/2, not simple %ld, wrong %ld\n", triangles, (long long)total,
           unsimple, bad);
}

static bool samePoints(const Pts *a, const Pts *b)
{
    bool same = a->n == b->n;
    for (int i = 0; same && i < a->n; i++)
        same = ptSame(a->at[i], b->at[i]);
    return same;
}

static void hulls(void)
{
    static const int line[][2] = { { 3, 3 }, { 1, 1 }, { 2, 2 }, { 1, 1 }, { 5, 5 } };
    Pts a = PTS_INIT, b = PTS_INIT, v = listed(line, 5);
    hullChain(&v, &a);
    hullWrap(&v, &b);
    printf("straight points: %d %d corners\n", a.n, b.n);
    ptsFree(&v);
    long wrong = 0, corners = 0;
    int64_t widest = 0, rect = 0;
    for (int run = 0; run < 80; run++) {
        v = randomPts(5 + run * 3, run % 4 ? 300 : 6);
        hullChain(&v, &a);
        hullWrap(&v, &b);
        wrong += !samePoints(&a, &b) || (a.n >= 3 && !polyConvex(&a));
        int64_t brute = 0, den;
        for (int i = 0; i < v.n; i++)
            for (int j = 0; j < i; j++)
                brute = ptDist2(v.at[i], v.at[j]) > brute ? ptDist2(v.at[i], v.at[j]) : brute;
        for (int i = 0; i < v.n && a.n >= 3; i++)
            wrong += polyWhere(&a, v.at[i]) == OUTSIDE;
        Pt p, q;
        wrong += hullDiameter2(&a, &p, &q) != brute;
        int64_t area = hullMinRectangle(&a, &den);
        wrong += den && area / den < polyArea2(&a) / 2 - 1;
        rect += den ? area / den : 0;
        widest = brute > widest ? brute : widest;
        corners += a.n;
        ptsFree(&v);
    }
    printf("hulls: %ld corners, widest^2 %lld, rectangles %lld, wrong %ld\n", corners, (long long)widest,
           (long long)rect, wrong);
    ptsFree(&a);
    ptsFree(&b);
}

static long checkMesh(const Pts *v, const Tri *t, int n)
{
    Pts hull = PTS_INIT;
    long wrong = 0;
    int64_t area = 0;
    for (int i = 0; i < n; i++) {
        Pt a = v->at[t[i].v[0]], b = v->at[t[i].v[1]], c = v->at[t[i].v[2]];
        area += ptCross(a, b, c);
        wrong += orient(a, b, c) <= 0;
        for (int k = 0; k < v->n; k++)
            wrong += inCircle(a, b, c, v->at[k]) > 0;
    }
    hullChain(v, &hull);
    // the far triangle may cost slivers along the hull, never more
    int64_t missing = polyArea2(&hull) - area;
    wrong += missing < 0 || missing * 50 > polyArea2(&hull);
    ptsFree(&hull);
    return wrong;
}

static void meshes(void)
{
    static Tri tris[1200];
    long wrong = 0, count = 0;
    for (int run = 0; run < 10; run++) {
        Pts v = run == 9 ? (Pts)PTS_INIT : randomPts(20 + run * 30, run % 3 ? 400 : 9);
        for (int i = 0; run == 9 && i < 100; i++)
            ptsPush(&v, pt(i % 10 * 7, i / 10 * 7)); // many points on one circle
        int n = delaunay(&v, tris, 1200);
        wrong += n < 0 ? 1 : checkMesh(&v, tris, n);
        count += n;
        ptsFree(&v);
    }
    static const int square[][2] = { { 0, 0 }, { 10, 0 }, { 10, 10 }, { 0, 10 }, { 5, 5 }, { 5, 0 } };
    Pts v = listed(square, 6);
    printf("delaunay: %ld triangles, wrong %ld; square with centre and edge point: %d\n", count, wrong,
           delaunay(&v, tris, 1200));
    ptsFree(&v);
}

static void pairsAndCircles(void)
{
    long wrong = 0, compared = 0, brute = 0;
    int64_t sum = 0;
    double radii = 0.0;
    for (int run = 0; run < 30; run++) {
        Pts v = randomPts(50 + run * 10, 2000);
        Pt a, b;
        int64_t d2, least = INT64_MAX;
        compared += closestPair(&v, &a, &b, &d2);
        for (int i = 0; i < v.n; i++)
            for (int j = 0; j < i; j++, brute++)
                least = ptDist2(v.at[i], v.at[j]) < least ? ptDist2(v.at[i], v.at[j]) : least;
        wrong += d2 != least || ptDist2(a, b) != d2;
        sum += d2;
        Circle c = enclosingCircle(&v);
        int touching = 0;
        for (int i = 0; i < v.n; i++) {
            double dx = v.at[i].x - c.centre.x, dy = v.at[i].y - c.centre.y, d = sqrt(dx * dx + dy * dy);
            wrong += d > sqrt(c.r2) + 1e-6;
            touching += fabs(d - sqrt(c.r2)) < 1e-6;
        }
        wrong += touching < 2;
        radii += sqrt(c.r2);
        ptsFree(&v);
    }
    printf("closest pairs: sum %lld, compared %ld of %ld; circles: radius sum %.3f; wrong %ld\n", (long long)sum,
           compared, brute, radii, wrong);
    static const int known[][2] = { { 0, 0 }, { 6, 0 }, { 0, 8 }, { 1, 1 } };
    Pts v = listed(known, 4);
    Circle c = enclosingCircle(&v);
    printf("right triangle: centre (%.3f %.3f) radius %.3f\n", c.centre.x, c.centre.y, sqrt(c.r2));
    ptsFree(&v);
}

static void trees(void)
{
    Pts v = randomPts(1500, 700);
    KdTree *t = kdBuild(&v);
    long wrong = 0;
    int64_t sum = 0;
    int inside = 0;
    for (int i = 0; i < 600; i++) {
        Pt q = randomPt(800), r = q;
        r.x += below(200);
        r.y += below(200);
        int64_t d2, least = INT64_MAX;
        int count = 0, n = kdNearest(t, q, &d2);
        for (int k = 0; k < v.n; k++) {
            int64_t d = ptDist2(q, v.at[k]);
            least = d < least ? d : least;
            count += v.at[k].x >= q.x && v.at[k].x <= r.x && v.at[k].y >= q.y && v.at[k].y <= r.y;
        }
        wrong += d2 != least || ptDist2(v.at[n], q) != d2;
        wrong += kdCount(t, q, r) != count;
        sum += d2;
        inside += count;
    }
    printf("kd-tree: distance sum %lld, in ranges %d, visited %ld, wrong %ld\n", (long long)sum, inside,
           kdVisited(t), wrong);
    kdFree(t);
    ptsFree(&v);
}

static void rectangles(void)
{
    static unsigned char cover[64][64];
    Seg r[40];
    long wrong = 0;
    int64_t sum = 0;
    for (int run = 0; run < 25; run++) {
        int n = 1 + run, brute = 0;
        for (int i = 0; i < 64 * 64; i++)
            cover[i / 64][i % 64] = 0;
        for (int i = 0; i < n; i++) {
            int x = below(50), y = below(50), w = 1 + below(13), h = 1 + below(13);
            r[i] = (Seg){ { x, y }, { x + w, y + h } };
            for (int cx = x; cx < x + w; cx++)
                for (int cy = y; cy < y + h; cy++)
                    cover[cx][cy] = 1;
        }
        for (int i = 0; i < 64 * 64; i++)
            brute += cover[i / 64][i % 64];
        int64_t area = rectUnionArea(r, n);
        wrong += area != brute;
        sum += area;
    }
    printf("rectangle unions: area sum %lld, wrong %ld\n", (long long)sum, wrong);
}

int main(void)
{
    segments();
    polygons();
    randomPolygons();
    hulls();
    meshes();
    pairsAndCircles();
    trees();
    rectangles();
    return 0;
}
