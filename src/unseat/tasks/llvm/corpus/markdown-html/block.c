/* block.c - block structure: containers recurse on stripped copies of lines. */
#include "md.h"

#include <stdlib.h>
#include <string.h>

struct lines { struct span *v; size_t n, cap; };

static void blocks(struct md *m, const struct lines *ls, bool tight);

static void lines_add(struct lines *ls, struct span s)
{
    if (ls->n == ls->cap) {
        ls->cap = ls->cap ? ls->cap * 2 : 16;
        ls->v = realloc(ls->v, ls->cap * sizeof *ls->v);
        if (!ls->v)
            abort();
    }
    ls->v[ls->n++] = s;
}

static size_t indent_of(struct span s)
{
    size_t i = 0;
    while (i < s.n && s.p[i] == ' ')
        i++;
    return i;
}

static bool is_blank(struct span s) { return indent_of(s) == s.n; }

static struct span drop(struct span s, size_t k)
{
    if (k > s.n)
        k = s.n;
    s.p += k;
    s.n -= k;
    return s;
}

static struct span unindent(struct span s, size_t most)
{
    size_t i = indent_of(s);
    return drop(s, i < most ? i : most);
}

static int heading_level(struct span s)
{
    size_t i = 0;
    while (i < s.n && s.p[i] == '#')
        i++;
    return i >= 1 && i <= 6 && (i == s.n || s.p[i] == ' ') ? (int)i : 0;
}

static bool is_rule(struct span s)
{
    int marks = 0;
    s = span_trim(s);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != s.p[0] && s.p[i] != ' ')
            return false;
        marks += s.p[i] != ' ';
    }
    return marks >= 3 && strchr("-*_", s.p[0]);
}

static size_t fence_length(struct span s)
{
    size_t i = 0;
    while (i < s.n && s.p[i] == '`')
        i++;
    return i >= 3 ? i : 0;
}

/* Width of the list marker with its space, 0 if the line starts no item. */
static size_t marker_width(struct span s, bool *ordered)
{
    size_t lead = indent_of(s), i = lead;
    if (lead > 3 || i >= s.n || is_rule(s))
        return 0;
    *ordered = s.p[i] >= '0' && s.p[i] <= '9';
    if (*ordered) {
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
            i++;
        if (i >= s.n || s.p[i] != '.')
            return 0;
    } else if (s.p[i] != '-' && s.p[i] != '*' && s.p[i] != '+') {
        return 0;
    }
    i++;
    return i < s.n && s.p[i] == ' ' ? i + 1 : 0;
}

static bool starts_block(struct span s)
{
    bool ordered;
    struct span t = unindent(s, 3);
    return is_blank(s) || heading_level(t) || is_rule(s) || fence_length(t) ||
           (t.n && t.p[0] == '>') || marker_width(s, &ordered);
}

static void heading(struct md *m, struct span text, int level)
{
    text = span_trim(text);
    while (text.n && text.p[text.n - 1] == '#')
        text.n--;
    m->stats.headings++;
    str_putf(m->out, "<h%d>", level);
    md_inline(m, span_trim(text));
    str_putf(m->out, "</h%d>\n", level);
}

static size_t fenced_code(struct md *m, const struct lines *ls, size_t at)
{
    size_t lead = indent_of(ls->v[at]);
    struct span open = drop(ls->v[at], lead);
    size_t len = fence_length(open), i = at + 1;
    struct span info = span_trim(drop(open, len));
    m->stats.codes++;
    str_puts(m->out, "<pre><code");
    if (info.n) {
        str_puts(m->out, " class=\"language-");
        str_escape(m->out, info.p, info.n);
        str_putc(m->out, '"');
    }
    str_putc(m->out, '>');
    for (; i < ls->n; i++) {
        struct span s = unindent(ls->v[i], 3);
        if (fence_length(s) >= len && fence_length(s) == span_trim(s).n)
            break;
        s = unindent(ls->v[i], lead);
        str_escape(m->out, s.p, s.n);
        str_putc(m->out, '\n');
    }
    str_puts(m->out, "</code></pre>\n");
    return i < ls->n ? i + 1 : i;
}

static size_t indented_code(struct md *m, const struct lines *ls, size_t at)
{
    size_t end = at, i;
    for (i = at; i < ls->n && (is_blank(ls->v[i]) || indent_of(ls->v[i]) >= 4); i++)
        if (!is_blank(ls->v[i]))
            end = i + 1;
    m->stats.codes++;
    str_puts(m->out, "<pre><code>");
    for (i = at; i < end; i++) {
        struct span s = drop(ls->v[i], 4);
        str_escape(m->out, s.p, s.n);
        str_putc(m->out, '\n');
    }
    str_puts(m->out, "</code></pre>\n");
    return end;
}

static size_t block_quote(struct md *m, const struct lines *ls, size_t at)
{
    struct lines inner = { 0 };
    size_t i = at;
    for (; i < ls->n; i++) {
        struct span s = unindent(ls->v[i], 3);
        if (s.n && s.p[0] == '>')
            s = unindent(drop(s, 1), 1);
        else if (starts_block(ls->v[i]))
            break;                           /* otherwise a lazy continuation */
        lines_add(&inner, s);
    }
    m->stats.quotes++;
    str_puts(m->out, "<blockquote>\n");
    blocks(m, &inner, false);
    str_puts(m->out, "</blockquote>\n");
    free(inner.v);
    return i;
}

/* End of the item that starts at `at`; reports whether blank lines split it. */
static size_t item_end(const struct lines *ls, size_t at, size_t width, bool *loose)
{
    size_t i = at + 1, blanks = 0;
    for (; i < ls->n; i++) {
        if (is_blank(ls->v[i])) {
            blanks++;
            continue;
        }
        bool inside = indent_of(ls->v[i]) >= width;
        if (!inside && (blanks || starts_block(ls->v[i])))
            break;
        if (blanks)
            *loose = true;
        blanks = 0;
    }
    return i - blanks;
}

static size_t list(struct md *m, const struct lines *ls, size_t at)
{
    bool ordered, other, loose = false;
    size_t width = marker_width(ls->v[at], &ordered), i = at, end = at;
    const char *tag = ordered ? "ol" : "ul";

    while (i < ls->n && (width = marker_width(ls->v[i], &other)) && other == ordered) {
        end = item_end(ls, i, width, &loose);
        size_t next = end;
        while (next < ls->n && is_blank(ls->v[next]))
            next++;
        if (next > end && next < ls->n && marker_width(ls->v[next], &other) && other == ordered)
            loose = true;
        i = next;
    }
    m->stats.lists++;
    str_putf(m->out, "<%s>\n", tag);
    for (i = at; i < end; ) {
        bool unused = false;
        width = marker_width(ls->v[i], &other);
        size_t stop = item_end(ls, i, width, &unused);
        struct lines inner = { 0 };
        lines_add(&inner, drop(ls->v[i], width));
        for (size_t k = i + 1; k < stop; k++)
            lines_add(&inner, unindent(ls->v[k], width));
        m->stats.items++;
        str_puts(m->out, "<li>");
        blocks(m, &inner, !loose);
        str_puts(m->out, "</li>\n");
        free(inner.v);
        for (i = stop; i < end && is_blank(ls->v[i]); i++)
            ;
    }
    str_putf(m->out, "</%s>\n", tag);
    return end;
}

/* Splits "| a | b |" and returns the number of cells. */
static int cells(struct span s, struct span *out, int max)
{
    int n = 0;
    s = span_trim(s);
    if (s.n && s.p[0] == '|')
        s = drop(s, 1);
    if (s.n && s.p[s.n - 1] == '|')
        s.n--;
    while (n < max) {
        const char *bar = memchr(s.p, '|', s.n);
        size_t len = bar ? (size_t)(bar - s.p) : s.n;
        struct span cell = { s.p, len };
        out[n++] = span_trim(cell);
        if (!bar)
            break;
        s = drop(s, len + 1);
    }
    return n;
}

enum { MAX_COLUMNS = 12 };

static int table_columns(struct span head, struct span rule, char *align)
{
    struct span c[MAX_COLUMNS];
    int n = cells(rule, c, MAX_COLUMNS);
    if (!memchr(head.p, '|', head.n) || !memchr(rule.p, '|', rule.n))
        return 0;
    for (int i = 0; i < n; i++) {
        if (c[i].n < 3)
            return 0;
        bool left = c[i].p[0] == ':', right = c[i].p[c[i].n - 1] == ':';
        for (size_t k = left; k < c[i].n - right; k++)
            if (c[i].p[k] != '-')
                return 0;
        align[i] = left && right ? 'c' : right ? 'r' : left ? 'l' : 0;
    }
    return n;
}

static void table_row(struct md *m, struct span row, const char *tag, int n, const char *align)
{
    struct span c[MAX_COLUMNS];
    int have = cells(row, c, MAX_COLUMNS);
    str_puts(m->out, "<tr>");
    for (int i = 0; i < n; i++) {
        str_putf(m->out, "<%s", tag);
        if (align[i])
            str_putf(m->out, " align=\"%s\"", align[i] == 'c' ? "center" :
                                              align[i] == 'r' ? "right" : "left");
        str_putc(m->out, '>');
        if (i < have)
            md_inline(m, c[i]);
        str_putf(m->out, "</%s>", tag);
    }
    str_puts(m->out, "</tr>\n");
}

static size_t table(struct md *m, const struct lines *ls, size_t at)
{
    char align[MAX_COLUMNS];
    int n = at + 1 < ls->n ? table_columns(ls->v[at], ls->v[at + 1], align) : 0;
    if (!n)
        return at;
    m->stats.tables++;
    str_puts(m->out, "<table>\n");
    table_row(m, ls->v[at], "th", n, align);
    size_t i = at + 2;
    for (; i < ls->n && memchr(ls->v[i].p, '|', ls->v[i].n); i++)
        table_row(m, ls->v[i], "td", n, align);
    str_puts(m->out, "</table>\n");
    return i;
}

static size_t paragraph(struct md *m, const struct lines *ls, size_t at, bool tight)
{
    struct str text = { 0 };
    size_t i = at;
    int setext = 0;
    for (; i < ls->n && !setext; i++) {
        struct span s = span_trim(ls->v[i]);
        if (i > at && s.n && (s.p[0] == '=' || s.p[0] == '-')) {
            size_t k = 0;
            while (k < s.n && s.p[k] == s.p[0])
                k++;
            if (k == s.n) {
                setext = s.p[0] == '=' ? 1 : 2;
                continue;
            }
        }
        if (i > at && starts_block(ls->v[i]))
            break;
        if (i > at)
            str_putc(&text, '\n');
        str_putn(&text, ls->v[i].p, ls->v[i].n);
    }
    struct span body = { text.s, text.n };
    body = span_trim(body);
    if (setext) {
        heading(m, body, setext);
    } else {
        m->stats.paragraphs++;
        str_puts(m->out, tight ? "" : "<p>");
        md_inline(m, body);
        str_puts(m->out, tight ? "" : "</p>\n");
    }
    str_free(&text);
    return i;
}

static void blocks(struct md *m, const struct lines *ls, bool tight)
{
    for (size_t i = 0; i < ls->n; ) {
        struct span s = ls->v[i], t = unindent(s, 3);
        bool ordered;
        int level;
        size_t next;
        if (is_blank(s)) {
            i++;
        } else if (indent_of(s) >= 4) {
            i = indented_code(m, ls, i);
        } else if ((level = heading_level(t))) {
            heading(m, drop(t, (size_t)level), level);
            i++;
        } else if (fence_length(t)) {
            i = fenced_code(m, ls, i);
        } else if (is_rule(s)) {
            str_puts(m->out, "<hr />\n");
            i++;
        } else if (t.p[0] == '>') {
            i = block_quote(m, ls, i);
        } else if (marker_width(s, &ordered)) {
            if (tight && m->out->n && m->out->s[m->out->n - 1] != '\n')
                str_putc(m->out, '\n');
            i = list(m, ls, i);
        } else if ((next = table(m, ls, i)) > i) {
            i = next;
        } else {
            i = paragraph(m, ls, i, tight);
        }
    }
}

/* "[label]: url" on a line of its own. */
static bool take_definition(struct md *m, struct span s)
{
    if (s.n < 5 || s.p[0] != '[')
        return false;
    const char *close = memchr(s.p, ']', s.n);
    if (!close || close + 1 >= s.p + s.n || close[1] != ':')
        return false;
    struct span label = { s.p + 1, (size_t)(close - s.p) - 1 };
    struct span url = span_trim(drop(s, (size_t)(close - s.p) + 2));
    if (!url.n || memchr(url.p, ' ', url.n))
        return false;
    refs_add(&m->refs, label, url);
    return true;
}

void md_render(struct str *out, const char *text, size_t n, struct stats *stats)
{
    struct md m = { 0 };
    struct lines ls = { 0 };
    m.out = out;
    for (size_t at = 0; at < n; ) {
        const char *nl = memchr(text + at, '\n', n - at);
        size_t end = nl ? (size_t)(nl - text) : n;
        struct span s = { text + at, end - at };
        if (!take_definition(&m, s))
            lines_add(&ls, s);
        at = end + 1;
    }
    blocks(&m, &ls, false);
    *stats = m.stats;
    refs_free(&m.refs);
    free(ls.v);
}
