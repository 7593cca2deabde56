/* big.h - integers of any size: sign and magnitude, base 2^32.
 *
 * Results may be the same object as an argument everywhere. Memory is checked
 * at one place, which ends the program.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BIG_H
#define BIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t limb;

typedef struct {
    limb *d;            /* least significant first, no leading zeros */
    size_t n, cap;
    bool neg;           /* never set for zero */
} big;

#define BIG_ZERO { NULL, 0, 0, false }

/* big.c */
void big_reserve(big *x, size_t n);
void big_free(big *x);
void big_copy(big *r, const big *a);
void big_swap(big *a, big *b);
void big_set(big *r, int64_t v);
bool big_to_u64(const big *a, uint64_t *v);     /* false if it does not fit */
void big_trim(big *x);
size_t big_bits(const big *a);
bool big_bit(const big *a, size_t i);
int big_cmp_abs(const big *a, const big *b);
int big_cmp(const big *a, const big *b);
void big_add(big *r, const big *a, const big *b);
void big_sub(big *r, const big *a, const big *b);
void big_shl(big *r, const big *a, size_t bits);
void big_shr(big *r, const big *a, size_t bits);    /* of the magnitude */
limb big_div_small(big *r, const big *a, limb d);   /* magnitude; remainder */
void big_mul_small(big *r, const big *a, limb m, limb add);

static inline bool big_is_zero(const big *a) { return a->n == 0; }
static inline bool big_is_odd(const big *a) { return a->n && (a->d[0] & 1); }

/* muldiv.c */
void big_mul(big *r, const big *a, const big *b);
void big_mul_school(big *r, const big *a, const big *b);
/* Rounds towards zero; q or r may be NULL. False when b is zero. */
bool big_divmod(big *q, big *r, const big *a, const big *b);

/* number.c */
void big_pow(big *r, const big *a, unsigned e);
void big_sqrt(big *r, const big *a);                /* floor; a >= 0 */
void big_gcd(big *r, const big *a, const big *b);
bool big_inverse(big *r, const big *a, const big *m);
void big_powmod(big *r, const big *a, const big *e, const big *m);
bool big_probably_prime(const big *a);
void big_factorial(big *r, unsigned n);
void big_fibonacci(big *r, unsigned n);

/* text.c */
bool big_parse(big *r, const char *s, size_t n);    /* decimal digits */
char *big_format(const big *a);                     /* to be freed */
/* Evaluates a line; NULL or what is wrong with it. */
const char *big_eval(big *r, const char *line);

#endif
