/* SPDX-License-Identifier: Apache-2.0
 *
 * graph.c - construction and arc iteration.
 */
#include "graph.h"

#include <stdlib.h>

graph *graph_make(int n, bool directed)
{
    if (n < 0 || n > 100000)
        return NULL;
    graph *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->n = n;
    g->directed = directed;
    g->first = malloc(((size_t)n + 1) * sizeof *g->first);
    if (!g->first) {
        free(g);
        return NULL;
    }
    for (int v = 0; v < n; v++)
        g->first[v] = -1;
    return g;
}

void graph_free(graph *g)
{
    if (!g)
        return;
    free(g->first);
    free(g->next);
    free(g->to);
    free(g->weight);
    free(g->cap);
    free(g);
}

static bool grow_one(int **array, int room)
{
    int *p = realloc(*array, (size_t)room * sizeof *p);
    if (!p)
        return false;
    *array = p;
    return true;
}

static bool reserve(graph *g)
{
    if (g->arcs + 2 <= g->room)
        return true;
    int room = g->room ? g->room * 2 : 16;
    if (!grow_one(&g->next, room) || !grow_one(&g->to, room) ||
        !grow_one(&g->weight, room) || !grow_one(&g->cap, room))
        return false;
    g->room = room;
    return true;
}

static void add_arc(graph *g, int from, int to, int weight, int cap)
{
    int a = g->arcs++;
    g->to[a] = to;
    g->weight[a] = weight;
    g->cap[a] = cap;
    g->next[a] = g->first[from];
    g->first[from] = a;
}

bool graph_edge(graph *g, int from, int to, int weight)
{
    if (from < 0 || to < 0 || from >= g->n || to >= g->n || !reserve(g))
        return false;
    add_arc(g, from, to, weight, 1);
    add_arc(g, to, from, weight, g->directed ? 0 : 1);
    return true;
}

int graph_edges(const graph *g) { return g->arcs / 2; }

static int skip_silent(const graph *g, int arc)
{
    while (arc >= 0 && !g->cap[arc])
        arc = g->next[arc];
    return arc;
}

int graph_begin(const graph *g, int v) { return skip_silent(g, g->first[v]); }
int graph_after(const graph *g, int arc) { return skip_silent(g, g->next[arc]); }

graph *graph_random(int n, int edges, bool directed, int max_weight, unsigned seed)
{
    graph *g = graph_make(n, directed);
    unsigned x = seed * 2654435761u + 1u;
    for (int i = 0; g && i < edges; i++) {
        int pick[3];
        for (int k = 0; k < 3; k++) {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            pick[k] = (int)(x >> 4 & 0xffffff);
        }
        int from = pick[0] % n, to = pick[1] % n;
        if (from == to)
            to = (to + 1) % n;
        if (!graph_edge(g, from, to, 1 + pick[2] % max_weight)) {
            graph_free(g);
            return NULL;
        }
    }
    return g;
}
