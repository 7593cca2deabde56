/* fair.c - proportional-share policies on an AA tree (a simple balanced
 * tree: "skew" and "split" keep right links at most one level long),
 * ordered by virtual runtime.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sched.h"

#include <stddef.h>

#define UNIT 840 /* divisible by all weights */

static Task *root;
static int64_t floor_time; /* virtual time never runs backwards */

static void fair_reset(void)
{
    root = NULL;
    floor_time = 0;
}

static bool before(const Task *a, const Task *b)
{
    return a->vruntime != b->vruntime ? a->vruntime < b->vruntime : a->id < b->id;
}

static int level(const Task *t) { return t ? t->tree_level : 0; }

static Task *skew(Task *t)
{
    Task *l = t ? t->kid[0] : NULL;
    if (!l || level(l) != level(t))
        return t;
    t->kid[0] = l->kid[1];
    l->kid[1] = t;
    return l;
}

static Task *split(Task *t)
{
    Task *r = t ? t->kid[1] : NULL;
    if (!r || level(r->kid[1]) != level(t))
        return t;
    t->kid[1] = r->kid[0];
    r->kid[0] = t;
    r->tree_level++;
    return r;
}

static Task *insert(Task *at, Task *t)
{
    if (!at) {
        t->kid[0] = t->kid[1] = NULL;
        t->tree_level = 1;
        return t;
    }
    int side = before(at, t);
    at->kid[side] = insert(at->kid[side], t);
    return split(skew(at));
}

static void lower(Task *t)
{
    int should = level(t->kid[0]) < level(t->kid[1]) ? level(t->kid[0]) : level(t->kid[1]);
    if (should + 1 >= t->tree_level)
        return;
    t->tree_level = should + 1;
    if (level(t->kid[1]) > t->tree_level)
        t->kid[1]->tree_level = t->tree_level;
}

static Task *rebalance(Task *t)
{
    lower(t);
    t = skew(t);
    t->kid[1] = skew(t->kid[1]);
    if (t->kid[1])
        t->kid[1]->kid[1] = skew(t->kid[1]->kid[1]);
    t = split(t);
    t->kid[1] = split(t->kid[1]);
    return t;
}

static Task *remove_least(Task *at, Task **out)
{
    if (!at->kid[0]) {
        *out = at;
        return at->kid[1];
    }
    at->kid[0] = remove_least(at->kid[0], out);
    return rebalance(at);
}

static Task *least(void)
{
    Task *t = root;
    while (t && t->kid[0])
        t = t->kid[0];
    return t;
}

static void fair_ready(Engine *e, Task *t)
{
    (void)e;
    if (t->vruntime < floor_time)
        t->vruntime = floor_time; /* sleepers do not save up credit */
    root = insert(root, t);
}

static Task *fair_pick(Engine *e)
{
    Task *t = NULL;
    (void)e;
    if (!root)
        return NULL;
    root = remove_least(root, &t);
    if (t->vruntime > floor_time)
        floor_time = t->vruntime;
    return t;
}

static void fair_charge(Engine *e, Task *t)
{
    (void)e;
    t->vruntime += UNIT / weight_of(t);
}

static bool fair_preempt(Engine *e, Task *t)
{
    const Task *l = least();
    int64_t grace = (int64_t)e->quantum * UNIT / 8;
    return l && t->slice > 0 && l->vruntime + grace < t->vruntime;
}

/* Stride scheduling is the same order with a fixed quantum. */
static bool stride_preempt(Engine *e, Task *t) { return t->slice >= e->quantum; }

const Policy fair_policy = { "fair", fair_reset, fair_ready, fair_pick, fair_preempt, fair_charge, NULL };
const Policy stride_policy = { "stride", fair_reset, fair_ready, fair_pick, stride_preempt, fair_charge, NULL };
