/* policies.c - queue-based policies: first come, round robin, shortest job,
 * shortest remaining time, priorities with ageing, feedback queues,
 * lottery and earliest deadline.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sched.h"

#include <stddef.h>
#include <string.h>

#define LEVELS 4

typedef struct Queue { Task *head, *tail; } Queue;

static Queue queues[LEVELS];

static void queues_reset(void) { memset(queues, 0, sizeof queues); }

static void append(Queue *q, Task *t)
{
    t->link = NULL;
    if (q->tail)
        q->tail->link = t;
    else
        q->head = t;
    q->tail = t;
}

static Task *take_after(Queue *q, Task *prev)
{
    Task *t = prev ? prev->link : q->head;
    if (!t)
        return NULL;
    if (prev)
        prev->link = t->link;
    else
        q->head = t->link;
    if (q->tail == t)
        q->tail = prev;
    return t;
}

/* Removes the task with the least cost; the earliest of equals. */
static Task *take_least(Queue *q, int (*cost)(const Engine *, const Task *), const Engine *e)
{
    Task *best_prev = NULL, *best = q->head;
    for (Task *p = q->head; p && p->link; p = p->link)
        if (cost(e, p->link) < cost(e, best)) {
            best_prev = p;
            best = p->link;
        }
    return take_after(q, best_prev);
}

static bool any_cheaper(const Queue *q, int (*cost)(const Engine *, const Task *), const Engine *e,
                        const Task *than)
{
    for (const Task *t = q->head; t; t = t->link)
        if (cost(e, t) < cost(e, than))
            return true;
    return false;
}

static bool never(Engine *e, Task *t)
{
    (void)e, (void)t;
    return false;
}

/* ---- first come first served and round robin ---- */

static void ready_back(Engine *e, Task *t) { (void)e; append(&queues[0], t); }
static Task *pick_front(Engine *e) { (void)e; return take_after(&queues[0], NULL); }
static bool slice_over(Engine *e, Task *t) { return t->slice >= e->quantum; }

/* ---- cost-ordered queues ---- */

int task_remaining(const Task *t)
{
    int sum = t->left;
    for (int i = t->burst + 2; i < t->nbursts; i += 2)
        sum += t->bursts[i];
    return sum;
}

static int cost_burst(const Engine *e, const Task *t) { (void)e; return t->left; }

static int cost_deadline(const Engine *e, const Task *t)
{
    (void)e;
    return t->deadline ? t->deadline : 1 << 30;
}

/* Ageing: a step in priority for every 16 ticks of waiting. */
static int cost_priority(const Engine *e, const Task *t)
{
    int since = t->state == T_READY ? t->waited : 0;
    (void)e;
    return t->priority * 16 - since;
}

static Task *pick_burst(Engine *e) { return take_least(&queues[0], cost_burst, e); }
static bool shorter_waits(Engine *e, Task *t) { return any_cheaper(&queues[0], cost_burst, e, t); }
static Task *pick_priority(Engine *e) { return take_least(&queues[0], cost_priority, e); }
static bool better_waits(Engine *e, Task *t) { return any_cheaper(&queues[0], cost_priority, e, t); }
static Task *pick_deadline(Engine *e) { return take_least(&queues[0], cost_deadline, e); }
static bool earlier_waits(Engine *e, Task *t) { return any_cheaper(&queues[0], cost_deadline, e, t); }

/* ---- multi-level feedback ---- */

static int allowance(const Engine *e, int level) { return e->quantum << level; }

static void feedback_ready(Engine *e, Task *t)
{
    (void)e;
    append(&queues[t->level], t);
}

static Task *feedback_pick(Engine *e)
{
    (void)e;
    for (int l = 0; l < LEVELS; l++)
        if (queues[l].head)
            return take_after(&queues[l], NULL);
    return NULL;
}

static bool feedback_preempt(Engine *e, Task *t)
{
    if (t->slice >= allowance(e, t->level)) {
        if (t->level < LEVELS - 1)
            t->level++;
        return true;
    }
    for (int l = 0; l < t->level; l++)
        if (queues[l].head)
            return true;
    return false;
}

/* Every 200 ticks all waiting tasks are lifted to the top. */
static void feedback_tick(Engine *e)
{
    if (e->now % 200 != 199)
        return;
    for (int l = 1; l < LEVELS; l++) {
        Task *t;
        while ((t = take_after(&queues[l], NULL)) != NULL) {
            t->level = 0;
            append(&queues[0], t);
        }
    }
}

/* ---- lottery ---- */

static Task *lottery_pick(Engine *e)
{
    int tickets = 0;
    for (const Task *t = queues[0].head; t; t = t->link)
        tickets += weight_of(t);
    if (!tickets)
        return NULL;
    e->rng = e->rng * 1664525u + 1013904223u;
    int draw = (int)((e->rng >> 8) % (unsigned)tickets);
    Task *prev = NULL;
    for (Task *t = queues[0].head; t; prev = t, t = t->link) {
        draw -= weight_of(t);
        if (draw < 0)
            break;
    }
    return take_after(&queues[0], prev);
}

int weight_of(const Task *t)
{
    static const int weights[] = { 8, 4, 2, 1 };
    return weights[t->priority & 3];
}

static const Policy table[] = {
    { "fcfs", queues_reset, ready_back, pick_front, never, NULL, NULL },
    { "round-robin", queues_reset, ready_back, pick_front, slice_over, NULL, NULL },
    { "shortest", queues_reset, ready_back, pick_burst, never, NULL, NULL },
    { "remaining", queues_reset, ready_back, pick_burst, shorter_waits, NULL, NULL },
    { "priority", queues_reset, ready_back, pick_priority, better_waits, NULL, NULL },
    { "deadline", queues_reset, ready_back, pick_deadline, earlier_waits, NULL, NULL },
    { "feedback", queues_reset, feedback_ready, feedback_pick, feedback_preempt, NULL, feedback_tick },
    { "lottery", queues_reset, ready_back, lottery_pick, slice_over, NULL, NULL },
};

const Policy *policy_at(int i)
{
    int n = (int)(sizeof table / sizeof table[0]);
    if (i >= 0 && i < n)
        return &table[i];
    return i == n ? &fair_policy : i == n + 1 ? &stride_policy : NULL;
}

const Policy *policy_named(const char *name)
{
    const Policy *p;
    for (int i = 0; (p = policy_at(i)) != NULL; i++)
        if (!strcmp(p->name, name))
            return p;
    return NULL;
}
