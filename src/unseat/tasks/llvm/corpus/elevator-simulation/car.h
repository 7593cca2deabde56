/* SPDX-License-Identifier: Apache-2.0
 * car.h - the per-car door and motion state machine. */
#ifndef CAR_H
#define CAR_H

#include "building.h"

enum { TICKS_PER_FLOOR = 2, TICKS_OPEN = 2, TICKS_CLOSE = 2 };

void car_step(building *b, car *c);
void car_promise(building *b, car *c, int floor, direction d);
int car_pending(const car *c);
int car_estimate(const building *b, const car *c, int floor, direction d);

#endif
