/* rule.c - recurrence rules: parsing, printing and stepping.
 *
 *   daily [every N]            weekly [every N] [on Mon,Wed]
 *   monthly [every N]          monthly [every N] nth 2 Tue   (nth -1: last)
 *   yearly [every N]           easter [plus N | minus N]
 *   followed by [times N] [until DATE] [except DATE]...
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const freq_names[] = { "once", "daily", "weekly", "monthly", "monthly", "yearly", "easter" };

static struct date add_months(struct date d, int n)
{
    int m = d.year * 12 + d.month - 1 + n;
    d.year = m / 12;
    d.month = m % 12 + 1;
    return d;
}

/* Candidate number `step` of each family; NO_DAY when it does not exist
 * (such as the 31st of a short month), which is skipped. */

static day_t step_daily(const struct occurrences *it) { return it->start + it->step * it->rule->interval; }

static day_t step_weekly(const struct occurrences *it)
{
    const struct rule *r = it->rule;
    day_t monday = it->start - (int)day_weekday(it->start);
    int week = it->step / 7, w = it->step % 7;
    day_t day = monday + week * 7 * r->interval + w;
    return (r->weekdays >> w & 1) && day >= it->start ? day : NO_DAY;
}

static day_t step_monthly_day(const struct occurrences *it)
{
    struct date d = add_months(date_from_day(it->start), it->step * it->rule->interval);
    return date_valid(d) ? date_to_day(d) : NO_DAY;
}

static day_t step_monthly_nth(const struct occurrences *it)
{
    const struct rule *r = it->rule;
    struct date first = date_from_day(it->start);
    int w = 0;
    first.day = 1;
    struct date d = add_months(first, it->step * r->interval);
    while (w < 6 && !(r->weekdays >> w & 1))
        w++;
    day_t day = nth_weekday(d.year, d.month, (enum weekday)w, r->nth);
    return day >= it->start ? day : NO_DAY;
}

static day_t step_yearly(const struct occurrences *it)
{
    struct date d = date_from_day(it->start);
    d.year += it->step * it->rule->interval;
    return date_valid(d) ? date_to_day(d) : NO_DAY;
}

static day_t step_easter(const struct occurrences *it)
{
    int year = date_from_day(it->start).year + it->step;
    day_t day = easter_sunday(year) + it->rule->nth;
    return day >= it->start ? day : NO_DAY;
}

static day_t step_once(const struct occurrences *it) { return it->step ? NO_DAY : it->start; }

static day_t (*const steppers[])(const struct occurrences *) = {
    [ONCE] = step_once, [DAILY] = step_daily, [WEEKLY] = step_weekly, [MONTHLY_DAY] = step_monthly_day,
    [MONTHLY_NTH] = step_monthly_nth, [YEARLY] = step_yearly, [EASTER] = step_easter,
};

void rule_iterate(struct occurrences *it, const struct rule *r, day_t start)
{
    *it = (struct occurrences){ r, start, start, 0, 0 };
}

static bool excepted(const struct rule *r, day_t day)
{
    for (int i = 0; i < r->nexcept; i++)
        if (r->except[i] == day)
            return true;
    return false;
}

/* An exception still uses up one of the counted times. */
bool rule_next(struct occurrences *it, day_t *out)
{
    const struct rule *r = it->rule;
    for (int misses = 0; misses < 400;) {
        if (r->count && it->produced >= r->count)
            return false;
        day_t day = steppers[r->freq](it);
        if (r->freq == ONCE && it->step)
            return false;
        it->step++;
        if (day == NO_DAY) {
            misses++;
            continue;
        }
        if (r->until != NO_DAY && day > r->until)
            return false;
        it->produced++;
        if (excepted(r, day))
            continue;
        *out = day;
        return true;
    }
    return false;
}

/* ------------------------------------------------------------ parsing */

struct words { char **at; int left; const char *error; };

static bool take(struct words *w, const char *word)
{
    if (!w->left || strcmp(*w->at, word))
        return false;
    w->at++;
    w->left--;
    return true;
}

static int take_number(struct words *w, int lo, int hi)
{
    char *end = NULL;
    long v = w->left ? strtol(*w->at, &end, 10) : 0;
    if (!w->left || *end || end == *w->at || v < lo || v > hi) {
        w->error = "bad number in rule";
        return lo;
    }
    w->at++;
    w->left--;
    return (int)v;
}

static day_t take_day(struct words *w)
{
    day_t d = 0;
    const char *rest = w->left ? parse_day(*w->at, &d) : NULL;
    if (!rest || *rest) {
        w->error = "bad date in rule";
        return 0;
    }
    w->at++;
    w->left--;
    return d;
}

static unsigned take_weekdays(struct words *w, bool several)
{
    unsigned mask = 0;
    const char *s = w->left ? *w->at : "";
    do {
        enum weekday d;
        s = parse_weekday(s, &d);
        if (!s) {
            w->error = "bad weekday";
            return 1;
        }
        mask |= 1u << d;
    } while (several && *s++ == ',');
    w->at++;
    w->left--;
    return mask;
}

static bool take_frequency(struct words *w, struct rule *r)
{
    for (int f = DAILY; f <= EASTER; f++)
        if (f != MONTHLY_NTH && take(w, freq_names[f])) {
            r->freq = (enum frequency)f;
            return true;
        }
    return false;
}

bool rule_parse(struct rule *r, char *words[], int n, const char **error)
{
    struct words w = { words, n, NULL };
    memset(r, 0, sizeof *r);
    r->interval = 1;
    r->until = NO_DAY;
    if (!take_frequency(&w, r))
        w.error = "unknown frequency";
    while (w.left && !w.error) {
        if (take(&w, "every") && r->freq != EASTER) {
            r->interval = take_number(&w, 1, 100);
        } else if (take(&w, "on") && r->freq == WEEKLY) {
            r->weekdays = take_weekdays(&w, true);
        } else if (take(&w, "nth") && r->freq == MONTHLY_DAY) {
            r->freq = MONTHLY_NTH;
            r->nth = take_number(&w, -5, 5);
            r->weekdays = take_weekdays(&w, false);
            if (!r->nth)
                w.error = "there is no zeroth weekday";
        } else if (take(&w, "plus") && r->freq == EASTER) {
            r->nth = take_number(&w, 0, 100);
        } else if (take(&w, "minus") && r->freq == EASTER) {
            r->nth = -take_number(&w, 0, 100);
        } else if (take(&w, "times")) {
            r->count = take_number(&w, 1, 1000);
        } else if (take(&w, "until")) {
            r->until = take_day(&w);
        } else if (take(&w, "except") && r->nexcept < MAX_EXCEPTIONS) {
            r->except[r->nexcept++] = take_day(&w);
        } else {
            w.error = "unexpected word in rule";
        }
    }
    *error = w.error;
    return !w.error;
}

static void append(char *out, size_t size, const char *text)
{
    size_t n = strlen(out);
    snprintf(out + n, size - n, "%s", text);
}

void rule_format(const struct rule *r, char *out, size_t size)
{
    char piece[40], day[16];
    snprintf(out, size, "%s", freq_names[r->freq]);
    if (r->interval > 1) {
        snprintf(piece, sizeof piece, " every %d", r->interval);
        append(out, size, piece);
    }
    if (r->freq == MONTHLY_NTH || r->nth) {
        snprintf(piece, sizeof piece, r->freq == MONTHLY_NTH ? " nth %d" : " offset %d", r->nth);
        append(out, size, piece);
    }
    for (int w = 0, n = 0; w < 7; w++)
        if (r->weekdays >> w & 1) {
            append(out, size, n++ ? "," : " ");
            append(out, size, weekday_names[w]);
        }
    if (r->count) {
        snprintf(piece, sizeof piece, " times %d", r->count);
        append(out, size, piece);
    }
    if (r->until != NO_DAY) {
        format_day(r->until, day);
        append(out, size, " until ");
        append(out, size, day);
    }
    for (int i = 0; i < r->nexcept; i++) {
        format_day(r->except[i], day);
        append(out, size, " except ");
        append(out, size, day);
    }
}
