/*
 * forces.c - gravity by direct summation and by a Barnes-Hut octree.
 * The tree keeps its nodes in a static pool and is rebuilt for each
 * evaluation; a node's children are indices, 0 meaning "none".
 * SPDX-License-Identifier: Apache-2.0
 */
#include "nbody.h"

#include <math.h>

#define POOL_SIZE 4096
#define MAX_DEPTH 40

typedef struct {
    Vec3 centre;   /* geometric centre of the cube             */
    double half;   /* half of the cube's side                  */
    Vec3 com;      /* centre of mass (a weighted sum at first) */
    double mass;
    int body;      /* the body of a leaf, or -1                */
    int child[8];
} Node;

static Node pool[POOL_SIZE];
static int used;
static double openingAngle = 0.5;
static long interactions;

static Vec3 attraction(Vec3 from, Vec3 to, double mass, double soft2)
{
    Vec3 d = v3Sub(to, from);
    double r2 = v3Dot(d, d) + soft2;
    if (r2 == 0.0)
        return v3(0, 0, 0);
    return v3Scale(d, NB_G * mass / (r2 * sqrt(r2)));
}

void forceDirect(System *s, const Vec3 *pos, Vec3 *acc)
{
    double soft2 = s->softening * s->softening;
    for (size_t i = 0; i < s->n; i++)
        acc[i] = v3(0, 0, 0);
    for (size_t i = 0; i < s->n; i++) {
        for (size_t j = i + 1; j < s->n; j++) {
            Vec3 unit = attraction(pos[i], pos[j], 1.0, soft2);
            acc[i] = v3Mad(acc[i], s->mass[j], unit);
            acc[j] = v3Mad(acc[j], -s->mass[i], unit);
        }
    }
    s->evaluations++;
}

static int newNode(Vec3 centre, double half)
{
    if (used == POOL_SIZE)
        return 0;
    Node *n = &pool[used];
    n->centre = centre;
    n->half = half;
    n->com = v3(0, 0, 0);
    n->mass = 0.0;
    n->body = -1;
    for (int k = 0; k < 8; k++)
        n->child[k] = 0;
    return used++;
}

static int octant(const Node *n, Vec3 p)
{
    return (p.x >= n->centre.x) | (p.y >= n->centre.y) << 1 | (p.z >= n->centre.z) << 2;
}

static Vec3 childCentre(const Node *n, int k)
{
    double h = n->half * 0.5;
    return v3(n->centre.x + (k & 1 ? h : -h), n->centre.y + (k & 2 ? h : -h),
              n->centre.z + (k & 4 ? h : -h));
}

static void insert(int at, const System *s, const Vec3 *pos, int body, int depth);

static void insertBelow(int at, const System *s, const Vec3 *pos, int body, int depth)
{
    int k = octant(&pool[at], pos[body]);
    if (!pool[at].child[k]) {
        int fresh = newNode(childCentre(&pool[at], k), pool[at].half * 0.5);
        if (!fresh)
            return; /* pool exhausted: the parent still carries the mass */
        pool[at].child[k] = fresh;
    }
    insert(pool[at].child[k], s, pos, body, depth + 1);
}

static int isLeaf(const Node *n)
{
    for (int k = 0; k < 8; k++)
        if (n->child[k])
            return 0;
    return 1;
}

static void insert(int at, const System *s, const Vec3 *pos, int body, int depth)
{
    Node *n = &pool[at];
    int empty = n->mass == 0.0 && n->body < 0;
    n->com = v3Mad(n->com, s->mass[body], pos[body]);
    n->mass += s->mass[body];
    if (empty || depth >= MAX_DEPTH) {
        n->body = body;
        return;
    }
    if (n->body >= 0 && isLeaf(n)) {
        int old = n->body;
        n->body = -1;
        insertBelow(at, s, pos, old, depth);
    }
    insertBelow(at, s, pos, body, depth);
}

static void finish(int at)
{
    Node *n = &pool[at];
    if (n->mass > 0.0)
        n->com = v3Scale(n->com, 1.0 / n->mass);
    for (int k = 0; k < 8; k++)
        if (n->child[k])
            finish(n->child[k]);
}

static Vec3 walk(int at, Vec3 p, int self, double soft2)
{
    const Node *n = &pool[at];
    Vec3 sum = v3(0, 0, 0);
    if (n->body >= 0) {
        if (n->body == self)
            return sum;
        interactions++;
        return attraction(p, n->com, n->mass, soft2);
    }
    Vec3 d = v3Sub(n->com, p);
    double side = 2.0 * n->half;
    if (side * side < openingAngle * openingAngle * v3Dot(d, d)) {
        interactions++;
        return attraction(p, n->com, n->mass, soft2);
    }
    for (int k = 0; k < 8; k++)
        if (n->child[k])
            sum = v3Add(sum, walk(n->child[k], p, self, soft2));
    return sum;
}

static double extent(const Vec3 *pos, size_t n)
{
    double m = 0.0;
    for (size_t i = 0; i < n; i++) {
        m = fmax(m, fabs(pos[i].x));
        m = fmax(m, fabs(pos[i].y));
        m = fmax(m, fabs(pos[i].z));
    }
    return m;
}

void forceTree(System *s, const Vec3 *pos, Vec3 *acc)
{
    double half = 1.0;
    for (double e = extent(pos, s->n); half <= e; half *= 2.0)
        ;
    used = 1; /* index 0 is reserved as "no node" */
    interactions = 0;
    int root = newNode(v3(0, 0, 0), half);
    for (size_t i = 0; i < s->n; i++)
        insert(root, s, pos, (int)i, 0);
    finish(root);
    for (size_t i = 0; i < s->n; i++)
        acc[i] = walk(root, pos[i], (int)i, s->softening * s->softening);
    s->evaluations++;
}

void forceTreeSetAngle(double theta) { openingAngle = theta; }
long forceTreeInteractions(void) { return interactions; }
size_t forceTreeNodes(void) { return (size_t)(used - 1); }
