/*
 * tagged.c - managers with boundary tags: first, next and best fit on one
 * free list, and segregated bins.  A block is
 *
 *   [size|used] payload ... [size|used]
 *
 * with sizes in multiples of 16; a free block keeps the list links in its
 * payload.  The arena begins and ends with a used sentinel word, so that
 * merging needs no range tests.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "alloc.h"

enum { TAG = 4, USED = 1, GRAIN = 16, LEAST = 16 };

static uint32_t size_at(const Manager *m, Offset b) { return peek(&m->arena, b) & ~15u; }
static bool used_at(const Manager *m, Offset b) { return peek(&m->arena, b) & USED; }

static void set_tags(Manager *m, Offset b, uint32_t size, uint32_t used)
{
    poke(&m->arena, b, size | used);
    poke(&m->arena, b + size - TAG, size | used);
}

static Offset next_free(const Manager *m, Offset b) { return peek(&m->arena, b + TAG); }
static Offset prev_free(const Manager *m, Offset b) { return peek(&m->arena, b + 2 * TAG); }
static void set_next(Manager *m, Offset b, Offset v) { poke(&m->arena, b + TAG, v); }
static void set_prev(Manager *m, Offset b, Offset v) { poke(&m->arena, b + 2 * TAG, v); }

static void list_push(Manager *m, Offset *head, Offset b)
{
    set_next(m, b, *head);
    set_prev(m, b, NIL);
    if (*head != NIL)
        set_prev(m, *head, b);
    *head = b;
}

static void list_remove(Manager *m, Offset *head, Offset b)
{
    Offset n = next_free(m, b), p = prev_free(m, b);
    if (p == NIL)
        *head = n;
    else
        set_next(m, p, n);
    if (n != NIL)
        set_prev(m, n, p);
}

static bool is_segregated(const Manager *m) { return m->ops == &segregated_ops; }

static int bin_of(uint32_t size)
{
    uint32_t units = size / GRAIN;
    if (units <= 8)
        return (int)units - 1;
    int log = 0;
    while (units >> (log + 1))
        log++;
    int bin = 8 + (log - 3) * 2 + (int)(units >> (log - 1) & 1);
    return bin < BINS ? bin : BINS - 1;
}

static void link_free(Manager *m, Offset b)
{
    if (is_segregated(m)) {
        int k = bin_of(size_at(m, b));
        list_push(m, &m->u.seg.bin[k], b);
        m->u.seg.occupied |= 1u << k;
    } else {
        list_push(m, &m->u.list.head, b);
    }
}

static void unlink_free(Manager *m, Offset b)
{
    if (is_segregated(m)) {
        int k = bin_of(size_at(m, b));
        list_remove(m, &m->u.seg.bin[k], b);
        if (m->u.seg.bin[k] == NIL)
            m->u.seg.occupied &= ~(1u << k);
    } else {
        if (m->u.list.rover == b)
            m->u.list.rover = next_free(m, b);
        list_remove(m, &m->u.list.head, b);
    }
}

static bool tagged_init(Manager *m, Arena a)
{
    if (a.size < 64 || a.size % GRAIN)
        return false;
    if (is_segregated(m)) {
        for (int k = 0; k < BINS; k++)
            m->u.seg.bin[k] = NIL;
    } else {
        m->u.list.head = m->u.list.rover = NIL;
    }
    /* sentinels: 12 bytes before the first block, 4 after the last */
    poke(&m->arena, 0, 0 | USED);
    poke(&m->arena, 8, 0 | USED);
    poke(&m->arena, a.size - TAG, 0 | USED);
    set_tags(m, 12, a.size - GRAIN, 0);
    link_free(m, 12);
    return true;
}

static Offset first_in(Manager *m, Offset head, uint32_t need)
{
    for (Offset b = head; b != NIL; b = next_free(m, b)) {
        m->probes++;
        if (size_at(m, b) >= need)
            return b;
    }
    return NIL;
}

static Offset find_next(Manager *m, uint32_t need)
{
    Offset start = m->u.list.rover != NIL ? m->u.list.rover : m->u.list.head;
    Offset b = start;
    while (b != NIL) {
        m->probes++;
        if (size_at(m, b) >= need) {
            m->u.list.rover = next_free(m, b);
            return b;
        }
        b = next_free(m, b);
        if (b == NIL)
            b = m->u.list.head;
        if (b == start)
            break;
    }
    return NIL;
}

static Offset best_in(Manager *m, Offset head, uint32_t need)
{
    Offset best = NIL;
    for (Offset b = head; b != NIL; b = next_free(m, b)) {
        m->probes++;
        uint32_t s = size_at(m, b);
        if (s >= need && (best == NIL || s < size_at(m, best)))
            best = b;
        if (s == need)
            break;
    }
    return best;
}

static Offset find_first(Manager *m, uint32_t need) { return first_in(m, m->u.list.head, need); }

static Offset find_best(Manager *m, uint32_t need) { return best_in(m, m->u.list.head, need); }

static Offset find_segregated(Manager *m, uint32_t need)
{
    for (int k = bin_of(need); k < BINS; k++) {
        if (!(m->u.seg.occupied >> k & 1))
            continue;
        Offset b = first_in(m, m->u.seg.bin[k], need);
        if (b != NIL)
            return b;
    }
    return NIL;
}

static Offset find(Manager *m, uint32_t need)
{
    if (is_segregated(m))
        return find_segregated(m, need);
    if (m->ops == &best_fit_ops)
        return find_best(m, need);
    if (m->ops == &next_fit_ops)
        return find_next(m, need);
    return find_first(m, need);
}

static Offset tagged_alloc(Manager *m, size_t bytes)
{
    if (bytes > m->arena.size)
        return NIL;
    uint32_t need = align_up((bytes ? bytes : 1) + 2 * TAG, GRAIN);
    Offset b = find(m, need);
    if (b == NIL)
        return NIL;
    uint32_t have = size_at(m, b);
    unlink_free(m, b);
    if (have - need >= LEAST) {
        set_tags(m, b + need, have - need, 0);
        link_free(m, b + need);
        m->splits++;
        have = need;
    }
    set_tags(m, b, have, USED);
    return b + TAG;
}

static AllocError validate(const Manager *m, Offset p)
{
    if (p < 16 || p % GRAIN || p >= m->arena.size - TAG)
        return ALLOC_BAD_POINTER;
    Offset b = p - TAG;
    uint32_t size = size_at(m, b);
    if (!used_at(m, b))
        return ALLOC_DOUBLE_FREE;
    if (size == 0 || size > m->arena.size - b)
        return ALLOC_CORRUPT;
    return peek(&m->arena, b) == peek(&m->arena, b + size - TAG) ? ALLOC_OK : ALLOC_CORRUPT;
}

static AllocError tagged_release(Manager *m, Offset p)
{
    AllocError e = validate(m, p);
    if (e)
        return e;
    Offset b = p - TAG;
    uint32_t size = size_at(m, b);
    Offset after = b + size;
    if (!used_at(m, after)) {
        unlink_free(m, after);
        size += size_at(m, after);
        m->merges++;
    }
    uint32_t before = peek(&m->arena, b - TAG);
    if (!(before & USED)) {
        poke(&m->arena, b, size);       /* a stale pointer here reads as free */
        b -= before & ~15u;
        unlink_free(m, b);
        size += before & ~15u;
        m->merges++;
    }
    set_tags(m, b, size, 0);
    link_free(m, b);
    return ALLOC_OK;
}

static size_t tagged_room(const Manager *m, Offset p)
{
    return validate(m, p) ? 0 : size_at(m, p - TAG) - 2 * TAG;
}

static AllocError tagged_check(const Manager *m)
{
    bool was_free = false;
    Offset b = 12;
    size_t frees = 0;
    while (b < m->arena.size - TAG) {
        uint32_t size = size_at(m, b);
        if (size < LEAST || size > m->arena.size - TAG - b)
            return ALLOC_CORRUPT;
        if (peek(&m->arena, b) != peek(&m->arena, b + size - TAG))
            return ALLOC_CORRUPT;
        bool now_free = !used_at(m, b);
        if (was_free && now_free)
            return ALLOC_CORRUPT;       /* neighbours should have merged */
        was_free = now_free;
        frees += now_free;
        b += size;
    }
    size_t listed = 0;
    int lists = is_segregated(m) ? BINS : 1;
    for (int k = 0; k < lists; k++) {
        Offset f = is_segregated(m) ? m->u.seg.bin[k] : m->u.list.head;
        for (; f != NIL; f = next_free(m, f), listed++)
            if (used_at(m, f) || (is_segregated(m) && bin_of(size_at(m, f)) != k))
                return ALLOC_CORRUPT;
    }
    return listed == frees ? ALLOC_OK : ALLOC_CORRUPT;
}

static void tagged_usage(const Manager *m, Usage *u)
{
    *u = (Usage){ .splits = m->splits, .merges = m->merges, .probes = m->probes };
    for (Offset b = 12; b < m->arena.size - TAG; b += size_at(m, b)) {
        uint32_t payload = size_at(m, b) - 2 * TAG;
        if (used_at(m, b)) {
            u->live_blocks++;
            u->live_bytes += payload;
        } else {
            u->free_blocks++;
            u->free_bytes += payload;
            if (payload > u->largest_free)
                u->largest_free = payload;
        }
    }
}

#define TAGGED(label) { label, tagged_init, tagged_alloc, tagged_release, tagged_room, tagged_check, tagged_usage }
const ManagerOps first_fit_ops = TAGGED("first-fit");
const ManagerOps next_fit_ops = TAGGED("next-fit");
const ManagerOps best_fit_ops = TAGGED("best-fit");
const ManagerOps segregated_ops = TAGGED("segregated");
