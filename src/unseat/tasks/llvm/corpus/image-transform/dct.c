/* dct.c - integer 8x8 discrete cosine transform and quantisation.
 *
 * The one-dimensional transform is orthonormal and splits into an even and
 * an odd half; constants are cos(k pi / 16) in Q12. Rows keep 3 extra bits.
 * SPDX-License-Identifier: Apache-2.0 */
#include "dct.h"

enum { C1 = 4017, C2 = 3784, C3 = 3406, C4 = 2896, C5 = 2276, C6 = 1567, C7 = 799 };
enum { PASS_BITS = 3, CONST_BITS = 13 };    /* Q12, and the factor 1/2 */

static int32_t descale(int32_t v, int bits)
{
    int32_t half = 1 << (bits - 1);
    return v >= 0 ? (v + half) >> bits : -((half - v) >> bits);
}

static void forward8(int32_t *p, int stride, int bits)
{
    int32_t x0 = p[0], x1 = p[stride], x2 = p[2 * stride], x3 = p[3 * stride];
    int32_t x4 = p[4 * stride], x5 = p[5 * stride], x6 = p[6 * stride];
    int32_t x7 = p[7 * stride];

    int32_t s0 = x0 + x7, s1 = x1 + x6, s2 = x2 + x5, s3 = x3 + x4;
    int32_t d0 = x0 - x7, d1 = x1 - x6, d2 = x2 - x5, d3 = x3 - x4;
    int32_t e0 = s0 + s3, e1 = s1 + s2, f0 = s0 - s3, f1 = s1 - s2;

    p[0]          = descale(C4 * (e0 + e1), bits);
    p[4 * stride] = descale(C4 * (e0 - e1), bits);
    p[2 * stride] = descale(C2 * f0 + C6 * f1, bits);
    p[6 * stride] = descale(C6 * f0 - C2 * f1, bits);
    p[stride]     = descale(C1 * d0 + C3 * d1 + C5 * d2 + C7 * d3, bits);
    p[3 * stride] = descale(C3 * d0 - C7 * d1 - C1 * d2 - C5 * d3, bits);
    p[5 * stride] = descale(C5 * d0 - C1 * d1 + C7 * d2 + C3 * d3, bits);
    p[7 * stride] = descale(C7 * d0 - C5 * d1 + C3 * d2 - C1 * d3, bits);
}

static void inverse8(int32_t *p, int stride, int bits)
{
    int32_t y0 = p[0], y1 = p[stride], y2 = p[2 * stride], y3 = p[3 * stride];
    int32_t y4 = p[4 * stride], y5 = p[5 * stride], y6 = p[6 * stride];
    int32_t y7 = p[7 * stride];

    int32_t a = C4 * (y0 + y4), b = C4 * (y0 - y4);
    int32_t c = C2 * y2 + C6 * y6, d = C6 * y2 - C2 * y6;
    int32_t e0 = a + c, e3 = a - c, e1 = b + d, e2 = b - d;
    int32_t o0 = C1 * y1 + C3 * y3 + C5 * y5 + C7 * y7;
    int32_t o1 = C3 * y1 - C7 * y3 - C1 * y5 - C5 * y7;
    int32_t o2 = C5 * y1 - C1 * y3 + C7 * y5 + C3 * y7;
    int32_t o3 = C7 * y1 - C5 * y3 + C3 * y5 - C1 * y7;

    p[0]          = descale(e0 + o0, bits);
    p[7 * stride] = descale(e0 - o0, bits);
    p[stride]     = descale(e1 + o1, bits);
    p[6 * stride] = descale(e1 - o1, bits);
    p[2 * stride] = descale(e2 + o2, bits);
    p[5 * stride] = descale(e2 - o2, bits);
    p[3 * stride] = descale(e3 + o3, bits);
    p[4 * stride] = descale(e3 - o3, bits);
}

void dctForward(Block b)
{
    for (int r = 0; r < 8; r++)
        forward8(b + 8 * r, 1, CONST_BITS - PASS_BITS);
    for (int c = 0; c < 8; c++)
        forward8(b + c, 8, CONST_BITS + PASS_BITS);
}

void dctInverse(Block b)
{
    for (int c = 0; c < 8; c++)
        inverse8(b + c, 8, CONST_BITS - PASS_BITS);
    for (int r = 0; r < 8; r++)
        inverse8(b + 8 * r, 1, CONST_BITS + PASS_BITS);
}

/* cos(k pi / 16) in Q12 for any k, by symmetry. */
static int32_t cosine16(int k)
{
    static const int32_t table[9] = { 4096, C1, C2, C3, C4, C5, C6, C7, 0 };
    k %= 32;
    if (k > 16)
        k = 32 - k;
    return k <= 8 ? table[k] : -table[16 - k];
}

void dctForwardSlow(Block b)
{
    Block out;
    for (int v = 0; v < 8; v++)
        for (int u = 0; u < 8; u++) {
            int64_t sum = 0;
            for (int y = 0; y < 8; y++)
                for (int x = 0; x < 8; x++) {
                    int64_t cu = u ? cosine16((2 * x + 1) * u) : C4;
                    int64_t cv = v ? cosine16((2 * y + 1) * v) : C4;
                    sum += b[8 * y + x] * cu * cv;
                }
            int64_t half = INT64_C(1) << (2 * CONST_BITS - 1);
            out[8 * v + u] = (int32_t)((sum + (sum < 0 ? -half : half)) /
                                       (INT64_C(1) << (2 * CONST_BITS)));
        }
    for (int i = 0; i < 64; i++)
        b[i] = out[i];
}

/* ---- quantisation ---- */

const uint8_t zigzag[64] = {
     0,  1,  8, 16,  9,  2,  3, 10, 17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63
};

/* Steps grow with the spatial frequency, faster for colour. */
void quantInit(QuantTable *q, int quality, int chroma)
{
    int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
    for (int v = 0; v < 8; v++)
        for (int u = 0; u < 8; u++) {
            int f = u + v, base = chroma ? 16 + 8 * f + f * f / 2 : 11 + 3 * f + f * f / 2;
            int step = (base * scale + 50) / 100;
            q->step[8 * v + u] = step < 1 ? 1 : step;
        }
}

void quantize(const QuantTable *q, Block b)
{
    for (int i = 0; i < 64; i++) {
        int s = q->step[i], bias = i ? s * 3 / 8 : s / 2;   /* dead zone */
        b[i] = b[i] < 0 ? -((bias - b[i]) / s) : (b[i] + bias) / s;
    }
}

void dequantize(const QuantTable *q, Block b)
{
    for (int i = 0; i < 64; i++)
        b[i] *= q->step[i];
}
