/* pattern.h - named patterns in run-length form, and object census.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef PATTERN_H
#define PATTERN_H

#include "grid.h"

typedef struct {
    const char *name;
    const char *rle;
} Pattern;

typedef struct {
    int period;      /* 0 when none was found within the limit */
    int preperiod;   /* generations before the cycle            */
    int dx, dy;      /* shift after one period                  */
} Motion;

const Pattern *pattern_find(const char *name);
int pattern_place(Grid *g, const char *rle, int x, int y); /* cells, or -1 */
void pattern_encode(const Grid *g, char *out, int size);
Motion pattern_motion(Grid *g, Rule r, int limit);
int grid_cycle(Grid *g, Rule r, int limit, int *preperiod);

typedef struct { int objects, largest, smallest; } Census;
Census grid_census(const Grid *g);

#endif
