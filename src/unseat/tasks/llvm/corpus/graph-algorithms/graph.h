/* SPDX-License-Identifier: Apache-2.0
 *
 * graph.h - weighted graphs with adjacency lists in arrays, and the
 * algorithms on them.  Vertices are 0..n-1.  An undirected edge is a pair
 * of arcs 2k and 2k+1, so arc^1 is the reverse; a directed edge has its
 * reverse arc too, with capacity 0, which the traversals skip.
 */
#ifndef GRAPH_H
#define GRAPH_H

#include <stdbool.h>
#include <stddef.h>

typedef struct graph {
    int n, arcs, room;
    bool directed;
    int *first;   /* per vertex: its newest arc, or -1 */
    int *next;    /* per arc                           */
    int *to;
    int *weight;
    int *cap;     /* 0 for the silent half of a directed edge */
} graph;

#define INFINITE 1000000000

graph *graph_make(int n, bool directed);
void graph_free(graph *g);
bool graph_edge(graph *g, int from, int to, int weight);
int graph_edges(const graph *g);
graph *graph_random(int n, int edges, bool directed, int max_weight, unsigned seed);

/* for (int a = graph_begin(g, v); a >= 0; a = graph_after(g, a)) */
int graph_begin(const graph *g, int v);
int graph_after(const graph *g, int arc);

/* traverse.c */
int bfs(const graph *g, int source, int *dist);
int components(const graph *g, int *label);
int topological(const graph *g, int *order);           /* count placed */
int strong_components(const graph *g, int *label);
int cut_structure(const graph *g, bool *is_cut, int *bridges, int max_bridges);
int euler_circuit(const graph *g, int *walk, int max);  /* length, or -1 */
int greedy_colours(const graph *g, int *colour);

/* paths.c */
int dijkstra(const graph *g, int source, int *dist, int *parent);
bool bellman_ford(const graph *g, int source, int *dist); /* false: negative cycle */
bool floyd_warshall(const graph *g, int *dist);           /* n * n */
int path_to(const int *parent, int target, int *out, int max);

/* trees.c */
long kruskal(const graph *g, int *chosen, int *count);
long prim(const graph *g);

/* flow.c */
int max_flow(const graph *g, int source, int sink, bool *source_side);
int bipartite_match(const graph *g, int left, int *mate);

#endif
