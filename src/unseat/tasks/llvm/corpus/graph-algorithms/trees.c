/* SPDX-License-Identifier: Apache-2.0
 *
 * trees.c - minimum spanning forests by two independent methods.
 */
#include "graph.h"

#include <stdlib.h>

static int find(int *up, int v)
{
    while (up[v] >= 0) {
        if (up[up[v]] >= 0)
            up[v] = up[up[v]];
        v = up[v];
    }
    return v;
}

/* Roots hold minus the size of their set. */
static bool unite(int *up, int a, int b)
{
    a = find(up, a);
    b = find(up, b);
    if (a == b)
        return false;
    if (up[a] > up[b]) {
        int t = a;
        a = b;
        b = t;
    }
    up[a] += up[b];
    up[b] = a;
    return true;
}

typedef struct { int weight, edge; } ranked;

static int by_weight(const void *x, const void *y)
{
    const ranked *a = x, *b = y;
    if (a->weight != b->weight)
        return a->weight < b->weight ? -1 : 1;
    return (a->edge > b->edge) - (a->edge < b->edge);
}

long kruskal(const graph *g, int *chosen, int *count)
{
    int m = graph_edges(g);
    ranked *list = malloc(((size_t)m + 1) * sizeof *list);
    int *up = malloc(((size_t)g->n + 1) * sizeof *up);
    long sum = 0;
    *count = 0;
    if (!list || !up)
        abort();
    for (int e = 0; e < m; e++)
        list[e] = (ranked){ g->weight[2 * e], e };
    for (int v = 0; v < g->n; v++)
        up[v] = -1;
    qsort(list, (size_t)m, sizeof *list, by_weight);
    for (int i = 0; i < m; i++) {
        int e = list[i].edge;
        if (!unite(up, g->to[2 * e], g->to[2 * e + 1]))
            continue;
        sum += list[i].weight;
        chosen[(*count)++] = e;
    }
    free(list);
    free(up);
    return sum;
}

/* The quadratic form, good for dense graphs. */
long prim(const graph *g)
{
    int *cost = malloc(((size_t)g->n + 1) * sizeof *cost);
    bool *in = calloc((size_t)g->n + 1, sizeof *in);
    long sum = 0;
    if (!cost || !in)
        abort();
    for (int v = 0; v < g->n; v++)
        cost[v] = INFINITE;
    for (int round = 0; round < g->n; round++) {
        int best = -1;
        for (int v = 0; v < g->n; v++)
            if (!in[v] && (best < 0 || cost[v] < cost[best]))
                best = v;
        in[best] = true;
        sum += cost[best] == INFINITE ? 0 : cost[best];
        for (int a = graph_begin(g, best); a >= 0; a = graph_after(g, a))
            if (!in[g->to[a]] && g->weight[a] < cost[g->to[a]])
                cost[g->to[a]] = g->weight[a];
    }
    free(cost);
    free(in);
    return sum;
}
