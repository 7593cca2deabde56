/* main.c - driver: styles on sample texts, then checks on random paragraphs. */
#include "wrap.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char sample[] =
    "The gardener, an unhurried woman of seventy, remembered every apple tree by the year in "
    "which she had planted it. \"Nothing is wasted,\" she used to say; even the caf\xc3\xa9 behind "
    "the greenhouse lived on windfalls. Visitors who expected a tidy orchard found "
    "blackberries, nettles and an astonishing population of hedgehogs instead!";

static void show(const char *title, const Style *st)
{
    Text out = { 0 };
    int lines = format_paragraph(&out, sample, sizeof sample - 1, st);
    printf("-- %s (%d lines)\n%s", title, lines, out.s);
    free(out.s);
}

static void show_syllables(void)
{
    static const char *const words[] = { "gardener", "astonishing", "population", "apple", "orchard",
                                         "blackberries", "strengths", "hyphenation", "queue" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        int n = (int)strlen(words[i]), cuts[16], count = syllables(words[i], n, cuts, 16);
        for (int k = 0, c = 0; k < n; k++) {
            if (c < count && cuts[c] == k) {
                putchar('-');
                c++;
            }
            putchar(words[i][k]);
        }
        putchar(i + 1 < sizeof words / sizeof *words ? ' ' : '\n');
    }
}

static uint64_t rng = 1;

static int roll(int n)
{
    rng = rng * 6364136223846793005u + 1;
    return (int)((rng >> 33) % (uint64_t)n);
}

static void random_paragraph(Text *t, int words)
{
    static const char letters[] = "eeeaaaiioouttnnssrrhhldcumfpgwybvk";
    for (int i = 0; i < words; i++) {
        int most = roll(12) + 1, n = 1 + roll(4);
        n += roll(most);
        for (int k = 0; k < n; k++) {
            if (roll(60) == 0)
                text_put(t, "\xc3\xb6", 2);
            else
                text_put(t, &letters[roll(34)], 1);
        }
        text_put(t, &",.         "[roll(11)], 1);
        text_put(t, "\n  "[roll(3)] == '\n' ? "\n" : " ", 1);
    }
}

/* Minimal cost by trying all ways; gives up on those that reach `limit`. */
static long brute_force(const Pieces *p, const Style *st, int from, int line, long limit)
{
    long best = limit;
    int width = 0, room = line_room(st, line);
    if (from == p->n)
        return 0;
    for (int i = from; i < p->n; i++) {
        const Piece *x = &p->v[i];
        width += x->width;
        if (width + x->hyphen_if_broken <= room) {
            long cost = line_cost(room - width - x->hyphen_if_broken, i + 1 == p->n,
                                  x->hyphen_if_broken);
            if (cost < best) {
                cost += brute_force(p, st, i + 1, line + 1, best - cost);
                if (cost < best)
                    best = cost;
            }
        }
        width += x->glue_after;
        if (width > room + 1)
            break;
    }
    return best;
}

static void compare_with_brute_force(int rounds)
{
    int wrong = 0, not_better = 0;
    long optimal = 0, greedy = 0;
    for (int r = 0; r < rounds; r++) {
        Text t = { 0 };
        Pieces p = { 0 };
        Lines a = { 0 }, b = { 0 };
        Style st = { .width = 22 + roll(8) };
        st.first_indent = roll(5);
        st.indent = roll(3);
        random_paragraph(&t, 10 + roll(8));
        split_pieces(&p, t.s, t.n, roll(2), 12);
        break_optimal(&a, &p, &st);
        break_greedy(&b, &p, &st);
        bool pieces_breakable = true;
        for (int i = 0; i < p.n; i++)
            pieces_breakable &= p.v[i].glue_after || p.v[i].hyphen_if_broken;
        if (pieces_breakable)
            wrong += brute_force(&p, &st, 0, 0, 1000000) != a.cost;
        not_better += a.cost > b.cost;
        optimal += a.cost;
        greedy += b.cost;
        free(t.s);
        free(p.v);
        free(a.v);
        free(b.v);
    }
    printf("brute force: %d rounds, cost %ld (greedy %ld), %d wrong, %d worse than greedy\n", rounds,
           optimal, greedy, wrong, not_better);
}

/* No line too wide, no text lost: removing breaks gives back the words. */
static bool check_output(const char *in, const char *out, const Style *st)
{
    for (const char *s = out; *s; s += strcspn(s, "\n") + 1)
        if (utf8_width(s, (int)strcspn(s, "\n")) > st->width)
            return false;
    while (*in || *out) {
        while (*in == ' ' || *in == '\n')
            in++;
        while (*out == ' ' || *out == '\n' || (*out == '-' && out[1] == '\n'))
            out++;
        if (*in != *out)
            return false;
        if (*in)
            in++, out++;
    }
    return true;
}

static void large_run(int rounds)
{
    uint32_t sum = 0;
    int bad = 0;
    long lines = 0;
    size_t bytes = 0;
    for (int r = 0; r < rounds; r++) {
        Text t = { 0 }, out = { 0 };
        Style st = { .width = 30 + roll(60) };
        st.first_indent = roll(6);
        st.indent = roll(4);
        st.align = (Align)(r % 4);
        st.optimal = r / 4 % 2;
        st.hyphenate = r / 8 % 2;
        random_paragraph(&t, 1200);
        lines += format_paragraph(&out, t.s, t.n, &st);
        bad += !check_output(t.s, out.s, &st);
        for (size_t i = 0; i < out.n; i++)
            sum = (sum << 5 | sum >> 27) ^ (unsigned char)out.s[i];
        bytes += out.n;
        free(t.s);
        free(out.s);
    }
    printf("large: %ld lines, %zu bytes, %d bad, sum %08x\n", lines, bytes, bad, (unsigned)sum);
}

int main(void)
{
    show("greedy, left", &(Style){ .width = 40 });
    show("optimal, left", &(Style){ .width = 40, .optimal = true });
    show("justified, indented, hyphenated",
         &(Style){ .width = 34, .first_indent = 4, .align = ALIGN_JUSTIFY, .optimal = true,
                   .hyphenate = true });
    show("quoted, ragged left", &(Style){ .width = 44, .align = ALIGN_RIGHT, .prefix = "> " });
    show("centered, narrow", &(Style){ .width = 26, .align = ALIGN_CENTER, .optimal = true });
    show("hanging indent", &(Style){ .width = 60, .indent = 8 });
    show("very narrow", &(Style){ .width = 12, .hyphenate = true, .optimal = true });
    Text out = { 0 };
    format_columns(&out, sample, sizeof sample - 1, 3, 78, 3);
    printf("-- columns\n%s", out.s);
    free(out.s);
    show_syllables();
    compare_with_brute_force(100);
    large_run(48);
    return 0;
}
