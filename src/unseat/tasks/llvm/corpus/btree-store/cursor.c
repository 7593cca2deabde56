/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cursor.c - ordered iteration along the chain of leaves.  A cursor holds no
 * pin between calls; it is invalid after a change of the tree.
 */
#include "btree.h"

BtStatus cursor_seek(BTree *t, Cursor *c, uint32_t key)
{
    PageNo n = t->root;
    c->tree = t;
    for (;;) {
        const uint8_t *d = pager_pin(t->pager, n);
        if (!d)
            return BT_NO_MEMORY;
        int at = page_lower_bound(d, key);
        if (page_is_leaf(d)) {
            c->leaf = n;
            c->slot = at;
            pager_unpin(t->pager, n, 0);
            return BT_OK;
        }
        int i = at < page_count(d) && page_key(d, at) == key ? at + 1 : at;
        PageNo next = i ? page_val(d, i - 1) : page_link(d);
        pager_unpin(t->pager, n, 0);
        n = next;
    }
}

BtStatus cursor_next(Cursor *c, uint32_t *key, uint32_t *value)
{
    while (c->leaf != PAGE_NONE) {
        PageNo n = c->leaf;
        const uint8_t *d = pager_pin(c->tree->pager, n);
        if (!d)
            return BT_NO_MEMORY;
        if (c->slot < page_count(d)) {
            *key = page_key(d, c->slot);
            *value = page_val(d, c->slot++);
            pager_unpin(c->tree->pager, n, 0);
            return BT_OK;
        }
        c->leaf = page_link(d);
        c->slot = 0;
        pager_unpin(c->tree->pager, n, 0);
    }
    return BT_NOT_FOUND;
}
