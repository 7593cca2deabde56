"""The parts of an exported C file that are the same for every policy."""

from __future__ import annotations

from unseat.tasks.cache.exporters.types import C_ELEMENTS

INTERFACE = """\
/* @TITLE@
 *
 * One self-contained C99 file, exported by unseat @VERSION@. Compile it with your program, or on its own:
 *
 *     cc -O2 -DUNSEAT_MAIN policy.c -lm && ./a.out CAPACITY MAX_OBJECTS < keys.txt
 *
 * reads one "key" or "key size" a line and prints requests, misses, missed bytes and evictions. To use the interface
 * from another file, define UNSEAT_INTERFACE_ONLY before including this one there.
 *
 *   unseat_create   a cache of `capacity` @UNIT@ for at most `max_objects` distinct keys over its life, or NULL when
 *                   either is 0 or memory is short
 *   unseat_access   serve a request: 1 hit, 0 miss, -1 when the key is one too many. A key's size is the one of its
 *                   first request@SIZES@.
 *   unseat_evicted  the keys that the last access evicted, at most `room` of them; returns how many there were. After a
 *                   miss these leave and the new object enters, unless it is larger than the whole capacity
 *   unseat_counts   requests, misses, missed bytes and evictions so far
 *   unseat_free     give all memory back
 *
 * A cache is used by one thread at a time. Policies may number requests with 32 bits: serve at most 2^31 - 2.
 */
#ifndef UNSEAT_INTERFACE
#define UNSEAT_INTERFACE
#include <stdint.h>
typedef struct unseat_cache unseat_cache;
unseat_cache *unseat_create(uint64_t capacity, uint64_t max_objects);
int unseat_access(unseat_cache *cache, uint64_t key, uint64_t size);
uint64_t unseat_evicted(const unseat_cache *cache, uint64_t *keys, uint64_t room);
void unseat_counts(const unseat_cache *cache, uint64_t counts[4]);
void unseat_free(unseat_cache *cache);
#endif

#ifndef UNSEAT_INTERFACE_ONLY
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
"""

HELPERS = """\
#if defined(__GNUC__)
#define UNSEAT_MAYBE_UNUSED __attribute__((unused))
#else
#define UNSEAT_MAYBE_UNUSED
#endif

/* Memory that a cache owns; every array of its state is one block. */
struct unseat_memory { void *blocks[64]; int used; bool failed; };

static void *unseat_block(struct unseat_memory *memory, int64_t count, size_t size) {
    void *block = NULL;
    if (memory->used < 64 && count >= 0 && (uint64_t)count < SIZE_MAX / size) {
        block = calloc(count > 0 ? (size_t)count : 1, size);
    }
    if (block == NULL) {
        memory->failed = true;
    } else {
        memory->blocks[memory->used++] = block;
    }
    return block;
}

UNSEAT_MAYBE_UNUSED static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - ((a % b != 0) && ((a < 0) != (b < 0)));
}
UNSEAT_MAYBE_UNUSED static int64_t floor_mod(int64_t a, int64_t b) { return a - floor_div(a, b) * b; }
"""

_EXTREMES = """\
UNSEAT_MAYBE_UNUSED static {c} min_{k}({c} a, {c} b) {{ return b < a ? b : a; }}
UNSEAT_MAYBE_UNUSED static {c} max_{k}({c} a, {c} b) {{ return b > a ? b : a; }}
"""

_MAKERS = """\
UNSEAT_MAYBE_UNUSED static array_{n} make_{n}(struct unseat_memory *memory, int64_t rows, int64_t columns, {c} value) {{
    array_{n} array = {{unseat_block(memory, rows * columns, sizeof({c})), rows, columns}};
    if (array.data != NULL && value != 0) {{
        for (int64_t k = 0; k < rows * columns; k++) array.data[k] = value;
    }}
    return array;
}}
UNSEAT_MAYBE_UNUSED static array_{n} copy_{n}(
    struct unseat_memory *memory, const {c} *values, int64_t rows, int64_t columns
) {{
    array_{n} array = make_{n}(memory, rows, columns, 0);
    if (array.data != NULL) memcpy(array.data, values, (size_t)(rows * columns) * sizeof({c}));
    return array;
}}
"""

LISTS = """\
UNSEAT_MAYBE_UNUSED static array_int32 empty_lists(struct unseat_memory *memory, int64_t n_objects, int64_t n_lists) {
    array_int32 links = make_int32(memory, n_objects + n_lists, 2, -1);
    if (links.data != NULL) {
        for (int64_t row = n_objects; row < n_objects + n_lists; row++) {
            links.data[2 * row] = (int32_t)row;
            links.data[2 * row + 1] = (int32_t)row;
        }
    }
    return links;
}
"""

CACHE = """\
/* The cache: a table from keys to dense ids, one size per id, and the policy's state. */
struct unseat_cache {
    struct unseat_memory memory;
    int64_t capacity, max_objects, n_objects, clock;
    uint64_t *keys;
    int32_t *slots;
    unsigned shift;
    uint64_t mask;
    array_int64 sizes, counts;
    @STATE@ state;
};

unseat_cache *unseat_create(uint64_t capacity, uint64_t max_objects) {
    if (capacity == 0 || capacity > INT64_MAX / 4 || max_objects == 0 || max_objects > INT32_MAX - 64) return NULL;
    unseat_cache *cache = calloc(1, sizeof(unseat_cache));
    if (cache == NULL) return NULL;
    struct unseat_memory *memory = &cache->memory;
    unsigned bits = 1;
    while (((uint64_t)1 << bits) < 2 * max_objects) bits++;
    cache->capacity = (int64_t)capacity;
    cache->max_objects = (int64_t)max_objects;
    cache->shift = 64 - bits;
    cache->mask = ((uint64_t)1 << bits) - 1;
    cache->keys = unseat_block(memory, cache->max_objects, sizeof(uint64_t));
    cache->slots = unseat_block(memory, (int64_t)1 << bits, sizeof(int32_t));
    cache->sizes = make_int64(memory, cache->max_objects, 1, 0);
    cache->counts = make_int64(memory, cache->max_objects + 5, 1, 0); /* four counts, then what was evicted */
    if (!memory->failed) cache->state = unseat_state(memory, cache->max_objects, cache->capacity);
    if (memory->failed) {
        unseat_free(cache);
        return NULL;
    }
    return cache;
}

/* The id of a key, numbered by first appearance; -1 when there is no room for a new one. Slots hold id + 1. */
static int32_t unseat_id(unseat_cache *cache, uint64_t key, uint64_t size) {
    uint64_t slot = ((key ^ (key >> 32)) * UINT64_C(0x9E3779B97F4A7C15)) >> cache->shift;
    while (cache->slots[slot] != 0) {
        int32_t id = cache->slots[slot] - 1;
        if (cache->keys[id] == key) return id;
        slot = (slot + 1) & cache->mask;
    }
    if (cache->n_objects == cache->max_objects) return -1;
    int32_t id = (int32_t)cache->n_objects++;
    cache->keys[id] = key;
    cache->sizes.data[id] = size > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)size;
    cache->slots[slot] = id + 1;
    return id;
}

int unseat_access(unseat_cache *cache, uint64_t key, uint64_t size) {
    int32_t id = unseat_id(cache, key, size);
    if (id < 0) return -1;
    int64_t misses = cache->counts.data[1];
    cache->counts.data[4] = 0;
    requests one = {&id, cache->clock};
    @RUN@(one, cache->sizes, cache->clock, cache->clock + 1, cache->capacity, cache->state, cache->counts);
    cache->clock++;
    return cache->counts.data[1] == misses;
}

uint64_t unseat_evicted(const unseat_cache *cache, uint64_t *keys, uint64_t room) {
    uint64_t evicted = (uint64_t)cache->counts.data[4];
    for (uint64_t k = 0; k < evicted && k < room; k++) keys[k] = cache->keys[cache->counts.data[5 + k]];
    return evicted;
}

void unseat_counts(const unseat_cache *cache, uint64_t counts[4]) {
    for (int k = 0; k < 4; k++) counts[k] = (uint64_t)cache->counts.data[k];
}

void unseat_free(unseat_cache *cache) {
    if (cache == NULL) return;
    for (int k = 0; k < cache->memory.used; k++) free(cache->memory.blocks[k]);
    free(cache);
}

#ifdef UNSEAT_MAIN
#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv) {
    unseat_cache *cache = argc == 3 ? unseat_create(strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10)) : NULL;
    if (cache == NULL) {
        fprintf(stderr, "usage: %s CAPACITY MAX_OBJECTS < keys.txt, both at least 1\\n", argv[0]);
        return 2;
    }
    char line[128];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *rest;
        uint64_t key = strtoull(line, &rest, 10);
        uint64_t size = strtoull(rest, NULL, 10);
        if (unseat_access(cache, key, size > 0 ? size : 1) < 0) {
            fprintf(stderr, "more than %s distinct keys\\n", argv[2]);
            unseat_free(cache);
            return 2;
        }
    }
    uint64_t counts[4];
    unseat_counts(cache, counts);
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\\n", counts[0], counts[1], counts[2], counts[3]);
    unseat_free(cache);
    return 0;
}
#endif
#endif
"""


def helpers() -> str:
    """Memory, integer division, extremes and array makers."""
    extremes = "".join(
        _EXTREMES.format(c=c, k=k) for k, c in (("i", "int64_t"), ("u", "uint64_t"), ("f", "float"), ("d", "double"))
    )
    return HELPERS + extremes + "".join(_MAKERS.format(n=n, c=c) for n, c in C_ELEMENTS.items()) + LISTS
