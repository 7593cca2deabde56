/* codec.h - the compressed picture: header, three planes of coded blocks.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_H
#define CODEC_H

#include <stddef.h>

#include "image.h"

typedef struct CodecOptions {
    int quality;            /* 1 ... 100 */
    int subsample;          /* halve the colour planes */
} CodecOptions;

/* A fixed window of memory; writing past its end only sets `failed`. */
typedef struct Stream {
    uint8_t *data;
    size_t size, pos;
    unsigned bit;           /* bits used of the current byte */
    int failed;
} Stream;

void streamInit(Stream *s, uint8_t *data, size_t size);
size_t streamBytes(const Stream *s);

int imageEncode(const Image *im, const CodecOptions *opt, Stream *s);
int imageDecode(Image *im, Stream *s);      /* creates *im on success */

#endif
