/*
 * slab.c - fixed-size classes on 1 KiB pages.  A page header holds the
 * class, a 64-bit occupancy map and the links of the class's list of pages
 * with room.  Requests above the largest class are refused.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "alloc.h"

enum { PAGE = 1024, P_CLASS = 0, P_LOW = 4, P_HIGH = 8, P_NEXT = 12, P_PREV = 16, P_HEAD = 32 };
#define CLASS_NONE 0xffu

static const uint16_t class_size[SLAB_CLASSES] = { 16, 32, 48, 80, 128, 192, 320, 480 };

static int slots(int class) { return (PAGE - P_HEAD) / class_size[class]; }

static uint64_t map_at(const Manager *m, Offset page)
{
    return (uint64_t)peek(&m->arena, page + P_HIGH) << 32 | peek(&m->arena, page + P_LOW);
}

static void set_map(Manager *m, Offset page, uint64_t v)
{
    poke(&m->arena, page + P_LOW, (uint32_t)v);
    poke(&m->arena, page + P_HIGH, (uint32_t)(v >> 32));
}

static uint64_t full_map(int class)
{
    return slots(class) == 64 ? ~(uint64_t)0 : ((uint64_t)1 << slots(class)) - 1;
}

static void page_link(Manager *m, Offset *head, Offset page)
{
    poke(&m->arena, page + P_NEXT, *head);
    poke(&m->arena, page + P_PREV, NIL);
    if (*head != NIL)
        poke(&m->arena, *head + P_PREV, page);
    *head = page;
}

static void page_unlink(Manager *m, Offset *head, Offset page)
{
    Offset n = peek(&m->arena, page + P_NEXT), p = peek(&m->arena, page + P_PREV);
    if (p == NIL)
        *head = n;
    else
        poke(&m->arena, p + P_NEXT, n);
    if (n != NIL)
        poke(&m->arena, n + P_PREV, p);
}

static bool slab_init(Manager *m, Arena a)
{
    if (a.size < PAGE)
        return false;
    for (int k = 0; k < SLAB_CLASSES; k++)
        m->u.slab.partial[k] = NIL;
    m->u.slab.empty = NIL;
    m->u.slab.fresh = 0;
    return true;
}

static int class_for(size_t bytes)
{
    for (int k = 0; k < SLAB_CLASSES; k++)
        if (bytes <= class_size[k])
            return k;
    return -1;
}

static Offset take_page(Manager *m)
{
    Offset page = m->u.slab.empty;
    if (page != NIL) {
        page_unlink(m, &m->u.slab.empty, page);
        return page;
    }
    if (m->u.slab.fresh + PAGE > m->arena.size)
        return NIL;
    page = m->u.slab.fresh;
    m->u.slab.fresh += PAGE;
    return page;
}

static Offset slab_alloc(Manager *m, size_t bytes)
{
    int k = class_for(bytes);
    if (k < 0)
        return NIL;
    Offset page = m->u.slab.partial[k];
    if (page == NIL) {
        page = take_page(m);
        if (page == NIL)
            return NIL;
        poke(&m->arena, page + P_CLASS, (uint32_t)k);
        set_map(m, page, 0);
        page_link(m, &m->u.slab.partial[k], page);
        m->splits++;
    }
    uint64_t map = map_at(m, page);
    int slot = 0;
    while (map >> slot & 1) {
        slot++;
        m->probes++;
    }
    map |= (uint64_t)1 << slot;
    set_map(m, page, map);
    if (map == full_map(k))
        page_unlink(m, &m->u.slab.partial[k], page);
    return page + P_HEAD + (Offset)slot * class_size[k];
}

static AllocError locate(const Manager *m, Offset p, Offset *page, int *class, int *slot)
{
    if (p >= m->u.slab.fresh || p % PAGE < P_HEAD)
        return ALLOC_BAD_POINTER;
    *page = p - p % PAGE;
    uint32_t c = peek(&m->arena, *page + P_CLASS);
    if (c == CLASS_NONE)
        return ALLOC_DOUBLE_FREE;
    if (c >= SLAB_CLASSES)
        return ALLOC_CORRUPT;
    *class = (int)c;
    uint32_t inside = p % PAGE - P_HEAD;
    *slot = (int)(inside / class_size[c]);
    if (inside % class_size[c] || *slot >= slots(*class))
        return ALLOC_BAD_POINTER;
    return map_at(m, *page) >> *slot & 1 ? ALLOC_OK : ALLOC_DOUBLE_FREE;
}

static AllocError slab_release(Manager *m, Offset p)
{
    Offset page;
    int k, slot;
    AllocError e = locate(m, p, &page, &k, &slot);
    if (e)
        return e;
    uint64_t map = map_at(m, page);
    if (map == full_map(k))
        page_link(m, &m->u.slab.partial[k], page);
    map &= ~((uint64_t)1 << slot);
    set_map(m, page, map);
    if (!map) {
        page_unlink(m, &m->u.slab.partial[k], page);
        poke(&m->arena, page + P_CLASS, CLASS_NONE);
        page_link(m, &m->u.slab.empty, page);
        m->merges++;
    }
    return ALLOC_OK;
}

static size_t slab_room(const Manager *m, Offset p)
{
    Offset page;
    int k, slot;
    return locate(m, p, &page, &k, &slot) ? 0 : class_size[k];
}

static AllocError slab_check(const Manager *m)
{
    for (int k = 0; k < SLAB_CLASSES; k++)
        for (Offset p = m->u.slab.partial[k]; p != NIL; p = peek(&m->arena, p + P_NEXT)) {
            uint64_t map = map_at(m, p);
            if (peek(&m->arena, p + P_CLASS) != (uint32_t)k || map == 0 || map == full_map(k))
                return ALLOC_CORRUPT;
        }
    for (Offset p = m->u.slab.empty; p != NIL; p = peek(&m->arena, p + P_NEXT))
        if (peek(&m->arena, p + P_CLASS) != CLASS_NONE || map_at(m, p))
            return ALLOC_CORRUPT;
    return ALLOC_OK;
}

static void slab_usage(const Manager *m, Usage *u)
{
    *u = (Usage){ .splits = m->splits, .merges = m->merges, .probes = m->probes };
    for (Offset p = 0; p < m->u.slab.fresh; p += PAGE) {
        uint32_t k = peek(&m->arena, p + P_CLASS);
        if (k == CLASS_NONE)
            continue;
        for (int s = 0; s < slots((int)k); s++) {
            if (map_at(m, p) >> s & 1) {
                u->live_blocks++;
                u->live_bytes += class_size[k];
            } else {
                u->free_blocks++;
                u->free_bytes += class_size[k];
                if (class_size[k] > u->largest_free)
                    u->largest_free = class_size[k];
            }
        }
    }
}

const ManagerOps slab_ops = { "slab", slab_init, slab_alloc, slab_release, slab_room, slab_check, slab_usage };
