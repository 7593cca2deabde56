/* codebook.h - building of length-limited canonical Huffman codes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEBOOK_H
#define CODEBOOK_H

#include "bitio.h"

enum {
    NSYM = 256,
    MAX_CODE_LEN = 15,
    FAST_BITS = 9
};

typedef struct {
    uint8_t len[NSYM];      /* 0 = symbol does not occur */
    uint16_t code[NSYM];    /* canonical code, right aligned */
    int used;               /* number of symbols with len > 0 */
} CodeBook;

/* Canonical decoder: a first-level table for short codes and the
 * count/first/offset walk for long ones. */
typedef struct {
    uint16_t fast_sym[1 << FAST_BITS];
    uint8_t fast_len[1 << FAST_BITS];
    uint16_t count[MAX_CODE_LEN + 1];
    uint8_t sorted[NSYM];
} DecodeTable;

void count_frequencies(const uint8_t *p, size_t n, uint32_t freq[NSYM]);

/* Plain Huffman tree; may exceed MAX_CODE_LEN. Returns the greatest depth. */
int tree_lengths(const uint32_t freq[NSYM], uint8_t len[NSYM]);
/* Optimal lengths under a limit (package-merge). */
void limited_lengths(const uint32_t freq[NSYM], int limit, uint8_t len[NSYM]);

void codebook_build(CodeBook *cb, const uint32_t freq[NSYM], int limit);
int codebook_assign(CodeBook *cb);      /* lengths -> codes; 0, or -1 if bad */
uint64_t codebook_cost(const CodeBook *cb, const uint32_t freq[NSYM]);
uint32_t codebook_kraft(const CodeBook *cb);    /* in units of 2^-15 */

void codebook_write(const CodeBook *cb, BitWriter *w);
int codebook_read(CodeBook *cb, BitReader *r);

void decode_table_build(DecodeTable *t, const CodeBook *cb);
int decode_symbol(const DecodeTable *t, BitReader *r);

#endif
