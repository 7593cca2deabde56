/* pcm.c - 16-bit PCM signals, their synthesis and measurement.
 * SPDX-License-Identifier: Apache-2.0 */
#include "pcm.h"

#include <stdlib.h>

/* Odd polynomial on a quarter wave:  sin(pi/2 u) ~ u (a - u^2 (b - u^2 c)),
 * with u in Q15; the coefficients make value and slope fit at u = 1. */
static int quarter(int u)
{
    const int64_t a = 51472, b = 21168, c = 2464;   /* Q15: a - b + c = 1 */
    int64_t u2 = ((int64_t)u * u) >> 15;
    int64_t t = b - ((u2 * c) >> 15);
    t = a - ((u2 * t) >> 15);
    int64_t s = ((int64_t)u * t) >> 15;
    return s > 32767 ? 32767 : (int)s;
}

int isin(unsigned phase)
{
    unsigned q = (phase >> 14) & 3;
    int u = (int)(phase & 0x3fff) * 2;
    switch (q) {
    case 0:  return quarter(u);
    case 1:  return quarter(32768 - u);
    case 2:  return -quarter(u);
    default: return -quarter(32768 - u);
    }
}

/* 100 * log10(num/den) for num >= den > 0, by repeated tenth roots: every
 * round multiplies the remaining factor by itself ten times. */
unsigned ilog10_x100(uint64_t num, uint64_t den)
{
    unsigned result = 0, unit = 100;
    while (num > (UINT64_C(1) << 40)) {
        num >>= 1;
        den >>= 1;
    }
    if (den == 0)
        den = 1;
    uint64_t x = (num << 20) / den;         /* Q20 */
    for (int round = 0; round < 3; round++) {
        while (x >= UINT64_C(10) << 20) {
            x /= 10;
            result += unit;
        }
        uint64_t y = UINT64_C(1) << 20;
        for (int i = 0; i < 10; i++)
            y = (y * x) >> 20;
        x = y;
        unit /= 10;
        if (unit == 0)
            break;
    }
    return result;
}

static uint32_t lcg(uint32_t *s)
{
    *s = *s * 1664525u + 1013904223u;
    return *s >> 16;
}

void synth_tone(pcm_t *x, int n, int hz, int amp)
{
    unsigned phase = 0, step = (unsigned)(hz * 65536 / PCM_RATE);
    for (int i = 0; i < n; i++) {
        x[i] = (pcm_t)(isin(phase) * amp / 32767);
        phase += step;
    }
}

void synth_sweep(pcm_t *x, int n, int from_hz, int to_hz, int amp)
{
    unsigned phase = 0;
    for (int i = 0; i < n; i++) {
        int hz = from_hz + (int)((int64_t)(to_hz - from_hz) * i / n);
        x[i] = (pcm_t)(isin(phase) * amp / 32767);
        phase += (unsigned)(hz * 65536 / PCM_RATE);
    }
}

void synth_noise(pcm_t *x, int n, int amp, uint32_t seed)
{
    for (int i = 0; i < n; i++)
        x[i] = (pcm_t)(((int)lcg(&seed) - 32768) * amp / 32768);
}

/* Plucked string: a noise burst circulating in an averaging delay line. */
void synth_pluck(pcm_t *x, int n, int hz, int amp, uint32_t seed)
{
    enum { MAX_LINE = 400 };
    pcm_t line[MAX_LINE];
    int len = clamp_int(PCM_RATE / hz, 2, MAX_LINE), at = 0;
    synth_noise(line, len, amp, seed);
    for (int i = 0; i < n; i++) {
        int next = at + 1 == len ? 0 : at + 1;
        x[i] = line[at];
        line[at] = (pcm_t)((line[at] + line[next]) * 127 / 256);
        at = next;
    }
}

/* Pulses at a wandering pitch through two resonators, in syllables. */
void synth_speechlike(pcm_t *x, int n)
{
    static const int formant[4][2] = {      /* 2 r cos(w), Q12; r^2 = 0.90 */
        { 7300, 3100 }, { 6900, 1200 }, { 7600, -900 }, { 6400, 4500 }
    };
    int y1[2] = { 0, 0 }, y2[2] = { 0, 0 };
    uint32_t seed = 7;
    int until_pulse = 0;
    for (int i = 0; i < n; i++) {
        int syllable = i / 1600, inside = i % 1600;
        int voiced = inside < 1200, in = 0;
        if (voiced && until_pulse-- <= 0) {
            in = 6000;
            until_pulse = 60 + syllable % 5 * 6 + (int)(lcg(&seed) % 4);
        } else if (!voiced) {
            in = ((int)lcg(&seed) - 32768) / 64;
        }
        for (int k = 0; k < 2; k++) {
            int c = formant[syllable % 4][k];
            int y = in + c * y1[k] / 4096 - y2[k] * 3686 / 4096;
            y = clamp_int(y, -60000, 60000);
            y2[k] = y1[k];
            y1[k] = y;
            in = y / 2;
        }
        x[i] = clamp_pcm(in);
    }
}

void mix_into(pcm_t *x, const pcm_t *y, int n, int gain_q8)
{
    for (int i = 0; i < n; i++)
        x[i] = clamp_pcm(x[i] + y[i] * gain_q8 / 256);
}

Quality measure(const pcm_t *original, const pcm_t *decoded, int n)
{
    Quality q = { 0, 0, 0, 0 };
    for (int i = 0; i < n; i++) {
        int e = abs(original[i] - decoded[i]);
        q.signal_energy += (uint64_t)((int64_t)original[i] * original[i]);
        q.noise_energy += (uint64_t)((int64_t)e * e);
        if (e > q.worst)
            q.worst = e;
    }
    if (q.noise_energy == 0)
        q.snr_x10 = 999;
    else if (q.signal_energy == 0)
        q.snr_x10 = -999;
    else if (q.signal_energy >= q.noise_energy)
        q.snr_x10 = (int)ilog10_x100(q.signal_energy, q.noise_energy);
    else
        q.snr_x10 = -(int)ilog10_x100(q.noise_energy, q.signal_energy);
    return q;
}

uint32_t pcm_hash(const pcm_t *x, int n)
{
    uint32_t h = 5381;
    for (int i = 0; i < n; i++) {
        h = h * 33 ^ ((uint16_t)x[i] & 255u);
        h = h * 33 ^ ((uint16_t)x[i] >> 8);
    }
    return h;
}
