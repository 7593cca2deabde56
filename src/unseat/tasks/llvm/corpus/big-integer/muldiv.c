/* muldiv.c - multiplication (by the school method and Karatsuba's) and
 * division (Knuth's algorithm D).
 * SPDX-License-Identifier: Apache-2.0 */
#include "big.h"

#include <string.h>

enum { KARATSUBA_LIMIT = 24 };

/* ---- on arrays of limbs ---- */

static void mul_limbs(limb *r, const limb *a, size_t na, const limb *b, size_t nb)
{
    memset(r, 0, (na + nb) * sizeof *r);
    for (size_t i = 0; i < na; i++) {
        uint64_t carry = 0, ai = a[i];
        if (ai == 0)
            continue;
        for (size_t k = 0; k < nb; k++) {
            carry += ai * b[k] + r[i + k];
            r[i + k] = (limb)carry;
            carry >>= 32;
        }
        r[i + nb] = (limb)carry;
    }
}

/* r[0 ... nr) += a; the carry runs on inside r */
static void add_into(limb *r, size_t nr, const limb *a, size_t na)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < nr && (i < na || carry); i++) {
        carry += (uint64_t)r[i] + (i < na ? a[i] : 0);
        r[i] = (limb)carry;
        carry >>= 32;
    }
}

static void sub_from(limb *r, size_t nr, const limb *a, size_t na)
{
    uint64_t borrow = 0;
    for (size_t i = 0; i < nr && (i < na || borrow); i++) {
        uint64_t v = (uint64_t)r[i] - (i < na ? a[i] : 0) - borrow;
        r[i] = (limb)v;
        borrow = v >> 63;
    }
}

/* s = low half + high half; hi + 1 limbs, lo <= hi */
static void sum_halves(limb *s, const limb *p, size_t lo, size_t hi)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < hi; i++) {
        carry += (uint64_t)p[lo + i] + (i < lo ? p[i] : 0);
        s[i] = (limb)carry;
        carry >>= 32;
    }
    s[hi] = (limb)carry;
}

/* r = a * b for two numbers of n limbs; tmp has room for 4 n + 64 limbs. */
static void karatsuba(limb *r, const limb *a, const limb *b, size_t n, limb *tmp)
{
    if (n < KARATSUBA_LIMIT) {
        mul_limbs(r, a, n, b, n);
        return;
    }
    size_t lo = n / 2, hi = n - lo, m = hi + 1;
    limb *sa = r, *sb = r + m, *mid = tmp, *rest = tmp + 2 * m;

    /* the sums use the space of the result, which has 2 n >= 2 m limbs */
    sum_halves(sa, a, lo, hi);
    sum_halves(sb, b, lo, hi);
    karatsuba(mid, sa, sb, m, rest);
    karatsuba(r, a, b, lo, rest);
    karatsuba(r + 2 * lo, a + lo, b + lo, hi, rest);
    sub_from(mid, 2 * m, r, 2 * lo);
    sub_from(mid, 2 * m, r + 2 * lo, 2 * hi);
    add_into(r + lo, 2 * n - lo, mid, 2 * m);
}

/* ---- on numbers ---- */

static void finish(big *r, big *t, bool neg)
{
    t->neg = neg;
    big_trim(t);
    big_swap(r, t);
    big_free(t);
}

void big_mul_school(big *r, const big *a, const big *b)
{
    big t = BIG_ZERO;
    big_reserve(&t, a->n + b->n + 1);
    mul_limbs(t.d, a->d, a->n, b->d, b->n);
    t.n = a->n + b->n;
    finish(r, &t, a->neg != b->neg);
}

/* The longer one is cut into pieces as long as the shorter one. */
void big_mul(big *r, const big *a, const big *b)
{
    if (a->n < b->n) {
        const big *t = a;
        a = b;
        b = t;
    }
    size_t n = b->n;
    if (n < KARATSUBA_LIMIT) {
        big_mul_school(r, a, b);
        return;
    }
    big t = BIG_ZERO, work = BIG_ZERO;
    big_reserve(&t, a->n + n);
    memset(t.d, 0, (a->n + n) * sizeof *t.d);
    t.n = a->n + n;
    big_reserve(&work, 7 * n + 64);
    limb *piece = work.d, *product = work.d + n, *tmp = work.d + 3 * n;
    for (size_t at = 0; at < a->n; at += n) {
        size_t len = a->n - at < n ? a->n - at : n;
        memset(piece, 0, n * sizeof *piece);
        memcpy(piece, a->d + at, len * sizeof *piece);
        karatsuba(product, piece, b->d, n, tmp);
        add_into(t.d + at, t.n - at, product, len + n);
    }
    big_free(&work);
    finish(r, &t, a->neg != b->neg);
}

/* u -= q * v at one position; returns whether that went below zero. */
static bool sub_product(limb *u, const limb *v, size_t n, limb q)
{
    uint64_t carry = 0, borrow = 0;
    for (size_t i = 0; i <= n; i++) {
        carry += i < n ? (uint64_t)q * v[i] : 0;
        uint64_t d = (uint64_t)u[i] - (limb)carry - borrow;
        u[i] = (limb)d;
        borrow = d >> 63;
        carry >>= 32;
    }
    return borrow != 0;
}

static limb estimate(const limb *u, const limb *v, size_t n)
{
    uint64_t top = (uint64_t)u[n] << 32 | u[n - 1];
    uint64_t q = top / v[n - 1], rem = top % v[n - 1];
    while (q >> 32 || q * v[n - 2] > (rem << 32 | u[n - 2])) {
        q--;
        rem += v[n - 1];
        if (rem >> 32)
            break;
    }
    return (limb)q;
}

static void divide_long(big *q, big *u, const big *v)
{
    size_t n = v->n, m = u->n - n;
    big_reserve(u, u->n + 1);
    u->d[u->n++] = 0;
    big_reserve(q, m + 1);
    q->n = m + 1;
    for (size_t k = m + 1; k-- > 0;) {
        limb *at = u->d + k, digit = estimate(at, v->d, n);
        if (sub_product(at, v->d, n, digit)) {
            digit--;
            add_into(at, n + 1, v->d, n);
        }
        q->d[k] = digit;
    }
}

bool big_divmod(big *q, big *r, const big *a, const big *b)
{
    big quot = BIG_ZERO, rem = BIG_ZERO, norm = BIG_ZERO;
    bool qneg = a->neg != b->neg, rneg = a->neg;

    if (b->n == 0)
        return false;
    if (big_cmp_abs(a, b) < 0) {
        big_copy(&rem, a);
    } else if (b->n == 1) {
        big_set(&rem, big_div_small(&quot, a, b->d[0]));
    } else {
        size_t shift = b->n * 32 - big_bits(b);
        big_shl(&rem, a, shift);
        big_shl(&norm, b, shift);
        divide_long(&quot, &rem, &norm);
        rem.n = norm.n;
        big_trim(&rem);
        big_shr(&rem, &rem, shift);
        big_free(&norm);
    }
    if (q)
        finish(q, &quot, qneg);
    if (r)
        finish(r, &rem, rneg);
    big_free(&quot);
    big_free(&rem);
    return true;
}
