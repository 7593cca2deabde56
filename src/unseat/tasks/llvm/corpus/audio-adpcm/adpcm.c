/* adpcm.c - differential codecs: the IMA/DVI 4-bit codec, delta modulation
 * with a variable slope, and a 3-bit codec with an adaptive predictor.
 * SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"

#include <stdlib.h>
#include <string.h>

/* ---- IMA ADPCM ---- */

/* The standard table grows by a factor of about 1.1 for each step. */
static const int16_t ima_steps[89] = {
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41,
    45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209,
    230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876,
    963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024,
    3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493,
    10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086,
    29794, 32767
};
static const int8_t ima_adjust[8] = { -1, -1, -1, -1, 2, 4, 6, 8 };

static void ima_reset(CodecState *s)
{
    memset(s, 0, sizeof *s);
}

static int ima_decode(CodecState *s, unsigned code)
{
    int step = ima_steps[s->step_index];
    int delta = step >> 3;
    if (code & 4)
        delta += step;
    if (code & 2)
        delta += step >> 1;
    if (code & 1)
        delta += step >> 2;
    s->predicted = clamp_pcm(s->predicted + (code & 8 ? -delta : delta));
    s->step_index = clamp_int(s->step_index + ima_adjust[code & 7], 0, 88);
    return s->predicted;
}

static unsigned ima_encode(CodecState *s, int sample)
{
    int step = ima_steps[s->step_index];
    int diff = sample - s->predicted;
    unsigned code = 0;
    if (diff < 0) {
        code = 8;
        diff = -diff;
    }
    for (unsigned bit = 4; bit; bit >>= 1) {
        if (diff >= step) {
            code |= bit;
            diff -= step;
        }
        step >>= 1;
    }
    ima_decode(s, code);        /* follow what the receiver does */
    return code;
}

/* ---- continuously variable slope delta modulation ---- */

enum { CVSD_MIN = 40, CVSD_MAX = 5000 };

static void cvsd_reset(CodecState *s)
{
    memset(s, 0, sizeof *s);
    s->step = CVSD_MIN;
    s->history = 5;
}

static int cvsd_decode(CodecState *s, unsigned bit)
{
    s->history = (s->history << 1 | bit) & 7;
    if (s->history == 0 || s->history == 7)
        s->step += s->step / 4 + 8;
    else
        s->step -= s->step / 8;
    s->step = clamp_int(s->step, CVSD_MIN, CVSD_MAX);
    int leaky = s->predicted - s->predicted / 64;
    s->predicted = clamp_pcm(leaky + (bit ? s->step : -s->step));
    return s->predicted;
}

static unsigned cvsd_encode(CodecState *s, int sample)
{
    unsigned bit = sample >= s->predicted;
    cvsd_decode(s, bit);
    return bit;
}

/* ---- 3 bits, with two poles and six zeros learned by the sign method ---- */

enum { SCALE_MIN = 3 * 256, SCALE_MAX = 12 * 256 };

static void adaptive_reset(CodecState *s)
{
    memset(s, 0, sizeof *s);
    s->scale = 5 * 256;
}

static int sign_of(int v)
{
    return (v > 0) - (v < 0);
}

static int exp2_q8(int q8)
{
    int whole = q8 / 256, frac = q8 % 256;
    return ((256 + frac) << whole) / 256;
}

static int predict_zeros(const CodecState *s)
{
    int64_t acc = 0;
    for (int i = 0; i < 6; i++)
        acc += (int64_t)s->b[i] * s->diff[i];
    return (int)(acc / 16384);
}

static int predict(const CodecState *s, int zeros)
{
    int64_t acc = 0;
    for (int i = 0; i < 2; i++)
        acc += (int64_t)s->a[i] * s->rec[i];
    return clamp_pcm((int)(acc / 16384) + zeros);
}

/* Leak and nudge of each coefficient; the poles are kept stable. */
static void adapt_poles(CodecState *s, int p, const int old_p[2])
{
    int same1 = sign_of(p) * old_p[0], same2 = sign_of(p) * old_p[1];
    s->a[1] += 128 * same2 - 64 * sign_of(same1) * sign_of(s->a[0]) -
               s->a[1] / 128;
    s->a[1] = clamp_int(s->a[1], -12288, 12288);
    s->a[0] += 192 * same1 - s->a[0] / 256;
    int limit = 15360 - s->a[1];
    s->a[0] = clamp_int(s->a[0], -limit, limit);
}

static void adapt_zeros(CodecState *s, int d)
{
    for (int i = 0; i < 6; i++) {
        s->b[i] += 128 * sign_of(d) * sign_of(s->diff[i]) - s->b[i] / 256;
        s->b[i] = clamp_int(s->b[i], -16384, 16384);
    }
    memmove(&s->diff[1], &s->diff[0], 5 * sizeof s->diff[0]);
    s->diff[0] = d;
}

static int adaptive_decode(CodecState *s, unsigned code)
{
    static const int16_t level_q8[4] = { 64, 210, 400, 680 };
    static const int8_t scale_step[4] = { -14, -2, 12, 40 };
    int zeros = predict_zeros(s);
    int estimate = predict(s, zeros);
    int d = exp2_q8(s->scale) * level_q8[code & 3] / 256;
    if (code & 4)
        d = -d;
    int out = clamp_pcm(estimate + d);
    int p = d + zeros;
    int old_p[2] = { (int)(s->history & 3) - 1, (int)(s->history >> 2 & 3) - 1 };
    adapt_poles(s, p, old_p);
    adapt_zeros(s, d);
    s->history = (s->history << 2 | (unsigned)(sign_of(p) + 1)) & 15;
    s->scale = clamp_int(s->scale + scale_step[code & 3], SCALE_MIN, SCALE_MAX);
    s->rec[1] = s->rec[0];
    s->rec[0] = out;
    return out;
}

static unsigned adaptive_encode(CodecState *s, int sample)
{
    static const int16_t border_q8[3] = { 137, 305, 540 };
    int d = sample - predict(s, predict_zeros(s));
    int mag = abs(d), scale = exp2_q8(s->scale);
    unsigned code = 0;
    while (code < 3 && mag > scale * border_q8[code] / 256)
        code++;
    code |= d < 0 ? 4 : 0;
    adaptive_decode(s, code);
    return code;
}

const Codec codec_ima = { "IMA", 4, ima_reset, ima_encode, ima_decode };
const Codec codec_cvsd = { "CVSD", 1, cvsd_reset, cvsd_encode, cvsd_decode };
const Codec codec_adaptive = { "adaptive", 3, adaptive_reset, adaptive_encode,
                               adaptive_decode };
