/*
 * system.c - owns the body arrays and computes conserved quantities.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "nbody.h"

#include <math.h>
#include <stdlib.h>

double v3Length(Vec3 a) { return sqrt(v3Dot(a, a)); }

/* All arrays come from one block; the struct sits at its start. */
System *systemCreate(size_t capacity)
{
    size_t vecs = 3 * capacity * sizeof(Vec3);
    System *s = malloc(sizeof *s);
    if (!s)
        return NULL;
    char *block = calloc(1, vecs + capacity * sizeof(double) + 1);
    if (!block) {
        free(s);
        return NULL;
    }
    s->n = 0;
    s->capacity = capacity;
    s->pos = (Vec3 *)(void *)block;
    s->vel = s->pos + capacity;
    s->acc = s->vel + capacity;
    s->mass = (double *)(void *)(block + vecs);
    s->softening = 0.0;
    s->evaluations = 0;
    s->force = forceDirect;
    return s;
}

void systemDestroy(System *s)
{
    if (!s)
        return;
    free(s->pos);
    free(s);
}

int systemAdd(System *s, double mass, Vec3 pos, Vec3 vel)
{
    if (s->n == s->capacity || !(mass >= 0.0))
        return -1;
    size_t i = s->n++;
    s->mass[i] = mass;
    s->pos[i] = pos;
    s->vel[i] = vel;
    s->acc[i] = v3(0, 0, 0);
    return (int)i;
}

static Vec3 weightedMean(const System *s, const Vec3 *v)
{
    Vec3 sum = v3(0, 0, 0);
    double total = 0.0;
    for (size_t i = 0; i < s->n; i++) {
        sum = v3Mad(sum, s->mass[i], v[i]);
        total += s->mass[i];
    }
    return total > 0.0 ? v3Scale(sum, 1.0 / total) : sum;
}

void systemToBarycentre(System *s)
{
    Vec3 p = weightedMean(s, s->pos), v = weightedMean(s, s->vel);
    for (size_t i = 0; i < s->n; i++) {
        s->pos[i] = v3Sub(s->pos[i], p);
        s->vel[i] = v3Sub(s->vel[i], v);
    }
}

void systemReverse(System *s)
{
    for (size_t i = 0; i < s->n; i++)
        s->vel[i] = v3Scale(s->vel[i], -1.0);
}

static double pairPotential(const System *s, size_t i, size_t j)
{
    Vec3 d = v3Sub(s->pos[i], s->pos[j]);
    double r2 = v3Dot(d, d) + s->softening * s->softening;
    return -NB_G * s->mass[i] * s->mass[j] / sqrt(r2);
}

Invariants systemInvariants(const System *s)
{
    Invariants v = { v3(0, 0, 0), v3(0, 0, 0), v3(0, 0, 0), 0.0, 0.0 };
    for (size_t i = 0; i < s->n; i++) {
        double m = s->mass[i];
        v.momentum = v3Mad(v.momentum, m, s->vel[i]);
        v.angular = v3Mad(v.angular, m, v3Cross(s->pos[i], s->vel[i]));
        v.kinetic += 0.5 * m * v3Dot(s->vel[i], s->vel[i]);
        for (size_t j = i + 1; j < s->n; j++)
            v.potential += pairPotential(s, i, j);
    }
    v.centre = weightedMean(s, s->pos);
    return v;
}
