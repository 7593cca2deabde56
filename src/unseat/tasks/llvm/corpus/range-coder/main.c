/*
 * main.c: driver. Every model over standard input and generated data, with
 * round trips, and direct checks of the coder.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models.h"

enum { MAX_DATA = 12000, MAX_CODE = 2 * MAX_DATA };

/* ---- memory as sink and source ---- */

typedef struct {
  rc_sink base;
  uint8_t bytes[MAX_CODE];
  size_t n;
} mem_sink;

typedef struct {
  rc_source base;
  const uint8_t *bytes;
  size_t n, at;
} mem_source;

static void mem_put(rc_sink *s, uint8_t byte) {
  mem_sink *m = (mem_sink *)s;
  if (m->n < MAX_CODE)
    m->bytes[m->n] = byte;
  m->n++;
}

static int mem_get(rc_source *s) {
  mem_source *m = (mem_source *)s;
  return m->at < m->n ? m->bytes[m->at++] : -1;
}

static mem_sink packed = {.base = {mem_put}};
static uint8_t data[MAX_DATA], back[MAX_DATA];
static size_t ndata;

/* ---- generated data ---- */

static uint32_t rng_a = 17, rng_b = 42;

static uint32_t rnd(void) { /* two multiply-with-carry generators */
  rng_a = 36969 * (rng_a & 65535) + (rng_a >> 16);
  rng_b = 18000 * (rng_b & 65535) + (rng_b >> 16);
  return (rng_a << 16) + rng_b;
}

static size_t gen_input(void) { return fread(data, 1, MAX_DATA, stdin); }

static size_t gen_walk(void) { /* slowly varying samples */
  int v = 128;
  for (size_t i = 0; i < 10000; i++) {
    v += (int)(rnd() % 7) - 3;
    v = v < 0 ? 0 : v > 255 ? 255 : v;
    data[i] = (uint8_t)v;
  }
  return 10000;
}

static size_t gen_skewed(void) { /* independent bits, one in 16 set */
  for (size_t i = 0; i < 8000; i++) {
    int c = 0;
    for (int k = 0; k < 8; k++)
      c = c << 1 | ((rnd() >> 9 & 15) == 0);
    data[i] = (uint8_t)c;
  }
  return 8000;
}

static size_t gen_random(void) {
  for (size_t i = 0; i < 5000; i++)
    data[i] = (uint8_t)(rnd() >> 8);
  return 5000;
}

static size_t gen_repeat(void) { /* mutated copies of one page */
  for (size_t i = 0; i < MAX_DATA; i++)
    data[i] = i < 400 || rnd() % 150 == 0 ? (uint8_t)('a' + (rnd() >> 6) % 26)
                                          : data[i - 400];
  return MAX_DATA;
}

static size_t gen_same(void) {
  memset(data, 0xff, MAX_DATA);
  return MAX_DATA;
}

static size_t gen_empty(void) { return 0; }

static const struct {
  const char *name;
  size_t (*make)(void);
} sources[] = {{"input", gen_input},   {"walk", gen_walk},     {"skewed", gen_skewed},
               {"random", gen_random}, {"repeat", gen_repeat}, {"same", gen_same},
               {"empty", gen_empty}};

static const model_factory factories[] = {model_order0_new, model_order1_new,
                                          model_bitwise_new, model_mixing_new};

/* Bytes that a perfect static order-0 code would need. */
static long entropy_bytes(void) {
  double bits = 0;
  size_t count[256] = {0};
  for (size_t i = 0; i < ndata; i++)
    count[data[i]]++;
  for (int s = 0; s < 256; s++)
    if (count[s])
      bits -= (double)count[s] * log2((double)count[s] / (double)ndata);
  return lround(bits / 8);
}

static uint32_t digest(const uint8_t *p, size_t n) {
  uint32_t h = (uint32_t)n;
  while (n--) {
    h += *p++;
    h += h << 10;
    h ^= h >> 6;
  }
  return h ^ h >> 11;
}

static model *create(model_factory f) {
  model *m = f();
  if (!m) {
    fprintf(stderr, "no memory\n");
    exit(3);
  }
  return m;
}

static int round_trip(model_factory factory) {
  model *m = create(factory);
  rc_encoder enc;
  coder c = {&enc, NULL};
  packed.n = 0;
  rc_enc_init(&enc, &packed.base);
  for (size_t i = 0; i < ndata; i++)
    m->code(m, &c, data[i]);
  rc_enc_finish(&enc);
  m->destroy(m);

  m = create(factory);
  mem_source src = {{mem_get}, packed.bytes, packed.n, 0};
  rc_decoder dec;
  coder d = {NULL, &dec};
  rc_dec_init(&dec, &src.base);
  for (size_t i = 0; i < ndata; i++)
    back[i] = (uint8_t)m->code(m, &d, 0);
  int ok = memcmp(data, back, ndata) == 0 && dec.missing == 0;
  printf("  %-8s %6lu bytes  digest %08lx%s\n", m->name, (unsigned long)packed.n,
         (unsigned long)digest(packed.bytes, packed.n), ok ? "" : " MISMATCH");
  m->destroy(m);
  return ok;
}

/* Uniform numbers of many sizes, mixed with extreme probabilities. */
static int check_coder(void) {
  enum { N = 4000 };
  static uint32_t total[N], value[N];
  rc_encoder enc;
  rc_decoder dec;
  int good = 0;
  packed.n = 0;
  rc_enc_init(&enc, &packed.base);
  for (int i = 0; i < N; i++) {
    if (i % 3 == 2) {
      total[i] = 1 + rnd() % 65535; /* a probability */
      if (i % 9 == 2)
        total[i] = i & 1 ? 1 : 65535;
      value[i] = rnd() % 65536 < total[i];
      rc_enc_bit(&enc, (int)value[i], total[i]);
    } else {
      total[i] = 1 + rnd() % (1u << (1 + i % 16));
      value[i] = rnd() % total[i];
      rc_enc_interval(&enc, value[i], 1, total[i]);
    }
  }
  rc_enc_finish(&enc);
  mem_source src = {{mem_get}, packed.bytes, packed.n, 0};
  rc_dec_init(&dec, &src.base);
  for (int i = 0; i < N; i++) {
    if (i % 3 == 2) {
      good += rc_dec_bit(&dec, total[i]) == (int)value[i];
    } else {
      uint32_t v = rc_dec_target(&dec, total[i]);
      rc_dec_take(&dec, v, 1);
      good += v == value[i];
    }
  }
  printf("coder: %d of %d symbols, %lu bytes, digest %08lx\n", good, N,
         (unsigned long)packed.n, (unsigned long)digest(packed.bytes, packed.n));
  return good == N;
}

/* Intervals at the very top keep a long carry pending. */
static int check_carry(void) {
  rc_encoder enc;
  rc_decoder dec;
  int good = 0;
  packed.n = 0;
  rc_enc_init(&enc, &packed.base);
  for (int i = 0; i < 3000; i++)
    rc_enc_interval(&enc, i % 1000 == 999 ? 0 : 255, 1, 256);
  rc_enc_finish(&enc);
  mem_source src = {{mem_get}, packed.bytes, packed.n, 0};
  rc_dec_init(&dec, &src.base);
  for (int i = 0; i < 3000; i++) {
    uint32_t v = rc_dec_target(&dec, 256);
    rc_dec_take(&dec, v, 1);
    good += v == (i % 1000 == 999 ? 0u : 255u);
  }
  printf("carry: %d of 3000 symbols, %lu bytes\n", good, (unsigned long)packed.n);
  return good == 3000;
}

int main(void) {
  int ok = check_coder() & check_carry();
  for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
    ndata = sources[i].make();
    printf("%s: %lu bytes, order-0 entropy %ld\n", sources[i].name,
           (unsigned long)ndata, entropy_bytes());
    for (size_t k = 0; k < sizeof factories / sizeof factories[0]; k++)
      ok &= round_trip(factories[k]);
  }
  printf(ok ? "all good\n" : "FAILED\n");
  return !ok;
}
