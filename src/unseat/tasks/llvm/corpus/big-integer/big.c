/* big.c - storage, comparison, addition and shifting.
 * SPDX-License-Identifier: Apache-2.0 */
#include "big.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void big_reserve(big *x, size_t n)
{
    if (n <= x->cap)
        return;
    size_t cap = x->cap + x->cap / 2 + 4;
    if (cap < n)
        cap = n;
    limb *p = realloc(x->d, cap * sizeof *p);
    if (!p) {
        fprintf(stderr, "big: out of memory\n");
        exit(70);
    }
    x->d = p;
    x->cap = cap;
}

void big_free(big *x)
{
    free(x->d);
    *x = (big)BIG_ZERO;
}

void big_copy(big *r, const big *a)
{
    if (r == a)
        return;
    big_reserve(r, a->n);
    if (a->n)
        memcpy(r->d, a->d, a->n * sizeof *a->d);
    r->n = a->n;
    r->neg = a->neg;
}

void big_swap(big *a, big *b)
{
    big t = *a;
    *a = *b;
    *b = t;
}

void big_trim(big *x)
{
    while (x->n && x->d[x->n - 1] == 0)
        x->n--;
    if (x->n == 0)
        x->neg = false;
}

void big_set(big *r, int64_t v)
{
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    big_reserve(r, 2);
    r->d[0] = (limb)u;
    r->d[1] = (limb)(u >> 32);
    r->n = 2;
    r->neg = v < 0;
    big_trim(r);
}

bool big_to_u64(const big *a, uint64_t *v)
{
    if (a->neg || a->n > 2)
        return false;
    *v = 0;
    for (size_t i = a->n; i-- > 0;)
        *v = *v << 32 | a->d[i];
    return true;
}

size_t big_bits(const big *a)
{
    if (a->n == 0)
        return 0;
    size_t bits = (a->n - 1) * 32;
    for (limb top = a->d[a->n - 1]; top; top >>= 1)
        bits++;
    return bits;
}

bool big_bit(const big *a, size_t i)
{
    return i / 32 < a->n && (a->d[i / 32] >> i % 32 & 1);
}

int big_cmp_abs(const big *a, const big *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (size_t i = a->n; i-- > 0;)
        if (a->d[i] != b->d[i])
            return a->d[i] < b->d[i] ? -1 : 1;
    return 0;
}

int big_cmp(const big *a, const big *b)
{
    if (a->neg != b->neg)
        return a->neg ? -1 : 1;
    return a->neg ? big_cmp_abs(b, a) : big_cmp_abs(a, b);
}

static void add_abs(big *r, const big *a, const big *b)
{
    if (a->n < b->n) {
        const big *t = a;
        a = b;
        b = t;
    }
    size_t na = a->n, nb = b->n;
    uint64_t carry = 0;
    big_reserve(r, na + 1);     /* may move r->d, and with it a->d or b->d */
    for (size_t i = 0; i < na; i++) {
        carry += (uint64_t)a->d[i] + (i < nb ? b->d[i] : 0);
        r->d[i] = (limb)carry;
        carry >>= 32;
    }
    r->d[na] = (limb)carry;
    r->n = na + 1;
}

/* |a| >= |b| */
static void sub_abs(big *r, const big *a, const big *b)
{
    size_t na = a->n, nb = b->n;
    uint64_t borrow = 0;
    big_reserve(r, na);
    for (size_t i = 0; i < na; i++) {
        uint64_t v = (uint64_t)a->d[i] - (i < nb ? b->d[i] : 0) - borrow;
        r->d[i] = (limb)v;
        borrow = v >> 63;
    }
    r->n = na;
}

static void add_signed(big *r, const big *a, const big *b, bool bneg)
{
    bool aneg = a->neg;
    if (aneg == bneg) {
        add_abs(r, a, b);
        r->neg = aneg;
    } else if (big_cmp_abs(a, b) >= 0) {
        sub_abs(r, a, b);
        r->neg = aneg;
    } else {
        sub_abs(r, b, a);
        r->neg = bneg;
    }
    big_trim(r);
}

void big_add(big *r, const big *a, const big *b) { add_signed(r, a, b, b->neg); }
void big_sub(big *r, const big *a, const big *b) { add_signed(r, a, b, !b->neg); }

void big_shl(big *r, const big *a, size_t bits)
{
    size_t words = bits / 32, n = a->n;
    unsigned part = bits % 32;
    bool neg = a->neg;
    if (n == 0) {
        big_set(r, 0);
        return;
    }
    big_reserve(r, n + words + 1);
    const limb *s = a->d;
    limb high = part ? s[n - 1] >> (32 - part) : 0;
    for (size_t i = n; i-- > 0;) {      /* downwards, as r may be a */
        limb low = part && i ? s[i - 1] >> (32 - part) : 0;
        r->d[i + words] = s[i] << part | low;
    }
    memset(r->d, 0, words * sizeof *r->d);
    r->d[n + words] = high;
    r->n = n + words + 1;
    r->neg = neg;
    big_trim(r);
}

void big_shr(big *r, const big *a, size_t bits)
{
    size_t words = bits / 32;
    unsigned part = bits % 32;
    if (words >= a->n) {
        big_set(r, 0);
        return;
    }
    size_t n = a->n - words;
    bool neg = a->neg;
    big_reserve(r, n);
    const limb *s = a->d + words;
    for (size_t i = 0; i < n; i++) {
        limb up = part && i + 1 < n ? s[i + 1] << (32 - part) : 0;
        r->d[i] = s[i] >> part | up;
    }
    r->n = n;
    r->neg = neg;
    big_trim(r);
}

limb big_div_small(big *r, const big *a, limb d)
{
    size_t n = a->n;
    uint64_t rem = 0;
    bool neg = a->neg;
    big_reserve(r, n);
    for (size_t i = n; i-- > 0;) {
        rem = rem << 32 | a->d[i];
        r->d[i] = (limb)(rem / d);
        rem %= d;
    }
    r->n = n;
    r->neg = neg;
    big_trim(r);
    return (limb)rem;
}

void big_mul_small(big *r, const big *a, limb m, limb add)
{
    size_t n = a->n;
    uint64_t carry = add;
    bool neg = a->neg;
    big_reserve(r, n + 1);
    for (size_t i = 0; i < n; i++) {
        carry += (uint64_t)a->d[i] * m;
        r->d[i] = (limb)carry;
        carry >>= 32;
    }
    r->d[n] = (limb)carry;
    r->n = n + 1;
    r->neg = neg;
    big_trim(r);
}
