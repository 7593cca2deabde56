/*
 * buddy.c - a binary buddy system.  The header word of a block holds its
 * order and a mark; payload follows after 8 bytes.  Free blocks are kept
 * in one doubly linked list for each order.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "alloc.h"

enum { HEADER = 8, MIN_ORDER = 5 };
#define MARK_USED 0x55530000u
#define MARK_FREE 0x46520000u

static uint32_t mark_of(const Manager *m, Offset b) { return peek(&m->arena, b) & 0xffff0000u; }
static int order_at(const Manager *m, Offset b) { return (int)(peek(&m->arena, b) & 0xffffu); }
static void set_header(Manager *m, Offset b, uint32_t mark, int order) { poke(&m->arena, b, mark | (uint32_t)order); }

static void push(Manager *m, Offset b, int order)
{
    Offset head = m->u.buddy.bin[order];
    set_header(m, b, MARK_FREE, order);
    poke(&m->arena, b + 8, head);
    poke(&m->arena, b + 12, NIL);
    if (head != NIL)
        poke(&m->arena, head + 12, b);
    m->u.buddy.bin[order] = b;
}

static void pull(Manager *m, Offset b, int order)
{
    Offset next = peek(&m->arena, b + 8), prev = peek(&m->arena, b + 12);
    if (prev == NIL)
        m->u.buddy.bin[order] = next;
    else
        poke(&m->arena, prev + 8, next);
    if (next != NIL)
        poke(&m->arena, next + 12, prev);
}

static bool buddy_init(Manager *m, Arena a)
{
    int top = 0;
    while (top + 1 < BUDDY_ORDERS && ((Offset)1 << (top + 1)) <= a.size)
        top++;
    if (top < MIN_ORDER)
        return false;
    for (int k = 0; k < BUDDY_ORDERS; k++)
        m->u.buddy.bin[k] = NIL;
    m->u.buddy.top = top;
    push(m, 0, top);
    return true;
}

static int order_for(size_t bytes)
{
    int k = MIN_ORDER;
    while (k < 31 && ((size_t)1 << k) < bytes + HEADER)
        k++;
    return k;
}

/* Takes a block of exactly this order, splitting larger ones recursively. */
static Offset carve(Manager *m, int order)
{
    if (order > m->u.buddy.top)
        return NIL;
    m->probes++;
    Offset b = m->u.buddy.bin[order];
    if (b != NIL) {
        pull(m, b, order);
        return b;
    }
    b = carve(m, order + 1);
    if (b != NIL) {
        push(m, b + ((Offset)1 << order), order);
        m->splits++;
    }
    return b;
}

static Offset buddy_alloc(Manager *m, size_t bytes)
{
    if (bytes > m->arena.size)
        return NIL;
    int order = order_for(bytes);
    Offset b = carve(m, order);
    if (b == NIL)
        return NIL;
    set_header(m, b, MARK_USED, order);
    return b + HEADER;
}

static AllocError validate(const Manager *m, Offset p)
{
    if (p < HEADER || (p - HEADER) % (1u << MIN_ORDER) || p >= m->arena.size)
        return ALLOC_BAD_POINTER;
    Offset b = p - HEADER;
    switch (mark_of(m, b)) {
    case MARK_USED:
        break;
    case MARK_FREE:
        return ALLOC_DOUBLE_FREE;
    default:
        return ALLOC_BAD_POINTER;
    }
    int k = order_at(m, b);
    return k >= MIN_ORDER && k <= m->u.buddy.top && b % ((Offset)1 << k) == 0 ? ALLOC_OK : ALLOC_CORRUPT;
}

static AllocError buddy_release(Manager *m, Offset p)
{
    AllocError e = validate(m, p);
    if (e)
        return e;
    Offset b = p - HEADER;
    int k = order_at(m, b);
    set_header(m, b, MARK_FREE, k);
    while (k < m->u.buddy.top) {
        Offset twin = b ^ ((Offset)1 << k);
        if (mark_of(m, twin) != MARK_FREE || order_at(m, twin) != k)
            break;
        pull(m, twin, k);
        m->merges++;
        b = b < twin ? b : twin;
        k++;
    }
    push(m, b, k);
    return ALLOC_OK;
}

static size_t buddy_room(const Manager *m, Offset p)
{
    return validate(m, p) ? 0 : ((size_t)1 << order_at(m, p - HEADER)) - HEADER;
}

static AllocError buddy_check(const Manager *m)
{
    size_t listed = 0, frees = 0;
    Offset end = (Offset)1 << m->u.buddy.top;
    for (Offset b = 0; b < end; b += (Offset)1 << order_at(m, b)) {
        uint32_t mark = mark_of(m, b);
        int k = order_at(m, b);
        if ((mark != MARK_USED && mark != MARK_FREE) || k > m->u.buddy.top || b % ((Offset)1 << k))
            return ALLOC_CORRUPT;
        frees += mark == MARK_FREE;
    }
    for (int k = 0; k <= m->u.buddy.top; k++)
        for (Offset f = m->u.buddy.bin[k]; f != NIL; f = peek(&m->arena, f + 8), listed++)
            if (order_at(m, f) != k)
                return ALLOC_CORRUPT;
    return listed == frees ? ALLOC_OK : ALLOC_CORRUPT;
}

static void buddy_usage(const Manager *m, Usage *u)
{
    Offset end = (Offset)1 << m->u.buddy.top;
    *u = (Usage){ .splits = m->splits, .merges = m->merges, .probes = m->probes };
    for (Offset b = 0; b < end; b += (Offset)1 << order_at(m, b)) {
        size_t payload = ((size_t)1 << order_at(m, b)) - HEADER;
        if (mark_of(m, b) == MARK_USED) {
            u->live_blocks++;
            u->live_bytes += payload;
        } else {
            u->free_blocks++;
            u->free_bytes += payload;
            u->largest_free = payload > u->largest_free ? payload : u->largest_free;
        }
    }
}

const ManagerOps buddy_ops = { "buddy", buddy_init, buddy_alloc, buddy_release, buddy_room, buddy_check, buddy_usage };
