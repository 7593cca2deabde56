/*
 * main.c - drives every manager through misuse tests and random workloads
 * whose blocks carry patterns, so that any overlap is noticed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "alloc.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_SIZE = 1 << 16, SLOTS = 400, ROUNDS = 12000 };

static uint8_t memory[ARENA_SIZE];
static const ManagerOps *const managers[] = { &first_fit_ops, &next_fit_ops, &best_fit_ops,
                                              &segregated_ops, &buddy_ops, &slab_ops };
enum { MANAGERS = sizeof managers / sizeof managers[0] };

typedef struct Block {
    Offset at;
    uint32_t bytes;
    uint8_t stamp;
} Block;

typedef struct Workload {
    const char *name;
    uint32_t (*size)(void);
    unsigned bias;              /* chance of 256 to allocate rather than free */
} Workload;

static uint32_t prng_state;

static uint32_t prng(void)
{
    uint32_t x = prng_state += 0x6d2b79f5u;
    x = (x ^ (x >> 15)) * (x | 1u);
    x ^= x + (x ^ (x >> 7)) * (x | 61u);
    return x ^ (x >> 14);
}

static uint32_t size_small(void) { return 1 + prng() % 64; }
static uint32_t size_uniform(void) { return 1 + prng() % 480; }
static uint32_t size_bimodal(void) { return prng() % 8 ? 8 + prng() % 40 : 300 + prng() % 180; }
static uint32_t size_powers(void) { return 1u << (3 + prng() % 6); }

static const Workload workloads[] = {
    { "small", size_small, 150 },
    { "uniform", size_uniform, 134 },
    { "bimodal", size_bimodal, 150 },
    { "powers", size_powers, 140 },
};

static uint8_t pattern(uint8_t stamp, uint32_t i) { return (uint8_t)(stamp * 31u + i * 7u); }

static void paint(const Block *b)
{
    for (uint32_t i = 0; i < b->bytes; i++)
        memory[b->at + i] = pattern(b->stamp, i);
}

static bool intact(const Block *b, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        if (memory[b->at + i] != pattern(b->stamp, i))
            return false;
    return true;
}

typedef struct Tally {
    long allocs, frees, resizes, refused, damaged, errors, wasted;
    uint32_t digest;
} Tally;

static void do_alloc(Manager *m, Block *b, uint32_t bytes, Tally *t)
{
    Offset at = m->ops->alloc(m, bytes);
    if (at == NIL) {
        t->refused++;
        return;
    }
    *b = (Block){ at, bytes, (uint8_t)prng() };
    if (at + bytes > ARENA_SIZE || m->ops->room(m, at) < bytes)
        t->errors++;
    t->wasted += (long)(m->ops->room(m, at) - bytes);
    paint(b);
    t->allocs++;
    t->digest = (t->digest ^ at) * 16777619u;
}

static void do_free(Manager *m, Block *b, Tally *t)
{
    t->damaged += !intact(b, b->bytes);
    t->errors += m->ops->release(m, b->at) != ALLOC_OK;
    b->at = NIL;
    t->frees++;
}

static void do_resize(Manager *m, Block *b, uint32_t bytes, Tally *t)
{
    AllocError e;
    uint32_t keep = bytes < b->bytes ? bytes : b->bytes;
    t->damaged += !intact(b, b->bytes);
    Offset at = manager_realloc(m, b->at, bytes, &e);
    t->errors += e != ALLOC_OK;
    if (at == NIL) {
        t->refused++;
        return;
    }
    b->at = at;
    t->damaged += !intact(b, keep);
    b->bytes = bytes;
    paint(b);
    t->resizes++;
}

static void run(Manager *m, const Workload *w)
{
    static Block blocks[SLOTS];
    Tally t = { .digest = 2166136261u };
    Usage full, end;

    prng_state = 42;
    manager_init(m, m->ops, (Arena){ memory, ARENA_SIZE });
    for (int i = 0; i < SLOTS; i++)
        blocks[i].at = NIL;
    for (int r = 0; r < ROUNDS; r++) {
        Block *b = &blocks[prng() % SLOTS];
        uint32_t bytes = w->size();
        if (b->at == NIL) {
            if ((prng() & 255) < w->bias)
                do_alloc(m, b, bytes, &t);
        } else if (prng() % 5 == 0) {
            do_resize(m, b, bytes, &t);
        } else if ((prng() & 255) >= w->bias / 2) {
            do_free(m, b, &t);
        }
        if (r % 97 == 0)
            t.errors += m->ops->check(m) != ALLOC_OK;
    }
    m->ops->usage(m, &full);
    for (int i = 0; i < SLOTS; i++)
        if (blocks[i].at != NIL)
            do_free(m, &blocks[i], &t);
    m->ops->usage(m, &end);
    printf("  %-10s +%ld -%ld ~%ld refused %ld damaged %ld errors %ld waste %ld B "
           "fragments %zu/%zu largest %zu split %zu merge %zu %08lx\n",
           m->ops->name, t.allocs, t.frees, t.resizes, t.refused, t.damaged, t.errors,
           t.allocs ? t.wasted / t.allocs : 0L, full.free_blocks, full.live_blocks,
           full.largest_free, end.splits, end.merges, (unsigned long)t.digest);
    if (end.live_blocks || m->ops->check(m) != ALLOC_OK)
        puts("  LEFTOVERS");
}

static void misuse(Manager *m)
{
    AllocError e;
    manager_init(m, m->ops, (Arena){ memory, ARENA_SIZE });
    Offset a = m->ops->alloc(m, 100), b = m->ops->alloc(m, 100), c = m->ops->alloc(m, 30);
    printf("  %-10s at %lu %lu %lu room %zu:", m->ops->name, (unsigned long)a, (unsigned long)b,
           (unsigned long)c, m->ops->room(m, a));
    printf(" free %d", m->ops->release(m, b));
    printf(" again %d", m->ops->release(m, b));
    printf(" inside %d", m->ops->release(m, a + 4));
    printf(" outside %d", m->ops->release(m, ARENA_SIZE + 16));
    printf(" huge %d", m->ops->alloc(m, ARENA_SIZE) == NIL);
    memset(memory + c, 0x5a, 30);
    Offset d = manager_realloc(m, c, 200, &e);
    printf(" grown %d,%d", d != NIL && e == ALLOC_OK, memory[d + 29] == 0x5a);
    manager_realloc(m, d, 0, &e);
    printf(" to nothing %d", e);
    manager_realloc(m, a + 3, 50, &e);
    printf(" bad %d check %d\n", e, m->ops->check(m));
}

/* Fills the arena with equal blocks, frees every second one, then asks for
 * twice the size: only a manager without neighbours to merge can serve it. */
static void checkerboard(Manager *m)
{
    static Offset at[ARENA_SIZE / 16];
    int n = 0, doubles = 0;
    manager_init(m, m->ops, (Arena){ memory, ARENA_SIZE });
    for (Offset p; (p = m->ops->alloc(m, 56)) != NIL;)
        at[n++] = p;
    for (int i = 0; i < n; i += 2)
        m->ops->release(m, at[i]);
    while (m->ops->alloc(m, 112) != NIL)
        doubles++;
    int singles = 0;
    while (m->ops->alloc(m, 56) != NIL)
        singles++;
    for (int i = 1; i < n; i += 2)
        m->ops->release(m, at[i]);
    printf("  %-10s %d blocks, then %d doubles and %d singles, check %d\n", m->ops->name, n, doubles,
           singles, m->ops->check(m));
}

int main(void)
{
    Manager m;

    printf("tiny arenas:");
    for (int i = 0; i < MANAGERS; i++)
        printf(" %d", manager_init(&m, managers[i], (Arena){ memory, 20 }));
    puts("\nmisuse:");
    for (int i = 0; i < MANAGERS; i++) {
        m.ops = managers[i];
        misuse(&m);
    }
    puts("checkerboard:");
    for (int i = 0; i < MANAGERS; i++) {
        m.ops = managers[i];
        checkerboard(&m);
    }
    for (size_t w = 0; w < sizeof workloads / sizeof workloads[0]; w++) {
        printf("workload %s:\n", workloads[w].name);
        for (int i = 0; i < MANAGERS; i++) {
            m.ops = managers[i];
            run(&m, &workloads[w]);
        }
    }
    return 0;
}
