/* value.c - reference-counted values and the output buffer. */
#include "tpl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long live_values;

static Value *make(ValType type)
{
    Value *v = calloc(1, sizeof *v);
    if (!v)
        abort();
    v->refs = 1;
    v->type = type;
    live_values++;
    return v;
}

long val_live(void) { return live_values; }

Value *val_none(void) { return make(VAL_NONE); }
Value *val_list(void) { return make(VAL_LIST); }
Value *val_map(void)  { return make(VAL_MAP); }

Value *val_bool(bool b)
{
    Value *v = make(VAL_BOOL);
    v->num = b;
    return v;
}

Value *val_int(long n)
{
    Value *v = make(VAL_INT);
    v->num = n;
    return v;
}

static char *dup_n(const char *s, size_t n)
{
    char *p = malloc(n + 1);
    if (!p)
        abort();
    memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

Value *val_strn(const char *s, size_t n)
{
    Value *v = make(VAL_STR);
    v->str = dup_n(s, n);
    v->len = n;
    return v;
}

Value *val_str(const char *s) { return val_strn(s, strlen(s)); }

Value *val_ref(Value *v)
{
    v->refs++;
    return v;
}

void val_drop(Value *v)
{
    if (!v || --v->refs > 0)
        return;
    if (v->type == VAL_LIST || v->type == VAL_MAP)
        for (size_t i = 0; i < v->len; i++) {
            val_drop(v->items[i]);
            if (v->keys)
                free(v->keys[i]);
        }
    free(v->items);
    free(v->keys);
    free(v->str);
    free(v);
    live_values--;
}

static void make_room(Value *v)
{
    if (v->len < v->cap)
        return;
    v->cap = v->cap ? v->cap * 2 : 4;
    v->items = realloc(v->items, v->cap * sizeof *v->items);
    if (v->type == VAL_MAP)
        v->keys = realloc(v->keys, v->cap * sizeof *v->keys);
    if (!v->items || (v->type == VAL_MAP && !v->keys))
        abort();
}

void val_append(Value *list, Value *item)
{
    make_room(list);
    list->items[list->len++] = item;
}

static size_t index_of(const Value *map, const char *key, size_t n)
{
    size_t i = 0;
    while (i < map->len && (strncmp(map->keys[i], key, n) || map->keys[i][n]))
        i++;
    return i;
}

void val_put(Value *map, const char *key, Value *item)
{
    size_t i = index_of(map, key, strlen(key));
    if (i < map->len) {
        val_drop(map->items[i]);
        map->items[i] = item;
        return;
    }
    make_room(map);
    map->keys[map->len] = dup_n(key, strlen(key));
    map->items[map->len++] = item;
}

Value *val_find(const Value *map, const char *key, size_t n)
{
    size_t i = map->type == VAL_MAP ? index_of(map, key, n) : map->len;
    return i < map->len ? map->items[i] : NULL;
}

bool val_truth(const Value *v)
{
    switch (v->type) {
    case VAL_NONE: return false;
    case VAL_BOOL: case VAL_INT: return v->num != 0;
    default:       return v->len > 0;
    }
}

int val_compare(const Value *a, const Value *b)
{
    bool na = a->type == VAL_INT || a->type == VAL_BOOL;
    bool nb = b->type == VAL_INT || b->type == VAL_BOOL;
    if (na && nb)
        return (a->num > b->num) - (a->num < b->num);
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    if (a->type == VAL_STR)
        return strcmp(a->str, b->str);
    if (a->type == VAL_NONE)
        return 0;
    for (size_t i = 0; i < a->len && i < b->len; i++) {
        int c = val_compare(a->items[i], b->items[i]);
        if (c)
            return c;
    }
    return (a->len > b->len) - (a->len < b->len);
}

void out_add(Out *o, const char *s, size_t n)
{
    if (o->n + n + 1 > o->cap) {
        o->cap = (o->n + n + 32) * 2;
        o->s = realloc(o->s, o->cap);
        if (!o->s)
            abort();
    }
    memcpy(o->s + o->n, s, n);
    o->n += n;
    o->s[o->n] = '\0';
}

void out_str(Out *o, const char *s) { out_add(o, s, strlen(s)); }

void out_value(Out *o, const Value *v)
{
    char tmp[32];
    switch (v->type) {
    case VAL_NONE: break;
    case VAL_BOOL: out_str(o, v->num ? "true" : "false"); break;
    case VAL_INT:
        snprintf(tmp, sizeof tmp, "%ld", v->num);
        out_str(o, tmp);
        break;
    case VAL_STR: out_add(o, v->str, v->len); break;
    case VAL_LIST: case VAL_MAP:
        out_str(o, v->type == VAL_LIST ? "[" : "{");
        for (size_t i = 0; i < v->len; i++) {
            out_str(o, i ? ", " : "");
            if (v->keys) {
                out_str(o, v->keys[i]);
                out_str(o, ": ");
            }
            out_value(o, v->items[i]);
        }
        out_str(o, v->type == VAL_LIST ? "]" : "}");
        break;
    }
}
