/* codec.h - sample-by-sample voice codecs behind one table of operations.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_H
#define CODEC_H

#include "pcm.h"

/* One state fits all codecs; reset() brings it to the start of a stream. */
typedef struct {
    int predicted;
    int step_index;
    int step;                   /* delta modulation */
    unsigned history;           /* recent bits of delta modulation */
    int a[2], b[6];             /* adaptive predictor: poles and zeros */
    int rec[2], diff[6];        /* reconstructed samples, differences */
    int scale;                  /* log2 quantiser scale, Q8 */
} CodecState;

typedef struct {
    const char *name;
    int bits;                   /* per sample */
    void (*reset)(CodecState *);
    unsigned (*encode)(CodecState *, int sample);
    int (*decode)(CodecState *, unsigned code);
} Codec;

extern const Codec codec_ulaw, codec_alaw, codec_ima, codec_cvsd,
    codec_adaptive;

#endif
