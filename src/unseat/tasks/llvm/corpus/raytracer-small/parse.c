/* SPDX-License-Identifier: Apache-2.0
 * parse.c - the line-oriented scene description. */
#include "scene.h"

#include <string.h>

typedef struct { char *rest; } reader;

static char *next_word(reader *r)
{
    while (*r->rest == ' ' || *r->rest == '\t')
        r->rest++;
    if (!*r->rest || *r->rest == '\n' || *r->rest == '#')
        return NULL;
    char *word = r->rest;
    while (*r->rest && !strchr(" \t\n", *r->rest))
        r->rest++;
    if (*r->rest)
        *r->rest++ = '\0';
    return word;
}

/* A decimal number such as -12.375, exactly rounded down. */
static bool parse_number(const char *s, fx *out)
{
    bool negative = *s == '-';
    fx whole = 0, part = 0, scale = 1;
    s += negative;
    if (!*s)
        return false;
    for (; *s >= '0' && *s <= '9'; s++)
        if ((whole = whole * 10 + (*s - '0')) > 9999)
            return false;
    if (*s == '.')
        for (s++; *s >= '0' && *s <= '9' && scale < 1000000; s++, scale *= 10)
            part = part * 10 + (*s - '0');
    if (*s)
        return false;
    *out = FX(whole) + part * FX_ONE / scale;
    *out = negative ? -*out : *out;
    return true;
}

static bool numbers(reader *r, fx *out, int n)
{
    for (int i = 0; i < n; i++) {
        char *w = next_word(r);
        if (!w || !parse_number(w, &out[i]))
            return false;
    }
    return next_word(r) == NULL;
}

static const material *find_material(const scene *s, const char *name)
{
    for (int i = 0; i < s->nmaterials; i++)
        if (!strcmp(s->materials[i].name, name))
            return &s->materials[i];
    return NULL;
}

void scene_reset(scene *s)
{
    memset(s, 0, sizeof *s);
    s->fov = FX_ONE;
    s->look = vec_make(0, 0, FX_ONE);
    s->ambient = vec_make(FX_PART(1, 10), FX_PART(1, 10), FX_PART(1, 10));
}

static const char *parse_material(scene *s, reader *r)
{
    char *name = next_word(r);
    fx v[13];
    if (!name || strlen(name) >= NAME_LEN)
        return "bad material name";
    if (find_material(s, name))
        return "material defined twice";
    if (s->nmaterials == MAX_MATERIALS)
        return "too many materials";
    if (!numbers(r, v, 13))
        return "a material needs 13 numbers";
    material *m = &s->materials[s->nmaterials++];
    strcpy(m->name, name);
    m->colour = vec_make(v[0], v[1], v[2]);
    m->second = vec_make(v[3], v[4], v[5]);
    m->checker = v[6];
    m->diffuse = v[7];
    m->specular = v[8];
    m->shine = (unsigned)(v[9] / FX_ONE);
    m->mirror = v[10];
    m->clear = v[11];
    m->index = v[12];
    return NULL;
}

static const char *parse_shape(scene *s, const shape_class *class, reader *r)
{
    char *name = next_word(r);
    fx v[9];
    if (s->nshapes == MAX_SHAPES)
        return "too many shapes";
    shape *sh = &s->shapes[s->nshapes];
    sh->surface = name ? find_material(s, name) : NULL;
    if (!sh->surface)
        return "unknown material";
    if (!numbers(r, v, class->numbers))
        return "wrong numbers for this shape";
    sh->class = class;
    if (!class->build(sh, v))
        return "degenerate shape";
    s->nshapes++;
    return NULL;
}

static const char *parse_light(scene *s, reader *r)
{
    fx v[6];
    if (s->nlights == MAX_LIGHTS)
        return "too many lights";
    if (!numbers(r, v, 6))
        return "a light needs 6 numbers";
    s->lights[s->nlights++] = (light){ vec_make(v[0], v[1], v[2]), vec_make(v[3], v[4], v[5]) };
    return NULL;
}

static const char *parse_camera(scene *s, reader *r)
{
    fx v[7];
    if (!numbers(r, v, 7) || v[6] <= 0)
        return "camera: eye, target, width";
    s->eye = vec_make(v[0], v[1], v[2]);
    s->look = vec_sub(vec_make(v[3], v[4], v[5]), s->eye);
    s->fov = v[6];
    return vec_length(s->look) ? NULL : "camera looks at itself";
}

static const char *parse_sky(scene *s, reader *r)
{
    fx v[9];
    if (!numbers(r, v, 9))
        return "sky: low, high, ambient";
    s->sky_low = vec_make(v[0], v[1], v[2]);
    s->sky_high = vec_make(v[3], v[4], v[5]);
    s->ambient = vec_make(v[6], v[7], v[8]);
    return NULL;
}

static const struct { const char *word; const char *(*parse)(scene *, reader *); } statements[] = {
    { "material", parse_material }, { "light", parse_light },
    { "camera", parse_camera }, { "sky", parse_sky },
};

const char *scene_line(scene *s, char *line)
{
    reader r = { line };
    char *word = next_word(&r);
    if (!word)
        return NULL;
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        if (!strcmp(statements[i].word, word))
            return statements[i].parse(s, &r);
    const shape_class *c = shape_class_named(word);
    return c ? parse_shape(s, c, &r) : "unknown statement";
}
