/* SPDX-License-Identifier: Apache-2.0
 * main.c - reads a scene from stdin, checks the geometry on rays with known
 * answers, renders, and prints a small picture and checksums. */
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>

enum { WIDTH = 96, HEIGHT = 64, CELL_W = 2, CELL_H = 4 };

static scene world;
static uint8_t image[HEIGHT][WIDTH][3];

static long milli(fx v) { return (long)((v * 1000 + (v < 0 ? -FX_ONE / 2 : FX_ONE / 2)) / FX_ONE); }

static void probe(const char *title, const char *description, vec from, vec dir)
{
    static scene lab;
    char text[2][128] = { "material m 1 1 1 0 0 0 0 1 0 1 0 0 1", "" };
    counters c = { 0, 0, 0, 0 };
    hit h;
    ray r = { from, vec_unit(dir) };
    scene_reset(&lab);
    snprintf(text[1], sizeof text[1], "%s", description);
    for (int i = 0; i < 2; i++) {
        const char *err = scene_line(&lab, text[i]);
        if (err) {
            printf("  %s: %s\n", title, err);
            return;
        }
    }
    scene_index(&lab);
    if (scene_hit(&lab, &r, FX_FAR, &h, &c))
        printf("  %-16s t %ld normal (%ld %ld %ld)%s\n", title, milli(h.t), milli(h.normal.x),
               milli(h.normal.y), milli(h.normal.z), h.inside ? " inside" : "");
    else
        printf("  %-16s miss\n", title);
}

static void probes(void)
{
    vec o = vec_make(0, 0, 0), z = vec_make(0, 0, FX_ONE), d345 = vec_make(FX(3), FX(4), 0);
    puts("probes (thousandths):");
    probe("sphere front", "sphere m 0 0 5 2", o, z);
    probe("sphere inside", "sphere m 0 0 1 2", o, z);
    probe("sphere grazing", "sphere m 0 3 5 2.999", o, z);
    probe("sphere missed", "sphere m 0 3 5 2.9", o, vec_make(0, -FX_ONE / 64, FX_ONE));
    probe("plane 3-4-5", "plane m 3 0 0 -1 0 0", o, d345);
    probe("plane parallel", "plane m 0 -1 0 0 1 0", o, z);
    probe("triangle", "triangle m -1 -1 4 1 -1 4 0 2 4", o, z);
    probe("triangle edge", "triangle m -1 -1 4 1 -1 4 0 2 4", vec_make(FX(1), 0, 0), z);
    probe("box side", "box m 2 -1 -1 4 8 1", o, d345);
    probe("box inside", "box m -1 -1 -1 1 1 1", o, vec_make(0, FX(-1), 0));
    probe("flat box", "box m 0 0 0 1 1 0", o, z);
    probe("zero normal", "plane m 0 0 0 0 0 0", o, z);
    probe("bad number", "sphere m 0 0 x 1", o, z);
    probe("bad material", "sphere q 0 0 0 1", o, z);

    vec out, slanted = vec_make(FX_PART(6, 10), FX_PART(-8, 10), 0), up = vec_make(0, FX_ONE, 0);
    int ok = vec_refract(slanted, up, FX_PART(3, 4), &out); /* sin 0.6 * 0.75 = 0.45 */
    printf("  refraction %d (%ld %ld %ld)", ok, milli(out.x), milli(out.y), milli(out.z));
    printf(", total reflection %d", !vec_refract(slanted, up, FX(2), &out));
    printf(", sqrt 2 = %ld, 0.9^10 = %ld, floor(-1.5) = %ld\n", milli(fx_sqrt(FX(2))),
           milli(fx_power(FX_PART(9, 10), 10)), milli(fx_floor(FX_PART(-3, 2))));
}

/* The index must never change an answer. */
static long compare_index(void)
{
    counters c = { 0, 0, 0, 0 };
    long differ = 0;
    uint32_t x = 5;
    static scene flat;
    flat = world;
    flat.bounded = 0; /* all shapes are tested one by one */
    for (int i = 0; i < 4000; i++) {
        fx v[6];
        for (int k = 0; k < 6; k++) {
            x = x * 1664525u + 1013904223u;
            v[k] = (fx)(x >> 12) - (1 << 19);
        }
        ray r = { vec_make(v[0], v[1], v[2]), vec_unit(vec_make(v[3] | 1, v[4], v[5])) };
        hit a, b;
        bool ha = scene_hit(&world, &r, FX_FAR, &a, &c), hb = scene_hit(&flat, &r, FX_FAR, &b, &c);
        differ += ha != hb || (ha && a.t != b.t);
    }
    return differ;
}

static uint8_t to_byte(fx v) { return (uint8_t)(fx_clamp(fx_sqrt(v), 0, FX_ONE - 1) / 256); }

static void render(int samples)
{
    counters c = { 0, 0, 0, 0 };
    uint32_t crc = 0xffffffffu;
    long sum[3] = { 0, 0, 0 };
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            vec v = render_pixel(&world, x, y, WIDTH, HEIGHT, samples, &c);
            image[y][x][0] = to_byte(v.x);
            image[y][x][1] = to_byte(v.y);
            image[y][x][2] = to_byte(v.z);
            for (int k = 0; k < 3; k++) {
                sum[k] += image[y][x][k];
                crc ^= image[y][x][k];
                for (int b = 0; b < 8; b++)
                    crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
            }
        }
    printf("samples %d: rays %ld shadow %ld tests %ld boxes %ld mean (%ld %ld %ld) crc %08lx\n", samples,
           c.rays, c.shadow_rays, c.tests, c.boxes, sum[0] / (WIDTH * HEIGHT), sum[1] / (WIDTH * HEIGHT),
           sum[2] / (WIDTH * HEIGHT), (unsigned long)(crc ^ 0xffffffffu));
}

static void picture(void)
{
    static const char ramp[] = " .:-=+*#%@";
    for (int y = 0; y < HEIGHT; y += CELL_H) {
        for (int x = 0; x < WIDTH; x += CELL_W) {
            int sum = 0;
            for (int dy = 0; dy < CELL_H; dy++)
                for (int dx = 0; dx < CELL_W; dx++)
                    for (int k = 0; k < 3; k++)
                        sum += image[y + dy][x + dx][k];
            putchar(ramp[sum / (CELL_W * CELL_H * 3) * 10 / 256]);
        }
        putchar('\n');
    }
}

int main(void)
{
    char line[256];
    int number = 0, errors = 0;
    probes();
    scene_reset(&world);
    while (fgets(line, sizeof line, stdin)) {
        const char *err = scene_line(&world, line);
        number++;
        if (err) {
            printf("line %d: %s\n", number, err);
            errors++;
        }
    }
    printf("scene: %d shapes, %d materials, %d lights, %d errors\n", world.nshapes, world.nmaterials,
           world.nlights, errors);
    scene_index(&world);
    printf("index: %d nodes, %ld differences\n", world.nnodes, compare_index());
    render(1);
    render(2);
    picture();
    return 0;
}
