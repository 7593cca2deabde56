/* SPDX-License-Identifier: Apache-2.0 */
/**
 * btree.c - search, insertion with splits, deletion with borrowing and
 * merging, and a full structural verifier.
 *
 * An inner node with n pairs has n + 1 children: the link field is child 0,
 * and pair i holds a key and the child with keys >= that key.
 */
#include "btree.h"

typedef struct { int grew; uint32_t key; PageNo right; } Split;

const char *btree_message(BtStatus s)
{
    static const char *const text[] = { "ok", "not found", "exists", "device full", "no memory", "broken" };
    return text[s];
}

static PageNo child_of(const uint8_t *p, int i)
{
    return i == 0 ? page_link(p) : page_val(p, i - 1);
}

/** Which child may hold the key. */
static int route(const uint8_t *p, uint32_t key)
{
    int at = page_lower_bound(p, key);
    return at < page_count(p) && page_key(p, at) == key ? at + 1 : at;
}

BtStatus btree_create(BTree *t, Pager *p)
{
    t->pager = p;
    t->count = 0;
    t->height = 1;
    t->root = pager_allocate(p);
    if (t->root == PAGE_NONE)
        return BT_FULL;
    uint8_t *d = pager_pin(p, t->root);
    if (!d)
        return BT_NO_MEMORY;
    page_init(d, 1);
    pager_unpin(p, t->root, 1);
    return BT_OK;
}

BtStatus btree_get(BTree *t, uint32_t key, uint32_t *value)
{
    PageNo n = t->root;
    for (;;) {
        const uint8_t *d = pager_pin(t->pager, n);
        if (!d)
            return BT_NO_MEMORY;
        if (page_is_leaf(d)) {
            int at = page_lower_bound(d, key);
            int found = at < page_count(d) && page_key(d, at) == key;
            if (found && value)
                *value = page_val(d, at);
            pager_unpin(t->pager, n, 0);
            return found ? BT_OK : BT_NOT_FOUND;
        }
        PageNo next = child_of(d, route(d, key));
        pager_unpin(t->pager, n, 0);
        n = next;
    }
}

/** Moves the upper half of a full page to a new one; fills `out`. */
static BtStatus split_page(BTree *t, uint8_t *d, Split *out)
{
    PageNo fresh = pager_allocate(t->pager);
    if (fresh == PAGE_NONE)
        return BT_FULL;
    uint8_t *r = pager_pin(t->pager, fresh);
    if (!r)
        return BT_NO_MEMORY;
    int n = page_count(d), half = n / 2;
    page_init(r, page_is_leaf(d));
    if (page_is_leaf(d)) {
        page_append(r, d, half, n);
        page_set_link(r, page_link(d));
        page_set_link(d, fresh);
        out->key = page_key(r, 0);
    } else {
        out->key = page_key(d, half);
        page_set_link(r, page_val(d, half));
        page_append(r, d, half + 1, n);
    }
    page_set_count(d, half);
    out->grew = 1;
    out->right = fresh;
    pager_unpin(t->pager, fresh, 1);
    return BT_OK;
}

/** Splits pages that are full on the way down, so parents always have room. */
static BtStatus put_below(BTree *t, PageNo n, uint32_t key, uint32_t value, int mode, Split *up)
{
    uint8_t *d = pager_pin(t->pager, n);
    BtStatus s = BT_OK;
    int dirty = 0;

    up->grew = 0;
    if (!d)
        return BT_NO_MEMORY;
    if (page_count(d) == MAX_PAIRS) {
        s = split_page(t, d, up);
        dirty = 1;
        if (s == BT_OK && key >= up->key) {
            Split none;
            pager_unpin(t->pager, n, 1);
            return put_below(t, up->right, key, value, mode, &none);
        }
    }
    if (s == BT_OK && page_is_leaf(d)) {
        int at = page_lower_bound(d, key);
        int found = at < page_count(d) && page_key(d, at) == key;
        if (found && mode == BT_INSERT) {
            s = BT_EXISTS;
        } else if (found) {
            page_set(d, at, key, value);
            dirty = 1;
        } else if (mode == BT_REPLACE) {
            s = BT_NOT_FOUND;
        } else {
            page_insert(d, at, key, value);
            t->count++;
            dirty = 1;
        }
    } else if (s == BT_OK) {
        Split below;
        int i = route(d, key);
        s = put_below(t, child_of(d, i), key, value, mode, &below);
        if (below.grew) {
            page_insert(d, i, below.key, below.right);
            dirty = 1;
        }
    }
    pager_unpin(t->pager, n, dirty);
    return s;
}

BtStatus btree_put(BTree *t, uint32_t key, uint32_t value, int mode)
{
    Split up;
    BtStatus s = put_below(t, t->root, key, value, mode, &up);
    if (!up.grew)
        return s;
    PageNo top = pager_allocate(t->pager);
    uint8_t *d = top == PAGE_NONE ? NULL : pager_pin(t->pager, top);
    if (!d)
        return BT_BROKEN;
    page_init(d, 0);
    page_set_link(d, t->root);
    page_insert(d, 0, up.key, up.right);
    pager_unpin(t->pager, top, 1);
    t->root = top;
    t->height++;
    return s;
}

/** Moves one pair from the left sibling to the front of the right one. */
static void borrow_left(uint8_t *parent, int sep, uint8_t *l, uint8_t *r)
{
    int last = page_count(l) - 1;
    if (page_is_leaf(r)) {
        page_insert(r, 0, page_key(l, last), page_val(l, last));
        page_set_key(parent, sep, page_key(r, 0));
    } else {
        page_insert(r, 0, page_key(parent, sep), page_link(r));
        page_set_link(r, page_val(l, last));
        page_set_key(parent, sep, page_key(l, last));
    }
    page_set_count(l, last);
}

static void borrow_right(uint8_t *parent, int sep, uint8_t *l, uint8_t *r)
{
    int n = page_count(l);
    if (page_is_leaf(l)) {
        page_insert(l, n, page_key(r, 0), page_val(r, 0));
        page_erase(r, 0);
        page_set_key(parent, sep, page_key(r, 0));
    } else {
        page_insert(l, n, page_key(parent, sep), page_link(r));
        page_set_key(parent, sep, page_key(r, 0));
        page_set_link(r, page_val(r, 0));
        page_erase(r, 0);
    }
}

static void merge_pages(uint8_t *parent, int sep, uint8_t *l, const uint8_t *r)
{
    if (page_is_leaf(l))
        page_set_link(l, page_link(r));
    else
        page_insert(l, page_count(l), page_key(parent, sep), page_link(r));
    page_append(l, r, 0, page_count(r));
    page_erase(parent, sep);
}

/** Child `i` of `parent` has become too small: fix it with a sibling. */
static BtStatus rebalance(BTree *t, uint8_t *parent, int i)
{
    int sep = i > 0 ? i - 1 : 0;        /* the key between the two siblings */
    PageNo ln = child_of(parent, sep), rn = child_of(parent, sep + 1);
    uint8_t *l = pager_pin(t->pager, ln), *r = pager_pin(t->pager, rn);
    int dead = 0;

    if (!l || !r) {
        if (l)
            pager_unpin(t->pager, ln, 0);
        return BT_NO_MEMORY;            /* small, but still a valid tree */
    }
    int room = MAX_PAIRS - (page_is_leaf(l) ? 0 : 1);
    if (page_count(l) + page_count(r) <= room) {
        merge_pages(parent, sep, l, r);
        dead = 1;
    } else if (i > 0) {
        borrow_left(parent, sep, l, r);
    } else {
        borrow_right(parent, sep, l, r);
    }
    pager_unpin(t->pager, ln, 1);
    pager_unpin(t->pager, rn, 1);
    if (dead)
        pager_release(t->pager, rn);
    return BT_OK;
}

static BtStatus delete_below(BTree *t, PageNo n, uint32_t key, int *small)
{
    uint8_t *d = pager_pin(t->pager, n);
    BtStatus s;
    int dirty = 0;

    *small = 0;
    if (!d)
        return BT_NO_MEMORY;
    if (page_is_leaf(d)) {
        int at = page_lower_bound(d, key);
        s = at < page_count(d) && page_key(d, at) == key ? BT_OK : BT_NOT_FOUND;
        if (s == BT_OK) {
            page_erase(d, at);
            t->count--;
            dirty = 1;
        }
    } else {
        int i = route(d, key), below;
        s = delete_below(t, child_of(d, i), key, &below);
        if (below) {
            dirty = 1;
            BtStatus fix = rebalance(t, d, i);
            s = s == BT_OK ? fix : s;
        }
    }
    *small = dirty && page_count(d) < MIN_PAIRS;
    pager_unpin(t->pager, n, dirty);
    return s;
}

BtStatus btree_delete(BTree *t, uint32_t key)
{
    int small;
    BtStatus s = delete_below(t, t->root, key, &small);
    if (!small)
        return s;
    uint8_t *d = pager_pin(t->pager, t->root);
    if (!d)
        return BT_NO_MEMORY;
    PageNo old = t->root;
    int collapse = !page_is_leaf(d) && page_count(d) == 0;
    PageNo only = page_link(d);
    pager_unpin(t->pager, old, 0);
    if (collapse) {
        t->root = only;
        t->height--;
        pager_release(t->pager, old);
    }
    return s;
}

/* ---- verification ---------------------------------------------------- */

typedef struct {
    BTree *t;
    long leaves, inner, keys;
    PageNo expected_leaf;   /* the link of the previous leaf */
    int first;
    BtStatus status;
} Check;

static void check_node(Check *c, PageNo n, int depth, uint32_t lo, uint64_t hi)
{
    const uint8_t *d = pager_pin(c->t->pager, n);
    if (!d) {
        c->status = BT_NO_MEMORY;
        return;
    }
    int count = page_count(d), leaf = page_is_leaf(d);
    int bad = count > MAX_PAIRS || leaf != (depth == c->t->height);
    bad |= n != c->t->root && count < MIN_PAIRS - 1;
    for (int i = 0; i < count && !bad; i++) {
        bad |= page_key(d, i) < lo || page_key(d, i) >= hi;
        bad |= i > 0 && page_key(d, i - 1) >= page_key(d, i);
    }
    if (leaf) {
        bad |= !c->first && c->expected_leaf != n;
        c->first = 0;
        c->expected_leaf = page_link(d);
        c->leaves++;
        c->keys += count;
    } else {
        c->inner++;
    }
    if (bad)
        c->status = BT_BROKEN;
    for (int i = 0; !leaf && !bad && i <= count && c->status == BT_OK; i++)
        check_node(c, child_of(d, i), depth + 1, i ? page_key(d, i - 1) : lo,
                   i < count ? page_key(d, i) : hi);
    pager_unpin(c->t->pager, n, 0);
}

BtStatus btree_verify(BTree *t, long *leaves, long *inner)
{
    Check c = { t, 0, 0, 0, PAGE_NONE, 1, BT_OK };
    check_node(&c, t->root, 1, 0, (uint64_t)1 << 32);
    if (c.status == BT_OK && (c.keys != t->count || c.expected_leaf != PAGE_NONE))
        c.status = BT_BROKEN;
    *leaves = c.leaves;
    *inner = c.inner;
    return c.status;
}
