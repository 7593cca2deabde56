/* kdf.c - what is built upon SHA-256: HMAC, HKDF, PBKDF2 and Merkle trees.
 * SPDX-License-Identifier: Apache-2.0 */
#include "crypt.h"

#include <string.h>

void hmac_begin(hmac_ctx *c, const void *key, size_t nkey)
{
    u8 k[SHA256_BLOCK] = { 0 };

    if (nkey > SHA256_BLOCK)
        sha256(key, nkey, k);
    else if (nkey)
        memcpy(k, key, nkey);
    for (int i = 0; i < SHA256_BLOCK; i++)
        k[i] ^= 0x36;
    sha256_begin(&c->inner);
    sha256_add(&c->inner, k, sizeof k);
    for (int i = 0; i < SHA256_BLOCK; i++)
        k[i] ^= 0x36 ^ 0x5c;
    sha256_begin(&c->outer);
    sha256_add(&c->outer, k, sizeof k);
}

void hmac_add(hmac_ctx *c, const void *data, size_t n)
{
    sha256_add(&c->inner, data, n);
}

void hmac_end(hmac_ctx *c, u8 out[SHA256_SIZE])
{
    sha256_end(&c->inner, out);
    sha256_add(&c->outer, out, SHA256_SIZE);
    sha256_end(&c->outer, out);
}

void hkdf(const void *salt, size_t nsalt, const void *ikm, size_t nikm,
          const void *info, size_t ninfo, u8 *out, size_t nout)
{
    u8 prk[SHA256_SIZE], t[SHA256_SIZE];
    hmac_ctx h;

    hmac_begin(&h, salt, nsalt);            /* extract */
    hmac_add(&h, ikm, nikm);
    hmac_end(&h, prk);
    for (u8 counter = 1; nout; counter++) {  /* expand */
        size_t take = nout < sizeof t ? nout : sizeof t;
        hmac_begin(&h, prk, sizeof prk);
        if (counter > 1)
            hmac_add(&h, t, sizeof t);
        hmac_add(&h, info, ninfo);
        hmac_add(&h, &counter, 1);
        hmac_end(&h, t);
        memcpy(out, t, take);
        out += take;
        nout -= take;
    }
}

static void pbkdf2_block(const hmac_ctx *keyed, const void *salt, size_t nsalt,
                         unsigned rounds, u32 index, u8 acc[SHA256_SIZE])
{
    u8 be[4], u[SHA256_SIZE];
    hmac_ctx h = *keyed;

    store_be32(be, index);
    hmac_add(&h, salt, nsalt);
    hmac_add(&h, be, 4);
    hmac_end(&h, u);
    memcpy(acc, u, sizeof u);
    while (--rounds) {
        h = *keyed;
        hmac_add(&h, u, sizeof u);
        hmac_end(&h, u);
        for (size_t i = 0; i < sizeof u; i++)
            acc[i] ^= u[i];
    }
}

void pbkdf2(const void *pass, size_t npass, const void *salt, size_t nsalt,
            unsigned rounds, u8 *out, size_t nout)
{
    hmac_ctx keyed;
    u8 t[SHA256_SIZE];

    hmac_begin(&keyed, pass, npass);
    for (u32 index = 1; nout; index++) {
        size_t take = nout < sizeof t ? nout : sizeof t;
        pbkdf2_block(&keyed, salt, nsalt, rounds, index, t);
        memcpy(out, t, take);
        out += take;
        nout -= take;
    }
}

/* ---- Merkle trees ---- */

static void hash_leaf(const leaf *l, u8 out[SHA256_SIZE])
{
    sha256_ctx c;
    sha256_begin(&c);
    sha256_add(&c, "\0", 1);
    sha256_add(&c, l->data, l->n);
    sha256_end(&c, out);
}

static void hash_node(const u8 *left, const u8 *right, u8 out[SHA256_SIZE])
{
    sha256_ctx c;
    sha256_begin(&c);
    sha256_add(&c, "\1", 1);
    sha256_add(&c, left, SHA256_SIZE);
    sha256_add(&c, right, SHA256_SIZE);
    sha256_end(&c, out);
}

/* Greatest power of two below n, for n > 1. */
static size_t split_point(size_t n)
{
    size_t k = 1;
    while (k * 2 < n)
        k *= 2;
    return k;
}

void merkle_root(const leaf *l, size_t n, u8 out[SHA256_SIZE])
{
    u8 left[SHA256_SIZE], right[SHA256_SIZE];

    if (n == 0) {
        sha256("", 0, out);
    } else if (n == 1) {
        hash_leaf(l, out);
    } else {
        size_t k = split_point(n);
        merkle_root(l, k, left);
        merkle_root(l + k, n - k, right);
        hash_node(left, right, out);
    }
}

int merkle_prove(const leaf *l, size_t n, size_t index,
                 u8 path[MERKLE_DEPTH][SHA256_SIZE])
{
    if (n <= 1)
        return 0;
    size_t k = split_point(n);
    int depth;
    if (index < k) {
        depth = merkle_prove(l, k, index, path);
        merkle_root(l + k, n - k, path[depth]);
    } else {
        depth = merkle_prove(l + k, n - k, index - k, path);
        merkle_root(l, k, path[depth]);
    }
    return depth + 1;
}

/* Recompute the root of the subtree of n leaves that holds `index`. */
static int climb(const leaf *l, size_t index, size_t n,
                 u8 path[MERKLE_DEPTH][SHA256_SIZE], int npath,
                 u8 out[SHA256_SIZE])
{
    if (n == 1) {
        hash_leaf(l, out);
        return npath == 0;
    }
    if (npath == 0)
        return 0;
    size_t k = split_point(n);
    u8 sub[SHA256_SIZE];
    const u8 *sibling = path[npath - 1];
    if (index < k) {
        if (!climb(l, index, k, path, npath - 1, sub))
            return 0;
        hash_node(sub, sibling, out);
    } else {
        if (!climb(l, index - k, n - k, path, npath - 1, sub))
            return 0;
        hash_node(sibling, sub, out);
    }
    return 1;
}

int merkle_check(const leaf *l, size_t index, size_t n,
                 u8 path[MERKLE_DEPTH][SHA256_SIZE], int npath,
                 const u8 root[SHA256_SIZE])
{
    u8 got[SHA256_SIZE];
    return index < n && climb(l, index, n, path, npath, got) &&
           !ct_differs(got, root, SHA256_SIZE);
}
