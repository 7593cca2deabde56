/* tpl.h - text templates: {{ expr|filter:arg }}, {% if/elif/else/end %},
 * {% for x in list %}..{% empty %}..{% end %}, {% set x = e %}, {% include "n" %},
 * {# comments #}. A dash ({{- or -}}) eats the white space on that side. */
#ifndef TPL_H
#define TPL_H

#include <stdbool.h>
#include <stddef.h>

typedef enum { VAL_NONE, VAL_BOOL, VAL_INT, VAL_STR, VAL_LIST, VAL_MAP } ValType;

/* Reference-counted dynamic values. */
typedef struct Value Value;
struct Value {
    int refs;
    ValType type;
    long num;                       /* bool and int */
    char *str;
    size_t len, cap;                /* list and map sizes */
    Value **items;
    char **keys;                    /* map only, parallel to items */
};

Value *val_none(void);
Value *val_bool(bool b);
Value *val_int(long n);
Value *val_str(const char *s);
Value *val_strn(const char *s, size_t n);
Value *val_list(void);
Value *val_map(void);
Value *val_ref(Value *v);
void   val_drop(Value *v);
void   val_append(Value *list, Value *item);                 /* takes the item */
void   val_put(Value *map, const char *key, Value *item);    /* takes the item */
Value *val_find(const Value *map, const char *key, size_t n);/* borrowed or NULL */
bool   val_truth(const Value *v);
int    val_compare(const Value *a, const Value *b);
long   val_live(void);                                       /* leak check */

typedef struct { char *s; size_t n, cap; } Out;
void out_add(Out *o, const char *s, size_t n);
void out_str(Out *o, const char *s);
void out_value(Out *o, const Value *v);

/* Compiled form. */
typedef enum { X_LITERAL, X_NAME, X_FIELD, X_FILTER, X_NOT, X_AND, X_OR, X_EQ, X_NE, X_LT,
               X_GT, X_ADD } XKind;
typedef struct Expr {
    XKind kind;
    struct Expr *left, *right;
    Value *literal;
    char *name;
    const struct Filter *filter;
} Expr;

typedef enum { N_TEXT, N_PRINT, N_IF, N_FOR, N_SET, N_INCLUDE } NodeKind;
typedef struct Node {
    NodeKind kind;
    struct Node *next, *body, *other;    /* other: else part */
    Expr *expr;
    char *text;                          /* text, variable or template name */
} Node;

typedef struct Filter {
    const char *name;
    Value *(*apply)(const Value *in, const Value *arg);
    bool safe;                           /* result is not escaped again */
} Filter;

const Filter *filter_find(const char *name, size_t n);

typedef struct { Node *root; char error[100]; int line; } Template;
bool tpl_compile(Template *t, const char *source);
void tpl_free(Template *t);

typedef const Template *(*TplLoader)(void *user, const char *name);
/* Returns NULL or an error message. */
const char *tpl_render(const Template *t, Value *globals, TplLoader load, void *user, Out *out);

#endif
