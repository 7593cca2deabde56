/* distance.c - edit distances, a keyboard-aware cost, and Soundex. */
#include "spell.h"

#include <stdlib.h>
#include <string.h>

static int min2(int a, int b) { return a < b ? a : b; }
static int min3(int a, int b, int c) { return min2(a, min2(b, c)); }

int levenshtein(const char *a, int n, const char *b, int m)
{
    int row[WORD_MAX + 1];
    for (int j = 0; j <= m; j++)
        row[j] = j;
    for (int i = 1; i <= n; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int up = row[j];
            row[j] = min3(up + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = up;
        }
    }
    return row[m];
}

/* Only the band of the table that can stay within the limit. */
int levenshtein_within(const char *a, int n, const char *b, int m, int limit)
{
    int row[WORD_MAX + 2], far = limit + 1;
    if (abs(n - m) > limit)
        return far;
    for (int j = 0; j <= m; j++)
        row[j] = j <= limit ? j : far;
    for (int i = 1; i <= n; i++) {
        int lo = i - limit > 1 ? i - limit : 1, hi = min2(m, i + limit), best = far;
        int diagonal = row[lo - 1];
        row[lo - 1] = lo == 1 && i <= limit ? i : far;
        best = row[lo - 1];
        for (int j = lo; j <= hi; j++) {
            int up = j == i + limit ? far : row[j];
            int old = row[j];
            row[j] = min2(far, min3(up + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])));
            diagonal = old;
            best = min2(best, row[j]);
        }
        if (best > limit)
            return far;
    }
    return row[m];
}

/* Optimal string alignment: adjacent transpositions count as one edit. */
int osa_distance(const char *a, int n, const char *b, int m)
{
    int d[3][WORD_MAX + 1];
    for (int j = 0; j <= m; j++)
        d[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *cur = d[i % 3], *prev = d[(i + 2) % 3], *before = d[(i + 1) % 3];
        cur[0] = i;
        for (int j = 1; j <= m; j++) {
            cur[j] = min3(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cur[j] = min2(cur[j], before[j - 2] + 1);
        }
    }
    return d[n % 3][m];
}

static bool find_key(char c, int *x, int *y)
{
    static const char *const rows[] = { "qwertyuiop", "asdfghjkl", "zxcvbnm" };
    for (int r = 0; r < 3; r++) {
        const char *p = c ? strchr(rows[r], c) : NULL;
        if (p) {
            *x = (int)(p - rows[r]) * 2 + r;          /* rows are staggered */
            *y = r;
            return true;
        }
    }
    return false;
}

static int substitution_cost(char a, char b)
{
    int ax, ay, bx, by;
    if (a == b)
        return 0;
    if (!find_key(a, &ax, &ay) || !find_key(b, &bx, &by))
        return 10;
    return abs(ax - bx) <= 2 && abs(ay - by) <= 1 ? 5 : 10;      /* neighbours are cheap */
}

/* Edit cost in tenths: doubled letters and neighbouring keys are half price. */
int keyboard_cost(const char *a, int n, const char *b, int m)
{
    int d[2][WORD_MAX + 1];
    for (int j = 0; j <= m; j++)
        d[0][j] = 10 * j;
    for (int i = 1; i <= n; i++) {
        int *cur = d[i & 1], *prev = d[~i & 1];
        cur[0] = 10 * i;
        for (int j = 1; j <= m; j++) {
            int erase = i > 1 && a[i - 1] == a[i - 2] ? 5 : 10;
            int insert = j > 1 && b[j - 1] == b[j - 2] ? 5 : 10;
            cur[j] = min3(prev[j] + erase, cur[j - 1] + insert,
                          prev[j - 1] + substitution_cost(a[i - 1], b[j - 1]));
        }
    }
    return d[n & 1][m];
}

void soundex(const char *word, int n, char code[5])
{
    static const char classes[] = "01230120022455012623010202";      /* a .. z */
    int out = 0;
    char last = 0;
    for (int i = 0; i < n && out < 4; i++) {
        char c = word[i];
        if (c < 'a' || c > 'z')
            continue;
        char k = classes[c - 'a'];
        if (out == 0)
            code[out++] = (char)(c - 'a' + 'A');
        else if (k != '0' && k != last)
            code[out++] = k;
        if (c != 'h' && c != 'w')
            last = k;
    }
    while (out < 4)
        code[out++] = '0';
    code[4] = '\0';
}
