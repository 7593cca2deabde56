/* SPDX-License-Identifier: Apache-2.0 */
/**
 * main.c - random operations mirrored in a plain array, ordered scans, and
 * the behaviour at the limits of device and cache.
 */
#include "btree.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEYS = 1 << 14 };

static uint32_t mirror[KEYS];       /* 0: absent */
static uint64_t weyl, mixer = 1;

static uint32_t rnd(void)
{
    /* middle-square with a Weyl sequence */
    mixer *= mixer;
    mixer += weyl += UINT64_C(0xb5ad4eceda1ce2a9);
    mixer = mixer >> 32 | mixer << 32;
    return (uint32_t)mixer;
}

static void report(const char *title, BTree *t)
{
    long leaves, inner;
    BtStatus s = btree_verify(t, &leaves, &inner);
    PagerStats p = pager_stats(t->pager);
    printf("%-18s %s: %ld keys, height %d, %ld leaves, %ld inner, pages +%ld -%ld, pinned %d\n", title,
           btree_message(s), t->count, t->height, leaves, inner, p.allocated, p.freed,
           pager_pinned(t->pager));
    if (p.allocated - p.freed != leaves + inner)
        puts("  page leak");
}

/* Every operation must agree with the mirror. */
static long churn(BTree *t, long steps, unsigned insert_bias)
{
    long wrong = 0;
    for (long i = 0; i < steps; i++) {
        uint32_t key = rnd() % KEYS, value = rnd() | 1, got = 0;
        unsigned dice = rnd() % 100;
        BtStatus s;
        if (dice < 20) {
            s = btree_get(t, key, &got);
            wrong += s != (mirror[key] ? BT_OK : BT_NOT_FOUND) || got != mirror[key];
        } else if (dice < 25) {
            s = btree_put(t, key, value, BT_REPLACE);
            wrong += s != (mirror[key] ? BT_OK : BT_NOT_FOUND);
            if (mirror[key])
                mirror[key] = value;
        } else if (dice < 30) {
            s = btree_put(t, key, value, BT_UPSERT);
            wrong += s != BT_OK;
            mirror[key] = value;
        } else if (dice < 30 + insert_bias) {
            s = btree_put(t, key, value, BT_INSERT);
            wrong += s != (mirror[key] ? BT_EXISTS : BT_OK);
            if (!mirror[key])
                mirror[key] = value;
        } else {
            s = btree_delete(t, key);
            wrong += s != (mirror[key] ? BT_OK : BT_NOT_FOUND);
            mirror[key] = 0;
        }
    }
    return wrong;
}

static void scan(BTree *t, uint32_t from, uint32_t to)
{
    Cursor c;
    uint32_t key, value, sum = 0, expect = 0;
    long n = 0, m = 0;
    cursor_seek(t, &c, from);
    while (cursor_next(&c, &key, &value) == BT_OK && key < to) {
        sum = sum * 31 + (key ^ value);
        n++;
    }
    for (uint32_t k = from; k < to && k < KEYS; k++)
        if (mirror[k]) {
            expect = expect * 31 + (k ^ mirror[k]);
            m++;
        }
    printf("scan [%lu,%lu): %ld keys, sum %08lx, %s\n", (unsigned long)from, (unsigned long)to, n,
           (unsigned long)sum, sum == expect && n == m ? "agrees" : "DIFFERS");
}

static void random_phase(size_t frames)
{
    BTree t;
    Pager *p = pager_open(4096, frames);
    long wrong = 0;
    if (!p || btree_create(&t, p) != BT_OK) {
        puts("setup failed");
        exit(1);
    }
    for (int i = 0; i < KEYS; i++)
        mirror[i] = 0;
    weyl = 0;
    mixer = 1;
    printf("-- %zu frames --\n", frames);
    wrong += churn(&t, 40000, 60);
    report("growing", &t);
    scan(&t, 0, KEYS);
    scan(&t, 1000, 1500);
    wrong += churn(&t, 30000, 35);
    report("steady", &t);
    scan(&t, 8000, 8001);
    wrong += churn(&t, 60000, 5);
    report("shrinking", &t);
    scan(&t, 0, KEYS);
    for (uint32_t k = 0; k < KEYS; k++)
        if (mirror[k]) {
            wrong += btree_delete(&t, k) != BT_OK;
            mirror[k] = 0;
        }
    report("emptied", &t);
    PagerStats s = pager_stats(p);
    int flushed = pager_flush(p), again = pager_flush(p);
    printf("wrong %ld; reads %ld writes %ld hits %ld misses %ld flush %d then %d\n", wrong, s.reads, s.writes,
           s.hits, s.misses, flushed, again);
    pager_close(p);
}

static void sequential_phase(void)
{
    static const struct { const char *name; uint32_t first; int32_t step; } orders[] = {
        { "ascending", 0, 1 }, { "descending", 3999, -1 }, { "strided", 7, 1597 },
    };
    for (size_t o = 0; o < 3; o++) {
        BTree t;
        Pager *p = pager_open(2048, 12);
        if (!p || btree_create(&t, p) != BT_OK)
            exit(1);
        uint32_t key = orders[o].first;
        for (int i = 0; i < 4000; i++) {
            btree_put(&t, key, key * 3, BT_INSERT);
            key = (uint32_t)(((int64_t)key + orders[o].step + 4000) % 4000);
        }
        report(orders[o].name, &t);
        pager_close(p);
    }
}

static void limits(void)
{
    BTree t;
    Pager *p = pager_open(12, 8);
    uint32_t k = 0, v = 0;
    BtStatus s = BT_OK;
    if (!p || btree_create(&t, p) != BT_OK)
        exit(1);
    for (; s == BT_OK; s = btree_put(&t, k, k, BT_INSERT))
        k++;
    printf("small device: %s at key %lu, ", btree_message(s), (unsigned long)k);
    s = btree_get(&t, k - 1, &v);
    printf("previous key %s = %lu\n", btree_message(s), (unsigned long)v);
    report("full device", &t);
    pager_close(p);

    p = pager_open(16, 2);
    if (!p || btree_create(&t, p) != BT_OK)
        exit(1);
    for (k = 0, s = BT_OK; s == BT_OK; k++)
        s = btree_put(&t, k, k, BT_INSERT);
    printf("two frames: %s after %lu keys, pinned %d\n", btree_message(s), (unsigned long)t.count, pager_pinned(p));
    pager_close(p);
    printf("extremes: ");
    p = pager_open(16, 6);
    if (!p || btree_create(&t, p) != BT_OK)
        exit(1);
    btree_put(&t, 0xffffffffu, 1, BT_INSERT);
    btree_put(&t, 0, 2, BT_INSERT);
    s = btree_get(&t, 0xffffffffu, &v);
    printf("%s %lu, ", btree_message(s), (unsigned long)v);
    s = btree_delete(&t, 5);
    printf("%s, ", btree_message(s));
    s = btree_put(&t, 0, 3, BT_INSERT);
    printf("%s\n", btree_message(s));
    pager_close(p);
}

int main(void)
{
    random_phase(6);
    random_phase(64);
    sequential_phase();
    limits();
    return 0;
}
