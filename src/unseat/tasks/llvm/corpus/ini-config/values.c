/* values.c - reference expansion and typed access. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 16, KEY_MAX = 160 };

typedef struct { char *s; size_t n, cap; } Text;

static void text_add(Text *t, const char *s, size_t n)
{
    if (t->n + n + 1 > t->cap) {
        t->cap = (t->n + n + 1) * 2;
        t->s = realloc(t->s, t->cap);
        if (!t->s)
            exit(2);
    }
    memcpy(t->s + t->n, s, n);
    t->n += n;
    t->s[t->n] = '\0';
}

static CfgStatus expand_into(const Config *c, const char *key, Text *out, int depth)
{
    const char *s = cfg_raw(c, key);
    if (!s)
        return depth ? CFG_UNDEFINED_REF : CFG_MISSING;
    if (depth == MAX_DEPTH)
        return CFG_CYCLE;
    while (*s) {
        size_t plain = strcspn(s, "$");
        text_add(out, s, plain);
        s += plain;
        if (!*s)
            break;
        if (s[1] == '$') {
            text_add(out, "$", 1);
            s += 2;
        } else if (s[1] == '{') {
            char ref[KEY_MAX];
            const char *close = strchr(s, '}');
            if (!close || close - s - 2 >= KEY_MAX)
                return CFG_UNTERMINATED_REF;
            size_t n = (size_t)(close - s) - 2;
            memcpy(ref, s + 2, n);
            ref[n] = '\0';
            if (!strchr(ref, '.') && strchr(key, '.')) {    /* same section */
                size_t prefix = (size_t)(strrchr(key, '.') - key) + 1;
                if (prefix + n >= KEY_MAX)
                    return CFG_UNTERMINATED_REF;
                memmove(ref + prefix, ref, n + 1);
                memcpy(ref, key, prefix);
            }
            CfgStatus st = expand_into(c, ref, out, depth + 1);
            if (st != CFG_OK)
                return st;
            s = close + 1;
        } else {
            text_add(out, s++, 1);
        }
    }
    return CFG_OK;
}

CfgStatus cfg_expand(const Config *c, const char *key, char **out)
{
    Text t = { NULL, 0, 0 };
    text_add(&t, "", 0);
    CfgStatus st = expand_into(c, key, &t, 0);
    if (st != CFG_OK) {
        free(t.s);
        t.s = NULL;
    }
    *out = t.s;
    return st;
}

static const char *scan_number(const char *s, long long *out)
{
    long long v = 0;
    if (*s < '0' || *s > '9')
        return NULL;
    for (; *s >= '0' && *s <= '9'; s++) {
        if (v > 99999999999999LL)
            return NULL;
        v = v * 10 + (*s - '0');
    }
    *out = v;
    return s;
}

static CfgStatus parse_int(const char *s, long long *out)
{
    bool negative = *s == '-';
    s = scan_number(s + negative, out);
    if (!s || *s)
        return CFG_BAD_NUMBER;
    if (negative)
        *out = -*out;
    return CFG_OK;
}

static CfgStatus parse_bool(const char *s, long long *out)
{
    static const char *const words[] = { "no", "yes", "off", "on", "false", "true", "0", "1" };
    for (int i = 0; i < 8; i++)
        if (strcmp(s, words[i]) == 0) {
            *out = i & 1;
            return CFG_OK;
        }
    return CFG_BAD_BOOL;
}

static CfgStatus parse_size(const char *s, long long *out)
{
    static const char units[] = "kMGT";
    s = scan_number(s, out);
    if (!s)
        return CFG_BAD_NUMBER;
    if (*s) {
        const char *u = strchr(units, *s);
        if (!u || s[1])
            return CFG_BAD_UNIT;
        for (long k = u - units; k >= 0; k--) {
            if (*out > (1LL << 52))
                return CFG_RANGE;
            *out *= 1024;
        }
    }
    return CFG_OK;
}

static CfgStatus parse_duration(const char *s, long long *out)
{
    static const struct { const char *name; long long ms; } units[] = {
        { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 },
    };
    long long total = 0, n;
    do {
        size_t i, len = 0;
        s = scan_number(s, &n);
        if (!s || n > 1000000000)
            return CFG_BAD_NUMBER;
        for (i = 0; i < 5; i++) {
            len = strlen(units[i].name);
            if (!strncmp(s, units[i].name, len) && (s[len] < 'a' || s[len] > 'z'))
                break;
        }
        if (i == 5)
            return CFG_BAD_UNIT;
        total += n * units[i].ms;
        s += len;
    } while (*s);
    *out = total;
    return CFG_OK;
}

static CfgStatus get(const Config *c, const char *key, long long *out,
                     CfgStatus (*parse)(const char *, long long *))
{
    char *s;
    CfgStatus st = cfg_expand(c, key, &s);
    if (st == CFG_OK)
        st = parse(s, out);
    free(s);
    return st;
}

CfgStatus cfg_int(const Config *c, const char *key, long long *out)
{
    return get(c, key, out, parse_int);
}

CfgStatus cfg_size(const Config *c, const char *key, long long *out)
{
    return get(c, key, out, parse_size);
}

CfgStatus cfg_duration(const Config *c, const char *key, long long *out)
{
    return get(c, key, out, parse_duration);
}

CfgStatus cfg_bool(const Config *c, const char *key, bool *out)
{
    long long v = 0;
    CfgStatus st = get(c, key, &v, parse_bool);
    *out = v != 0;
    return st;
}

int cfg_list(const Config *c, const char *key, char ***items)
{
    char *s;
    int n = 0;
    *items = NULL;
    if (cfg_expand(c, key, &s) != CFG_OK)
        return -1;
    for (const char *p = s; *p; ) {
        size_t len = strcspn(p, ","), lead = strspn(p, " "), keep = len;
        while (keep > lead && p[keep - 1] == ' ')
            keep--;
        if (keep > lead) {
            Text t = { NULL, 0, 0 };
            text_add(&t, p + lead, keep - lead);
            *items = realloc(*items, (size_t)(n + 1) * sizeof **items);
            if (!*items)
                exit(2);
            (*items)[n++] = t.s;
        }
        p += len + (p[len] == ',');
    }
    free(s);
    return n;
}

void cfg_list_free(char **items, int n)
{
    for (int i = 0; i < n; i++)
        free(items[i]);
    free(items);
}
