/* main.c - driver: renders stdin, then many generated documents. */
#include "md.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t lcg = 42;

static unsigned pick(unsigned n)
{
    lcg = lcg * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(lcg >> 33) % n;
}

static void words(struct str *b, int n)
{
    static const char *const pieces[] = {
        "plain", "*soft*", "**strong**", "`co<de`", "[site](http://x.org/a?b&c)", "a_b_c",
        "[ref]", "![pic][ref]", "***both***", "~~gone~~", "\\*star", "<me@x.org>", "&copy;",
        "5 < 6", "**un*closed", "``a`b``", "_under score_", "tail  \nbreak", "R&D",
    };
    for (int i = 0; i < n; i++) {
        str_puts(b, pieces[pick(19)]);
        str_putc(b, i + 1 < n ? ' ' : '\n');
    }
}

static void generate_block(struct str *b, const char *prefix, int depth)
{
    struct str deeper = { 0 };
    str_puts(b, prefix);
    switch (pick(depth > 0 ? 9 : 5)) {
    case 0: str_putf(b, "%.*s ", 1 + (int)pick(6), "######"); words(b, 2); break;
    case 1: str_putf(b, "```c\n%sint x = a < %u;\n%s```\n", prefix, pick(50), prefix); break;
    case 2: str_puts(b, "* * *\n"); break;
    case 3: case 4: words(b, 3 + (int)pick(9)); break;
    case 5: case 6:
        for (int i = 1 + (int)pick(4); i > 0; i--) {
            str_puts(b, "- ");
            words(b, 2);
            str_puts(&deeper, prefix);
            str_puts(&deeper, "  ");
            if (pick(3) == 0)
                generate_block(b, deeper.s, depth - 1);
            str_free(&deeper);
            str_puts(b, prefix);
        }
        str_putc(b, '\n');
        break;
    case 7:
        str_puts(&deeper, prefix);
        str_puts(&deeper, "> ");
        str_puts(b, "> quoted\n");
        for (int i = (int)pick(3); i > 0; i--)
            generate_block(b, deeper.s, depth - 1);
        str_free(&deeper);
        break;
    default:
        str_putf(b, "| n | v |\n%s|---|--:|\n%s| %u ", prefix, prefix, pick(9));
        str_putf(b, "| `%u` |\n", pick(99));
        break;
    }
    str_puts(b, "\n");
}

/* Checks that every opened element is closed in the right order. */
static bool balanced(const char *s)
{
    const char *stack[256];
    size_t lens[256];
    int depth = 0;
    while ((s = strchr(s, '<'))) {
        bool close = s[1] == '/';
        const char *name = s + 1 + close, *end = strchr(s, '>');
        size_t len = strcspn(name, " >/");
        if (!end)
            return false;
        if (close) {
            if (depth == 0 || lens[--depth] != len || memcmp(stack[depth], name, len))
                return false;
        } else if (end[-1] != '/') {
            if (depth == 256)
                return false;
            stack[depth] = name;
            lens[depth++] = len;
        }
        s = end + 1;
    }
    return depth == 0;
}

static uint32_t checksum(const struct str *s)
{
    uint32_t a = 1, b = 0;                    /* Adler-32 */
    for (size_t i = 0; i < s->n; i++) {
        a = (a + (unsigned char)s->s[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static void show_stats(const struct stats *t)
{
    printf("headings %d, paragraphs %d, lists %d, items %d, quotes %d, code %d, links %d, tables %d\n",
           t->headings, t->paragraphs, t->lists, t->items, t->quotes, t->codes, t->links, t->tables);
}

static void add_stats(struct stats *sum, const struct stats *t)
{
    sum->headings += t->headings;
    sum->paragraphs += t->paragraphs;
    sum->lists += t->lists;
    sum->items += t->items;
    sum->quotes += t->quotes;
    sum->codes += t->codes;
    sum->links += t->links;
    sum->tables += t->tables;
}

int main(void)
{
    struct str in = { 0 }, out = { 0 };
    struct stats stats, total = { 0 };
    char buf[1024];
    size_t got, source = 0, html = 0;
    uint32_t sum = 0;
    int bad = 0;

    while ((got = fread(buf, 1, sizeof buf, stdin)) > 0)
        str_putn(&in, buf, got);
    md_render(&out, in.n ? in.s : "", in.n, &stats);
    fwrite(out.s, 1, out.n, stdout);
    show_stats(&stats);
    str_free(&in);
    str_free(&out);

    for (int round = 0; round < 150; round++) {
        for (int i = 0; i < 40; i++)
            generate_block(&in, "", 4);
        str_puts(&in, "[Ref]: http://ref.example/\n");
        md_render(&out, in.s, in.n, &stats);
        add_stats(&total, &stats);
        bad += !balanced(out.s);
        sum = sum * 31 + checksum(&out);
        source += in.n;
        html += out.n;
        str_free(&in);
        str_free(&out);
    }
    show_stats(&total);
    printf("generated: %zu bytes in, %zu bytes out, %d unbalanced, sum %08x\n", source, html,
           bad, (unsigned)sum);
    return 0;
}
