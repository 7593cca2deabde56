/* SPDX-License-Identifier: Apache-2.0
 *
 * building.c - the passenger pool, the landing queues and the invariants
 * that must hold between any two ticks.
 */
#include "building.h"

#include <stddef.h>

static void fifo_reset(fifo *q)
{
    q->head = q->tail = NO_PASSENGER;
    q->length = 0;
}

void fifo_push(building *b, fifo *q, int who)
{
    b->pool[who].next = NO_PASSENGER;
    if (q->tail == NO_PASSENGER)
        q->head = who;
    else
        b->pool[q->tail].next = who;
    q->tail = who;
    q->length++;
}

int fifo_pop(building *b, fifo *q)
{
    int who = q->head;

    if (who == NO_PASSENGER)
        return NO_PASSENGER;
    q->head = b->pool[who].next;
    if (q->head == NO_PASSENGER)
        q->tail = NO_PASSENGER;
    q->length--;
    return who;
}

static void landing_init(landing *l)
{
    fifo_reset(&l->going_up);
    fifo_reset(&l->going_down);
    l->assigned_up = l->assigned_down = NO_CAR;
}

static void car_reset(car *c, int id, int home)
{
    *c = (car){ .id = id, .floor = home, .heading = DIR_NONE,
                .state = CAR_IDLE };
}

void building_init(building *b, int floors, int cars)
{
    b->floors = floors;
    b->cars = cars;
    for (int f = 0; f < MAX_FLOORS; f++)
        landing_init(&b->landings[f]);
    /* Spread the fleet evenly so that strategies start equal. */
    for (int i = 0; i < cars; i++)
        car_reset(&b->fleet[i], i, i * floors / cars);
    b->pool_used = 0;
    b->waiting = b->riding = b->delivered = 0;
    b->now = 0;
}

fifo *building_queue(building *b, int floor, direction d)
{
    landing *l = &b->landings[floor];
    return d == DIR_UP ? &l->going_up : &l->going_down;
}

int *building_assignment(building *b, int floor, direction d)
{
    landing *l = &b->landings[floor];
    return d == DIR_UP ? &l->assigned_up : &l->assigned_down;
}

static bool floor_valid(const building *b, int floor)
{
    return floor >= 0 && floor < b->floors;
}

/* Returns the passenger's index, or NO_PASSENGER when the trip is invalid
 * or the pool is full. */
int building_add_passenger(building *b, int origin, int target)
{
    if (!floor_valid(b, origin) || !floor_valid(b, target))
        return NO_PASSENGER;
    if (origin == target || b->pool_used == MAX_PASSENGERS)
        return NO_PASSENGER;

    int who = b->pool_used++;
    b->pool[who] = (passenger){ .origin = origin, .target = target,
                                .born = b->now, .boarded = -1, .done = -1,
                                .next = NO_PASSENGER };
    direction d = target > origin ? DIR_UP : DIR_DOWN;
    fifo_push(b, building_queue(b, origin, d), who);
    b->waiting++;
    return who;
}

bool building_is_quiet(const building *b)
{
    return b->waiting == 0 && b->riding == 0;
}

static int count_queue(const building *b, const fifo *q)
{
    int n = 0;
    for (int i = q->head; i != NO_PASSENGER; i = b->pool[i].next)
        n++;
    return n;
}

static const char *check_car(const building *b, const car *c)
{
    if (!floor_valid(b, c->floor))
        return "car outside the shaft";
    if (c->rider_count < 0 || c->rider_count > CAR_CAPACITY)
        return "car overloaded";
    for (int i = 0; i < c->rider_count; i++) {
        const passenger *p = &b->pool[c->riders[i]];
        if (p->boarded < p->born)
            return "boarded before arrival";
        if (!(c->car_calls >> p->target & 1u) && c->state != CAR_EXCHANGING)
            return "rider without a pressed button";
    }
    return NULL;
}

/* Returns NULL when every invariant holds, else a description. */
const char *building_check(const building *b)
{
    int waiting = 0, riding = 0;

    for (int f = 0; f < b->floors; f++) {
        const landing *l = &b->landings[f];
        if (count_queue(b, &l->going_up) != l->going_up.length ||
            count_queue(b, &l->going_down) != l->going_down.length)
            return "queue length mismatch";
        waiting += l->going_up.length + l->going_down.length;
    }
    for (int i = 0; i < b->cars; i++) {
        const char *err = check_car(b, &b->fleet[i]);
        if (err)
            return err;
        riding += b->fleet[i].rider_count;
    }
    if (waiting != b->waiting || riding != b->riding)
        return "counter mismatch";
    if (waiting + riding + b->delivered != b->pool_used)
        return "a passenger was lost";
    return NULL;
}
