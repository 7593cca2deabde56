// main.c - driver: published vectors, malformed inputs, random round trips
// and all encodings of the lines of standard input.
// SPDX-License-Identifier: Apache-2.0
#include "encodings.h"

#include <stdio.h>
#include <string.h>

static int failures;

// ---- known answers (RFC 4648 section 10 and others) ----------------------------

static const struct {
    const char *encoding, *plain, *text;
} vectors[] = {
    { "base64", "", "" },
    { "base64", "f", "Zg==" },
    { "base64", "foob", "Zm9vYg==" },
    { "base64", "fooba", "Zm9vYmE=" },
    { "base64", "foobar", "Zm9vYmFy" },
    { "base64url", "fooba", "Zm9vYmE" },
    { "base32", "f", "MY======" },
    { "base32", "foo", "MZXW6===" },
    { "base32", "foobar", "MZXW6YTBOI======" },
    { "base32hex", "foob", "CPNMUOG=" },
    { "base32hex", "foobar", "CPNMUOJ1E8======" },
    { "base16", "foobar", "666F6F626172" },
    { "base2", "AZ", "0100000101011010" },
    { "base58", "Hello World!", "2NEpo7TZRRrLZSi2U" },
    { "ascii85", "Man sure.", "9jqo^F*2M7/c~>" },
    { "percent", "a b/c~d", "a%20b%2Fc~d" },
    { "quoted", "1+1=2 ", "1+1=3D2=20" },
};

static void check_vectors(Arena *a)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const Encoding *e = encoding_find(vectors[i].encoding);
        Bytes want = bytes_of(vectors[i].text);
        if (e->encode == ascii85_encode && want.len >= 2)
            want.len -= 2;          // the vector shows the "~>" end mark
        Bytes plain = bytes_of(vectors[i].plain);
        Bytes got = e->encode(e, a, plain);
        Decoded back = e->decode(e, a, want);
        bool ok = bytes_equal(got, want) && back.err == DEC_OK &&
                  bytes_equal(back.out, plain);
        failures += !ok;
        printf("%-9s %-14s -> %-20.*s %s\n", e->name, vectors[i].plain,
               (int)got.len, (const char *)got.ptr, ok ? "ok" : "WRONG");
        arena_reset(a);
    }
}

static const struct {
    const char *encoding, *text;
    DecodeError err;
} malformed[] = {
    { "base64", "Zg=", DEC_BAD_PADDING },
    { "base64", "Zg======", DEC_BAD_PADDING },
    { "base64", "Z===", DEC_BAD_LENGTH },
    { "base64", "Zh==", DEC_NOT_CANONICAL },
    { "base64", "Zm9*", DEC_BAD_CHAR },
    { "base64", "Z=9v", DEC_BAD_CHAR },
    { "base64url", "Zm9vY", DEC_BAD_LENGTH },
    { "base64url", "a+b/", DEC_BAD_CHAR },
    { "base32", "MY====", DEC_BAD_PADDING },
    { "base32", "MZXW6Y==", DEC_BAD_LENGTH },
    { "base32", "mzxw6===", DEC_OK },
    { "base16", "ABC", DEC_BAD_LENGTH },
    { "base16", "0g", DEC_BAD_CHAR },
    { "base58", "20OIl", DEC_BAD_CHAR },
    { "ascii85", "s8W-!zz", DEC_OK },
    { "ascii85", "s8W-\"", DEC_OVERFLOW },
    { "ascii85", "9jqo^!", DEC_BAD_LENGTH },
    { "ascii85", "9jqz^", DEC_BAD_CHAR },
    { "percent", "100%", DEC_BAD_CHAR },
    { "percent", "%2g", DEC_BAD_CHAR },
    { "quoted", "a=4", DEC_BAD_CHAR },
    { "quoted", "soft=\nbreak", DEC_OK },
};

static void check_malformed(Arena *a)
{
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        const Encoding *e = encoding_find(malformed[i].encoding);
        Decoded d = e->decode(e, a, bytes_of(malformed[i].text));
        bool ok = d.err == malformed[i].err;
        failures += !ok;
        printf("%-9s malformed %2zu: %s at %zu%s\n", e->name, i,
               decode_error_name(d.err), d.where, ok ? "" : " UNEXPECTED");
        arena_reset(a);
    }
}

// ---- random round trips ----------------------------------------------------------

static uint64_t splitmix(uint64_t *s)
{
    uint64_t z = *s += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint32_t crc32(uint32_t crc, Bytes b)
{
    crc = ~crc;
    for (size_t i = 0; i < b.len; i++) {
        crc ^= b.ptr[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

static Bytes random_bytes(Arena *a, uint64_t *s, size_t n)
{
    Bytes b = { arena_alloc(a, n), n };
    bool sparse = splitmix(s) % 3 == 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t r = splitmix(s);
        b.ptr[i] = sparse && (r >> 40) % 8 ? 0 : (uint8_t)r;
    }
    return b;
}

static void check_random(const Encoding *e, Arena *a)
{
    uint64_t s = 2024;
    uint32_t crc = 0;
    size_t in_bytes = 0, out_bytes = 0, good = 0, refused = 0;

    for (int round = 0; round < 300; round++) {
        Bytes plain = random_bytes(a, &s, splitmix(&s) % 260);
        Bytes text = e->encode(e, a, plain);
        Decoded back = e->decode(e, a, text);
        good += back.err == DEC_OK && bytes_equal(back.out, plain);
        in_bytes += plain.len;
        out_bytes += text.len;
        crc = crc32(crc, text);
        if (text.len) {             // a wrong character must not go unseen
            text.ptr[splitmix(&s) % text.len] = 0x7f;
            refused += e->decode(e, a, text).err != DEC_OK;
        }
        arena_reset(a);
    }
    failures += good != 300;
    printf("%-9s %zu/300 good, %zu refused, %zu -> %zu bytes, crc %08lx\n",
           e->name, good, refused, in_bytes, out_bytes, (unsigned long)crc);
}

// ---- standard input -----------------------------------------------------------------

static void encode_lines(Arena *a)
{
    char line[128];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        printf("[%s]\n", line);
        for (size_t i = 1; i < encoding_count; i++) {
            const Encoding *e = &encodings[i];
            Bytes t = e->encode(e, a, bytes_of(line));
            printf("  %.*s\n", (int)t.len, (const char *)t.ptr);
        }
        arena_reset(a);
    }
}

int main(void)
{
    Arena arena = { NULL, 0, 0 };
    check_vectors(&arena);
    check_malformed(&arena);
    for (size_t i = 0; i < encoding_count; i++)
        check_random(&encodings[i], &arena);
    encode_lines(&arena);
    arena_destroy(&arena);
    printf("%d failures\n", failures);
    return failures != 0;
}
