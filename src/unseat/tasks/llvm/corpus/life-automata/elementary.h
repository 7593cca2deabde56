/* elementary.h - one-dimensional automata and the Langton ant.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ELEMENTARY_H
#define ELEMENTARY_H

#include "grid.h"

typedef struct { int x, y, heading; } Ant;

void wolfram_run(Grid *g, unsigned rule, int rows); /* seed in the centre of row 0 */
int wolfram_column_bits(const Grid *g, int column, int rows, unsigned long *out);
void ant_walk(Grid *g, Ant *a, long steps);

#endif
