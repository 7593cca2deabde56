/* config.c - open-addressing table over an insertion-ordered entry array. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { char *key, *value; int line; bool live; } Entry;

struct Config {
    Entry *entries;
    size_t used, capacity, live;
    size_t *slots, nslots;        /* 0: free, else entry index + 1 */
};

static void *must(void *p)
{
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return p;
}

static char *copy_text(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(must(malloc(n)), s, n);
}

static char fold_case(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static size_t hash_key(const char *s)
{
    unsigned h = 0;
    for (; *s; s++) {
        h += (unsigned char)fold_case(*s);
        h += h << 10;
        h ^= h >> 6;
    }
    h += h << 3;
    h ^= h >> 11;
    return h + (h << 15);
}

static bool key_equal(const char *a, const char *b)
{
    while (*a && fold_case(*a) == fold_case(*b))
        a++, b++;
    return *a == *b;
}

Config *cfg_new(void) { return must(calloc(1, sizeof(Config))); }

void cfg_delete(Config *c)
{
    for (size_t i = 0; i < c->used; i++) {
        free(c->entries[i].key);
        free(c->entries[i].value);
    }
    free(c->entries);
    free(c->slots);
    free(c);
}

static size_t *locate(const Config *c, const char *key)
{
    size_t i = hash_key(key) & (c->nslots - 1);
    while (c->slots[i] && !key_equal(c->entries[c->slots[i] - 1].key, key))
        i = (i + 1) & (c->nslots - 1);
    return &c->slots[i];
}

/* Drops dead entries and rebuilds the slots, twice as large if needed. */
static void rebuild(Config *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->used; i++) {
        if (c->entries[i].live) {
            c->entries[kept++] = c->entries[i];
        } else {
            free(c->entries[i].key);
            free(c->entries[i].value);
        }
    }
    c->used = kept;
    if (c->nslots == 0 || kept * 4 >= c->nslots)
        c->nslots = c->nslots ? c->nslots * 2 : 16;
    c->capacity = c->nslots / 2;
    c->entries = must(realloc(c->entries, c->capacity * sizeof *c->entries));
    free(c->slots);
    c->slots = must(calloc(c->nslots, sizeof *c->slots));
    for (size_t i = 0; i < kept; i++)
        *locate(c, c->entries[i].key) = i + 1;
}

static void put(Config *c, const char *key, const char *value, int line)
{
    if (c->used == c->capacity)
        rebuild(c);
    size_t *slot = locate(c, key);
    Entry *e;
    if (*slot) {
        e = &c->entries[*slot - 1];
        free(e->value);
    } else {
        e = &c->entries[c->used++];
        e->key = copy_text(key);
        e->live = false;
        *slot = c->used;
    }
    c->live += !e->live;
    e->live = true;
    e->value = copy_text(value);
    e->line = line;
}

void cfg_set(Config *c, const char *section, const char *name, const char *value, int line)
{
    size_t n = strlen(section) + strlen(name) + 2;
    char *key = must(malloc(n));
    snprintf(key, n, "%s%s%s", section, *section ? "." : "", name);
    put(c, key, value, line);
    free(key);
}

static Entry *find(const Config *c, const char *key)
{
    if (!c->nslots)
        return NULL;
    size_t slot = *locate(c, key);
    return slot && c->entries[slot - 1].live ? &c->entries[slot - 1] : NULL;
}

bool cfg_remove(Config *c, const char *key)
{
    Entry *e = find(c, key);
    if (!e)
        return false;
    e->live = false;          /* the key stays as a tombstone until rebuild */
    c->live--;
    return true;
}

const char *cfg_raw(const Config *c, const char *key)
{
    const Entry *e = find(c, key);
    return e ? e->value : NULL;
}

int cfg_line(const Config *c, const char *key)
{
    const Entry *e = find(c, key);
    return e ? e->line : 0;
}

size_t cfg_count(const Config *c) { return c->live; }

void cfg_each(const Config *c, CfgVisitor visit, void *user)
{
    for (size_t i = 0; i < c->used; i++)
        if (c->entries[i].live)
            visit(user, c->entries[i].key, c->entries[i].value);
}

void cfg_merge(Config *base, const Config *over)
{
    for (size_t i = 0; i < over->used; i++)
        if (over->entries[i].live)
            put(base, over->entries[i].key, over->entries[i].value, over->entries[i].line);
}
