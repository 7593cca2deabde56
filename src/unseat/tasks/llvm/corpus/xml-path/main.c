/* main.c - driver: queries on stdin's document and on a generated one. */
#include "xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show_query(const xml_doc *d, const char *path)
{
    xml_set s = { 0 };
    char text[40];
    const char *error = xml_query(d, 0, path, &s);
    printf("%s\n ", path);
    if (error) {
        printf(" error: %s", error);
    } else {
        printf(" %d:", s.n);
        for (int i = 0; i < s.n && i < 6; i++) {
            const xml_node *n = &d->nodes[s.v[i]];
            xml_string(d, s.v[i], text, sizeof text);
            for (char *c = text; *c; c++)
                if (*c == '\n')
                    *c = '~';
            if (n->name >= 0)
                printf(" %s%s", n->kind == XML_ATTRIBUTE ? "@" : "", d->names[n->name]);
            printf("(%s)", text);
        }
    }
    printf("\n");
    set_free(&s);
}

static void put(char **w, const char *s)
{
    size_t n = strlen(s);
    memcpy(*w, s, n);
    *w += n;
}

static unsigned rng = 5;

static unsigned roll(unsigned n)
{
    rng = rng * 1664525u + 1013904223u;
    return (rng >> 10) % n;
}

static void generate(char **w, char *limit, int depth)
{
    static const char *const names[] = { "a", "b", "c", "item", "group" };
    const char *name = names[depth == 0 ? 4 : roll(5)];
    char tag[64];
    snprintf(tag, sizeof tag, "<%s id=\"%u\"", name, roll(50));
    put(w, tag);
    if (roll(3) == 0) {
        snprintf(tag, sizeof tag, " kind='k%u'", roll(4));
        put(w, tag);
    }
    if (depth > 5 || *w > limit || (depth > 1 && roll(4) == 0)) {
        put(w, "/>");
        return;
    }
    put(w, ">");
    for (unsigned n = depth == 0 ? 60 : roll(5); n > 0; n--) {
        if (roll(3) == 0) {
            snprintf(tag, sizeof tag, "%u", roll(100));
            put(w, tag);
        }
        generate(w, limit, depth + 1);
    }
    snprintf(tag, sizeof tag, "%u</%s>\n", roll(100), name);
    put(w, tag);
}

static void large_queries(void)
{
    static const char *const paths[] = {
        "//item", "//a[b]/@id", "//group/*[1]", "//b[last()]", "//item[@kind='k1']/ancestor::group",
        "//c[@id > 25 and not(@kind)]", "//a[count(.//b) > 2]", "//*[contains(@kind, '3')]/..",
        "//item[position() = 2 or a]/text()", "//b/following-sibling::*[2]", "/group/*[count(*)=0]",
        "//c/preceding-sibling::b[1]/@id", "//a//b//c", "//text()",
    };
    char *text = malloc(1 << 18), *w = text, value[64];
    xml_doc d;
    if (!text)
        abort();
    generate(&w, text + 60000, 0);
    size_t len = (size_t)(w - text);
    if (!xml_parse(&d, text, len)) {
        printf("generated document: line %d: %s\n", d.line, d.error);
    } else {
        printf("generated: %zu bytes, %d nodes, %d names\n", len, d.count, d.nnames);
        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
            xml_set s = { 0 };
            unsigned sum = 0;
            const char *error = xml_query(&d, 0, paths[i], &s);
            for (int k = 0; k < s.n; k++) {
                xml_string(&d, s.v[k], value, sizeof value);
                for (const char *c = value; *c; c++)
                    sum = sum * 31 + (unsigned char)*c;
            }
            printf("  %-38s %5d nodes, sum %08x%s\n", paths[i], s.n, sum, error ? error : "");
            set_free(&s);
        }
    }
    xml_free(&d);
    free(text);
}

static void bad_documents(void)
{
    static const char *const bad[] = {
        "", "<a>", "<a></b>", "<a><b></a></b>", "<a x=1/>", "<a x='1' x='2'/>", "<a x='<'/>",
        "<a>&bogus;</a>", "<a>&#xZZ;</a>", "<a/>text", "<a/><b/>", "</a>", "<a><![CDATA[x</a>",
        "<a><!-- x</a>", "<1/>", "<a x='1'y='2'/>", "<a x='1", "<a\n\n>&#0;</a>", "<a x/>",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        xml_doc d;
        bool ok = xml_parse(&d, bad[i], strlen(bad[i]));
        printf("bad %2zu: line %d: %s\n", i, ok ? 0 : d.line, ok ? "accepted" : d.error);
        xml_free(&d);
    }
}

int main(void)
{
    static const char *const paths[] = {
        "/library/book/title", "//author", "/library/book[2]/title", "//book[last()]/@id",
        "//book[@lang='en'][2]/title", "//book[price > 15]/title", "//title/text()", "//*[@id='b3']/*",
        "//book[author='Ann Lee' and year < 2000]/title", "//note/..", "//shelf//book/@id",
        "//book[not(author)]/title", "//book[count(author) >= 2]/@id", "//author[position()=2]",
        "//book[contains(title, 'Tea')]/price", "//price/parent::book/@lang", "/library/*",
        "//shelf/preceding-sibling::book[1]/title", "//book[title]/following-sibling::shelf/@name",
        "//author/ancestor::shelf", "//book[year = 1999 or year = 2004]/year", "/", "//book[",
        "//book[@id='b1", "//book[contains(title)]", "//book]", "//nothing/x[1]", "//book[count(author]",
        "//book[@id != 'b1']/@id",
    };
    static char input[1 << 14];
    size_t n = fread(input, 1, sizeof input, stdin);
    xml_doc d;
    if (!xml_parse(&d, input, n)) {
        printf("input: line %d: %s\n", d.line, d.error);
        xml_free(&d);
        return 1;
    }
    printf("input: %d nodes, %d names, %zu characters\n", d.count, d.nnames, d.nchars);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        show_query(&d, paths[i]);
    xml_free(&d);
    bad_documents();
    large_queries();
    return 0;
}
