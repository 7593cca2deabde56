/* spans.c - an interval tree: a treap by start, each node knowing the latest
 * end below it.  Nodes belong to the caller.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cal.h"

static void refresh(struct span *s)
{
    s->latest = s->to;
    for (int k = 0; k < 2; k++)
        if (s->kid[k] && s->kid[k]->latest > s->latest)
            s->latest = s->kid[k]->latest;
}

static bool before(const struct span *a, const struct span *b)
{
    return a->from != b->from ? a->from < b->from : a->event < b->event;
}

static void rotate(struct span **root, int up)
{
    struct span *old = *root, *top = old->kid[up];
    old->kid[up] = top->kid[!up];
    top->kid[!up] = old;
    refresh(old);
    refresh(top);
    *root = top;
}

void span_insert(struct span **root, struct span *fresh)
{
    struct span *s = *root;
    if (!s) {
        fresh->kid[0] = fresh->kid[1] = NULL;
        fresh->latest = fresh->to;
        *root = fresh;
        return;
    }
    int side = !before(fresh, s);
    span_insert(&s->kid[side], fresh);
    refresh(s);
    if (s->kid[side]->rank > s->rank)
        rotate(root, side);
}

/* Visits, in order of start, all that overlap [from, to). */
void span_query(const struct span *root, minute_t from, minute_t to, span_visit visit, void *context)
{
    if (!root || root->latest <= from)
        return;
    span_query(root->kid[0], from, to, visit, context);
    if (root->from < to) {
        if (root->to > from)
            visit(root, context);
        span_query(root->kid[1], from, to, visit, context);
    }
}

int span_depth(const struct span *root)
{
    if (!root)
        return 0;
    int a = span_depth(root->kid[0]), b = span_depth(root->kid[1]);
    return 1 + (a > b ? a : b);
}
