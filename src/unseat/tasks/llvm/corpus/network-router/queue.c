/* SPDX-License-Identifier: Apache-2.0 */
/* queue.c - the packet pool and four queue disciplines. */
#include "net.h"

#include <string.h>

static struct packet packets[PACKETS];
static struct packet *free_packets;
static int in_use;

void pool_reset(void)
{
	free_packets = 0;
	for (int i = PACKETS - 1; i >= 0; i--) {
		packets[i].next = free_packets;
		free_packets = &packets[i];
	}
	in_use = 0;
}

struct packet *pool_get(void)
{
	struct packet *p = free_packets;

	if (!p)
		return 0;
	free_packets = p->next;
	memset(p, 0, sizeof *p);
	in_use++;
	return p;
}

void pool_put(struct packet *p)
{
	p->next = free_packets;
	free_packets = p;
	in_use--;
}

int pool_in_use(void)
{
	return in_use;
}

static void lane_push(struct queue *q, struct lane *l, struct packet *p)
{
	p->next = 0;
	if (l->tail)
		l->tail->next = p;
	else
		l->head = p;
	l->tail = p;
	l->count++;
	l->bytes += p->size;
	q->bytes += p->size;
	if (q->bytes > q->peak)
		q->peak = q->bytes;
}

static struct packet *lane_pop(struct queue *q, struct lane *l)
{
	struct packet *p = l->head;

	if (!p)
		return 0;
	l->head = p->next;
	if (!l->head)
		l->tail = 0;
	l->count--;
	l->bytes -= p->size;
	q->bytes -= p->size;
	return p;
}

static int fits(const struct queue *q, const struct packet *p)
{
	return q->bytes + p->size <= q->limit;
}

static void plain_init(struct queue *q)
{
	q->cursor = 0;
}

static int fifo_enqueue(struct queue *q, struct packet *p)
{
	if (!fits(q, p))
		return DROP_QUEUE;
	lane_push(q, &q->lane[0], p);
	return -1;
}

static struct packet *fifo_dequeue(struct queue *q)
{
	return lane_pop(q, &q->lane[0]);
}

/* Random early detection: a drop probability that rises linearly while the
 * smoothed occupancy lies between 1/4 and 3/4 of the limit. */
static int red_enqueue(struct queue *q, struct packet *p)
{
	int64_t now = (int64_t)q->bytes << 16;
	q->average = (uint32_t)((int64_t)q->average + (now - (int64_t)q->average) / 64);
	uint32_t mean = q->average >> 16, low = (uint32_t)q->limit / 4, high = low * 3;

	if (mean >= high)
		return DROP_RED;
	if (mean > low) {
		uint32_t chance = (mean - low) * 1024u / (high - low) / 8;
		q->rng = q->rng * 1103515245u + 12345u;
		if ((q->rng >> 16 & 1023u) < chance)
			return DROP_RED;
	}
	return fifo_enqueue(q, p);
}

static int class_enqueue(struct queue *q, struct packet *p)
{
	if (!fits(q, p))
		return DROP_QUEUE;
	lane_push(q, &q->lane[p->class], p);
	return -1;
}

static struct packet *priority_dequeue(struct queue *q)
{
	for (int c = 0; c < CLASSES; c++)
		if (q->lane[c].count)
			return lane_pop(q, &q->lane[c]);
	return 0;
}

/* Deficit round robin with quanta 3:2:1. */
static struct packet *drr_dequeue(struct queue *q)
{
	static const int quantum[CLASSES] = { 1500, 1000, 500 };

	if (!q->bytes)
		return 0;
	for (;;) {
		struct lane *l = &q->lane[q->cursor];
		if (l->count && l->head->size <= l->deficit) {
			l->deficit -= l->head->size;
			return lane_pop(q, l);
		}
		if (!l->count)
			l->deficit = 0;
		q->cursor = (q->cursor + 1) % CLASSES;
		q->lane[q->cursor].deficit += quantum[q->cursor];
	}
}

static const struct qdisc_ops disciplines[] = {
	{ "fifo", plain_init, fifo_enqueue, fifo_dequeue },
	{ "red", plain_init, red_enqueue, fifo_dequeue },
	{ "priority", plain_init, class_enqueue, priority_dequeue },
	{ "drr", plain_init, class_enqueue, drr_dequeue },
};

const struct qdisc_ops *qdisc_find(const char *name)
{
	for (unsigned i = 0; i < sizeof disciplines / sizeof disciplines[0]; i++)
		if (!strcmp(disciplines[i].name, name))
			return &disciplines[i];
	return 0;
}

void queue_init(struct queue *q, const struct qdisc_ops *ops, int limit, uint32_t seed)
{
	memset(q, 0, sizeof *q);
	q->ops = ops;
	q->limit = limit;
	q->rng = seed;
	ops->init(q);
}
