/* SPDX-License-Identifier: Apache-2.0
 * traffic.h - passenger arrival patterns and trip statistics. */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include "building.h"

typedef struct {
    uint32_t state;
} lcg;

typedef struct {
    const char *name;
    int per_mille;      /* chance of an arrival in each tick */
    void (*trip)(lcg *rng, int floors, int *from, int *to);
} pattern;

typedef struct {
    int count;
    long wait_sum, ride_sum;
    int wait_max, wait_median, wait_p95;
    long energy;        /* floors travelled plus a cost for each stop */
    int utilisation;    /* per cent of car-ticks not idle             */
    uint32_t digest;
} report;

int pattern_count(void);
const pattern *pattern_get(int index);
void traffic_tick(building *b, const pattern *p, lcg *rng);
void report_build(const building *b, report *r);

#endif
