/* inline.c - emphasis, code spans, links, images, autolinks and escapes. */
#include "md.h"

#include <string.h>

static bool is_punct(char c)
{
    return c && strchr("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", c) != NULL;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t run_length(struct span t, size_t at)
{
    size_t i = at;
    while (i < t.n && t.p[i] == t.p[at])
        i++;
    return i - at;
}

/* Index of the bracket that closes the one at `open`, or t.n. */
static size_t closing(struct span t, size_t open, char left, char right)
{
    int depth = 0;
    for (size_t i = open; i < t.n; i++) {
        if (t.p[i] == '\\')
            i++;
        else if (t.p[i] == left)
            depth++;
        else if (t.p[i] == right && --depth == 0)
            return i;
    }
    return t.n;
}

static struct span sub(struct span t, size_t from, size_t to)
{
    struct span s = { t.p + from, to - from };
    return s;
}

/* Each handler returns how many characters it consumed, 0 for "not mine". */

static size_t code_span(struct md *m, struct span t, size_t at)
{
    size_t ticks = run_length(t, at);
    for (size_t i = at + ticks; i < t.n; ) {
        if (t.p[i] != '`') {
            i++;
            continue;
        }
        size_t r = run_length(t, i);
        if (r == ticks) {
            struct span body = sub(t, at + ticks, i);
            if (body.n > 2 && body.p[0] == ' ' && body.p[body.n - 1] == ' ')
                body = sub(body, 1, body.n - 1);
            str_puts(m->out, "<code>");
            str_escape(m->out, body.p, body.n);
            str_puts(m->out, "</code>");
            return i + ticks - at;
        }
        i += r;
    }
    str_putn(m->out, t.p + at, ticks);
    return ticks;
}

static void put_link(struct md *m, bool image, struct span label, struct span url,
                     struct span title)
{
    m->stats.links++;
    str_puts(m->out, image ? "<img src=\"" : "<a href=\"");
    str_escape(m->out, url.p, url.n);
    if (image) {
        str_puts(m->out, "\" alt=\"");
        str_escape(m->out, label.p, label.n);
    }
    if (title.n) {
        str_puts(m->out, "\" title=\"");
        str_escape(m->out, title.p, title.n);
    }
    str_puts(m->out, image ? "\" />" : "\">");
    if (!image) {
        md_inline(m, label);
        str_puts(m->out, "</a>");
    }
}

static size_t link(struct md *m, struct span t, size_t at)
{
    bool image = t.p[at] == '!';
    size_t open = at + image;
    struct span none = { t.p, 0 };
    if (open >= t.n || t.p[open] != '[')
        return 0;
    size_t close = closing(t, open, '[', ']');
    if (close == t.n)
        return 0;
    struct span label = sub(t, open + 1, close);
    if (close + 1 < t.n && t.p[close + 1] == '(') {
        size_t end = closing(t, close + 1, '(', ')');
        if (end == t.n)
            return 0;
        struct span url = span_trim(sub(t, close + 2, end)), title = none;
        const char *quote = memchr(url.p, '"', url.n);
        if (quote && quote > url.p && url.p[url.n - 1] == '"' && quote < url.p + url.n - 1) {
            title = sub(url, (size_t)(quote - url.p) + 1, url.n - 1);
            url = span_trim(sub(url, 0, (size_t)(quote - url.p)));
        }
        put_link(m, image, label, url, title);
        return end + 1 - at;
    }
    struct span key = label;
    size_t end = close;
    if (close + 1 < t.n && t.p[close + 1] == '[') {
        end = closing(t, close + 1, '[', ']');
        if (end == t.n)
            return 0;
        if (end > close + 2)
            key = sub(t, close + 2, end);
    }
    const struct ref *r = refs_find(&m->refs, key);
    if (!r)
        return 0;
    put_link(m, image, label, r->url, none);
    return end + 1 - at;
}

static size_t autolink(struct md *m, struct span t, size_t at)
{
    size_t i = at + 1;
    bool scheme = false, mail = false;
    for (; i < t.n && t.p[i] != '>'; i++) {
        if (t.p[i] == ' ' || t.p[i] == '<')
            return 0;
        scheme |= t.p[i] == ':';
        mail |= t.p[i] == '@';
    }
    if (i == t.n || !(scheme || mail))
        return 0;
    m->stats.links++;
    str_putf(m->out, "<a href=\"%s", scheme ? "" : "mailto:");
    str_escape(m->out, t.p + at + 1, i - at - 1);
    str_puts(m->out, "\">");
    str_escape(m->out, t.p + at + 1, i - at - 1);
    str_puts(m->out, "</a>");
    return i + 1 - at;
}

static bool can_open(struct span t, size_t at, size_t run)
{
    if (at + run >= t.n || t.p[at + run] == ' ' || t.p[at + run] == '\n')
        return false;
    return t.p[at] != '_' || at == 0 || !is_alnum(t.p[at - 1]);
}

static bool can_close(struct span t, size_t at, size_t run)
{
    if (at == 0 || t.p[at - 1] == ' ' || t.p[at - 1] == '\n')
        return false;
    return t.p[at] != '_' || at + run >= t.n || !is_alnum(t.p[at + run]);
}

/* Finds the delimiter run that closes `want` markers opened before `from`. */
static size_t find_closer(struct span t, size_t from, char c, size_t want)
{
    for (size_t i = from; i < t.n; ) {
        if (t.p[i] == '\\') {
            i += 2;
        } else if (t.p[i] == '`') {
            size_t r = run_length(t, i), j = i + r;
            while (j < t.n && !(t.p[j] == '`' && run_length(t, j) == r))
                j += t.p[j] == '`' ? run_length(t, j) : 1;
            i = j < t.n ? j + r : i + r;
        } else if (t.p[i] == c) {
            size_t r = run_length(t, i);
            if (can_close(t, i, r) && (r == want || r >= 3))
                return r > want ? i + r - want : i;
            i += r;
        } else {
            i++;
        }
    }
    return t.n;
}

static size_t emphasis(struct md *m, struct span t, size_t at)
{
    static const char *const tags[] = { "", "em", "strong", "del" };
    char c = t.p[at];
    size_t run = run_length(t, at), want = run > 2 ? 2 : run;
    int tag = c == '~' ? 3 : (int)want;
    if (c == '~' && run != 2)
        return 0;
    if (!can_open(t, at, run))
        return 0;
    size_t end = find_closer(t, at + run, c, want);
    if (end >= t.n)
        return 0;
    str_putf(m->out, "<%s>", tags[tag]);
    md_inline(m, sub(t, at + want, end));
    str_putf(m->out, "</%s>", tags[tag]);
    return end + want - at;
}

static size_t line_end(struct md *m, struct span t, size_t at)
{
    size_t i = at, spaces;
    while (i < t.n && t.p[i] == ' ')
        i++;
    spaces = i - at;
    if (i == t.n || t.p[i] != '\n') {
        str_putn(m->out, t.p + at, spaces);
        return spaces;
    }
    str_puts(m->out, spaces >= 2 ? "<br />\n" : "\n");
    for (i++; i < t.n && t.p[i] == ' '; i++)
        ;
    return i - at;
}

static size_t escape(struct md *m, struct span t, size_t at)
{
    if (at + 1 < t.n && is_punct(t.p[at + 1])) {
        str_escape(m->out, t.p + at + 1, 1);
        return 2;
    }
    if (at + 1 < t.n && t.p[at + 1] == '\n') {
        str_puts(m->out, "<br />");
        return 1;
    }
    return 0;
}

/* "&name;" and "&#123;" pass through; any other ampersand is escaped. */
static size_t entity(struct md *m, struct span t, size_t at)
{
    size_t i = at + 1;
    if (i < t.n && t.p[i] == '#')
        i++;
    size_t first = i;
    while (i < t.n && is_alnum(t.p[i]))
        i++;
    if (i == first || i >= t.n || t.p[i] != ';')
        return 0;
    str_putn(m->out, t.p + at, i + 1 - at);
    return i + 1 - at;
}

typedef size_t (*inline_fn)(struct md *, struct span, size_t);

static inline_fn handler(char c)
{
    switch (c) {
    case '`':  return code_span;
    case '[': case '!': return link;
    case '<':  return autolink;
    case '*': case '_': case '~': return emphasis;
    case ' ':  return line_end;
    case '\\': return escape;
    case '&':  return entity;
    default:   return NULL;
    }
}

void md_inline(struct md *m, struct span t)
{
    for (size_t i = 0; i < t.n; ) {
        inline_fn f = handler(t.p[i]);
        size_t used = f ? f(m, t, i) : 0;
        if (!used) {
            bool run = f == emphasis;        /* an unmatched run stays literal */
            used = run ? run_length(t, i) : 1;
            str_escape(m->out, t.p + i, used);
        }
        i += used;
    }
}
