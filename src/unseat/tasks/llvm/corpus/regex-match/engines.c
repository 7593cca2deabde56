/* engines.c - Pike's parallel simulation, and backtracking with a visited map. */
#include "regex.h"

#include <stdlib.h>
#include <string.h>

typedef struct { int pc; Match caps; } Thread;

typedef struct {
    int count;
    int sparse[RE_MAX_PROG];            /* sparse set over program counters */
    Thread dense[RE_MAX_PROG];
} ThreadList;

typedef struct {
    const Program *prog;
    const char *text;
    int len, pos;
} Context;

static bool list_has(const ThreadList *l, int pc)
{
    int i = l->sparse[pc];
    return i >= 0 && i < l->count && l->dense[i].pc == pc;
}

/* Follows the empty transitions from pc in order of priority. */
static void add_thread(const Context *cx, ThreadList *l, int pc, Match *caps)
{
    if (list_has(l, pc))
        return;
    const Inst *in = &cx->prog->code[pc];
    l->sparse[pc] = l->count;
    Thread *t = &l->dense[l->count++];
    t->pc = pc;
    switch (in->op) {
    case OP_JUMP:
        add_thread(cx, l, in->x, caps);
        break;
    case OP_SPLIT:
        add_thread(cx, l, in->x, caps);
        add_thread(cx, l, in->y, caps);
        break;
    case OP_SAVE: {
        int old = caps->slot[in->arg];
        caps->slot[in->arg] = cx->pos;
        add_thread(cx, l, pc + 1, caps);
        caps->slot[in->arg] = old;
        break;
    }
    case OP_ASSERT:
        if (re_assert_holds(in->arg, cx->text, cx->len, cx->pos))
            add_thread(cx, l, pc + 1, caps);
        break;
    default:
        t->caps = *caps;
        break;
    }
}

static void clear_match(Match *m)
{
    for (int i = 0; i < RE_SLOTS; i++)
        m->slot[i] = -1;
}

bool pike_search(const Program *p, const char *text, int len, int from, Match *m)
{
    ThreadList *lists = malloc(2 * sizeof *lists), *cur = lists, *next = lists + 1;
    Context cx = { p, text, len, from };
    bool matched = false;
    Match start;
    if (!lists)
        exit(2);
    for (int i = 0; i < 2; i++) {
        lists[i].count = 0;
        memset(lists[i].sparse, 0xFF, sizeof(int) * (size_t)p->len);
    }
    for (int pos = from; pos <= len; pos++) {
        if (!matched) {
            clear_match(&start);
            cx.pos = pos;
            add_thread(&cx, cur, 0, &start);
        }
        if (cur->count == 0)
            break;
        next->count = 0;
        cx.pos = pos + 1;
        for (int i = 0; i < cur->count; i++) {
            Thread *t = &cur->dense[i];
            const Inst *in = &p->code[t->pc];
            if (in->op == OP_MATCH) {
                *m = t->caps;
                matched = true;
                break;                     /* lower priorities are cut off */
            }
            if (pos < len && re_accepts(p, in, (unsigned char)text[pos]))
                add_thread(&cx, next, t->pc + 1, &t->caps);
        }
        ThreadList *swap = cur;
        cur = next;
        next = swap;
    }
    free(lists);
    return matched;
}

typedef struct {
    const Program *prog;
    const char *text;
    int len, from;
    uint8_t *seen;                         /* one bit a (pc, position) pair */
    Match *m;
} Backtracker;

static bool mark(Backtracker *b, int pc, int pos)
{
    size_t bit = (size_t)pc * (size_t)(b->len - b->from + 1) + (size_t)(pos - b->from);
    if (b->seen[bit >> 3] >> (bit & 7) & 1)
        return false;
    b->seen[bit >> 3] |= (uint8_t)(1u << (bit & 7));
    return true;
}

static bool try_at(Backtracker *b, int pc, int pos)
{
    for (;;) {
        const Inst *in = &b->prog->code[pc];
        if (!mark(b, pc, pos))
            return false;
        switch (in->op) {
        case OP_MATCH:
            return true;
        case OP_JUMP:
            pc = in->x;
            break;
        case OP_SPLIT:
            if (try_at(b, in->x, pos))
                return true;
            pc = in->y;
            break;
        case OP_SAVE: {
            int old = b->m->slot[in->arg];
            b->m->slot[in->arg] = pos;
            if (try_at(b, pc + 1, pos))
                return true;
            b->m->slot[in->arg] = old;
            return false;
        }
        case OP_ASSERT:
            if (!re_assert_holds(in->arg, b->text, b->len, pos))
                return false;
            pc++;
            break;
        default:
            if (pos >= b->len || !re_accepts(b->prog, in, (unsigned char)b->text[pos]))
                return false;
            pc++;
            pos++;
            break;
        }
    }
}

bool backtrack_search(const Program *p, const char *text, int len, int from, Match *m)
{
    size_t bits = (size_t)p->len * (size_t)(len - from + 1);
    Backtracker b = { p, text, len, from, calloc(bits / 8 + 1, 1), m };
    bool found = false;
    if (!b.seen)
        exit(2);
    clear_match(m);
    for (int pos = from; pos <= len && !found; pos++)
        found = try_at(&b, 0, pos);
    free(b.seen);
    return found;
}
