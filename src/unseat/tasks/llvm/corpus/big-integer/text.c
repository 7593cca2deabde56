/* text.c - decimal text and an evaluator of expressions:
 *   sum: product {(+|-) product}     product: power {(*|/|%) power}
 *   power: unary [^ power]           unary: [-] primary {!}
 *   primary: number | name(sum, ...) | (sum)
 * SPDX-License-Identifier: Apache-2.0 */
#include "big.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1000000000, CHUNK_DIGITS = 9 };

bool big_parse(big *r, const char *s, size_t n)
{
    big_set(r, 0);
    for (size_t i = 0; i < n; i++) {
        if (!isdigit((unsigned char)s[i]))
            return false;
        big_mul_small(r, r, 10, (limb)(s[i] - '0'));
    }
    return n > 0;
}

char *big_format(const big *a)
{
    size_t room = a->n * 10 + 3;
    char *buf = malloc(room), *p;
    big t = BIG_ZERO;
    if (!buf)
        exit(70);
    p = buf + room;
    *--p = '\0';
    big_copy(&t, a);
    do {
        limb part = big_div_small(&t, &t, CHUNK);
        for (int i = 0; i < CHUNK_DIGITS; i++, part /= 10) {
            if (t.n == 0 && part == 0 && i > 0)
                break;
            *--p = (char)('0' + part % 10);
        }
    } while (t.n);
    if (a->neg)
        *--p = '-';
    memmove(buf, p, (size_t)(buf + room - p));
    big_free(&t);
    return buf;
}

/* ---- evaluator ---- */

typedef struct {
    const char *p;
    const char *error;          /* the first one; parsing then runs dry */
} parser;

enum { MAX_ARGS = 3 };

static void fail(parser *ps, const char *why)
{
    if (!ps->error)
        ps->error = why;
    ps->p = "";
}

static void skip_space(parser *ps)
{
    while (*ps->p == ' ')
        ps->p++;
}

static bool accept(parser *ps, char c)
{
    skip_space(ps);
    if (*ps->p != c)
        return false;
    ps->p++;
    return true;
}

static void parse_sum(parser *ps, big *r);

static bool small_value(parser *ps, const big *a, unsigned limit, unsigned *v)
{
    uint64_t u;
    if (!big_to_u64(a, &u) || u > limit) {
        fail(ps, "argument out of range");
        return false;
    }
    *v = (unsigned)u;
    return true;
}

static void fn_gcd(parser *ps, big *r, big *a)
{
    (void)ps;
    big_gcd(r, &a[0], &a[1]);
}

static void fn_sqrt(parser *ps, big *r, big *a)
{
    if (a[0].neg)
        fail(ps, "root of a negative number");
    else
        big_sqrt(r, &a[0]);
}

static void fn_fib(parser *ps, big *r, big *a)
{
    unsigned n;
    if (small_value(ps, &a[0], 20000, &n))
        big_fibonacci(r, n);
}

static void fn_inv(parser *ps, big *r, big *a)
{
    if (a[1].neg || big_is_zero(&a[1]) || !big_inverse(r, &a[0], &a[1]))
        fail(ps, "no inverse");
}

static void fn_powmod(parser *ps, big *r, big *a)
{
    if (a[1].neg || a[2].neg || big_is_zero(&a[2]))
        fail(ps, "bad power");
    else
        big_powmod(r, &a[0], &a[1], &a[2]);
}

static void fn_prime(parser *ps, big *r, big *a)
{
    (void)ps;
    big_set(r, big_probably_prime(&a[0]));
}

static void fn_bits(parser *ps, big *r, big *a)
{
    (void)ps;
    big_set(r, (int64_t)big_bits(&a[0]));
}

static const struct function {
    const char *name;
    int args;
    void (*call)(parser *, big *r, big *args);
} functions[] = {
    { "gcd", 2, fn_gcd },   { "sqrt", 1, fn_sqrt },     { "fib", 1, fn_fib },
    { "inv", 2, fn_inv },   { "powmod", 3, fn_powmod }, { "prime", 1, fn_prime },
    { "bits", 1, fn_bits },
};

static const struct function *find_function(const char *s, size_t n)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (strlen(functions[i].name) == n && memcmp(functions[i].name, s, n) == 0)
            return &functions[i];
    return NULL;
}

static void parse_call(parser *ps, big *r)
{
    const char *start = ps->p;
    big args[MAX_ARGS] = { BIG_ZERO, BIG_ZERO, BIG_ZERO };
    while (isalpha((unsigned char)*ps->p))
        ps->p++;
    const struct function *f = find_function(start, (size_t)(ps->p - start));
    if (!f) {
        fail(ps, "unknown function");
        return;
    }
    for (int i = 0; i < f->args; i++) {
        if (!accept(ps, i ? ',' : '('))
            fail(ps, i ? "',' expected" : "'(' expected");
        parse_sum(ps, &args[i]);
    }
    if (!accept(ps, ')'))
        fail(ps, "')' expected");
    if (!ps->error)
        f->call(ps, r, args);
    for (int i = 0; i < MAX_ARGS; i++)
        big_free(&args[i]);
}

static void parse_primary(parser *ps, big *r)
{
    skip_space(ps);
    const char *start = ps->p;
    if (isdigit((unsigned char)*start)) {
        while (isdigit((unsigned char)*ps->p))
            ps->p++;
        big_parse(r, start, (size_t)(ps->p - start));
    } else if (isalpha((unsigned char)*start)) {
        parse_call(ps, r);
    } else if (accept(ps, '(')) {
        parse_sum(ps, r);
        if (!accept(ps, ')'))
            fail(ps, "')' expected");
    } else {
        fail(ps, "operand expected");
    }
}

static void parse_unary(parser *ps, big *r)
{
    unsigned n;
    if (accept(ps, '-')) {
        parse_unary(ps, r);
        r->neg = !r->neg && r->n;
        return;
    }
    parse_primary(ps, r);
    while (accept(ps, '!'))
        if (small_value(ps, r, 3000, &n))
            big_factorial(r, n);
}

static void parse_power(parser *ps, big *r)
{
    unsigned e;
    parse_unary(ps, r);
    if (!accept(ps, '^'))
        return;
    big t = BIG_ZERO;
    parse_power(ps, &t);
    if (small_value(ps, &t, 20000, &e) && big_bits(r) * e < 200000)
        big_pow(r, r, e);
    else
        fail(ps, "power too large");
    big_free(&t);
}

static void parse_product(parser *ps, big *r)
{
    big t = BIG_ZERO;
    parse_power(ps, r);
    for (;;) {
        char op = accept(ps, '*') ? '*' : accept(ps, '/') ? '/' : accept(ps, '%') ? '%' : 0;
        if (!op)
            break;
        parse_power(ps, &t);
        if (op == '*')
            big_mul(r, r, &t);
        else if (!big_divmod(op == '/' ? r : NULL, op == '%' ? r : NULL, r, &t))
            fail(ps, "division by zero");
    }
    big_free(&t);
}

static void parse_sum(parser *ps, big *r)
{
    big t = BIG_ZERO;
    parse_product(ps, r);
    for (;;) {
        if (accept(ps, '+')) {
            parse_product(ps, &t);
            big_add(r, r, &t);
        } else if (accept(ps, '-')) {
            parse_product(ps, &t);
            big_sub(r, r, &t);
        } else {
            break;
        }
    }
    big_free(&t);
}

const char *big_eval(big *r, const char *line)
{
    parser ps = { line, NULL };
    parse_sum(&ps, r);
    skip_space(&ps);
    if (*ps.p)
        fail(&ps, "unexpected text");
    return ps.error;
}
