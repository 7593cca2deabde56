/* text.c - reading and writing of dates, times and durations.  Parsers
 * return the rest of the text, or NULL.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cal.h"

#include <stdio.h>
#include <string.h>

const char *const weekday_names[7] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
const char *const month_names[12] = { "January", "February", "March", "April", "May", "June", "July",
                                      "August", "September", "October", "November", "December" };

static const char *digits(const char *s, int n, int *out)
{
    *out = 0;
    for (int i = 0; s && i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return NULL;
        *out = *out * 10 + (s[i] - '0');
    }
    return s ? s + n : NULL;
}

static const char *literal(const char *s, char c) { return s && *s == c ? s + 1 : NULL; }

const char *parse_day(const char *s, day_t *out)
{
    struct date d;
    s = literal(digits(s, 4, &d.year), '-');
    s = literal(digits(s, 2, &d.month), '-');
    s = digits(s, 2, &d.day);
    if (!s || !date_valid(d))
        return NULL;
    *out = date_to_day(d);
    return s;
}

const char *parse_minute(const char *s, minute_t *out)
{
    day_t day = 0;
    int hour = 0, minute = 0;
    s = literal(parse_day(s, &day), 'T');
    s = literal(digits(s, 2, &hour), ':');
    s = digits(s, 2, &minute);
    if (!s || hour > 23 || minute > 59)
        return NULL;
    *out = (minute_t)day * DAY_MINUTES + hour * 60 + minute;
    return s;
}

const char *parse_duration(const char *s, int *minutes)
{
    int total = 0, parts = 0;
    while (*s >= '0' && *s <= '9') {
        int n = 0, len = 0;
        for (; *s >= '0' && *s <= '9' && len < 5; s++, len++)
            n = n * 10 + (*s - '0');
        switch (*s) {
        case 'd': total += n * DAY_MINUTES; break;
        case 'h': total += n * 60; break;
        case 'm': total += n; break;
        default: return NULL;
        }
        s++;
        parts++;
    }
    if (!parts || parts > 3)
        return NULL;
    *minutes = total;
    return s;
}

const char *parse_weekday(const char *s, enum weekday *w)
{
    for (int i = 0; i < 7; i++)
        if (!strncmp(s, weekday_names[i], 3)) {
            *w = (enum weekday)i;
            return s + 3;
        }
    return NULL;
}

void format_day(day_t n, char out[16])
{
    struct date d = date_from_day(n);
    snprintf(out, 16, "%04d-%02d-%02d", d.year % 10000, d.month % 100, d.day % 100);
}

void format_minute(minute_t t, char out[24])
{
    int m = minute_of_day(t);
    format_day(minute_day(t), out);
    snprintf(out + strlen(out), 24 - strlen(out), " %02d:%02d", m / 60, m % 60);
}

void format_duration(int minutes, char out[16])
{
    if (minutes % DAY_MINUTES == 0)
        snprintf(out, 16, "%dd", minutes / DAY_MINUTES);
    else if (minutes % 60 == 0)
        snprintf(out, 16, "%dh", minutes / 60);
    else if (minutes > 60)
        snprintf(out, 16, "%dh%02dm", minutes / 60, minutes % 60);
    else
        snprintf(out, 16, "%dm", minutes);
}
