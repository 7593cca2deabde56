/* SPDX-License-Identifier: Apache-2.0
 * fx.h - 48.16 fixed-point numbers and vectors, so that every machine
 * renders exactly the same image. */
#ifndef FX_H
#define FX_H

#include <stdint.h>

typedef int64_t fx;

#define FX_ONE ((fx)65536)
#define FX(n) ((fx)(n) * FX_ONE)
#define FX_PART(n, d) ((fx)(n) * FX_ONE / (d))
#define FX_FAR FX(100000)

typedef struct { fx x, y, z; } vec;

static inline fx fx_mul(fx a, fx b) { return a * b / FX_ONE; }
static inline fx fx_clamp(fx v, fx lo, fx hi) { return v < lo ? lo : v > hi ? hi : v; }
static inline vec vec_make(fx x, fx y, fx z) { return (vec){ x, y, z }; }
static inline vec vec_add(vec a, vec b) { return vec_make(a.x + b.x, a.y + b.y, a.z + b.z); }
static inline vec vec_sub(vec a, vec b) { return vec_make(a.x - b.x, a.y - b.y, a.z - b.z); }
static inline vec vec_scale(vec a, fx k) { return vec_make(fx_mul(a.x, k), fx_mul(a.y, k), fx_mul(a.z, k)); }
static inline vec vec_neg(vec a) { return vec_make(-a.x, -a.y, -a.z); }
static inline fx vec_dot(vec a, vec b) { return (a.x * b.x + a.y * b.y + a.z * b.z) / FX_ONE; }

fx fx_div(fx a, fx b);           /* 0 for division by zero */
fx fx_sqrt(fx v);
fx fx_power(fx base, unsigned n);
fx fx_floor(fx v);
vec vec_cross(vec a, vec b);
fx vec_length(vec a);
vec vec_unit(vec a);
vec vec_reflect(vec d, vec n);
int vec_refract(vec d, vec n, fx ratio, vec *out);  /* 0: total reflection */

#endif
