/* parse.c - tokens and precedence-climbing parser for SELECT statements. */
#include "csvq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { T_END, T_WORD, T_NUMBER, T_STRING, T_SYMBOL } TokenKind;

typedef struct {
    Query *q;
    const Table *t;
    const char *at;           /* start of the unread text */
    TokenKind kind;
    const char *tok;
    size_t len;
    long long num;
    char *string_end;         /* free part of q->strings */
    jmp_buf fail;
} Parser;

static _Noreturn void die(Parser *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p->q->err, sizeof p->q->err, fmt, ap);
    va_end(ap);
    longjmp(p->fail, 1);
}

static bool word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

static void next(Parser *p)
{
    const char *s = p->at + strspn(p->at, " \t\n"), *start = s;
    p->tok = s;
    if (!*s) {
        p->kind = T_END;
    } else if (*s >= '0' && *s <= '9') {
        p->kind = T_NUMBER;
        for (p->num = 0; *s >= '0' && *s <= '9'; s++) {
            if (p->num > 100000000000000000LL)
                die(p, "number too large");
            p->num = p->num * 10 + (*s - '0');
        }
    } else if (word_char(*s)) {
        p->kind = T_WORD;
        while (word_char(*s))
            s++;
    } else if (*s == '\'') {
        p->kind = T_STRING;
        p->tok = p->string_end;
        for (s++; *s != '\'' || s[1] == '\''; s++) {
            if (!*s)
                die(p, "unterminated string");
            s += *s == '\'';
            *p->string_end++ = *s;
        }
        *p->string_end++ = '\0';
        s++;
    } else {
        p->kind = T_SYMBOL;
        s += (s[0] == '<' && (s[1] == '>' || s[1] == '=')) || (s[0] == '>' && s[1] == '=') ? 2 : 1;
    }
    p->len = (size_t)(s - start);
    p->at = s;
}

static bool is(const Parser *p, const char *what)
{
    return (p->kind == T_WORD || p->kind == T_SYMBOL) && strlen(what) == p->len &&
           memcmp(p->tok, what, p->len) == 0;
}

static bool take(Parser *p, const char *what)
{
    if (!is(p, what))
        return false;
    next(p);
    return true;
}

static void need(Parser *p, const char *what)
{
    if (!take(p, what))
        die(p, "'%s' expected at '%.12s'", what, p->kind == T_STRING ? "(string)" : p->tok);
}

static Expr *make(Parser *p, ExprKind kind, Expr *left, Expr *right)
{
    Expr *e = calloc(1, sizeof *e);
    if (!e)
        abort();
    e->kind = kind;
    e->left = left;
    e->right = right;
    e->all = p->q->pool;
    p->q->pool = e;
    return e;
}

static Expr *parse_expr(Parser *p, int level);

static const struct { const char *name; ExprKind kind; } functions[] = {
    { "count", E_COUNT }, { "sum", E_SUM }, { "min", E_MIN }, { "max", E_MAX },
    { "length", E_LENGTH }, { "abs", E_ABS },
};

static Expr *parse_call(Parser *p, const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        ExprKind kind = functions[i].kind;
        if (strlen(functions[i].name) != len || memcmp(functions[i].name, name, len))
            continue;
        if (kind >= E_COUNT && kind <= E_MAX)
            p->q->aggregate = true;
        if (kind == E_COUNT && take(p, "*")) {
            need(p, ")");
            return make(p, E_COUNT_ALL, NULL, NULL);
        }
        Expr *arg = parse_expr(p, 0);
        need(p, ")");
        return make(p, kind, arg, NULL);
    }
    die(p, "unknown function '%.*s'", (int)(len > 30 ? 30 : len), name);
}

static Expr *parse_primary(Parser *p)
{
    Expr *e;
    const char *name = p->tok;
    size_t len = p->len;
    if (take(p, "(")) {
        e = parse_expr(p, 0);
        need(p, ")");
        return e;
    }
    if (take(p, "-"))
        return make(p, E_NEG, parse_primary(p), NULL);
    switch (p->kind) {
    case T_NUMBER:
        e = make(p, E_CONST, NULL, NULL);
        e->value.kind = V_INT;
        e->value.num = p->num;
        next(p);
        return e;
    case T_STRING:
        e = make(p, E_CONST, NULL, NULL);
        e->value.kind = V_TEXT;
        e->value.text = name;
        next(p);
        return e;
    case T_WORD:
        next(p);
        if (take(p, "("))
            return parse_call(p, name, len);
        e = make(p, E_COLUMN, NULL, NULL);
        e->column = table_column(p->t, name, len);
        if (e->column < 0)
            die(p, "unknown column '%.*s'", (int)(len > 30 ? 30 : len), name);
        return e;
    default:
        die(p, "expression expected at '%.12s'", p->kind == T_END ? "(end)" : p->tok);
    }
}

static const struct { const char *text; ExprKind kind; int level; } operators[] = {
    { "or", E_OR, 1 }, { "and", E_AND, 2 }, { "=", E_EQ, 4 }, { "<>", E_NE, 4 },
    { "<=", E_LE, 4 }, { ">=", E_GE, 4 }, { "<", E_LT, 4 }, { ">", E_GT, 4 },
    { "like", E_LIKE, 4 }, { "+", E_ADD, 5 }, { "-", E_SUB, 5 }, { "*", E_MUL, 6 },
    { "/", E_DIV, 6 }, { "%", E_MOD, 6 },
};

static Expr *parse_expr(Parser *p, int level)
{
    Expr *left = level <= 3 && take(p, "not") ? make(p, E_NOT, parse_expr(p, 3), NULL)
                                              : parse_primary(p);
    for (;;) {
        size_t i, n = sizeof operators / sizeof *operators;
        if (level <= 4 && take(p, "is")) {
            bool negate = take(p, "not");
            need(p, "null");
            left = make(p, E_IS_NULL, left, NULL);
            if (negate)
                left = make(p, E_NOT, left, NULL);
            continue;
        }
        for (i = 0; i < n; i++)
            if (operators[i].level >= level && is(p, operators[i].text))
                break;
        if (i == n)
            return left;
        next(p);
        Expr *right = parse_expr(p, operators[i].level + 1);
        left = make(p, operators[i].kind, left, right);
    }
}

static int parse_list(Parser *p, Expr **out)
{
    int n = 0;
    do {
        if (n == MAX_OUT)
            die(p, "too many expressions");
        out[n++] = parse_expr(p, 0);
    } while (take(p, ","));
    return n;
}

static void parse_order(Parser *p)
{
    Query *q = p->q;
    need(p, "by");
    do {
        if (q->norder == MAX_OUT)
            die(p, "too many order keys");
        Expr *e = parse_expr(p, 0);
        if (e->kind == E_CONST && e->value.kind == V_INT) {     /* ordinal */
            if (e->value.num < 1 || e->value.num > q->nselect)
                die(p, "no result column %lld", e->value.num);
            e = q->select[e->value.num - 1];
        }
        q->descending[q->norder] = take(p, "desc");
        if (!q->descending[q->norder])
            take(p, "asc");
        q->order[q->norder++] = e;
    } while (take(p, ","));
}

int query_parse(Query *q, const Table *t, const char *text)
{
    Parser *p = calloc(1, sizeof *p);
    int status = 0;
    memset(q, 0, sizeof *q);
    q->limit = -1;
    q->strings = malloc(strlen(text) + 2);
    if (!p || !q->strings)
        abort();
    p->q = q;
    p->t = t;
    p->at = text;
    p->string_end = q->strings;
    if (setjmp(p->fail) == 0) {
        next(p);
        need(p, "select");
        q->nselect = parse_list(p, q->select);
        if (take(p, "where")) {
            bool before = q->aggregate;
            q->aggregate = false;
            q->where = parse_expr(p, 0);
            if (q->aggregate)
                die(p, "aggregate in where");
            q->aggregate = before;
        }
        if (take(p, "group")) {
            need(p, "by");
            q->ngroup = parse_list(p, q->group);
            q->aggregate = true;
        }
        if (take(p, "having"))
            q->having = parse_expr(p, 0);
        if (take(p, "order"))
            parse_order(p);
        if (take(p, "limit")) {
            if (p->kind != T_NUMBER)
                die(p, "limit needs a number");
            q->limit = p->num;
            next(p);
        }
        if (p->kind != T_END)
            die(p, "unexpected '%.12s'", p->kind == T_STRING ? "(string)" : p->tok);
    } else {
        status = -1;
    }
    free(p);
    return status;
}

void query_free(Query *q)
{
    while (q->pool) {
        Expr *next_expr = q->pool->all;
        free(q->pool);
        q->pool = next_expr;
    }
    free(q->strings);
}
