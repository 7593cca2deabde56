/* wrap.h - paragraph filling: greedy or optimal breaks, several alignments. */
#ifndef WRAP_H
#define WRAP_H

#include <stdbool.h>
#include <stddef.h>

typedef enum { ALIGN_LEFT, ALIGN_RIGHT, ALIGN_CENTER, ALIGN_JUSTIFY } Align;

typedef struct {
    int width;                 /* columns of a full line */
    int first_indent, indent;  /* of the first and of the other lines */
    Align align;
    bool optimal;              /* minimise squared slack instead of filling */
    bool hyphenate;
    const char *prefix;        /* put before every line, counts to the width */
} Style;

/* A word or a piece of a hyphenated word. */
typedef struct {
    const char *text;
    int bytes, width;
    bool glue_after;           /* a space follows, unless the line breaks */
    bool hyphen_if_broken;     /* a '-' appears when the line breaks here */
} Piece;

typedef struct { Piece *v; int n, cap; } Pieces;
typedef struct { int from, to, width; } Line;             /* pieces [from, to) */
typedef struct { Line *v; int n, cap; long cost; } Lines;

typedef struct { char *s; size_t n, cap; } Text;
void text_put(Text *t, const char *s, size_t n);
void text_fill(Text *t, char c, int count);

/* utf8.c */
int utf8_width(const char *s, int bytes);
int utf8_prefix(const char *s, int bytes, int width);     /* bytes that fit */

/* pieces.c */
void split_pieces(Pieces *p, const char *s, size_t n, bool hyphenate, int max_width);
int  syllables(const char *word, int n, int *cuts, int max);

/* breaks.c */
void break_greedy(Lines *out, const Pieces *p, const Style *st);
void break_optimal(Lines *out, const Pieces *p, const Style *st);
long line_cost(int slack, bool last, bool hyphen);
int  line_room(const Style *st, int line);

/* format.c */
int  format_paragraph(Text *out, const char *s, size_t n, const Style *st);
void format_columns(Text *out, const char *s, size_t n, int columns, int width, int gap);

#endif
