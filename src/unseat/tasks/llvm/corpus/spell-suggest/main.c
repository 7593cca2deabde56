/* main.c - driver: ranks suggestions for misspelt words of stdin's text, then
 * checks the three indexes against each other on random words. */
#include "spell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { int entry, distance, cost; uint32_t freq; } Candidate;
typedef struct { const Lexicon *lx; const char *w; int n; Candidate v[512]; int count; } Found;

static void collect(void *user, int entry, int distance)
{
    Found *f = user;
    if (f->count == 512)
        return;
    const Entry *e = &f->lx->entries[entry];
    Candidate c = { entry, distance, keyboard_cost(f->w, f->n, e->text, e->len), e->freq };
    int osa = osa_distance(f->w, f->n, e->text, e->len);
    if (osa < distance)
        c.cost = c.cost < 8 ? c.cost : 8;            /* a transposition */
    f->v[f->count++] = c;
}

static int compare(const void *pa, const void *pb)
{
    const Candidate *a = pa, *b = pb;
    if (a->cost != b->cost)
        return a->cost < b->cost ? -1 : 1;
    if (a->freq != b->freq)
        return a->freq > b->freq ? -1 : 1;
    return (a->entry > b->entry) - (a->entry < b->entry);
}

static void suggest(const Lexicon *lx, const Trie *trie, const char *w)
{
    Found f = { .lx = lx, .w = w, .n = (int)strlen(w) };
    char code[5];
    soundex(w, f.n, code);
    trie_search(trie, w, f.n, 2, collect, &f);
    qsort(f.v, (size_t)f.count, sizeof *f.v, compare);
    printf("%-12s %s ->", w, code);
    for (int i = 0; i < f.count && i < 5; i++) {
        const Entry *e = &lx->entries[f.v[i].entry];
        char other[5];
        soundex(e->text, e->len, other);
        printf(" %s%s(%d)", e->text, strcmp(code, other) ? "" : "~", f.v[i].cost);
    }
    printf(f.count ? "\n" : " ?\n");
}

static int next_word(char *w)
{
    int c, n = 0;
    while ((c = getchar()) != EOF) {
        if (c >= 'A' && c <= 'Z')
            c += 'a' - 'A';
        if (c >= 'a' && c <= 'z') {
            if (n < WORD_MAX)
                w[n++] = (char)c;
        } else if (n) {
            break;
        }
    }
    w[n] = '\0';
    return n;
}

static uint32_t seed = 77;

static uint32_t roll(uint32_t n)
{
    seed = seed * 747796405u + 2891336453u;
    uint32_t x = (seed >> (seed >> 28)) ^ seed;
    return (x >> 8) % n;
}

static int random_word(char *w)
{
    static const char *const parts[] = { "ba", "con", "de", "er", "fi", "gra", "in", "ka", "lo", "men",
                                         "no", "per", "qua", "ri", "sta", "tion", "un", "ver", "ly", "ing" };
    int n = 0;
    for (uint32_t k = 2 + roll(3); k > 0; k--) {
        const char *p = parts[roll(20)];
        memcpy(w + n, p, strlen(p));
        n += (int)strlen(p);
    }
    w[n] = '\0';
    return n;
}

static int damage(char *w, int n, uint32_t edits)
{
    for (; edits > 0; edits--) {
        int at = (int)roll((uint32_t)n);
        switch (roll(3)) {
        case 0: w[at] = (char)('a' + roll(26)); break;
        case 1:
            if (n > 2) {
                memmove(w + at, w + at + 1, (size_t)(n - at));
                n--;
            }
            break;
        default:
            if (n < WORD_MAX - 1) {
                memmove(w + at + 1, w + at, (size_t)(n - at) + 1);
                w[at] = (char)('a' + roll(26));
                n++;
            }
        }
    }
    return n;
}

/* An order-independent digest of a result. */
typedef struct { uint64_t sum; int count; } Digest;

static void digest(void *user, int entry, int distance)
{
    Digest *d = user;
    uint64_t x = (uint64_t)entry * 4 + (uint64_t)distance + 1;
    x *= 0x9E3779B97F4A7C15u;
    d->sum += x ^ x >> 29;
    d->count++;
}

static void check_indexes(int words, int queries)
{
    Lexicon lx;
    char w[WORD_MAX + 1];
    int wrong = 0;
    long found[3] = { 0 }, scanned = 0;
    uint64_t total = 0;
    lexicon_init(&lx);
    while (lx.count < words) {
        int n = random_word(w);
        lexicon_add(&lx, w, n, 1 + roll(100));
    }
    BkTree *bk = bk_build(&lx);
    Trie *trie = trie_build(&lx);
    Deletes *del = deletes_build(&lx, 2);
    for (int q = 0; q < queries; q++) {
        const Entry *e = &lx.entries[roll((uint32_t)words)];
        memcpy(w, e->text, (size_t)e->len + 1);
        int n = damage(w, e->len, roll(4)), limit = q % 3;
        Digest a = { 0 }, b = { 0 }, c = { 0 }, plain = { 0 };
        bk_search(bk, w, n, limit, digest, &a);
        trie_search(trie, w, n, limit, digest, &b);
        deletes_search(del, w, n, limit, digest, &c);
        if (q % 10 == 0) {                                 /* exhaustive check */
            for (int i = 0; i < lx.count; i++) {
                int d = levenshtein_within(w, n, lx.entries[i].text, lx.entries[i].len, limit);
                if (d <= limit)
                    digest(&plain, i, d);
            }
            scanned += lx.count;
            wrong += plain.sum != a.sum;
        }
        wrong += a.sum != b.sum || b.sum != c.sum || a.count != b.count || b.count != c.count;
        found[limit] += a.count;
        total = total * 31 + a.sum;
    }
    printf("indexes: %d words, bk depth %d, %d trie nodes, %ld deletes\n", lx.count, bk_depth(bk),
           trie_nodes(trie), deletes_size(del));
    printf("queries: %d, found %ld exact, %ld within 1, %ld within 2, %ld scanned, %d wrong, sum %016llx\n",
           queries, found[0], found[1], found[2], scanned, wrong, (unsigned long long)total);
    bk_free(bk);
    trie_free(trie);
    deletes_free(del);
    lexicon_free(&lx);
}

static void check_distances(int rounds)
{
    int wrong = 0;
    long sums[4] = { 0 };
    for (int r = 0; r < rounds; r++) {
        char a[WORD_MAX + 1], b[WORD_MAX + 1];
        int n = random_word(a), m = n;
        memcpy(b, a, (size_t)n + 1);
        m = damage(b, n, 1 + roll(5));
        int d = levenshtein(a, n, b, m), osa = osa_distance(a, n, b, m);
        int key = keyboard_cost(a, n, b, m);
        for (int limit = 0; limit <= 6; limit++) {
            int within = levenshtein_within(a, n, b, m, limit);
            wrong += within != (d <= limit ? d : limit + 1);
        }
        wrong += osa > d || key > 10 * d || key * 2 < 10 * d || levenshtein(b, m, a, n) != d;
        sums[0] += d;
        sums[1] += osa;
        sums[2] += key;
    }
    printf("distances: %d pairs, levenshtein %ld, osa %ld, keyboard %ld, %d wrong\n", rounds, sums[0],
           sums[1], sums[2], wrong);
}

int main(void)
{
    static const char *const samples[] = { "recieve", "adress", "tommorow", "neccessary", "seperate",
        "definately", "wierd", "freind", "acomodate", "becuase", "langauge", "speling", "occured",
        "xyzzyq", "believe", "lettwr", "nkght", "teh" };
    static const char *const pairs[][2] = { { "kitten", "sitting" }, { "flaw", "lawn" }, { "ca", "abc" },
        { "teh", "the" }, { "letter", "leter" }, { "hello", "jello" }, { "", "abc" } };
    static const char *const names[] = { "robert", "rupert", "rubin", "ashcraft", "tymczak", "pfister", "honeyman" };
    Lexicon lx;
    char w[WORD_MAX + 1], code[5];
    int n, tokens = 0;

    lexicon_init(&lx);
    while ((n = next_word(w)) > 0) {
        lexicon_add(&lx, w, n, 1);
        tokens++;
    }
    Trie *trie = trie_build(&lx);
    int the = lexicon_find(&lx, "the", 3);
    printf("lexicon: %d tokens, %d words, %d trie nodes, 'the' %u times\n", tokens, lx.count,
           trie_nodes(trie), the >= 0 ? (unsigned)lx.entries[the].freq : 0u);
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        suggest(&lx, trie, samples[i]);
    Found f = { .lx = &lx, .w = "wo", .n = 2 };
    trie_complete(trie, "wo", 2, collect, &f);
    printf("wo...:");
    for (int i = 0; i < f.count; i++)
        printf(" %s", lx.entries[f.v[i].entry].text);
    printf("\n");
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *a = pairs[i][0], *b = pairs[i][1];
        int la = (int)strlen(a), lb = (int)strlen(b);
        printf("%s/%s: %d %d %d\n", a, b, levenshtein(a, la, b, lb), osa_distance(a, la, b, lb),
               keyboard_cost(a, la, b, lb));
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        soundex(names[i], (int)strlen(names[i]), code);
        printf("%s=%s%c", names[i], code, i + 1 < sizeof names / sizeof *names ? ' ' : '\n');
    }
    trie_free(trie);
    lexicon_free(&lx);
    check_indexes(4000, 600);
    check_distances(4000);
    return 0;
}
