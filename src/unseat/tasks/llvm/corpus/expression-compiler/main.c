/* main.c - driver: compiles with every set of options, compares all engines. */
#include "xc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static program prog;
static unit units[MAX_FUNCS];

static const options levels[] = {
    { 0, 0, 0, 0 }, { 1, 0, 0, 0 }, { 1, 1, 0, 0 }, { 1, 1, 1, 0 }, { 1, 1, 1, 1 },
};
enum { LEVELS = sizeof levels / sizeof *levels };

static int compile_all(options opt)
{
    int size = 0;
    for (int f = 0; f < prog.nfuncs; f++) {
        lower(&prog, f, &units[f], opt);
        allocate_registers(&units[f]);
        if (units[f].overflow) {
            printf("function %s is too large\n", prog.func[f].name);
            exit(1);
        }
        size += units[f].n;
    }
    return size;
}

static const char source[] =
    "fn fib(n) = if n < 2 then n else fib(n - 1) + fib(n - 2)\n"
    "fn gcd(a, b) = if b == 0 then a else gcd(b, a % b)\n"
    "fn pow(b, e, m) = if e == 0 then 1 % m else let h = pow(b, e / 2, m) in"
    "  if e % 2 == 1 then h * h % m * b % m else h * h % m\n"
    "fn sum(i, n, acc) = if i > n then acc else sum(i + 1, n, acc + i * i - i * i / 3)\n"
    "fn collatz(n, k) = if n == 1 then k else if n % 2 == 0 then collatz(n / 2, k + 1)"
    "  else collatz(3 * n + 1, k + 1)\n"
    "fn divides(n, d) = if d * d > n then 1 else if n % d == 0 then 0 else divides(n, d + 1)\n"
    "fn primes(i, n, c) = if i > n then c else primes(i + 1, n, c + (i > 1 && divides(i, 2)))\n"
    "fn ack(m, n) = if m == 0 then n + 1 else if n == 0 then ack(m - 1, 1)"
    "  else ack(m - 1, ack(m, n - 1))\n"
    "fn poly(x, y) = let a = x * x + y * y in let b = x * x - y * y in let c = (x + y) * (x + y) in"
    "  let d = x * y + 0 in let e = a * b + c * d in let f = a * c - b * d in"
    "  let g = (a + b) * (c + d) in (a * e + b * f + c * g - d * e) % (e * e + f * f + 1)"
    "  + (2 * 3 - 6) * y + a * (b + c) / (d * d + 1) - - g\n"
    "fn choose(n, k) = if k == 0 || k == n then 1 else choose(n - 1, k - 1) + choose(n - 1, k)\n";

static const struct { const char *name; int64_t args[3]; } runs[] = {
    { "fib", { 17 } }, { "gcd", { 1071 * 9, 462 * 9 } }, { "pow", { 7, 1000003, 998244353 } },
    { "sum", { 1, 3000, 0 } }, { "collatz", { 6171, 0 } }, { "primes", { 1, 600, 0 } },
    { "ack", { 2, 9 } }, { "poly", { 123457, -9876 } }, { "choose", { 13, 6 } },
};
enum { RUNS = sizeof runs / sizeof *runs };

static void fixed_programs(void)
{
    int64_t expected[RUNS];
    uint64_t steps = 0;
    if (!parse_program(&prog, source)) {
        printf("error: %s\n", prog.error);
        exit(1);
    }
    for (int i = 0; i < RUNS; i++) {
        expected[i] = interpret(&prog, find_func(&prog, runs[i].name), runs[i].args, &steps);
        printf("%-8s = %lld\n", runs[i].name, (long long)expected[i]);
    }
    printf("interpreter: %llu steps\n", (unsigned long long)steps);
    for (int k = 0; k < LEVELS; k++) {
        machine_stats st = { 0 };
        int size = compile_all(levels[k]), wrong = 0;
        for (int i = 0; i < RUNS; i++)
            wrong += machine_run(units, find_func(&prog, runs[i].name), runs[i].args, &st)
                     != expected[i];
        printf("level %d: size %d, executed %llu, loads %llu, stores %llu, calls %llu, wrong %d\n",
               k, size, (unsigned long long)st.executed, (unsigned long long)st.loads,
               (unsigned long long)st.stores, (unsigned long long)st.calls, wrong);
    }
    print_unit(&units[find_func(&prog, "gcd")], "gcd");
}

static void bad_programs(void)
{
    static const char *const bad[] = {
        "fn f(x) = y", "fn f(x = 1", "fn f() = g()", "fn f(a) = f()", "fn f() = 1 +",
        "fn f() = if 1 then 2", "fn f() = let 3 = 4 in 5", "fn f() = 1 fn f() = 2", "f() = 1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        printf("bad %zu: %s\n", i, parse_program(&prog, bad[i]) ? "accepted" : prog.error);
}

static uint32_t state = 1;

static int roll(int n)
{
    state = state * 1103515245u + 12345u;
    return (int)((state >> 16) % (uint32_t)n);
}

/* Random expression over the parameters and enclosing lets v0 .. v(vars-1). */
static char *random_expr(char *w, int depth, int vars)
{
    static const char *const ops[] = { "+", "-", "*", "/", "%", "==", "<", ">=", "&&", "||" };
    switch (depth > 0 ? roll(7) : roll(2)) {
    case 0: return w + sprintf(w, "%d", roll(9));
    case 1: return w + sprintf(w, "v%d", roll(vars));
    case 2:
        w += sprintf(w, "(if ");
        w = random_expr(w, depth - 1, vars);
        w += sprintf(w, " then ");
        w = random_expr(w, depth - 1, vars);
        w += sprintf(w, " else ");
        w = random_expr(w, depth - 1, vars);
        return w + sprintf(w, ")");
    case 3:
        w += sprintf(w, "(let v%d = ", vars);
        w = random_expr(w, depth - 1, vars);
        w += sprintf(w, " in ");
        w = random_expr(w, depth - 1, vars + 1);
        return w + sprintf(w, ")");
    case 4:
        w += sprintf(w, "-");
        return random_expr(w, depth - 1, vars);
    default:
        w += sprintf(w, "(");
        w = random_expr(w, depth - 1, vars);
        w += sprintf(w, " %s ", ops[roll(10)]);
        w = random_expr(w, depth - 1, vars);
        return w + sprintf(w, ")");
    }
}

static void random_programs(int rounds)
{
    static char text[1 << 16];
    int wrong = 0, spills = 0, rejected = 0;
    uint64_t sum = 0, steps = 0;
    machine_stats st = { 0 };
    long total_size[LEVELS] = { 0 };
    for (int r = 0; r < rounds; r++) {
        char *w = text + sprintf(text, "fn f(v0, v1, v2) = ");
        random_expr(w, 6, 3);
        if (!parse_program(&prog, text)) {
            rejected++;
            continue;
        }
        int64_t args[8][3], expected[8];
        for (int i = 0; i < 8; i++) {
            for (int k = 0; k < 3; k++)
                args[i][k] = roll(200) - 100;
            expected[i] = interpret(&prog, 0, args[i], &steps);
            sum = sum * 37 + (uint64_t)expected[i];
        }
        for (int k = 0; k < LEVELS; k++) {
            total_size[k] += compile_all(levels[k]);
            spills += units[0].nspills;
            for (int i = 0; i < 8; i++)
                wrong += machine_run(units, 0, args[i], &st) != expected[i];
        }
    }
    printf("random: %d programs, %d rejected, %d spills, %d wrong, sum %016llx\n", rounds, rejected,
           spills, wrong, (unsigned long long)sum);
    printf("random: sizes %ld %ld %ld %ld %ld, executed %llu, loads %llu\n", total_size[0],
           total_size[1], total_size[2], total_size[3], total_size[4],
           (unsigned long long)st.executed, (unsigned long long)st.loads);
}

int main(void)
{
    fixed_programs();
    bad_programs();
    random_programs(400);
    return 0;
}
