// SPDX-License-Identifier: Apache-2.0
//
// geom.h - plane geometry on integer points.  Coordinates stay within
// +-GEOM_LIMIT, so that every predicate is exact in 64 bits; only derived
// quantities (circles, clipped corners) are floating.
#ifndef GEOM_H
#define GEOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEOM_LIMIT 2048

typedef struct { int32_t x, y; } Pt;
typedef struct { double x, y; } PtF;
typedef struct { Pt a, b; } Seg;

// A growing list of points; PTS_INIT is an empty one.
typedef struct { Pt *at; int n, cap; } Pts;
#define PTS_INIT { NULL, 0, 0 }
void ptsPush(Pts *v, Pt p);
void ptsFree(Pts *v);

static inline Pt pt(int x, int y) { return (Pt){ x, y }; }
static inline bool ptSame(Pt a, Pt b) { return a.x == b.x && a.y == b.y; }
static inline int64_t ptCross(Pt o, Pt a, Pt b)
{
    return (int64_t)(a.x - o.x) * (b.y - o.y) - (int64_t)(a.y - o.y) * (b.x - o.x);
}
static inline int64_t ptDist2(Pt a, Pt b)
{
    int64_t dx = a.x - b.x, dy = a.y - b.y;
    return dx * dx + dy * dy;
}
int ptOrder(const void *a, const void *b); // by x, then y; for qsort
int orient(Pt a, Pt b, Pt c);              // 1 left turn, -1 right turn, 0 straight
int inCircle(Pt a, Pt b, Pt c, Pt d);      // 1: d strictly inside (a b c counter-clockwise)

typedef enum { SEG_APART, SEG_CROSS, SEG_TOUCH, SEG_OVERLAP } SegRelation;
SegRelation segRelate(Seg s, Seg t);
bool segHas(Seg s, Pt p);

// hull.c
void hullChain(const Pts *in, Pts *out);   // counter-clockwise, no straight corners
void hullWrap(const Pts *in, Pts *out);    // the same by gift wrapping
int64_t hullDiameter2(const Pts *hull, Pt *p, Pt *q);
int64_t hullMinRectangle(const Pts *hull, int64_t *den); // least rectangle: area = result / den

// polygon.c
typedef enum { OUTSIDE, BORDER, INSIDE } Where;
int64_t polyArea2(const Pts *p);           // twice the signed area
int64_t polyBoundaryPoints(const Pts *p);  // lattice points on the border
Where polyWhere(const Pts *p, Pt q);
bool polySimple(const Pts *p);
bool polyConvex(const Pts *p);
int polyTriangulate(const Pts *p, int (*tri)[3], int max); // count, or -1
double polyClipArea(const Pts *subject, const Pts *convex);
int64_t rectUnionArea(const Seg *rects, int n); // corners a < b

// mesh.c
typedef struct { int v[3]; } Tri;
int delaunay(const Pts *in, Tri *out, int max); // count, or -1
int closestPair(const Pts *in, Pt *a, Pt *b, int64_t *d2); // comparisons made
typedef struct { PtF centre; double r2; } Circle;
Circle enclosingCircle(const Pts *in);

// kdtree.c
typedef struct KdTree KdTree;
KdTree *kdBuild(const Pts *in);
void kdFree(KdTree *t);
int kdNearest(const KdTree *t, Pt q, int64_t *d2);  // index into the input
int kdCount(const KdTree *t, Pt lo, Pt hi);
long kdVisited(const KdTree *t);

#endif
