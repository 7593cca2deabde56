/* SPDX-License-Identifier: Apache-2.0
 *
 * expr.c - name resolution and evaluation with three-valued logic.
 */
#include "db.h"

#include <string.h>

static const Value nullValue = { T_NULL, 0 };

static Value boolean(bool b) { return (Value){ T_BOOL, b }; }
static Value integer(int64_t v) { return (Value){ T_INT, v }; }

static Aggregate aggregateCode(const Expr *e)
{
    static const char *const names[] = { "count", "sum", "min", "max", "avg" };
    int code = AGG_COUNT;
    while (code < AGG_NONE && (e->kind != E_CALL || strcmp(strText(e->name), names[code])))
        code++;
    return (Aggregate)code;
}

int exprAggregates(Expr *e, Expr **list, int n)
{
    if (!e)
        return n;
    Aggregate code = aggregateCode(e);
    if (code != AGG_NONE) {
        if (n == 8)
            dbFail("too many aggregates");
        if (!e->kid[0] && code != AGG_COUNT)
            dbFail("%s needs an argument", strText(e->name));
        e->slot = n;
        e->op = (int)code;
        list[n] = e;
        return n + 1;
    }
    n = exprAggregates(e->kid[0], list, n);
    return exprAggregates(e->kid[1], list, n);
}

static void resolveColumn(Expr *e, const Scope *s)
{
    int found = 0;
    for (int i = 0; i < s->n; i++) {
        if (strLength(e->table) && s->src[i].alias != e->table)
            continue;
        int c = tableColumn(s->src[i].table, e->name);
        if (c < 0)
            continue;
        e->source = i;
        e->col = c;
        found++;
    }
    if (!found)
        dbFail("no column %s", strText(e->name));
    if (found > 1)
        dbFail("ambiguous column %s", strText(e->name));
}

void exprResolve(Expr *e, const Scope *s)
{
    if (!e)
        return;
    if (e->kind == E_COLUMN)
        resolveColumn(e, s);
    exprResolve(e->kid[0], s);
    exprResolve(e->kid[1], s);
}

/* % matches any run, _ one character. */
static bool like(const char *s, const char *p)
{
    for (; *p; p++, s++) {
        if (*p == '%') {
            for (;; s++) {
                if (like(s, p + 1))
                    return true;
                if (!*s)
                    return false;
            }
        }
        if (!*s || (*p != '_' && *p != *s))
            return false;
    }
    return !*s;
}

static int64_t needInt(Value v)
{
    if (v.type != T_INT)
        dbFail("a number is needed");
    return v.v;
}

static StrId needText(Value v)
{
    if (v.type != T_TEXT)
        dbFail("text is needed");
    return (StrId)v.v;
}

static Value arithmetic(int op, int64_t a, int64_t b)
{
    if (a > 1000000000000000 || a < -1000000000000000 || b > 1000000000000000 || b < -1000000000000000)
        dbFail("number out of range");
    switch (op) {
    case '+': return integer(a + b);
    case '-': return integer(a - b);
    case '*':
        if (a && (b > 1000000000000000 / (a < 0 ? -a : a) || b < -1000000000000000 / (a < 0 ? -a : a)))
            dbFail("number out of range");
        return integer(a * b);
    case '/':
        if (!b)
            dbFail("division by zero");
        return integer(a / b);
    default:
        if (!b)
            dbFail("division by zero");
        return integer(a % b);
    }
}

static Value compare(int op, Value a, Value b)
{
    if (a.type != b.type)
        dbFail("cannot compare different types");
    int c = valueCompare(a, b);
    switch (op) {
    case '=': return boolean(c == 0);
    case OP_NE: return boolean(c != 0);
    case '<': return boolean(c < 0);
    case '>': return boolean(c > 0);
    case OP_LE: return boolean(c <= 0);
    default: return boolean(c >= 0);
    }
}

/* "and" is decided by a false, "or" by a true; null is unknown. */
static Value logic(const Expr *e, const Scope *s)
{
    int64_t decisive = e->op == OP_OR;
    Value a = exprEval(e->kid[0], s);
    if (a.type == T_BOOL && a.v == decisive)
        return a;
    Value b = exprEval(e->kid[1], s);
    if ((a.type != T_BOOL && a.type != T_NULL) || (b.type != T_BOOL && b.type != T_NULL))
        dbFail("a condition is needed");
    if (b.type == T_BOOL && b.v == decisive)
        return b;
    return a.type == T_NULL ? a : b;
}

static Value binary(const Expr *e, const Scope *s)
{
    if (e->op == OP_AND || e->op == OP_OR)
        return logic(e, s);
    Value a = exprEval(e->kid[0], s), b = exprEval(e->kid[1], s);
    if (a.type == T_NULL || b.type == T_NULL)
        return nullValue;
    switch (e->op) {
    case '+':
    case '-':
    case '*':
    case '/':
    case '%': {
        int64_t x = needInt(a), y = needInt(b);
        return arithmetic(e->op, x, y);
    }
    case OP_LIKE:
        return boolean(like(strText(needText(a)), strText(needText(b))));
    default:
        return compare(e->op, a, b);
    }
}

static Value fnLength(Value v) { return integer(strLength(needText(v))); }
static Value fnAbs(Value v) { return integer(needInt(v) < 0 ? -v.v : v.v); }

static Value fnUpper(Value v)
{
    StrId id = needText(v);
    int n = strLength(id);
    char *out = scratch((size_t)n + 1);
    memcpy(out, strText(id), (size_t)n);
    for (int i = 0; i < n; i++)
        if (out[i] >= 'a' && out[i] <= 'z')
            out[i] = (char)(out[i] - 'a' + 'A');
    return (Value){ T_TEXT, strIntern(out, n) };
}

static const struct { const char *name; Value (*fn)(Value); } functions[] = {
    { "length", fnLength }, { "abs", fnAbs }, { "upper", fnUpper },
};

static Value call(const Expr *e, const Scope *s)
{
    if (e->slot >= 0 && s->aggregates)
        return s->aggregates[e->slot];
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (e->kid[0] && !strcmp(strText(e->name), functions[i].name)) {
            Value v = exprEval(e->kid[0], s);
            return v.type == T_NULL ? v : functions[i].fn(v);
        }
    dbFail("cannot call %s here", strText(e->name));
}

Value exprEval(const Expr *e, const Scope *s)
{
    Value v;
    switch (e->kind) {
    case E_CONST:
        return e->value;
    case E_COLUMN:
        return s->src[e->source].row < 0 ? nullValue : tableCell(s->src[e->source].table, s->src[e->source].row, e->col);
    case E_NOT:
        v = exprEval(e->kid[0], s);
        if (v.type != T_NULL && v.type != T_BOOL)
            dbFail("a condition is needed");
        return v.type == T_NULL ? v : boolean(!v.v);
    case E_NEG:
        v = exprEval(e->kid[0], s);
        return v.type == T_NULL ? v : integer(-needInt(v));
    case E_ISNULL:
        return boolean(exprEval(e->kid[0], s).type == T_NULL);
    case E_BINARY:
        return binary(e, s);
    case E_CALL:
        return call(e, s);
    }
    return nullValue;
}

bool exprTrue(const Expr *e, const Scope *s)
{
    if (!e)
        return true;
    Value v = exprEval(e, s);
    return v.type == T_BOOL && v.v;
}
