/*
 * alloc.h - memory managers that work inside a caller-supplied arena.
 * Every manager is reached through the same table of operations; blocks
 * are named by byte offsets, so that results never depend on addresses.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ALLOC_H
#define ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t Offset;
#define NIL ((Offset)0xffffffffu)

typedef enum {
    ALLOC_OK = 0,
    ALLOC_BAD_POINTER,
    ALLOC_DOUBLE_FREE,
    ALLOC_CORRUPT,
} AllocError;

typedef struct Arena {
    uint8_t *base;
    Offset size;
} Arena;

typedef struct Usage {
    size_t live_blocks, free_blocks;
    size_t live_bytes;          /* as handed out, after rounding */
    size_t free_bytes;
    size_t largest_free;
    size_t splits, merges, probes;
} Usage;

typedef struct Manager Manager;

typedef struct ManagerOps {
    const char *name;
    bool (*init)(Manager *m, Arena a);
    Offset (*alloc)(Manager *m, size_t bytes);
    AllocError (*release)(Manager *m, Offset p);
    size_t (*room)(const Manager *m, Offset p);   /* usable size of a block */
    AllocError (*check)(const Manager *m);
    void (*usage)(const Manager *m, Usage *u);
} ManagerOps;

enum { BINS = 24, BUDDY_ORDERS = 20, SLAB_CLASSES = 8 };

struct Manager {
    const ManagerOps *ops;
    Arena arena;
    size_t splits, merges, probes;
    union {
        struct {
            Offset head;        /* address-ordered or plain free list */
            Offset rover;
        } list;
        struct {
            Offset bin[BINS];
            uint32_t occupied;
        } seg;
        struct {
            Offset bin[BUDDY_ORDERS];
            int top;
        } buddy;
        struct {
            Offset partial[SLAB_CLASSES];
            Offset empty;
            Offset fresh;
        } slab;
    } u;
};

extern const ManagerOps first_fit_ops, next_fit_ops, best_fit_ops;
extern const ManagerOps segregated_ops, buddy_ops, slab_ops;

/* arena.c: unaligned-safe access by offset */
uint32_t peek(const Arena *a, Offset at);
void poke(Arena *a, Offset at, uint32_t v);
Offset align_up(size_t v, size_t to);

/* generic operations on any manager */
bool manager_init(Manager *m, const ManagerOps *ops, Arena a);
Offset manager_realloc(Manager *m, Offset p, size_t bytes, AllocError *err);

#endif
