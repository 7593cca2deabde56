/* compand.c - logarithmic companding: mu-law and A-law of ITU-T G.711.
 * SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"

#include <string.h>

enum { ULAW_BIAS = 0x84, ULAW_CLIP = 32635 };

static void reset_state(CodecState *s)
{
    memset(s, 0, sizeof *s);
}

/* Position of the highest set bit; v > 0. */
static int top_bit(unsigned v)
{
    int n = 0;
    while (v >>= 1)
        n++;
    return n;
}

static unsigned ulaw_encode(CodecState *s, int sample)
{
    (void)s;
    unsigned sign = sample < 0 ? 0x80 : 0;
    int mag = sample < 0 ? -sample : sample;
    mag = (mag > ULAW_CLIP ? ULAW_CLIP : mag) + ULAW_BIAS;
    int exponent = top_bit((unsigned)mag) - 7;
    unsigned mantissa = (unsigned)mag >> (exponent + 3) & 15;
    return ~(sign | (unsigned)exponent << 4 | mantissa) & 0xff;
}

static int ulaw_decode(CodecState *s, unsigned code)
{
    (void)s;
    code = ~code & 0xff;
    int mag = (int)((((code & 15) << 3) + ULAW_BIAS) << (code >> 4 & 7));
    mag -= ULAW_BIAS;
    return code & 0x80 ? -mag : mag;
}

static unsigned alaw_encode(CodecState *s, int sample)
{
    (void)s;
    unsigned sign = 0x80, code;
    int mag = sample;
    if (mag < 0) {
        mag = -mag - 1;
        sign = 0;
    }
    if (mag > 32767)
        mag = 32767;
    if (mag < 256) {
        code = (unsigned)mag >> 4;
    } else {
        int exponent = top_bit((unsigned)mag) - 7;
        code = (unsigned)exponent << 4 | ((unsigned)mag >> (exponent + 3) & 15);
    }
    return (sign | code) ^ 0x55;
}

static int alaw_decode(CodecState *s, unsigned code)
{
    (void)s;
    code ^= 0x55;
    int exponent = (int)(code >> 4 & 7);
    int mag = (int)(code & 15) << 4 | 8;
    if (exponent > 0)
        mag = (mag | 0x100) << (exponent - 1);
    return code & 0x80 ? mag : -mag;
}

const Codec codec_ulaw = { "mu-law", 8, reset_state, ulaw_encode, ulaw_decode };
const Codec codec_alaw = { "A-law", 8, reset_state, alaw_encode, alaw_decode };
