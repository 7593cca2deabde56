/* index.c - the three search structures. */
#include "spell.h"

#include <stdlib.h>
#include <string.h>

static void *grown(void *p, int *cap, int need, size_t size)
{
    if (need > *cap) {
        *cap = need + need / 2 + 16;
        p = realloc(p, (size_t)*cap * size);
        if (!p)
            abort();
    }
    return p;
}

/* BK-tree: children keyed by their distance, as sibling lists of indices. */

typedef struct { int child, sibling; uint8_t distance; } BkNode;
struct BkTree { const Lexicon *lx; BkNode *nodes; };        /* node i is entry i */

static int entry_distance(const Lexicon *lx, int i, const char *w, int n)
{
    return levenshtein(lx->entries[i].text, lx->entries[i].len, w, n);
}

BkTree *bk_build(const Lexicon *lx)
{
    BkTree *t = malloc(sizeof *t);
    if (!t || !(t->nodes = calloc((size_t)lx->count + 1, sizeof *t->nodes)))
        abort();
    t->lx = lx;
    for (int i = 1; i < lx->count; i++) {
        int at = 0;
        for (;;) {
            int d = entry_distance(lx, at, lx->entries[i].text, lx->entries[i].len);
            int c = t->nodes[at].child;
            while (c && t->nodes[c].distance != d)
                c = t->nodes[c].sibling;
            if (!c) {
                t->nodes[i].distance = (uint8_t)d;
                t->nodes[i].sibling = t->nodes[at].child;
                t->nodes[at].child = i;
                break;
            }
            at = c;
        }
    }
    return t;
}

static void bk_visit(const BkTree *t, int at, const char *w, int n, int limit, MatchFn fn, void *user)
{
    int d = entry_distance(t->lx, at, w, n);
    if (d <= limit)
        fn(user, at, d);
    for (int c = t->nodes[at].child; c; c = t->nodes[c].sibling)
        if (abs(t->nodes[c].distance - d) <= limit)
            bk_visit(t, c, w, n, limit, fn, user);
}

void bk_search(const BkTree *t, const char *w, int n, int limit, MatchFn fn, void *user)
{
    if (t->lx->count)
        bk_visit(t, 0, w, n, limit, fn, user);
}

static int depth_from(const BkTree *t, int at)
{
    int deepest = 0;
    for (int c = t->nodes[at].child; c; c = t->nodes[c].sibling) {
        int d = depth_from(t, c);
        if (d > deepest)
            deepest = d;
    }
    return deepest + 1;
}

int bk_depth(const BkTree *t) { return depth_from(t, 0); }

void bk_free(BkTree *t)
{
    free(t->nodes);
    free(t);
}

/* Trie over 'a'..'z' with one row of the distance table a level. */

typedef struct { int child[26], entry; } TrieNode;
struct Trie { const Lexicon *lx; TrieNode *nodes; int count, cap; };

static int new_trie_node(Trie *t)
{
    t->nodes = grown(t->nodes, &t->cap, t->count + 1, sizeof *t->nodes);
    memset(&t->nodes[t->count], 0, sizeof *t->nodes);
    t->nodes[t->count].entry = -1;
    return t->count++;
}

Trie *trie_build(const Lexicon *lx)
{
    Trie *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    t->lx = lx;
    new_trie_node(t);
    for (int i = 0; i < lx->count; i++) {
        int at = 0;
        for (const char *s = lx->entries[i].text; *s; s++) {
            int next = t->nodes[at].child[*s - 'a'];
            if (!next) {
                next = new_trie_node(t);
                t->nodes[at].child[*s - 'a'] = next;
            }
            at = next;
        }
        t->nodes[at].entry = i;
    }
    return t;
}

typedef struct { const Trie *t; const char *w; int n, limit; MatchFn fn; void *user; } TrieWalk;

static void walk(const TrieWalk *k, int node, char letter, const int *above)
{
    int row[WORD_MAX + 1], best = above[0] + 1;
    row[0] = best;
    for (int j = 1; j <= k->n; j++) {
        int v = above[j - 1] + (k->w[j - 1] != letter);
        if (above[j] + 1 < v)
            v = above[j] + 1;
        if (row[j - 1] + 1 < v)
            v = row[j - 1] + 1;
        row[j] = v;
        if (v < best)
            best = v;
    }
    const TrieNode *x = &k->t->nodes[node];
    if (x->entry >= 0 && row[k->n] <= k->limit)
        k->fn(k->user, x->entry, row[k->n]);
    if (best <= k->limit)
        for (int c = 0; c < 26; c++)
            if (x->child[c])
                walk(k, x->child[c], (char)('a' + c), row);
}

void trie_search(const Trie *t, const char *w, int n, int limit, MatchFn fn, void *user)
{
    TrieWalk k = { t, w, n, limit, fn, user };
    int row[WORD_MAX + 1];
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int c = 0; c < 26; c++)
        if (t->nodes[0].child[c])
            walk(&k, t->nodes[0].child[c], (char)('a' + c), row);
}

int trie_nodes(const Trie *t) { return t->count; }

static int report_all(const Trie *t, int node, MatchFn fn, void *user)
{
    int found = t->nodes[node].entry >= 0;
    if (found)
        fn(user, t->nodes[node].entry, 0);
    for (int c = 0; c < 26; c++)
        if (t->nodes[node].child[c])
            found += report_all(t, t->nodes[node].child[c], fn, user);
    return found;
}

int trie_complete(const Trie *t, const char *prefix, int n, MatchFn fn, void *user)
{
    int at = 0;
    for (int i = 0; i < n; i++) {
        if (prefix[i] < 'a' || prefix[i] > 'z' || !(at = t->nodes[at].child[prefix[i] - 'a']))
            return 0;
    }
    return report_all(t, at, fn, user);
}

void trie_free(Trie *t)
{
    free(t->nodes);
    free(t);
}

/* Deletion neighbourhoods: words within distance k share a string that both
 * reach by at most k deletions. Chains of (hash, entry) pairs. */

typedef struct { uint32_t key; int entry, next; } DeleteLink;
struct Deletes {
    const Lexicon *lx;
    int *buckets;
    DeleteLink *links;
    int nlinks, cap, limit;
    uint32_t mask;
};

typedef void (*VariantFn)(void *user, uint32_t key);

/* Calls back for the word and everything made by up to `limit` deletions;
 * later deletions stay to the right of earlier ones, so that few repeat. */
static void variants(const char *w, int n, int from, int limit, VariantFn fn, void *user)
{
    char shorter[WORD_MAX];
    uint32_t h = 5381;
    for (int i = 0; i < n; i++)
        h = h * 33 ^ (unsigned char)w[i];
    fn(user, h);
    if (limit == 0)
        return;
    for (int i = from; i < n; i++) {
        if (i > from && w[i] == w[i - 1])
            continue;
        memcpy(shorter, w, (size_t)i);
        memcpy(shorter + i, w + i + 1, (size_t)(n - i - 1));
        variants(shorter, n - 1, i, limit - 1, fn, user);
    }
}

typedef struct { Deletes *d; int entry; } Adder;

static void add_variant(void *user, uint32_t key)
{
    Adder *a = user;
    Deletes *d = a->d;
    d->links = grown(d->links, &d->cap, d->nlinks + 1, sizeof *d->links);
    int *bucket = &d->buckets[(key ^ key >> 15) & d->mask];
    DeleteLink link = { key, a->entry, *bucket };
    d->links[d->nlinks] = link;
    *bucket = d->nlinks++;
}

Deletes *deletes_build(const Lexicon *lx, int limit)
{
    Deletes *d = calloc(1, sizeof *d);
    if (!d || !(d->buckets = malloc(sizeof *d->buckets << 16)))
        abort();
    d->lx = lx;
    d->limit = limit;
    d->mask = (1u << 16) - 1;
    for (uint32_t i = 0; i <= d->mask; i++)
        d->buckets[i] = -1;
    for (int i = 0; i < lx->count; i++) {
        Adder a = { d, i };
        variants(lx->entries[i].text, lx->entries[i].len, 0, limit, add_variant, &a);
    }
    return d;
}

typedef struct {
    const Deletes *d;
    const char *w;
    int n, limit;
    uint8_t *seen;
    MatchFn fn;
    void *user;
} DeleteSearch;

static void probe(void *user, uint32_t key)
{
    DeleteSearch *s = user;
    for (int i = s->d->buckets[(key ^ key >> 15) & s->d->mask]; i >= 0; i = s->d->links[i].next) {
        int e = s->d->links[i].entry;
        if (s->d->links[i].key != key || s->seen[e])
            continue;
        s->seen[e] = 1;
        const Entry *x = &s->d->lx->entries[e];
        int distance = levenshtein_within(x->text, x->len, s->w, s->n, s->limit);
        if (distance <= s->limit)
            s->fn(s->user, e, distance);
    }
}

void deletes_search(const Deletes *d, const char *w, int n, int limit, MatchFn fn, void *user)
{
    DeleteSearch s = { d, w, n, limit < d->limit ? limit : d->limit, NULL, fn, user };
    s.seen = calloc((size_t)d->lx->count + 1, 1);
    if (!s.seen)
        abort();
    variants(w, n, 0, s.limit, probe, &s);
    free(s.seen);
}

long deletes_size(const Deletes *d) { return d->nlinks; }

void deletes_free(Deletes *d)
{
    free(d->buckets);
    free(d->links);
    free(d);
}
