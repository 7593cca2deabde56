/* crypt.h - a small suite of public cryptographic primitives, written from
 * their specifications: FIPS 180-4, RFC 2104, 5869, 8018, 8439 and SipHash.
 * For study and benchmarks, not for secrets.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CRYPT_H
#define CRYPT_H

#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

/* ---- byte order and other helpers ---- */

static inline u32 load_le32(const u8 *p)
{
    return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static inline void store_le32(u8 *p, u32 v)
{
    p[0] = (u8)v;
    p[1] = (u8)(v >> 8);
    p[2] = (u8)(v >> 16);
    p[3] = (u8)(v >> 24);
}

static inline u64 load_le64(const u8 *p)
{
    return load_le32(p) | (u64)load_le32(p + 4) << 32;
}

static inline void store_le64(u8 *p, u64 v)
{
    store_le32(p, (u32)v);
    store_le32(p + 4, (u32)(v >> 32));
}

static inline u32 load_be32(const u8 *p)
{
    return p[3] | (u32)p[2] << 8 | (u32)p[1] << 16 | (u32)p[0] << 24;
}

static inline void store_be32(u8 *p, u32 v)
{
    p[0] = (u8)(v >> 24);
    p[1] = (u8)(v >> 16);
    p[2] = (u8)(v >> 8);
    p[3] = (u8)v;
}

static inline u32 rotl32(u32 v, int n) { return v << n | v >> (32 - n); }
static inline u32 rotr32(u32 v, int n) { return v >> n | v << (32 - n); }
static inline u64 rotl64(u64 v, int n) { return v << n | v >> (64 - n); }

/* 0 if equal; takes the same time wherever the difference is */
int ct_differs(const u8 *a, const u8 *b, size_t n);

/* ---- hash.c ---- */

#define SHA256_SIZE 32
#define SHA256_BLOCK 64

typedef struct {
    u32 h[8];
    u64 length;
    u8 block[SHA256_BLOCK];
} sha256_ctx;

void sha256_begin(sha256_ctx *c);
void sha256_add(sha256_ctx *c, const void *data, size_t n);
void sha256_end(sha256_ctx *c, u8 out[SHA256_SIZE]);
void sha256(const void *data, size_t n, u8 out[SHA256_SIZE]);

u64 siphash24(const u8 key[16], const void *data, size_t n);

/* ---- kdf.c ---- */

typedef struct {
    sha256_ctx inner, outer;
} hmac_ctx;

void hmac_begin(hmac_ctx *c, const void *key, size_t nkey);
void hmac_add(hmac_ctx *c, const void *data, size_t n);
void hmac_end(hmac_ctx *c, u8 out[SHA256_SIZE]);
void hkdf(const void *salt, size_t nsalt, const void *ikm, size_t nikm,
          const void *info, size_t ninfo, u8 *out, size_t nout);
void pbkdf2(const void *pass, size_t npass, const void *salt, size_t nsalt,
            unsigned rounds, u8 *out, size_t nout);

/* Merkle trees as in RFC 6962: proofs list the siblings from leaf to root. */
#define MERKLE_DEPTH 20
typedef struct {
    const u8 *data;
    size_t n;
} leaf;

void merkle_root(const leaf *l, size_t n, u8 out[SHA256_SIZE]);
int merkle_prove(const leaf *l, size_t n, size_t index,
                 u8 path[MERKLE_DEPTH][SHA256_SIZE]);
int merkle_check(const leaf *l, size_t index, size_t n,
                 u8 path[MERKLE_DEPTH][SHA256_SIZE], int npath,
                 const u8 root[SHA256_SIZE]);

/* ---- aead.c ---- */

typedef struct {
    u32 state[16];
    u8 stream[64];
    unsigned used;          /* bytes of stream[] already consumed */
} chacha_ctx;

void chacha_begin(chacha_ctx *c, const u8 key[32], const u8 nonce[12], u32 counter);
void chacha_xor(chacha_ctx *c, const u8 *in, u8 *out, size_t n);

typedef struct {
    u32 r[5], h[5], pad[4];     /* 26-bit limbs, and the final addend */
    u8 block[16];
    unsigned used;
} poly1305_ctx;

void poly1305_begin(poly1305_ctx *c, const u8 key[32]);
void poly1305_add(poly1305_ctx *c, const u8 *p, size_t n);
void poly1305_end(poly1305_ctx *c, u8 tag[16]);

void aead_seal(const u8 key[32], const u8 nonce[12], const void *aad, size_t naad,
               const u8 *plain, size_t n, u8 *out, u8 tag[16]);
int aead_open(const u8 key[32], const u8 nonce[12], const void *aad, size_t naad,
              const u8 *sealed, size_t n, const u8 tag[16], u8 *out);

#endif
