/* hash.c - SHA-256 and SipHash-2-4.
 * SPDX-License-Identifier: Apache-2.0 */
#include "crypt.h"

#include <string.h>

static const u32 K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
};

int ct_differs(const u8 *a, const u8 *b, size_t n)
{
    u8 d = 0;
    while (n--)
        d |= *a++ ^ *b++;
    return d != 0;
}

static u32 choose(u32 x, u32 y, u32 z) { return z ^ (x & (y ^ z)); }
static u32 majority(u32 x, u32 y, u32 z) { return (x & y) | (z & (x | y)); }
static u32 big0(u32 x) { return rotr32(x, 2) ^ rotr32(x, 13) ^ rotr32(x, 22); }
static u32 big1(u32 x) { return rotr32(x, 6) ^ rotr32(x, 11) ^ rotr32(x, 25); }
static u32 small0(u32 x) { return rotr32(x, 7) ^ rotr32(x, 18) ^ x >> 3; }
static u32 small1(u32 x) { return rotr32(x, 17) ^ rotr32(x, 19) ^ x >> 10; }

static void compress(u32 h[8], const u8 *p)
{
    u32 w[64], a = h[0], b = h[1], c = h[2], d = h[3];
    u32 e = h[4], f = h[5], g = h[6], k = h[7];

    for (int i = 0; i < 16; i++)
        w[i] = load_be32(p + 4 * i);
    for (int i = 16; i < 64; i++)
        w[i] = small1(w[i - 2]) + w[i - 7] + small0(w[i - 15]) + w[i - 16];
    for (int i = 0; i < 64; i++) {
        u32 t1 = k + big1(e) + choose(e, f, g) + K[i] + w[i];
        u32 t2 = big0(a) + majority(a, b, c);
        k = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
    h[5] += f;
    h[6] += g;
    h[7] += k;
}

void sha256_begin(sha256_ctx *c)
{
    static const u32 start[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
    };
    memcpy(c->h, start, sizeof start);
    c->length = 0;
}

void sha256_add(sha256_ctx *c, const void *data, size_t n)
{
    const u8 *p = data;
    size_t have = c->length % SHA256_BLOCK;

    c->length += n;
    if (have && have + n >= SHA256_BLOCK) {
        size_t take = SHA256_BLOCK - have;
        memcpy(c->block + have, p, take);
        compress(c->h, c->block);
        p += take;
        n -= take;
        have = 0;
    }
    for (; have == 0 && n >= SHA256_BLOCK; p += SHA256_BLOCK, n -= SHA256_BLOCK)
        compress(c->h, p);
    if (n)
        memcpy(c->block + have, p, n);
}

void sha256_end(sha256_ctx *c, u8 out[SHA256_SIZE])
{
    static const u8 padding[SHA256_BLOCK] = { 0x80 };
    u64 bits = c->length * 8;
    u8 tail[8];

    store_be32(tail, (u32)(bits >> 32));
    store_be32(tail + 4, (u32)bits);
    sha256_add(c, padding, 1 + (119 - c->length % 64) % 64);
    sha256_add(c, tail, 8);
    for (int i = 0; i < 8; i++)
        store_be32(out + 4 * i, c->h[i]);
}

void sha256(const void *data, size_t n, u8 out[SHA256_SIZE])
{
    sha256_ctx c;
    sha256_begin(&c);
    sha256_add(&c, data, n);
    sha256_end(&c, out);
}

/* ---- SipHash ---- */

static void sip_round(u64 v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotl64(v[1], 13) ^ v[0];
    v[3] = rotl64(v[3], 16) ^ v[2];
    v[0] = rotl64(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotl64(v[1], 17) ^ v[2];
    v[3] = rotl64(v[3], 21) ^ v[0];
    v[2] = rotl64(v[2], 32);
}

static void sip_absorb(u64 v[4], u64 m)
{
    v[3] ^= m;
    sip_round(v);
    sip_round(v);
    v[0] ^= m;
}

u64 siphash24(const u8 key[16], const void *data, size_t n)
{
    u64 k0 = load_le64(key), k1 = load_le64(key + 8);
    u64 v[4] = {
        k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du,
        k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u
    };
    const u8 *p = data;
    u64 last = (u64)n << 56;

    for (; n >= 8; p += 8, n -= 8)
        sip_absorb(v, load_le64(p));
    for (size_t i = 0; i < n; i++)
        last |= (u64)p[i] << (8 * i);
    sip_absorb(v, last);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
