/*
 * kepler.c - the two-body problem: orbital elements to state and back.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "nbody.h"

#include <math.h>

static double wrapAngle(double a)
{
    a = fmod(a, 2.0 * NB_PI);
    return a < 0.0 ? a + 2.0 * NB_PI : a;
}

static double clampUnit(double c) { return c > 1.0 ? 1.0 : c < -1.0 ? -1.0 : c; }

/* Newton iteration on E - e sin E = M, guarded by bisection. */
double keplerSolve(double meanAnomaly, double e, int *iterations)
{
    double m = wrapAngle(meanAnomaly), lo = 0.0, hi = 2.0 * NB_PI;
    double x = e < 0.8 ? m : NB_PI;
    int it = 0;
    while (it++ < 60) {
        double f = x - e * sin(x) - m;
        if (f > 0.0)
            hi = x;
        else
            lo = x;
        double next = x - f / (1.0 - e * cos(x));
        if (next <= lo || next >= hi)
            next = 0.5 * (lo + hi);
        if (fabs(next - x) < 1e-14)
            break;
        x = next;
    }
    if (iterations)
        *iterations = it;
    return x;
}

static Vec3 rotate(Vec3 v, const Elements *el)
{
    double cw = cos(el->peri), sw = sin(el->peri);
    double ci = cos(el->inc), si = sin(el->inc);
    double cn = cos(el->node), sn = sin(el->node);
    double x1 = cw * v.x - sw * v.y, y1 = sw * v.x + cw * v.y;
    double y2 = ci * y1, z2 = si * y1;
    return v3(cn * x1 - sn * y2, sn * x1 + cn * y2, z2);
}

void keplerState(const Elements *el, double mu, Vec3 *pos, Vec3 *vel)
{
    double ecc = keplerSolve(el->anomaly, el->e, NULL);
    double c = cos(ecc), s = sin(ecc);
    double b = sqrt(1.0 - el->e * el->e);
    double rate = sqrt(mu / (el->a * el->a * el->a)) / (1.0 - el->e * c);
    *pos = rotate(v3(el->a * (c - el->e), el->a * b * s, 0.0), el);
    *vel = rotate(v3(-el->a * s * rate, el->a * b * c * rate, 0.0), el);
}

double keplerPeriod(double a, double mu) { return 2.0 * NB_PI * sqrt(a * a * a / mu); }

/* Returns -1 for unbound, radial or planar-degenerate input. */
int keplerElements(Vec3 pos, Vec3 vel, double mu, Elements *el)
{
    double r = v3Length(pos);
    Vec3 h = v3Cross(pos, vel);
    double hl = v3Length(h);
    double energy = 0.5 * v3Dot(vel, vel) - mu / r;
    if (energy >= 0.0 || hl <= 0.0)
        return -1;
    Vec3 ev = v3Sub(v3Scale(v3Cross(vel, h), 1.0 / mu), v3Scale(pos, 1.0 / r));
    Vec3 node = v3(-h.y, h.x, 0.0);
    double nl = v3Length(node), e = v3Length(ev);
    if (nl < 1e-12 || e < 1e-12)
        return -1;
    el->a = -mu / (2.0 * energy);
    el->e = e;
    el->inc = acos(clampUnit(h.z / hl));
    el->node = wrapAngle(atan2(node.y, node.x));
    double w = acos(clampUnit(v3Dot(node, ev) / (nl * e)));
    el->peri = ev.z < 0.0 ? 2.0 * NB_PI - w : w;
    double cosE = (1.0 - r / el->a) / e;
    double sinE = v3Dot(pos, vel) / (e * sqrt(mu * el->a));
    double ecc = atan2(sinE, cosE);
    el->anomaly = wrapAngle(ecc - e * sinE);
    return 0;
}
