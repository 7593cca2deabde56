/* SPDX-License-Identifier: Apache-2.0
 *
 * traffic.c - generates trips for the four classic patterns of an office
 * building and condenses the finished trips into a report.
 */
#include "traffic.h"

#include <stddef.h>

static uint32_t lcg_next(lcg *g)
{
    g->state = g->state * 1664525u + 1013904223u;
    return g->state >> 8;
}

static int lcg_below(lcg *g, int n)
{
    return (int)(lcg_next(g) % (uint32_t)n);
}

static void trip_anywhere(lcg *g, int floors, int *from, int *to)
{
    *from = lcg_below(g, floors);
    *to = lcg_below(g, floors - 1);
    if (*to >= *from)
        ++*to;
}

static void trip_morning(lcg *g, int floors, int *from, int *to)
{
    if (lcg_below(g, 10) == 0) {
        trip_anywhere(g, floors, from, to);
        return;
    }
    *from = 0;
    *to = 1 + lcg_below(g, floors - 1);
}

static void trip_evening(lcg *g, int floors, int *from, int *to)
{
    trip_morning(g, floors, to, from);
}

static void trip_lunch(lcg *g, int floors, int *from, int *to)
{
    int canteen = floors / 2;
    int other = lcg_below(g, floors - 1);

    if (other >= canteen)
        other++;
    if (lcg_below(g, 2)) {
        *from = canteen;
        *to = other;
    } else {
        *from = other;
        *to = canteen;
    }
}

static const pattern patterns[] = {
    { "quiet", 40, trip_anywhere },
    { "morning", 130, trip_morning },
    { "lunch", 170, trip_lunch },
    { "evening", 150, trip_evening },
};

int pattern_count(void)
{
    return (int)(sizeof patterns / sizeof patterns[0]);
}

const pattern *pattern_get(int index)
{
    return &patterns[index];
}

void traffic_tick(building *b, const pattern *p, lcg *rng)
{
    if (lcg_below(rng, 1000) >= p->per_mille)
        return;
    int group = 1 + lcg_below(rng, 3);
    while (group-- > 0) {
        int from, to;
        p->trip(rng, b->floors, &from, &to);
        building_add_passenger(b, from, to);
    }
}

static void sift_down(int *a, int n, int i)
{
    for (;;) {
        int kid = 2 * i + 1;
        if (kid >= n)
            return;
        if (kid + 1 < n && a[kid + 1] > a[kid])
            kid++;
        if (a[i] >= a[kid])
            return;
        int t = a[i];
        a[i] = a[kid];
        a[kid] = t;
        i = kid;
    }
}

static void heap_sort(int *a, int n)
{
    for (int i = n / 2 - 1; i >= 0; i--)
        sift_down(a, n, i);
    for (int end = n - 1; end > 0; end--) {
        int t = a[0];
        a[0] = a[end];
        a[end] = t;
        sift_down(a, end, 0);
    }
}

static uint32_t mix(uint32_t h, uint32_t v)
{
    h ^= v;
    return h * 16777619u;
}

static void sum_fleet(const building *b, report *r)
{
    long busy = 0;

    for (int i = 0; i < b->cars; i++) {
        const car *c = &b->fleet[i];
        r->energy += c->floors_travelled + 3 * c->stops;
        busy += c->busy_ticks;
        r->digest = mix(r->digest, (uint32_t)c->floors_travelled);
    }
    long total = (long)b->now * b->cars;
    r->utilisation = total ? (int)(busy * 100 / total) : 0;
}

void report_build(const building *b, report *r)
{
    static int waits[MAX_PASSENGERS];

    *r = (report){ .digest = 2166136261u };
    for (int i = 0; i < b->pool_used; i++) {
        const passenger *p = &b->pool[i];
        if (p->done < 0)
            continue;
        int wait = p->boarded - p->born;
        waits[r->count++] = wait;
        r->wait_sum += wait;
        r->ride_sum += p->done - p->boarded;
        r->digest = mix(r->digest, (uint32_t)p->done);
    }
    heap_sort(waits, r->count);
    if (r->count > 0) {
        r->wait_median = waits[r->count / 2];
        r->wait_p95 = waits[r->count * 95 / 100];
        r->wait_max = waits[r->count - 1];
    }
    sum_fleet(b, r);
}
