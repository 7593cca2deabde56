/* SPDX-License-Identifier: Apache-2.0
 *
 * paths.c - shortest paths: Dijkstra on an indexed heap, Bellman-Ford and
 * Floyd-Warshall.
 */
#include "graph.h"

#include <stdlib.h>

typedef struct {
    int *item, *place;  /* place[v]: position in item, or -1 */
    const int *key;
    int size;
} heap;

static void put_at(heap *h, int i, int v)
{
    h->item[i] = v;
    h->place[v] = i;
}

static void rise(heap *h, int i)
{
    int v = h->item[i];
    while (i > 0 && h->key[h->item[(i - 1) / 2]] > h->key[v]) {
        put_at(h, i, h->item[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put_at(h, i, v);
}

static void sink(heap *h, int i)
{
    int v = h->item[i], kid;
    while ((kid = 2 * i + 1) < h->size) {
        if (kid + 1 < h->size && h->key[h->item[kid + 1]] < h->key[h->item[kid]])
            kid++;
        if (h->key[h->item[kid]] >= h->key[v])
            break;
        put_at(h, i, h->item[kid]);
        i = kid;
    }
    put_at(h, i, v);
}

static void heap_update(heap *h, int v)
{
    if (h->place[v] < 0)
        put_at(h, h->size++, v);
    rise(h, h->place[v]);
}

static int heap_pop(heap *h)
{
    int v = h->item[0];
    h->place[v] = -1;
    if (--h->size > 0) {
        put_at(h, 0, h->item[h->size]);
        sink(h, 0);
    }
    return v;
}

/* Returns the number of settled vertices, or -1 on a negative weight. */
int dijkstra(const graph *g, int source, int *dist, int *parent)
{
    int settled = 0;
    heap h = { malloc(((size_t)g->n + 1) * sizeof(int)), malloc(((size_t)g->n + 1) * sizeof(int)), dist, 0 };
    if (!h.item || !h.place)
        abort();
    for (int v = 0; v < g->n; v++) {
        dist[v] = INFINITE;
        parent[v] = h.place[v] = -1;
    }
    dist[source] = 0;
    heap_update(&h, source);
    while (h.size && settled >= 0) {
        int v = heap_pop(&h);
        settled++;
        for (int a = graph_begin(g, v); a >= 0; a = graph_after(g, a)) {
            if (g->weight[a] < 0) {
                settled = -1;
                break;
            }
            int w = g->to[a], d = dist[v] + g->weight[a];
            if (d < dist[w]) {
                dist[w] = d;
                parent[w] = v;
                heap_update(&h, w);
            }
        }
    }
    free(h.item);
    free(h.place);
    return settled;
}

static bool relax_all(const graph *g, int *dist)
{
    bool changed = false;
    for (int v = 0; v < g->n; v++) {
        if (dist[v] == INFINITE)
            continue;
        for (int a = graph_begin(g, v); a >= 0; a = graph_after(g, a)) {
            int d = dist[v] + g->weight[a];
            if (d < dist[g->to[a]]) {
                dist[g->to[a]] = d;
                changed = true;
            }
        }
    }
    return changed;
}

bool bellman_ford(const graph *g, int source, int *dist)
{
    for (int v = 0; v < g->n; v++)
        dist[v] = INFINITE;
    dist[source] = 0;
    for (int round = 0; round < g->n; round++)
        if (!relax_all(g, dist))
            return true;
    return false;
}

bool floyd_warshall(const graph *g, int *d)
{
    int n = g->n;
    for (int i = 0; i < n * n; i++)
        d[i] = i / n == i % n ? 0 : INFINITE;
    for (int v = 0; v < n; v++)
        for (int a = graph_begin(g, v); a >= 0; a = graph_after(g, a))
            if (g->weight[a] < d[v * n + g->to[a]])
                d[v * n + g->to[a]] = g->weight[a];
    for (int k = 0; k < n; k++)
        for (int i = 0; i < n; i++) {
            if (d[i * n + k] == INFINITE)
                continue;
            for (int j = 0; j < n; j++) {
                if (d[k * n + j] == INFINITE)
                    continue;
                int via = d[i * n + k] + d[k * n + j];
                if (via < d[i * n + j])
                    d[i * n + j] = via;
            }
        }
    for (int v = 0; v < n; v++)
        if (d[v * n + v] < 0)
            return false;
    return true;
}

int path_to(const int *parent, int target, int *out, int max)
{
    int n = 0;
    for (int v = target; v >= 0 && n < max; v = parent[v])
        out[n++] = v;
    for (int i = 0; i < n / 2; i++) {
        int t = out[i];
        out[i] = out[n - 1 - i];
        out[n - 1 - i] = t;
    }
    return n;
}
