/* SPDX-License-Identifier: Apache-2.0
 * render.c - recursive shading: local light, shadows, mirrors and glass. */
#include "scene.h"

enum { MAX_DEPTH = 5 };

static vec vec_mul(vec a, vec b) { return vec_make(fx_mul(a.x, b.x), fx_mul(a.y, b.y), fx_mul(a.z, b.z)); }

static vec mix(vec a, vec b, fx k) { return vec_add(vec_scale(a, FX_ONE - k), vec_scale(b, k)); }

static vec sky(const scene *s, vec dir)
{
    return mix(s->sky_low, s->sky_high, fx_clamp((dir.y + FX_ONE) / 2, 0, FX_ONE));
}

static long cell(fx v, fx size) { return (long)(fx_floor(fx_div(v + 32, size)) / FX_ONE); }

static vec surface_colour(const material *m, vec at)
{
    if (!m->checker)
        return m->colour;
    long sum = cell(at.x, m->checker) + cell(at.y, m->checker) + cell(at.z, m->checker);
    return sum & 1 ? m->second : m->colour;
}

static vec direct_light(const scene *s, const hit *h, vec eye_dir, counters *c)
{
    const material *m = h->shape->surface;
    vec base = surface_colour(m, h->point), sum = vec_mul(base, s->ambient);
    ray shadow = { vec_add(h->point, vec_scale(h->normal, 128)), { 0, 0, 0 } };
    for (int i = 0; i < s->nlights; i++) {
        const light *l = &s->lights[i];
        vec to = vec_sub(l->at, shadow.origin);
        fx distance = vec_length(to);
        shadow.dir = vec_unit(to);
        fx lambert = vec_dot(shadow.dir, h->normal);
        if (lambert <= 0 || scene_blocked(s, &shadow, distance, c))
            continue;
        sum = vec_add(sum, vec_scale(vec_mul(base, l->colour), fx_mul(lambert, m->diffuse)));
        fx gloss = vec_dot(vec_reflect(vec_neg(shadow.dir), h->normal), vec_neg(eye_dir));
        if (gloss > 0 && m->specular)
            sum = vec_add(sum, vec_scale(l->colour, fx_mul(m->specular, fx_power(gloss, m->shine))));
    }
    return sum;
}

static vec trace(const scene *s, const ray *r, int depth, counters *c);

static vec mirrored(const scene *s, const ray *r, const hit *h, int depth, counters *c)
{
    ray next = { vec_add(h->point, vec_scale(h->normal, 128)), vec_unit(vec_reflect(r->dir, h->normal)) };
    return trace(s, &next, depth + 1, c);
}

static vec transmitted(const scene *s, const ray *r, const hit *h, int depth, counters *c)
{
    fx index = h->shape->surface->index, ratio = h->inside ? index : fx_div(FX_ONE, index);
    ray next = { vec_sub(h->point, vec_scale(h->normal, 128)), { 0, 0, 0 } };
    if (!vec_refract(r->dir, h->normal, ratio, &next.dir))
        return mirrored(s, r, h, depth, c);
    return trace(s, &next, depth + 1, c);
}

/* Schlick's approximation of the mirror share of glass. */
static fx schlick(const hit *h, vec dir, fx index)
{
    fx r0 = fx_div(FX_ONE - index, FX_ONE + index);
    fx grazing = fx_clamp(FX_ONE + vec_dot(dir, h->normal), 0, FX_ONE);
    r0 = fx_mul(r0, r0);
    return r0 + fx_mul(FX_ONE - r0, fx_power(grazing, 5));
}

static vec trace(const scene *s, const ray *r, int depth, counters *c)
{
    hit h;
    if (depth > MAX_DEPTH)
        return vec_make(0, 0, 0);
    if (!scene_hit(s, r, FX_FAR, &h, c))
        return sky(s, r->dir);
    const material *m = h.shape->surface;
    vec colour = direct_light(s, &h, r->dir, c);
    if (m->clear) {
        fx k = schlick(&h, r->dir, m->index);
        vec glass = mix(transmitted(s, r, &h, depth, c), mirrored(s, r, &h, depth, c), k);
        colour = mix(colour, glass, m->clear);
    } else if (m->mirror) {
        colour = mix(colour, mirrored(s, r, &h, depth, c), m->mirror);
    }
    return colour;
}

static ray camera_ray(const scene *s, fx u, fx v)
{
    vec forward = vec_unit(s->look), up = vec_make(0, FX_ONE, 0);
    vec right = vec_unit(vec_cross(up, forward));
    up = vec_cross(forward, right);
    vec d = vec_add(forward, vec_add(vec_scale(right, u), vec_scale(up, v)));
    return (ray){ s->eye, vec_unit(d) };
}

/* samples x samples rays on a grid inside the pixel */
vec render_pixel(const scene *s, int x, int y, int width, int height, int samples, counters *c)
{
    vec sum = vec_make(0, 0, 0);
    fx pixel = s->fov / width;
    for (int i = 0; i < samples * samples; i++) {
        fx sx = FX(x) + FX_PART(2 * (i % samples) + 1, 2 * samples) - FX(width) / 2;
        fx sy = FX(height) / 2 - FX(y) - FX_PART(2 * (i / samples) + 1, 2 * samples);
        ray r = camera_ray(s, fx_mul(sx, pixel), fx_mul(sy, pixel));
        sum = vec_add(sum, trace(s, &r, 0, c));
    }
    fx n = FX(samples * samples);
    return vec_make(fx_div(sum.x, n), fx_div(sum.y, n), fx_div(sum.z, n));
}
