/* cal.h - dates, recurrence rules and a calendar of events.
 *
 * Time is counted in minutes since 1970-01-01T00:00 on the proleptic
 * Gregorian calendar; there are no zones and no leap seconds.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef CAL_H
#define CAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ------------------------------------------------------------- dates */

typedef int32_t day_t;     /* days since 1970-01-01 */
typedef int64_t minute_t;  /* minutes since then    */

enum weekday { MON, TUE, WED, THU, FRI, SAT, SUN };

struct date { int year, month, day; };

#define DAY_MINUTES 1440
#define NO_DAY INT32_MIN

bool date_valid(struct date d);
day_t date_to_day(struct date d);
struct date date_from_day(day_t n);
enum weekday day_weekday(day_t n);
int month_length(int year, int month);
bool leap_year(int year);
void day_iso_week(day_t n, int *year, int *week);
int day_of_year(day_t n);
day_t easter_sunday(int year);
day_t nth_weekday(int year, int month, enum weekday w, int nth); /* -1: last; NO_DAY if absent */
day_t minute_day(minute_t t);
int minute_of_day(minute_t t);

/* -------------------------------------------------------- text forms */

const char *parse_day(const char *s, day_t *out);          /* rest, or NULL */
const char *parse_minute(const char *s, minute_t *out);    /* 2024-05-01T09:30 */
const char *parse_duration(const char *s, int *minutes);   /* 1h30m, 2d, 45m */
const char *parse_weekday(const char *s, enum weekday *w);
void format_day(day_t n, char out[16]);
void format_minute(minute_t t, char out[24]);
void format_duration(int minutes, char out[16]);
extern const char *const weekday_names[7];
extern const char *const month_names[12];

/* ------------------------------------------------------- recurrences */

enum frequency { ONCE, DAILY, WEEKLY, MONTHLY_DAY, MONTHLY_NTH, YEARLY, EASTER };

#define MAX_EXCEPTIONS 8

struct rule {
    enum frequency freq;
    int interval;
    unsigned weekdays;         /* WEEKLY: bit per weekday; MONTHLY_NTH: one bit */
    int nth;                   /* MONTHLY_NTH; EASTER: offset in days           */
    int count;                 /* 0: unlimited */
    day_t until;               /* NO_DAY: open */
    day_t except[MAX_EXCEPTIONS];
    int nexcept;
};

struct occurrences {           /* an iterator over the days of a rule */
    const struct rule *rule;
    day_t start, next;
    int produced, step;
};

void rule_iterate(struct occurrences *it, const struct rule *r, day_t start);
bool rule_next(struct occurrences *it, day_t *out);
bool rule_parse(struct rule *r, char *words[], int n, const char **error);
void rule_format(const struct rule *r, char *out, size_t size);

/* ------------------------------------------------------ interval tree */

struct span {
    minute_t from, to;         /* half open */
    minute_t latest;           /* greatest `to` below this node */
    int event;
    uint32_t rank;
    struct span *kid[2];
};

typedef void (*span_visit)(const struct span *s, void *context);

void span_insert(struct span **root, struct span *fresh);
void span_query(const struct span *root, minute_t from, minute_t to, span_visit visit, void *context);
int span_depth(const struct span *root);

/* ----------------------------------------------------------- calendar */

#define MAX_EVENTS 64
#define TITLE_MAX 24

struct event {
    bool used;
    char title[TITLE_MAX];
    minute_t start;
    int length;                /* minutes; 0: the whole day */
    struct rule rule;
};

struct calendar {
    struct event events[MAX_EVENTS];
    int nevents;
    struct span *spans;        /* pool for the current window */
    int nspans, cap;
    struct span *root;
};

void calendar_init(struct calendar *c);
void calendar_free(struct calendar *c);
int calendar_add(struct calendar *c, const char *title, minute_t start, int length);
struct event *calendar_find(struct calendar *c, const char *title);
void calendar_expand(struct calendar *c, minute_t from, minute_t to);
void calendar_execute(struct calendar *c, char *line, int number);

#endif
