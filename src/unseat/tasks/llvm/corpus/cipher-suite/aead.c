/* aead.c - ChaCha20, Poly1305 and their combination (RFC 8439).
 * SPDX-License-Identifier: Apache-2.0 */
#include "crypt.h"

#include <string.h>

static void quarter_round(u32 s[16], int a, int b, int c, int d)
{
    s[a] += s[b];
    s[d] = rotl32(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = rotl32(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = rotl32(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = rotl32(s[b] ^ s[c], 7);
}

static void chacha_block(chacha_ctx *c)
{
    u32 s[16];

    memcpy(s, c->state, sizeof s);
    for (int i = 0; i < 10; i++) {
        quarter_round(s, 0, 4, 8, 12);
        quarter_round(s, 1, 5, 9, 13);
        quarter_round(s, 2, 6, 10, 14);
        quarter_round(s, 3, 7, 11, 15);
        quarter_round(s, 0, 5, 10, 15);
        quarter_round(s, 1, 6, 11, 12);
        quarter_round(s, 2, 7, 8, 13);
        quarter_round(s, 3, 4, 9, 14);
    }
    for (int i = 0; i < 16; i++)
        store_le32(c->stream + 4 * i, s[i] + c->state[i]);
    c->state[12]++;
    c->used = 0;
}

void chacha_begin(chacha_ctx *c, const u8 key[32], const u8 nonce[12], u32 counter)
{
    static const u8 sigma[] = "expand 32-byte k";

    for (int i = 0; i < 4; i++)
        c->state[i] = load_le32(sigma + 4 * i);
    for (int i = 0; i < 8; i++)
        c->state[4 + i] = load_le32(key + 4 * i);
    c->state[12] = counter;
    for (int i = 0; i < 3; i++)
        c->state[13 + i] = load_le32(nonce + 4 * i);
    c->used = sizeof c->stream;
}

void chacha_xor(chacha_ctx *c, const u8 *in, u8 *out, size_t n)
{
    while (n--) {
        if (c->used == sizeof c->stream)
            chacha_block(c);
        *out++ = *in++ ^ c->stream[c->used++];
    }
}

/* ---- Poly1305 in radix 2^26 ---- */

#define LIMB 0x3ffffffu

static void load_limbs(const u8 *p, u32 limb[5])
{
    limb[0] = load_le32(p) & LIMB;
    limb[1] = load_le32(p + 3) >> 2 & LIMB;
    limb[2] = load_le32(p + 6) >> 4 & LIMB;
    limb[3] = load_le32(p + 9) >> 6 & LIMB;
    limb[4] = load_le32(p + 12) >> 8;
}

void poly1305_begin(poly1305_ctx *c, const u8 key[32])
{
    u8 r[16];

    memcpy(r, key, 16);
    r[3] &= 15;
    r[7] &= 15;
    r[11] &= 15;
    r[15] &= 15;
    r[4] &= 252;
    r[8] &= 252;
    r[12] &= 252;
    load_limbs(r, c->r);
    for (int i = 0; i < 4; i++)
        c->pad[i] = load_le32(key + 16 + 4 * i);
    memset(c->h, 0, sizeof c->h);
    c->used = 0;
}

/* h = (h + block) * r mod 2^130 - 5, partially reduced */
static void poly1305_block(poly1305_ctx *c, const u8 *p, u32 top)
{
    u32 m[5];
    const u32 *r = c->r;
    u64 d[5], carry = 0;

    load_limbs(p, m);
    m[4] |= top;
    for (int i = 0; i < 5; i++)
        m[i] += c->h[i];
    for (int i = 0; i < 5; i++) {
        d[i] = 0;
        for (int j = 0; j < 5; j++) {
            u64 rj = j <= i ? r[i - j] : (u64)r[5 + i - j] * 5;
            d[i] += m[j] * rj;
        }
    }
    for (int i = 0; i < 5; i++) {
        d[i] += carry;
        c->h[i] = (u32)d[i] & LIMB;
        carry = d[i] >> 26;
    }
    carry = c->h[0] + carry * 5;
    c->h[0] = (u32)carry & LIMB;
    c->h[1] += (u32)(carry >> 26);
}

void poly1305_add(poly1305_ctx *c, const u8 *p, size_t n)
{
    while (n) {
        size_t take = 16 - c->used;
        if (c->used == 0 && n >= 16) {
            poly1305_block(c, p, 1u << 24);
            take = 16;
        } else {
            if (take > n)
                take = n;
            memcpy(c->block + c->used, p, take);
            c->used += (unsigned)take;
            if (c->used == 16) {
                poly1305_block(c, c->block, 1u << 24);
                c->used = 0;
            }
        }
        p += take;
        n -= take;
    }
}

void poly1305_end(poly1305_ctx *c, u8 tag[16])
{
    u32 g[5], carry, mask;
    u32 *h = c->h;
    u64 f = 0;

    if (c->used) {
        c->block[c->used++] = 1;
        memset(c->block + c->used, 0, 16 - c->used);
        poly1305_block(c, c->block, 0);
    }
    for (int round = 0; round < 2; round++) {   /* full carry */
        carry = 0;
        for (int i = 0; i < 5; i++) {
            h[i] += carry;
            carry = h[i] >> 26;
            h[i] &= LIMB;
        }
        h[0] += carry * 5;
    }
    carry = 5;                                  /* g = h - p */
    for (int i = 0; i < 5; i++) {
        g[i] = h[i] + carry;
        carry = g[i] >> 26;
        g[i] &= LIMB;
    }
    mask = 0u - carry;                          /* all ones if h >= p */
    for (int i = 0; i < 5; i++)
        h[i] = (h[i] & ~mask) | (g[i] & mask);
    for (int i = 0; i < 4; i++) {
        static const int up[4] = { 26, 20, 14, 8 };
        u32 word = h[i] >> (6 * i) | h[i + 1] << up[i];
        f += (u64)word + c->pad[i];
        store_le32(tag + 4 * i, (u32)f);
        f >>= 32;
    }
}

/* ---- the combination ---- */

static void pad16(poly1305_ctx *p, size_t n)
{
    static const u8 zero[16];
    poly1305_add(p, zero, (16 - n % 16) % 16);
}

static void aead_tag(const u8 key[32], const u8 nonce[12], const void *aad,
                     size_t naad, const u8 *sealed, size_t n, u8 tag[16])
{
    chacha_ctx c;
    poly1305_ctx p;
    u8 otk[32] = { 0 }, sizes[16];

    chacha_begin(&c, key, nonce, 0);
    chacha_xor(&c, otk, otk, sizeof otk);
    poly1305_begin(&p, otk);
    poly1305_add(&p, aad, naad);
    pad16(&p, naad);
    poly1305_add(&p, sealed, n);
    pad16(&p, n);
    store_le64(sizes, naad);
    store_le64(sizes + 8, n);
    poly1305_add(&p, sizes, sizeof sizes);
    poly1305_end(&p, tag);
}

void aead_seal(const u8 key[32], const u8 nonce[12], const void *aad, size_t naad,
               const u8 *plain, size_t n, u8 *out, u8 tag[16])
{
    chacha_ctx c;
    chacha_begin(&c, key, nonce, 1);
    chacha_xor(&c, plain, out, n);
    aead_tag(key, nonce, aad, naad, out, n, tag);
}

int aead_open(const u8 key[32], const u8 nonce[12], const void *aad, size_t naad,
              const u8 *sealed, size_t n, const u8 tag[16], u8 *out)
{
    chacha_ctx c;
    u8 want[16];

    aead_tag(key, nonce, aad, naad, sealed, n, want);
    if (ct_differs(want, tag, sizeof want))
        return -1;
    chacha_begin(&c, key, nonce, 1);
    chacha_xor(&c, sealed, out, n);
    return 0;
}
