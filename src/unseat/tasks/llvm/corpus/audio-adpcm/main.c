/* main.c - driver: all codecs over synthetic signals, table checks of the
 * companders, and transport with lost and damaged frames.
 * SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"
#include "frames.h"
#include "pcm.h"

#include <stdio.h>
#include <string.h>

enum { N = 16000 };             /* two seconds */

static pcm_t signal_buf[N], other[N], decoded[N];
static uint8_t stream[N + N / FRAME_SAMPLES * FRAME_HEADER];

static const Codec *const codecs[] = {
    &codec_ulaw, &codec_alaw, &codec_ima, &codec_adaptive, &codec_cvsd
};
#define NCODECS ((int)(sizeof codecs / sizeof codecs[0]))

static void make_silence(pcm_t *x) { memset(x, 0, N * sizeof *x); }
static void make_tone(pcm_t *x) { synth_tone(x, N, 440, 12000); }
static void make_loud(pcm_t *x) { synth_tone(x, N, 1000, 32767); }
static void make_sweep(pcm_t *x) { synth_sweep(x, N, 100, 3400, 9000); }
static void make_noise(pcm_t *x) { synth_noise(x, N, 4000, 99); }
static void make_speech(pcm_t *x) { synth_speechlike(x, N); }

static void make_chord(pcm_t *x)
{
    static const int hz[3] = { 196, 247, 294 };
    memset(x, 0, N * sizeof *x);
    for (int i = 0; i < 3; i++) {
        synth_pluck(other, N, hz[i], 20000, (uint32_t)hz[i]);
        mix_into(x, other, N, 120);
    }
}

static const struct {
    const char *name;
    void (*make)(pcm_t *);
} signals[] = {
    { "silence", make_silence }, { "tone", make_tone }, { "loud", make_loud },
    { "sweep", make_sweep }, { "noise", make_noise }, { "chord", make_chord },
    { "speech", make_speech },
};

static void print_db(int x10)
{
    int mag = x10 < 0 ? -x10 : x10;
    if (mag == 999)
        printf("%6s", x10 > 0 ? "exact" : "none");
    else
        printf("%s%c%d.%d", mag < 100 ? " " : "", x10 < 0 ? '-' : ' ',
               mag / 10, mag % 10);
}

static void run_codec(const Codec *c)
{
    int bytes = frames_encode(c, signal_buf, N, stream);
    FrameReport r = frames_decode(c, stream, bytes, decoded, N);
    Quality q = measure(signal_buf, decoded, N);
    printf("  %-9s %6d bytes  snr ", c->name, bytes);
    print_db(q.snr_x10);
    printf(" dB  worst %5d  hash %08lx%s\n", q.worst,
           (unsigned long)pcm_hash(decoded, N),
           r.concealed ? " FRAMES LOST" : "");
}

/* Each code of a compander must survive decoding and encoding again. */
static int check_compander(const Codec *c)
{
    CodecState s;
    int stable = 0, monotone = 1, prev = -40000, biggest = 0;
    c->reset(&s);
    for (unsigned code = 0; code < 256; code++) {
        int v = c->decode(&s, code);
        stable += c->encode(&s, v) == code;
        if (v > biggest)
            biggest = v;
    }
    for (int v = -32768; v <= 32767; v++) {
        int d = c->decode(&s, c->encode(&s, v));
        monotone &= d >= prev;
        prev = d;
    }
    printf("%s: %d of 256 codes stable, %s, peak %d\n", c->name, stable,
           monotone ? "monotone" : "NOT monotone", biggest);
    return stable >= 255 && monotone;   /* mu-law has two zeros */
}

/* Drop every 9th frame and flip a bit in every 14th. */
static void run_lossy(const Codec *c)
{
    static uint8_t arrived[sizeof stream];
    int size = frame_bytes(c), n = 0;
    int bytes = frames_encode(c, signal_buf, N, stream);
    for (int i = 0; i * size < bytes; i++) {
        if (i % 9 == 8)
            continue;
        memcpy(arrived + n, stream + i * size, (size_t)size);
        if (i % 14 == 5)
            arrived[n + FRAME_HEADER + i % 16] ^= 0x10;
        n += size;
    }
    FrameReport r = frames_decode(c, arrived, n, decoded, N);
    Quality q = measure(signal_buf, decoded, N);
    printf("  %-9s %3d frames good, %2d lost, %2d damaged, snr ", c->name,
           r.frames, r.lost, r.concealed - r.lost);
    print_db(q.snr_x10);
    printf(" dB\n");
}

static void print_sines(void)
{
    printf("isin:");
    for (unsigned deg = 0; deg < 360; deg += 30)
        printf(" %d", isin(deg * 65536u / 360u));
    printf("\n");
}

static void print_ulaw_codes(void)
{
    static const int probe[] = { 0, 1, 100, -100, 1000, -1000, 8031, 32767, -32768 };
    CodecState s;
    codec_ulaw.reset(&s);
    printf("codes:");
    for (unsigned i = 0; i < sizeof probe / sizeof probe[0]; i++)
        printf(" %d=%02x/%02x", probe[i], codec_ulaw.encode(&s, probe[i]),
               codec_alaw.encode(&s, probe[i]));
    printf("\n");
}

int main(void)
{
    int ok = 1;
    print_sines();
    print_ulaw_codes();
    ok &= check_compander(&codec_ulaw);
    ok &= check_compander(&codec_alaw);
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        signals[i].make(signal_buf);
        printf("%s: hash %08lx\n", signals[i].name,
               (unsigned long)pcm_hash(signal_buf, N));
        for (int k = 0; k < NCODECS; k++)
            run_codec(codecs[k]);
    }
    printf("lossy transport of the last signal\n");
    for (int k = 0; k < NCODECS; k++)
        run_lossy(codecs[k]);
    return ok ? 0 : 1;
}
