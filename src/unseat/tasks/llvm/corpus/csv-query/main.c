/* main.c - driver: queries on stdin's table and on a large generated one. */
#include "csvq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_row(void *user, const Value *v, int n)
{
    (void)user;
    for (int i = 0; i < n; i++) {
        const char *sep = i ? " | " : "  ";
        if (v[i].kind == V_INT)
            printf("%s%lld", sep, v[i].num);
        else
            printf("%s%s", sep, v[i].kind == V_NULL ? "-" : v[i].text);
    }
    putchar('\n');
}

static void hash_row(void *user, const Value *v, int n)
{
    unsigned *h = user;
    for (int i = 0; i < n; i++)
        *h = *h * 1000003u + value_hash(v[i]);
}

static void ask(const Table *t, const char *text, bool digest)
{
    Query q;
    unsigned h = 0;
    printf("> %s\n", text);
    if (query_parse(&q, t, text) != 0) {
        printf("  error: %s\n", q.err);
    } else {
        int n = query_run(&q, t, digest ? hash_row : print_row, &h);
        if (digest)
            printf("  %d rows, hash %08x\n", n, h);
    }
    query_free(&q);
}

static char *read_stdin(size_t *len)
{
    size_t cap = 4096, n = 0, got;
    char *buf = malloc(cap);
    while (buf && (got = fread(buf + n, 1, cap - n, stdin)) > 0)
        if ((n += got) == cap)
            buf = realloc(buf, cap *= 2);
    if (!buf)
        abort();
    *len = n;
    return buf;
}

static unsigned next_random(unsigned *s)
{
    *s = *s * 1664525u + 1013904223u;
    return *s >> 8;
}

static char *generate(int rows, size_t *len)
{
    static const char *const cities[] = { "Oslo", "Lima", "Rome", "\"New York, NY\"", "Bonn", "" };
    unsigned s = 99;
    char *csv = malloc((size_t)rows * 64 + 64), *w = csv;
    if (!csv)
        abort();
    w += sprintf(w, "id,city,age,score,tag\n");
    for (int i = 1; i <= rows; i++) {
        const char *city = cities[next_random(&s) % 6];
        unsigned age = 18 + next_random(&s) % 60;
        int score = (int)(next_random(&s) % 2000) - 1000;
        unsigned tag = next_random(&s) % 300;
        w += sprintf(w, "%d,%s,%u,%d,t%u\n", i, city, age, score, tag);
    }
    *len = (size_t)(w - csv);
    return csv;
}

static void bad_tables(void)
{
    static const char *const bad[] = { "", "a,b\n1\n", "a\n\"x\n", "a\n\"x\"y\n", "a,b\n1,2,3\n" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Table t;
        char err[80];
        if (table_parse(&t, bad[i], strlen(bad[i]), err) == 0) {
            printf("bad table %zu accepted\n", i);
            table_free(&t);
        } else {
            printf("bad table %zu: %s\n", i, err);
        }
    }
}

int main(void)
{
    static const char *const small[] = {
        "select name, dept, salary where salary >= 5000 and not dept = 'Sales' order by salary desc",
        "select dept, count(*), sum(salary), sum(salary) / count(salary), max(age) group by dept order by 2 desc, 1",
        "select name, note where note like '%quo%' or name like 'o_%' order by name",
        "select name, salary where salary is null or age is not null and age % 10 = 0 order by age, name",
        "select count(*), count(salary), min(name), max(age) - min(age)",
        "select count(*), sum(age) where age > 500",
        "select age / 10 * 10, count(*) group by age / 10 having count(*) > 1 order by 1",
        "select name, -abs(3 - age / 10) + length(name) * 2 order by 2 desc, name limit 4",
        "select name where salary < 0 or salary > 1 = 1 order by 1 limit 3",
        "select nope", "select name where", "select foo(1)", "select name where count(*) > 1",
        "select name order by 7", "select 'abc", "select name limit x", "select name extra",
        "select (name", "select 99999999999999999999",
    };
    static const char *const large[] = {
        "select id, city, score where city like '%n%' and score > 900 order by score desc, id",
        "select city, age, count(*), sum(score), min(score), max(id) group by city, age order by city, age",
        "select tag, count(city), sum(score * score) group by tag having sum(score) > 0 order by 3 desc, tag",
        "select id where city is null and (age < 20 or age > 75) order by age desc, score, id",
        "select city, length(city), sum(abs(score)) group by city order by 1 desc",
        "select id % 7, score % 10, count(*) group by id % 7, score % 10 order by 3, 1, 2 limit 20",
    };
    Table t;
    char err[80];
    size_t len;
    char *csv = read_stdin(&len);
    if (table_parse(&t, csv, len, err) != 0) {
        printf("error: %s\n", err);
        free(csv);
        return 1;
    }
    printf("%d columns, %d rows\n", t.ncols, t.nrows);
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        ask(&t, small[i], false);
    table_free(&t);
    free(csv);

    bad_tables();

    csv = generate(9000, &len);
    if (table_parse(&t, csv, len, err) == 0) {
        for (size_t i = 0; i < sizeof large / sizeof *large; i++)
            ask(&t, large[i], true);
        ask(&t, "select city, count(*), sum(score) group by city order by city", false);
        table_free(&t);
    }
    free(csv);
    return 0;
}
