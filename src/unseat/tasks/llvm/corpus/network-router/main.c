/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - prefix tests, a line whose delays can be computed by hand, and
 * a congested backbone under every queue discipline. */
#include "net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct network net;

static void test_prefixes(void)
{
	static const struct { const char *text; int value; } routes[] = {
		{ "0.0.0.0/0", 0 }, { "10.0.0.0/8", 1 }, { "10.1.0.0/16", 2 },
		{ "10.1.2.0/24", 3 }, { "10.1.2.128/25", 4 }, { "192.168.0.1", 5 },
	};
	static const char *const probes[] = { "8.8.8.8", "10.9.9.9", "10.1.9.9", "10.1.2.3",
					      "10.1.2.200", "192.168.0.1", "192.168.0.2" };
	static const char *const bad[] = { "10.0.0", "10.0.0.0/33", "256.0.0.0/8", "10.0.0.1/8",
					   "10.0.0.0/8x" };
	struct trie *t = trie_of_node(0);
	addr_t a;
	int bits;

	trie_reset(t);
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
		if (parse_prefix(routes[i].text, &a, &bits) == 0)
			trie_insert(t, a, bits, routes[i].value);
	for (int round = 0; round < 2; round++) {
		printf("lookup with %d routes:", trie_size(t));
		for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
			parse_prefix(probes[i], &a, &bits);
			printf(" %d", trie_lookup(t, a));
		}
		putchar('\n');
		parse_prefix("10.1.2.0/24", &a, &bits);
		printf("remove: %d", trie_remove(t, a, bits));
		printf(" %d\n", trie_remove(t, a, bits));
	}
	printf("bad prefixes:");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		printf(" %d", parse_prefix(bad[i], &a, &bits));
	putchar('\n');
}

/* Tries against a linear scan on random routes. */
static void test_trie_random(void)
{
	struct { addr_t p; int bits, value; } list[60];
	struct trie *t = trie_of_node(1);
	uint32_t x = 1;
	int wrong = 0;

	trie_reset(t);
	for (int i = 0; i < 60; i++) {
		x = x * 1664525u + 1013904223u;
		list[i].bits = (int)(x >> 28) / 2 + 1;
		list[i].p = (x << 4) & (0xffffffffu << (32 - list[i].bits));
		list[i].value = i;
		trie_insert(t, list[i].p, list[i].bits, i);
	}
	for (int k = 0; k < 5000; k++) {
		int best = -1, bits = -1;
		x = x * 1664525u + 1013904223u;
		for (int i = 0; i < 60; i++)
			if (!((x ^ list[i].p) >> (32 - list[i].bits)) && list[i].bits >= bits) {
				bits = list[i].bits;
				best = i;
			}
		wrong += trie_lookup(t, x) != best;
	}
	printf("random lookups wrong: %d\n", wrong);
}

static void give_queues(const char *name, int limit)
{
	const struct qdisc_ops *ops = qdisc_find(name);

	if (!ops) {
		printf("no discipline %s\n", name);
		exit(1);
	}
	for (int i = 0; i < net.links; i++)
		queue_init(&net.link[i].q, ops, limit, 77u + (uint32_t)i);
}

static void print_flows(void)
{
	for (int i = 0; i < sim_flow_count(); i++) {
		const struct flow *f = sim_flow(i);
		printf("  flow %d: %d->%d class %d sent %4ld got %4ld mean %6ld us max %6ld us hops %d\n", i,
		       f->src, f->dst, f->class, f->sent, f->delivered,
		       f->delivered ? (long)(f->delay_sum / (uint64_t)f->delivered) : 0L,
		       (long)f->delay_max, f->hops_max);
	}
}

static void print_stats(const struct stats *s)
{
	static const char *const names[] = { "full", "early", "ttl", "no-route", "link-down", "pool" };
	long lost = 0;

	printf("  events %ld end %ld us digest %08lx drops:", s->events, (long)s->finished,
	       (unsigned long)s->digest);
	for (int i = 0; i < DROP_REASONS; i++) {
		lost += s->dropped[i];
		if (s->dropped[i])
			printf(" %s %ld", names[i], s->dropped[i]);
	}
	printf("%s; balance %s\n", lost ? "" : " none",
	       s->sent == s->delivered + lost && pool_in_use() == 0 ? "ok" : "WRONG");
}

/* 0 - 1 - 2 - 3, idle: delay = 3 * (1000 B / 1000 B per ms + 500 us) = 4500. */
static void line_network(void)
{
	struct stats s;

	memset(&net, 0, sizeof net);
	for (int i = 0; i < 3; i++)
		net_connect(&net, i, i + 1, 1000, 500, 1);
	printf("bad links: %d %d\n", net_connect(&net, 2, 2, 1, 1, 1), net_connect(&net, 0, NODES, 1, 1, 1));
	give_queues("fifo", 20000);
	sim_reset(&net, route_dijkstra, 5);
	sim_add_flow((struct flow){ .src = 0, .dst = 3, .class = 0, .size = 1000, .gap = 10000,
				    .stop = 100000, .burst = 1 });
	sim_add_flow((struct flow){ .src = 3, .dst = 0, .class = 1, .size = 500, .gap = 10000,
				    .stop = 100000, .burst = 4 });
	printf("bad flow: %d\n", sim_add_flow((struct flow){ .src = 1, .dst = 1, .size = 1 }));
	sim_run(&s);
	puts("line:");
	print_flows();
	print_stats(&s);
}

static void backbone(void)
{
	static const int edges[][5] = {
		{ 0, 1, 1250, 300, 2 }, { 1, 2, 1250, 300, 2 }, { 2, 3, 1250, 300, 2 },
		{ 3, 4, 1250, 300, 2 }, { 4, 5, 1250, 300, 2 }, { 5, 0, 1250, 300, 2 },
		{ 0, 6, 900, 700, 3 }, { 6, 3, 900, 700, 3 }, { 1, 7, 600, 200, 1 },
		{ 2, 8, 600, 200, 1 }, { 4, 9, 600, 200, 1 }, { 5, 10, 600, 200, 1 },
		{ 6, 11, 600, 200, 1 }, { 7, 8, 400, 900, 5 }, { 9, 10, 400, 900, 5 },
	};

	memset(&net, 0, sizeof net);
	for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
		net_connect(&net, edges[i][0], edges[i][1], edges[i][2], edges[i][3], edges[i][4]);
}

static void compare_algorithms(void)
{
	static int hop_a[NODES][NODES], hop_b[NODES][NODES], da[NODES][NODES], db[NODES][NODES];
	int work = route_dijkstra(&net, hop_a, da), rounds = route_vector(&net, hop_b, db);
	int differ = 0, sum = 0, diameter = 0;

	for (int i = 0; i < net.nodes; i++)
		for (int j = 0; j < net.nodes; j++) {
			differ += da[i][j] != db[i][j];
			sum += da[i][j];
			diameter = da[i][j] > diameter ? da[i][j] : diameter;
		}
	printf("routing: %d nodes, %d links, improvements %d, rounds %d, costs differ %d, sum %d, diameter %d\n",
	       net.nodes, net.links, work, rounds, differ, sum, diameter);
}

static void congest(const char *discipline, route_algorithm algo)
{
	static const struct flow load[] = {
		{ .src = 7, .dst = 9, .class = 0, .size = 200, .gap = 1200, .burst = 1, .jitter = 300 },
		{ .src = 8, .dst = 10, .class = 1, .size = 1000, .gap = 2500, .burst = 1, .jitter = 900 },
		{ .src = 7, .dst = 10, .class = 2, .size = 1500, .gap = 16000, .burst = 10, .jitter = 4000 },
		{ .src = 11, .dst = 9, .class = 1, .size = 800, .gap = 1900, .burst = 1, .jitter = 200 },
		{ .src = 8, .dst = 9, .class = 2, .size = 1400, .gap = 9000, .burst = 5, .jitter = 100 },
	};
	struct stats s;

	backbone();
	give_queues(discipline, 12000);
	sim_reset(&net, algo, 4711);
	for (size_t i = 0; i < sizeof load / sizeof load[0]; i++) {
		struct flow f = load[i];
		f.start = (usec_t)(i * 137);
		f.stop = 2000000;
		sim_add_flow(f);
	}
	sim_fail_link(0, 5, 700000, 1100000);
	sim_fail_link(3, 4, 900000, 1000000);
	sim_run(&s);
	printf("%s, %s:\n", discipline, algo == route_dijkstra ? "link state" : "distance vector");
	print_flows();
	print_stats(&s);
	int peak = 0;
	long carried = 0;
	for (int i = 0; i < net.links; i++) {
		peak = net.link[i].q.peak > peak ? net.link[i].q.peak : peak;
		carried += net.link[i].bytes_sent;
	}
	printf("  peak queue %d bytes, carried %ld bytes\n", peak, carried);
}

int main(void)
{
	static const char *const names[] = { "fifo", "red", "priority", "drr" };

	test_prefixes();
	test_trie_random();
	line_network();
	backbone();
	compare_algorithms();
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		congest(names[i], i & 1 ? route_vector : route_dijkstra);
	return 0;
}
