/* lines.c - splits texts into lines and interns them; growable buffers. */
#include "diff.h"

#include <stdlib.h>
#include <string.h>

void interner_init(interner *in) { memset(in, 0, sizeof *in); }

void interner_free(interner *in)
{
    free(in->text);
    free(in->len);
    free(in->slots);
    interner_init(in);
}

static unsigned hash_line(const char *s, size_t n)
{
    unsigned h = 0x811c9dc5u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 0x01000193u;
    return h ^ h >> 16;
}

static int *slot_for(const interner *in, const char *s, size_t n)
{
    unsigned mask = (unsigned)in->nslots - 1, i = hash_line(s, n) & mask;
    for (;; i = (i + 1) & mask) {
        int id = in->slots[i];
        if (id < 0 || (in->len[id] == n && !memcmp(in->text[id], s, n)))
            return &in->slots[i];
    }
}

static void grow(interner *in)
{
    in->cap = in->cap ? in->cap * 2 : 32;
    in->nslots = in->cap * 2;
    in->text = realloc(in->text, (size_t)in->cap * sizeof *in->text);
    in->len = realloc(in->len, (size_t)in->cap * sizeof *in->len);
    in->slots = realloc(in->slots, (size_t)in->nslots * sizeof *in->slots);
    if (!in->text || !in->len || !in->slots)
        abort();
    for (int i = 0; i < in->nslots; i++)
        in->slots[i] = -1;
    for (int i = 0; i < in->count; i++)
        *slot_for(in, in->text[i], in->len[i]) = i;
}

static int intern(interner *in, const char *s, size_t n)
{
    if (in->count == in->cap)
        grow(in);
    int *slot = slot_for(in, s, n);
    if (*slot < 0) {
        in->text[in->count] = s;
        in->len[in->count] = n;
        *slot = in->count++;
    }
    return *slot;
}

lines split_lines(interner *in, const char *text, size_t len)
{
    lines r = { NULL, 0 };
    int cap = 0;
    while (len) {
        const char *nl = memchr(text, '\n', len);
        size_t n = nl ? (size_t)(nl - text) : len;
        if (r.n == cap) {
            cap = cap ? cap * 2 : 64;
            r.id = realloc(r.id, (size_t)cap * sizeof *r.id);
            if (!r.id)
                abort();
        }
        r.id[r.n++] = intern(in, text, n);
        n += nl != NULL;
        text += n;
        len -= n;
    }
    return r;
}

void buf_add(buffer *b, const char *s, size_t n)
{
    if (b->n + n + 1 > b->cap) {
        b->cap = (b->n + n + 1) * 2;
        b->s = realloc(b->s, b->cap);
        if (!b->s)
            abort();
    }
    if (n)
        memcpy(b->s + b->n, s, n);
    b->n += n;
    b->s[b->n] = '\0';
}

void buf_text(buffer *b, const char *s) { buf_add(b, s, strlen(s)); }

void buf_free(buffer *b)
{
    free(b->s);
    memset(b, 0, sizeof *b);
}
