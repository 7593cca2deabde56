/* diff.h - line comparison: interning, Myers' algorithm, unified patches, merge. */
#ifndef DIFF_H
#define DIFF_H

#include <stddef.h>

/* Equal lines of all texts get equal ids. */
typedef struct {
    const char **text;
    size_t *len;
    int count, cap;
    int *slots, nslots;
} interner;

typedef struct { int *id; int n; } lines;

void  interner_init(interner *in);
void  interner_free(interner *in);
lines split_lines(interner *in, const char *text, size_t len);

/* An edit script is a list of changed regions, in order, never adjacent. */
typedef struct { int a0, a1, b0, b1; } hunk;
typedef struct { hunk *v; int n, cap; } script;

void script_add(script *s, int a0, int a1, int b0, int b1);
void script_free(script *s);
script diff_compute(const int *a, int n, const int *b, int m);
int  script_distance(const script *s);

typedef struct { char *s; size_t n, cap; } buffer;
void buf_add(buffer *b, const char *s, size_t n);
void buf_text(buffer *b, const char *s);
void buf_free(buffer *b);

void unified_write(buffer *out, const interner *in, lines a, lines b, const script *s, int context);
/* Applies a unified patch to `old`; NULL if ok, else why not. */
const char *unified_apply(const char *old, size_t old_len, const char *patch, size_t patch_len,
                          buffer *out);

/* Three-way merge; returns the number of conflicts. */
int merge3(buffer *out, const interner *in, lines base, lines mine, lines yours);

#endif
