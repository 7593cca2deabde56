/* image.c - RGB images and single planes, colour conversion, test pictures.
 * SPDX-License-Identifier: Apache-2.0 */
#include "image.h"

#include <stdlib.h>

int planeCreate(Plane *p, int width, int height)
{
    p->width = width;
    p->height = height;
    p->pix = calloc((size_t)width * (size_t)height, 1);
    return p->pix != NULL;
}

void planeDestroy(Plane *p)
{
    free(p->pix);
    p->pix = NULL;
    p->width = p->height = 0;
}

int imageCreate(Image *im, int width, int height)
{
    int ok = 1;
    for (int c = 0; c < 3; c++)
        ok &= planeCreate(&im->rgb[c], width, height);
    if (!ok)
        imageDestroy(im);
    return ok;
}

void imageDestroy(Image *im)
{
    for (int c = 0; c < 3; c++)
        planeDestroy(&im->rgb[c]);
}

void imageShade(Image *im, Shader shader)
{
    int w = im->rgb[0].width, h = im->rgb[0].height, rgb[3];
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            shader(x, y, w, h, rgb);
            for (int c = 0; c < 3; c++)
                im->rgb[c].pix[y * w + x] = clampByte(rgb[c]);
        }
}

uint32_t imageHash(const Image *im)
{
    uint32_t h = 0x811c9dc5u;
    for (int c = 0; c < 3; c++) {
        int n = im->rgb[c].width * im->rgb[c].height;
        for (int i = 0; i < n; i++)
            h = (h ^ im->rgb[c].pix[i]) * 0x01000193u;
    }
    return h;
}

uint64_t planeSquaredError(const Plane *a, const Plane *b)
{
    uint64_t sum = 0;
    for (int i = 0; i < a->width * a->height; i++) {
        int d = a->pix[i] - b->pix[i];
        sum += (uint64_t)(d * d);
    }
    return sum;
}

/* ---- colour ---- */

enum { ONE = 65536, HALF = ONE / 2, CENTRE = 128 * ONE };

void imageToYcc(const Image *im, Plane ycc[3])
{
    int n = im->rgb[0].width * im->rgb[0].height;
    for (int i = 0; i < n; i++) {
        int r = im->rgb[0].pix[i], g = im->rgb[1].pix[i], b = im->rgb[2].pix[i];
        int y  = 19595 * r + 38470 * g + 7471 * b;
        int cb = -11059 * r - 21709 * g + 32768 * b + CENTRE;
        int cr = 32768 * r - 27439 * g - 5329 * b + CENTRE;
        ycc[0].pix[i] = clampByte((y + HALF) / ONE);
        ycc[1].pix[i] = clampByte((cb + HALF) / ONE);
        ycc[2].pix[i] = clampByte((cr + HALF) / ONE);
    }
}

void imageFromYcc(Image *im, const Plane ycc[3])
{
    int n = im->rgb[0].width * im->rgb[0].height;
    for (int i = 0; i < n; i++) {
        int y = ycc[0].pix[i] * ONE + HALF;
        int cb = ycc[1].pix[i] - 128, cr = ycc[2].pix[i] - 128;
        im->rgb[0].pix[i] = clampByte((y + 91881 * cr) / ONE);
        im->rgb[1].pix[i] = clampByte((y - 22554 * cb - 46802 * cr) / ONE);
        im->rgb[2].pix[i] = clampByte((y + 116130 * cb) / ONE);
    }
}

static int pixelAt(const Plane *p, int x, int y)
{
    if (x < 0) x = 0;
    if (y < 0) y = 0;
    if (x >= p->width) x = p->width - 1;
    if (y >= p->height) y = p->height - 1;
    return p->pix[y * p->width + x];
}

void planeHalve(const Plane *src, Plane *dst)
{
    for (int y = 0; y < dst->height; y++)
        for (int x = 0; x < dst->width; x++) {
            int sum = pixelAt(src, 2 * x, 2 * y) + pixelAt(src, 2 * x + 1, 2 * y) +
                      pixelAt(src, 2 * x, 2 * y + 1) +
                      pixelAt(src, 2 * x + 1, 2 * y + 1);
            dst->pix[y * dst->width + x] = (uint8_t)((sum + 2) / 4);
        }
}

/* Bilinear: every sample is 9/16 its own, 3/16 of two, 1/16 of the diagonal. */
void planeDouble(const Plane *src, Plane *dst)
{
    for (int y = 0; y < dst->height; y++)
        for (int x = 0; x < dst->width; x++) {
            int sx = x / 2, sy = y / 2;
            int nx = x & 1 ? sx + 1 : sx - 1, ny = y & 1 ? sy + 1 : sy - 1;
            int sum = 9 * pixelAt(src, sx, sy) + 3 * pixelAt(src, nx, sy) +
                      3 * pixelAt(src, sx, ny) + pixelAt(src, nx, ny);
            dst->pix[y * dst->width + x] = (uint8_t)((sum + 8) / 16);
        }
}

/* ---- test pictures ---- */

static uint32_t hash2(int x, int y)
{
    uint32_t h = (uint32_t)x * 0x9E3779B1u ^ (uint32_t)y * 0x85EBCA77u;
    h ^= h >> 15;
    h *= 0xC2B2AE3Du;
    return h ^ h >> 13;
}

void shadeGradient(int x, int y, int w, int h, int rgb[3])
{
    rgb[0] = 255 * x / w;
    rgb[1] = 255 * y / h;
    rgb[2] = 255 * (x + y) / (w + h);
}

void shadeDiscs(int x, int y, int w, int h, int rgb[3])
{
    rgb[0] = 40;
    rgb[1] = 60;
    rgb[2] = 90 + 80 * y / h;
    for (int i = 0; i < 6; i++) {
        int cx = (int)(hash2(i, 1) % (unsigned)w), cy = (int)(hash2(i, 2) % (unsigned)h);
        int r = 8 + (int)(hash2(i, 3) % 18);
        int d2 = (x - cx) * (x - cx) + (y - cy) * (y - cy);
        if (d2 > r * r)
            continue;
        for (int c = 0; c < 3; c++)     /* brighter to the middle */
            rgb[c] = (int)(hash2(i, 4 + c) & 255) * (2 * r * r - d2) / (2 * r * r);
    }
}

void shadeLetters(int x, int y, int w, int h, int rgb[3])
{
    (void)w; (void)h;
    uint32_t glyph = hash2(x / 8, y / 10);
    int gx = x % 8, gy = y % 10;
    int ink = gx < 5 && gy < 7 && (glyph >> ((gy / 2 * 5 + gx) % 25) & 1);
    rgb[0] = ink ? 20 : 245;
    rgb[1] = ink ? 20 : 240;
    rgb[2] = ink ? 60 : 225;
}

static int smoothNoise(int x, int y, int cell)
{
    int cx = x / cell, cy = y / cell, fx = x % cell, fy = y % cell;
    int a = (int)(hash2(cx, cy) & 255), b = (int)(hash2(cx + 1, cy) & 255);
    int c = (int)(hash2(cx, cy + 1) & 255), d = (int)(hash2(cx + 1, cy + 1) & 255);
    int top = a * (cell - fx) + b * fx, bottom = c * (cell - fx) + d * fx;
    return (top * (cell - fy) + bottom * fy) / (cell * cell);
}

void shadePlasma(int x, int y, int w, int h, int rgb[3])
{
    (void)w; (void)h;
    int v = smoothNoise(x, y, 32) / 2 + smoothNoise(x + 100, y, 16) / 4 +
            smoothNoise(x, y + 200, 8) / 8 + smoothNoise(x + 50, y + 50, 4) / 8;
    rgb[0] = v;
    rgb[1] = 255 - v;
    rgb[2] = smoothNoise(x + 300, y + 300, 24);
}

void shadeNoise(int x, int y, int w, int h, int rgb[3])
{
    (void)w; (void)h;
    uint32_t v = hash2(x, y);
    rgb[0] = (int)(v & 255);
    rgb[1] = (int)(v >> 8 & 255);
    rgb[2] = (int)(v >> 16 & 255);
}
