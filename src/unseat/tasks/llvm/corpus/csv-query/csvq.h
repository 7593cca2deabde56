/* csvq.h - a CSV table and a SELECT language over it. */
#ifndef CSVQ_H
#define CSVQ_H

#include <stdbool.h>
#include <stddef.h>

typedef enum { V_NULL, V_INT, V_TEXT } ValueKind;
typedef struct { ValueKind kind; long long num; const char *text; } Value;

typedef struct {
    char *storage;            /* unquoted field bytes, NUL-separated */
    Value *cells;             /* row-major */
    const char **names;
    int ncols, nrows;
} Table;

/* table.c */
int  table_parse(Table *t, const char *csv, size_t len, char err[80]);
void table_free(Table *t);
int  table_column(const Table *t, const char *name, size_t len);
int  value_compare(Value a, Value b);
unsigned value_hash(Value v);

/* Expressions. */
typedef enum {
    E_COLUMN, E_CONST, E_NEG, E_NOT, E_ADD, E_SUB, E_MUL, E_DIV, E_MOD,
    E_EQ, E_NE, E_LT, E_LE, E_GT, E_GE, E_LIKE, E_IS_NULL, E_AND, E_OR,
    E_COUNT_ALL, E_COUNT, E_SUM, E_MIN, E_MAX, E_LENGTH, E_ABS
} ExprKind;

typedef struct Expr {
    ExprKind kind;
    int column;
    Value value;
    struct Expr *left, *right;
    struct Expr *all;         /* chain of everything, for freeing */
} Expr;

#define MAX_OUT 8

typedef struct {
    Expr *select[MAX_OUT], *where, *group[MAX_OUT], *having, *order[MAX_OUT];
    bool descending[MAX_OUT];
    int nselect, ngroup, norder;
    long long limit;          /* negative: none */
    bool aggregate;
    Expr *pool;
    char *strings;            /* text of string constants */
    char err[80];
} Query;

/* parse.c */
int  query_parse(Query *q, const Table *t, const char *text);
void query_free(Query *q);

/* exec.c: calls `row` once a result row, in order; returns their number. */
typedef void (*RowFn)(void *user, const Value *values, int n);
int  query_run(const Query *q, const Table *t, RowFn row, void *user);

#endif
