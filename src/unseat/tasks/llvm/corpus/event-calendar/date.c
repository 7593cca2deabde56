/* date.c - day numbers, weekdays, ISO weeks and Easter.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cal.h"

static int floor_div(int a, int b) { return a / b - (a % b < 0); }
static int floor_mod(int a, int b) { return a - floor_div(a, b) * b; }

bool leap_year(int y) { return floor_mod(y, 4) == 0 && (floor_mod(y, 100) != 0 || floor_mod(y, 400) == 0); }

int month_length(int year, int month)
{
    static const signed char days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return days[month - 1] + (month == 2 && leap_year(year));
}

bool date_valid(struct date d)
{
    return d.year >= 1 && d.year <= 9999 && d.month >= 1 && d.month <= 12 && d.day >= 1 &&
           d.day <= month_length(d.year, d.month);
}

/* The year is counted from March, so that the leap day comes last. */
day_t date_to_day(struct date d)
{
    int y = d.year - (d.month <= 2);
    int era = floor_div(y, 400), of_era = floor_mod(y, 400);
    int shifted = (d.month + 9) % 12;
    int of_year = (153 * shifted + 2) / 5 + d.day - 1;
    int day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * 146097 + day_of_era - 719468;
}

struct date date_from_day(day_t n)
{
    int z = n + 719468;
    int era = floor_div(z, 146097), day = floor_mod(z, 146097);
    int year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int of_year = day - (365 * year + year / 4 - year / 100);
    int shifted = (5 * of_year + 2) / 153;
    struct date d;
    d.day = of_year - (153 * shifted + 2) / 5 + 1;
    d.month = shifted < 10 ? shifted + 3 : shifted - 9;
    d.year = year + era * 400 + (d.month <= 2);
    return d;
}

/* 1970-01-01 was a Thursday. */
enum weekday day_weekday(day_t n) { return (enum weekday)floor_mod(n + THU, 7); }

int day_of_year(day_t n)
{
    struct date first = { date_from_day(n).year, 1, 1 };
    return n - date_to_day(first) + 1;
}

/* A week belongs to the year of its Thursday. */
void day_iso_week(day_t n, int *year, int *week)
{
    day_t thursday = n - (int)day_weekday(n) + THU;
    *year = date_from_day(thursday).year;
    *week = (day_of_year(thursday) - 1) / 7 + 1;
}

/* The anonymous Gregorian algorithm. */
day_t easter_sunday(int year)
{
    int golden = year % 19, century = year / 100, rest = year % 100;
    int skipped = (century + 8) / 25, moon = (century - skipped + 1) / 3;
    int epact = (19 * golden + century - century / 4 - moon + 15) % 30;
    int to_sunday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7;
    int late = (golden + 11 * epact + 22 * to_sunday) / 451;
    int code = epact + to_sunday - 7 * late + 114;
    struct date d = { year, code / 31, code % 31 + 1 };
    return date_to_day(d);
}

day_t nth_weekday(int year, int month, enum weekday w, int nth)
{
    struct date d = { year, month, 1 };
    int length = month_length(year, month), day;
    if (nth > 0) {
        int gap = floor_mod((int)w - (int)day_weekday(date_to_day(d)), 7);
        day = 1 + gap + (nth - 1) * 7;
    } else {
        d.day = length;
        int gap = floor_mod((int)day_weekday(date_to_day(d)) - (int)w, 7);
        day = length - gap + (nth + 1) * 7;
    }
    if (day < 1 || day > length)
        return NO_DAY;
    d.day = day;
    return date_to_day(d);
}

day_t minute_day(minute_t t) { return (day_t)(t / DAY_MINUTES - (t % DAY_MINUTES < 0)); }
int minute_of_day(minute_t t) { return (int)(t - (minute_t)minute_day(t) * DAY_MINUTES); }
