/* json_print.c - compact, pretty and canonical output. */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *buf;
    size_t len, cap;
    unsigned flags, depth;
} writer;

static void reserve(writer *w, size_t extra)
{
    if (w->cap - w->len > extra)
        return;
    while (w->cap - w->len <= extra)
        w->cap = w->cap ? w->cap * 2 : 256;
    w->buf = realloc(w->buf, w->cap);
    if (!w->buf) {
        fputs("json-tool: out of memory\n", stderr);
        exit(2);
    }
}

static void put_bytes(writer *w, const char *s, size_t n)
{
    reserve(w, n);
    memcpy(w->buf + w->len, s, n);
    w->len += n;
}

static void put(writer *w, const char *s) { put_bytes(w, s, strlen(s)); }

static void put_char(writer *w, char c)
{
    reserve(w, 1);
    w->buf[w->len++] = c;
}

static void put_newline(writer *w)
{
    if (!(w->flags & JSON_PRETTY))
        return;
    put_char(w, '\n');
    for (unsigned i = 0; i < w->depth; i++)
        put(w, "  ");
}

static void put_u16(writer *w, unsigned unit)
{
    char tmp[8];
    snprintf(tmp, sizeof tmp, "\\u%04x", unit & 0xFFFF);
    put(w, tmp);
}

/* Decodes one UTF-8 sequence; malformed bytes come back as U+FFFD. */
static unsigned next_code_point(const unsigned char *s, size_t left, size_t *used)
{
    static const unsigned lowest[] = { 0, 0x80, 0x800, 0x10000 };
    unsigned cp = s[0], extra = cp < 0x80 ? 0 : cp < 0xC0 ? 4 : cp < 0xE0 ? 1 : cp < 0xF0 ? 2
                               : cp < 0xF8 ? 3 : 4;
    *used = 1;
    if (extra == 0)
        return cp;
    if (extra == 4 || extra >= left)
        return 0xFFFD;
    cp &= 0x3Fu >> extra;
    for (unsigned i = 1; i <= extra; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0xFFFD;
        cp = cp << 6 | (s[i] & 0x3F);
    }
    if (cp < lowest[extra] || cp > 0x10FFFF)
        return 0xFFFD;
    *used = extra + 1;
    return cp;
}

static void put_string(writer *w, jv_str s)
{
    put_char(w, '"');
    for (size_t i = 0, used; i < s.len; i += used) {
        unsigned char c = (unsigned char)s.ptr[i];
        used = 1;
        switch (c) {
        case '"':  put(w, "\\\""); continue;
        case '\\': put(w, "\\\\"); continue;
        case '\n': put(w, "\\n"); continue;
        case '\r': put(w, "\\r"); continue;
        case '\t': put(w, "\\t"); continue;
        case '\b': put(w, "\\b"); continue;
        case '\f': put(w, "\\f"); continue;
        default: break;
        }
        if (c < 0x20) {
            put_u16(w, c);
        } else if (c < 0x80 || !(w->flags & JSON_ASCII)) {
            put_char(w, (char)c);
        } else {
            unsigned cp = next_code_point((const unsigned char *)s.ptr + i, s.len - i, &used);
            if (cp >= 0x10000) {
                put_u16(w, 0xD800 + ((cp - 0x10000) >> 10));
                put_u16(w, 0xDC00 + ((cp - 0x10000) & 0x3FF));
            } else {
                put_u16(w, cp);
            }
        }
    }
    put_char(w, '"');
}

/* Shortest precision that reads back to the same double. */
static void put_real(writer *w, double d)
{
    char tmp[40];
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(tmp, sizeof tmp, "%.*g", precision, d);
        if (strtod(tmp, NULL) == d)
            break;
    }
    put(w, tmp);
    if (!strpbrk(tmp, ".e"))
        put(w, ".0");
}

static int compare_members(const void *pa, const void *pb)
{
    const jv_member *a = *(const jv_member *const *)pa, *b = *(const jv_member *const *)pb;
    size_t n = a->key.len < b->key.len ? a->key.len : b->key.len;
    int c = memcmp(a->key.ptr, b->key.ptr, n);
    return c ? c : (a->key.len > b->key.len) - (a->key.len < b->key.len);
}

static void put_value(writer *w, const jv *v);

static void put_member(writer *w, const jv_member *m, bool first)
{
    if (!first)
        put_char(w, ',');
    put_newline(w);
    put_string(w, m->key);
    put(w, w->flags & JSON_PRETTY ? ": " : ":");
    put_value(w, m->value);
}

static void put_object(writer *w, const jv *v)
{
    const jv_member *members = v->u.obj.members;
    put_char(w, '{');
    w->depth++;
    if (w->flags & JSON_SORT_KEYS && v->count > 1) {
        const jv_member **order = malloc(v->count * sizeof *order);
        if (!order)
            exit(2);
        for (uint32_t i = 0; i < v->count; i++)
            order[i] = &members[i];
        qsort(order, v->count, sizeof *order, compare_members);
        for (uint32_t i = 0; i < v->count; i++)
            put_member(w, order[i], i == 0);
        free(order);
    } else {
        for (uint32_t i = 0; i < v->count; i++)
            put_member(w, &members[i], i == 0);
    }
    w->depth--;
    if (v->count)
        put_newline(w);
    put_char(w, '}');
}

static void put_array(writer *w, const jv *v)
{
    put_char(w, '[');
    w->depth++;
    for (uint32_t i = 0; i < v->count; i++) {
        if (i)
            put_char(w, ',');
        put_newline(w);
        put_value(w, v->u.items[i]);
    }
    w->depth--;
    if (v->count)
        put_newline(w);
    put_char(w, ']');
}

static void put_value(writer *w, const jv *v)
{
    char tmp[32];
    switch (v->kind) {
    case JV_NULL:   put(w, "null"); break;
    case JV_FALSE:  put(w, "false"); break;
    case JV_TRUE:   put(w, "true"); break;
    case JV_INT:
        snprintf(tmp, sizeof tmp, "%lld", (long long)v->u.integer);
        put(w, tmp);
        break;
    case JV_REAL:   put_real(w, v->u.real); break;
    case JV_STRING: put_string(w, v->u.string); break;
    case JV_ARRAY:  put_array(w, v); break;
    case JV_OBJECT: put_object(w, v); break;
    }
}

char *json_print(const jv *v, unsigned flags, size_t *len_out)
{
    writer w = { NULL, 0, 0, flags, 0 };
    put_value(&w, v);
    reserve(&w, 1);
    w.buf[w.len] = '\0';
    if (len_out)
        *len_out = w.len;
    return w.buf;
}
