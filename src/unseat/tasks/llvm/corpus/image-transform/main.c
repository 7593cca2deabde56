/* main.c - driver of the DCT picture codec.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec.h"
#include "dct.h"
#include "image.h"

enum { BUFFER = 200000 };
static uint8_t buffer[BUFFER];

static unsigned seed = 12345;

static unsigned rnd(unsigned below)
{
    seed = (seed * 1103515245u + 12345u) & 0x7fffffffu;
    return (seed >> 8) % below;
}

static void fatal(const char *what)
{
    printf("fatal: %s\n", what);
    exit(1);
}

/* Fast against matrix transform, and the error of there and back. */
static void testTransform(void)
{
    int worstFast = 0, worstBack = 0;
    for (int round = 0; round < 300; round++) {
        Block in, fast, slow;
        int range = 1 << (1 + round % 8);
        for (int i = 0; i < 64; i++)
            in[i] = fast[i] = slow[i] = (int)rnd((unsigned)range) - range / 2;
        dctForward(fast);
        dctForwardSlow(slow);
        for (int i = 0; i < 64; i++) {
            int d = abs(fast[i] - slow[i]);
            worstFast = d > worstFast ? d : worstFast;
        }
        dctInverse(fast);
        for (int i = 0; i < 64; i++) {
            int d = abs(fast[i] - in[i]);
            worstBack = d > worstBack ? d : worstBack;
        }
    }
    printf("transform: fast differs by %d, round trip by %d\n", worstFast, worstBack);

    Block ramp;
    for (int i = 0; i < 64; i++)
        ramp[i] = 8 * (i % 8) - 28;
    dctForward(ramp);
    printf("ramp spectrum:");
    for (int i = 0; i < 8; i++)
        printf(" %d", (int)ramp[i]);
    printf("\n");
}

static double psnr(const Image *a, const Image *b)
{
    uint64_t sse = 0;
    int n = 3 * a->rgb[0].width * a->rgb[0].height;
    for (int c = 0; c < 3; c++)
        sse += planeSquaredError(&a->rgb[c], &b->rgb[c]);
    return sse ? 10.0 * log10(255.0 * 255.0 * n / (double)sse) : 99.9;
}

static void testPicture(const char *name, Shader shader, int w, int h)
{
    static const CodecOptions grid[] = {
        { 10, 1 }, { 50, 1 }, { 50, 0 }, { 90, 0 }, { 100, 0 }
    };
    Image im, back;
    if (!imageCreate(&im, w, h))
        fatal("no memory");
    imageShade(&im, shader);
    printf("%s %dx%d hash %08lx\n", name, w, h, (unsigned long)imageHash(&im));
    for (unsigned i = 0; i < sizeof grid / sizeof grid[0]; i++) {
        Stream s;
        streamInit(&s, buffer, BUFFER);
        if (!imageEncode(&im, &grid[i], &s))
            fatal("encode");
        size_t bytes = streamBytes(&s);
        streamInit(&s, buffer, bytes);
        if (!imageDecode(&back, &s))
            fatal("decode");
        if (streamBytes(&s) != bytes)
            fatal("data left over");
        printf("  quality %3d%s: %6lu bytes, %4.1f dB, hash %08lx\n",
               grid[i].quality, grid[i].subsample ? " half" : " full",
               (unsigned long)bytes, psnr(&im, &back),
               (unsigned long)imageHash(&back));
        imageDestroy(&back);
    }
    imageDestroy(&im);
}

static void testFailures(void)
{
    const CodecOptions opt = { 40, 1 };
    Image im, back;
    Stream s;
    int refused = 0, decoded = 0, small;
    if (!imageCreate(&im, 50, 30))
        fatal("no memory");
    imageShade(&im, shadePlasma);
    streamInit(&s, buffer, 40);
    small = imageEncode(&im, &opt, &s);
    streamInit(&s, buffer, BUFFER);
    imageEncode(&im, &opt, &s);
    size_t bytes = streamBytes(&s);
    for (size_t cut = 0; cut < bytes; cut += 5) {
        streamInit(&s, buffer, cut);
        if (imageDecode(&back, &s)) {
            imageDestroy(&back);
            decoded++;
        } else {
            refused++;
        }
    }
    printf("small buffer %s; cut streams: %d refused, %d decoded\n",
           small ? "ACCEPTED" : "refused", refused, decoded);
    refused = decoded = 0;
    for (int i = 0; i < 200; i++) {
        unsigned at = rnd((unsigned)bytes), bit = 1u << rnd(8);
        buffer[at] ^= (uint8_t)bit;
        streamInit(&s, buffer, bytes);
        if (imageDecode(&back, &s)) {
            imageDestroy(&back);
            decoded++;
        } else {
            refused++;
        }
        buffer[at] ^= (uint8_t)bit;
    }
    printf("damaged streams: %d refused, %d decoded\n", refused, decoded);
    imageDestroy(&im);
}

int main(void)
{
    testTransform();
    testPicture("gradient", shadeGradient, 96, 64);
    testPicture("discs", shadeDiscs, 101, 67);
    testPicture("letters", shadeLetters, 80, 80);
    testPicture("plasma", shadePlasma, 128, 128);
    testPicture("noise", shadeNoise, 33, 17);
    testPicture("dot", shadeNoise, 1, 1);
    testFailures();
    return 0;
}
