/* engine.c - advances time tick by tick: arrivals, wake-ups, dispatch,
 * execution, preemption; then sums up what happened.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sched.h"

#include <string.h>

void engine_init(Engine *e, const Policy *p, int cores, int quantum)
{
    memset(e, 0, sizeof *e);
    e->policy = p;
    e->cores = cores < 1 ? 1 : cores > MAX_CORES ? MAX_CORES : cores;
    e->quantum = quantum;
    e->rng = 1u;
    if (p->reset)
        p->reset();
}

/* NULL when the burst list is malformed or the table is full. */
Task *engine_task(Engine *e, int arrival, int priority, const int *bursts, int n)
{
    if (e->ntasks == MAX_TASKS || n < 1 || n > MAX_BURSTS || n % 2 == 0 || arrival < 0)
        return NULL;
    for (int i = 0; i < n; i++)
        if (bursts[i] <= 0)
            return NULL;
    Task *t = &e->tasks[e->ntasks];
    t->id = e->ntasks++;
    t->arrival = arrival;
    t->priority = priority;
    memcpy(t->bursts, bursts, (size_t)n * sizeof *bursts);
    t->nbursts = n;
    t->left = bursts[0];
    t->first_run = t->finished = -1;
    e->left++;
    return t;
}

static void make_ready(Engine *e, Task *t)
{
    t->state = T_READY;
    t->slice = 0;
    e->policy->ready(e, t);
}

static void admit(Engine *e)
{
    for (int i = 0; i < e->ntasks; i++) {
        Task *t = &e->tasks[i];
        if (t->state == T_NEW && t->arrival <= e->now)
            make_ready(e, t);
        else if (t->state == T_BLOCKED && t->wake <= e->now)
            make_ready(e, t);
    }
}

static void dispatch(Engine *e, int c)
{
    if (e->core[c])
        return;
    Task *t = e->policy->pick(e);
    if (!t)
        return;
    e->core[c] = t;
    t->state = T_RUNNING;
    t->switches++;
    e->switches++;
    if (t->first_run < 0)
        t->first_run = e->now;
}

static void yield_core(Engine *e, int c)
{
    Task *t = e->core[c];
    e->core[c] = NULL;
    make_ready(e, t);
}

static void end_burst(Engine *e, int c)
{
    Task *t = e->core[c];
    int after = e->now + 1;
    e->core[c] = NULL;
    if (++t->burst == t->nbursts) {
        t->state = T_DONE;
        t->finished = after;
        e->left--;
        return;
    }
    t->state = T_BLOCKED;
    t->wake = after + t->bursts[t->burst];
    t->left = t->bursts[++t->burst];
}

static void execute(Engine *e, int c)
{
    Task *t = e->core[c];
    if (c == 0 && e->now < TRACE_MAX)
        e->trace[e->now] = t ? (char)('A' + t->id % 26) : '.';
    if (!t) {
        e->idle++;
        return;
    }
    t->left--;
    t->slice++;
    if (e->policy->charge)
        e->policy->charge(e, t);
    if (t->left == 0)
        end_burst(e, c);
}

static void count_waiting(Engine *e)
{
    for (int i = 0; i < e->ntasks; i++)
        e->tasks[i].waited += e->tasks[i].state == T_READY;
}

static void preempt(Engine *e, int c)
{
    if (e->core[c] && e->policy->preempt(e, e->core[c]))
        yield_core(e, c);
}

/* False when the tick limit was reached before all tasks were done. */
bool engine_run(Engine *e, int limit)
{
    while (e->left && e->now < limit) {
        admit(e);
        for (int c = 0; c < e->cores; c++)
            preempt(e, c);
        for (int c = 0; c < e->cores; c++)
            dispatch(e, c);
        count_waiting(e);
        for (int c = 0; c < e->cores; c++)
            execute(e, c);
        if (e->policy->tick)
            e->policy->tick(e);
        e->now++;
    }
    return e->left == 0;
}

static int service_time(const Task *t, bool cpu_only)
{
    int sum = 0;
    for (int i = 0; i < t->nbursts; i += cpu_only ? 2 : 1)
        sum += t->bursts[i];
    return sum;
}

Metrics engine_metrics(const Engine *e)
{
    Metrics m = { .switches = e->switches, .idle = e->idle, .digest = 2166136261u };
    int64_t sum = 0, squares = 0;
    for (int i = 0; i < e->ntasks; i++) {
        const Task *t = &e->tasks[i];
        int turnaround = t->finished - t->arrival;
        m.turnaround += turnaround;
        m.waiting += t->waited;
        m.response += t->first_run - t->arrival;
        m.makespan = t->finished > m.makespan ? t->finished : m.makespan;
        m.worst_wait = t->waited > m.worst_wait ? t->waited : m.worst_wait;
        m.missed += t->deadline && t->finished > t->deadline;
        int64_t slowdown = (int64_t)turnaround * 64 / service_time(t, false);
        sum += slowdown;
        squares += slowdown * slowdown;
        m.digest = (m.digest ^ (uint32_t)t->finished) * 16777619u;
    }
    m.fairness = squares ? (long)(sum * sum * 1000 / (e->ntasks * squares)) : 0;
    return m;
}

/* Cross-checks the accounting of a finished run; NULL when consistent. */
const char *engine_audit(const Engine *e)
{
    long cpu = 0;
    int end = 0;
    for (int i = 0; i < e->ntasks; i++) {
        const Task *t = &e->tasks[i];
        if (t->state != T_DONE)
            return "a task is not done";
        if (t->finished - t->arrival != service_time(t, false) + t->waited)
            return "turnaround is not service plus waiting";
        if (t->first_run < t->arrival)
            return "ran before it arrived";
        cpu += service_time(t, true);
        end = t->finished > end ? t->finished : end;
    }
    if (cpu + e->idle != (long)end * e->cores)
        return "core time does not add up";
    return NULL;
}
