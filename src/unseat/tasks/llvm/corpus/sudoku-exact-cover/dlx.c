/* dlx.c - exact cover by dancing links, with optional (secondary) columns.
 *
 * All links are indices into one array of nodes. Node 0 is the root, nodes
 * 1 ... ncols are the column heads, the rest are the entries of the rows.
 * SPDX-License-Identifier: Apache-2.0 */
#include "dlx.h"

#include <limits.h>
#include <stdlib.h>

typedef struct {
    int left, right, up, down;
    int col;                    /* head of the column */
    int row;                    /* number of the row; for a head: its size */
} node;

struct dlx {
    node *n;
    int used, cap;
    int ncols;
    int *first;                 /* of each row, some node */
    int nrows;
    int *chosen;                /* rows of the partial solution */
    int depth, forced;
    int stop;
    dlx_stats stats;
    dlx_visitor visit;
    void *user;
};

static void link_heads(dlx *d, int primary)
{
    for (int i = 0; i <= d->ncols; i++) {
        node *h = &d->n[i];
        h->up = h->down = h->col = i;
        h->row = 0;
        if (i <= primary) {
            h->left = i == 0 ? primary : i - 1;
            h->right = i == primary ? 0 : i + 1;
        } else {
            h->left = h->right = i;     /* never chosen for branching */
        }
    }
    d->used = d->ncols + 1;
}

dlx *dlx_create(int primary, int secondary, int max_nodes)
{
    dlx *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->ncols = primary + secondary;
    d->cap = d->ncols + 1 + max_nodes;
    d->n = malloc((size_t)d->cap * sizeof *d->n);
    d->first = malloc((size_t)max_nodes * sizeof *d->first);
    d->chosen = malloc((size_t)(d->ncols + 1) * sizeof *d->chosen);
    if (!d->n || !d->first || !d->chosen) {
        dlx_destroy(d);
        return NULL;
    }
    link_heads(d, primary);
    return d;
}

void dlx_destroy(dlx *d)
{
    if (!d)
        return;
    free(d->n);
    free(d->first);
    free(d->chosen);
    free(d);
}

int dlx_row(dlx *d, const int *columns, int n)
{
    int start = d->used;
    if (n <= 0 || d->cap - d->used < n)
        return -1;
    for (int i = 0; i < n; i++) {
        int me = d->used++, head = columns[i] + 1;
        node *p = &d->n[me];
        p->col = head;
        p->row = d->nrows;
        p->down = head;
        p->up = d->n[head].up;
        d->n[p->up].down = me;
        d->n[head].up = me;
        d->n[head].row++;
        p->left = i == 0 ? start + n - 1 : me - 1;
        p->right = i == n - 1 ? start : me + 1;
    }
    d->first[d->nrows] = start;
    return d->nrows++;
}

static void cover(dlx *d, int head)
{
    node *n = d->n;
    n[n[head].left].right = n[head].right;
    n[n[head].right].left = n[head].left;
    for (int i = n[head].down; i != head; i = n[i].down)
        for (int k = n[i].right; k != i; k = n[k].right) {
            n[n[k].up].down = n[k].down;
            n[n[k].down].up = n[k].up;
            n[n[k].col].row--;
            d->stats.updates++;
        }
}

static void uncover(dlx *d, int head)
{
    node *n = d->n;
    for (int i = n[head].up; i != head; i = n[i].up)
        for (int k = n[i].left; k != i; k = n[k].left) {
            n[n[k].col].row++;
            n[n[k].up].down = k;
            n[n[k].down].up = k;
        }
    n[n[head].left].right = head;
    n[n[head].right].left = head;
}

static int smallest_column(const dlx *d)
{
    int best = 0, size = INT_MAX;
    for (int h = d->n[0].right; h != 0; h = d->n[h].right)
        if (d->n[h].row < size) {
            size = d->n[h].row;
            best = h;
            if (size <= 1)
                break;
        }
    return best;
}

static void cover_others(dlx *d, int r)
{
    for (int k = d->n[r].right; k != r; k = d->n[k].right)
        cover(d, d->n[k].col);
}

static void uncover_others(dlx *d, int r)
{
    for (int k = d->n[r].left; k != r; k = d->n[k].left)
        uncover(d, d->n[k].col);
}

static void search(dlx *d)
{
    if (d->n[0].right == 0) {
        d->stats.solutions++;
        d->stop = d->visit && d->visit(d->user, d->chosen, d->depth);
        return;
    }
    int head = smallest_column(d);
    if (d->n[head].row == 0)
        return;
    cover(d, head);
    for (int r = d->n[head].down; r != head && !d->stop; r = d->n[r].down) {
        d->stats.nodes++;
        d->chosen[d->depth++] = d->n[r].row;
        if (d->depth > d->stats.depth)
            d->stats.depth = d->depth;
        cover_others(d, r);
        search(d);
        uncover_others(d, r);
        d->depth--;
    }
    uncover(d, head);
}

/* A row is still possible if all its entries hang in their columns and no
 * column of it has been covered by an earlier choice. */
static int possible(const dlx *d, int start)
{
    int k = start;
    do {
        const node *p = &d->n[k];
        int found = 0;
        for (int i = d->n[p->col].down; i != p->col; i = d->n[i].down)
            found |= i == k;
        for (int c = 0; c < d->forced; c++) {
            int first = d->first[d->chosen[c]], m = first;
            do {
                found &= d->n[m].col != p->col;
                m = d->n[m].right;
            } while (m != first);
        }
        if (!found)
            return 0;
        k = p->right;
    } while (k != start);
    return 1;
}

int dlx_choose(dlx *d, int row)
{
    if (row < 0 || row >= d->nrows || !possible(d, d->first[row]))
        return 0;
    cover(d, d->n[d->first[row]].col);
    cover_others(d, d->first[row]);
    d->chosen[d->forced++] = row;
    return 1;
}

dlx_stats dlx_search(dlx *d, dlx_visitor visit, void *user)
{
    d->stats = (dlx_stats){ 0, 0, 0, 0 };
    d->visit = visit;
    d->user = user;
    d->stop = 0;
    d->depth = d->forced;
    search(d);
    return d->stats;
}
