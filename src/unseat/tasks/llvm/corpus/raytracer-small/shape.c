/* SPDX-License-Identifier: Apache-2.0
 * shape.c - spheres, planes, triangles and boxes behind one class table. */
#include "scene.h"

#include <string.h>

static vec vec_at(const fx *v) { return vec_make(v[0], v[1], v[2]); }
static fx min_fx(fx a, fx b) { return a < b ? a : b; }
static fx max_fx(fx a, fx b) { return a > b ? a : b; }
static vec vec_min(vec a, vec b) { return vec_make(min_fx(a.x, b.x), min_fx(a.y, b.y), min_fx(a.z, b.z)); }
static vec vec_max(vec a, vec b) { return vec_make(max_fx(a.x, b.x), max_fx(a.y, b.y), max_fx(a.z, b.z)); }

/* ---- sphere: centre, radius ---- */

static bool sphere_build(shape *s, const fx *v)
{
    s->a = vec_at(v);
    s->r = v[3];
    return s->r > 0;
}

static fx sphere_intersect(const shape *s, const ray *r)
{
    vec oc = vec_sub(r->origin, s->a);
    fx b = vec_dot(oc, r->dir);
    /* distance of the line from the centre, which is small near a hit */
    vec foot = vec_sub(oc, vec_scale(r->dir, b));
    fx d = fx_mul(s->r, s->r) - vec_dot(foot, foot);
    if (d < 0)
        return -1;
    fx root = fx_sqrt(d), near = -b - root;
    return near > 64 ? near : -b + root > 64 ? -b + root : -1;
}

static vec sphere_normal(const shape *s, vec at) { return vec_unit(vec_sub(at, s->a)); }

static bool sphere_bounds(const shape *s, vec *lo, vec *hi)
{
    vec r = vec_make(s->r, s->r, s->r);
    *lo = vec_sub(s->a, r);
    *hi = vec_add(s->a, r);
    return true;
}

/* ---- plane: point, normal ---- */

static bool plane_build(shape *s, const fx *v)
{
    s->a = vec_at(v);
    s->n = vec_at(v + 3);
    if (!vec_length(s->n))
        return false;
    s->n = vec_unit(s->n);
    return true;
}

static fx plane_intersect(const shape *s, const ray *r)
{
    fx slope = vec_dot(r->dir, s->n);
    if (slope > -16 && slope < 16)
        return -1;
    return fx_div(vec_dot(vec_sub(s->a, r->origin), s->n), slope);
}

static vec flat_normal(const shape *s, vec at)
{
    (void)at;
    return s->n;
}

static bool no_bounds(const shape *s, vec *lo, vec *hi)
{
    (void)s, (void)lo, (void)hi;
    return false;
}

/* ---- triangle: three corners ---- */

static bool triangle_build(shape *s, const fx *v)
{
    s->a = vec_at(v);
    s->b = vec_sub(vec_at(v + 3), s->a);
    s->c = vec_sub(vec_at(v + 6), s->a);
    s->n = vec_cross(s->b, s->c);
    if (!vec_length(s->n))
        return false;
    s->n = vec_unit(s->n);
    return true;
}

static fx triangle_intersect(const shape *s, const ray *r)
{
    vec p = vec_cross(r->dir, s->c);
    fx det = vec_dot(s->b, p);
    if (det > -8 && det < 8)
        return -1;
    vec from = vec_sub(r->origin, s->a);
    fx u = fx_div(vec_dot(from, p), det);
    if (u < 0 || u > FX_ONE)
        return -1;
    vec q = vec_cross(from, s->b);
    fx w = fx_div(vec_dot(r->dir, q), det);
    if (w < 0 || u + w > FX_ONE)
        return -1;
    return fx_div(vec_dot(s->c, q), det);
}

static bool triangle_bounds(const shape *s, vec *lo, vec *hi)
{
    vec b = vec_add(s->a, s->b), c = vec_add(s->a, s->c), pad = vec_make(64, 64, 64);
    *lo = vec_sub(vec_min(s->a, vec_min(b, c)), pad);
    *hi = vec_add(vec_max(s->a, vec_max(b, c)), pad);
    return true;
}

/* ---- box: two opposite corners ---- */

static bool box_build(shape *s, const fx *v)
{
    s->a = vec_min(vec_at(v), vec_at(v + 3));
    s->b = vec_max(vec_at(v), vec_at(v + 3));
    return s->a.x < s->b.x && s->a.y < s->b.y && s->a.z < s->b.z;
}

static bool clip(fx lo, fx hi, fx origin, fx dir, fx *enter, fx *leave)
{
    if (!dir)
        return origin >= lo && origin <= hi;
    fx t0 = fx_div(lo - origin, dir), t1 = fx_div(hi - origin, dir);
    *enter = max_fx(*enter, min_fx(t0, t1));
    *leave = min_fx(*leave, max_fx(t0, t1));
    return *enter <= *leave;
}

static fx box_intersect(const shape *s, const ray *r)
{
    fx enter = -FX_FAR, leave = FX_FAR;
    if (!clip(s->a.x, s->b.x, r->origin.x, r->dir.x, &enter, &leave) ||
        !clip(s->a.y, s->b.y, r->origin.y, r->dir.y, &enter, &leave) ||
        !clip(s->a.z, s->b.z, r->origin.z, r->dir.z, &enter, &leave))
        return -1;
    return enter > 64 ? enter : leave > 64 ? leave : -1;
}

static fx gap(fx a, fx b) { return a > b ? a - b : b - a; }

/* The face nearest to the point decides. */
static vec box_normal(const shape *s, vec at)
{
    const fx d[6] = { gap(at.x, s->a.x), gap(at.x, s->b.x), gap(at.y, s->a.y),
                      gap(at.y, s->b.y), gap(at.z, s->a.z), gap(at.z, s->b.z) };
    int best = 0;
    for (int i = 1; i < 6; i++)
        if (d[i] < d[best])
            best = i;
    fx sign = best & 1 ? FX_ONE : -FX_ONE;
    switch (best / 2) {
    case 0: return vec_make(sign, 0, 0);
    case 1: return vec_make(0, sign, 0);
    default: return vec_make(0, 0, sign);
    }
}

static bool box_bounds(const shape *s, vec *lo, vec *hi)
{
    *lo = s->a;
    *hi = s->b;
    return true;
}

static const shape_class classes[] = {
    { "sphere", 4, sphere_build, sphere_intersect, sphere_normal, sphere_bounds },
    { "plane", 6, plane_build, plane_intersect, flat_normal, no_bounds },
    { "triangle", 9, triangle_build, triangle_intersect, flat_normal, triangle_bounds },
    { "box", 6, box_build, box_intersect, box_normal, box_bounds },
};

const shape_class *shape_class_named(const char *word)
{
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (!strcmp(classes[i].keyword, word))
            return &classes[i];
    return NULL;
}

/* ---- bounding volume hierarchy over the finite shapes ---- */

static fx axis_of(vec v, int axis) { return axis == 0 ? v.x : axis == 1 ? v.y : v.z; }

static fx centre_of(const scene *s, int shape, int axis)
{
    vec lo, hi;
    s->shapes[shape].class->bounds(&s->shapes[shape], &lo, &hi);
    return axis_of(lo, axis) + axis_of(hi, axis);
}

static void sort_range(scene *s, int first, int count, int axis)
{
    for (int i = first + 1; i < first + count; i++) {
        int v = s->order[i], j = i;
        for (; j > first && centre_of(s, s->order[j - 1], axis) > centre_of(s, v, axis); j--)
            s->order[j] = s->order[j - 1];
        s->order[j] = v;
    }
}

static int build_node(scene *s, int first, int count)
{
    int at = s->nnodes++;
    bvh_node *n = &s->nodes[at];
    for (int i = 0; i < count; i++) {
        vec lo, hi;
        const shape *sh = &s->shapes[s->order[first + i]];
        sh->class->bounds(sh, &lo, &hi);
        n->lo = i ? vec_min(n->lo, lo) : lo;
        n->hi = i ? vec_max(n->hi, hi) : hi;
    }
    n->first = first;
    n->count = count;
    n->left = n->right = -1;
    if (count <= 2)
        return at;
    vec size = vec_sub(n->hi, n->lo);
    int axis = size.x >= size.y && size.x >= size.z ? 0 : size.y >= size.z ? 1 : 2;
    sort_range(s, first, count, axis);
    int half = count / 2;
    n->left = build_node(s, first, half);
    n->right = build_node(s, first + half, count - half);
    return at;
}

void scene_index(scene *s)
{
    int tail = s->nshapes;
    s->bounded = s->nnodes = 0;
    for (int i = 0; i < s->nshapes; i++) {
        vec lo, hi;
        if (s->shapes[i].class->bounds(&s->shapes[i], &lo, &hi))
            s->order[s->bounded++] = i;
        else
            s->order[--tail] = i; /* infinite shapes wait at the end */
    }
    if (s->bounded)
        build_node(s, 0, s->bounded);
}

typedef struct {
    const scene *s;
    const ray *r;
    counters *c;
    fx best;
    const shape *found;
    bool any;            /* stop at the first hit */
} query;

static void try_shape(query *q, int index)
{
    const shape *sh = &q->s->shapes[index];
    q->c->tests++;
    fx t = sh->class->intersect(sh, q->r);
    if (t > 64 && t < q->best) {
        q->best = t;
        q->found = sh;
    }
}

static bool box_in_reach(const bvh_node *n, const query *q)
{
    shape tmp = { .a = n->lo, .b = n->hi };
    fx t = box_intersect(&tmp, q->r);
    return t >= 0 && (t < q->best || (q->r->origin.x >= n->lo.x && q->r->origin.x <= n->hi.x &&
                                      q->r->origin.y >= n->lo.y && q->r->origin.y <= n->hi.y &&
                                      q->r->origin.z >= n->lo.z && q->r->origin.z <= n->hi.z));
}

static void descend(query *q, int node)
{
    const bvh_node *n = &q->s->nodes[node];
    q->c->boxes++;
    if ((q->any && q->found) || !box_in_reach(n, q))
        return;
    if (n->left < 0) {
        for (int i = 0; i < n->count; i++)
            try_shape(q, q->s->order[n->first + i]);
        return;
    }
    descend(q, n->left);
    descend(q, n->right);
}

static void run_query(query *q)
{
    for (int i = q->s->bounded; i < q->s->nshapes; i++)
        try_shape(q, q->s->order[i]);
    if (q->s->bounded)
        descend(q, 0);
}

bool scene_hit(const scene *s, const ray *r, fx limit, hit *out, counters *c)
{
    query q = { s, r, c, limit, NULL, false };
    c->rays++;
    run_query(&q);
    if (!q.found)
        return false;
    out->t = q.best;
    out->shape = q.found;
    out->point = vec_add(r->origin, vec_scale(r->dir, q.best));
    out->normal = q.found->class->normal(q.found, out->point);
    out->inside = vec_dot(out->normal, r->dir) > 0;
    if (out->inside)
        out->normal = vec_neg(out->normal);
    return true;
}

bool scene_blocked(const scene *s, const ray *r, fx limit, counters *c)
{
    query q = { s, r, c, limit, NULL, true };
    c->shadow_rays++;
    run_query(&q);
    return q.found != NULL;
}
