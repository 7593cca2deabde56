/* table.c - CSV reader (quotes, embedded newlines) and value comparison. */
#include "csvq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Value make_value(const char *s)
{
    Value v = { V_TEXT, 0, s };
    const char *p = s + (*s == '-');
    long long n = 0;
    int digits = 0;
    if (!*s) {
        v.kind = V_NULL;
        return v;
    }
    for (; *p >= '0' && *p <= '9' && digits < 18; p++, digits++)
        n = n * 10 + (*p - '0');
    if (digits && !*p) {
        v.kind = V_INT;
        v.num = *s == '-' ? -n : n;
    }
    return v;
}

/* Unquotes one field to *out. Returns the delimiter that ended it, or -1. */
static int read_field(const char **in, const char *end, char **out)
{
    const char *p = *in;
    char *w = *out;
    if (p < end && *p == '"') {
        for (p++;; p++) {
            if (p == end)
                return -1;
            if (*p == '"' && !(p + 1 < end && *++p == '"'))
                break;
            *w++ = *p;
        }
        if (p < end && *p == '"')                 /* quote at the very end */
            p++;
    } else {
        while (p < end && *p != ',' && *p != '\n' && *p != '\r')
            *w++ = *p++;
    }
    *w++ = '\0';
    *out = w;
    if (p < end && *p == '\r')
        p++;
    int delim = p == end ? '\n' : *p++;
    *in = p;
    return delim == ',' || delim == '\n' ? delim : -1;
}

int table_parse(Table *t, const char *csv, size_t len, char err[80])
{
    const char *p = csv, *end = csv + len;
    size_t count = 0, cap = 64;
    int line = 1, fields = 0, delim;
    char *w;

    memset(t, 0, sizeof *t);
    w = t->storage = malloc(len * 2 + 2);
    t->cells = malloc(cap * sizeof *t->cells);
    if (!t->storage || !t->cells)
        abort();
    while (p < end) {
        char *field = w;
        delim = read_field(&p, end, &w);
        if (delim < 0) {
            snprintf(err, 80, "record %d: malformed quoted field", line);
            goto fail;
        }
        if (count == cap) {
            t->cells = realloc(t->cells, (cap *= 2) * sizeof *t->cells);
            if (!t->cells)
                abort();
        }
        t->cells[count++] = make_value(field);
        fields++;
        if (delim != '\n')
            continue;
        if (line == 1)
            t->ncols = fields;
        if (fields != t->ncols) {
            snprintf(err, 80, "record %d: %d fields instead of %d", line, fields, t->ncols);
            goto fail;
        }
        fields = 0;
        line++;
    }
    if (t->ncols == 0) {
        snprintf(err, 80, "no header");
        goto fail;
    }
    t->names = malloc((size_t)t->ncols * sizeof *t->names);
    if (!t->names)
        abort();
    for (int i = 0; i < t->ncols; i++)
        t->names[i] = t->cells[i].text;
    t->nrows = (int)(count / (size_t)t->ncols) - 1;
    memmove(t->cells, t->cells + t->ncols, (count - (size_t)t->ncols) * sizeof *t->cells);
    return 0;
fail:
    table_free(t);
    return -1;
}

void table_free(Table *t)
{
    free(t->storage);
    free(t->cells);
    free(t->names);
    memset(t, 0, sizeof *t);
}

int table_column(const Table *t, const char *name, size_t len)
{
    for (int i = 0; i < t->ncols; i++)
        if (strlen(t->names[i]) == len && memcmp(t->names[i], name, len) == 0)
            return i;
    return -1;
}

/* Total order: null, then integers, then texts. */
int value_compare(Value a, Value b)
{
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    switch (a.kind) {
    case V_INT:  return (a.num > b.num) - (a.num < b.num);
    case V_TEXT: return strcmp(a.text, b.text);
    default:     return 0;
    }
}

unsigned value_hash(Value v)
{
    unsigned h = 2166136261u ^ (unsigned)v.kind;
    if (v.kind == V_INT)
        h = (h ^ (unsigned)v.num) * 16777619u ^ (unsigned)((unsigned long long)v.num >> 32);
    else if (v.kind == V_TEXT)
        for (const char *s = v.text; *s; s++)
            h = (h ^ (unsigned char)*s) * 16777619u;
    return h;
}
