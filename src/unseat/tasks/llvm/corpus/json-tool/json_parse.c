/* json_parse.c - strict recursive-descent JSON reader with error positions. */
#include "json.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64, MAX_NUMBER = 64 };

typedef struct {
    arena *mem;
    const char *start, *pos, *end;
    const char *message;             /* first error wins */
    unsigned depth;
} parser;

static jv *parse_value(parser *p);

static void *fail(parser *p, const char *message)
{
    if (!p->message)
        p->message = message;
    return NULL;
}

static int peek(const parser *p)
{
    return p->pos < p->end ? (unsigned char)*p->pos : -1;
}

static bool accept(parser *p, char c)
{
    if (p->pos < p->end && *p->pos == c) {
        p->pos++;
        return true;
    }
    return false;
}

static void skip_space(parser *p)
{
    while (p->pos < p->end &&
           (*p->pos == ' ' || *p->pos == '\t' || *p->pos == '\n' || *p->pos == '\r'))
        p->pos++;
}

static bool is_digit(int c) { return c >= '0' && c <= '9'; }

static int hex_digit(int c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_hex4(parser *p, unsigned *out)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        int d = hex_digit(peek(p));
        if (d < 0)
            return fail(p, "bad \\u escape") != NULL;
        v = v << 4 | (unsigned)d;
        p->pos++;
    }
    *out = v;
    return true;
}

static char *put_utf8(char *w, unsigned cp)
{
    if (cp < 0x80) {
        *w++ = (char)cp;
    } else if (cp < 0x800) {
        *w++ = (char)(0xC0 | cp >> 6);
        *w++ = (char)(0x80 | (cp & 0x3F));
    } else if (cp < 0x10000) {
        *w++ = (char)(0xE0 | cp >> 12);
        *w++ = (char)(0x80 | (cp >> 6 & 0x3F));
        *w++ = (char)(0x80 | (cp & 0x3F));
    } else {
        *w++ = (char)(0xF0 | cp >> 18);
        *w++ = (char)(0x80 | (cp >> 12 & 0x3F));
        *w++ = (char)(0x80 | (cp >> 6 & 0x3F));
        *w++ = (char)(0x80 | (cp & 0x3F));
    }
    return w;
}

static char *parse_escape(parser *p, char *w)
{
    int c = peek(p);
    unsigned cp, low;
    if (c < 0)
        return fail(p, "unterminated string");
    p->pos++;
    switch (c) {
    case '"': case '\\': case '/': *w++ = (char)c; return w;
    case 'b': *w++ = '\b'; return w;
    case 'f': *w++ = '\f'; return w;
    case 'n': *w++ = '\n'; return w;
    case 'r': *w++ = '\r'; return w;
    case 't': *w++ = '\t'; return w;
    case 'u':
        if (!parse_hex4(p, &cp))
            return NULL;
        if (cp >= 0xDC00 && cp <= 0xDFFF)
            return fail(p, "lone low surrogate");
        if (cp >= 0xD800 && cp <= 0xDBFF) {
            if (!accept(p, '\\') || !accept(p, 'u'))
                return fail(p, "high surrogate without partner");
            if (!parse_hex4(p, &low))
                return NULL;
            if (low < 0xDC00 || low > 0xDFFF)
                return fail(p, "high surrogate without partner");
            cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
        }
        return put_utf8(w, cp);
    default:
        p->pos--;
        return fail(p, "unknown escape");
    }
}

static bool parse_string(parser *p, jv_str *out)
{
    if (!accept(p, '"'))
        return fail(p, "string expected") != NULL;
    const char *scan = p->pos;            /* upper bound of the decoded length */
    while (scan < p->end && *scan != '"')
        scan += (*scan == '\\' && scan + 1 < p->end) ? 2 : 1;
    char *buf = arena_alloc(p->mem, (size_t)(scan - p->pos) + 1), *w = buf;
    for (;;) {
        int c = peek(p);
        if (c < 0)
            return fail(p, "unterminated string") != NULL;
        if (c < 0x20)
            return fail(p, "control character in string") != NULL;
        p->pos++;
        if (c == '"')
            break;
        if (c != '\\')
            *w++ = (char)c;
        else if (!(w = parse_escape(p, w)))
            return false;
    }
    *w = '\0';
    *out = jv_str_of(buf, (size_t)(w - buf));
    return true;
}

static jv *parse_number(parser *p)
{
    const char *first = p->pos;
    bool real = false, negative = accept(p, '-'), overflow = false;
    uint64_t acc = 0, limit = negative ? (uint64_t)1 << 63 : INT64_MAX;

    if (!is_digit(peek(p)))
        return fail(p, "digit expected");
    if (peek(p) == '0') {
        p->pos++;
        if (is_digit(peek(p)))
            return fail(p, "leading zero");
    }
    while (is_digit(peek(p))) {
        unsigned d = (unsigned)(*p->pos++ - '0');
        if (acc > (limit - d) / 10)
            overflow = true;
        else
            acc = acc * 10 + d;
    }
    if (accept(p, '.')) {
        real = true;
        if (!is_digit(peek(p)))
            return fail(p, "digit expected after point");
        while (is_digit(peek(p)))
            p->pos++;
    }
    if (peek(p) == 'e' || peek(p) == 'E') {
        real = true;
        p->pos++;
        if (!accept(p, '-'))
            accept(p, '+');
        if (!is_digit(peek(p)))
            return fail(p, "digit expected in exponent");
        while (is_digit(peek(p)))
            p->pos++;
    }
    if (!real && !overflow)
        return jv_int(p->mem, negative ? (acc ? -(int64_t)(acc - 1) - 1 : 0) : (int64_t)acc);

    char copy[MAX_NUMBER];
    size_t len = (size_t)(p->pos - first);
    if (len >= sizeof copy)
        return fail(p, "number too long");
    memcpy(copy, first, len);
    copy[len] = '\0';
    jv *v = jv_new(p->mem, JV_REAL);
    v->u.real = strtod(copy, NULL);
    if (v->u.real - v->u.real != 0)
        return fail(p, "number out of range");
    return v;
}

static jv *parse_array(parser *p)
{
    jv *array = jv_new(p->mem, JV_ARRAY);
    p->pos++;
    skip_space(p);
    if (accept(p, ']'))
        return array;
    for (;;) {
        jv *item = parse_value(p);
        if (!item)
            return NULL;
        jv_push(p->mem, array, item);
        skip_space(p);
        if (accept(p, ']'))
            return array;
        if (!accept(p, ','))
            return fail(p, "',' or ']' expected");
    }
}

static jv *parse_object(parser *p)
{
    jv *object = jv_new(p->mem, JV_OBJECT);
    p->pos++;
    skip_space(p);
    if (accept(p, '}'))
        return object;
    for (;;) {
        jv_str key;
        skip_space(p);
        if (!parse_string(p, &key))
            return NULL;
        if (jv_get(object, key))
            return fail(p, "duplicate key");
        skip_space(p);
        if (!accept(p, ':'))
            return fail(p, "':' expected");
        jv *value = parse_value(p);
        if (!value)
            return NULL;
        jv_set(p->mem, object, key, value);
        skip_space(p);
        if (accept(p, '}'))
            return object;
        if (!accept(p, ','))
            return fail(p, "',' or '}' expected");
    }
}

static jv *parse_word(parser *p, const char *word, jv_kind kind)
{
    size_t n = strlen(word);
    if ((size_t)(p->end - p->pos) < n || memcmp(p->pos, word, n) != 0)
        return fail(p, "unknown word");
    p->pos += n;
    return jv_new(p->mem, kind);
}

static jv *parse_value(parser *p)
{
    jv *v;
    skip_space(p);
    switch (peek(p)) {
    case -1:  return fail(p, "value expected");
    case 'n': return parse_word(p, "null", JV_NULL);
    case 't': return parse_word(p, "true", JV_TRUE);
    case 'f': return parse_word(p, "false", JV_FALSE);
    case '"':
        v = jv_new(p->mem, JV_STRING);
        return parse_string(p, &v->u.string) ? v : NULL;
    case '[': case '{':
        if (p->depth >= MAX_DEPTH)
            return fail(p, "nesting too deep");
        p->depth++;
        v = *p->pos == '[' ? parse_array(p) : parse_object(p);
        p->depth--;
        return v;
    case '-': case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9':
        return parse_number(p);
    default:
        return fail(p, "unexpected character");
    }
}

static void locate(const parser *p, json_error *err)
{
    err->message = p->message;
    err->line = 1;
    err->column = 1;
    for (const char *s = p->start; s < p->pos; s++) {
        if (*s == '\n') {
            err->line++;
            err->column = 1;
        } else {
            err->column++;
        }
    }
}

jv *json_parse(arena *a, const char *text, size_t len, json_error *err)
{
    parser p = { a, text, text, text + len, NULL, 0 };
    jv *v = parse_value(&p);
    if (v) {
        skip_space(&p);
        if (p.pos != p.end)
            v = fail(&p, "text after the document");
    }
    if (!v)
        locate(&p, err);
    return v;
}
