/* md.h - a small Markdown dialect to HTML: shared types. */
#ifndef MD_H
#define MD_H

#include <stdbool.h>
#include <stddef.h>

/* Growable output text. */
struct str { char *s; size_t n, cap; };

void str_putc(struct str *b, char c);
void str_putn(struct str *b, const char *s, size_t n);
void str_puts(struct str *b, const char *s);
void str_putf(struct str *b, const char *fmt, ...);
void str_escape(struct str *b, const char *s, size_t n);
void str_free(struct str *b);

/* A piece of the source text; never owns anything. */
struct span { const char *p; size_t n; };

struct span span_trim(struct span s);

/* Link definitions "[label]: url" collected before rendering. */
#define REF_BUCKETS 61
struct ref { struct ref *next; struct span label, url; };
struct refs { struct ref *bucket[REF_BUCKETS]; int count; };

void refs_add(struct refs *r, struct span label, struct span url);
const struct ref *refs_find(const struct refs *r, struct span label);
void refs_free(struct refs *r);

struct stats { int headings, paragraphs, lists, items, quotes, codes, links, tables; };

struct md { struct str *out; struct refs refs; struct stats stats; };

void md_inline(struct md *m, struct span text);
void md_render(struct str *out, const char *text, size_t n, struct stats *stats);

#endif
