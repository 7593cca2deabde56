// core.c - arena, byte strings and the registry of encodings.
// SPDX-License-Identifier: Apache-2.0
#include "encodings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Chunk {
    Chunk *next;
    size_t used, size;
    max_align_t data[];
};

#define CHUNK_MIN ((size_t)16384)

void *arena_alloc(Arena *a, size_t n)
{
    n = (n + sizeof(max_align_t)) & ~(sizeof(max_align_t) - 1);
    Chunk *c = a->chunks;
    if (!c || c->size - c->used < n) {
        size_t size = n > CHUNK_MIN ? n : CHUNK_MIN;
        c = malloc(sizeof *c + size);
        if (!c) {
            fprintf(stderr, "arena: out of memory\n");
            exit(EXIT_FAILURE);
        }
        *c = (Chunk){ .next = a->chunks, .used = 0, .size = size };
        a->chunks = c;
    }
    void *p = (char *)c->data + c->used;
    c->used += n;
    a->total += n;
    if (a->total > a->peak)
        a->peak = a->total;
    return p;
}

void arena_reset(Arena *a)
{
    while (a->chunks && a->chunks->next) {
        Chunk *c = a->chunks;
        a->chunks = c->next;
        free(c);
    }
    if (a->chunks)
        a->chunks->used = 0;
    a->total = 0;
}

void arena_destroy(Arena *a)
{
    arena_reset(a);
    free(a->chunks);
    a->chunks = NULL;
}

Bytes bytes_of(const char *cstr)
{
    // The encoders never write to their input.
    return (Bytes){ (uint8_t *)(uintptr_t)cstr, strlen(cstr) };
}

bool bytes_equal(Bytes a, Bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

Decoded decode_ok(uint8_t *p, size_t n)
{
    return (Decoded){ DEC_OK, 0, { p, n } };
}

Decoded decode_fail(DecodeError err, size_t where)
{
    return (Decoded){ err, where, { NULL, 0 } };
}

const char *decode_error_name(DecodeError e)
{
    switch (e) {
    case DEC_OK:            return "ok";
    case DEC_BAD_CHAR:      return "bad character";
    case DEC_BAD_LENGTH:    return "bad length";
    case DEC_BAD_PADDING:   return "bad padding";
    case DEC_NOT_CANONICAL: return "not canonical";
    case DEC_OVERFLOW:      return "overflow";
    }
    return "?";
}

#define DIGITS "0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"

#define RADIX(n, alpha, b, pad, fold) \
    { n, radix_encode, radix_decode, alpha, b, pad, fold }

const Encoding encodings[] = {
    RADIX("base2", "01", 1, false, false),
    RADIX("base16", DIGITS "ABCDEF", 4, false, true),
    RADIX("base32", UPPER "234567", 5, true, true),
    RADIX("base32hex", DIGITS "ABCDEFGHIJKLMNOPQRSTUV", 5, true, true),
    RADIX("base64", UPPER LOWER DIGITS "+/", 6, true, false),
    RADIX("base64url", UPPER LOWER DIGITS "-_", 6, false, false),
    { "base58", base58_encode, base58_decode,
      "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", 0, false,
      false },
    { "ascii85", ascii85_encode, ascii85_decode, NULL, 0, false, false },
    { "percent", percent_encode, percent_decode, "-._~", 0, false, true },
    { "quoted", quoted_encode, quoted_decode, NULL, 0, false, true },
};
const size_t encoding_count = sizeof encodings / sizeof encodings[0];

const Encoding *encoding_find(const char *name)
{
    for (size_t i = 0; i < encoding_count; i++)
        if (strcmp(encodings[i].name, name) == 0)
            return &encodings[i];
    return NULL;
}
