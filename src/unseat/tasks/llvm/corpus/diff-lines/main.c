/* main.c - driver: sample diffs, broken patches, merges, random round trips. */
#include "diff.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char sample_a[] =
    "#include <stdio.h>\n\nint add(int a, int b)\n{\n    return a + b;\n}\n\n"
    "int sub(int a, int b)\n{\n    return a - b;\n}\n\n"
    "int main(void)\n{\n    printf(\"%d\\n\", add(1, 2));\n    return 0;\n}\n";
static const char sample_b[] =
    "#include <stdio.h>\n#include <stdlib.h>\n\nint add(int a, int b)\n{\n    return a + b;\n}\n\n"
    "int mul(int a, int b)\n{\n    return a * b;\n}\n\n"
    "int sub(int a, int b)\n{\n    return a - b;\n}\n\n"
    "int main(void)\n{\n    printf(\"%d\\n\", mul(1, 2));\n    return EXIT_SUCCESS;\n}\n";
static const char sample_c[] =
    "/* sums */\n#include <stdio.h>\n\nint add(int a, int b)\n{\n    return a + b;\n}\n\n"
    "int main(void)\n{\n    printf(\"%d\\n\", add(3, 4));\n    return 0;\n}\n";

static void show_diff(const char *title, const char *x, const char *y, int context)
{
    interner in;
    buffer out = { 0 }, back = { 0 };
    interner_init(&in);
    lines a = split_lines(&in, x, strlen(x)), b = split_lines(&in, y, strlen(y));
    script s = diff_compute(a.id, a.n, b.id, b.n);
    unified_write(&out, &in, a, b, &s, context);
    printf("%s: distance %d, %d regions\n%s", title, script_distance(&s), s.n, out.n ? out.s : "");
    const char *why = unified_apply(x, strlen(x), out.n ? out.s : "", out.n, &back);
    int equal = back.n == strlen(y) && (back.n == 0 || !memcmp(back.s, y, back.n));
    printf("apply: %s\n", why ? why : equal ? "ok" : "WRONG RESULT");
    script_free(&s);
    buf_free(&out);
    buf_free(&back);
    free(a.id);
    free(b.id);
    interner_free(&in);
}

static void show_merge(void)
{
    interner in;
    buffer out = { 0 };
    interner_init(&in);
    lines base = split_lines(&in, sample_a, sizeof sample_a - 1);
    lines mine = split_lines(&in, sample_b, sizeof sample_b - 1);
    lines yours = split_lines(&in, sample_c, sizeof sample_c - 1);
    int conflicts = merge3(&out, &in, base, mine, yours);
    printf("merge: %d conflicts\n%s", conflicts, out.s);
    buf_free(&out);
    free(base.id);
    free(mine.id);
    free(yours.id);
    interner_free(&in);
}

static void broken_patches(void)
{
    static const char *const bad[] = {
        "garbage\n", "@@ -1,1 +1,1 @@\n", "@@ -1,1 +1,1 @@\n-y\n+z\n", "@@ -9,1 +9,1 @@\n x\n",
        "@@ -1,1 +1,0 @@\n*x\n", "@@ -2,1 +2,0 @@\n-y\n@@ -1,1 +1,0 @@\n-x\n",
        "@@ -1,1 +1,0 @@\n x\n", "@@ -1,1 +1 @@\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        buffer out = { 0 };
        const char *why = unified_apply("x\ny\n", 4, bad[i], strlen(bad[i]), &out);
        printf("broken %zu: %s\n", i, why ? why : "accepted");
        buf_free(&out);
    }
}

static uint32_t rng_a = 1, rng_b = 2;

static int roll(int n)
{
    uint32_t t = rng_a ^ (rng_a << 11);
    rng_a = rng_b;
    rng_b ^= rng_b >> 19 ^ t ^ t >> 8;
    return (int)(rng_b % (uint32_t)n);
}

static void random_text(buffer *b, int count, int variety)
{
    char line[32];
    for (int i = 0; i < count; i++) {
        snprintf(line, sizeof line, "line %d\n", roll(variety));
        buf_text(b, line);
    }
}

/* Copies lines, dropping, adding and changing some. */
static void mutate(buffer *to, const buffer *from, int rate, int variety)
{
    const char *p = from->n ? from->s : "";
    while (*p) {
        size_t n = strcspn(p, "\n") + 1;
        int what = roll(100);
        if (what < rate)
            random_text(to, 1 + roll(3), variety);
        if (what % 7 != 3 || what >= rate * 2)
            buf_add(to, p, n);
        p += n;
    }
}

/* Length of the shortest edit script by dynamic programming. */
static int reference_distance(lines a, lines b)
{
    int *row = malloc((size_t)(b.n + 1) * sizeof *row), result;
    if (!row)
        abort();
    for (int j = 0; j <= b.n; j++)
        row[j] = j;
    for (int i = 1; i <= a.n; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= b.n; j++) {
            int best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            if (a.id[i - 1] == b.id[j - 1])
                best = diagonal;
            diagonal = row[j];
            row[j] = best;
        }
    }
    result = row[b.n];
    free(row);
    return result;
}

static void random_rounds(int rounds)
{
    int wrong = 0, conflicts = 0, clean = 0;
    long distance = 0;
    uint32_t sum = 0;
    for (int r = 0; r < rounds; r++) {
        int variety = 2 + roll(r % 2 ? 8 : 400), size = roll(260);
        buffer ta = { 0 }, tb = { 0 }, tc = { 0 }, patch = { 0 }, back = { 0 }, merged = { 0 };
        interner in;
        random_text(&ta, size, variety);
        mutate(&tb, &ta, roll(30), variety);
        mutate(&tc, &ta, roll(8), variety);
        buf_add(&ta, "", 0);
        buf_add(&tb, "", 0);
        buf_add(&tc, "", 0);
        interner_init(&in);
        lines a = split_lines(&in, ta.s, ta.n), b = split_lines(&in, tb.s, tb.n);
        lines c = split_lines(&in, tc.s, tc.n);
        script s = diff_compute(a.id, a.n, b.id, b.n);
        wrong += script_distance(&s) != reference_distance(a, b);
        distance += script_distance(&s);
        unified_write(&patch, &in, a, b, &s, r % 4);
        buf_add(&patch, "", 0);
        wrong += unified_apply(ta.s, ta.n, patch.s, patch.n, &back) != NULL;
        wrong += back.n != tb.n || (tb.n && memcmp(back.s, tb.s, tb.n));
        int found = merge3(&merged, &in, a, b, c);
        conflicts += found;
        clean += found == 0;
        for (size_t i = 0; i < merged.n; i++)
            sum = sum * 16777619u ^ (unsigned char)merged.s[i];
        buf_free(&merged);
        buf_add(&merged, "", 0);
        wrong += merge3(&merged, &in, a, b, b) != 0 || merged.n != tb.n;     /* same changes */
        wrong += tb.n && memcmp(merged.s, tb.s, tb.n);
        script_free(&s);
        free(a.id);
        free(b.id);
        free(c.id);
        interner_free(&in);
        buf_free(&ta);
        buf_free(&tb);
        buf_free(&tc);
        buf_free(&patch);
        buf_free(&back);
        buf_free(&merged);
    }
    printf("random: %d rounds, distance %ld, %d clean merges, %d conflicts, %d wrong, sum %08x\n",
           rounds, distance, clean, conflicts, wrong, (unsigned)sum);
}

int main(void)
{
    show_diff("code", sample_a, sample_b, 1);
    show_diff("empty to text", "", "one\ntwo\n", 3);
    show_diff("text to empty", "one\ntwo\n", "", 3);
    show_diff("equal", "one\ntwo\n", "one\ntwo\n", 3);
    show_diff("letters", "a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n", 0);
    show_merge();
    broken_patches();
    random_rounds(400);
    return 0;
}
