/*
 * nbody.h - common types of the gravity playground.
 * Units: astronomical unit, year, solar mass, so that G = 4 pi^2.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NBODY_H
#define NBODY_H

#include <stddef.h>

#define NB_PI 3.14159265358979323846
#define NB_G (4.0 * NB_PI * NB_PI)

typedef struct { double x, y, z; } Vec3;

static inline Vec3 v3(double x, double y, double z)
{
    Vec3 r = { x, y, z };
    return r;
}
static inline Vec3 v3Add(Vec3 a, Vec3 b) { return v3(a.x + b.x, a.y + b.y, a.z + b.z); }
static inline Vec3 v3Sub(Vec3 a, Vec3 b) { return v3(a.x - b.x, a.y - b.y, a.z - b.z); }
static inline Vec3 v3Scale(Vec3 a, double k) { return v3(a.x * k, a.y * k, a.z * k); }
static inline double v3Dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static inline Vec3 v3Mad(Vec3 a, double k, Vec3 b) { return v3Add(a, v3Scale(b, k)); }
static inline Vec3 v3Cross(Vec3 a, Vec3 b)
{
    return v3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}
double v3Length(Vec3 a);

/* Structure of arrays: integrators mostly sweep one attribute at a time. */
typedef struct System {
    size_t n, capacity;
    Vec3 *pos, *vel, *acc;
    double *mass;
    double softening;
    long evaluations; /* force evaluations so far */
    void (*force)(struct System *, const Vec3 *pos, Vec3 *acc);
} System;

typedef struct {
    Vec3 momentum, angular, centre;
    double kinetic, potential;
} Invariants;

/* system.c */
System *systemCreate(size_t capacity);
void systemDestroy(System *s);
int systemAdd(System *s, double mass, Vec3 pos, Vec3 vel);
void systemToBarycentre(System *s);
void systemReverse(System *s);
Invariants systemInvariants(const System *s);

/* forces.c */
void forceDirect(System *s, const Vec3 *pos, Vec3 *acc);
void forceTree(System *s, const Vec3 *pos, Vec3 *acc);
void forceTreeSetAngle(double theta);
long forceTreeInteractions(void);
size_t forceTreeNodes(void);

/* integrators.c */
typedef struct {
    const char *name;
    int order;
    void (*step)(System *s, double dt);
} Integrator;
extern const Integrator integrators[];
extern const size_t integratorCount;
int integrate(System *s, const Integrator *in, double dt, long steps);

/* kepler.c */
typedef struct {
    double a;        /* semi-major axis                     */
    double e;        /* eccentricity                        */
    double inc;      /* inclination, radians                */
    double node;     /* longitude of the ascending node     */
    double peri;     /* argument of the periapsis           */
    double anomaly;  /* mean anomaly                        */
} Elements;
double keplerSolve(double meanAnomaly, double e, int *iterations);
void keplerState(const Elements *el, double mu, Vec3 *pos, Vec3 *vel);
int keplerElements(Vec3 pos, Vec3 vel, double mu, Elements *el);
double keplerPeriod(double a, double mu);

#endif
