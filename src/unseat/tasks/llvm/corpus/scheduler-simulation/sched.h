/* sched.h - types of the CPU scheduler simulator.
 *
 * A task alternates CPU and I/O bursts.  A policy decides through a table
 * of hooks which ready task runs next; the engine owns time and cores.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SCHED_H
#define SCHED_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_TASKS 64
#define MAX_BURSTS 12
#define MAX_CORES 4
#define TRACE_MAX 128

typedef enum { T_NEW, T_READY, T_RUNNING, T_BLOCKED, T_DONE } TaskState;

typedef struct Task {
    int id;
    int arrival;
    int priority;                 /* 0 is the highest; also the weight class */
    int deadline;                 /* absolute, 0: none                        */
    int bursts[MAX_BURSTS];       /* cpu, io, cpu, io, ... cpu                */
    int nbursts;

    TaskState state;
    int burst;                    /* index of the current burst               */
    int left;                     /* ticks left in it                         */
    int wake;                     /* when blocked: tick of waking             */
    int slice;                    /* ticks used since dispatched              */
    int level;                    /* feedback queue level                     */
    int64_t vruntime;             /* fair share and stride                    */
    struct Task *link;            /* queue link                               */
    struct Task *kid[2];          /* tree links                               */
    int tree_level;

    int first_run, finished, waited, switches;
} Task;

typedef struct Engine Engine;

typedef struct Policy {
    const char *name;
    void (*reset)(void);
    void (*ready)(Engine *e, Task *t);            /* t became runnable        */
    Task *(*pick)(Engine *e);                     /* remove the next, or NULL */
    bool (*preempt)(Engine *e, Task *running);    /* asked after each tick    */
    void (*charge)(Engine *e, Task *t);           /* one tick was used        */
    void (*tick)(Engine *e);                      /* once a tick; may be NULL */
} Policy;

struct Engine {
    Task tasks[MAX_TASKS];
    int ntasks;
    Task *core[MAX_CORES];
    int cores;
    int now;
    int quantum;
    const Policy *policy;
    uint32_t rng;
    long idle, switches;
    int left;
    char trace[TRACE_MAX + 1];    /* core 0: one letter for each tick */
};

typedef struct Metrics {
    long turnaround, waiting, response;
    int makespan, missed;
    int worst_wait;
    long switches, idle;
    long fairness;                /* Jain's index of slowdown, per mille */
    uint32_t digest;
} Metrics;

/* engine.c */
void engine_init(Engine *e, const Policy *p, int cores, int quantum);
Task *engine_task(Engine *e, int arrival, int priority, const int *bursts, int n);
bool engine_run(Engine *e, int limit);
Metrics engine_metrics(const Engine *e);
const char *engine_audit(const Engine *e);

/* policies.c and fair.c */
const Policy *policy_named(const char *name);
const Policy *policy_at(int i);
extern const Policy fair_policy, stride_policy;
int task_remaining(const Task *t);
int weight_of(const Task *t);

#endif
