/* vec.h - growing arrays of ints, all that the solver needs of containers.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef VEC_H
#define VEC_H

#include <stdbool.h>

typedef struct {
    int *at;
    int n, cap;
} IntVec;

void vec_grow(IntVec *v, int cap);
void vec_free(IntVec *v);

static inline void vec_push(IntVec *v, int x)
{
    if (v->n == v->cap)
        vec_grow(v, v->n + 1);
    v->at[v->n++] = x;
}

static inline int vec_pop(IntVec *v) { return v->at[--v->n]; }
static inline int vec_last(const IntVec *v) { return v->at[v->n - 1]; }

/* A binary heap of ints ordered by a callback, with a reverse index so that
 * an element can move up after its key has grown. */
typedef struct {
    IntVec heap, index;         /* index[x] = position or -1 */
    bool (*before)(const void *ctx, int a, int b);
    const void *ctx;
} Heap;

void heap_add(Heap *h, int x);          /* does nothing if x is inside */
int heap_take(Heap *h);
void heap_moved_up(Heap *h, int x);     /* x may be outside */
void heap_free(Heap *h);

#endif
