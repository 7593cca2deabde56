/* format.c - sets broken lines: alignment, indents, prefixes, columns. */
#include "wrap.h"

#include <stdlib.h>
#include <string.h>

void text_put(Text *t, const char *s, size_t n)
{
    if (t->n + n + 1 > t->cap) {
        t->cap = (t->n + n + 1) * 2;
        t->s = realloc(t->s, t->cap);
        if (!t->s)
            abort();
    }
    memcpy(t->s + t->n, s, n);
    t->n += n;
    t->s[t->n] = '\0';
}

void text_fill(Text *t, char c, int count)
{
    for (; count > 0; count--)
        text_put(t, &c, 1);
}

static int gaps_in(const Pieces *p, const Line *l)
{
    int gaps = 0;
    for (int i = l->from; i + 1 < l->to; i++)
        gaps += p->v[i].glue_after;
    return gaps;
}

/* Spreads `extra` spaces over the gaps, from alternating sides. */
static void set_line(Text *out, const Pieces *p, const Line *l, int extra, bool from_right)
{
    int gaps = gaps_in(p, l), seen = 0;
    for (int i = l->from; i < l->to; i++) {
        const Piece *x = &p->v[i];
        text_put(out, x->text, (size_t)x->bytes);
        if (i + 1 == l->to) {
            if (x->hyphen_if_broken)
                text_put(out, "-", 1);
        } else if (x->glue_after) {
            int place = from_right ? gaps - 1 - seen : seen;
            text_fill(out, ' ', 1 + (gaps ? extra / gaps + (place < extra % gaps) : 0));
            seen++;
        }
    }
}

int format_paragraph(Text *out, const char *s, size_t n, const Style *st)
{
    Pieces p = { 0 };
    Lines lines = { 0 };
    split_pieces(&p, s, n, st->hyphenate, line_room(st, 1));
    if (st->optimal)
        break_optimal(&lines, &p, st);
    else
        break_greedy(&lines, &p, st);
    for (int i = 0; i < lines.n; i++) {
        const Line *l = &lines.v[i];
        int slack = line_room(st, i) - l->width;
        if (st->prefix)
            text_put(out, st->prefix, strlen(st->prefix));
        text_fill(out, ' ', i == 0 ? st->first_indent : st->indent);
        if (st->align == ALIGN_RIGHT)
            text_fill(out, ' ', slack);
        else if (st->align == ALIGN_CENTER)
            text_fill(out, ' ', slack / 2);
        bool justify = st->align == ALIGN_JUSTIFY && i + 1 < lines.n && slack > 0;
        set_line(out, &p, l, justify ? slack : 0, i & 1);
        text_put(out, "\n", 1);
    }
    int count = lines.n;
    free(p.v);
    free(lines.v);
    return count;
}

/* Balanced columns: fills one narrow column, then cuts it into equal parts. */
void format_columns(Text *out, const char *s, size_t n, int columns, int width, int gap)
{
    Text narrow = { 0 };
    Style st = { .align = ALIGN_JUSTIFY, .optimal = true, .hyphenate = true };
    st.width = (width - gap * (columns - 1)) / columns;
    int count = format_paragraph(&narrow, s, n, &st), rows = (count + columns - 1) / columns;
    const char **line = calloc((size_t)count + 1, sizeof *line);
    if (!line)
        abort();
    const char *at = narrow.s;
    for (int i = 0; i < count; i++) {
        line[i] = at;
        at = strchr(at, '\n') + 1;
    }
    for (int r = 0; r < rows; r++) {
        int pad = 0;
        for (int c = 0; c < columns && c * rows + r < count; c++) {
            const char *t = line[c * rows + r];
            int bytes = (int)strcspn(t, "\n");
            text_fill(out, ' ', pad);
            text_put(out, t, (size_t)bytes);
            pad = gap + st.width - utf8_width(t, bytes);
        }
        text_put(out, "\n", 1);
    }
    free(line);
    free(narrow.s);
}
