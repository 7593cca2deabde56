/* container.h - the block format: each block is stored, run or Huffman coded.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTAINER_H
#define CONTAINER_H

#include "bitio.h"

typedef enum {
    UNPACK_OK = 0,
    UNPACK_BAD_MAGIC,
    UNPACK_TRUNCATED,
    UNPACK_BAD_BLOCK,
    UNPACK_BAD_CODES,
    UNPACK_BAD_CHECK
} UnpackStatus;

typedef struct {
    unsigned stored, run, coded;    /* number of blocks of each kind */
} PackStats;

uint32_t checksum32(const uint8_t *p, size_t n);
void pack(const uint8_t *p, size_t n, size_t block, ByteBuf *out, PackStats *st);
UnpackStatus unpack(const uint8_t *p, size_t n, ByteBuf *out);
const char *unpack_message(UnpackStatus s);

#endif
