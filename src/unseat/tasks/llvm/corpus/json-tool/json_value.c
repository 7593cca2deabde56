/* json_value.c - constructors, containers, equality and hashing. */
#include "json.h"

#include <string.h>

enum { INDEX_THRESHOLD = 8 };      /* objects this large get a hash index */
#define SLOT_EMPTY UINT32_MAX

static uint32_t hash_bytes(const char *p, size_t n)
{
    uint32_t h = 2166136261u;
    while (n--) {
        h ^= (unsigned char)*p++;
        h *= 16777619u;
    }
    return h;
}

jv_str jv_str_of(const char *s, size_t len)
{
    jv_str r = { s, (uint32_t)len, hash_bytes(s, len) };
    return r;
}

static bool str_eq(jv_str a, jv_str b)
{
    return a.hash == b.hash && a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

jv *jv_new(arena *a, jv_kind kind)
{
    jv *v = arena_alloc(a, sizeof *v);
    memset(v, 0, sizeof *v);
    v->kind = kind;
    return v;
}

jv *jv_int(arena *a, int64_t n)
{
    jv *v = jv_new(a, JV_INT);
    v->u.integer = n;
    return v;
}

jv *jv_text(arena *a, const char *s)
{
    jv *v = jv_new(a, JV_STRING);
    size_t len = strlen(s);
    v->u.string = jv_str_of(arena_dup(a, s, len), len);
    return v;
}

/* The arena cannot shrink or extend, so growing copies to a fresh area. */
static void *grow(arena *a, void *old, uint32_t count, uint32_t *cap, size_t elem)
{
    if (count < *cap)
        return old;
    *cap = *cap ? *cap * 2 : 4;
    void *fresh = arena_alloc(a, *cap * elem);
    if (count)
        memcpy(fresh, old, count * elem);
    return fresh;
}

void jv_push(arena *a, jv *array, jv *item)
{
    array->u.items = grow(a, array->u.items, array->count, &array->cap, sizeof(jv *));
    array->u.items[array->count++] = item;
}

void jv_insert(arena *a, jv *array, uint32_t at, jv *item)
{
    jv_push(a, array, item);
    for (uint32_t i = array->count - 1; i > at; i--)
        array->u.items[i] = array->u.items[i - 1];
    array->u.items[at] = item;
}

void jv_remove_at(jv *array, uint32_t at)
{
    for (uint32_t i = at + 1; i < array->count; i++)
        array->u.items[i - 1] = array->u.items[i];
    array->count--;
}

static void index_put(jv *object, uint32_t slot_value)
{
    uint32_t mask = object->u.obj.index_cap - 1;
    uint32_t i = object->u.obj.members[slot_value].key.hash & mask;
    while (object->u.obj.index[i] != SLOT_EMPTY)
        i = (i + 1) & mask;
    object->u.obj.index[i] = slot_value;
}

static void index_refill(jv *object)
{
    for (uint32_t i = 0; i < object->u.obj.index_cap; i++)
        object->u.obj.index[i] = SLOT_EMPTY;
    for (uint32_t i = 0; i < object->count; i++)
        index_put(object, i);
}

static void index_ensure(arena *a, jv *object)
{
    if (object->count < INDEX_THRESHOLD)
        return;
    if (object->u.obj.index_cap < object->count * 2) {
        object->u.obj.index_cap = 16;
        while (object->u.obj.index_cap < object->count * 4)
            object->u.obj.index_cap *= 2;
        object->u.obj.index = arena_alloc(a, object->u.obj.index_cap * sizeof(uint32_t));
        index_refill(object);
    } else {
        index_put(object, object->count - 1);
    }
}

static uint32_t find_member(const jv *object, jv_str key)
{
    if (object->u.obj.index_cap) {
        uint32_t mask = object->u.obj.index_cap - 1, i = key.hash & mask;
        for (; object->u.obj.index[i] != SLOT_EMPTY; i = (i + 1) & mask)
            if (str_eq(object->u.obj.members[object->u.obj.index[i]].key, key))
                return object->u.obj.index[i];
        return SLOT_EMPTY;
    }
    for (uint32_t i = 0; i < object->count; i++)
        if (str_eq(object->u.obj.members[i].key, key))
            return i;
    return SLOT_EMPTY;
}

void jv_set(arena *a, jv *object, jv_str key, jv *value)
{
    uint32_t at = find_member(object, key);
    if (at != SLOT_EMPTY) {
        object->u.obj.members[at].value = value;
        return;
    }
    object->u.obj.members = grow(a, object->u.obj.members, object->count,
                                 &object->cap, sizeof(jv_member));
    object->u.obj.members[object->count].key = key;
    object->u.obj.members[object->count].value = value;
    object->count++;
    index_ensure(a, object);
}

jv *jv_get(const jv *object, jv_str key)
{
    uint32_t at = find_member(object, key);
    return at == SLOT_EMPTY ? NULL : object->u.obj.members[at].value;
}

bool jv_unset(jv *object, jv_str key)
{
    uint32_t at = find_member(object, key);
    if (at == SLOT_EMPTY)
        return false;
    for (uint32_t i = at + 1; i < object->count; i++)
        object->u.obj.members[i - 1] = object->u.obj.members[i];
    object->count--;
    if (object->u.obj.index_cap)
        index_refill(object);
    return true;
}

bool jv_equal(const jv *x, const jv *y)
{
    if (x == y)
        return true;
    if (x->kind != y->kind)
        return false;
    switch (x->kind) {
    case JV_NULL: case JV_FALSE: case JV_TRUE:
        return true;
    case JV_INT:
        return x->u.integer == y->u.integer;
    case JV_REAL:
        return x->u.real == y->u.real;
    case JV_STRING:
        return str_eq(x->u.string, y->u.string);
    case JV_ARRAY:
        if (x->count != y->count)
            return false;
        for (uint32_t i = 0; i < x->count; i++)
            if (!jv_equal(x->u.items[i], y->u.items[i]))
                return false;
        return true;
    case JV_OBJECT:
        if (x->count != y->count)
            return false;
        for (uint32_t i = 0; i < x->count; i++) {
            const jv *other = jv_get(y, x->u.obj.members[i].key);
            if (!other || !jv_equal(x->u.obj.members[i].value, other))
                return false;
        }
        return true;
    }
    return false;
}

jv *jv_clone(arena *a, const jv *v)
{
    jv *copy = jv_new(a, v->kind);
    if (v->kind == JV_ARRAY) {
        for (uint32_t i = 0; i < v->count; i++)
            jv_push(a, copy, jv_clone(a, v->u.items[i]));
    } else if (v->kind == JV_OBJECT) {
        for (uint32_t i = 0; i < v->count; i++)
            jv_set(a, copy, v->u.obj.members[i].key, jv_clone(a, v->u.obj.members[i].value));
    } else {
        copy->u = v->u;
    }
    return copy;
}

static uint64_t mix(uint64_t h, uint64_t x)
{
    h ^= x + 0x9e3779b97f4a7c15u + (h << 6) + (h >> 2);
    h *= 0xff51afd7ed558ccdu;
    return h ^ (h >> 32);
}

/* Order of object members must not matter, hence the plain sum. */
uint64_t jv_hash(const jv *v)
{
    uint64_t h = mix(17, (uint64_t)v->kind), sum = 0, bits;
    switch (v->kind) {
    case JV_INT:
        return mix(h, (uint64_t)v->u.integer);
    case JV_REAL:
        memcpy(&bits, &v->u.real, sizeof bits);
        return mix(h, bits);
    case JV_STRING:
        return mix(h, v->u.string.hash);
    case JV_ARRAY:
        for (uint32_t i = 0; i < v->count; i++)
            h = mix(h, jv_hash(v->u.items[i]));
        return h;
    case JV_OBJECT:
        for (uint32_t i = 0; i < v->count; i++)
            sum += mix(v->u.obj.members[i].key.hash, jv_hash(v->u.obj.members[i].value));
        return mix(h, sum);
    default:
        return h;
    }
}

const char *jv_kind_name(jv_kind k)
{
    static const char *const names[] = { "null", "false", "true", "integer", "real",
                                         "string", "array", "object" };
    return names[k];
}
