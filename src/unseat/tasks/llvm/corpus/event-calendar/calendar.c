/* calendar.c - the event store and the commands on it.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 24

void calendar_init(struct calendar *c) { memset(c, 0, sizeof *c); }

void calendar_free(struct calendar *c)
{
    free(c->spans);
    calendar_init(c);
}

struct event *calendar_find(struct calendar *c, const char *title)
{
    for (int i = 0; i < c->nevents; i++)
        if (c->events[i].used && !strcmp(c->events[i].title, title))
            return &c->events[i];
    return NULL;
}

static struct event *free_slot(struct calendar *c)
{
    for (int i = 0; i < c->nevents; i++)
        if (!c->events[i].used)
            return &c->events[i];
    return c->nevents < MAX_EVENTS ? &c->events[c->nevents++] : NULL;
}

/* Returns the slot, or -1: title taken or too long, or no room. */
int calendar_add(struct calendar *c, const char *title, minute_t start, int length)
{
    if (strlen(title) >= TITLE_MAX || calendar_find(c, title))
        return -1;
    struct event *e = free_slot(c);
    if (!e)
        return -1;
    memset(e, 0, sizeof *e);
    e->used = true;
    strcpy(e->title, title);
    e->start = start;
    e->length = length;
    e->rule.interval = 1;
    e->rule.until = NO_DAY;
    return (int)(e - c->events);
}

static uint32_t scramble(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ x >> 16;
}

static int event_length(const struct event *e) { return e->length ? e->length : DAY_MINUTES; }

static void collect(struct calendar *c, int index, minute_t from, minute_t to)
{
    const struct event *e = &c->events[index];
    int offset = minute_of_day(e->start);
    struct occurrences it;
    day_t day;
    rule_iterate(&it, &e->rule, minute_day(e->start));
    while (rule_next(&it, &day)) {
        minute_t at = (minute_t)day * DAY_MINUTES + offset;
        if (at >= to)
            break;
        if (at + event_length(e) <= from)
            continue;
        if (c->nspans == c->cap) {
            c->cap = c->cap ? c->cap * 2 : 64;
            struct span *grown = realloc(c->spans, (size_t)c->cap * sizeof *grown);
            if (!grown)
                abort();
            c->spans = grown;
        }
        struct span *s = &c->spans[c->nspans++];
        *s = (struct span){ .from = at, .to = at + event_length(e), .event = index,
                            .rank = scramble((uint32_t)c->nspans) };
    }
}

/* Builds the tree of all occurrences that overlap the window.  The tree is
 * linked only when the pool has stopped moving. */
void calendar_expand(struct calendar *c, minute_t from, minute_t to)
{
    c->nspans = 0;
    c->root = NULL;
    for (int i = 0; i < c->nevents; i++)
        if (c->events[i].used)
            collect(c, i, from, to);
    for (int i = 0; i < c->nspans; i++)
        span_insert(&c->root, &c->spans[i]);
}

/* ----------------------------------------------------------- commands */

struct request {
    struct calendar *c;
    char **words;
    int n;
    const char *error;
};

static bool read_window(struct request *q, int at, minute_t *from, minute_t *to)
{
    day_t a = 0, b = 0;
    const char *r = at < q->n ? parse_day(q->words[at], &a) : NULL;
    if (!r || *r)
        return false;
    b = a;
    if (at + 1 < q->n) {
        r = parse_day(q->words[at + 1], &b);
        if (!r || *r)
            return false;
    }
    *from = (minute_t)a * DAY_MINUTES;
    *to = ((minute_t)b + 1) * DAY_MINUTES;
    return b >= a;
}

/* add TITLE START DURATION   or   add TITLE DATE */
static void cmd_add(struct request *q)
{
    minute_t start = 0;
    int length = 0;
    const char *rest = NULL;
    if (q->n == 4) {
        rest = parse_minute(q->words[2], &start);
        if (rest && !*rest)
            rest = parse_duration(q->words[3], &length);
    } else if (q->n == 3) {
        day_t day = 0;
        rest = parse_day(q->words[2], &day);
        start = (minute_t)day * DAY_MINUTES;
    }
    if (!rest || *rest || (q->n == 4 && length == 0))
        q->error = "usage: add TITLE DATE[THH:MM DURATION]";
    else if (calendar_add(q->c, q->words[1], start, length) < 0)
        q->error = "cannot add";
}

static struct event *need_event(struct request *q)
{
    struct event *e = q->n > 1 ? calendar_find(q->c, q->words[1]) : NULL;
    if (!e)
        q->error = "no such event";
    return e;
}

static void cmd_repeat(struct request *q)
{
    struct event *e = need_event(q);
    struct rule r;
    char text[160];
    if (!e || !rule_parse(&r, q->words + 2, q->n - 2, &q->error))
        return;
    if (r.freq == WEEKLY && !r.weekdays)
        r.weekdays = 1u << day_weekday(minute_day(e->start));
    e->rule = r;
    rule_format(&r, text, sizeof text);
    printf("%s: %s\n", e->title, text);
}

static void cmd_cancel(struct request *q)
{
    struct event *e = need_event(q);
    if (e)
        e->used = false;
}

static void cmd_shift(struct request *q)
{
    struct event *e = need_event(q);
    int by;
    bool back = q->n == 3 && q->words[2][0] == '-';
    if (!e)
        return;
    const char *rest = q->n == 3 ? parse_duration(q->words[2] + back, &by) : NULL;
    if (!rest || *rest)
        q->error = "bad duration";
    else
        e->start += back ? -by : by;
}

/* dates TITLE N: the first occurrences */
static void cmd_dates(struct request *q)
{
    struct event *e = need_event(q);
    struct occurrences it;
    char text[16];
    day_t day;
    int n = q->n == 3 ? atoi(q->words[2]) : 5;
    if (!e)
        return;
    printf("%s:", e->title);
    rule_iterate(&it, &e->rule, minute_day(e->start));
    while (n-- > 0 && rule_next(&it, &day)) {
        format_day(day, text);
        printf(" %s", text);
    }
    printf("%s\n", n >= 0 ? " end" : "");
}

struct listing { struct calendar *c; day_t last; int lines; };

static void list_span(const struct span *s, void *context)
{
    struct listing *l = context;
    const struct event *e = &l->c->events[s->event];
    char day[16], length[16];
    day_t d = minute_day(s->from);
    int m = minute_of_day(s->from);
    if (d != l->last) {
        format_day(d, day);
        printf("%s %s\n", weekday_names[day_weekday(d)], day);
    }
    l->last = d;
    l->lines++;
    format_duration(event_length(e), length);
    if (e->length)
        printf("  %02d:%02d %s (%s)\n", m / 60, m % 60, e->title, length);
    else
        printf("  all day %s\n", e->title);
}

static void cmd_agenda(struct request *q)
{
    minute_t from, to;
    if (!read_window(q, 1, &from, &to)) {
        q->error = "bad window";
        return;
    }
    struct listing l = { q->c, NO_DAY, 0 };
    calendar_expand(q->c, from, to);
    span_query(q->c->root, from, to, list_span, &l);
    if (!l.lines)
        puts("nothing");
}

struct clash { struct calendar *c; const struct span *self; int found; };

static void clash_span(const struct span *s, void *context)
{
    struct clash *k = context;
    char at[24];
    if (s == k->self || s->from < k->self->from || (s->from == k->self->from && s->event <= k->self->event))
        return; /* each pair once; whole days never clash */
    if (!k->c->events[s->event].length)
        return;
    k->found++;
    format_minute(s->from, at);
    printf("  %s: %s / %s\n", at, k->c->events[k->self->event].title, k->c->events[s->event].title);
}

static void cmd_conflicts(struct request *q)
{
    minute_t from, to;
    if (!read_window(q, 1, &from, &to)) {
        q->error = "bad window";
        return;
    }
    struct clash k = { q->c, NULL, 0 };
    calendar_expand(q->c, from, to);
    puts("conflicts:");
    for (int i = 0; i < q->c->nspans; i++) {
        k.self = &q->c->spans[i];
        if (q->c->events[k.self->event].length)
            span_query(q->c->root, k.self->from, k.self->to, clash_span, &k);
    }
    printf("  %d in %d occurrences\n", k.found, q->c->nspans);
}

struct gaps { struct calendar *c; minute_t free_from; minute_t opens, closes; int least; int lines; };

static void report_gap(struct gaps *g, minute_t until)
{
    char at[24], length[16];
    minute_t end = until < g->closes ? until : g->closes;
    if (end - g->free_from < g->least)
        return;
    format_minute(g->free_from, at);
    format_duration((int)(end - g->free_from), length);
    printf("  %s for %s\n", at, length);
    g->lines++;
}

static void gap_span(const struct span *s, void *context)
{
    struct gaps *g = context;
    if (!g->c->events[s->event].length)
        return;
    if (s->from > g->free_from)
        report_gap(g, s->from);
    if (s->to > g->free_from)
        g->free_from = s->to;
}

/* free DURATION FROM [TO]: between 09:00 and 17:00 on working days */
static void cmd_free(struct request *q)
{
    minute_t from, to;
    int least;
    const char *rest = q->n > 1 ? parse_duration(q->words[1], &least) : NULL;
    if (!rest || *rest || !read_window(q, 2, &from, &to)) {
        q->error = "usage: free DURATION FROM [TO]";
        return;
    }
    struct gaps g = { .c = q->c, .least = least };
    calendar_expand(q->c, from, to);
    puts("free:");
    for (day_t d = minute_day(from); d < minute_day(to); d++) {
        if (day_weekday(d) >= SAT)
            continue;
        g.opens = (minute_t)d * DAY_MINUTES + 9 * 60;
        g.closes = g.opens + 8 * 60;
        g.free_from = g.opens;
        span_query(q->c->root, g.opens, g.closes, gap_span, &g);
        report_gap(&g, g.closes);
    }
    if (!g.lines)
        puts("  none");
}

struct month_marks { day_t first; uint32_t days; };

static void mark_span(const struct span *s, void *context)
{
    struct month_marks *m = context;
    for (day_t d = minute_day(s->from); d <= minute_day(s->to - 1); d++)
        if (d >= m->first && d < m->first + 31)
            m->days |= 1u << (d - m->first);
}

/* month YYYY-MM-DD: the page of that month; days with events get a star */
static void cmd_month(struct request *q)
{
    minute_t from, to;
    if (!read_window(q, 1, &from, &to)) {
        q->error = "bad date";
        return;
    }
    struct date d = date_from_day(minute_day(from));
    d.day = 1;
    day_t first = date_to_day(d);
    int length = month_length(d.year, d.month), year, week;
    struct month_marks marks = { first, 0 };
    from = (minute_t)first * DAY_MINUTES;
    to = from + (minute_t)length * DAY_MINUTES;
    calendar_expand(q->c, from, to);
    span_query(q->c->root, from, to, mark_span, &marks);
    printf("%s %d\n wk  Mo  Tu  We  Th  Fr  Sa  Su\n", month_names[d.month - 1], d.year);
    for (day_t n = first - (int)day_weekday(first); n < first + length; n++) {
        if (day_weekday(n) == MON) {
            day_iso_week(n, &year, &week);
            printf("%3d ", week);
        }
        if (n < first)
            printf("    ");
        else
            printf("%3d%c", (int)(n - first + 1), marks.days >> (n - first) & 1 ? '*' : ' ');
        if (day_weekday(n) == SUN || n == first + length - 1)
            putchar('\n');
    }
}

static const struct { const char *word; void (*run)(struct request *); } commands[] = {
    { "add", cmd_add }, { "repeat", cmd_repeat }, { "cancel", cmd_cancel }, { "shift", cmd_shift },
    { "dates", cmd_dates }, { "agenda", cmd_agenda }, { "conflicts", cmd_conflicts },
    { "free", cmd_free }, { "month", cmd_month },
};

void calendar_execute(struct calendar *c, char *line, int number)
{
    char *words[MAX_WORDS];
    struct request q = { c, words, 0, NULL };
    for (char *w = strtok(line, " \t\r\n"); w && q.n < MAX_WORDS; w = strtok(NULL, " \t\r\n"))
        words[q.n++] = w;
    if (!q.n || words[0][0] == '#')
        return;
    q.error = "unknown command";
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (!strcmp(words[0], commands[i].word)) {
            q.error = NULL;
            commands[i].run(&q);
            break;
        }
    if (q.error)
        printf("line %d: %s\n", number, q.error);
}
