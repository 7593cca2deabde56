/* str.c - string builder, spans and the table of link references. */
#include "md.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void str_room(struct str *b, size_t extra)
{
    size_t want = b->n + extra + 1;
    if (want <= b->cap)
        return;
    b->cap = want + want / 2 + 64;
    b->s = realloc(b->s, b->cap);
    if (!b->s)
        abort();
}

void str_putn(struct str *b, const char *s, size_t n)
{
    str_room(b, n);
    memcpy(b->s + b->n, s, n);
    b->n += n;
    b->s[b->n] = 0;
}

void str_putc(struct str *b, char c) { str_putn(b, &c, 1); }
void str_puts(struct str *b, const char *s) { str_putn(b, s, strlen(s)); }

void str_putf(struct str *b, const char *fmt, ...)
{
    char tmp[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(tmp, sizeof tmp, fmt, ap);
    va_end(ap);
    str_puts(b, tmp);
}

void str_escape(struct str *b, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        switch (s[i]) {
        case '&': str_puts(b, "&amp;"); break;
        case '<': str_puts(b, "&lt;"); break;
        case '>': str_puts(b, "&gt;"); break;
        case '"': str_puts(b, "&quot;"); break;
        default:  str_putc(b, s[i]);
        }
    }
}

void str_free(struct str *b)
{
    free(b->s);
    b->s = NULL;
    b->n = b->cap = 0;
}

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

struct span span_trim(struct span s)
{
    while (s.n && blank(s.p[0]))
        s.p++, s.n--;
    while (s.n && blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

static unsigned label_hash(struct span l)
{
    unsigned h = 5381;
    for (size_t i = 0; i < l.n; i++)
        h = h * 33 + (unsigned)tolower((unsigned char)l.p[i]);
    return h % REF_BUCKETS;
}

static bool label_same(struct span a, struct span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (tolower((unsigned char)a.p[i]) != tolower((unsigned char)b.p[i]))
            return false;
    return true;
}

const struct ref *refs_find(const struct refs *r, struct span label)
{
    label = span_trim(label);
    const struct ref *e = r->bucket[label_hash(label)];
    while (e && !label_same(e->label, label))
        e = e->next;
    return e;
}

void refs_add(struct refs *r, struct span label, struct span url)
{
    label = span_trim(label);
    if (refs_find(r, label))
        return;                              /* the first definition wins */
    struct ref *e = malloc(sizeof *e);
    if (!e)
        abort();
    unsigned h = label_hash(label);
    e->label = label;
    e->url = url;
    e->next = r->bucket[h];
    r->bucket[h] = e;
    r->count++;
}

void refs_free(struct refs *r)
{
    for (int i = 0; i < REF_BUCKETS; i++) {
        struct ref *e = r->bucket[i], *next;
        for (; e; e = next) {
            next = e->next;
            free(e);
        }
        r->bucket[i] = NULL;
    }
}
