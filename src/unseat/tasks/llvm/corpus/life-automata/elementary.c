/* elementary.c - Wolfram's numbered rules drawn downwards into a grid, and
 * Langton's ant, which flips cells while it walks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "elementary.h"

static unsigned neighbourhood(const Grid *g, int x, int y)
{
    return (unsigned)(grid_get(g, x - 1, y) << 2 | grid_get(g, x, y) << 1 |
                      grid_get(g, x + 1, y));
}

void wolfram_run(Grid *g, unsigned rule, int rows)
{
    grid_clear(g);
    grid_set(g, grid_width(g) / 2, 0, 1);
    for (int y = 1; y < rows; y++)
        for (int x = 0; x < grid_width(g); x++)
            grid_set(g, x, y, (int)(rule >> neighbourhood(g, x, y - 1) & 1));
}

/* Reads a column as a binary number; -1 if it does not fit. */
int wolfram_column_bits(const Grid *g, int column, int rows, unsigned long *out)
{
    if (rows > 32)
        return -1;
    *out = 0;
    for (int y = 0; y < rows; y++)
        *out = *out << 1 | (unsigned long)grid_get(g, column, y);
    return 0;
}

void ant_walk(Grid *g, Ant *a, long steps)
{
    static const int dx[4] = { 0, 1, 0, -1 }, dy[4] = { -1, 0, 1, 0 };
    while (steps-- > 0) {
        int on = grid_get(g, a->x, a->y);
        a->heading = (a->heading + (on ? 3 : 1)) & 3;
        grid_set(g, a->x, a->y, !on);
        a->x += dx[a->heading];
        a->y += dy[a->heading];
    }
}
