/* SPDX-License-Identifier: Apache-2.0 */
/* net.h - shared declarations of the packet network simulator.
 * Time is in microseconds, sizes in bytes, rates in bytes per millisecond. */
#ifndef NET_H
#define NET_H

#include <stdint.h>

#define NODES 12
#define LINKS 48
#define PACKETS 2048
#define EVENTS 8192
#define MAX_TTL 16

typedef uint32_t addr_t;
typedef uint32_t usec_t;

enum drop_reason { DROP_QUEUE, DROP_RED, DROP_TTL, DROP_NO_ROUTE, DROP_LINK_DOWN, DROP_POOL, DROP_REASONS };

struct packet {
	addr_t src, dst;
	uint16_t size;
	uint8_t ttl;
	uint8_t class;		/* 0 is the most urgent */
	uint16_t flow;
	usec_t born;
	uint8_t hops;
	struct packet *next;
};

/* packet pool, pool.c */
void pool_reset(void);
struct packet *pool_get(void);
void pool_put(struct packet *p);
int pool_in_use(void);

/* longest prefix match, trie.c */
struct trie;
void trie_reset(struct trie *t);
struct trie *trie_of_node(int node);
int trie_insert(struct trie *t, addr_t prefix, int bits, int value);
int trie_remove(struct trie *t, addr_t prefix, int bits);
int trie_lookup(const struct trie *t, addr_t a);
int trie_size(const struct trie *t);
int parse_prefix(const char *text, addr_t *prefix, int *bits);

/* queue disciplines, queue.c */
struct queue;
struct qdisc_ops {
	const char *name;
	void (*init)(struct queue *q);
	int (*enqueue)(struct queue *q, struct packet *p);	/* -1: accepted, else reason */
	struct packet *(*dequeue)(struct queue *q);
};
#define CLASSES 3
struct lane {
	struct packet *head, *tail;
	int count, bytes, deficit;
};
struct queue {
	const struct qdisc_ops *ops;
	struct lane lane[CLASSES];
	int bytes, limit;
	int cursor;
	uint32_t average;	/* RED: mean occupancy, 16.16 fixed point */
	uint32_t rng;
	int peak;
};
const struct qdisc_ops *qdisc_find(const char *name);
void queue_init(struct queue *q, const struct qdisc_ops *ops, int limit, uint32_t seed);

/* topology and routes, routing.c */
struct link {
	int from, to;
	int rate, delay, cost;
	int up, busy;
	struct queue q;
	long bytes_sent;
};
struct network {
	int nodes, links;
	struct link link[LINKS];
};
typedef int (*route_algorithm)(const struct network *n, int next_hop[NODES][NODES],
			       int dist[NODES][NODES]);
int net_connect(struct network *n, int a, int b, int rate, int delay, int cost);
void net_set_link(struct network *n, int a, int b, int up);
int route_dijkstra(const struct network *n, int next_hop[NODES][NODES], int dist[NODES][NODES]);
int route_vector(const struct network *n, int next_hop[NODES][NODES], int dist[NODES][NODES]);
void install_routes(const struct network *n, int next_hop[NODES][NODES]);
addr_t node_prefix(int node);

/* event loop, sim.c */
struct flow {
	int src, dst, class;
	int size;
	usec_t gap, start, stop;
	int burst;		/* packets sent back to back */
	int jitter;
	long sent, delivered, bytes;
	uint64_t delay_sum;
	usec_t delay_max;
	int hops_max;
};
struct stats {
	long sent, delivered, dropped[DROP_REASONS];
	long events;
	usec_t finished;
	uint32_t digest;
};
void sim_reset(struct network *n, route_algorithm algo, uint32_t seed);
int sim_add_flow(struct flow f);
void sim_fail_link(int a, int b, usec_t down, usec_t up);
void sim_run(struct stats *out);
const struct flow *sim_flow(int i);
int sim_flow_count(void);

#endif
