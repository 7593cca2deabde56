/* SPDX-License-Identifier: Apache-2.0 */
/**
 * page.c - byte-level access to a node; nothing here knows about the tree.
 */
#include "btree.h"

#include <string.h>

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint8_t *pair_at(uint8_t *p, int i) { return p + PAGE_HEADER + i * PAIR; }
static const uint8_t *cpair_at(const uint8_t *p, int i) { return p + PAGE_HEADER + i * PAIR; }

void page_init(uint8_t *p, int leaf)
{
    memset(p, 0, PAGE_SIZE);
    p[0] = (uint8_t)leaf;
}

int page_is_leaf(const uint8_t *p) { return p[0]; }
int page_count(const uint8_t *p) { return p[2] | p[3] << 8; }

void page_set_count(uint8_t *p, int n)
{
    p[2] = (uint8_t)n;
    p[3] = (uint8_t)(n >> 8);
}

PageNo page_link(const uint8_t *p) { return get32(p + 4); }
void page_set_link(uint8_t *p, PageNo n) { put32(p + 4, n); }
uint32_t page_key(const uint8_t *p, int i) { return get32(cpair_at(p, i)); }
uint32_t page_val(const uint8_t *p, int i) { return get32(cpair_at(p, i) + 4); }
void page_set_key(uint8_t *p, int i, uint32_t key) { put32(pair_at(p, i), key); }

void page_set(uint8_t *p, int i, uint32_t key, uint32_t val)
{
    put32(pair_at(p, i), key);
    put32(pair_at(p, i) + 4, val);
}

/** First position whose key is not below `key`. */
int page_lower_bound(const uint8_t *p, uint32_t key)
{
    int lo = 0, hi = page_count(p);
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (page_key(p, mid) < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

void page_insert(uint8_t *p, int at, uint32_t key, uint32_t val)
{
    int n = page_count(p);
    memmove(pair_at(p, at + 1), pair_at(p, at), (size_t)(n - at) * PAIR);
    page_set(p, at, key, val);
    page_set_count(p, n + 1);
}

void page_erase(uint8_t *p, int at)
{
    int n = page_count(p);
    memmove(pair_at(p, at), pair_at(p, at + 1), (size_t)(n - at - 1) * PAIR);
    page_set_count(p, n - 1);
}

void page_append(uint8_t *dst, const uint8_t *src, int from, int to)
{
    int n = page_count(dst);
    memcpy(pair_at(dst, n), cpair_at(src, from), (size_t)(to - from) * PAIR);
    page_set_count(dst, n + to - from);
}
