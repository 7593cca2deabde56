/* sudoku.h - sudoku of any box size: as exact cover, and by human methods.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SUDOKU_H
#define SUDOKU_H

enum { MAX_SIDE = 16, MAX_CELLS = MAX_SIDE * MAX_SIDE };

typedef struct {
    int box_w, box_h;           /* side = box_w * box_h */
    signed char cell[MAX_CELLS];/* 0 = empty */
} grid;

typedef enum {
    RATE_EASY,                  /* naked singles */
    RATE_MEDIUM,                /* hidden singles too */
    RATE_HARD,                  /* pairs and pointing needed */
    RATE_SEARCH,                /* none of that is enough */
    RATE_BROKEN
} rating;

static inline int grid_side(const grid *g) { return g->box_w * g->box_h; }

int grid_parse(grid *g, const char *text, int box_w, int box_h);
void grid_format(const grid *g, char *out);     /* side * side + 1 chars */
int grid_valid(const grid *g);                  /* complete and without clash */

/* Returns the number of solutions, at most limit (0: no limit); the first is
 * left in *g. nodes, if wanted, gets the size of the search tree. */
int sudoku_solve(grid *g, int limit, unsigned long *nodes);
rating sudoku_rate(grid *g);                    /* fills in what it finds */
const char *rating_name(rating r);

/* Remove givens in the order given as long as the solution stays unique. */
int sudoku_thin_out(grid *g, const int *order, int n);

#endif
