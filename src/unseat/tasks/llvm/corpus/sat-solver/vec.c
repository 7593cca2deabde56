/* vec.c - growing arrays of ints and the indexed heap.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "vec.h"

void vec_grow(IntVec *v, int cap)
{
    int want = v->cap ? v->cap * 2 : 4;
    if (want < cap)
        want = cap;
    int *p = realloc(v->at, (size_t)want * sizeof *p);
    if (!p) {
        fputs("sat: out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    v->at = p;
    v->cap = want;
}

void vec_free(IntVec *v)
{
    free(v->at);
    *v = (IntVec){ 0 };
}

static void place(Heap *h, int pos, int x)
{
    h->heap.at[pos] = x;
    h->index.at[x] = pos;
}

static void sift_up(Heap *h, int pos)
{
    int x = h->heap.at[pos];
    while (pos > 0) {
        int up = (pos - 1) / 2;
        if (!h->before(h->ctx, x, h->heap.at[up]))
            break;
        place(h, pos, h->heap.at[up]);
        pos = up;
    }
    place(h, pos, x);
}

static void sift_down(Heap *h, int pos)
{
    int x = h->heap.at[pos];
    for (;;) {
        int kid = 2 * pos + 1;
        if (kid >= h->heap.n)
            break;
        if (kid + 1 < h->heap.n &&
            h->before(h->ctx, h->heap.at[kid + 1], h->heap.at[kid]))
            kid++;
        if (!h->before(h->ctx, h->heap.at[kid], x))
            break;
        place(h, pos, h->heap.at[kid]);
        pos = kid;
    }
    place(h, pos, x);
}

void heap_add(Heap *h, int x)
{
    while (h->index.n <= x)
        vec_push(&h->index, -1);
    if (h->index.at[x] >= 0)
        return;
    vec_push(&h->heap, x);
    sift_up(h, h->heap.n - 1);
}

int heap_take(Heap *h)
{
    int x = h->heap.at[0], last = vec_pop(&h->heap);
    h->index.at[x] = -1;
    if (h->heap.n) {
        place(h, 0, last);
        sift_down(h, 0);
    }
    return x;
}

void heap_moved_up(Heap *h, int x)
{
    if (x < h->index.n && h->index.at[x] >= 0)
        sift_up(h, h->index.at[x]);
}

void heap_free(Heap *h)
{
    vec_free(&h->heap);
    vec_free(&h->index);
}
