/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c - runs every dispatch strategy against every traffic pattern and
 * prints a comparison, preceded by a scripted scenario with a known result.
 */
#include "building.h"
#include "car.h"
#include "dispatch.h"
#include "traffic.h"

#include <stdio.h>
#include <stdlib.h>

enum { RUSH_TICKS = 3600, DRAIN_LIMIT = 20000, CHECK_EVERY = 30 };

static building office;

static void must_hold(const building *b)
{
    const char *err = building_check(b);
    if (err) {
        printf("tick %ld: %s\n", (long)b->now, err);
        exit(1);
    }
}

static void one_tick(building *b, dispatcher *d)
{
    b->now++;
    dispatcher_run(d, b);
    for (int i = 0; i < b->cars; i++)
        car_step(b, &b->fleet[i]);
    if (b->now % CHECK_EVERY == 0)
        must_hold(b);
}

static bool drain(building *b, dispatcher *d)
{
    for (int n = 0; n < DRAIN_LIMIT && !building_is_quiet(b); n++)
        one_tick(b, d);
    return building_is_quiet(b);
}

/* One car, three people, every tick traced by state changes. */
static void scripted(void)
{
    static const char *const names[] = { "idle", "moving", "opening",
                                         "exchanging", "closing" };
    dispatcher d;
    car_state last = CAR_IDLE;

    dispatcher_get(0, &d);
    building_init(&office, 6, 1);
    building_add_passenger(&office, 2, 5);
    building_add_passenger(&office, 3, 0);
    building_add_passenger(&office, 3, 4);
    puts("scripted run:");
    for (int t = 0; t < 90; t++) {
        one_tick(&office, &d);
        const car *c = &office.fleet[0];
        if (c->state != last)
            printf("  t=%2ld floor %d %-10s riders %d waiting %d\n",
                   (long)office.now, c->floor, names[c->state],
                   c->rider_count, office.waiting);
        last = c->state;
    }
    for (int i = 0; i < office.pool_used; i++) {
        const passenger *p = &office.pool[i];
        printf("  passenger %d: %d->%d boarded %ld done %ld\n", i, p->origin,
               p->target, (long)p->boarded, (long)p->done);
    }
    printf("  rejected trips: %d %d %d\n",
           building_add_passenger(&office, 1, 1),
           building_add_passenger(&office, -1, 3),
           building_add_passenger(&office, 0, 6));
}

static long tenths(long sum, int count)
{
    return count ? (sum * 10 + count / 2) / count : 0;
}

static void print_report(const char *strategy, const report *r)
{
    long w = tenths(r->wait_sum, r->count), t = tenths(r->ride_sum, r->count);

    printf("  %-12s %5d trips  wait %3ld.%ld (med %3d p95 %3d max %3d)  "
           "ride %3ld.%ld  energy %6ld  busy %3d%%  %08lx\n",
           strategy, r->count, w / 10, w % 10, r->wait_median, r->wait_p95,
           r->wait_max, t / 10, t % 10, r->energy, r->utilisation,
           (unsigned long)r->digest);
}

static void compare(int floors, int cars)
{
    printf("%d floors, %d cars:\n", floors, cars);
    for (int p = 0; p < pattern_count(); p++) {
        const pattern *pat = pattern_get(p);
        int best = -1;
        long best_wait = 0;

        printf(" pattern %s\n", pat->name);
        for (int s = 0; s < dispatcher_count(); s++) {
            dispatcher d;
            lcg rng = { 12345u + (uint32_t)p };
            report r;

            dispatcher_get(s, &d);
            building_init(&office, floors, cars);
            for (int t = 0; t < RUSH_TICKS; t++) {
                traffic_tick(&office, pat, &rng);
                one_tick(&office, &d);
            }
            if (!drain(&office, &d))
                printf("  %s did not drain: %d left\n", d.name,
                       office.waiting + office.riding);
            must_hold(&office);
            report_build(&office, &r);
            print_report(d.name, &r);
            if (best < 0 || r.wait_sum < best_wait) {
                best = s;
                best_wait = r.wait_sum;
            }
        }
        dispatcher winner;
        dispatcher_get(best, &winner);
        printf("  least waiting: %s\n", winner.name);
    }
}

int main(void)
{
    scripted();
    compare(12, 3);
    compare(24, 6);
    return 0;
}
