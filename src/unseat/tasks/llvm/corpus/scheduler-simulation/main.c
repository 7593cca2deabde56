/* main.c - textbook examples with known averages, proportional shares, and
 * a mixed load under every policy on one and on three cores.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Engine engine;

static const Policy *named(const char *name)
{
    const Policy *p = policy_named(name);
    if (!p) {
        printf("no policy %s\n", name);
        exit(1);
    }
    return p;
}

static void audit(void)
{
    const char *err = engine_audit(&engine);
    if (err)
        printf("  AUDIT: %s\n", err);
}

/* Waiting time as a sum, to be divided by the number of tasks. */
static void textbook(const char *policy, int quantum, const int (*jobs)[3], int n)
{
    engine_init(&engine, named(policy), 1, quantum);
    for (int i = 0; i < n; i++)
        engine_task(&engine, jobs[i][0], jobs[i][2], &jobs[i][1], 1);
    bool ended = engine_run(&engine, 10000);
    Metrics m = engine_metrics(&engine);
    printf("  %-11s waiting %ld/%d turnaround %ld switches %ld%s  %s\n", policy, m.waiting, n,
           m.turnaround, m.switches, ended ? "" : " (not ended)", engine.trace);
    audit();
}

static void textbooks(void)
{
    static const int convoy[][3] = { { 0, 24, 0 }, { 0, 3, 0 }, { 0, 3, 0 } };
    static const int four[][3] = { { 0, 6, 0 }, { 0, 8, 0 }, { 0, 7, 0 }, { 0, 3, 0 } };
    static const int staggered[][3] = { { 0, 8, 0 }, { 1, 4, 0 }, { 2, 9, 0 }, { 3, 5, 0 } };
    static const int ranks[][3] = { { 0, 10, 3 }, { 0, 1, 1 }, { 0, 2, 4 }, { 0, 1, 5 }, { 0, 5, 2 } };
    puts("convoy 24 3 3:");
    textbook("fcfs", 0, convoy, 3);
    textbook("round-robin", 4, convoy, 3);
    puts("bursts 6 8 7 3:");
    textbook("shortest", 0, four, 4);
    textbook("fcfs", 0, four, 4);
    puts("staggered 8 4 9 5:");
    textbook("remaining", 0, staggered, 4);
    textbook("shortest", 0, staggered, 4);
    puts("priorities 3 1 4 5 2:");
    textbook("priority", 0, ranks, 5);
}

static void with_io(void)
{
    static const int cruncher[] = { 20 }, chatty[] = { 2, 5, 2, 5, 2 };
    puts("a cruncher and a chatty task:");
    static const char *const names[] = { "fcfs", "round-robin", "feedback", "fair" };
    for (int i = 0; i < 4; i++) {
        engine_init(&engine, named(names[i]), 1, 3);
        engine_task(&engine, 0, 1, cruncher, 1);
        engine_task(&engine, 1, 1, chatty, 5);
        engine_run(&engine, 1000);
        Metrics m = engine_metrics(&engine);
        printf("  %-11s waiting %2ld response %2ld  %s\n", names[i], m.waiting, m.response, engine.trace);
        audit();
    }
}

/* Endless tasks of weights 8 4 2 1: shares must be near 8:4:2:1. */
static void shares(void)
{
    static const int endless[] = { 100000 };
    static const char *const names[] = { "fair", "stride", "lottery" };
    for (int i = 0; i < 3; i++) {
        engine_init(&engine, named(names[i]), 1, 2);
        for (int p = 0; p < 4; p++)
            engine_task(&engine, 0, p, endless, 1);
        bool ended = engine_run(&engine, 15000);
        printf("shares %-8s", names[i]);
        for (int p = 0; p < 4; p++)
            printf(" %d", 100000 - engine.tasks[p].left);
        printf(" (ended: %d)\n", ended);
    }
}

static uint32_t seed;

static int draw(int lo, int hi)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return lo + (int)((seed >> 3) % (uint32_t)(hi - lo + 1));
}

static void add_mixed(Engine *e, int i)
{
    int bursts[MAX_BURSTS], n;
    int arrival = draw(0, 600), priority = draw(0, 3);
    if (i % 4 == 0) {               /* batch */
        n = 1;
        bursts[0] = draw(40, 120);
    } else {                        /* interactive */
        n = 2 * draw(1, 5) + 1;
        for (int k = 0; k < n; k++)
            bursts[k] = k % 2 ? draw(5, 40) : draw(1, 9);
    }
    Task *t = engine_task(e, arrival, priority, bursts, n);
    if (t && i % 3 == 0) {
        int total = 0;
        for (int k = 0; k < n; k++)
            total += bursts[k];
        t->deadline = arrival + total * 5;
    }
}

static void mixed(int cores)
{
    const Policy *p;
    printf("mixed load on %d core%s:\n", cores, cores > 1 ? "s" : "");
    for (int i = 0; (p = policy_at(i)) != NULL; i++) {
        long turnaround = 0, waiting = 0, response = 0, switches = 0, idle = 0, fairness = 0;
        int missed = 0, worst = 0;
        uint32_t digest = 0;
        for (int run = 0; run < 12; run++) {
            engine_init(&engine, p, cores, 6);
            seed = 1234567u + (uint32_t)run * 7919u;
            for (int k = 0; k < 56; k++)
                add_mixed(&engine, k);
            if (!engine_run(&engine, 100000))
                printf("  %s did not end\n", p->name);
            audit();
            Metrics m = engine_metrics(&engine);
            turnaround += m.turnaround;
            waiting += m.waiting;
            response += m.response;
            switches += m.switches;
            idle += m.idle;
            fairness += m.fairness;
            missed += m.missed;
            worst = m.worst_wait > worst ? m.worst_wait : worst;
            digest = digest * 31u + m.digest;
        }
        printf("  %-11s turn %4ld wait %4ld resp %4ld worst %4d missed %3d switches %6ld idle %5ld fair %3ld %08lx\n",
               p->name, turnaround / 672, waiting / 672, response / 672, worst, missed, switches, idle,
               fairness / 12, (unsigned long)digest);
    }
}

int main(void)
{
    static const int even[] = { 1, 2 }, zero[] = { 1, 0, 1 };
    engine_init(&engine, named("fcfs"), 9, 1);
    printf("rejected: %d %d %d, cores %d\n", engine_task(&engine, 0, 0, even, 2) == NULL,
           engine_task(&engine, 0, 0, zero, 3) == NULL, engine_task(&engine, -1, 0, even, 1) == NULL,
           engine.cores);
    textbooks();
    with_io();
    shares();
    mixed(1);
    mixed(3);
    return 0;
}
