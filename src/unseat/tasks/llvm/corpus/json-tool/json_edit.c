/* json_edit.c - pointers (RFC 6901 style), merge patches, and a differ whose
 * edit scripts use the operations add, remove and replace. */
#include "json.h"

#include <stdio.h>
#include <string.h>

/* Decodes one reference token ("~0" is "~", "~1" is "/"). */
static const char *next_token(const char *s, char *buf, size_t cap, size_t *len)
{
    size_t n = 0;
    for (s++; *s && *s != '/'; s++) {
        char c = *s;
        if (c == '~' && (s[1] == '0' || s[1] == '1'))
            c = *++s == '0' ? '~' : '/';
        if (n + 1 < cap)
            buf[n++] = c;
    }
    buf[n] = '\0';
    *len = n;
    return s;
}

static bool token_index(const char *tok, uint32_t *out)
{
    uint32_t v = 0;
    if (!*tok || (tok[0] == '0' && tok[1]))
        return false;
    for (; *tok; tok++) {
        if (*tok < '0' || *tok > '9' || v > 100000000)
            return false;
        v = v * 10 + (uint32_t)(*tok - '0');
    }
    *out = v;
    return true;
}

static jv *step(jv *at, const char *tok, size_t len)
{
    uint32_t i;
    if (at->kind == JV_OBJECT)
        return jv_get(at, jv_str_of(tok, len));
    if (at->kind == JV_ARRAY && token_index(tok, &i) && i < at->count)
        return at->u.items[i];
    return NULL;
}

jv *json_pointer(jv *root, const char *pointer)
{
    char tok[128];
    size_t len;
    if (*pointer && *pointer != '/')
        return NULL;
    while (root && *pointer) {
        pointer = next_token(pointer, tok, sizeof tok, &len);
        root = step(root, tok, len);
    }
    return root;
}

jv *json_merge_patch(arena *a, jv *target, const jv *patch)
{
    if (patch->kind != JV_OBJECT)
        return jv_clone(a, patch);
    if (!target || target->kind != JV_OBJECT)
        target = jv_new(a, JV_OBJECT);
    for (uint32_t i = 0; i < patch->count; i++) {
        const jv_member *m = &patch->u.obj.members[i];
        if (m->value->kind == JV_NULL)
            jv_unset(target, m->key);
        else
            jv_set(a, target, m->key,
                   json_merge_patch(a, jv_get(target, m->key), m->value));
    }
    return target;
}

typedef struct { arena *mem; jv *ops; char path[512]; size_t len; } differ;

static void emit(differ *d, const char *op, const jv *value)
{
    jv *o = jv_new(d->mem, JV_OBJECT);
    jv_set(d->mem, o, jv_str_of("op", 2), jv_text(d->mem, op));
    jv_set(d->mem, o, jv_str_of("path", 4), jv_text(d->mem, d->path));
    if (value)
        jv_set(d->mem, o, jv_str_of("value", 5), jv_clone(d->mem, value));
    jv_push(d->mem, d->ops, o);
}

static size_t enter(differ *d, const char *tok, size_t len)
{
    size_t saved = d->len;
    char *w = d->path + d->len, *limit = d->path + sizeof d->path - 3;
    *w++ = '/';
    for (size_t i = 0; i < len && w < limit; i++) {
        if (tok[i] == '~' || tok[i] == '/') {
            *w++ = '~';
            *w++ = tok[i] == '~' ? '0' : '1';
        } else {
            *w++ = tok[i];
        }
    }
    *w = '\0';
    d->len = (size_t)(w - d->path);
    return saved;
}

static size_t enter_index(differ *d, uint32_t i)
{
    char tmp[16];
    int n = snprintf(tmp, sizeof tmp, "%u", (unsigned)i);
    return enter(d, tmp, (size_t)n);
}

static void leave(differ *d, size_t saved)
{
    d->len = saved;
    d->path[saved] = '\0';
}

static void diff_value(differ *d, const jv *from, const jv *to);

static void diff_objects(differ *d, const jv *from, const jv *to)
{
    size_t saved;
    for (uint32_t i = 0; i < from->count; i++) {
        const jv_member *m = &from->u.obj.members[i];
        const jv *other = jv_get(to, m->key);
        saved = enter(d, m->key.ptr, m->key.len);
        if (other)
            diff_value(d, m->value, other);
        else
            emit(d, "remove", NULL);
        leave(d, saved);
    }
    for (uint32_t i = 0; i < to->count; i++) {
        const jv_member *m = &to->u.obj.members[i];
        if (jv_get(from, m->key))
            continue;
        saved = enter(d, m->key.ptr, m->key.len);
        emit(d, "add", m->value);
        leave(d, saved);
    }
}

/* Trims the common head and tail, then pairs up what is left. */
static void diff_arrays(differ *d, const jv *from, const jv *to)
{
    uint32_t head = 0, fn = from->count, tn = to->count, i;
    while (head < fn && head < tn && jv_equal(from->u.items[head], to->u.items[head]))
        head++;
    while (fn > head && tn > head && jv_equal(from->u.items[fn - 1], to->u.items[tn - 1]))
        fn--, tn--;
    for (i = head; i < fn && i < tn; i++) {
        size_t saved = enter_index(d, i);
        diff_value(d, from->u.items[i], to->u.items[i]);
        leave(d, saved);
    }
    for (uint32_t k = fn; k > tn; k--) {
        size_t saved = enter_index(d, k - 1);
        emit(d, "remove", NULL);
        leave(d, saved);
    }
    for (uint32_t k = fn; k < tn; k++) {
        size_t saved = enter_index(d, k);
        emit(d, "add", to->u.items[k]);
        leave(d, saved);
    }
}

static void diff_value(differ *d, const jv *from, const jv *to)
{
    if (d->len > sizeof d->path - 160) {      /* too deep to name: replace whole */
        if (!jv_equal(from, to))
            emit(d, "replace", to);
    } else if (from->kind == JV_OBJECT && to->kind == JV_OBJECT) {
        diff_objects(d, from, to);
    } else if (from->kind == JV_ARRAY && to->kind == JV_ARRAY) {
        diff_arrays(d, from, to);
    } else if (!jv_equal(from, to)) {
        emit(d, "replace", to);
    }
}

jv *json_diff(arena *a, const jv *from, const jv *to)
{
    differ d = { a, jv_new(a, JV_ARRAY), "", 0 };
    diff_value(&d, from, to);
    return d.ops;
}

static const char *apply_at(arena *a, jv *parent, const char *op, const char *tok,
                            size_t len, const jv *value)
{
    bool add = !strcmp(op, "add"), replace = !strcmp(op, "replace");
    if (!add && !replace && strcmp(op, "remove"))
        return "unknown operation";
    if ((add || replace) && !value)
        return "operation lacks a value";
    if (parent->kind == JV_OBJECT) {
        jv_str key = jv_str_of(tok, len);
        if (!add && !jv_get(parent, key))
            return "no such member";
        if (add || replace)
            jv_set(a, parent, jv_str_of(arena_dup(a, tok, len), len), jv_clone(a, value));
        else
            jv_unset(parent, key);
        return NULL;
    }
    if (parent->kind == JV_ARRAY) {
        uint32_t i = parent->count;
        if (!(add && !strcmp(tok, "-")) && !token_index(tok, &i))
            return "bad array index";
        if (i > parent->count || (!add && i == parent->count))
            return "array index out of range";
        if (add)
            jv_insert(a, parent, i, jv_clone(a, value));
        else if (replace)
            parent->u.items[i] = jv_clone(a, value);
        else
            jv_remove_at(parent, i);
        return NULL;
    }
    return "parent is not a container";
}

static const char *apply_one(arena *a, jv **root, const jv *o)
{
    if (o->kind != JV_OBJECT)
        return "operation is not an object";
    const jv *op = jv_get(o, jv_str_of("op", 2)), *path = jv_get(o, jv_str_of("path", 4));
    const jv *value = jv_get(o, jv_str_of("value", 5));
    if (!op || op->kind != JV_STRING || !path || path->kind != JV_STRING)
        return "operation lacks op or path";
    const char *s = path->u.string.ptr;
    if (!*s) {                                   /* the whole document */
        if (!value)
            return "cannot remove the root";
        *root = jv_clone(a, value);
        return NULL;
    }
    if (*s != '/')
        return "bad pointer";
    char tok[128];
    size_t len;
    jv *parent = *root;
    while (*(s = next_token(s, tok, sizeof tok, &len)))
        if (!(parent = step(parent, tok, len)))
            return "path does not exist";
    return apply_at(a, parent, op->u.string.ptr, tok, len, value);
}

jv *json_apply(arena *a, jv *root, const jv *ops, const char **err)
{
    *err = ops->kind == JV_ARRAY ? NULL : "patch is not an array";
    for (uint32_t i = 0; !*err && i < ops->count; i++)
        *err = apply_one(a, &root, ops->u.items[i]);
    return *err ? NULL : root;
}
