/* SPDX-License-Identifier: Apache-2.0
 *
 * dispatch.c - four group-control strategies behind one small interface.
 */
#include "dispatch.h"
#include "car.h"

#include <limits.h>
#include <stddef.h>

static int pick_round_robin(dispatcher *self, building *b, int floor,
                            direction d)
{
    (void)floor;
    (void)d;
    int chosen = self->cursor % b->cars;
    self->cursor++;
    return chosen;
}

static int zone_of(const building *b, int floor)
{
    return floor * b->cars / b->floors;
}

static int pick_zone(dispatcher *self, building *b, int floor, direction d)
{
    (void)self;
    (void)d;
    return zone_of(b, floor);
}

typedef int (*cost_fn)(const building *, const car *, int, direction);

static int cheapest(const building *b, int floor, direction d, cost_fn cost)
{
    int best = 0, best_cost = INT_MAX;

    for (int i = 0; i < b->cars; i++) {
        int c = cost(b, &b->fleet[i], floor, d);
        if (c < best_cost) {
            best_cost = c;
            best = i;
        }
    }
    return best;
}

static int cost_distance(const building *b, const car *c, int floor,
                         direction d)
{
    (void)d;
    int gap = c->floor - floor;
    if (gap < 0)
        gap = -gap;
    /* A car with nothing to do wins against an equally near busy one. */
    return gap * 4 + (c->state == CAR_IDLE ? 0 : b->floors);
}

static int pick_nearest(dispatcher *self, building *b, int floor, direction d)
{
    (void)self;
    return cheapest(b, floor, d, cost_distance);
}

static int pick_estimate(dispatcher *self, building *b, int floor,
                         direction d)
{
    (void)self;
    return cheapest(b, floor, d, car_estimate);
}

/* Send resting cars back to the middle of their zone. */
static void park_in_zone(dispatcher *self, building *b)
{
    (void)self;
    for (int i = 0; i < b->cars; i++) {
        car *c = &b->fleet[i];
        int home = (2 * i + 1) * b->floors / (2 * b->cars);
        if (c->state == CAR_IDLE && car_pending(c) == 0 && c->floor != home &&
            b->now % 16 == 0)
            c->car_calls |= 1u << home;
    }
}

static const dispatcher table[] = {
    { "round-robin", pick_round_robin, NULL, 0 },
    { "zoned", pick_zone, park_in_zone, 0 },
    { "nearest", pick_nearest, NULL, 0 },
    { "estimate", pick_estimate, NULL, 0 },
};

int dispatcher_count(void)
{
    return (int)(sizeof table / sizeof table[0]);
}

void dispatcher_get(int index, dispatcher *out)
{
    *out = table[index];
}

static void assign(dispatcher *self, building *b, int floor, direction d)
{
    if (building_queue(b, floor, d)->length == 0)
        return;
    if (*building_assignment(b, floor, d) != NO_CAR)
        return;
    int id = self->pick(self, b, floor, d);
    car_promise(b, &b->fleet[id], floor, d);
}

void dispatcher_run(dispatcher *self, building *b)
{
    for (int f = 0; f < b->floors; f++) {
        assign(self, b, f, DIR_UP);
        assign(self, b, f, DIR_DOWN);
    }
    if (self->idle)
        self->idle(self, b);
}
