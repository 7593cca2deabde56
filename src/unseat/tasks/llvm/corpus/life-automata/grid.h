/* grid.h - a bit-packed toroidal cell grid.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRID_H
#define GRID_H

#include <stdint.h>

typedef struct Grid Grid;

typedef struct {          /* a rule in "B/S" form: bit n set = n neighbours */
    uint16_t birth;
    uint16_t survive;
} Rule;

typedef void (*CellFn)(void *ctx, int x, int y);

Grid *grid_new(int width, int height);       /* NULL on bad size or no memory */
void grid_free(Grid *g);
int grid_width(const Grid *g);
int grid_height(const Grid *g);
int grid_get(const Grid *g, int x, int y);   /* coordinates wrap */
void grid_set(Grid *g, int x, int y, int alive);
void grid_clear(Grid *g);
void grid_step(Grid *g, Rule r);
long grid_population(const Grid *g);
uint64_t grid_hash(const Grid *g);
void grid_each(const Grid *g, CellFn fn, void *ctx);
int grid_equal(const Grid *a, const Grid *b);
void grid_copy(Grid *dst, const Grid *src);  /* equal sizes only */

int rule_parse(const char *text, Rule *out); /* 0 or -1 */
void rule_format(Rule r, char out[24]);

#endif
