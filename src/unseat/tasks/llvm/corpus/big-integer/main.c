/* main.c - driver: a calculator on standard input, identities on random
 * numbers, prime searches and digits of pi.
 * SPDX-License-Identifier: Apache-2.0 */
#include "big.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t weyl, square = 0xb5ad4eceda1ce2a9u;

static uint32_t rnd(void)       /* middle square with a Weyl sequence */
{
    square *= square;
    square += weyl += 0xb5ad4eceda1ce2a9u;
    square = square >> 32 | square << 32;
    return (uint32_t)square;
}

static void random_big(big *r, size_t limbs)
{
    big_reserve(r, limbs ? limbs : 1);
    r->n = limbs;
    for (size_t i = 0; i < limbs; i++) {
        uint32_t kind = rnd() % 8;      /* long runs provoke carries */
        r->d[i] = kind == 0 ? 0 : kind == 1 ? 0xffffffffu : rnd();
    }
    r->neg = rnd() & 1;
    big_trim(r);
}

/* Long numbers are shown by their ends and a digest. */
static void print_big(const big *a)
{
    char *s = big_format(a);
    size_t n = strlen(s);
    if (n <= 60) {
        puts(s);
    } else {
        uint32_t h = 0;
        for (size_t i = 0; i < n; i++)
            h = h * 31 + (unsigned char)s[i];
        printf("%.20s...%s (%lu characters, digest %08lx)\n", s, s + n - 20,
               (unsigned long)n, (unsigned long)h);
    }
    free(s);
}

static void calculator(void)
{
    char line[512];
    big r = BIG_ZERO;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (!line[0])
            continue;
        const char *err = big_eval(&r, line);
        printf("%s = ", line);
        if (err)
            printf("error: %s\n", err);
        else
            print_big(&r);
    }
    big_free(&r);
}

/* Every trial makes its numbers, checks one identity and says how it went. */
typedef struct {
    big a, b, c, x, y, z;
} scratch;

static bool id_ring(scratch *s)         /* (a + b) c = a c + b c */
{
    big_add(&s->x, &s->a, &s->b);
    big_mul(&s->x, &s->x, &s->c);
    big_mul(&s->y, &s->a, &s->c);
    big_mul(&s->z, &s->b, &s->c);
    big_add(&s->y, &s->y, &s->z);
    return big_cmp(&s->x, &s->y) == 0;
}

static bool id_karatsuba(scratch *s)
{
    big_mul(&s->x, &s->a, &s->b);
    big_mul_school(&s->y, &s->b, &s->a);
    return big_cmp(&s->x, &s->y) == 0;
}

static bool id_division(scratch *s)     /* a = q b + r, |r| < |b| */
{
    if (!big_divmod(&s->x, &s->y, &s->a, &s->b))
        return big_is_zero(&s->b);
    big_mul(&s->z, &s->x, &s->b);
    big_add(&s->z, &s->z, &s->y);
    return big_cmp(&s->z, &s->a) == 0 && big_cmp_abs(&s->y, &s->b) < 0 &&
           (big_is_zero(&s->y) || s->y.neg == s->a.neg);
}

static bool id_square_root(scratch *s)
{
    s->a.neg = false;
    big_sqrt(&s->x, &s->a);
    big_mul(&s->y, &s->x, &s->x);
    big_set(&s->z, 1);
    big_add(&s->x, &s->x, &s->z);
    big_mul(&s->z, &s->x, &s->x);
    return big_cmp(&s->y, &s->a) <= 0 && big_cmp(&s->z, &s->a) > 0;
}

static bool id_text(scratch *s)
{
    char *t = big_format(&s->a);
    bool neg = t[0] == '-';
    bool ok = big_parse(&s->x, t + neg, strlen(t) - neg);
    s->x.neg = neg;
    free(t);
    return ok && big_cmp(&s->x, &s->a) == 0;
}

static bool id_shift(scratch *s)        /* shifting is multiplying by 2^k */
{
    unsigned k = rnd() % 200;
    big_set(&s->y, 2);
    big_pow(&s->y, &s->y, k);
    big_mul(&s->y, &s->y, &s->a);
    big_shl(&s->x, &s->a, k);
    if (big_cmp(&s->x, &s->y) != 0)
        return false;
    big_shr(&s->x, &s->x, k);
    return big_cmp(&s->x, &s->a) == 0;
}

static bool id_inverse(scratch *s)      /* a * a^-1 = 1 modulo b, or gcd > 1 */
{
    big_set(&s->z, 1);
    s->b.neg = false;
    if (big_cmp(&s->b, &s->z) <= 0)
        return true;
    big_gcd(&s->y, &s->a, &s->b);
    if (!big_inverse(&s->x, &s->a, &s->b))
        return big_cmp(&s->y, &s->z) != 0;
    big_mul(&s->x, &s->x, &s->a);
    big_sub(&s->x, &s->x, &s->z);
    big_divmod(NULL, &s->x, &s->x, &s->b);
    return big_is_zero(&s->x) && big_cmp(&s->y, &s->z) == 0;
}

static const struct {
    const char *name;
    bool (*holds)(scratch *);
    unsigned limbs, rounds;
} identities[] = {
    { "ring", id_ring, 40, 200 },           { "karatsuba", id_karatsuba, 220, 60 },
    { "division", id_division, 50, 400 },   { "square root", id_square_root, 20, 100 },
    { "text", id_text, 60, 100 },           { "shift", id_shift, 20, 200 },
    { "inverse", id_inverse, 8, 100 },
};

static int check_identities(void)
{
    scratch s = { BIG_ZERO, BIG_ZERO, BIG_ZERO, BIG_ZERO, BIG_ZERO, BIG_ZERO };
    int failures = 0;
    for (size_t i = 0; i < sizeof identities / sizeof identities[0]; i++) {
        unsigned good = 0;
        for (unsigned r = 0; r < identities[i].rounds; r++) {
            random_big(&s.a, rnd() % identities[i].limbs);
            random_big(&s.b, rnd() % identities[i].limbs);
            random_big(&s.c, rnd() % identities[i].limbs);
            good += identities[i].holds(&s);
        }
        printf("%s: %u of %u\n", identities[i].name, good, identities[i].rounds);
        failures += good != identities[i].rounds;
    }
    big *all[] = { &s.a, &s.b, &s.c, &s.x, &s.y, &s.z };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        big_free(all[i]);
    return failures;
}

static void mersenne(unsigned limit)
{
    big m = BIG_ZERO, one = BIG_ZERO;
    big_set(&one, 1);
    printf("Mersenne exponents:");
    for (unsigned p = 2; p <= limit; p++) {
        big_set(&m, p);
        if (!big_probably_prime(&m))
            continue;
        big_shl(&m, &one, p);
        big_sub(&m, &m, &one);
        if (big_probably_prime(&m))
            printf(" %u", p);
    }
    printf("\n");
    big_free(&m);
    big_free(&one);
}

/* unity * arctan(1 / x) */
static void arctan_inverse(big *sum, const big *unity, limb x)
{
    big power = BIG_ZERO, term = BIG_ZERO;
    big_div_small(&power, unity, x);
    big_copy(sum, &power);
    for (limb n = 3; !big_is_zero(&power); n += 2) {
        big_div_small(&power, &power, x * x);
        big_div_small(&term, &power, n);
        (n & 2 ? big_sub : big_add)(sum, sum, &term);
    }
    big_free(&power);
    big_free(&term);
}

static void digits_of_pi(unsigned digits)       /* Machin's formula */
{
    big unity = BIG_ZERO, a = BIG_ZERO, b = BIG_ZERO;
    big_set(&unity, 10);
    big_pow(&unity, &unity, digits + 10);
    arctan_inverse(&a, &unity, 5);
    arctan_inverse(&b, &unity, 239);
    big_mul_small(&a, &a, 16, 0);
    big_mul_small(&b, &b, 4, 0);
    big_sub(&a, &a, &b);
    for (int i = 0; i < 10; i++)
        big_div_small(&a, &a, 10);
    char *s = big_format(&a);
    printf("pi: %.1s.%.50s\n    ... %s\n", s, s + 1, s + strlen(s) - 50);
    free(s);
    big_free(&unity);
    big_free(&a);
    big_free(&b);
}

int main(void)
{
    calculator();
    int failures = check_identities();
    mersenne(320);
    digits_of_pi(1000);
    printf("%d failures\n", failures);
    return failures != 0;
}
