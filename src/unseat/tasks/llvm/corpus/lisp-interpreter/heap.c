/* heap.c - object allocation, mark-and-sweep collection, the symbol table. */
#include "lisp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT = 2048, MAX_SEGMENTS = 512, PROTECTED_MAX = 1 << 16, SYMBOL_BUCKETS = 211 };

static Cell *segments[MAX_SEGMENTS];
static int nsegments;
static Obj free_list;
static long free_count;
static Obj protected_stack[PROTECTED_MAX];
static int nprotected;
static Obj symbols[SYMBOL_BUCKETS];
static HeapStats stats;
static Cell nil_cell = { .tag = T_NIL };

Obj nil = &nil_cell, sym_t, sym_quote;

static void add_segment(void)
{
    if (nsegments == MAX_SEGMENTS)
        lisp_error("heap exhausted");
    Cell *s = calloc(SEGMENT, sizeof *s);
    if (!s)
        lisp_error("out of memory");
    segments[nsegments++] = s;
    for (int i = 0; i < SEGMENT; i++) {
        s[i].tag = T_FREE;
        s[i].u.pair.cdr = free_list;
        free_list = &s[i];
    }
    free_count += SEGMENT;
}

/* Recurses on the car, loops on the cdr: lists may be long. */
static void mark(Obj o)
{
    while (o && !o->marked) {
        o->marked = 1;
        switch (o->tag) {
        case T_PAIR:
            mark(CAR(o));
            o = CDR(o);
            break;
        case T_SYMBOL:
            o = o->u.sym.value;
            break;
        case T_LAMBDA: case T_MACRO:
            mark(o->u.fn.params);
            mark(o->u.fn.body);
            o = o->u.fn.env;
            break;
        default:
            return;
        }
    }
}

static void release(Obj o)
{
    if (o->tag == T_STRING)
        free(o->u.str);
    o->tag = T_FREE;
    o->u.pair.cdr = free_list;
    free_list = o;
    free_count++;
}

static void collect(void)
{
    stats.collections++;
    for (int i = 0; i < SYMBOL_BUCKETS; i++)
        for (Obj s = symbols[i]; s; s = s->u.sym.next)
            mark(s);
    for (int i = 0; i < nprotected; i++)
        mark(protected_stack[i]);
    for (int s = 0; s < nsegments; s++)
        for (int i = 0; i < SEGMENT; i++) {
            Obj o = &segments[s][i];
            if (o->marked)
                o->marked = 0;
            else if (o->tag != T_FREE)
                release(o);
        }
    nil->marked = 0;
}

static Obj allocate(Tag tag)
{
    if (!free_list) {
        collect();
        while (free_count < (long)nsegments * SEGMENT / 2 || !free_list)
            add_segment();
    }
    Obj o = free_list;
    free_list = o->u.pair.cdr;
    free_count--;
    memset(o, 0, sizeof *o);
    o->tag = (uint8_t)tag;
    stats.allocated++;
    long live = (long)nsegments * SEGMENT - free_count;
    if (live > stats.peak)
        stats.peak = live;
    return protect(o);
}

int protect_mark(void) { return nprotected; }
void unprotect(int to) { nprotected = to; }

Obj protect(Obj o)
{
    if (nprotected == PROTECTED_MAX)
        lisp_error("recursion too deep");
    return protected_stack[nprotected++] = o;
}

Obj make_int(int64_t n)
{
    Obj o = allocate(T_INT);
    o->u.num = n;
    return o;
}

Obj cons(Obj car, Obj cdr)
{
    Obj o = allocate(T_PAIR);
    CAR(o) = car;
    CDR(o) = cdr;
    return o;
}

static char *copy_bytes(const char *s, int n)
{
    char *p = malloc((size_t)n + 1);
    if (!p)
        lisp_error("out of memory");
    memcpy(p, s, (size_t)n);
    p[n] = '\0';
    return p;
}

Obj make_string(const char *s, int n)
{
    char *bytes = copy_bytes(s, n);
    Obj o = allocate(T_STRING);
    o->u.str = bytes;
    return o;
}

Obj make_closure(Tag tag, Obj params, Obj body, Obj env)
{
    Obj o = allocate(tag);
    o->u.fn.params = params;
    o->u.fn.body = body;
    o->u.fn.env = env;
    return o;
}

Obj make_primitive(const char *name, Primitive fn, int lo, int hi)
{
    Obj o = allocate(T_PRIMITIVE);
    o->u.prim.fn = fn;
    o->u.prim.name = name;
    o->arity_min = (uint8_t)lo;
    o->arity_max = (uint8_t)hi;
    return o;
}

Obj intern(const char *name, int n)
{
    unsigned h = 0;
    for (int i = 0; i < n; i++)
        h = h * 65599u + (unsigned char)name[i];
    Obj *bucket = &symbols[h % SYMBOL_BUCKETS], s;
    for (s = *bucket; s; s = s->u.sym.next)
        if (!strncmp(s->u.sym.name, name, (size_t)n) && !s->u.sym.name[n])
            return s;
    s = allocate(T_SYMBOL);
    s->u.sym.name = copy_bytes(name, n);
    s->u.sym.next = *bucket;
    *bucket = s;
    return s;
}

void heap_init(void)
{
    add_segment();
    sym_t = intern("t", 1);
    sym_t->u.sym.value = sym_t;
    sym_quote = intern("quote", 5);
    unprotect(0);
}

HeapStats heap_stats(void)
{
    collect();
    stats.live = (long)nsegments * SEGMENT - free_count;
    return stats;
}

void heap_free(void)
{
    for (int i = 0; i < SYMBOL_BUCKETS; i++)
        for (Obj s = symbols[i]; s; s = s->u.sym.next)
            free(s->u.sym.name);
    for (int s = 0; s < nsegments; s++) {
        for (int i = 0; i < SEGMENT; i++)
            if (segments[s][i].tag == T_STRING)
                free(segments[s][i].u.str);
        free(segments[s]);
    }
}
