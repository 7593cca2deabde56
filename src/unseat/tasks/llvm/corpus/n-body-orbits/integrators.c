/*
 * integrators.c - time stepping schemes of orders one to four.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "nbody.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void drift(System *s, double dt)
{
    for (size_t i = 0; i < s->n; i++)
        s->pos[i] = v3Mad(s->pos[i], dt, s->vel[i]);
}

static void kick(System *s, double dt)
{
    s->force(s, s->pos, s->acc);
    for (size_t i = 0; i < s->n; i++)
        s->vel[i] = v3Mad(s->vel[i], dt, s->acc[i]);
}

static void stepEuler(System *s, double dt)
{
    s->force(s, s->pos, s->acc);
    drift(s, dt);
    for (size_t i = 0; i < s->n; i++)
        s->vel[i] = v3Mad(s->vel[i], dt, s->acc[i]);
}

static void stepSymplecticEuler(System *s, double dt)
{
    kick(s, dt);
    drift(s, dt);
}

static void stepLeapfrog(System *s, double dt)
{
    drift(s, 0.5 * dt);
    kick(s, dt);
    drift(s, 0.5 * dt);
}

/* Three leapfrogs, the middle one backwards, cancel the third-order term. */
static void stepYoshida(System *s, double dt)
{
    const double root = cbrt(2.0);
    const double w1 = 1.0 / (2.0 - root), w0 = -root * w1;
    stepLeapfrog(s, w1 * dt);
    stepLeapfrog(s, w0 * dt);
    stepLeapfrog(s, w1 * dt);
}

typedef struct { Vec3 *dp, *dv; } Slope;

static void probe(System *s, const Slope *from, double h, Vec3 *scratch, Slope *out)
{
    for (size_t i = 0; i < s->n; i++) {
        scratch[i] = from ? v3Mad(s->pos[i], h, from->dp[i]) : s->pos[i];
        out->dp[i] = from ? v3Mad(s->vel[i], h, from->dv[i]) : s->vel[i];
    }
    s->force(s, scratch, out->dv);
}

static Vec3 blend(Vec3 a, Vec3 b, Vec3 c, Vec3 d)
{
    Vec3 mid = v3Scale(v3Add(b, c), 2.0);
    return v3Scale(v3Add(v3Add(a, mid), d), 1.0 / 6.0);
}

static void stepRungeKutta(System *s, double dt)
{
    size_t n = s->n;
    Vec3 *work = calloc(9 * n + 1, sizeof *work);
    if (!work)
        abort();
    Slope k[4];
    for (int i = 0; i < 4; i++) {
        k[i].dp = work + (size_t)(2 * i) * n;
        k[i].dv = work + (size_t)(2 * i + 1) * n;
    }
    Vec3 *scratch = work + 8 * n;
    probe(s, NULL, 0.0, scratch, &k[0]);
    probe(s, &k[0], 0.5 * dt, scratch, &k[1]);
    probe(s, &k[1], 0.5 * dt, scratch, &k[2]);
    probe(s, &k[2], dt, scratch, &k[3]);
    for (size_t i = 0; i < n; i++) {
        s->pos[i] = v3Mad(s->pos[i], dt, blend(k[0].dp[i], k[1].dp[i], k[2].dp[i], k[3].dp[i]));
        s->vel[i] = v3Mad(s->vel[i], dt, blend(k[0].dv[i], k[1].dv[i], k[2].dv[i], k[3].dv[i]));
    }
    free(work);
}

const Integrator integrators[] = {
    { "euler", 1, stepEuler },
    { "symplectic-euler", 1, stepSymplecticEuler },
    { "leapfrog", 2, stepLeapfrog },
    { "yoshida", 4, stepYoshida },
    { "runge-kutta", 4, stepRungeKutta },
};
const size_t integratorCount = sizeof integrators / sizeof integrators[0];

static int finite3(Vec3 v) { return isfinite(v.x) && isfinite(v.y) && isfinite(v.z); }

/* Returns 0, or -1 as soon as the state is no longer finite. */
int integrate(System *s, const Integrator *in, double dt, long steps)
{
    for (long k = 0; k < steps; k++) {
        in->step(s, dt);
        if (s->n && !finite3(s->pos[s->n - 1]))
            return -1;
    }
    return 0;
}
