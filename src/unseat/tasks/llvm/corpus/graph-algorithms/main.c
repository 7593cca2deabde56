/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c - a command language on stdin ("graph", "edge", "random", then the
 * name of an algorithm), and a stress test where methods check one another.
 */
#include "graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 512 };

static graph *current;
static int buffer_a[LIMIT], buffer_b[LIMIT];
static bool flags[LIMIT];

static void print_list(const char *title, const int *v, int n)
{
    printf("%s:", title);
    for (int i = 0; i < n; i++)
        printf(v[i] == INFINITE ? " -" : " %d", v[i]);
    putchar('\n');
}

static void run_graph(int n, int directed)
{
    graph_free(current);
    current = n <= LIMIT ? graph_make(n, directed != 0) : NULL;
    if (current)
        printf("== %s graph of %d\n", directed ? "directed" : "undirected", n);
    else
        printf("cannot make a graph of %d\n", n);
}

static void run_bfs(int source, int unused)
{
    (void)unused;
    printf("bfs from %d reaches %d\n", source, bfs(current, source, buffer_a));
    print_list("  hops", buffer_a, current->n);
}

static void run_dijkstra(int source, int target)
{
    int settled = dijkstra(current, source, buffer_a, buffer_b), path[LIMIT];
    if (settled < 0) {
        puts("dijkstra: negative weight");
        return;
    }
    print_list("dijkstra", buffer_a, current->n);
    if (buffer_a[target] < INFINITE)
        print_list("  path", path, path_to(buffer_b, target, path, LIMIT));
}

static void run_bellman(int source, int unused)
{
    (void)unused;
    if (bellman_ford(current, source, buffer_a))
        print_list("bellman-ford", buffer_a, current->n);
    else
        puts("bellman-ford: negative cycle");
}

static void run_topo(int a, int b)
{
    (void)a, (void)b;
    int n = topological(current, buffer_a);
    print_list(n == current->n ? "topological" : "topological (cyclic)", buffer_a, n);
}

static void run_scc(int a, int b)
{
    (void)a, (void)b;
    printf("%d strong components\n", strong_components(current, buffer_a));
    print_list("  labels", buffer_a, current->n);
}

static void run_cuts(int a, int b)
{
    (void)a, (void)b;
    int n = cut_structure(current, flags, buffer_a, LIMIT);
    printf("%d bridges:", n);
    for (int i = 0; i < n; i++)
        printf(" %d-%d", current->to[2 * buffer_a[i] + 1], current->to[2 * buffer_a[i]]);
    printf("; cut vertices:");
    for (int v = 0; v < current->n; v++)
        if (flags[v])
            printf(" %d", v);
    putchar('\n');
}

static void run_mst(int a, int b)
{
    (void)a, (void)b;
    int count;
    long sum = kruskal(current, buffer_a, &count);
    printf("spanning forest: kruskal %ld, prim %ld, %d edges, %d components\n", sum, prim(current),
           count, components(current, buffer_b));
}

static void run_flow(int source, int sink)
{
    printf("max flow %d->%d: %d, source side:", source, sink, max_flow(current, source, sink, flags));
    for (int v = 0; v < current->n; v++)
        if (flags[v])
            printf(" %d", v);
    putchar('\n');
}

static void run_match(int left, int unused)
{
    (void)unused;
    printf("matching of size %d\n", bipartite_match(current, left, buffer_a));
    print_list("  mates", buffer_a, left);
}

static void run_euler(int a, int b)
{
    (void)a, (void)b;
    int n = euler_circuit(current, buffer_a, LIMIT);
    if (n < 0)
        puts("no euler circuit");
    else
        print_list("euler circuit", buffer_a, n);
}

static void run_colour(int a, int b)
{
    (void)a, (void)b;
    printf("coloured with %d\n", greedy_colours(current, buffer_a));
    print_list("  colours", buffer_a, current->n);
}

enum { VERTEX_1 = 1, VERTEX_2 = 2, NO_GRAPH = 4 };

static const struct {
    const char *name;
    int args;
    int checks;
    void (*run)(int, int);
} commands[] = {
    { "graph", 2, NO_GRAPH, run_graph },
    { "bfs", 1, VERTEX_1, run_bfs },
    { "dijkstra", 2, VERTEX_1 | VERTEX_2, run_dijkstra },
    { "bellman", 1, VERTEX_1, run_bellman },
    { "topo", 0, 0, run_topo },
    { "scc", 0, 0, run_scc },
    { "cuts", 0, 0, run_cuts },
    { "mst", 0, 0, run_mst },
    { "flow", 2, VERTEX_1 | VERTEX_2, run_flow },
    { "match", 1, VERTEX_1, run_match },
    { "euler", 0, 0, run_euler },
    { "colour", 0, 0, run_colour },
};

static bool vertex_ok(int v) { return v >= 0 && v < current->n; }

static void execute(const char *word, int argc, const int *argv, int line)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, word))
            continue;
        if (argc != commands[i].args)
            printf("line %d: %s takes %d numbers\n", line, word, commands[i].args);
        else if (!(commands[i].checks & NO_GRAPH) && !current)
            printf("line %d: no graph yet\n", line);
        else if (((commands[i].checks & VERTEX_1) && !vertex_ok(argv[0])) ||
                 ((commands[i].checks & VERTEX_2) && !vertex_ok(argv[1])))
            printf("line %d: no such vertex\n", line);
        else
            commands[i].run(argv[0], argv[1]);
        return;
    }
    printf("line %d: unknown command '%s'\n", line, word);
}

/* "edge a b [w] [a b [w]]..." would be ambiguous: one edge to a line. */
static void interpret(char *text, int line)
{
    char *word = strtok(text, " \t\n");
    int argv[4] = { 0, 0, 1, 0 }, argc = 0;
    if (!word || *word == '#')
        return;
    for (char *t; argc < 4 && (t = strtok(NULL, " \t\n")) != NULL;) {
        char *end;
        long v = strtol(t, &end, 10);
        if (*end || v < -100000 || v > 100000) {
            printf("line %d: bad number '%s'\n", line, t);
            return;
        }
        argv[argc++] = (int)v;
    }
    if (strcmp(word, "edge")) {
        execute(word, argc, argv, line);
    } else if (!current || argc < 2 || argc > 3 || !graph_edge(current, argv[0], argv[1], argv[2])) {
        printf("line %d: bad edge\n", line);
    }
}

static long check_paths(const graph *g)
{
    static int all[120 * 120];
    long wrong = !floyd_warshall(g, all);
    for (int s = 0; s < g->n; s += 7) {
        dijkstra(g, s, buffer_a, buffer_b);
        wrong += memcmp(buffer_a, all + s * g->n, (size_t)g->n * sizeof(int)) != 0;
        wrong += !bellman_ford(g, s, buffer_b);
        wrong += memcmp(buffer_a, buffer_b, (size_t)g->n * sizeof(int)) != 0;
        for (int v = 0; v < g->n; v++)
            wrong += (buffer_a[v] == INFINITE) != (all[s * g->n + v] == INFINITE);
    }
    return wrong;
}

static long check_flow(const graph *g, int *total)
{
    int value = max_flow(g, 0, g->n - 1, flags), cut = 0;
    for (int v = 0; v < g->n; v++)
        for (int a = graph_begin(g, v); a >= 0; a = graph_after(g, a))
            if (flags[v] && !flags[g->to[a]])
                cut += g->weight[a];
    *total += value;
    return value != cut;
}

static long check_components(const graph *g, int *total)
{
    static int reach[120][120];
    int count = strong_components(g, buffer_a);
    long wrong = 0;
    for (int v = 0; v < g->n; v++)
        bfs(g, v, reach[v]);
    for (int v = 0; v < g->n; v++)
        for (int w = 0; w < g->n; w++)
            wrong += (buffer_a[v] == buffer_a[w]) != (reach[v][w] >= 0 && reach[w][v] >= 0);
    *total += count;
    return wrong;
}

static long check_colours(const graph *g, int *total)
{
    long wrong = 0;
    *total += greedy_colours(g, buffer_a);
    for (int a = 0; a < g->arcs; a++)
        wrong += buffer_a[g->to[a]] == buffer_a[g->to[a ^ 1]];
    return wrong;
}

static void stress(void)
{
    long wrong = 0, forest = 0;
    int flow = 0, strong = 0, colours = 0, bridges = 0, count;
    for (unsigned seed = 1; seed <= 12; seed++) {
        graph *d = graph_random(90 + (int)seed, 150 + 20 * (int)seed, true, 50, seed);
        graph *u = graph_random(100, 90 + 10 * (int)seed, false, 50, seed + 100);
        if (!d || !u)
            abort();
        wrong += check_paths(d) + check_paths(u);
        wrong += check_flow(d, &flow) + check_flow(u, &flow);
        wrong += check_components(d, &strong) + check_colours(u, &colours);
        long k = kruskal(u, buffer_a, &count);
        wrong += k != prim(u);
        wrong += count + components(u, buffer_b) != u->n;
        forest += k;
        bridges += cut_structure(u, flags, buffer_a, LIMIT);
        graph_free(d);
        graph_free(u);
    }
    printf("stress: wrong %ld, forest %ld, flow %d, strong %d, colours %d, bridges %d\n", wrong, forest,
           flow, strong, colours, bridges);
}

int main(void)
{
    char text[256];
    for (int line = 1; fgets(text, sizeof text, stdin); line++)
        interpret(text, line);
    graph_free(current);
    current = NULL;
    stress();
    return 0;
}
