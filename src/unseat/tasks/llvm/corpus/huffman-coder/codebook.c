/* codebook.c - building of length-limited canonical Huffman codes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "codebook.h"

#include <stdlib.h>
#include <string.h>

void count_frequencies(const uint8_t *p, size_t n, uint32_t freq[NSYM])
{
    memset(freq, 0, NSYM * sizeof freq[0]);
    for (size_t i = 0; i < n; i++)
        freq[p[i]]++;
}

/* ---- unlimited Huffman tree with a binary heap ------------------------- */

typedef struct {
    uint64_t weight;
    int16_t left, right;    /* -1 for a leaf */
    int16_t order;          /* tie break: symbols first, then age */
} Node;

typedef struct {
    Node nodes[2 * NSYM];
    int nnodes;
    int heap[NSYM + 1];
    int nheap;
} TreeBuilder;

static int node_less(const TreeBuilder *t, int a, int b)
{
    const Node *x = &t->nodes[a], *y = &t->nodes[b];
    if (x->weight != y->weight)
        return x->weight < y->weight;
    return x->order < y->order;
}

static void heap_push(TreeBuilder *t, int n)
{
    int i = ++t->nheap;
    while (i > 1 && node_less(t, n, t->heap[i / 2])) {
        t->heap[i] = t->heap[i / 2];
        i /= 2;
    }
    t->heap[i] = n;
}

static int heap_pop(TreeBuilder *t)
{
    int top = t->heap[1];
    int last = t->heap[t->nheap--];
    int i = 1;
    for (;;) {
        int c = 2 * i;
        if (c > t->nheap)
            break;
        if (c < t->nheap && node_less(t, t->heap[c + 1], t->heap[c]))
            c++;
        if (!node_less(t, t->heap[c], last))
            break;
        t->heap[i] = t->heap[c];
        i = c;
    }
    t->heap[i] = last;
    return top;
}

static int new_node(TreeBuilder *t, uint64_t w, int l, int r, int order)
{
    int n = t->nnodes++;
    t->nodes[n].weight = w;
    t->nodes[n].left = (int16_t)l;
    t->nodes[n].right = (int16_t)r;
    t->nodes[n].order = (int16_t)order;
    return n;
}

static int assign_depths(const TreeBuilder *t, int n, int depth,
                         uint8_t len[NSYM])
{
    const Node *nd = &t->nodes[n];
    if (nd->left < 0) {
        len[nd->order] = (uint8_t)(depth ? depth : 1);
        return depth ? depth : 1;
    }
    int a = assign_depths(t, nd->left, depth + 1, len);
    int b = assign_depths(t, nd->right, depth + 1, len);
    return a > b ? a : b;
}

int tree_lengths(const uint32_t freq[NSYM], uint8_t len[NSYM])
{
    TreeBuilder t = { .nnodes = 0, .nheap = 0 };
    memset(len, 0, NSYM);
    for (int s = 0; s < NSYM; s++)
        if (freq[s])
            heap_push(&t, new_node(&t, freq[s], -1, -1, s));
    if (t.nheap == 0)
        return 0;
    int age = NSYM;
    while (t.nheap > 1) {
        int a = heap_pop(&t);
        int b = heap_pop(&t);
        heap_push(&t, new_node(&t, t.nodes[a].weight + t.nodes[b].weight,
                               a, b, age++));
    }
    return assign_depths(&t, t.heap[1], 0, len);
}

/* ---- package-merge ------------------------------------------------------ */

typedef struct {
    uint64_t weight;
    int sym;            /* >= 0: a coin of that symbol */
    int a, b;           /* else the two packaged items of the level below */
} Item;

typedef struct {
    Item item[2 * NSYM];
    int n;
} Level;

static int compare_leaves(const void *pa, const void *pb)
{
    const Item *a = pa, *b = pb;
    if (a->weight != b->weight)
        return a->weight < b->weight ? -1 : 1;
    return (a->sym > b->sym) - (a->sym < b->sym);
}

static int gather_leaves(const uint32_t freq[NSYM], Item leaf[NSYM])
{
    int n = 0;
    for (int s = 0; s < NSYM; s++)
        if (freq[s])
            leaf[n++] = (Item){ freq[s], s, -1, -1 };
    qsort(leaf, (size_t)n, sizeof leaf[0], compare_leaves);
    return n;
}

/* Merge the sorted leaves with pairs of the level below. */
static void package_and_merge(const Item *leaf, int nleaf, const Level *below,
                              Level *out)
{
    int i = 0, p = 0, npairs = below ? below->n / 2 : 0;
    out->n = 0;
    while (i < nleaf || p < npairs) {
        uint64_t pw = 0;
        if (p < npairs)
            pw = below->item[2 * p].weight + below->item[2 * p + 1].weight;
        if (p >= npairs || (i < nleaf && leaf[i].weight <= pw)) {
            out->item[out->n++] = leaf[i++];
        } else {
            out->item[out->n++] = (Item){ pw, -1, 2 * p, 2 * p + 1 };
            p++;
        }
    }
}

static void count_coins(const Level *levels, int lv, int idx, uint8_t len[NSYM])
{
    const Item *it = &levels[lv].item[idx];
    if (it->sym >= 0) {
        len[it->sym]++;
        return;
    }
    count_coins(levels, lv - 1, it->a, len);
    count_coins(levels, lv - 1, it->b, len);
}

void limited_lengths(const uint32_t freq[NSYM], int limit, uint8_t len[NSYM])
{
    Item leaf[NSYM];
    int nleaf = gather_leaves(freq, leaf);

    memset(len, 0, NSYM);
    if (nleaf == 0)
        return;
    if (nleaf == 1) {
        len[leaf[0].sym] = 1;
        return;
    }
    Level *levels = calloc((size_t)limit, sizeof *levels);
    if (!levels)
        abort();
    for (int lv = 0; lv < limit; lv++)
        package_and_merge(leaf, nleaf, lv ? &levels[lv - 1] : NULL, &levels[lv]);
    for (int i = 0; i < 2 * nleaf - 2; i++)
        count_coins(levels, limit - 1, i, len);
    free(levels);
}

/* ---- canonical codes ---------------------------------------------------- */

int codebook_assign(CodeBook *cb)
{
    uint16_t count[MAX_CODE_LEN + 1] = { 0 };
    uint32_t next[MAX_CODE_LEN + 2] = { 0 };

    cb->used = 0;
    for (int s = 0; s < NSYM; s++) {
        if (cb->len[s] > MAX_CODE_LEN)
            return -1;
        if (cb->len[s]) {
            count[cb->len[s]]++;
            cb->used++;
        }
    }
    uint32_t code = 0;
    for (int l = 1; l <= MAX_CODE_LEN; l++) {
        code = (code + count[l - 1]) << 1;
        next[l] = code;
        if (code + count[l] > (1u << l))
            return -1;      /* over-subscribed */
    }
    for (int s = 0; s < NSYM; s++)
        cb->code[s] = cb->len[s] ? (uint16_t)next[cb->len[s]]++ : 0;
    return 0;
}

void codebook_build(CodeBook *cb, const uint32_t freq[NSYM], int limit)
{
    if (tree_lengths(freq, cb->len) > limit)
        limited_lengths(freq, limit, cb->len);
    if (codebook_assign(cb) != 0)
        abort();
}

uint64_t codebook_cost(const CodeBook *cb, const uint32_t freq[NSYM])
{
    uint64_t bits = 0;
    for (int s = 0; s < NSYM; s++)
        bits += (uint64_t)freq[s] * cb->len[s];
    return bits;
}

uint32_t codebook_kraft(const CodeBook *cb)
{
    uint32_t sum = 0;
    for (int s = 0; s < NSYM; s++)
        if (cb->len[s])
            sum += 1u << (MAX_CODE_LEN - cb->len[s]);
    return sum;
}

/* Lengths are stored as 4-bit nibbles; a zero nibble is followed by a
 * 6-bit count of further zeros. */
void codebook_write(const CodeBook *cb, BitWriter *w)
{
    int s = 0;
    while (s < NSYM) {
        bw_put(w, cb->len[s], 4);
        if (cb->len[s++])
            continue;
        unsigned run = 0;
        while (s < NSYM && run < 63 && cb->len[s] == 0) {
            run++;
            s++;
        }
        bw_put(w, run, 6);
    }
}

int codebook_read(CodeBook *cb, BitReader *r)
{
    int s = 0;
    memset(cb->len, 0, sizeof cb->len);
    while (s < NSYM) {
        cb->len[s] = (uint8_t)br_get(r, 4);
        if (cb->len[s++] == 0)
            s += (int)br_get(r, 6);
        if (r->overrun)
            return -1;
    }
    return s == NSYM ? codebook_assign(cb) : -1;
}

/* ---- decoding ----------------------------------------------------------- */

static void fill_fast(DecodeTable *t, const CodeBook *cb, int s)
{
    unsigned l = cb->len[s];
    unsigned first = (unsigned)cb->code[s] << (FAST_BITS - l);
    unsigned n = 1u << (FAST_BITS - l);
    for (unsigned i = 0; i < n; i++) {
        t->fast_sym[first + i] = (uint16_t)s;
        t->fast_len[first + i] = (uint8_t)l;
    }
}

void decode_table_build(DecodeTable *t, const CodeBook *cb)
{
    int n = 0;
    memset(t, 0, sizeof *t);
    for (int l = 1; l <= MAX_CODE_LEN; l++)
        for (int s = 0; s < NSYM; s++)
            if (cb->len[s] == l) {
                t->count[l]++;
                t->sorted[n++] = (uint8_t)s;
                if (l <= FAST_BITS)
                    fill_fast(t, cb, s);
            }
}

static int decode_slow(const DecodeTable *t, BitReader *r)
{
    uint32_t bits = br_peek(r, MAX_CODE_LEN);
    uint32_t first = 0, index = 0;
    for (unsigned l = 1; l <= MAX_CODE_LEN; l++) {
        uint32_t code = bits >> (MAX_CODE_LEN - l);
        uint32_t n = t->count[l];
        if (code >= first && code - first < n) {
            br_skip(r, l);
            return t->sorted[index + (code - first)];
        }
        index += n;
        first = (first + n) << 1;
    }
    return -1;
}

int decode_symbol(const DecodeTable *t, BitReader *r)
{
    uint32_t i = br_peek(r, FAST_BITS);
    if (t->fast_len[i]) {
        br_skip(r, t->fast_len[i]);
        return t->fast_sym[i];
    }
    return decode_slow(t, r);
}
