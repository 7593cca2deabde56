// radix.c - the power-of-two family: base 2, 16, 32 and 64.
// SPDX-License-Identifier: Apache-2.0
#include "encodings.h"

#include <string.h>

// Characters in the smallest group that holds whole bytes.
static size_t group_chars(int bits)
{
    size_t n = 1;
    while (n * (size_t)bits % 8 != 0)
        n++;
    return n;
}

Bytes radix_encode(const Encoding *self, Arena *a, Bytes in)
{
    size_t bits = (size_t)self->bits;
    size_t chars = (in.len * 8 + bits - 1) / bits;
    size_t group = group_chars(self->bits);
    size_t total = self->padded ? (chars + group - 1) / group * group : chars;
    uint8_t *out = arena_alloc(a, total), *p = out;
    uint32_t acc = 0, mask = (1u << bits) - 1;
    size_t have = 0;

    for (size_t i = 0; i < in.len; i++) {
        acc = (acc << 8 | in.ptr[i]) & 0xffff;
        for (have += 8; have >= bits; have -= bits)
            *p++ = (uint8_t)self->alphabet[acc >> (have - bits) & mask];
    }
    if (have)
        *p++ = (uint8_t)self->alphabet[acc << (bits - have) & mask];
    while (p < out + total)
        *p++ = '=';
    return (Bytes){ out, total };
}

static void build_reverse(const Encoding *self, int8_t rev[256])
{
    memset(rev, -1, 256);
    for (int v = 0; self->alphabet[v]; v++) {
        char c = self->alphabet[v];
        rev[(uint8_t)c] = (int8_t)v;
        if (self->fold_case && c >= 'A' && c <= 'Z')
            rev[(uint8_t)(c - 'A' + 'a')] = (int8_t)v;
    }
}

// Strip the padding; on failure *bad tells where.
static bool strip_padding(const Encoding *self, Bytes *in, size_t *bad)
{
    size_t group = group_chars(self->bits);
    size_t pads = 0;

    if (!self->padded)
        return true;
    *bad = in->len;
    if (in->len % group)
        return false;
    while (in->len && in->ptr[in->len - 1] == '=') {
        in->len--;
        pads++;
    }
    *bad = in->len;
    return pads < group && (pads == 0 || in->len > 0);
}

Decoded radix_decode(const Encoding *self, Arena *a, Bytes in)
{
    int8_t rev[256];
    size_t bad, bits = (size_t)self->bits;

    build_reverse(self, rev);
    if (!strip_padding(self, &in, &bad))
        return decode_fail(DEC_BAD_PADDING, bad);
    // A tail that a whole byte less would have made is impossible.
    if (in.len * bits % 8 >= bits)
        return decode_fail(DEC_BAD_LENGTH, in.len);

    uint8_t *out = arena_alloc(a, in.len * bits / 8), *p = out;
    uint32_t acc = 0;
    size_t have = 0;
    for (size_t i = 0; i < in.len; i++) {
        int v = rev[in.ptr[i]];
        if (v < 0)
            return decode_fail(DEC_BAD_CHAR, i);
        acc = (acc << bits | (uint32_t)v) & 0xffff;
        have += bits;
        if (have >= 8) {
            have -= 8;
            *p++ = (uint8_t)(acc >> have);
        }
    }
    if (acc & ((1u << have) - 1))
        return decode_fail(DEC_NOT_CANONICAL, in.len - 1);
    return decode_ok(out, (size_t)(p - out));
}
