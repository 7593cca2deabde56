/* SPDX-License-Identifier: Apache-2.0 */
/**
 * pager.c - page frames with pin counts, a clock replacement policy, a hash
 * from page number to frame, and the free list of page numbers.
 */
#include "btree.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    PageNo page;        /* PAGE_NONE: the frame is empty */
    int pins;
    unsigned char dirty, referenced;
    int chain;          /* next frame of the same bucket, or -1 */
    uint8_t data[PAGE_SIZE];
} Frame;

struct Pager {
    uint8_t *device;
    size_t device_pages;
    PageNo fresh;       /* lowest number never used */
    PageNo free_head;   /* freed pages are chained through their first word */
    Frame *frames;
    int nframes, hand;
    int *buckets;
    int nbuckets;
    PagerStats stats;
};

Pager *pager_open(size_t device_pages, size_t cache_frames)
{
    Pager *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->nframes = (int)cache_frames;
    p->nbuckets = (int)cache_frames * 2 + 1;
    p->device_pages = device_pages;
    p->device = calloc(device_pages, PAGE_SIZE);
    p->frames = calloc(cache_frames, sizeof *p->frames);
    p->buckets = malloc((size_t)p->nbuckets * sizeof *p->buckets);
    if (!p->device || !p->frames || !p->buckets) {
        pager_close(p);
        return NULL;
    }
    for (int i = 0; i < p->nbuckets; i++)
        p->buckets[i] = -1;
    p->fresh = 1;
    return p;
}

void pager_close(Pager *p)
{
    if (!p)
        return;
    free(p->device);
    free(p->frames);
    free(p->buckets);
    free(p);
}

static uint8_t *on_device(Pager *p, PageNo n) { return p->device + (size_t)n * PAGE_SIZE; }

static int *bucket_of(Pager *p, PageNo n)
{
    return &p->buckets[(n * 2654435761u) % (unsigned)p->nbuckets];
}

static int lookup(Pager *p, PageNo n)
{
    int f = *bucket_of(p, n);
    while (f >= 0 && p->frames[f].page != n)
        f = p->frames[f].chain;
    return f;
}

static void detach(Pager *p, int f)
{
    int *at = bucket_of(p, p->frames[f].page);
    while (*at != f)
        at = &p->frames[*at].chain;
    *at = p->frames[f].chain;
    p->frames[f].page = PAGE_NONE;
}

static void write_back(Pager *p, Frame *f)
{
    if (!f->dirty)
        return;
    memcpy(on_device(p, f->page), f->data, PAGE_SIZE);
    f->dirty = 0;
    p->stats.writes++;
}

/** Clock: the first unpinned frame not referenced since the last sweep. */
static int victim(Pager *p)
{
    for (int tries = 0; tries < 2 * p->nframes; tries++) {
        int f = p->hand;
        p->hand = (p->hand + 1) % p->nframes;
        Frame *fr = &p->frames[f];
        if (fr->pins)
            continue;
        if (fr->page == PAGE_NONE)
            return f;
        if (fr->referenced) {
            fr->referenced = 0;
            continue;
        }
        write_back(p, fr);
        detach(p, f);
        return f;
    }
    return -1;
}

uint8_t *pager_pin(Pager *p, PageNo n)
{
    int f = lookup(p, n);
    if (f >= 0) {
        p->stats.hits++;
    } else {
        f = victim(p);
        if (f < 0)
            return NULL;
        Frame *fr = &p->frames[f];
        memcpy(fr->data, on_device(p, n), PAGE_SIZE);
        p->stats.misses++;
        p->stats.reads++;
        fr->page = n;
        fr->chain = *bucket_of(p, n);
        *bucket_of(p, n) = f;
    }
    p->frames[f].pins++;
    p->frames[f].referenced = 1;
    return p->frames[f].data;
}

void pager_unpin(Pager *p, PageNo n, int dirty)
{
    int f = lookup(p, n);
    if (f < 0 || p->frames[f].pins == 0)
        abort();
    p->frames[f].pins--;
    p->frames[f].dirty |= (unsigned char)(dirty != 0);
}

PageNo pager_allocate(Pager *p)
{
    PageNo n = p->free_head;
    if (n != PAGE_NONE) {
        uint8_t *d = pager_pin(p, n);
        if (!d)
            return PAGE_NONE;
        p->free_head = page_link(d);
        pager_unpin(p, n, 0);
    } else if (p->fresh < p->device_pages) {
        n = p->fresh++;
    } else {
        return PAGE_NONE;
    }
    p->stats.allocated++;
    return n;
}

void pager_release(Pager *p, PageNo n)
{
    uint8_t *d = pager_pin(p, n);
    if (!d)
        return;             /* leaks a page number, never corrupts */
    page_init(d, 0);
    page_set_link(d, p->free_head);
    p->free_head = n;
    pager_unpin(p, n, 1);
    p->stats.freed++;
}

int pager_flush(Pager *p)
{
    long before = p->stats.writes;
    for (int i = 0; i < p->nframes; i++)
        if (p->frames[i].page != PAGE_NONE)
            write_back(p, &p->frames[i]);
    return (int)(p->stats.writes - before);
}

PagerStats pager_stats(const Pager *p) { return p->stats; }

int pager_pinned(const Pager *p)
{
    int n = 0;
    for (int i = 0; i < p->nframes; i++)
        n += p->frames[i].pins;
    return n;
}
