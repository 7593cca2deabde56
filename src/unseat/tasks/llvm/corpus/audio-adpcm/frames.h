/* frames.h - packing of codes into independent, checked frames.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FRAMES_H
#define FRAMES_H

#include "codec.h"

enum { FRAME_SAMPLES = 160, FRAME_HEADER = 4 };

typedef struct {
    int frames, lost, concealed;
} FrameReport;

int frame_bytes(const Codec *c);
/* Returns the number of bytes written; n is a multiple of FRAME_SAMPLES. */
int frames_encode(const Codec *c, const pcm_t *x, int n, uint8_t *out);
FrameReport frames_decode(const Codec *c, const uint8_t *in, int nbytes,
                          pcm_t *x, int n);

#endif
