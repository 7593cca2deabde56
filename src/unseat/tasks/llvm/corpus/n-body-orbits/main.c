/*
 * main.c - exercises: Kepler round trips, convergence orders against the
 * exact two-body orbit, a planetary system, time reversal, and the error
 * of the Barnes-Hut forces on a small cluster.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "nbody.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t seed = 88172645463325252u;

static double uniform(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (double)(seed >> 11) / 9007199254740992.0;
}

static double degrees(double rad) { return rad * 180.0 / NB_PI; }
static double radians(double deg) { return deg * NB_PI / 180.0; }
static const char *verdict(int ok) { return ok ? "ok" : "FAILED"; }

/* Avoids "-0.000" for values that round to nothing. */
static double tidy(double v, double grain) { return fabs(v) < grain * 0.5 ? 0.0 : v; }

static System *mustCreate(size_t n)
{
    System *s = systemCreate(n);
    if (!s) {
        puts("out of memory");
        exit(1);
    }
    return s;
}

/* One statement for each draw: the order of evaluation must be fixed. */
static Elements randomOrbit(void)
{
    Elements el;
    el.a = 0.3 + 9.0 * uniform();
    el.e = 0.02 + 0.95 * uniform();
    el.inc = 0.05 + 2.9 * uniform();
    el.node = 0.1 + 6.0 * uniform();
    el.peri = 0.1 + 6.0 * uniform();
    el.anomaly = 0.1 + 6.0 * uniform();
    return el;
}

static Vec3 randomInCube(void)
{
    Vec3 p;
    p.x = 2.0 * uniform() - 1.0;
    p.y = 2.0 * uniform() - 1.0;
    p.z = 2.0 * uniform() - 1.0;
    return p;
}

static void keplerRoundTrips(void)
{
    double worst = 0.0;
    int done = 0, mostIterations = 0;
    for (int i = 0; i < 1000; i++) {
        Elements in = randomOrbit(), out;
        Vec3 p, v;
        int it;
        double ecc = keplerSolve(in.anomaly, in.e, &it);
        worst = fmax(worst, fabs(ecc - in.e * sin(ecc) - in.anomaly));
        mostIterations = it > mostIterations ? it : mostIterations;
        keplerState(&in, NB_G, &p, &v);
        if (keplerElements(p, v, NB_G, &out))
            continue;
        done++;
        worst = fmax(worst, fabs(in.a - out.a) / in.a);
        worst = fmax(worst, fabs(in.e - out.e));
        worst = fmax(worst, fabs(in.inc - out.inc));
        worst = fmax(worst, fabs(in.node - out.node));
    }
    Elements dummy;
    int unbound = keplerElements(v3(1, 0, 0), v3(0, 9.5, 1), NB_G, &dummy);
    printf("kepler: %d round trips, residual below 1e-9: %s, iterations bounded: %s, escape: %d\n",
           done, verdict(worst < 1e-9), verdict(mostIterations < 60), unbound);
}

static System *twoBody(const Elements *el, double m)
{
    System *s = mustCreate(2);
    Vec3 p, v;
    keplerState(el, NB_G * (1.0 + m), &p, &v);
    systemAdd(s, 1.0, v3(0, 0, 0), v3(0, 0, 0));
    systemAdd(s, m, p, v);
    systemToBarycentre(s);
    return s;
}

static double orbitError(const Integrator *in, long steps)
{
    Elements el = { 1.0, 0.3, 0.4, 0.5, 0.6, 0.7 };
    const double m = 0.01, mu = NB_G * (1.0 + m);
    System *s = twoBody(&el, m);
    double span = 0.5 * keplerPeriod(el.a, mu);
    Vec3 p, v;
    integrate(s, in, span / (double)steps, steps);
    el.anomaly += NB_PI;
    keplerState(&el, mu, &p, &v);
    double err = v3Length(v3Sub(v3Sub(s->pos[1], s->pos[0]), p));
    systemDestroy(s);
    return err;
}

static void convergence(void)
{
    puts("half an orbit against the exact solution:");
    for (size_t i = 0; i < integratorCount; i++) {
        const Integrator *in = &integrators[i];
        double coarse = orbitError(in, 400), fine = orbitError(in, 800);
        double order = log2(coarse / fine);
        printf("  %-17s error %.1e  observed order %.1f  %s\n", in->name, coarse, order,
               verdict(fabs(order - in->order) < 0.3));
    }
}

static const struct { const char *name; double mass, a, e, inc, node, peri, anomaly; } planets[] = {
    { "inner", 1.7e-6, 0.39, 0.206, 7.0, 48.0, 29.0, 174.0 },
    { "second", 2.4e-6, 0.72, 0.007, 3.4, 76.7, 54.9, 50.0 },
    { "home", 3.0e-6, 1.00, 0.017, 0.9, 170.0, 288.0, 357.5 },
    { "giant", 9.5e-4, 5.20, 0.049, 1.3, 100.5, 273.9, 20.0 },
    { "ringed", 2.9e-4, 9.58, 0.057, 2.5, 113.7, 339.4, 317.0 },
};
enum { PLANETS = sizeof planets / sizeof planets[0] };

static System *planetarySystem(void)
{
    System *s = mustCreate(PLANETS + 1);
    systemAdd(s, 1.0, v3(0, 0, 0), v3(0, 0, 0));
    for (int i = 0; i < PLANETS; i++) {
        Elements el = { planets[i].a, planets[i].e, radians(planets[i].inc),
                        radians(planets[i].node), radians(planets[i].peri),
                        radians(planets[i].anomaly) };
        Vec3 p, v;
        keplerState(&el, NB_G * (1.0 + planets[i].mass), &p, &v);
        systemAdd(s, planets[i].mass, p, v);
    }
    systemToBarycentre(s);
    return s;
}

static void printPlanets(const System *s)
{
    for (int i = 0; i < PLANETS; i++) {
        Elements el;
        Vec3 p = v3Sub(s->pos[i + 1], s->pos[0]), v = v3Sub(s->vel[i + 1], s->vel[0]);
        if (keplerElements(p, v, NB_G * (1.0 + planets[i].mass), &el)) {
            printf("  %-7s unbound\n", planets[i].name);
            continue;
        }
        printf("  %-7s a %7.4f  e %.4f  inc %6.3f  node %7.3f  period %7.3f  at (%.3f %.3f %.3f)\n",
               planets[i].name, el.a, el.e, degrees(el.inc), degrees(el.node),
               keplerPeriod(el.a, NB_G), tidy(p.x, 1e-3), tidy(p.y, 1e-3), tidy(p.z, 1e-3));
    }
}

static void planetary(void)
{
    System *s = planetarySystem();
    Invariants before = systemInvariants(s);
    const long steps = 5000;
    const double dt = 0.002;
    Vec3 start = s->pos[1];

    puts("planetary system at the start:");
    printPlanets(s);
    integrate(s, &integrators[3], dt, steps);
    Invariants after = systemInvariants(s);
    printf("after %.0f years:\n", dt * (double)steps);
    printPlanets(s);
    double e0 = before.kinetic + before.potential, e1 = after.kinetic + after.potential;
    printf("  energy kept: %s, angular momentum kept: %s, barycentre kept: %s\n",
           verdict(fabs((e1 - e0) / e0) < 1e-8),
           verdict(v3Length(v3Sub(after.angular, before.angular)) < 1e-12),
           verdict(v3Length(after.centre) < 1e-11 && v3Length(after.momentum) < 1e-12));
    systemReverse(s);
    integrate(s, &integrators[3], dt, steps);
    printf("  time reversal returns: %s, force evaluations %ld\n",
           verdict(v3Length(v3Sub(s->pos[1], start)) < 1e-7), s->evaluations);
    systemDestroy(s);
}

static System *cluster(size_t n)
{
    System *s = mustCreate(n);
    while (s->n < n) {
        Vec3 p = randomInCube();
        if (v3Dot(p, p) > 1.0)
            continue;
        Vec3 spin = v3Scale(v3(-p.y, p.x, 0.0), 3.0);
        systemAdd(s, (0.5 + uniform()) / (double)n, p, spin);
    }
    s->softening = 0.05;
    systemToBarycentre(s);
    return s;
}

static void treeAccuracy(void)
{
    static const double angles[] = { 0.0, 0.3, 0.6, 1.0 };
    const size_t n = 400;
    System *s = cluster(n);
    Vec3 *exact = calloc(n, sizeof *exact);
    if (!exact)
        exit(1);
    forceDirect(s, s->pos, exact);
    printf("cluster of %zu bodies, octree forces:\n", s->n);
    for (size_t a = 0; a < sizeof angles / sizeof angles[0]; a++) {
        double sum = 0.0;
        forceTreeSetAngle(angles[a]);
        forceTree(s, s->pos, s->acc);
        for (size_t i = 0; i < n; i++)
            sum += v3Length(v3Sub(s->acc[i], exact[i])) / v3Length(exact[i]);
        sum /= (double)n;
        printf("  theta %.1f: %6ld interactions, %zu nodes, mean error %.4f%%\n", angles[a],
               forceTreeInteractions(), forceTreeNodes(), 100.0 * sum);
    }
    forceTreeSetAngle(0.6);
    s->force = forceTree;
    Invariants before = systemInvariants(s);
    integrate(s, &integrators[2], 0.002, 30);
    Invariants after = systemInvariants(s);
    double e0 = before.kinetic + before.potential, e1 = after.kinetic + after.potential;
    printf("  30 tree steps: energy %.3f -> %.3f, drift small: %s\n", e0, e1,
           verdict(fabs((e1 - e0) / e0) < 0.01));
    free(exact);
    systemDestroy(s);
}

int main(void)
{
    System *tiny = mustCreate(1);
    printf("pool limits: %d", systemAdd(tiny, 1.0, v3(0, 0, 0), v3(0, 0, 0)));
    printf(" %d\n", systemAdd(tiny, 1.0, v3(0, 0, 0), v3(0, 0, 0)));
    systemDestroy(tiny);
    keplerRoundTrips();
    convergence();
    planetary();
    treeAccuracy();
    return 0;
}
