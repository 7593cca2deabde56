/* number.c - number theory on big integers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "big.h"

void big_pow(big *r, const big *a, unsigned e)
{
    big base = BIG_ZERO, acc = BIG_ZERO;
    big_copy(&base, a);
    big_set(&acc, 1);
    for (; e; e >>= 1) {
        if (e & 1)
            big_mul(&acc, &acc, &base);
        if (e > 1)
            big_mul(&base, &base, &base);
    }
    big_swap(r, &acc);
    big_free(&base);
    big_free(&acc);
}

/* Newton's iteration from above. */
void big_sqrt(big *r, const big *a)
{
    big x = BIG_ZERO, y = BIG_ZERO;
    big_set(&x, 1);
    big_shl(&x, &x, (big_bits(a) + 1) / 2);
    if (big_is_zero(a))
        big_set(&x, 0);
    while (!big_is_zero(&x)) {
        big_divmod(&y, NULL, a, &x);
        big_add(&y, &y, &x);
        big_shr(&y, &y, 1);
        if (big_cmp(&y, &x) >= 0)
            break;
        big_swap(&x, &y);
    }
    big_swap(r, &x);
    big_free(&x);
    big_free(&y);
}

void big_gcd(big *r, const big *a, const big *b)
{
    big x = BIG_ZERO, y = BIG_ZERO;
    big_copy(&x, a);
    big_copy(&y, b);
    x.neg = y.neg = false;
    while (!big_is_zero(&y)) {
        big_divmod(NULL, &x, &x, &y);
        big_swap(&x, &y);
    }
    big_swap(r, &x);
    big_free(&x);
    big_free(&y);
}

static void mod_positive(big *r, const big *a, const big *m)
{
    big_divmod(NULL, r, a, m);
    if (r->neg)
        big_add(r, r, m);
}

bool big_inverse(big *r, const big *a, const big *m)
{
    big r0 = BIG_ZERO, r1 = BIG_ZERO, t0 = BIG_ZERO, t1 = BIG_ZERO;
    big q = BIG_ZERO, p = BIG_ZERO, one = BIG_ZERO;
    big_copy(&r0, m);
    mod_positive(&r1, a, m);
    big_set(&t1, 1);
    big_set(&one, 1);
    while (!big_is_zero(&r1)) {
        big_divmod(&q, &r0, &r0, &r1);
        big_swap(&r0, &r1);
        big_mul(&p, &q, &t1);
        big_sub(&t0, &t0, &p);
        big_swap(&t0, &t1);
    }
    bool ok = big_cmp(&r0, &one) == 0;
    if (ok)
        mod_positive(r, &t0, m);
    big *all[] = { &r0, &r1, &t0, &t1, &q, &p, &one };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        big_free(all[i]);
    return ok;
}

/* ---- Montgomery multiplication, for odd moduli ---- */

typedef struct {
    const big *m;
    limb inv;           /* -1 / m modulo 2^32 */
    big rr;             /* R^2 modulo m, R = 2^(32 n) */
} mont;

static void mont_init(mont *c, const big *m)
{
    limb x = 1;
    for (int i = 0; i < 5; i++)         /* doubles the correct bits */
        x *= 2 - m->d[0] * x;
    c->m = m;
    c->inv = 0 - x;
    c->rr = (big)BIG_ZERO;
    big_set(&c->rr, 1);
    big_shl(&c->rr, &c->rr, 64 * m->n);
    big_divmod(NULL, &c->rr, &c->rr, m);
}

static void mont_reduce(const mont *c, big *x)
{
    size_t n = c->m->n;
    big_reserve(x, 2 * n + 1);
    while (x->n < 2 * n + 1)
        x->d[x->n++] = 0;
    for (size_t i = 0; i < n; i++) {
        limb f = x->d[i] * c->inv;
        uint64_t carry = 0;
        for (size_t k = 0; k < n; k++) {
            carry += (uint64_t)f * c->m->d[k] + x->d[i + k];
            x->d[i + k] = (limb)carry;
            carry >>= 32;
        }
        for (size_t k = i + n; carry; k++) {
            carry += x->d[k];
            x->d[k] = (limb)carry;
            carry >>= 32;
        }
    }
    big_trim(x);
    big_shr(x, x, 32 * n);
    if (big_cmp_abs(x, c->m) >= 0)
        big_sub(x, x, c->m);
}

static void mont_mul(const mont *c, big *r, const big *a, const big *b)
{
    big_mul(r, a, b);
    mont_reduce(c, r);
}

static void powmod_odd(big *r, const big *a, const big *e, const big *m)
{
    mont c;
    big x = BIG_ZERO, acc = BIG_ZERO;
    mont_init(&c, m);
    mod_positive(&x, a, m);
    mont_mul(&c, &x, &x, &c.rr);
    big_copy(&acc, &c.rr);
    mont_reduce(&c, &acc);              /* one */
    for (size_t i = big_bits(e); i-- > 0;) {
        mont_mul(&c, &acc, &acc, &acc);
        if (big_bit(e, i))
            mont_mul(&c, &acc, &acc, &x);
    }
    mont_reduce(&c, &acc);
    big_swap(r, &acc);
    big_free(&x);
    big_free(&acc);
    big_free(&c.rr);
}

static void powmod_any(big *r, const big *a, const big *e, const big *m)
{
    big x = BIG_ZERO, acc = BIG_ZERO;
    mod_positive(&x, a, m);
    big_set(&acc, 1);
    big_divmod(NULL, &acc, &acc, m);
    for (size_t i = big_bits(e); i-- > 0;) {
        big_mul(&acc, &acc, &acc);
        if (big_bit(e, i))
            big_mul(&acc, &acc, &x);
        big_divmod(NULL, &acc, &acc, m);
    }
    big_swap(r, &acc);
    big_free(&x);
    big_free(&acc);
}

void big_powmod(big *r, const big *a, const big *e, const big *m)
{
    (big_is_odd(m) ? powmod_odd : powmod_any)(r, a, e, m);
}

/* Miller and Rabin with the first sixteen primes as bases. */
bool big_probably_prime(const big *a)
{
    static const limb small[] = { 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37,
                                  41, 43, 47, 53 };
    big q = BIG_ZERO, d = BIG_ZERO, x = BIG_ZERO, minus1 = BIG_ZERO, one = BIG_ZERO;
    bool prime = true, certain = a->neg || a->n == 0;
    size_t s = 0;

    for (size_t i = 0; !certain && i < sizeof small / sizeof small[0]; i++)
        if (big_div_small(&q, a, small[i]) == 0) {
            prime = a->n == 1 && a->d[0] == small[i];
            certain = true;
        }
    big_set(&one, 1);
    if (!certain && big_cmp(a, &one) == 0)
        certain = !(prime = false);
    if (certain) {
        big_free(&q);
        big_free(&one);
        return prime && !a->neg && a->n;
    }
    big_sub(&minus1, a, &one);
    while (!big_bit(&minus1, s))
        s++;
    big_shr(&d, &minus1, s);
    for (size_t i = 0; prime && i < sizeof small / sizeof small[0]; i++) {
        big_set(&x, small[i]);
        big_powmod(&x, &x, &d, a);
        prime = big_cmp(&x, &one) == 0;
        for (size_t k = 0; k < s && !prime; k++) {
            prime = big_cmp(&x, &minus1) == 0;
            big_mul(&x, &x, &x);
            big_divmod(NULL, &x, &x, a);
        }
    }
    big *all[] = { &q, &d, &x, &minus1, &one };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        big_free(all[i]);
    return prime;
}

/* Product of the numbers from a to b, by halves. */
static void product_range(big *r, unsigned a, unsigned b)
{
    if (b - a < 8) {
        big_set(r, a);
        while (a < b)
            big_mul_small(r, r, ++a, 0);
        return;
    }
    big right = BIG_ZERO;
    unsigned mid = a + (b - a) / 2;
    product_range(r, a, mid);
    product_range(&right, mid + 1, b);
    big_mul(r, r, &right);
    big_free(&right);
}

void big_factorial(big *r, unsigned n)
{
    product_range(r, 1, n ? n : 1);
}

/* F(2k) = F(k) (2 F(k+1) - F(k)),  F(2k+1) = F(k)^2 + F(k+1)^2 */
static void fib_pair(unsigned n, big *f0, big *f1)
{
    big a = BIG_ZERO, b = BIG_ZERO;
    if (n == 0) {
        big_set(f0, 0);
        big_set(f1, 1);
        return;
    }
    fib_pair(n / 2, &a, &b);
    big_shl(f0, &b, 1);
    big_sub(f0, f0, &a);
    big_mul(f0, f0, &a);
    big_mul(&a, &a, &a);
    big_mul(&b, &b, &b);
    big_add(f1, &a, &b);
    if (n % 2) {
        big_add(f0, f0, f1);
        big_swap(f0, f1);
    }
    big_free(&a);
    big_free(&b);
}

void big_fibonacci(big *r, unsigned n)
{
    big next = BIG_ZERO;
    fib_pair(n, r, &next);
    big_free(&next);
}
