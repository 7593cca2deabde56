/* codec.c - the compressed picture: header, three planes of coded blocks.
 *
 * A block is its DC difference, then (more, zero run, level) triples. All
 * numbers are Rice codes whose parameter follows the running mean.
 * SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"

#include <string.h>

#include "dct.h"

enum { MAGIC = 0x4449, MAX_SIDE = 1024, MAX_UNARY = 20, ESCAPE_BITS = 16 };

void streamInit(Stream *s, uint8_t *data, size_t size)
{
    s->data = data;
    s->size = size;
    s->pos = 0;
    s->bit = 0;
    s->failed = 0;
}

size_t streamBytes(const Stream *s)
{
    return s->pos + (s->bit > 0);
}

static void advance(Stream *s)
{
    if (++s->bit == 8) {
        s->bit = 0;
        s->pos++;
    }
}

static void putBit(Stream *s, unsigned b)
{
    if (s->pos >= s->size) {
        s->failed = 1;
        return;
    }
    if (s->bit == 0)
        s->data[s->pos] = 0;
    s->data[s->pos] |= (uint8_t)(b << (7 - s->bit));
    advance(s);
}

static unsigned getBit(Stream *s)
{
    if (s->pos >= s->size) {
        s->failed = 1;
        return 0;
    }
    unsigned b = s->data[s->pos] >> (7 - s->bit) & 1u;
    advance(s);
    return b;
}

static void putBits(Stream *s, unsigned v, int n)
{
    while (n-- > 0)
        putBit(s, v >> n & 1u);
}

static unsigned getBits(Stream *s, int n)
{
    unsigned v = 0;
    while (n-- > 0)
        v = v << 1 | getBit(s);
    return v;
}

/* ---- adaptive Rice codes ---- */

typedef struct Model {
    unsigned sum, count;
} Model;

enum { M_DC, M_RUN, M_LEVEL_FIRST, M_LEVEL_LATER, M_KINDS };

static void modelInit(Model m[M_KINDS])
{
    for (int i = 0; i < M_KINDS; i++) {
        m[i].sum = 8;
        m[i].count = 4;
    }
}

static int modelParameter(const Model *m)
{
    int k = 0;
    while (m->count << k < m->sum && k < 12)
        k++;
    return k;
}

static void modelUpdate(Model *m, unsigned v)
{
    m->sum += v;
    if (++m->count == 64) {
        m->sum /= 2;
        m->count = 32;
    }
}

static void putNumber(Stream *s, Model *m, unsigned v)
{
    int k = modelParameter(m);
    unsigned q = v >> k;
    if (q >= MAX_UNARY) {
        for (int i = 0; i < MAX_UNARY; i++)
            putBit(s, 1);
        putBits(s, v, ESCAPE_BITS);
    } else {
        for (; q > 0; q--)
            putBit(s, 1);
        putBit(s, 0);
        putBits(s, v, k);
    }
    modelUpdate(m, v);
}

static unsigned getNumber(Stream *s, Model *m)
{
    int k = modelParameter(m);
    unsigned q = 0, v;
    while (q < MAX_UNARY && getBit(s))
        q++;
    v = q == MAX_UNARY ? getBits(s, ESCAPE_BITS) : q << k | getBits(s, k);
    modelUpdate(m, v);
    return v;
}

static unsigned foldSign(int v)
{
    return v < 0 ? (unsigned)(-v) * 2 - 1 : (unsigned)v * 2;
}

static int unfoldSign(unsigned u)
{
    return u & 1 ? -(int)((u + 1) / 2) : (int)(u / 2);
}

/* ---- blocks ---- */

typedef struct PlaneCoder {
    Stream *s;
    QuantTable quant;
    Model model[M_KINDS];
    int lastDc;
} PlaneCoder;

static void coderInit(PlaneCoder *pc, Stream *s, int quality, int chroma)
{
    pc->s = s;
    pc->lastDc = 0;
    quantInit(&pc->quant, quality, chroma);
    modelInit(pc->model);
}

static int levelModel(int position)
{
    return position < 6 ? M_LEVEL_FIRST : M_LEVEL_LATER;
}

static void putBlock(PlaneCoder *pc, const Block b)
{
    putNumber(pc->s, &pc->model[M_DC], foldSign(b[0] - pc->lastDc));
    pc->lastDc = b[0];
    unsigned run = 0;
    for (int i = 1; i < 64; i++) {
        int v = b[zigzag[i]];
        if (v == 0) {
            run++;
            continue;
        }
        putBit(pc->s, 1);
        putNumber(pc->s, &pc->model[M_RUN], run);
        /* zero cannot occur: shift the positive side down by one */
        putNumber(pc->s, &pc->model[levelModel(i)], foldSign(v > 0 ? v - 1 : v));
        run = 0;
    }
    if (run)
        putBit(pc->s, 0);
}

static void getBlock(PlaneCoder *pc, Block b)
{
    memset(b, 0, sizeof(Block));
    pc->lastDc += unfoldSign(getNumber(pc->s, &pc->model[M_DC]));
    if (pc->lastDc < -4096 || pc->lastDc > 4096) {
        pc->s->failed = 1;
        pc->lastDc = 0;
    }
    b[0] = pc->lastDc;
    for (int i = 1; i < 64 && getBit(pc->s); i++) {
        i += (int)getNumber(pc->s, &pc->model[M_RUN]);
        if (i > 63) {
            pc->s->failed = 1;
            return;
        }
        int v = unfoldSign(getNumber(pc->s, &pc->model[levelModel(i)]));
        if (v < -2048 || v > 2048) {
            pc->s->failed = 1;
            return;
        }
        b[zigzag[i]] = v >= 0 ? v + 1 : v;
    }
}

static void loadBlock(const Plane *p, int bx, int by, Block b)
{
    for (int y = 0; y < 8; y++) {
        int sy = by + y < p->height ? by + y : p->height - 1;
        for (int x = 0; x < 8; x++) {
            int sx = bx + x < p->width ? bx + x : p->width - 1;
            b[8 * y + x] = p->pix[sy * p->width + sx] - 128;
        }
    }
}

static void storeBlock(Plane *p, int bx, int by, const Block b)
{
    for (int y = 0; y < 8 && by + y < p->height; y++)
        for (int x = 0; x < 8 && bx + x < p->width; x++)
            p->pix[(by + y) * p->width + bx + x] = clampByte(b[8 * y + x] + 128);
}

static void encodePlane(const Plane *p, PlaneCoder *pc)
{
    Block b;
    for (int y = 0; y < p->height; y += 8)
        for (int x = 0; x < p->width; x += 8) {
            loadBlock(p, x, y, b);
            dctForward(b);
            quantize(&pc->quant, b);
            putBlock(pc, b);
        }
}

/* Corrupt data could drive the transform out of its range. */
static void limitBlock(Block b)
{
    for (int i = 0; i < 64; i++)
        b[i] = b[i] > 2047 ? 2047 : b[i] < -2048 ? -2048 : b[i];
}

static void decodePlane(Plane *p, PlaneCoder *pc)
{
    Block b;
    for (int y = 0; y < p->height; y += 8)
        for (int x = 0; x < p->width; x += 8) {
            getBlock(pc, b);
            if (pc->s->failed)
                return;
            dequantize(&pc->quant, b);
            limitBlock(b);
            dctInverse(b);
            storeBlock(p, x, y, b);
        }
}

/* ---- pictures ---- */

static int createYcc(Plane full[3], Plane half[2], int w, int h)
{
    int ok = 1;
    for (int c = 0; c < 3; c++)
        ok &= planeCreate(&full[c], w, h);
    for (int c = 0; c < 2; c++)
        ok &= planeCreate(&half[c], (w + 1) / 2, (h + 1) / 2);
    return ok;
}

static void destroyYcc(Plane full[3], Plane half[2])
{
    for (int c = 0; c < 3; c++)
        planeDestroy(&full[c]);
    for (int c = 0; c < 2; c++)
        planeDestroy(&half[c]);
}

int imageEncode(const Image *im, const CodecOptions *opt, Stream *s)
{
    Plane full[3], half[2];
    PlaneCoder pc;
    int w = im->rgb[0].width, h = im->rgb[0].height;

    if (!createYcc(full, half, w, h)) {
        destroyYcc(full, half);
        return 0;
    }
    putBits(s, MAGIC, 16);
    putBits(s, (unsigned)w, 16);
    putBits(s, (unsigned)h, 16);
    putBits(s, (unsigned)opt->quality, 7);
    putBit(s, opt->subsample != 0);
    imageToYcc(im, full);
    for (int c = 0; c < 3; c++) {
        coderInit(&pc, s, opt->quality, c > 0);
        if (c > 0 && opt->subsample) {
            planeHalve(&full[c], &half[c - 1]);
            encodePlane(&half[c - 1], &pc);
        } else {
            encodePlane(&full[c], &pc);
        }
    }
    destroyYcc(full, half);
    return !s->failed;
}

int imageDecode(Image *im, Stream *s)
{
    Plane full[3], half[2];
    PlaneCoder pc;
    int ok = 0;

    if (getBits(s, 16) != MAGIC)
        return 0;
    int w = (int)getBits(s, 16), h = (int)getBits(s, 16);
    int quality = (int)getBits(s, 7), subsample = (int)getBit(s);
    if (s->failed || w < 1 || h < 1 || w > MAX_SIDE || h > MAX_SIDE ||
        quality < 1 || quality > 100)
        return 0;
    if (!createYcc(full, half, w, h))
        goto done;
    for (int c = 0; c < 3; c++) {
        int small = c > 0 && subsample;
        coderInit(&pc, s, quality, c > 0);
        decodePlane(small ? &half[c - 1] : &full[c], &pc);
        if (s->failed)
            goto done;
        if (small)
            planeDouble(&half[c - 1], &full[c]);
    }
    if (imageCreate(im, w, h)) {
        imageFromYcc(im, full);
        ok = 1;
    }
done:
    destroyYcc(full, half);
    return ok;
}
