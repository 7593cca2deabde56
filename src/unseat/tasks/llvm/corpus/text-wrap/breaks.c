/* breaks.c - choosing where lines end. */
#include "wrap.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void add_line(Lines *l, int from, int to, int width)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 32;
        l->v = realloc(l->v, (size_t)l->cap * sizeof *l->v);
        if (!l->v)
            abort();
    }
    Line line = { from, to, width };
    l->v[l->n++] = line;
}

int line_room(const Style *st, int line)
{
    int room = st->width - (line == 0 ? st->first_indent : st->indent);
    if (st->prefix)
        room -= utf8_width(st->prefix, (int)strlen(st->prefix));
    return room > 1 ? room : 1;
}

long line_cost(int slack, bool last, bool hyphen)
{
    long cost = last ? 0 : (long)slack * slack;
    return cost + (hyphen ? 40 : 0);
}

/* Width when the line ends after piece i, given the width up to its text. */
static int closed_width(const Piece *x, int width) { return width + x->hyphen_if_broken; }

static bool may_break(const Piece *x) { return x->glue_after || x->hyphen_if_broken; }

void break_greedy(Lines *out, const Pieces *p, const Style *st)
{
    int from = 0;
    while (from < p->n) {
        int room = line_room(st, out->n), width = 0, best = -1, best_width = 0, i;
        for (i = from; i < p->n; i++) {
            const Piece *x = &p->v[i];
            width += x->width;
            if (width > room)
                break;
            if (closed_width(x, width) <= room && (may_break(x) || best < 0)) {
                best = i;
                best_width = closed_width(x, width);
            }
            width += x->glue_after;
        }
        if (best < 0) {                       /* one piece too wide: let it stick out */
            best = from;
            best_width = closed_width(&p->v[from], p->v[from].width);
        }
        bool last = best + 1 == p->n;
        out->cost += line_cost(room - best_width, last, p->v[best].hyphen_if_broken);
        add_line(out, from, best + 1, best_width);
        from = best + 1;
    }
}

typedef struct { long cost; int next, width; } Choice;

/* Best cost from piece i on; only the first line differs in room, so line 0
 * is handled apart and all other suffixes share one table. */
static Choice choose(const Pieces *p, int from, int room, const Choice *rest)
{
    Choice best = { LONG_MAX, p->n, 0 };
    int width = 0;
    for (int i = from; i < p->n; i++) {
        const Piece *x = &p->v[i];
        width += x->width;
        if (width > room && i > from)
            break;
        int closed = closed_width(x, width);
        if ((may_break(x) || i == from) && (closed <= room || i == from)) {
            int slack = room > closed ? room - closed : (closed - room) * 10;
            long cost = line_cost(slack, i + 1 == p->n && closed <= room, x->hyphen_if_broken)
                        + rest[i + 1].cost;
            if (cost < best.cost) {
                best.cost = cost;
                best.next = i + 1;
                best.width = closed;
            }
        }
        width += x->glue_after;
    }
    return best;
}

void break_optimal(Lines *out, const Pieces *p, const Style *st)
{
    if (p->n == 0)
        return;
    Choice *table = calloc((size_t)p->n + 1, sizeof *table);
    if (!table)
        abort();
    int room = line_room(st, 1);
    for (int i = p->n - 1; i > 0; i--)
        table[i] = choose(p, i, room, table);
    table[0] = choose(p, 0, line_room(st, 0), table);
    out->cost = table[0].cost;
    for (int i = 0; i < p->n; i = table[i].next)
        add_line(out, i, table[i].next, table[i].width);
    free(table);
}
