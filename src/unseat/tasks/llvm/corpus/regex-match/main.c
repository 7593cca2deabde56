/* main.c - driver: fixed cases, searches in stdin, random cross-checks. */
#include "regex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Ast ast;
static Program prog;

static ReStatus prepare(const char *pattern)
{
    ReStatus s = re_parse(pattern, &ast);
    return s == RE_OK ? re_compile(&ast, &prog) : s;
}

static bool same(bool fa, const Match *a, bool fb, const Match *b)
{
    return fa == fb && (!fa || memcmp(a, b, sizeof *a) == 0);
}

static void show_case(const char *pattern, const char *text)
{
    Match m, m2;
    ReStatus s = prepare(pattern);
    printf("/%s/ on \"%s\":", pattern, text);
    if (s != RE_OK) {
        printf(" %s\n", re_status_text(s));
        return;
    }
    int len = (int)strlen(text);
    bool found = pike_search(&prog, text, len, 0, &m);
    bool found2 = backtrack_search(&prog, text, len, 0, &m2);
    Dfa *d = dfa_create(&prog);
    if (!same(found, &m, found2, &m2) || (d && dfa_test(d, text, len) != found))
        printf(" ENGINES DISAGREE");
    dfa_destroy(d);
    if (!found)
        printf(" no match");
    for (int g = 0; found && g < prog.groups; g++) {
        if (m.slot[2 * g] < 0 || m.slot[2 * g + 1] < 0)
            printf(" -");
        else
            printf(" [%d,%d)", m.slot[2 * g], m.slot[2 * g + 1]);
    }
    printf("\n");
}

static void fixed_cases(void)
{
    static const char *const cases[][2] = {
        { "abc", "xxabcx" }, { "a|ab", "ab" }, { "(a|ab)(c|bcd)(d*)", "abcd" },
        { "a*?b", "aaab" }, { "(a+)(a+)", "aaaa" }, { "(a+?)(a+)", "aaaa" },
        { "x{2,3}", "axxxxb" }, { "x{2,3}?", "axxxxb" }, { "(ab){2}", "abab" },
        { "[^a-c]+", "abcxyzabc" }, { "[]x-]+", "a]-x]b" }, { "\\bfoo\\b", "food foo" },
        { "^b", "a\nb" }, { "a$", "a\nb" }, { "(\\d+)-(\\w+)", "tel 555-abc_9!" },
        { "(a)|(b)", "b" }, { "((a)|b)*", "ab" }, { "(?:ab|cd)+", "xabcdab" },
        { "\\.\\*\\\\", "a.*\\" }, { "", "abc" }, { "(", "" }, { "a)", "" }, { "[a", "" },
        { "[z-a]", "" }, { "*a", "" }, { "a{3,1}", "" }, { "a\\", "" }, { "(a{2", "" }, { "a{1000}{3}", "" },
        { "\\B.\\B", "hello" }, { "(x?)(y?)z", "yz" }, { "[\\w.]+@[\\w.]+", "to bob.s@ex.org, ok" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        show_case(cases[i][0], cases[i][1]);
}

static char *read_all(int *len)
{
    size_t cap = 1 << 12, n = 0, got;
    char *buf = malloc(cap);
    while (buf && (got = fread(buf + n, 1, cap - n, stdin)) > 0) {
        n += got;
        if (n == cap)
            buf = realloc(buf, cap *= 2);
    }
    if (!buf)
        exit(2);
    *len = (int)n;
    return buf;
}

/* grep -c and grep -o at once over the input. */
static void search_input(const char *text, int len)
{
    static const char *const patterns[] = {
        "\\b[A-Z]\\w*", "\\d{1,3}(\\.\\d{1,3}){3}", "(GET|POST) (/[^ ?]*)", "\"[^\"]*\"",
        "status=[45]\\d\\d", "(\\w+)=(\\w+)$", "e.*e", "(er|in|th)+[a-z]",
    };
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        Match m;
        int matches = 0, lines = 0, pos = 0;
        uint32_t sum = 0;
        if (prepare(patterns[i]) != RE_OK)
            continue;
        while (pos <= len && pike_search(&prog, text, len, pos, &m)) {
            matches++;
            for (int g = 0; g < 2 * prog.groups; g++)
                sum = sum * 131 + (uint32_t)m.slot[g];
            pos = m.slot[1] > m.slot[0] ? m.slot[1] : m.slot[1] + 1;
        }
        Dfa *d = dfa_create(&prog);
        for (int s = 0, e; s < len; s = e + 1) {
            for (e = s; e < len && text[e] != '\n'; e++)
                ;
            lines += d ? dfa_test(d, text + s, e - s) : pike_search(&prog, text + s, e - s, 0, &m);
        }
        printf("%-24s %3d matches on %3d lines, sum %08x, %d states\n", patterns[i], matches,
               lines, (unsigned)sum, d ? dfa_state_count(d) : 0);
        dfa_destroy(d);
    }
}

static uint32_t seed = 2463534242u;

static int roll(int n)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return (int)(seed % (uint32_t)n);
}

static void random_pattern(char **w, int depth)
{
    static const char *const atoms[] = { "a", "b", "c", ".", "[ab]", "[^b]", "\\b", "\\w" };
    static const char *const repeats[] = { "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}" };
    int kind = roll(depth > 0 ? 8 : 3);
    const char *s;
    if (kind < 3) {
        s = atoms[roll(8)];
        memcpy(*w, s, strlen(s));
        *w += strlen(s);
        return;
    }
    if (kind < 5) {
        random_pattern(w, depth - 1);
        random_pattern(w, depth - 1);
        return;
    }
    *(*w)++ = '(';
    random_pattern(w, depth - 1);
    if (kind == 5) {
        *(*w)++ = '|';
        random_pattern(w, depth - 1);
    }
    *(*w)++ = ')';
    if (kind == 7) {
        s = repeats[roll(8)];
        memcpy(*w, s, strlen(s));
        *w += strlen(s);
    }
}

static void cross_check(int rounds)
{
    int bad = 0, found = 0, skipped = 0, dfas = 0;
    uint32_t sum = 0;
    for (int r = 0; r < rounds; r++) {
        char pattern[512], *w = pattern, text[24];
        Match m, m2;
        random_pattern(&w, 4);
        *w = '\0';
        if (prepare(pattern) != RE_OK) {
            skipped++;
            continue;
        }
        Dfa *d = dfa_create(&prog);
        for (int t = 0; t < 4; t++) {
            int len = roll(20);
            for (int i = 0; i < len; i++)
                text[i] = "aabbc -"[roll(7)];
            bool f = pike_search(&prog, text, len, 0, &m);
            bool f2 = backtrack_search(&prog, text, len, 0, &m2);
            bad += !same(f, &m, f2, &m2);
            if (d) {
                dfas++;
                bad += dfa_test(d, text, len) != f;
            }
            found += f;
            if (f)
                sum = sum * 33 + (uint32_t)(m.slot[0] * 64 + m.slot[1]);
        }
        dfa_destroy(d);
    }
    printf("cross-check: %d patterns, %d skipped, %d found, %d by dfa, %d disagree, sum %08x\n",
           rounds, skipped, found, dfas, bad, (unsigned)sum);
}

int main(void)
{
    int len;
    char *text = read_all(&len);
    fixed_cases();
    search_input(text, len);
    cross_check(4000);
    free(text);
    return 0;
}
