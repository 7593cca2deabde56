/* spell.h - spelling suggestions by three indexes that must agree:
 * a BK-tree, a trie walked with a distance row, and deletion neighbourhoods. */
#ifndef SPELL_H
#define SPELL_H

#include <stdbool.h>
#include <stdint.h>

enum { WORD_MAX = 32, MAX_DISTANCE = 3 };

typedef struct { const char *text; uint8_t len; uint32_t freq; } Entry;

typedef struct {
    Entry *entries;
    int count, cap;
    int *slots, nslots;            /* exact lookup */
    char **blocks;
    int nblocks, block_used;
} Lexicon;

void lexicon_init(Lexicon *lx);
void lexicon_free(Lexicon *lx);
int  lexicon_add(Lexicon *lx, const char *word, int len, uint32_t freq);
int  lexicon_find(const Lexicon *lx, const char *word, int len);

/* distance.c */
int  levenshtein(const char *a, int n, const char *b, int m);
int  levenshtein_within(const char *a, int n, const char *b, int m, int limit);
int  osa_distance(const char *a, int n, const char *b, int m);
int  keyboard_cost(const char *a, int n, const char *b, int m);
void soundex(const char *word, int n, char code[5]);

/* Each index reports matches through a callback, in any order. */
typedef void (*MatchFn)(void *user, int entry, int distance);

typedef struct BkTree BkTree;
BkTree *bk_build(const Lexicon *lx);
void    bk_search(const BkTree *t, const char *w, int n, int limit, MatchFn fn, void *user);
int     bk_depth(const BkTree *t);
void    bk_free(BkTree *t);

typedef struct Trie Trie;
Trie *trie_build(const Lexicon *lx);
void  trie_search(const Trie *t, const char *w, int n, int limit, MatchFn fn, void *user);
int   trie_nodes(const Trie *t);
int   trie_complete(const Trie *t, const char *prefix, int n, MatchFn fn, void *user);
void  trie_free(Trie *t);

typedef struct Deletes Deletes;
Deletes *deletes_build(const Lexicon *lx, int limit);
void     deletes_search(const Deletes *d, const char *w, int n, int limit, MatchFn fn, void *user);
long     deletes_size(const Deletes *d);
void     deletes_free(Deletes *d);

#endif
