/* SPDX-License-Identifier: Apache-2.0 */
/* routing.c - the topology, link-state and distance-vector routing. */
#include "net.h"

#define INF 1000000

addr_t node_prefix(int node)
{
	return 10u << 24 | (addr_t)node << 16;
}

static int add_link(struct network *n, int from, int to, int rate, int delay, int cost)
{
	if (n->links == LINKS)
		return -1;
	n->link[n->links] = (struct link){ .from = from, .to = to, .rate = rate,
					   .delay = delay, .cost = cost, .up = 1 };
	return n->links++;
}

int net_connect(struct network *n, int a, int b, int rate, int delay, int cost)
{
	if (a == b || a < 0 || b < 0 || a >= NODES || b >= NODES || rate <= 0)
		return -1;
	if (add_link(n, a, b, rate, delay, cost) < 0 || add_link(n, b, a, rate, delay, cost) < 0)
		return -1;
	n->nodes = a >= n->nodes ? a + 1 : n->nodes;
	n->nodes = b >= n->nodes ? b + 1 : n->nodes;
	return 0;
}

void net_set_link(struct network *n, int a, int b, int up)
{
	for (int i = 0; i < n->links; i++) {
		struct link *l = &n->link[i];
		if ((l->from == a && l->to == b) || (l->from == b && l->to == a))
			l->up = up;
	}
}

static void clear_tables(const struct network *n, int next_hop[NODES][NODES], int dist[NODES][NODES])
{
	for (int s = 0; s < n->nodes; s++)
		for (int d = 0; d < n->nodes; d++) {
			next_hop[s][d] = -1;
			dist[s][d] = s == d ? 0 : INF;
		}
}

static int nearest_open(const int *dist, const uint8_t *closed, int n)
{
	int best = -1;

	for (int i = 0; i < n; i++)
		if (!closed[i] && dist[i] < INF && (best < 0 || dist[i] < dist[best]))
			best = i;
	return best;
}

/* Links are named by index; next_hop holds the outgoing link. */
int route_dijkstra(const struct network *n, int next_hop[NODES][NODES], int dist[NODES][NODES])
{
	int work = 0;

	clear_tables(n, next_hop, dist);
	for (int s = 0; s < n->nodes; s++) {
		uint8_t closed[NODES] = { 0 };
		int at;
		while ((at = nearest_open(dist[s], closed, n->nodes)) >= 0) {
			closed[at] = 1;
			for (int i = 0; i < n->links; i++) {
				const struct link *l = &n->link[i];
				if (!l->up || l->from != at || dist[s][at] + l->cost >= dist[s][l->to])
					continue;
				dist[s][l->to] = dist[s][at] + l->cost;
				next_hop[s][l->to] = at == s ? i : next_hop[s][at];
				work++;
			}
		}
	}
	return work;
}

/* Rounds of neighbour exchange until no vector changes; returns rounds. */
int route_vector(const struct network *n, int next_hop[NODES][NODES], int dist[NODES][NODES])
{
	int rounds = 0, changed;

	clear_tables(n, next_hop, dist);
	do {
		changed = 0;
		for (int i = 0; i < n->links; i++) {
			const struct link *l = &n->link[i];
			if (!l->up)
				continue;
			for (int d = 0; d < n->nodes; d++) {
				int via = l->cost + dist[l->to][d];
				if (via < dist[l->from][d]) {
					dist[l->from][d] = via;
					next_hop[l->from][d] = i;
					changed = 1;
				}
			}
		}
		rounds++;
	} while (changed);
	return rounds;
}

void install_routes(const struct network *n, int next_hop[NODES][NODES])
{
	for (int s = 0; s < n->nodes; s++) {
		struct trie *t = trie_of_node(s);
		for (int d = 0; d < n->nodes; d++) {
			if (next_hop[s][d] >= 0)
				trie_insert(t, node_prefix(d), 16, next_hop[s][d]);
			else
				trie_remove(t, node_prefix(d), 16);
		}
	}
}
