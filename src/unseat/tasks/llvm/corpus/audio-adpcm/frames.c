/* frames.c - packing of codes into independent, checked frames.
 *
 * Frame: sequence number (2 bytes), CRC-16 of the rest (2 bytes), codes.
 * The codec state runs on from frame to frame; after a lost frame the decoder
 * fades out its last frame and lets the codec adapt again.
 * SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include <string.h>

static uint16_t crc16(const uint8_t *p, int n)
{
    uint16_t crc = 0xffff;          /* CCITT polynomial */
    for (int i = 0; i < n; i++) {
        crc ^= (uint16_t)(p[i] << 8);
        for (int k = 0; k < 8; k++)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

int frame_bytes(const Codec *c)
{
    return FRAME_HEADER + (FRAME_SAMPLES * c->bits + 7) / 8;
}

static void encode_one(const Codec *c, CodecState *s, const pcm_t *x,
                       unsigned seq, uint8_t *out)
{
    uint8_t *p = out + FRAME_HEADER;
    unsigned acc = 0, have = 0;
    for (int i = 0; i < FRAME_SAMPLES; i++) {
        acc |= c->encode(s, x[i]) << have;
        have += (unsigned)c->bits;
        for (; have >= 8; have -= 8, acc >>= 8)
            *p++ = (uint8_t)acc;
    }
    if (have)
        *p++ = (uint8_t)acc;
    put16(out, seq);
    put16(out + 2, crc16(out + FRAME_HEADER, (int)(p - out) - FRAME_HEADER));
}

int frames_encode(const Codec *c, const pcm_t *x, int n, uint8_t *out)
{
    CodecState s;
    int size = frame_bytes(c), k = n / FRAME_SAMPLES;
    c->reset(&s);
    for (int i = 0; i < k; i++)
        encode_one(c, &s, x + i * FRAME_SAMPLES, (unsigned)i, out + i * size);
    return k * size;
}

static void decode_one(const Codec *c, CodecState *s, const uint8_t *in,
                       pcm_t *x)
{
    unsigned acc = 0, have = 0, mask = (1u << c->bits) - 1;
    for (int i = 0; i < FRAME_SAMPLES; i++) {
        if (have < (unsigned)c->bits) {
            acc |= (unsigned)*in++ << have;
            have += 8;
        }
        x[i] = (pcm_t)c->decode(s, acc & mask);
        acc >>= c->bits;
        have -= (unsigned)c->bits;
    }
}

static void conceal(const pcm_t *last, pcm_t *x)
{
    for (int i = 0; i < FRAME_SAMPLES; i++)
        x[i] = (pcm_t)(last[i] * (FRAME_SAMPLES - i) / FRAME_SAMPLES);
}

FrameReport frames_decode(const Codec *c, const uint8_t *in, int nbytes,
                          pcm_t *x, int n)
{
    FrameReport r = { 0, 0, 0 };
    CodecState s;
    pcm_t silence[FRAME_SAMPLES] = { 0 };
    const pcm_t *last = silence;
    int size = frame_bytes(c), at = 0;

    c->reset(&s);
    for (int i = 0; i < n / FRAME_SAMPLES; i++) {
        pcm_t *out = x + i * FRAME_SAMPLES;
        const uint8_t *f = in + at;
        int present = at + size <= nbytes && get16(f) == (unsigned)i;
        if (present)
            at += size;
        if (present && crc16(f + FRAME_HEADER, size - FRAME_HEADER) == get16(f + 2)) {
            decode_one(c, &s, f + FRAME_HEADER, out);
            r.frames++;
        } else {
            conceal(last, out);
            r.concealed++;
            r.lost += !present;
        }
        last = out;
    }
    return r;
}
