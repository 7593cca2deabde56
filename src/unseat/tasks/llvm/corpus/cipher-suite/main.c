/* main.c - driver: published test vectors, then longer consistency tests.
 * SPDX-License-Identifier: Apache-2.0 */
#include "crypt.h"

#include <stdio.h>
#include <string.h>

static int failures;
static u8 big[20000], work[20000], again[20000];

static void hex(const u8 *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        *out++ = digits[p[i] >> 4];
        *out++ = digits[p[i] & 15];
    }
    *out = '\0';
}

static void expect(const char *what, const u8 *got, size_t n, const char *want)
{
    char text[200];
    hex(got, n, text);
    int ok = strcmp(text, want) == 0;
    failures += !ok;
    printf("%-18s %.32s%s %s\n", what, text, n > 16 ? ".." : "",
           ok ? "ok" : "WRONG");
}

static void report(const char *what, const u8 *got, size_t n)
{
    char text[200];
    hex(got, n, text);
    printf("%-18s %s\n", what, text);
}

static void count_up(u8 *p, size_t n, unsigned from)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (u8)(from + i);
}

static const struct {
    const char *text, *digest;
} sha_vectors[] = {
    { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void hash_vectors(void)
{
    u8 d[32], key[16];
    for (size_t i = 0; i < sizeof sha_vectors / sizeof sha_vectors[0]; i++) {
        sha256(sha_vectors[i].text, strlen(sha_vectors[i].text), d);
        expect("sha256", d, 32, sha_vectors[i].digest);
    }
    count_up(key, 16, 0);
    count_up(work, 15, 0);
    store_le64(d, siphash24(key, work, 15));
    expect("siphash 15", d, 8, "e545be4961ca29a1");
}

static void kdf_vectors(void)
{
    u8 d[82];
    hmac_ctx h;

    hmac_begin(&h, "Jefe", 4);
    hmac_add(&h, "what do ya want ", 16);
    hmac_add(&h, "for nothing?", 12);
    hmac_end(&h, d);
    expect("hmac 2", d, 32,
           "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(work, 0xaa, 131);
    hmac_begin(&h, work, 131);
    hmac_add(&h, "Test Using Larger Than Block-Size Key - Hash Key First", 54);
    hmac_end(&h, d);
    expect("hmac 6", d, 32,
           "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    memset(work, 0x0b, 22);
    count_up(work + 22, 13, 0);
    count_up(work + 35, 10, 0xf0);
    hkdf(work + 22, 13, work, 22, work + 35, 10, d, 42);
    expect("hkdf 1", d, 42,
           "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
           "34007208d5b887185865");
    pbkdf2("password", 8, "salt", 4, 1, d, 32);
    expect("pbkdf2 1", d, 32,
           "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b");
    pbkdf2("passwordPASSWORDpassword", 24, "saltSALTsaltSALTsaltSALTsaltSALTsalt",
           36, 4096, d, 40);
    expect("pbkdf2 4096", d, 40,
           "348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd53e1"
           "c635518c7dac47e9");
}

static const char sunscreen[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one "
    "tip for the future, sunscreen would be it.";

static void aead_vectors(void)
{
    static const u8 nonce1[12] = { 0, 0, 0, 9, 0, 0, 0, 0x4a };
    static const u8 nonce2[12] = { 7, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44,
                                   0x45, 0x46, 0x47 };
    static const u8 aad[12] = { 0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3,
                                0xc4, 0xc5, 0xc6, 0xc7 };
    static const u8 mac_key[32] = {
        0x85, 0xd6, 0xbe, 0x78, 0x57, 0x55, 0x6d, 0x33, 0x7f, 0x44, 0x52,
        0xfe, 0x42, 0xd5, 0x06, 0xa8, 0x01, 0x03, 0x80, 0x8a, 0xfb, 0x0d,
        0xb2, 0xfd, 0x4a, 0xbf, 0xf6, 0xaf, 0x41, 0x49, 0xf5, 0x1b
    };
    const size_t n = sizeof sunscreen - 1;
    u8 key[32], tag[16], out[128], back[128];
    chacha_ctx c;
    poly1305_ctx p;

    count_up(key, 32, 0);
    memset(out, 0, 64);
    chacha_begin(&c, key, nonce1, 1);
    chacha_xor(&c, out, out, 64);
    expect("chacha20 block", out, 64,
           "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
           "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e");
    poly1305_begin(&p, mac_key);
    poly1305_add(&p, (const u8 *)"Cryptographic Forum Research Group", 34);
    poly1305_end(&p, tag);
    expect("poly1305", tag, 16, "a8061dc1305136c6c22b8baf0c0127a9");
    count_up(key, 32, 0x80);
    aead_seal(key, nonce2, aad, 12, (const u8 *)sunscreen, n, out, tag);
    expect("aead text", out, 16, "d31a8d34648e60db7b86afbc53ef7ec2");
    expect("aead tag", tag, 16, "1ae10b594f09e26a7e902ecbd0600691");
    int good = aead_open(key, nonce2, aad, 12, out, n, tag, back) == 0 &&
               memcmp(back, sunscreen, n) == 0;
    int refused = 0;
    for (size_t i = 0; i < n; i++) {            /* any changed bit is noticed */
        out[i] ^= (u8)(1u << i % 8);
        refused += aead_open(key, nonce2, aad, 12, out, n, tag, back) != 0;
        out[i] ^= (u8)(1u << i % 8);
    }
    printf("aead opens: %d, refuses %d of %lu\n", good, refused, (unsigned long)n);
    failures += !good || refused != (int)n;
}

/* The stream cipher as generator, cut in pieces of growing size. */
static void long_messages(void)
{
    u8 key[32], nonce[12] = { 0 }, d1[32], d2[32], tag1[16], tag2[16];
    chacha_ctx c;
    sha256_ctx s;
    poly1305_ctx p;
    size_t at = 0, step = 1;

    count_up(key, 32, 1);
    memset(big, 0, sizeof big);
    chacha_begin(&c, key, nonce, 0);
    sha256_begin(&s);
    poly1305_begin(&p, key);
    while (at < sizeof big) {
        size_t n = step < sizeof big - at ? step : sizeof big - at;
        chacha_xor(&c, big + at, big + at, n);
        sha256_add(&s, big + at, n);
        poly1305_add(&p, big + at, n);
        at += n;
        step = step * 3 / 2 + 1;
    }
    sha256_end(&s, d1);
    poly1305_end(&p, tag1);
    sha256(big, sizeof big, d2);
    poly1305_begin(&p, key);
    poly1305_add(&p, big, sizeof big);
    poly1305_end(&p, tag2);
    report("keystream sha256", d1, 32);
    report("keystream poly1305", tag1, 16);
    failures += ct_differs(d1, d2, 32) + ct_differs(tag1, tag2, 16);

    int good = 0;
    for (size_t n = 0; n <= 300; n += 7) {
        store_le32(nonce, (u32)n);
        aead_seal(key, nonce, big, n / 3, big + n, n, work, tag1);
        good += aead_open(key, nonce, big, n / 3, work, n, tag1, again) == 0 &&
                memcmp(again, big + n, n) == 0;
        good += aead_open(key, nonce, big, n / 3 + 1, work, n, tag1, again) != 0;
    }
    printf("sealed sizes: %d of 86\n", good);
    failures += good != 86;
}

static void merkle_trees(void)
{
    static leaf leaves[100];
    static u8 path[MERKLE_DEPTH][SHA256_SIZE];
    u8 root[32];
    int good = 0, forged = 0, total = 0;

    for (size_t i = 0; i < 100; i++)
        leaves[i] = (leaf){ big + 37 * i, i % 50 };
    for (size_t n = 1; n <= 100; n += 9) {
        merkle_root(leaves, n, root);
        for (size_t i = 0; i < n; i += 3, total++) {
            int k = merkle_prove(leaves, n, i, path);
            good += merkle_check(&leaves[i], i, n, path, k, root);
            forged += merkle_check(&leaves[(i + 1) % 100], i, n, path, k, root);
        }
    }
    report("merkle root", root, 32);
    printf("proofs: %d of %d good, %d forged\n", good, total, forged);
    failures += good != total || forged != 0;
}

static void hash_buckets(void)
{
    unsigned bucket[16] = { 0 };
    u8 key[16];
    u64 all = 0;
    count_up(key, 16, 0xc0);
    for (u32 i = 0; i < 20000; i++) {
        u8 b[4];
        store_le32(b, i);
        u64 h = siphash24(key, b, 1 + i % 4);
        bucket[h & 15]++;
        all ^= rotl64(h, (int)(i % 63) + 1);
    }
    printf("siphash buckets:");
    for (int i = 0; i < 16; i++)
        printf(" %u", bucket[i]);
    printf("\nsiphash sum %016llx\n", (unsigned long long)all);
}

int main(void)
{
    hash_vectors();
    kdf_vectors();
    aead_vectors();
    long_messages();
    merkle_trees();
    hash_buckets();
    printf("%d failures\n", failures);
    return failures != 0;
}
