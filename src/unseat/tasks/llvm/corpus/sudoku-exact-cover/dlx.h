/* dlx.h - exact cover by dancing links, with optional (secondary) columns.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DLX_H
#define DLX_H

typedef struct dlx dlx;

/* Called for every solution; a non-zero result stops the search. */
typedef int (*dlx_visitor)(void *user, const int *rows, int nrows);

typedef struct {
    unsigned long nodes;        /* rows tried */
    unsigned long updates;      /* nodes unlinked */
    unsigned long solutions;
    int depth;                  /* deepest level reached */
} dlx_stats;

/* Columns 0 ... primary-1 must be covered exactly once, the following
 * secondary ones at most once. Room for max_nodes entries in all rows. */
dlx *dlx_create(int primary, int secondary, int max_nodes);
void dlx_destroy(dlx *d);
/* Columns of one row; the rows get the numbers 0, 1, 2 ... Returns the number
 * or -1 if the matrix is full. */
int dlx_row(dlx *d, const int *columns, int n);
/* Force a row into every solution; 0 if that is impossible. */
int dlx_choose(dlx *d, int row);
dlx_stats dlx_search(dlx *d, dlx_visitor visit, void *user);

#endif
