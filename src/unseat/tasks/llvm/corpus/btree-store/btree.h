/* SPDX-License-Identifier: Apache-2.0 */
/**
 * btree.h - an ordered key/value store: a B+ tree on fixed-size pages with a
 * small write-back page cache in front of a simulated block device.
 */
#ifndef BTREE_H
#define BTREE_H

#include <stddef.h>
#include <stdint.h>

/* ---- device and cache (pager.c) ------------------------------------- */

#define PAGE_SIZE 256
#define PAGE_NONE 0u

typedef uint32_t PageNo;

typedef struct Pager Pager;

typedef struct {
    long reads, writes;     /* device traffic            */
    long hits, misses;      /* cache behaviour           */
    long allocated, freed;  /* page numbers              */
} PagerStats;

Pager *pager_open(size_t device_pages, size_t cache_frames);
void pager_close(Pager *p);
PageNo pager_allocate(Pager *p);
void pager_release(Pager *p, PageNo n);
uint8_t *pager_pin(Pager *p, PageNo n);            /* NULL: all frames pinned */
void pager_unpin(Pager *p, PageNo n, int dirty);
int pager_flush(Pager *p);                         /* pages written */
PagerStats pager_stats(const Pager *p);
int pager_pinned(const Pager *p);

/* ---- tree (btree.c, cursor.c) --------------------------------------- */

typedef enum { BT_OK, BT_NOT_FOUND, BT_EXISTS, BT_FULL, BT_NO_MEMORY, BT_BROKEN } BtStatus;

typedef struct {
    Pager *pager;
    PageNo root;
    long count;
    int height;
} BTree;

enum { BT_INSERT, BT_REPLACE, BT_UPSERT };

BtStatus btree_create(BTree *t, Pager *p);
BtStatus btree_get(BTree *t, uint32_t key, uint32_t *value);
BtStatus btree_put(BTree *t, uint32_t key, uint32_t value, int mode);
BtStatus btree_delete(BTree *t, uint32_t key);
BtStatus btree_verify(BTree *t, long *leaves, long *inner);
const char *btree_message(BtStatus s);

typedef struct {
    BTree *tree;
    PageNo leaf;            /* PAGE_NONE: past the end */
    int slot;
} Cursor;

BtStatus cursor_seek(BTree *t, Cursor *c, uint32_t key);   /* first key >= key */
BtStatus cursor_next(Cursor *c, uint32_t *key, uint32_t *value);

/* ---- page layout (page.c) -------------------------------------------- */

/* header: u8 is_leaf, u8 unused, u16 count, u32 next leaf / first child;
 * then count pairs of (u32 key, u32 value or child), little-endian. */
enum { PAGE_HEADER = 8, PAIR = 8, MAX_PAIRS = (PAGE_SIZE - PAGE_HEADER) / PAIR };
#define MIN_PAIRS (MAX_PAIRS / 2)

void page_init(uint8_t *p, int leaf);
int page_is_leaf(const uint8_t *p);
int page_count(const uint8_t *p);
void page_set_count(uint8_t *p, int n);
PageNo page_link(const uint8_t *p);
void page_set_link(uint8_t *p, PageNo n);
uint32_t page_key(const uint8_t *p, int i);
uint32_t page_val(const uint8_t *p, int i);
void page_set(uint8_t *p, int i, uint32_t key, uint32_t val);
void page_set_key(uint8_t *p, int i, uint32_t key);
int page_lower_bound(const uint8_t *p, uint32_t key);
void page_insert(uint8_t *p, int at, uint32_t key, uint32_t val);
void page_erase(uint8_t *p, int at);
void page_append(uint8_t *dst, const uint8_t *src, int from, int to);

#endif
