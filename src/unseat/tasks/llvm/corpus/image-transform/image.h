/* image.h - RGB images and single planes, colour conversion, test pictures.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAGE_H
#define IMAGE_H

#include <stdint.h>

typedef struct Plane {
    int width, height;
    uint8_t *pix;
} Plane;

typedef struct Image {
    Plane rgb[3];
} Image;

typedef void (*Shader)(int x, int y, int w, int h, int rgb[3]);

int  planeCreate(Plane *p, int width, int height);
void planeDestroy(Plane *p);
int  imageCreate(Image *im, int width, int height);
void imageDestroy(Image *im);
void imageShade(Image *im, Shader shader);
uint32_t imageHash(const Image *im);
uint64_t planeSquaredError(const Plane *a, const Plane *b);

/* Full-range YCbCr in 16-bit fixed point. */
void imageToYcc(const Image *im, Plane ycc[3]);
void imageFromYcc(Image *im, const Plane ycc[3]);
void planeHalve(const Plane *src, Plane *dst);      /* dst is (w+1)/2 ... */
void planeDouble(const Plane *src, Plane *dst);

void shadeGradient(int x, int y, int w, int h, int rgb[3]);
void shadeDiscs(int x, int y, int w, int h, int rgb[3]);
void shadeLetters(int x, int y, int w, int h, int rgb[3]);
void shadePlasma(int x, int y, int w, int h, int rgb[3]);
void shadeNoise(int x, int y, int w, int h, int rgb[3]);

static inline uint8_t clampByte(int v)
{
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

#endif
