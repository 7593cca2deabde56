/* main.c - driver: a page, error cases, and a large rendered report. */
#include "tpl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *name, *source; } sources[] = {
    { "page",
      "{# the whole page #}<h1>{{ title|title }}</h1>\n"
      "{%- for p in products|sort:'price' %}\n"
      "{{ loop.index|right:3 }}. {{ p.name|left:14 }}|{{ p.price|group|right:10 }}"
      "{% if p.price > 1000 %} (dear){% elif p.price < 100 and not p.tags %} (cheap, untagged)"
      "{% else %} -{% end %}{% include 'tags' %}\n"
      "{%- empty %}nothing{% end %}\n"
      "{%- set n = products|length %}\n"
      "total {{ n }} / {{ n + 1 }} / {{ 'n=' + n }} / {{ missing|default:'none' }}{{ missing }}\n"
      "{{ unsafe }} {{ unsafe|raw }} {{ '  x y '|trim|upper }} {{ words|join:', '|truncate:12 }}\n"
      "{{ words|reverse|first }} {{ words.1 }} {{ words.9 }} {{ words|last|reverse }} {{ words }}\n"
      "{% for v in pairs %}{{ loop.key }}={{ v }}{% if not loop.last %}; {% end %}{% end %}\n"
      "{% if a or b and false %}yes{% else %}no{% end %} {{ 3 == 3 }} {{ 'a' < 'b' }} {{ a != b }}\n" },
    { "tags", "{% for t in p.tags %} #{{ t }}{% end %}" },
    { "row", "{{ id|right:5 }} {{ name|left:8 }}{% for s in scores|sort %} {{ s }}{% end %}\n" },
    { "report",
      "{% for r in rows %}{% set id = r.id %}{% set name = r.name %}{% set scores = r.scores %}"
      "{% include 'row' %}{% if r.scores|length > 3 %}  best {{ r.scores|sort|last }}, "
      "<{{ r.name|upper|reverse }}>\n{% end %}{% end %}" },
    { "endless", "x{% include 'endless' %}" },
};
enum { SOURCES = sizeof sources / sizeof *sources };

static Template compiled[SOURCES];

static const Template *load(void *user, const char *name)
{
    int *loads = user;
    for (int i = 0; i < SOURCES; i++)
        if (!strcmp(sources[i].name, name)) {
            ++*loads;
            return &compiled[i];
        }
    return NULL;
}

static Value *words(const char *s)
{
    Value *list = val_list();
    while (*s) {
        size_t n = strcspn(s, " ");
        val_append(list, val_strn(s, n));
        s += n + (s[n] == ' ');
    }
    return list;
}

static void add_product(Value *list, const char *name, long price, const char *tags)
{
    Value *p = val_map();
    val_put(p, "name", val_str(name));
    val_put(p, "price", val_int(price));
    val_put(p, "tags", words(tags));
    val_append(list, p);
}

static Value *sample_data(void)
{
    Value *g = val_map(), *products = val_list(), *pairs = val_map();
    add_product(products, "Anvil & Co", 1234567, "heavy iron");
    add_product(products, "Feather", 12, "");
    add_product(products, "Rope <3m>", 450, "hemp");
    add_product(products, "Bucket", 450, "");
    val_put(g, "title", val_str("the sHOP of 'things'"));
    val_put(g, "products", products);
    val_put(g, "unsafe", val_str("<b>\"R&D\"</b>"));
    val_put(g, "words", words("alpha beta gamma delta"));
    val_put(pairs, "one", val_int(1));
    val_put(pairs, "two", val_bool(true));
    val_put(pairs, "none", val_none());
    val_put(g, "pairs", pairs);
    val_put(g, "a", val_int(0));
    val_put(g, "b", val_str("x"));
    return g;
}

static unsigned long rng = 362436069u;

static unsigned roll(unsigned n)
{
    rng = (rng * 69069u + 1u) & 0xFFFFFFFFu;
    return (unsigned)(rng >> 12) % n;
}

static Value *report_data(int rows)
{
    Value *g = val_map(), *list = val_list();
    for (int i = 0; i < rows; i++) {
        Value *row = val_map(), *scores = val_list();
        char name[9];
        int len = 3 + (int)roll(5);
        for (int k = 0; k < len; k++)
            name[k] = (char)('a' + roll(26));
        name[len] = '\0';
        for (unsigned k = roll(8); k > 0; k--)
            val_append(scores, val_int((long)roll(1000)));
        val_put(row, "id", val_int(i));
        val_put(row, "name", val_str(name));
        val_put(row, "scores", scores);
        val_append(list, row);
    }
    val_put(g, "rows", list);
    return g;
}

static void bad_templates(void)
{
    static const char *const bad[] = {
        "a {{ b", "{% if x %}", "{% end %}", "\n\n{{ x|nope }}", "{{ 'abc }}", "{{ }}",
        "{% for in x %}{% end %}", "{% for a x %}{% end %}", "{% set = 3 %}", "{% what %}",
        "{{ (a }}", "{{ a b }}", "{% if a %}{% empty %}{% end %}", "{{ 99999999999 }}", "{{ a. }}",
        "{% if a %}x{% else %}y{% else %}z{% end %}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Template t;
        if (tpl_compile(&t, bad[i]))
            printf("bad %zu accepted\n", i);
        else
            printf("bad %zu: line %d: %s\n", i, t.line, t.error);
        tpl_free(&t);
    }
}

int main(void)
{
    Out out = { 0 };
    int loads = 0, status = 0;
    for (int i = 0; i < SOURCES; i++)
        if (!tpl_compile(&compiled[i], sources[i].source)) {
            printf("%s: line %d: %s\n", sources[i].name, compiled[i].line, compiled[i].error);
            status = 1;
        }
    Value *data = sample_data();
    const char *error = tpl_render(&compiled[0], data, load, &loads, &out);
    printf("%s", out.s ? out.s : "");
    printf("page: %s, %d includes\n", error ? error : "ok", loads);
    out.n = 0;
    error = tpl_render(&compiled[4], data, load, &loads, &out);
    printf("endless: %s after '%s'\n", error ? error : "ok", out.s);
    val_drop(data);
    bad_templates();

    data = report_data(800);
    unsigned sum = 0;
    size_t total = 0;
    for (int round = 0; round < 6; round++) {
        out.n = 0;
        error = tpl_render(&compiled[3], data, load, &loads, &out);
        if (error)
            printf("report: %s\n", error);
        for (size_t i = 0; i < out.n; i++)
            sum = sum * 31 + (unsigned char)out.s[i];
        total += out.n;
    }
    out.s[300] = '\0';
    *(strrchr(out.s, '\n') + 1) = '\0';
    printf("%s", out.s);
    printf("report: %zu bytes, %d includes, sum %08x\n", total, loads, sum);
    val_drop(data);
    free(out.s);
    for (int i = 0; i < SOURCES; i++)
        tpl_free(&compiled[i]);
    printf("live values: %ld\n", val_live());
    return status;
}
