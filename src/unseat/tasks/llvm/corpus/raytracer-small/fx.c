/* SPDX-License-Identifier: Apache-2.0
 * fx.c - the less trivial fixed-point operations. */
#include "fx.h"

fx fx_div(fx a, fx b) { return b ? a * FX_ONE / b : 0; }

/* floor(sqrt(n)), one bit of the result at a time. */
static uint64_t isqrt(uint64_t n)
{
    uint64_t root = 0, bit = (uint64_t)1 << 62;
    while (bit > n)
        bit >>= 2;
    for (; bit; bit >>= 2) {
        if (n >= root + bit) {
            n -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return root;
}

fx fx_sqrt(fx v) { return v <= 0 ? 0 : (fx)isqrt((uint64_t)v * (uint64_t)FX_ONE); }

fx fx_power(fx base, unsigned n)
{
    fx result = FX_ONE;
    for (; n; n >>= 1) {
        if (n & 1)
            result = fx_mul(result, base);
        base = fx_mul(base, base);
    }
    return result;
}

fx fx_floor(fx v)
{
    fx rest = v % FX_ONE;
    return v - (rest < 0 ? rest + FX_ONE : rest);
}

vec vec_cross(vec a, vec b)
{
    return vec_make((a.y * b.z - a.z * b.y) / FX_ONE, (a.z * b.x - a.x * b.z) / FX_ONE,
                    (a.x * b.y - a.y * b.x) / FX_ONE);
}

/* The sum of squares has 32 fraction bits, so its root has 16. */
fx vec_length(vec a)
{
    return (fx)isqrt((uint64_t)(a.x * a.x) + (uint64_t)(a.y * a.y) + (uint64_t)(a.z * a.z));
}

vec vec_unit(vec a)
{
    fx len = vec_length(a);
    return vec_make(fx_div(a.x, len), fx_div(a.y, len), fx_div(a.z, len));
}

vec vec_reflect(vec d, vec n) { return vec_sub(d, vec_scale(n, 2 * vec_dot(d, n))); }

int vec_refract(vec d, vec n, fx ratio, vec *out)
{
    fx c = -vec_dot(d, n);
    fx k = FX_ONE - fx_mul(fx_mul(ratio, ratio), FX_ONE - fx_mul(c, c));
    if (k < 0)
        return 0;
    *out = vec_unit(vec_add(vec_scale(d, ratio), vec_scale(n, fx_mul(ratio, c) - fx_sqrt(k))));
    return 1;
}
