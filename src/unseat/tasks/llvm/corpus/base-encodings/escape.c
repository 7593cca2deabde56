// escape.c - encodings that leave most text readable: percent encoding and
// quoted-printable (binary mode: line ends are escaped too).
// SPDX-License-Identifier: Apache-2.0
#include "encodings.h"

#include <string.h>

enum { QUOTED_LINE = 76 };

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z');
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

static uint8_t *put_escape(uint8_t *p, char mark, uint8_t c)
{
    static const char hex[] = "0123456789ABCDEF";
    *p++ = (uint8_t)mark;
    *p++ = (uint8_t)hex[c >> 4];
    *p++ = (uint8_t)hex[c & 15];
    return p;
}

// Two hex digits at offset i, or -1.
static int get_escape(Bytes in, size_t i)
{
    if (in.len - i < 2)
        return -1;
    int hi = hex_value(in.ptr[i]), lo = hex_value(in.ptr[i + 1]);
    return hi < 0 || lo < 0 ? -1 : hi << 4 | lo;
}

Bytes percent_encode(const Encoding *self, Arena *a, Bytes in)
{
    uint8_t *out = arena_alloc(a, in.len * 3), *p = out;
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.ptr[i];
        if (is_alnum(c) || (c && strchr(self->alphabet, c)))
            *p++ = c;
        else
            p = put_escape(p, '%', c);
    }
    return (Bytes){ out, (size_t)(p - out) };
}

Decoded percent_decode(const Encoding *self, Arena *a, Bytes in)
{
    uint8_t *out = arena_alloc(a, in.len), *p = out;
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.ptr[i];
        if (c == '%') {
            int v = get_escape(in, i + 1);
            if (v < 0)
                return decode_fail(DEC_BAD_CHAR, i);
            *p++ = (uint8_t)v;
            i += 2;
        } else if (is_alnum(c) || (c && strchr(self->alphabet, c))) {
            *p++ = c;
        } else {
            return decode_fail(DEC_BAD_CHAR, i);
        }
    }
    return decode_ok(out, (size_t)(p - out));
}

static bool quoted_plain(Bytes in, size_t i)
{
    uint8_t c = in.ptr[i];
    if (c == ' ' || c == '\t')      // not at the end, where it could get lost
        return i + 1 < in.len && in.ptr[i + 1] != '\n';
    return c > ' ' && c < 127 && c != '=';
}

Bytes quoted_encode(const Encoding *self, Arena *a, Bytes in)
{
    uint8_t *out = arena_alloc(a, in.len * 3 + in.len * 3 / 24 * 2 + 4);
    uint8_t *p = out;
    size_t column = 0;

    (void)self;
    for (size_t i = 0; i < in.len; i++) {
        bool plain = quoted_plain(in, i);
        size_t width = plain ? 1 : 3;
        if (column + width > QUOTED_LINE - 1) {     // soft line break
            *p++ = '=';
            *p++ = '\n';
            column = 0;
        }
        if (plain)
            *p++ = in.ptr[i];
        else
            p = put_escape(p, '=', in.ptr[i]);
        column += width;
    }
    return (Bytes){ out, (size_t)(p - out) };
}

Decoded quoted_decode(const Encoding *self, Arena *a, Bytes in)
{
    uint8_t *out = arena_alloc(a, in.len), *p = out;
    size_t column = 0;

    (void)self;
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.ptr[i];
        if (++column > QUOTED_LINE)
            return decode_fail(DEC_BAD_LENGTH, i);
        if (c == '=' && i + 1 < in.len && in.ptr[i + 1] == '\n') {
            column = 0;
            i++;
        } else if (c == '=') {
            int v = get_escape(in, i + 1);
            if (v < 0)
                return decode_fail(DEC_BAD_CHAR, i);
            *p++ = (uint8_t)v;
            i += 2;
            column += 2;
        } else if (c > 126 || (c < ' ' && c != '\t')) {
            return decode_fail(DEC_BAD_CHAR, i);
        } else {
            *p++ = c;
        }
    }
    return decode_ok(out, (size_t)(p - out));
}
