/* dfa.c - deterministic automaton whose states are built when first visited. */
#include "regex.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 256, FLUSH_AT = 400 };

typedef struct State {
    struct State *chain, *next[256];
    uint32_t hash;
    bool accepting;
    int count;
    int16_t pcs[];
} State;

struct Dfa {
    const Program *prog;
    State *buckets[BUCKETS], *start;
    int states, flushes;
    uint8_t in_set[RE_MAX_PROG];
    int16_t work[RE_MAX_PROG];
    int work_count;
    bool work_accepts;
};

static void closure(Dfa *d, int pc)
{
    if (d->in_set[pc])
        return;
    d->in_set[pc] = 1;
    const Inst *in = &d->prog->code[pc];
    switch (in->op) {
    case OP_JUMP:  closure(d, in->x); break;
    case OP_SPLIT: closure(d, in->x); closure(d, in->y); break;
    case OP_SAVE:  closure(d, pc + 1); break;
    case OP_MATCH: d->work_accepts = true; break;
    default:       break;
    }
}

static void begin_set(Dfa *d)
{
    memset(d->in_set, 0, (size_t)d->prog->len);
    d->work_accepts = false;
}

static State *intern_set(Dfa *d)
{
    uint32_t h = d->work_accepts;
    d->work_count = 0;
    for (int pc = 0; pc < d->prog->len; pc++)
        if (d->in_set[pc] && d->prog->code[pc].op <= OP_SET) {
            d->work[d->work_count++] = (int16_t)pc;
            h = h * 16777619u ^ (uint32_t)pc;
        }
    h ^= h >> 15;
    size_t bytes = sizeof(int16_t) * (size_t)d->work_count;
    for (State *s = d->buckets[h % BUCKETS]; s; s = s->chain)
        if (s->hash == h && s->accepting == d->work_accepts && s->count == d->work_count &&
            memcmp(s->pcs, d->work, bytes) == 0)
            return s;
    State *s = calloc(1, sizeof *s + bytes);
    if (!s)
        exit(2);
    s->hash = h;
    s->accepting = d->work_accepts;
    s->count = d->work_count;
    memcpy(s->pcs, d->work, bytes);
    s->chain = d->buckets[h % BUCKETS];
    d->buckets[h % BUCKETS] = s;
    d->states++;
    return s;
}

static State *step(Dfa *d, State *from, unsigned char c)
{
    begin_set(d);
    for (int i = 0; i < from->count; i++)
        if (re_accepts(d->prog, &d->prog->code[from->pcs[i]], c))
            closure(d, from->pcs[i] + 1);
    closure(d, 0);                         /* unanchored: may also start here */
    return from->next[c] = intern_set(d);
}

static void flush(Dfa *d)
{
    for (int i = 0; i < BUCKETS; i++)
        while (d->buckets[i]) {
            State *next = d->buckets[i]->chain;
            free(d->buckets[i]);
            d->buckets[i] = next;
        }
    d->start = NULL;
    d->states = 0;
    d->flushes++;
}

static State *start_state(Dfa *d)
{
    if (!d->start) {
        begin_set(d);
        closure(d, 0);
        d->start = intern_set(d);
    }
    return d->start;
}

Dfa *dfa_create(const Program *p)
{
    if (p->has_assert)
        return NULL;
    Dfa *d = calloc(1, sizeof *d);
    if (!d)
        exit(2);
    d->prog = p;
    return d;
}

bool dfa_test(Dfa *d, const char *text, int len)
{
    if (d->states > FLUSH_AT)
        flush(d);
    State *s = start_state(d);
    for (int i = 0; i < len && !s->accepting; i++) {
        unsigned char c = (unsigned char)text[i];
        s = s->next[c] ? s->next[c] : step(d, s, c);
    }
    return s->accepting;
}

int dfa_state_count(const Dfa *d) { return d->states; }

void dfa_destroy(Dfa *d)
{
    if (d)
        flush(d);
    free(d);
}
