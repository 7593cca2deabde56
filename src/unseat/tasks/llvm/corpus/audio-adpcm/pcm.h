/* pcm.h - 16-bit PCM signals, their synthesis and measurement.
 * Integer arithmetic only, so every machine hears the same thing.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef PCM_H
#define PCM_H

#include <stdint.h>

#define PCM_RATE 8000

typedef int16_t pcm_t;

static inline int clamp_int(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static inline pcm_t clamp_pcm(int v)
{
    return (pcm_t)clamp_int(v, -32768, 32767);
}


/* sine of a 16-bit phase (65536 = one turn), amplitude 32767 */
int isin(unsigned phase);
/* 100 * log10(num / den), rounded down, for num >= den > 0 */
unsigned ilog10_x100(uint64_t num, uint64_t den);

void synth_tone(pcm_t *x, int n, int hz, int amp);
void synth_sweep(pcm_t *x, int n, int from_hz, int to_hz, int amp);
void synth_noise(pcm_t *x, int n, int amp, uint32_t seed);
void synth_pluck(pcm_t *x, int n, int hz, int amp, uint32_t seed);
void synth_speechlike(pcm_t *x, int n);
void mix_into(pcm_t *x, const pcm_t *y, int n, int gain_q8);

typedef struct {
    uint64_t signal_energy;
    uint64_t noise_energy;
    int worst;              /* greatest absolute error */
    int snr_x10;            /* tenths of a decibel; 999 for no error,
                             * -999 for no signal */
} Quality;

Quality measure(const pcm_t *original, const pcm_t *decoded, int n);
uint32_t pcm_hash(const pcm_t *x, int n);

#endif
