/*
 * arena.c - raw access to the arena and manager-independent helpers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "alloc.h"

#include <string.h>

uint32_t peek(const Arena *a, Offset at)
{
    uint32_t v;
    memcpy(&v, a->base + at, sizeof v);
    return v;
}

void poke(Arena *a, Offset at, uint32_t v)
{
    memcpy(a->base + at, &v, sizeof v);
}

Offset align_up(size_t v, size_t to)
{
    return (Offset)((v + to - 1) / to * to);
}

bool manager_init(Manager *m, const ManagerOps *ops, Arena a)
{
    memset(m, 0, sizeof *m);
    m->ops = ops;
    m->arena = a;
    return ops->init(m, a);
}

Offset manager_realloc(Manager *m, Offset p, size_t bytes, AllocError *err)
{
    *err = ALLOC_OK;
    if (p == NIL)
        return m->ops->alloc(m, bytes);
    if (bytes == 0) {
        *err = m->ops->release(m, p);
        return NIL;
    }
    size_t old = m->ops->room(m, p);
    if (old == 0) {
        *err = ALLOC_BAD_POINTER;
        return NIL;
    }
    if (bytes <= old && bytes * 2 > old)
        return p;
    Offset q = m->ops->alloc(m, bytes);
    if (q == NIL)
        return bytes <= old ? p : NIL;
    memcpy(m->arena.base + q, m->arena.base + p, old < bytes ? old : bytes);
    *err = m->ops->release(m, p);
    return q;
}
