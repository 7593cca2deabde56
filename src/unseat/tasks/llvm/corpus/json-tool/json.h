/* json.h - document model, parser, printer and editing operations. */
#ifndef JSON_H
#define JSON_H

#include "arena.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum { JV_NULL, JV_FALSE, JV_TRUE, JV_INT, JV_REAL,
               JV_STRING, JV_ARRAY, JV_OBJECT } jv_kind;

typedef struct jv jv;

typedef struct { const char *ptr; uint32_t len; uint32_t hash; } jv_str;

typedef struct { jv_str key; jv *value; } jv_member;

struct jv {
    jv_kind kind;
    uint32_t count, cap;               /* arrays and objects */
    union {
        int64_t    integer;
        double     real;
        jv_str     string;
        jv       **items;
        struct { jv_member *members; uint32_t *index; uint32_t index_cap; } obj;
    } u;
};

typedef struct { const char *message; unsigned line, column; } json_error;

/* json_value.c */
jv      *jv_new(arena *a, jv_kind kind);
jv      *jv_int(arena *a, int64_t v);
jv      *jv_text(arena *a, const char *s);
jv_str   jv_str_of(const char *s, size_t len);
void     jv_push(arena *a, jv *array, jv *item);
void     jv_insert(arena *a, jv *array, uint32_t at, jv *item);
void     jv_remove_at(jv *array, uint32_t at);
void     jv_set(arena *a, jv *object, jv_str key, jv *value);
jv      *jv_get(const jv *object, jv_str key);
bool     jv_unset(jv *object, jv_str key);
bool     jv_equal(const jv *x, const jv *y);
jv      *jv_clone(arena *a, const jv *v);
uint64_t jv_hash(const jv *v);
const char *jv_kind_name(jv_kind k);

/* json_parse.c */
jv *json_parse(arena *a, const char *text, size_t len, json_error *err);

/* json_print.c: result is NUL-terminated, allocated with malloc. */
enum { JSON_PRETTY = 1, JSON_SORT_KEYS = 2, JSON_ASCII = 4 };
char *json_print(const jv *v, unsigned flags, size_t *len_out);

/* json_edit.c */
jv  *json_pointer(jv *root, const char *pointer);
jv  *json_merge_patch(arena *a, jv *target, const jv *patch);
jv  *json_diff(arena *a, const jv *from, const jv *to);
jv  *json_apply(arena *a, jv *root, const jv *ops, const char **err);

#endif
