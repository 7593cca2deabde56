/* main.c - known facts about known automata, each computed and compared.
 * SPDX-License-Identifier: Apache-2.0 */
#include "elementary.h"
#include "pattern.h"

#include <stdio.h>
#include <stdlib.h>

static Rule life;

static Grid *must_grid(int w, int h)
{
    Grid *g = grid_new(w, h);
    if (!g) {
        puts("no grid");
        exit(1);
    }
    return g;
}

static Grid *with_pattern(const char *name, int w, int h)
{
    Grid *g = must_grid(w, h);
    const Pattern *p = pattern_find(name);
    if (!p || pattern_place(g, p->rle, w / 2, h / 2) < 0) {
        printf("bad pattern %s\n", name);
        exit(1);
    }
    return g;
}

/* A slow, obvious stepper to hold against the bit-parallel one. */
static void naive_step(const Grid *from, Grid *to, Rule r)
{
    for (int y = 0; y < grid_height(from); y++)
        for (int x = 0; x < grid_width(from); x++) {
            int n = -grid_get(from, x, y);
            for (int dy = -1; dy <= 1; dy++)
                for (int dx = -1; dx <= 1; dx++)
                    n += grid_get(from, x + dx, y + dy);
            unsigned set = grid_get(from, x, y) ? r.survive : r.birth;
            grid_set(to, x, y, (int)(set >> n & 1));
        }
}

static uint32_t noise_state = 7;

static unsigned noise(void)
{
    noise_state ^= noise_state << 13;
    noise_state ^= noise_state >> 17;
    noise_state ^= noise_state << 5;
    return noise_state;
}

static void soup(Grid *g, unsigned per_256)
{
    grid_clear(g);
    for (int y = 0; y < grid_height(g); y++)
        for (int x = 0; x < grid_width(g); x++)
            grid_set(g, x, y, (noise() >> 8 & 255) < per_256);
}

static void show(const Grid *g)
{
    for (int y = 0; y < grid_height(g); y++) {
        printf("  ");
        for (int x = 0; x < grid_width(g); x++)
            putchar(grid_get(g, x, y) ? '#' : '.');
        putchar('\n');
    }
}

static void motions(void)
{
    static const char *const names[] = { "block", "beehive", "blinker", "toad", "beacon",
                                         "pentadecathlon", "glider", "lwss" };
    puts("motions:");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        Grid *g = with_pattern(names[i], 64, 64);
        Motion m = pattern_motion(g, life, 60);
        printf("  %-15s period %2d shift (%d,%d)\n", names[i], m.period, m.dx, m.dy);
        grid_free(g);
    }
    Rule high;
    rule_parse("B36/S23", &high);
    Grid *g = with_pattern("replicator", 96, 96);
    long before = grid_population(g);
    for (int i = 0; i < 12; i++)
        grid_step(g, high);
    Census c = grid_census(g);
    printf("  replicator: %ld cells become %ld in %d objects\n", before, grid_population(g),
           c.objects);
    grid_free(g);
}

static void methuselahs(void)
{
    Grid *g = with_pattern("diehard", 128, 128);
    int t = 0;
    while (grid_population(g) && t < 1000) {
        grid_step(g, life);
        t++;
    }
    printf("diehard vanishes at %d\n", t);
    grid_free(g);

    g = with_pattern("r-pentomino", 640, 640);
    for (t = 0; t < 1103; t++)
        grid_step(g, life);
    printf("r-pentomino at 1103: %ld cells\n", grid_population(g));
    grid_free(g);
}

static void gun(void)
{
    Grid *g = with_pattern("gun", 200, 200);
    printf("gun population every 30 generations:");
    for (int i = 0; i <= 6; i++) {
        printf(" %ld", grid_population(g));
        for (int k = 0; k < 30; k++)
            grid_step(g, life);
    }
    putchar('\n');
    grid_free(g);
}

static void cross_check(void)
{
    static const char *const rules[] = { "B3/S23", "B36/S23", "B2/S", "B3678/S34678", "B1357/S1357" };
    static const int widths[] = { 3, 63, 64, 65, 130 };
    int bad = 0, runs = 0;
    for (size_t r = 0; r < sizeof rules / sizeof rules[0]; r++)
        for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
            Rule rule;
            Grid *a = must_grid(widths[w], 23), *b = must_grid(widths[w], 23);
            rule_parse(rules[r], &rule);
            soup(a, 90);
            for (int t = 0; t < 4; t++, runs++) {
                naive_step(a, b, rule);
                grid_step(a, rule);
                bad += !grid_equal(a, b);
            }
            grid_free(a);
            grid_free(b);
        }
    printf("bit-parallel against naive: %d of %d differ\n", bad, runs);
}

static void soups(void)
{
    static const char *const rules[] = { "B3/S23", "B36/S23", "B3678/S34678" };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        Rule r;
        char text[24];
        Grid *g = must_grid(48, 40);
        int pre = 0;
        rule_parse(rules[i], &r);
        rule_format(r, text);
        noise_state = 99;
        soup(g, 80);
        long start = grid_population(g);
        int period = grid_cycle(g, r, 20000, &pre);
        Census c = grid_census(g);
        printf("soup %-13s %ld -> %ld cells, period %d after %d, %d objects of %d..%d, %016llx\n",
               text, start, grid_population(g), period, pre, c.objects, c.smallest, c.largest,
               (unsigned long long)grid_hash(g));
        grid_free(g);
    }
}

static void one_dimensional(void)
{
    Grid *g = must_grid(63, 32);
    unsigned long bits;
    wolfram_run(g, 90, 32);
    printf("rule 90: %ld cells in 32 rows\n", grid_population(g));
    wolfram_run(g, 30, 32);
    if (wolfram_column_bits(g, 31, 31, &bits) == 0)
        printf("rule 30: centre column %08lx, too long: %d\n", bits,
               wolfram_column_bits(g, 31, 33, &bits));
    wolfram_run(g, 110, 32);
    printf("rule 110: hash %016llx\n", (unsigned long long)grid_hash(g));
    grid_free(g);

    g = must_grid(37, 8);
    wolfram_run(g, 90, 8);
    show(g);
    grid_free(g);
}

static void ant(void)
{
    Grid *g = must_grid(256, 256);
    Ant a = { 128, 128, 0 };
    ant_walk(g, &a, 11000);
    Ant b = a;
    printf("ant: %ld cells on after 11000 steps", grid_population(g));
    ant_walk(g, &a, 104);
    printf(", highway shift per 104 steps: %d,%d\n", abs(a.x - b.x), abs(a.y - b.y));
    grid_free(g);
}

int main(void)
{
    static const char *const bad_rules[] = { "", "B0/S", "3/23", "B3/S9" };
    Rule r;
    char code[512];

    rule_parse("B3/S23", &life);
    for (size_t i = 0; i < 4; i++)
        printf("rule '%s': %d\n", bad_rules[i], rule_parse(bad_rules[i], &r));
    Grid *g = must_grid(64, 64);
    printf("rle: %d %d %d\n", pattern_place(g, "2o$x!", 0, 0), pattern_place(g, "3o", 0, 0),
           pattern_place(g, "b3o$3o!", 5, 5));
    printf("size check: %d\n", grid_new(2, 9) == NULL);
    grid_free(g);
    g = with_pattern("gun", 96, 64);
    pattern_encode(g, code, sizeof code);
    printf("re-encoded gun: %s\n", code);
    grid_free(g);

    motions();
    methuselahs();
    gun();
    cross_check();
    soups();
    one_dimensional();
    ant();
    return 0;
}
