/* SPDX-License-Identifier: Apache-2.0
 *
 * building.h - passengers, floors and cars shared by all layers of the
 * elevator simulation.  One tick is one second of simulated time.
 */
#ifndef BUILDING_H
#define BUILDING_H

#include <stdbool.h>
#include <stdint.h>

enum {
    MAX_FLOORS = 32,
    MAX_CARS = 6,
    CAR_CAPACITY = 8,
    MAX_PASSENGERS = 4096,
    NO_PASSENGER = -1,
    NO_CAR = -1
};

typedef enum { DIR_DOWN = -1, DIR_NONE = 0, DIR_UP = 1 } direction;

/* Passengers live in one pool and are linked by index. */
typedef struct {
    int origin;
    int target;
    int32_t born;     /* tick of arrival at the lobby of `origin`  */
    int32_t boarded;  /* tick of entering a car, or -1             */
    int32_t done;     /* tick of leaving the car, or -1            */
    int next;         /* next passenger of the same queue          */
} passenger;

typedef struct {
    int head, tail;
    int length;
} fifo;

typedef struct {
    fifo going_up;
    fifo going_down;
    int assigned_up;   /* car promised to the hall call, or NO_CAR */
    int assigned_down;
} landing;

typedef enum {
    CAR_IDLE,
    CAR_MOVING,
    CAR_OPENING,
    CAR_EXCHANGING,
    CAR_CLOSING,
    CAR_STATE_COUNT
} car_state;

typedef struct {
    int id;
    int floor;
    direction heading;
    car_state state;
    int timer;                 /* ticks until the state may change      */
    uint32_t car_calls;        /* bit per floor: buttons pressed inside */
    uint32_t hall_up;          /* bit per floor: promised hall calls    */
    uint32_t hall_down;
    int riders[CAR_CAPACITY];
    int rider_count;
    long floors_travelled;
    long stops;
    long busy_ticks;
} car;

typedef struct {
    int floors;
    int cars;
    landing landings[MAX_FLOORS];
    car fleet[MAX_CARS];
    passenger pool[MAX_PASSENGERS];
    int pool_used;
    int waiting;
    int riding;
    int delivered;
    int32_t now;
} building;

void building_init(building *b, int floors, int cars);
int building_add_passenger(building *b, int origin, int target);
fifo *building_queue(building *b, int floor, direction d);
int *building_assignment(building *b, int floor, direction d);
bool building_is_quiet(const building *b);
const char *building_check(const building *b);

int fifo_pop(building *b, fifo *q);
void fifo_push(building *b, fifo *q, int who);

#endif
