/* SPDX-License-Identifier: Apache-2.0
 *
 * car.c - collective control of one car.  A car keeps its heading while
 * there is work ahead, then turns round; the doors are a small state
 * machine with one handler for each state.
 */
#include "car.h"

typedef void (*state_handler)(building *, car *);

static uint32_t bit(int floor)
{
    return 1u << floor;
}

static uint32_t above(int floor)
{
    return floor >= 31 ? 0u : ~0u << (floor + 1);
}

static uint32_t below(int floor)
{
    return bit(floor) - 1u;
}

static int popcount(uint32_t v)
{
    int n = 0;
    for (; v; v &= v - 1)
        n++;
    return n;
}

static uint32_t all_calls(const car *c)
{
    return c->car_calls | c->hall_up | c->hall_down;
}

int car_pending(const car *c)
{
    return popcount(c->car_calls) + popcount(c->hall_up) +
           popcount(c->hall_down);
}

void car_promise(building *b, car *c, int floor, direction d)
{
    if (d == DIR_UP)
        c->hall_up |= bit(floor);
    else
        c->hall_down |= bit(floor);
    *building_assignment(b, floor, d) = c->id;
}

static uint32_t calls_ahead(const car *c, direction d)
{
    return all_calls(c) & (d == DIR_UP ? above(c->floor) : below(c->floor));
}

/* Pick the heading for a car that stands still. */
static direction choose_heading(const car *c)
{
    uint32_t up = calls_ahead(c, DIR_UP);
    uint32_t down = calls_ahead(c, DIR_DOWN);

    if (c->heading == DIR_UP && up)
        return DIR_UP;
    if (c->heading == DIR_DOWN && down)
        return DIR_DOWN;
    if (up)
        return DIR_UP;
    if (down)
        return DIR_DOWN;
    return DIR_NONE;
}

static bool should_stop(const car *c)
{
    uint32_t here = bit(c->floor);

    if (c->car_calls & here)
        return true;
    if (c->rider_count == CAR_CAPACITY)
        return false; /* no room: pass by, the promise stays open */
    switch (c->heading) {
    case DIR_UP:
        if (c->hall_up & here)
            return true;
        return (c->hall_down & here) && !calls_ahead(c, DIR_UP);
    case DIR_DOWN:
        if (c->hall_down & here)
            return true;
        return (c->hall_up & here) && !calls_ahead(c, DIR_DOWN);
    case DIR_NONE:
        break;
    }
    return ((c->hall_up | c->hall_down) & here) != 0;
}

/* The direction for which people at this floor are let in. */
static direction service_direction(building *b, const car *c)
{
    uint32_t here = bit(c->floor);

    if (c->heading == DIR_UP && calls_ahead(c, DIR_UP))
        return DIR_UP;
    if (c->heading == DIR_DOWN && calls_ahead(c, DIR_DOWN))
        return DIR_DOWN;
    if (c->heading == DIR_DOWN && (c->hall_down & here))
        return DIR_DOWN;
    if (c->hall_up & here)
        return DIR_UP;
    if (c->hall_down & here)
        return DIR_DOWN;
    return building_queue(b, c->floor, DIR_UP)->length ? DIR_UP : DIR_DOWN;
}

static void alight(building *b, car *c)
{
    int kept = 0;

    for (int i = 0; i < c->rider_count; i++) {
        int who = c->riders[i];
        passenger *p = &b->pool[who];
        if (p->target == c->floor) {
            p->done = b->now;
            b->riding--;
            b->delivered++;
        } else {
            c->riders[kept++] = who;
        }
    }
    c->rider_count = kept;
    c->car_calls &= ~bit(c->floor);
}

static void withdraw_promise(building *b, car *c, direction d)
{
    uint32_t *mask = d == DIR_UP ? &c->hall_up : &c->hall_down;
    int *owner = building_assignment(b, c->floor, d);

    *mask &= ~bit(c->floor);
    if (*owner == c->id)
        *owner = NO_CAR; /* whoever stays behind must call again */
}

static void board(building *b, car *c, direction d)
{
    fifo *q = building_queue(b, c->floor, d);

    while (c->rider_count < CAR_CAPACITY && q->length > 0) {
        int who = fifo_pop(b, q);
        passenger *p = &b->pool[who];
        p->boarded = b->now;
        c->riders[c->rider_count++] = who;
        c->car_calls |= bit(p->target);
        b->waiting--;
        b->riding++;
    }
    withdraw_promise(b, c, d);
}

static void enter(car *c, car_state s, int ticks)
{
    c->state = s;
    c->timer = ticks;
}

static void start_or_rest(car *c)
{
    if (should_stop(c)) {
        enter(c, CAR_OPENING, TICKS_OPEN);
        c->stops++;
        return;
    }
    c->heading = choose_heading(c);
    if (c->heading == DIR_NONE)
        enter(c, CAR_IDLE, 0);
    else
        enter(c, CAR_MOVING, TICKS_PER_FLOOR);
}

static void on_idle(building *b, car *c)
{
    (void)b;
    if (all_calls(c))
        start_or_rest(c);
}

static void on_moving(building *b, car *c)
{
    (void)b;
    c->floor += c->heading;
    c->floors_travelled++;
    if (should_stop(c)) {
        enter(c, CAR_OPENING, TICKS_OPEN);
        c->stops++;
    } else if (calls_ahead(c, c->heading)) {
        enter(c, CAR_MOVING, TICKS_PER_FLOOR);
    } else {
        start_or_rest(c);
    }
}

static void on_opening(building *b, car *c)
{
    int before = c->rider_count;
    alight(b, c);
    enter(c, CAR_EXCHANGING, 1 + (before - c->rider_count) / 2);
}

static void on_exchanging(building *b, car *c)
{
    direction d = service_direction(b, c);
    int before = c->rider_count;

    board(b, c, d);
    if (c->rider_count > 0)
        c->heading = d;
    else if (!calls_ahead(c, c->heading))
        c->heading = DIR_NONE;
    enter(c, CAR_CLOSING, TICKS_CLOSE + (c->rider_count - before) / 2);
}

static void on_closing(building *b, car *c)
{
    (void)b;
    start_or_rest(c);
}

static const state_handler handlers[CAR_STATE_COUNT] = {
    [CAR_IDLE] = on_idle,
    [CAR_MOVING] = on_moving,
    [CAR_OPENING] = on_opening,
    [CAR_EXCHANGING] = on_exchanging,
    [CAR_CLOSING] = on_closing,
};

void car_step(building *b, car *c)
{
    if (c->state != CAR_IDLE)
        c->busy_ticks++;
    if (c->timer > 0 && --c->timer > 0)
        return;
    handlers[c->state](b, c);
}

static int distance(int a, int b)
{
    return a > b ? a - b : b - a;
}

/* Lowest or highest floor the car will reach before it turns round. */
static int turning_point(const building *b, const car *c)
{
    uint32_t ahead = calls_ahead(c, c->heading);
    int f;

    if (c->heading == DIR_UP) {
        for (f = b->floors - 1; f > c->floor && !(ahead & bit(f)); f--)
            ;
    } else {
        for (f = 0; f < c->floor && !(ahead & bit(f)); f++)
            ;
    }
    return f;
}

/* Rough time until this car could serve a hall call. */
int car_estimate(const building *b, const car *c, int floor, direction d)
{
    int travel;

    if (c->heading == DIR_NONE) {
        travel = distance(c->floor, floor);
    } else {
        bool ahead = c->heading == DIR_UP ? floor >= c->floor
                                          : floor <= c->floor;
        if (ahead && d == c->heading) {
            travel = distance(c->floor, floor);
        } else {
            int turn = turning_point(b, c);
            travel = distance(c->floor, turn) + distance(turn, floor);
        }
    }
    return travel * TICKS_PER_FLOOR +
           car_pending(c) * (TICKS_OPEN + TICKS_CLOSE + 1) +
           (c->rider_count >= CAR_CAPACITY ? 40 : 0);
}
