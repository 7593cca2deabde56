/* lexicon.c - the word list: text blocks plus a hash for exact lookup. */
#include "spell.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 14 };

void lexicon_init(Lexicon *lx)
{
    memset(lx, 0, sizeof *lx);
    lx->block_used = BLOCK;
}

void lexicon_free(Lexicon *lx)
{
    for (int i = 0; i < lx->nblocks; i++)
        free(lx->blocks[i]);
    free(lx->blocks);
    free(lx->entries);
    free(lx->slots);
}

static uint32_t hash(const char *s, int n)
{
    uint32_t h = 2166136261u;
    for (int i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 16777619u;
    return h ^ h >> 13;
}

static int *slot(const Lexicon *lx, const char *s, int n)
{
    uint32_t mask = (uint32_t)lx->nslots - 1, i = hash(s, n) & mask;
    while (lx->slots[i]) {
        const Entry *e = &lx->entries[lx->slots[i] - 1];
        if (e->len == n && !memcmp(e->text, s, (size_t)n))
            break;
        i = (i + 1) & mask;
    }
    return &lx->slots[i];
}

static const char *store(Lexicon *lx, const char *s, int n)
{
    if (lx->block_used + n + 1 > BLOCK) {
        lx->blocks = realloc(lx->blocks, (size_t)(lx->nblocks + 1) * sizeof *lx->blocks);
        if (!lx->blocks || !(lx->blocks[lx->nblocks++] = malloc(BLOCK)))
            abort();
        lx->block_used = 0;
    }
    char *p = lx->blocks[lx->nblocks - 1] + lx->block_used;
    memcpy(p, s, (size_t)n);
    p[n] = '\0';
    lx->block_used += n + 1;
    return p;
}

static void grow(Lexicon *lx)
{
    lx->cap = lx->cap ? lx->cap * 2 : 64;
    lx->nslots = lx->cap * 2;
    lx->entries = realloc(lx->entries, (size_t)lx->cap * sizeof *lx->entries);
    free(lx->slots);
    lx->slots = calloc((size_t)lx->nslots, sizeof *lx->slots);
    if (!lx->entries || !lx->slots)
        abort();
    for (int i = 0; i < lx->count; i++)
        *slot(lx, lx->entries[i].text, lx->entries[i].len) = i + 1;
}

int lexicon_add(Lexicon *lx, const char *word, int len, uint32_t freq)
{
    if (len < 1 || len > WORD_MAX)
        return -1;
    if (lx->count == lx->cap)
        grow(lx);
    int *s = slot(lx, word, len);
    if (*s) {
        lx->entries[*s - 1].freq += freq;
        return *s - 1;
    }
    Entry e = { store(lx, word, len), (uint8_t)len, freq };
    lx->entries[lx->count++] = e;
    *s = lx->count;
    return lx->count - 1;
}

int lexicon_find(const Lexicon *lx, const char *word, int len)
{
    return lx->nslots ? *slot(lx, word, len) - 1 : -1;
}
