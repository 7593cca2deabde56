/* dct.h - integer 8x8 discrete cosine transform and quantisation.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DCT_H
#define DCT_H

#include <stdint.h>

typedef int32_t Block[64];

void dctForward(Block b);
void dctInverse(Block b);
void dctForwardSlow(Block b);       /* matrix form, for checking */

typedef struct QuantTable {
    int step[64];                   /* natural order */
} QuantTable;

void quantInit(QuantTable *q, int quality, int chroma);
void quantize(const QuantTable *q, Block b);
void dequantize(const QuantTable *q, Block b);

extern const uint8_t zigzag[64];    /* scan position -> natural index */

#endif
