/* SPDX-License-Identifier: Apache-2.0
 * scene.h - shapes, materials, lights and the scene description. */
#ifndef SCENE_H
#define SCENE_H

#include "fx.h"

#include <stdbool.h>
#include <stddef.h>

enum { MAX_SHAPES = 64, MAX_MATERIALS = 16, MAX_LIGHTS = 8, NAME_LEN = 16 };

typedef struct { vec origin, dir; } ray;

struct shape;

typedef struct {
    fx t;
    vec point, normal;
    const struct shape *shape;
    bool inside;
} hit;

typedef struct {
    const char *keyword;
    int numbers;                                      /* in the description */
    bool (*build)(struct shape *s, const fx *args);
    fx (*intersect)(const struct shape *s, const ray *r);  /* < 0: miss */
    vec (*normal)(const struct shape *s, vec at);
    bool (*bounds)(const struct shape *s, vec *lo, vec *hi); /* false: infinite */
} shape_class;

typedef struct {
    char name[NAME_LEN];
    vec colour, second;           /* second: checker partner */
    fx checker;                   /* size of the squares, 0: plain */
    fx diffuse, specular, mirror, clear, index;
    unsigned shine;
} material;

typedef struct shape {
    const shape_class *class;
    const material *surface;
    vec a, b, c, n;
    fx r;
} shape;

typedef struct { vec at, colour; } light;

typedef struct bvh_node {
    vec lo, hi;
    int left, right;              /* node indices, or -1  */
    int first, count;             /* leaf: shapes in order */
} bvh_node;

typedef struct {
    shape shapes[MAX_SHAPES];
    material materials[MAX_MATERIALS];
    light lights[MAX_LIGHTS];
    int nshapes, nmaterials, nlights;
    vec eye, look, sky_low, sky_high, ambient;
    fx fov;                       /* width of the image plane at distance 1 */
    bvh_node nodes[2 * MAX_SHAPES];
    int nnodes, order[MAX_SHAPES], bounded;
} scene;

typedef struct { long rays, shadow_rays, tests, boxes; } counters;

const shape_class *shape_class_named(const char *word);
void scene_reset(scene *s);
const char *scene_line(scene *s, char *line);      /* NULL or an error text */
void scene_index(scene *s);
bool scene_hit(const scene *s, const ray *r, fx limit, hit *out, counters *c);
bool scene_blocked(const scene *s, const ray *r, fx limit, counters *c);

vec render_pixel(const scene *s, int x, int y, int width, int height, int samples, counters *c);

#endif
