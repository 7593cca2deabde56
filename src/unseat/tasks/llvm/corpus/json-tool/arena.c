/* arena.c - bump allocator with geometrically growing blocks. */
#include "arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK = 4096, MAX_BLOCK = 1 << 18, ALIGNMENT = 16 };

struct arena_block {
    arena_block *next;
    size_t used, cap;
    char *base;
};

static size_t round_up(size_t n)
{
    return (n + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static arena_block *new_block(arena *a, size_t need)
{
    size_t cap = a->head ? a->head->cap * 2 : FIRST_BLOCK;
    if (cap > MAX_BLOCK)
        cap = MAX_BLOCK;
    if (cap < need)
        cap = need;
    arena_block *b = malloc(sizeof *b);
    char *base = b ? malloc(cap) : NULL;
    if (!base) {
        fputs("json-tool: out of memory\n", stderr);
        exit(2);
    }
    b->next = a->head;
    b->used = 0;
    b->cap = cap;
    b->base = base;
    a->head = b;
    return b;
}

void arena_init(arena *a)
{
    a->head = NULL;
    a->total = 0;
}

void *arena_alloc(arena *a, size_t size)
{
    size = round_up(size ? size : 1);
    arena_block *b = a->head;
    if (!b || b->cap - b->used < size)
        b = new_block(a, size);
    void *p = b->base + b->used;
    b->used += size;
    a->total += size;
    return p;
}

char *arena_dup(arena *a, const char *bytes, size_t len)
{
    char *p = arena_alloc(a, len + 1);
    memcpy(p, bytes, len);
    p[len] = '\0';
    return p;
}

void arena_free(arena *a)
{
    while (a->head) {
        arena_block *next = a->head->next;
        free(a->head->base);
        free(a->head);
        a->head = next;
    }
    a->total = 0;
}
