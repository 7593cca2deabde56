// encodings.h - binary-to-text encodings over arena-allocated strings.
// SPDX-License-Identifier: Apache-2.0
#ifndef ENCODINGS_H
#define ENCODINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- arena: everything a test allocates goes away at once -----------------

typedef struct Chunk Chunk;

typedef struct {
    Chunk *chunks;
    size_t total;       // bytes handed out since the last reset
    size_t peak;
} Arena;

void *arena_alloc(Arena *a, size_t n);
void arena_reset(Arena *a);     // keeps one chunk for reuse
void arena_destroy(Arena *a);

// ---- byte strings ----------------------------------------------------------

typedef struct {
    uint8_t *ptr;
    size_t len;
} Bytes;

Bytes bytes_of(const char *cstr);
bool bytes_equal(Bytes a, Bytes b);

// ---- encodings ---------------------------------------------------------------

typedef enum {
    DEC_OK,
    DEC_BAD_CHAR,
    DEC_BAD_LENGTH,
    DEC_BAD_PADDING,
    DEC_NOT_CANONICAL,      // left-over bits are not zero
    DEC_OVERFLOW
} DecodeError;

typedef struct {
    DecodeError err;
    size_t where;           // input offset of the error
    Bytes out;
} Decoded;

typedef struct Encoding {
    const char *name;
    Bytes (*encode)(const struct Encoding *self, Arena *a, Bytes in);
    Decoded (*decode)(const struct Encoding *self, Arena *a, Bytes in);
    const char *alphabet;
    int bits;               // per character, for the power-of-two family
    bool padded;
    bool fold_case;
} Encoding;

extern const Encoding encodings[];
extern const size_t encoding_count;

const Encoding *encoding_find(const char *name);
const char *decode_error_name(DecodeError e);

Decoded decode_ok(uint8_t *p, size_t n);
Decoded decode_fail(DecodeError err, size_t where);

// radix.c
Bytes radix_encode(const Encoding *self, Arena *a, Bytes in);
Decoded radix_decode(const Encoding *self, Arena *a, Bytes in);
// bignum58.c and ascii85.c
Bytes base58_encode(const Encoding *self, Arena *a, Bytes in);
Decoded base58_decode(const Encoding *self, Arena *a, Bytes in);
Bytes ascii85_encode(const Encoding *self, Arena *a, Bytes in);
Decoded ascii85_decode(const Encoding *self, Arena *a, Bytes in);
// escape.c
Bytes percent_encode(const Encoding *self, Arena *a, Bytes in);
Decoded percent_decode(const Encoding *self, Arena *a, Bytes in);
Bytes quoted_encode(const Encoding *self, Arena *a, Bytes in);
Decoded quoted_decode(const Encoding *self, Arena *a, Bytes in);

#endif
