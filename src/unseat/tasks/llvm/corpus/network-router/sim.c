/* SPDX-License-Identifier: Apache-2.0 */
/* sim.c - the event loop: emissions, transmissions, arrivals, failures. */
#include "net.h"

#include <string.h>

enum kind { EV_EMIT, EV_SENT, EV_ARRIVE, EV_LINK, EV_KINDS };

struct event {
	usec_t when;
	uint32_t order;		/* ties are served in order of creation */
	enum kind kind;
	int a, b;
	struct packet *p;
};

static struct event heap[EVENTS];
static int heap_size;
static uint32_t order;
static usec_t now;
static struct network *net;
static route_algorithm algorithm;
static struct flow flows[32];
static int nflows;
static struct stats st;
static uint32_t rng;

static int earlier(const struct event *x, const struct event *y)
{
	return x->when != y->when ? x->when < y->when : x->order < y->order;
}

static void swap_events(int i, int j)
{
	struct event t = heap[i];
	heap[i] = heap[j];
	heap[j] = t;
}

static int schedule(usec_t when, enum kind kind, int a, int b, struct packet *p)
{
	if (heap_size == EVENTS)
		return -1;
	int i = heap_size++;
	heap[i] = (struct event){ when, order++, kind, a, b, p };
	for (; i && earlier(&heap[i], &heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap_events(i, (i - 1) / 2);
	return 0;
}

static struct event next_event(void)
{
	struct event top = heap[0];
	int i = 0, kid;

	heap[0] = heap[--heap_size];
	while ((kid = 2 * i + 1) < heap_size) {
		if (kid + 1 < heap_size && earlier(&heap[kid + 1], &heap[kid]))
			kid++;
		if (!earlier(&heap[kid], &heap[i]))
			break;
		swap_events(i, kid);
		i = kid;
	}
	return top;
}

static uint32_t random_below(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 17;
	rng ^= rng << 5;
	return rng % n;
}

static void drop(struct packet *p, int reason)
{
	st.dropped[reason]++;
	pool_put(p);
}

static void deliver(struct packet *p)
{
	struct flow *f = &flows[p->flow];
	usec_t delay = now - p->born;

	f->delivered++;
	f->bytes += p->size;
	f->delay_sum += delay;
	f->delay_max = delay > f->delay_max ? delay : f->delay_max;
	f->hops_max = p->hops > f->hops_max ? p->hops : f->hops_max;
	st.delivered++;
	st.digest = (st.digest ^ (now + p->flow)) * 16777619u;
	pool_put(p);
}

static void transmit(int link)
{
	struct link *l = &net->link[link];
	struct packet *p;

	if (l->busy || !(p = l->q.ops->dequeue(&l->q)))
		return;
	l->busy = 1;
	l->bytes_sent += p->size;
	usec_t serial = (usec_t)((p->size * 1000 + l->rate - 1) / l->rate);
	if (schedule(now + serial, EV_SENT, link, 0, p) < 0) {
		l->busy = 0;
		drop(p, DROP_POOL);
	}
}

static void forward(int node, struct packet *p)
{
	if ((p->dst & 0xffff0000u) == node_prefix(node)) {
		deliver(p);
		return;
	}
	if (p->ttl-- == 0) {
		drop(p, DROP_TTL);
		return;
	}
	int link = trie_lookup(trie_of_node(node), p->dst);
	if (link < 0) {
		drop(p, DROP_NO_ROUTE);
		return;
	}
	struct queue *q = &net->link[link].q;
	int reason = q->ops->enqueue(q, p);
	if (reason >= 0)
		drop(p, reason);
	else
		transmit(link);
}

static void on_emit(struct event *e)
{
	struct flow *f = &flows[e->a];

	for (int i = 0; i < f->burst; i++) {
		struct packet *p = pool_get();
		f->sent++;
		st.sent++;
		if (!p) {
			st.dropped[DROP_POOL]++;
			continue;
		}
		p->src = node_prefix(f->src) | 1;
		p->dst = node_prefix(f->dst) | (addr_t)(1 + i);
		p->size = (uint16_t)f->size;
		p->ttl = MAX_TTL;
		p->class = (uint8_t)f->class;
		p->flow = (uint16_t)e->a;
		p->born = now;
		forward(f->src, p);
	}
	usec_t again = now + f->gap + (f->jitter ? random_below((uint32_t)f->jitter) : 0);
	if (again < f->stop)
		schedule(again, EV_EMIT, e->a, 0, 0);
}

static void on_sent(struct event *e)
{
	struct link *l = &net->link[e->a];

	l->busy = 0;
	if (!l->up)
		drop(e->p, DROP_LINK_DOWN);
	else if (schedule(now + (usec_t)l->delay, EV_ARRIVE, l->to, 0, e->p) < 0)
		drop(e->p, DROP_POOL);
	transmit(e->a);
}

static void on_arrive(struct event *e)
{
	e->p->hops++;
	forward(e->a, e->p);
}

static void reroute(void)
{
	static int next_hop[NODES][NODES], dist[NODES][NODES];
	algorithm(net, next_hop, dist);
	install_routes(net, next_hop);
}

static void on_link(struct event *e)
{
	int a = e->a / NODES, b = e->a % NODES;

	net_set_link(net, a, b, e->b);
	reroute();
}

static void (*const handlers[EV_KINDS])(struct event *) = {
	[EV_EMIT] = on_emit, [EV_SENT] = on_sent, [EV_ARRIVE] = on_arrive, [EV_LINK] = on_link,
};

void sim_reset(struct network *n, route_algorithm algo, uint32_t seed)
{
	heap_size = nflows = 0;
	order = 0;
	now = 0;
	rng = seed;
	net = n;
	algorithm = algo;
	memset(&st, 0, sizeof st);
	pool_reset();
	for (int i = 0; i < n->nodes; i++)
		trie_reset(trie_of_node(i));
	reroute();
}

int sim_add_flow(struct flow f)
{
	if (nflows == 32 || f.src == f.dst || f.class >= CLASSES || f.size <= 0)
		return -1;
	flows[nflows] = f;
	schedule(f.start, EV_EMIT, nflows, 0, 0);
	return nflows++;
}

void sim_fail_link(int a, int b, usec_t down, usec_t up)
{
	schedule(down, EV_LINK, a * NODES + b, 0, 0);
	schedule(up, EV_LINK, a * NODES + b, 1, 0);
}

void sim_run(struct stats *out)
{
	while (heap_size) {
		struct event e = next_event();
		now = e.when;
		st.events++;
		handlers[e.kind](&e);
	}
	st.finished = now;
	*out = st;
}

const struct flow *sim_flow(int i)
{
	return &flows[i];
}

int sim_flow_count(void)
{
	return nflows;
}
