/* arena.h - bump allocator: everything a document needs dies together. */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

typedef struct arena_block arena_block;

typedef struct arena {
    arena_block *head;
    size_t total;     /* bytes handed out, for statistics */
} arena;

void  arena_init(arena *a);
void *arena_alloc(arena *a, size_t size);
char *arena_dup(arena *a, const char *bytes, size_t len);
void  arena_free(arena *a);

#endif
