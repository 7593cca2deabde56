/* main.c - driver of the Huffman coder: packs several kinds of data, checks
 * the round trip, shows code books and tries damaged streams.
 * SPDX-License-Identifier: Apache-2.0 */
#include "codebook.h"
#include "container.h"

#include <stdio.h>
#include <string.h>

static uint32_t rng_state = 2463534242u;

static uint32_t rng(void)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 17;
    rng_state ^= rng_state << 5;
    return rng_state;
}

/* ---- data sources --------------------------------------------------------- */

static void gen_text(ByteBuf *b, size_t n)
{
    static const char *const words[] = {
        "the ", "of ", "and ", "tree ", "code ", "a ", "symbol ", "weight ",
        "length ", "prefix ", "in ", "is ", "leaf ", "bit ", "merge ", "to "
    };
    while (b->len < n) {
        unsigned a = rng() % 16, c = rng() % 16;
        const char *w = words[a < c ? a : c];
        bytebuf_append(b, w, strlen(w));
    }
}

static void gen_noise(ByteBuf *b, size_t n)
{
    while (b->len < n)
        bytebuf_push(b, (uint8_t)(rng() >> 11));
}

static void gen_runs(ByteBuf *b, size_t n)
{
    while (b->len < n) {
        uint8_t c = (uint8_t)(rng() % 7 * 36);
        for (size_t k = 500 + rng() % 9000; k; k--)
            bytebuf_push(b, c);
    }
}

static void gen_geometric(ByteBuf *b, size_t n)
{
    while (b->len < n) {
        uint32_t r = rng();
        uint8_t c = 0;
        while ((r & 1) && c < 31) {
            r >>= 1;
            c++;
        }
        bytebuf_push(b, c);
    }
}

/* Fibonacci frequencies give the deepest tree for the amount of data. */
static void gen_fibonacci(ByteBuf *b, size_t n)
{
    size_t f0 = 1, f1 = 1;
    for (uint8_t s = 0; b->len < n; s++) {
        for (size_t k = 0; k < f0 && b->len < n; k++)
            bytebuf_push(b, (uint8_t)(200 - s));
        size_t f2 = f0 + f1;
        f0 = f1;
        f1 = f2;
    }
}

static void gen_empty(ByteBuf *b, size_t n)
{
    (void)b;
    (void)n;
}

typedef struct {
    const char *name;
    void (*fill)(ByteBuf *, size_t);
    size_t size;
    size_t block;
} Source;

static const Source sources[] = {
    { "empty", gen_empty, 0, 0 },
    { "text", gen_text, 200000, 16384 },
    { "noise", gen_noise, 60000, 8000 },
    { "runs", gen_runs, 150000, 1024 },
    { "geometric", gen_geometric, 250000, 0 },
    { "fibonacci", gen_fibonacci, 100000, 0 },
};

/* ---- checks --------------------------------------------------------------- */

static int round_trip(const Source *s)
{
    ByteBuf raw, packed, back;
    PackStats st;

    bytebuf_init(&raw);
    bytebuf_init(&packed);
    bytebuf_init(&back);
    s->fill(&raw, s->size);
    pack(raw.data, raw.len, s->block, &packed, &st);
    UnpackStatus us = unpack(packed.data, packed.len, &back);
    int same = us == UNPACK_OK && back.len == raw.len &&
               (raw.len == 0 || memcmp(raw.data, back.data, raw.len) == 0);
    printf("%-10s %7zu -> %7zu  blocks %u/%u/%u  sum %08x  %s\n", s->name,
           raw.len, packed.len, st.stored, st.run, st.coded,
           (unsigned)checksum32(packed.data, packed.len),
           same ? "ok" : unpack_message(us));
    bytebuf_free(&raw);
    bytebuf_free(&packed);
    bytebuf_free(&back);
    return same;
}

static void print_code(const CodeBook *cb, int s)
{
    char bits[MAX_CODE_LEN + 1];
    int l = cb->len[s];
    for (int i = 0; i < l; i++)
        bits[i] = (char)('0' + (cb->code[s] >> (l - 1 - i) & 1));
    bits[l] = '\0';
    printf("  '%c' %s\n", s, bits);
}

static void show_codebook(const char *text)
{
    uint32_t freq[NSYM];
    CodeBook cb;
    count_frequencies((const uint8_t *)text, strlen(text), freq);
    codebook_build(&cb, freq, MAX_CODE_LEN);
    printf("\"%s\": %d symbols, %llu bits\n", text, cb.used,
           (unsigned long long)codebook_cost(&cb, freq));
    for (int s = 0; s < NSYM; s++)
        if (cb.len[s])
            print_code(&cb, s);
}

static void show_limits(void)
{
    uint32_t freq[NSYM] = { 0 };
    uint32_t a = 1, b = 1;
    for (int s = 0; s < 22; s++) {
        freq['A' + s] = a;
        uint32_t c = a + b;
        a = b;
        b = c;
    }
    CodeBook cb;
    int depth = tree_lengths(freq, cb.len);
    printf("fibonacci weights: depth %d, cost %llu\n", depth,
           (unsigned long long)codebook_cost(&cb, freq));
    for (int limit = MAX_CODE_LEN; limit >= 5; limit -= 2) {
        limited_lengths(freq, limit, cb.len);
        int ok = codebook_assign(&cb);
        printf("  limit %2d: cost %llu kraft %u/32768%s\n", limit,
               (unsigned long long)codebook_cost(&cb, freq),
               (unsigned)codebook_kraft(&cb), ok == 0 ? "" : " INVALID");
    }
}

/* Package-merge without an effective limit must cost the same as the tree. */
static int compare_methods(void)
{
    int equal = 0;
    for (int round = 0; round < 40; round++) {
        uint32_t freq[NSYM] = { 0 };
        int n = 2 + (int)(rng() % 60);
        for (int i = 0; i < n; i++)
            freq[rng() % NSYM] = 1 + rng() % 1000;
        CodeBook x, y;
        int depth = tree_lengths(freq, x.len);
        limited_lengths(freq, depth, y.len);
        equal += codebook_cost(&x, freq) == codebook_cost(&y, freq);
    }
    printf("tree and package-merge agree in %d of 40 cases\n", equal);
    return equal == 40;
}

static void damage_test(void)
{
    ByteBuf raw, packed, out;
    PackStats st;
    unsigned seen[6] = { 0 };

    bytebuf_init(&raw);
    bytebuf_init(&packed);
    bytebuf_init(&out);
    gen_text(&raw, 3000);
    pack(raw.data, raw.len, 700, &packed, &st);
    for (size_t cut = 0; cut < packed.len; cut += 13) {
        bytebuf_clear(&out);
        seen[unpack(packed.data, cut, &out)]++;
    }
    printf("cut streams:    ");
    for (int i = 0; i < 6; i++)
        printf(" %s=%u", unpack_message((UnpackStatus)i), seen[i]);
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 300; i++) {
        size_t at = rng() % packed.len;
        uint8_t bit = (uint8_t)(1u << rng() % 8);
        packed.data[at] ^= bit;
        bytebuf_clear(&out);
        seen[unpack(packed.data, packed.len, &out)]++;
        packed.data[at] ^= bit;
    }
    printf("\nflipped streams:");
    for (int i = 0; i < 6; i++)
        printf(" %s=%u", unpack_message((UnpackStatus)i), seen[i]);
    printf("\n");
    bytebuf_free(&raw);
    bytebuf_free(&packed);
    bytebuf_free(&out);
}

int main(void)
{
    int good = 1;
    show_codebook("abracadabra");
    show_codebook("mississippi river");
    show_limits();
    good &= compare_methods();
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        good &= round_trip(&sources[i]);
    damage_test();
    printf("%s\n", good ? "all good" : "FAILED");
    return good ? 0 : 1;
}
