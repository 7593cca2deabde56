/* SPDX-License-Identifier: Apache-2.0
 *
 * traverse.c - everything that follows from a systematic walk: distances in
 * hops, components, orders, cut vertices, Euler circuits and colouring.
 */
#include "graph.h"

#include <stdlib.h>

static void *need(size_t count, size_t size)
{
    void *p = calloc(count + 1, size);
    if (!p)
        abort();
    return p;
}

int bfs(const graph *g, int source, int *dist)
{
    int *queue = need((size_t)g->n, sizeof *queue);
    int head = 0, tail = 0;
    for (int v = 0; v < g->n; v++)
        dist[v] = -1;
    dist[source] = 0;
    queue[tail++] = source;
    while (head < tail) {
        int v = queue[head++];
        for (int a = graph_begin(g, v); a >= 0; a = graph_after(g, a)) {
            if (dist[g->to[a]] >= 0)
                continue;
            dist[g->to[a]] = dist[v] + 1;
            queue[tail++] = g->to[a];
        }
    }
    free(queue);
    return tail;
}

static void spread(const graph *g, int v, int mark, int *label)
{
    label[v] = mark;
    for (int a = g->first[v]; a >= 0; a = g->next[a]) /* both directions */
        if (label[g->to[a]] < 0)
            spread(g, g->to[a], mark, label);
}

int components(const graph *g, int *label)
{
    int count = 0;
    for (int v = 0; v < g->n; v++)
        label[v] = -1;
    for (int v = 0; v < g->n; v++)
        if (label[v] < 0)
            spread(g, v, count++, label);
    return count;
}

int topological(const graph *g, int *order)
{
    int *indegree = need((size_t)g->n, sizeof *indegree);
    int placed = 0, done = 0;
    for (int v = 0; v < g->n; v++)
        for (int a = graph_begin(g, v); a >= 0; a = graph_after(g, a))
            indegree[g->to[a]]++;
    for (int v = 0; v < g->n; v++)
        if (!indegree[v])
            order[placed++] = v;
    while (done < placed) {
        int v = order[done++];
        for (int a = graph_begin(g, v); a >= 0; a = graph_after(g, a))
            if (--indegree[g->to[a]] == 0)
                order[placed++] = g->to[a];
    }
    free(indegree);
    return placed;
}

typedef struct {
    const graph *g;
    int *index, *low, *stack, *label;
    int clock, top, count;
} scc_state;

static void scc_visit(scc_state *s, int v)
{
    s->index[v] = s->low[v] = ++s->clock;
    s->stack[s->top++] = v;
    for (int a = graph_begin(s->g, v); a >= 0; a = graph_after(s->g, a)) {
        int w = s->g->to[a];
        if (!s->index[w]) {
            scc_visit(s, w);
            if (s->low[w] < s->low[v])
                s->low[v] = s->low[w];
        } else if (s->label[w] < 0 && s->index[w] < s->low[v]) {
            s->low[v] = s->index[w];
        }
    }
    if (s->low[v] != s->index[v])
        return;
    int w;
    do {
        w = s->stack[--s->top];
        s->label[w] = s->count;
    } while (w != v);
    s->count++;
}

int strong_components(const graph *g, int *label)
{
    size_t n = (size_t)g->n;
    scc_state s = { g, need(n, sizeof(int)), need(n, sizeof(int)), need(n, sizeof(int)), label, 0, 0, 0 };
    for (int v = 0; v < g->n; v++)
        label[v] = -1;
    for (int v = 0; v < g->n; v++)
        if (!s.index[v])
            scc_visit(&s, v);
    free(s.index);
    free(s.low);
    free(s.stack);
    return s.count;
}

typedef struct {
    const graph *g;
    int *depth, *low;
    bool *is_cut;
    int *bridges, found, room;
} cut_state;

static void cut_visit(cut_state *s, int v, int by_arc, int depth)
{
    int kids = 0;
    s->depth[v] = s->low[v] = depth;
    for (int a = graph_begin(s->g, v); a >= 0; a = graph_after(s->g, a)) {
        int w = s->g->to[a];
        if ((a ^ 1) == by_arc)
            continue;
        if (s->depth[w]) {
            if (s->depth[w] < s->low[v])
                s->low[v] = s->depth[w];
            continue;
        }
        kids++;
        cut_visit(s, w, a, depth + 1);
        if (s->low[w] < s->low[v])
            s->low[v] = s->low[w];
        if (by_arc >= 0 && s->low[w] >= depth)
            s->is_cut[v] = true;
        if (s->low[w] > depth) {
            if (s->found < s->room)
                s->bridges[s->found] = a / 2;
            s->found++;
        }
    }
    if (by_arc < 0 && kids > 1)
        s->is_cut[v] = true;
}

/* Undirected graphs only; returns the number of bridges. */
int cut_structure(const graph *g, bool *is_cut, int *bridges, int max_bridges)
{
    cut_state s = { g, need((size_t)g->n, sizeof(int)), need((size_t)g->n, sizeof(int)), is_cut, bridges, 0, max_bridges };
    for (int v = 0; v < g->n; v++)
        is_cut[v] = false;
    for (int v = 0; v < g->n; v++)
        if (!s.depth[v])
            cut_visit(&s, v, -1, 1);
    free(s.depth);
    free(s.low);
    return s.found;
}

static int degree(const graph *g, int v)
{
    int d = 0;
    for (int a = graph_begin(g, v); a >= 0; a = graph_after(g, a))
        d++;
    return d;
}

/* Hierholzer with an explicit stack. */
int euler_circuit(const graph *g, int *walk, int max)
{
    int start = -1, length = 0, top = 0;
    for (int v = 0; v < g->n; v++) {
        int d = degree(g, v);
        if (d % 2)
            return -1;
        if (d && start < 0)
            start = v;
    }
    if (g->directed || start < 0 || max < graph_edges(g) + 1)
        return -1;
    bool *used = need((size_t)graph_edges(g), sizeof *used);
    int *cursor = need((size_t)g->n, sizeof *cursor);
    int *stack = need((size_t)graph_edges(g) + 1, sizeof *stack);
    for (int v = 0; v < g->n; v++)
        cursor[v] = g->first[v];
    stack[top++] = start;
    while (top) {
        int v = stack[top - 1];
        while (cursor[v] >= 0 && used[cursor[v] / 2])
            cursor[v] = g->next[cursor[v]];
        if (cursor[v] < 0) {
            walk[length++] = v;
            top--;
        } else {
            used[cursor[v] / 2] = true;
            stack[top++] = g->to[cursor[v]];
        }
    }
    free(used);
    free(cursor);
    free(stack);
    return length == graph_edges(g) + 1 ? length : -1;
}

/* Welsh-Powell: vertices by falling degree, smallest free colour. */
int greedy_colours(const graph *g, int *colour)
{
    int *order = need((size_t)g->n, sizeof *order), *taken = need((size_t)g->n, sizeof *taken);
    int most = 0;
    for (int i = 0; i < g->n; i++) {
        int j = i, d = degree(g, i);
        for (; j > 0 && degree(g, order[j - 1]) < d; j--)
            order[j] = order[j - 1];
        order[j] = i;
        colour[i] = -1;
    }
    for (int i = 0; i < g->n; i++) {
        int v = order[i], c = 0;
        for (int a = g->first[v]; a >= 0; a = g->next[a])
            if (colour[g->to[a]] >= 0)
                taken[colour[g->to[a]]] = i + 1;
        while (taken[c] == i + 1)
            c++;
        colour[v] = c;
        most = c + 1 > most ? c + 1 : most;
    }
    free(order);
    free(taken);
    return most;
}
