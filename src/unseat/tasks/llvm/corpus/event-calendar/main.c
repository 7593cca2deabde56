/* main.c - date arithmetic over eight centuries, a tree test, and then the
 * commands on stdin.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cal.h"

#include <stdio.h>
#include <stdlib.h>

static void next_date(struct date *d)
{
    if (++d->day <= month_length(d->year, d->month))
        return;
    d->day = 1;
    if (++d->month <= 12)
        return;
    d->month = 1;
    d->year++;
}

/* Walks day by day and compares every conversion with the naive count. */
static void check_dates(void)
{
    struct date d = { 1600, 1, 1 };
    day_t n = date_to_day(d);
    long wrong = 0, days = 0, weeks53 = 0;
    uint32_t digest = 0;
    int weekday = SAT; /* 1600-01-01 */
    for (; d.year < 2400; days++, n++) {
        struct date back = date_from_day(n);
        int year, week;
        wrong += date_to_day(d) != n || back.year != d.year || back.month != d.month || back.day != d.day;
        wrong += (int)day_weekday(n) != weekday;
        day_iso_week(n, &year, &week);
        weeks53 += week == 53;
        digest = digest * 31u + (uint32_t)(year * 100 + week) + (uint32_t)day_of_year(n);
        weekday = (weekday + 1) % 7;
        next_date(&d);
    }
    printf("dates: %ld days, %ld wrong, %ld in weeks 53, digest %08lx\n", days, wrong, weeks53,
           (unsigned long)digest);
}

static void check_easter(void)
{
    int per_month[2] = { 0, 0 };
    long sum = 0, wrong = 0;
    day_t earliest = 0, latest = 0;
    for (int y = 1600; y < 2400; y++) {
        day_t e = easter_sunday(y);
        struct date d = date_from_day(e);
        int doy = (d.month - 3) * 31 + d.day;
        wrong += day_weekday(e) != SUN || d.month < 3 || d.month > 4;
        per_month[d.month == 4]++;
        sum += doy;
        if (y == 1600 || doy < earliest)
            earliest = doy;
        if (doy > latest)
            latest = doy;
    }
    printf("easter: %d in March, %d in April, from day %ld to %ld, sum %ld, %ld wrong\n", per_month[0],
           per_month[1], (long)earliest, (long)latest, sum, wrong);
}

static void count_span(const struct span *s, void *context)
{
    long *totals = context;
    totals[0]++;
    totals[1] += (long)s->from;
}

static void check_tree(void)
{
    enum { SPANS = 3000, QUERIES = 400 };
    static struct span pool[SPANS];
    struct span *root = NULL;
    uint32_t x = 2463534242u;
    long wrong = 0, hits = 0;
    for (int i = 0; i < SPANS; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        minute_t from = (minute_t)(x % 50000);
        pool[i] = (struct span){ .from = from, .to = from + 1 + (x >> 20) % 90, .event = i, .rank = x * 2654435761u };
        span_insert(&root, &pool[i]);
    }
    for (int i = 0; i < QUERIES; i++) {
        minute_t from = i * 125, to = from + 1 + i % 300;
        long totals[2] = { 0, 0 }, brute[2] = { 0, 0 };
        span_query(root, from, to, count_span, totals);
        for (int k = 0; k < SPANS; k++)
            if (pool[k].from < to && pool[k].to > from)
                count_span(&pool[k], brute);
        wrong += totals[0] != brute[0] || totals[1] != brute[1];
        hits += totals[0];
    }
    printf("spans: %ld hits, %ld wrong, depth below 40: %d\n", hits, wrong, span_depth(root) < 40);
}

int main(void)
{
    static struct calendar calendar;
    char line[256];
    check_dates();
    check_easter();
    check_tree();
    calendar_init(&calendar);
    for (int n = 1; fgets(line, sizeof line, stdin); n++)
        calendar_execute(&calendar, line, n);
    calendar_free(&calendar);
    return 0;
}
