// positional.c - encodings that need real division: base 58 and Ascii85.
// SPDX-License-Identifier: Apache-2.0
#include "encodings.h"

#include <string.h>

static size_t leading_run(Bytes in, uint8_t c)
{
    size_t n = 0;
    while (n < in.len && in.ptr[n] == c)
        n++;
    return n;
}

// num = num * mul + add, over little-endian digits of the given base.
static size_t muladd(uint8_t *num, size_t n, unsigned base, unsigned mul,
                     unsigned add)
{
    unsigned carry = add;
    for (size_t i = 0; i < n; i++) {
        carry += num[i] * mul;
        num[i] = (uint8_t)(carry % base);
        carry /= base;
    }
    while (carry) {
        num[n++] = (uint8_t)(carry % base);
        carry /= base;
    }
    return n;
}

static void reverse_copy(uint8_t *dst, const uint8_t *src, size_t n,
                         const char *map)
{
    while (n--) {
        *dst++ = map ? (uint8_t)map[src[n]] : src[n];
    }
}

Bytes base58_encode(const Encoding *self, Arena *a, Bytes in)
{
    size_t zeros = leading_run(in, 0);
    uint8_t *num = arena_alloc(a, in.len * 2);
    size_t n = 0;

    for (size_t i = zeros; i < in.len; i++)
        n = muladd(num, n, 58, 256, in.ptr[i]);
    uint8_t *out = arena_alloc(a, zeros + n);
    memset(out, self->alphabet[0], zeros);
    reverse_copy(out + zeros, num, n, self->alphabet);
    return (Bytes){ out, zeros + n };
}

Decoded base58_decode(const Encoding *self, Arena *a, Bytes in)
{
    size_t zeros = leading_run(in, (uint8_t)self->alphabet[0]);
    uint8_t *num = arena_alloc(a, in.len);
    size_t n = 0;

    for (size_t i = zeros; i < in.len; i++) {
        const char *at = in.ptr[i] ? strchr(self->alphabet, in.ptr[i]) : NULL;
        if (!at)
            return decode_fail(DEC_BAD_CHAR, i);
        n = muladd(num, n, 256, 58, (unsigned)(at - self->alphabet));
    }
    uint8_t *out = arena_alloc(a, zeros + n);
    memset(out, 0, zeros);
    reverse_copy(out + zeros, num, n, NULL);
    return decode_ok(out, zeros + n);
}

// ---- Ascii85: four bytes to five digits, "z" for four zeros -------------------

static uint8_t *put_group85(uint8_t *p, uint32_t v, size_t digits)
{
    uint8_t d[5];
    for (int i = 4; i >= 0; i--) {
        d[i] = (uint8_t)('!' + v % 85);
        v /= 85;
    }
    memcpy(p, d, digits);
    return p + digits;
}

Bytes ascii85_encode(const Encoding *self, Arena *a, Bytes in)
{
    uint8_t *out = arena_alloc(a, in.len / 4 * 5 + 5), *p = out;

    (void)self;
    for (size_t i = 0; i < in.len; i += 4) {
        size_t n = in.len - i < 4 ? in.len - i : 4;
        uint32_t v = 0;
        for (size_t k = 0; k < 4; k++)
            v = v << 8 | (k < n ? in.ptr[i + k] : 0u);
        if (v == 0 && n == 4)
            *p++ = 'z';
        else
            p = put_group85(p, v, n + 1);
    }
    return (Bytes){ out, (size_t)(p - out) };
}

Decoded ascii85_decode(const Encoding *self, Arena *a, Bytes in)
{
    uint8_t *out = arena_alloc(a, in.len * 4 + 4), *p = out;
    uint64_t v = 0;
    size_t n = 0;

    (void)self;
    for (size_t i = 0; i <= in.len; i++) {
        size_t bytes = 4;
        if (i == in.len) {          // a partial group is filled with 'u'
            if (n == 0)
                break;
            if (n == 1)
                return decode_fail(DEC_BAD_LENGTH, i);
            bytes = n - 1;
            for (; n < 5; n++)
                v = v * 85 + 84;
        } else if (in.ptr[i] == 'z' && n == 0) {
            n = 5;
        } else if (in.ptr[i] < '!' || in.ptr[i] > 'u') {
            return decode_fail(DEC_BAD_CHAR, i);
        } else {
            v = v * 85 + (unsigned)(in.ptr[i] - '!');
            n++;
        }
        if (n < 5)
            continue;
        if (v > UINT32_MAX)
            return decode_fail(DEC_OVERFLOW, i);
        for (size_t k = 0; k < bytes; k++)
            *p++ = (uint8_t)(v >> (24 - 8 * k));
        v = 0;
        n = 0;
    }
    return decode_ok(out, (size_t)(p - out));
}
