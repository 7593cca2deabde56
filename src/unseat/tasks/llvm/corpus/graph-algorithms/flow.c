/* SPDX-License-Identifier: Apache-2.0
 *
 * flow.c - Dinic's maximum flow on the edge weights, and bipartite matching
 * by augmenting paths.
 */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const graph *g;
    int *residual, *level, *cursor, *queue;
    int sink;
} dinic;

static bool build_levels(dinic *d, int source)
{
    int head = 0, tail = 0;
    for (int v = 0; v < d->g->n; v++)
        d->level[v] = -1;
    d->level[source] = 0;
    d->queue[tail++] = source;
    while (head < tail) {
        int v = d->queue[head++];
        for (int a = d->g->first[v]; a >= 0; a = d->g->next[a]) {
            int w = d->g->to[a];
            if (d->residual[a] <= 0 || d->level[w] >= 0)
                continue;
            d->level[w] = d->level[v] + 1;
            d->queue[tail++] = w;
        }
    }
    return d->level[d->sink] >= 0;
}

static int push(dinic *d, int v, int limit)
{
    if (v == d->sink)
        return limit;
    int sent = 0;
    for (; d->cursor[v] >= 0; d->cursor[v] = d->g->next[d->cursor[v]]) {
        int a = d->cursor[v], w = d->g->to[a];
        if (d->residual[a] <= 0 || d->level[w] != d->level[v] + 1)
            continue;
        int room = limit - sent < d->residual[a] ? limit - sent : d->residual[a];
        int got = push(d, w, room);
        d->residual[a] -= got;
        d->residual[a ^ 1] += got;
        sent += got;
        if (sent == limit)
            return sent; /* the arc may have room left: keep the cursor */
    }
    return sent;
}

int max_flow(const graph *g, int source, int sink, bool *source_side)
{
    size_t n = (size_t)g->n + 1, m = (size_t)g->arcs + 1;
    int *work = malloc((m + 3 * n) * sizeof *work), total = 0;
    if (!work)
        abort();
    dinic d = { g, work, work + m, work + m + n, work + m + 2 * n, sink };
    for (int a = 0; a < g->arcs; a++)
        d.residual[a] = g->cap[a] ? g->weight[a] : 0;
    while (source != sink && build_levels(&d, source)) {
        memcpy(d.cursor, g->first, (size_t)g->n * sizeof *d.cursor);
        total += push(&d, source, INFINITE);
    }
    for (int v = 0; source_side && v < g->n; v++)
        source_side[v] = d.level[v] >= 0;
    free(work);
    return total;
}

static bool augment(const graph *g, int v, int *mate, int *seen, int stamp)
{
    for (int a = graph_begin(g, v); a >= 0; a = graph_after(g, a)) {
        int w = g->to[a];
        if (seen[w] == stamp)
            continue;
        seen[w] = stamp;
        if (mate[w] < 0 || augment(g, mate[w], mate, seen, stamp)) {
            mate[w] = v;
            mate[v] = w;
            return true;
        }
    }
    return false;
}

/* Vertices 0..left-1 are one side; edges must run between the sides. */
int bipartite_match(const graph *g, int left, int *mate)
{
    int *seen = calloc((size_t)g->n + 1, sizeof *seen), size = 0;
    if (!seen)
        abort();
    for (int v = 0; v < g->n; v++)
        mate[v] = -1;
    for (int v = 0; v < left; v++)
        size += augment(g, v, mate, seen, v + 1);
    free(seen);
    return size;
}
