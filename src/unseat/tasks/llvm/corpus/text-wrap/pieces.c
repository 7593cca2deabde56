/* pieces.c - UTF-8 widths, splitting into words, and crude hyphenation. */
#include "wrap.h"

#include <stdlib.h>
#include <string.h>

static bool continuation(char c) { return ((unsigned char)c & 0xC0) == 0x80; }

int utf8_width(const char *s, int bytes)
{
    int w = 0;
    for (int i = 0; i < bytes; i++)
        w += !continuation(s[i]);
    return w;
}

int utf8_prefix(const char *s, int bytes, int width)
{
    int i = 0;
    while (i < bytes && width > 0) {
        i++;
        while (i < bytes && continuation(s[i]))
            i++;
        width--;
    }
    return i;
}

static Piece *add_piece(Pieces *p, const char *s, int bytes)
{
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 64;
        p->v = realloc(p->v, (size_t)p->cap * sizeof *p->v);
        if (!p->v)
            abort();
    }
    Piece *x = &p->v[p->n++];
    memset(x, 0, sizeof *x);
    x->text = s;
    x->bytes = bytes;
    x->width = utf8_width(s, bytes);
    return x;
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static bool is_vowel(char c) { return c && strchr("aeiouyAEIOUY", c); }

/* Pairs that sound as one consonant and are never parted. */
static bool sticks(char a, char b)
{
    static const char *const pairs[] = { "ch", "sh", "th", "ph", "wh", "ck", "qu", "gh", "st", "tr",
                                         "pr", "br", "cr", "dr", "gr", "fr", "bl", "cl", "pl", "gl" };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i][0] == a && pairs[i][1] == b)
            return true;
    return false;
}

/* Offsets where a word may be cut: a consonant group between two vowels goes
 * to the right except for its first letter or pair (V-CV, VC-CV, VC-CCV). */
int syllables(const char *word, int n, int *cuts, int max)
{
    int count = 0;
    for (int i = 0; i < n; i++)
        if (!is_letter(word[i]))
            return 0;
    for (int i = 1; i + 1 < n && count < max; ) {
        int start = i;
        if (is_vowel(word[i]) || !is_vowel(word[i - 1])) {
            i++;
            continue;
        }
        while (i < n && !is_vowel(word[i]))
            i++;
        if (i == n)
            break;                                  /* final consonants */
        int cut = i - start >= 2 ? start + 1 : start;
        if (i - start >= 2 && sticks(word[start], word[start + 1]))
            cut = i - start == 2 ? start : start + 2;
        if (cut >= 2 && n - cut >= 3)
            cuts[count++] = cut;
    }
    return count;
}

static void add_word(Pieces *p, const char *s, int n, bool hyphenate, int max_width)
{
    int cuts[16], count = 0, from = 0, letters = n;
    while (letters > 0 && !is_letter(s[letters - 1]))
        letters--;                                  /* trailing punctuation */
    if (hyphenate && letters >= 6)
        count = syllables(s, letters, cuts, 16);
    for (int i = 0; i < count; i++) {
        add_piece(p, s + from, cuts[i] - from)->hyphen_if_broken = true;
        from = cuts[i];
    }
    while (utf8_width(s + from, n - from) > max_width) {
        int bytes = utf8_prefix(s + from, n - from, max_width);
        add_piece(p, s + from, bytes);
        from += bytes;
    }
    add_piece(p, s + from, n - from)->glue_after = true;
}

void split_pieces(Pieces *p, const char *s, size_t n, bool hyphenate, int max_width)
{
    size_t i = 0;
    while (i < n) {
        while (i < n && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t'))
            i++;
        size_t from = i;
        while (i < n && s[i] != ' ' && s[i] != '\n' && s[i] != '\t')
            i++;
        if (i > from)
            add_word(p, s + from, (int)(i - from), hyphenate, max_width);
    }
}
