/* parse.c - well-formedness checking XML reader (no DTDs, no namespaces). */
#include "xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { xml_doc *d; const char *p, *end, *start; bool failed; } reader;

static void *grown(void *old, int *cap, int need, size_t size)
{
    if (need <= *cap)
        return old;
    *cap = need * 2 + 16;
    void *p = realloc(old, (size_t)*cap * size);
    if (!p)
        abort();
    return p;
}

static bool fail(reader *r, const char *what)
{
    if (!r->failed) {
        r->failed = true;
        r->d->line = 1;
        for (const char *s = r->start; s < r->p; s++)
            r->d->line += *s == '\n';
        snprintf(r->d->error, sizeof r->d->error, "%s", what);
    }
    return false;
}

static void add_char(xml_doc *d, char c)
{
    if (d->nchars == d->chars_cap) {
        d->chars_cap = d->chars_cap * 2 + 256;
        d->chars = realloc(d->chars, d->chars_cap);
        if (!d->chars)
            abort();
    }
    d->chars[d->nchars++] = c;
}

static void add_utf8(xml_doc *d, unsigned long c)
{
    if (c < 0x80) {
        add_char(d, (char)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned lead[] = { 0, 0xC0, 0xE0, 0xF0 };
    add_char(d, (char)(lead[more] | c >> (6 * more)));
    while (more-- > 0)
        add_char(d, (char)(0x80 | (c >> (6 * more) & 0x3F)));
}

static int add_node(xml_doc *d, xml_kind kind, int name, int parent)
{
    d->nodes = grown(d->nodes, &d->cap, d->count + 1, sizeof *d->nodes);
    xml_node n = { kind, name, parent, 0, 0, 0, d->nchars, 0 };
    d->nodes[d->count] = n;
    return d->count++;
}

int xml_find_name(const xml_doc *d, const char *name, size_t n)
{
    for (int i = 0; i < d->nnames; i++)
        if (strlen(d->names[i]) == n && !memcmp(d->names[i], name, n))
            return i;
    return -1;
}

static int intern(xml_doc *d, const char *name, size_t n)
{
    int i = xml_find_name(d, name, n);
    if (i >= 0)
        return i;
    d->names = grown(d->names, &d->names_cap, d->nnames + 1, sizeof *d->names);
    char *copy = malloc(n + 1);
    if (!copy)
        abort();
    memcpy(copy, name, n);
    copy[n] = '\0';
    d->names[d->nnames] = copy;
    return d->nnames++;
}

static bool starts(const reader *r, const char *s)
{
    size_t n = strlen(s);
    return (size_t)(r->end - r->p) >= n && !memcmp(r->p, s, n);
}

static bool accept(reader *r, const char *s)
{
    if (!starts(r, s))
        return false;
    r->p += strlen(s);
    return true;
}

static void spaces(reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
        r->p++;
}

static bool name_char(char c, bool first)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':')
        return true;
    return !first && ((c >= '0' && c <= '9') || c == '-' || c == '.');
}

static int read_name(reader *r)
{
    const char *s = r->p;
    while (r->p < r->end && name_char(*r->p, r->p == s))
        r->p++;
    if (r->p == s) {
        fail(r, "name expected");
        return -1;
    }
    return intern(r->d, s, (size_t)(r->p - s));
}

static bool skip_past(reader *r, const char *close, const char *what)
{
    while (r->p < r->end && !starts(r, close))
        r->p++;
    return accept(r, close) || fail(r, what);
}

static bool read_entity(reader *r)
{
    static const struct { const char *text; char c; } named[] = {
        { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&quot;", '"' }, { "&apos;", '\'' },
    };
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (accept(r, named[i].text)) {
            add_char(r->d, named[i].c);
            return true;
        }
    if (!accept(r, "&#"))
        return fail(r, "unknown entity");
    unsigned long c = 0, base = accept(r, "x") ? 16 : 10;
    for (; r->p < r->end && *r->p != ';'; r->p++) {
        char ch = *r->p;
        unsigned digit = ch >= '0' && ch <= '9' ? (unsigned)(ch - '0')
                       : ch >= 'a' && ch <= 'f' ? (unsigned)(ch - 'a') + 10
                       : ch >= 'A' && ch <= 'F' ? (unsigned)(ch - 'A') + 10 : 99;
        c = c * base + digit;
        if (digit >= base || c > 0x10FFFF)
            return fail(r, "bad character reference");
    }
    if (!accept(r, ";") || c == 0)
        return fail(r, "bad character reference");
    add_utf8(r->d, c);
    return true;
}

static bool read_attributes(reader *r, int element)
{
    int last = 0;
    for (;;) {
        const char *before = r->p;
        spaces(r);
        if (r->p == r->end || *r->p == '>' || *r->p == '/')
            return true;
        if (r->p == before)
            return fail(r, "space expected before attribute");
        int name = read_name(r);
        if (name < 0)
            return false;
        for (int a = r->d->nodes[element].attribute; a; a = r->d->nodes[a].next)
            if (r->d->nodes[a].name == name)
                return fail(r, "duplicate attribute");
        spaces(r);
        if (!accept(r, "="))
            return fail(r, "'=' expected");
        spaces(r);
        if (r->p == r->end || (*r->p != '"' && *r->p != '\''))
            return fail(r, "quoted value expected");
        char quote = *r->p++;
        int a = add_node(r->d, XML_ATTRIBUTE, name, element);
        while (r->p < r->end && *r->p != quote) {
            if (*r->p == '<')
                return fail(r, "'<' in attribute value");
            if (*r->p != '&')
                add_char(r->d, *r->p++);
            else if (!read_entity(r))
                return false;
        }
        if (r->p == r->end)
            return fail(r, "unterminated attribute value");
        r->p++;
        r->d->nodes[a].len = r->d->nchars - r->d->nodes[a].text;
        if (last)
            r->d->nodes[last].next = a;
        else
            r->d->nodes[element].attribute = a;
        last = a;
    }
}

/* Text and CDATA sections up to the next tag; blank text is dropped. */
static int read_text(reader *r, int parent)
{
    size_t from = r->d->nchars;
    bool blank = true;
    while (r->p < r->end) {
        if (accept(r, "<![CDATA[")) {
            blank = false;
            while (r->p < r->end && !starts(r, "]]>"))
                add_char(r->d, *r->p++);
            if (!accept(r, "]]>"))
                fail(r, "unterminated CDATA section");
        } else if (*r->p == '<') {
            break;
        } else if (*r->p == '&') {
            blank = false;
            if (!read_entity(r))
                break;
        } else {
            blank &= *r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r';
            add_char(r->d, *r->p++);
        }
    }
    if (blank) {
        r->d->nchars = from;
        return 0;
    }
    int n = add_node(r->d, XML_TEXT, -1, parent);
    r->d->nodes[n].text = from;
    r->d->nodes[n].len = r->d->nchars - from;
    return n;
}

static int read_element(reader *r, int parent, int depth);

static bool read_content(reader *r, int parent, int depth)
{
    int last = 0;
    while (r->p < r->end && !starts(r, "</")) {
        int n = 0;
        if (accept(r, "<!--")) {
            skip_past(r, "-->", "unterminated comment");
        } else if (accept(r, "<?")) {
            skip_past(r, "?>", "unterminated instruction");
        } else if (*r->p == '<' && !starts(r, "<![CDATA[")) {
            n = read_element(r, parent, depth + 1);
        } else {
            n = read_text(r, parent);
            if (n && parent == 0)
                fail(r, "text outside the root element");
        }
        if (r->failed)
            return false;
        if (n && last)
            r->d->nodes[last].next = n;
        else if (n)
            r->d->nodes[parent].child = n;
        if (n)
            last = n;
    }
    return true;
}

static int read_element(reader *r, int parent, int depth)
{
    r->p++;
    int name = read_name(r);
    if (name < 0)
        return 0;
    if (depth > 200)
        return fail(r, "nested too deeply");
    int e = add_node(r->d, XML_ELEMENT, name, parent);
    if (!read_attributes(r, e) || accept(r, "/>"))
        return e;
    if (!accept(r, ">"))
        return fail(r, "'>' expected");
    if (!read_content(r, e, depth))
        return 0;
    if (!accept(r, "</"))
        return fail(r, "unclosed element");
    if (read_name(r) != name)
        return fail(r, "mismatched end tag");
    spaces(r);
    if (!accept(r, ">"))
        return fail(r, "'>' expected");
    return e;
}

bool xml_parse(xml_doc *d, const char *text, size_t len)
{
    reader r = { d, text, text + len, text, false };
    memset(d, 0, sizeof *d);
    add_node(d, XML_ROOT, -1, 0);
    if (read_content(&r, 0, 0) && r.p < r.end)
        fail(&r, "end tag without start");
    int first = d->nodes[0].child;
    if (!r.failed && (first == 0 || d->nodes[first].next))
        fail(&r, "exactly one root element expected");
    return !r.failed;
}

void xml_free(xml_doc *d)
{
    for (int i = 0; i < d->nnames; i++)
        free(d->names[i]);
    free(d->names);
    free(d->nodes);
    free(d->chars);
}

size_t xml_string(const xml_doc *d, int node, char *buf, size_t cap)
{
    const xml_node *n = &d->nodes[node];
    size_t total = 0;
    if (n->kind == XML_TEXT || n->kind == XML_ATTRIBUTE) {
        size_t k = n->len < cap ? n->len : cap - 1;
        if (k)
            memcpy(buf, d->chars + n->text, k);
        buf[k] = '\0';
        return n->len;
    }
    buf[0] = '\0';
    for (int c = n->child; c; c = d->nodes[c].next) {
        size_t used = total < cap - 1 ? total : cap - 1;
        total += xml_string(d, c, buf + used, cap - used);
    }
    return total;
}
