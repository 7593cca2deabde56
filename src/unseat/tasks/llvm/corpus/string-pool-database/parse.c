/* SPDX-License-Identifier: Apache-2.0
 *
 * parse.c - the lexer and a precedence-climbing expression parser.
 */
#include "db.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void lexTextLiteral(Lexer *l)
{
    char *buffer = scratch(strlen(l->at) + 1);
    int n = 0;
    l->at++;
    for (;;) {
        char c = *l->at;
        if (!c)
            dbFail("unterminated text");
        l->at++;
        if (c == '\'') {
            if (*l->at != '\'')
                break;
            l->at++;        /* a doubled quote stands for one */
        }
        buffer[n++] = c;
    }
    l->kind = K_TEXT;
    l->text = strIntern(buffer, n);
}

void lexNext(Lexer *l)
{
    static const struct { char text[3]; int sign; } pairs[] = {
        { "<=", OP_LE }, { ">=", OP_GE }, { "<>", OP_NE }, { "!=", OP_NE },
    };
    while (isspace((unsigned char)*l->at))
        l->at++;
    const char *s = l->at;
    if (!*s) {
        l->kind = K_END;
    } else if (isalpha((unsigned char)*s) || *s == '_') {
        while (isalnum((unsigned char)*l->at) || *l->at == '_')
            l->at++;
        l->kind = K_NAME;
        l->text = strIntern(s, (int)(l->at - s));
    } else if (isdigit((unsigned char)*s)) {
        l->kind = K_INT;
        l->number = 0;
        for (; isdigit((unsigned char)*l->at); l->at++) {
            l->number = l->number * 10 + (*l->at - '0');
            if (l->number > 1000000000000)
                dbFail("number too large");
        }
    } else if (*s == '\'') {
        lexTextLiteral(l);
    } else {
        l->kind = K_SIGN;
        for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
            if (!strncmp(s, pairs[i].text, 2)) {
                l->sign = pairs[i].sign;
                l->at += 2;
                return;
            }
        if (!strchr("()=<>+-*/%,.", *s))
            dbFail("stray character '%c'", *s);
        l->sign = *l->at++;
    }
}

void lexStart(Lexer *l, const char *sql)
{
    l->at = sql;
    lexNext(l);
}

bool lexWord(Lexer *l, const char *word)
{
    if (l->kind != K_NAME || strcmp(strText(l->text), word))
        return false;
    lexNext(l);
    return true;
}

bool lexSign(Lexer *l, int sign)
{
    if (l->kind != K_SIGN || l->sign != sign)
        return false;
    lexNext(l);
    return true;
}

void lexNeedWord(Lexer *l, const char *word)
{
    if (!lexWord(l, word))
        dbFail("expected %s", word);
}

void lexNeedSign(Lexer *l, int sign)
{
    if (!lexSign(l, sign))
        dbFail("expected '%c'", sign);
}

StrId lexName(Lexer *l)
{
    if (l->kind != K_NAME)
        dbFail("expected a name");
    StrId id = l->text;
    lexNext(l);
    return id;
}

static Expr *node(ExprKind kind, Expr *a, Expr *b)
{
    Expr *e = scratch(sizeof *e);
    e->kind = kind;
    e->kid[0] = a;
    e->kid[1] = b;
    e->slot = -1;
    return e;
}

static Expr *constant(Type t, int64_t v)
{
    Expr *e = node(E_CONST, NULL, NULL);
    e->value = (Value){ t, v };
    return e;
}

static Expr *parseNamed(Lexer *l)
{
    StrId first = lexName(l);
    const char *word = strText(first);
    if (!strcmp(word, "null"))
        return constant(T_NULL, 0);
    if (!strcmp(word, "true") || !strcmp(word, "false"))
        return constant(T_BOOL, word[0] == 't');
    Expr *e = node(E_COLUMN, NULL, NULL);
    e->name = first;
    e->table = strIntern("", 0);
    if (lexSign(l, '(')) {
        e->kind = E_CALL;
        if (!lexSign(l, '*'))
            e->kid[0] = parseExpr(l);
        lexNeedSign(l, ')');
    } else if (lexSign(l, '.')) {
        e->table = first;
        e->name = lexName(l);
    }
    return e;
}

static Expr *parsePrimary(Lexer *l)
{
    if (l->kind == K_INT) {
        Expr *e = constant(T_INT, l->number);
        lexNext(l);
        return e;
    }
    if (l->kind == K_TEXT) {
        Expr *e = constant(T_TEXT, l->text);
        lexNext(l);
        return e;
    }
    if (lexSign(l, '-'))
        return node(E_NEG, parsePrimary(l), NULL);
    if (lexSign(l, '(')) {
        Expr *e = parseExpr(l);
        lexNeedSign(l, ')');
        return e;
    }
    return parseNamed(l);
}

static const struct { const char *word; int op, power; } operators[] = {
    { "or", OP_OR, 1 }, { "and", OP_AND, 2 }, { "=", '=', 4 }, { "<>", OP_NE, 4 },
    { "<", '<', 4 }, { ">", '>', 4 }, { "<=", OP_LE, 4 }, { ">=", OP_GE, 4 },
    { "like", OP_LIKE, 4 }, { "+", '+', 5 }, { "-", '-', 5 }, { "*", '*', 6 },
    { "/", '/', 6 }, { "%", '%', 6 },
};

static int operatorAt(const Lexer *l)
{
    for (int i = 0; i < (int)(sizeof operators / sizeof operators[0]); i++) {
        if (l->kind == K_SIGN ? l->sign == operators[i].op
                              : l->kind == K_NAME && !strcmp(strText(l->text), operators[i].word))
            return i;
    }
    return -1;
}

static Expr *climb(Lexer *l, int least)
{
    Expr *left;
    if (lexWord(l, "not"))
        left = node(E_NOT, climb(l, 3), NULL);
    else
        left = parsePrimary(l);
    for (;;) {
        if (least <= 4 && lexWord(l, "is")) {
            bool negate = lexWord(l, "not");
            lexNeedWord(l, "null");
            left = node(E_ISNULL, left, NULL);
            if (negate)
                left = node(E_NOT, left, NULL);
            continue;
        }
        int i = operatorAt(l);
        if (i < 0 || operators[i].power < least)
            return left;
        lexNext(l);
        left = node(E_BINARY, left, climb(l, operators[i].power + 1));
        left->op = operators[i].op;
    }
}

Expr *parseExpr(Lexer *l) { return climb(l, 1); }

static const char *operatorWord(int op)
{
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (operators[i].op == op)
            return operators[i].word;
    return "?";
}

/* Fully bracketed text of an expression, for column titles and tests. */
void exprText(const Expr *e, char *out, int size)
{
    char a[96] = "", b[96] = "";
    if (e->kid[0])
        exprText(e->kid[0], a, sizeof a);
    if (e->kid[1])
        exprText(e->kid[1], b, sizeof b);
    switch (e->kind) {
    case E_CONST:
        if (e->value.type == T_INT)
            snprintf(out, (size_t)size, "%lld", (long long)e->value.v);
        else if (e->value.type == T_TEXT)
            snprintf(out, (size_t)size, "'%s'", strText((StrId)e->value.v));
        else
            snprintf(out, (size_t)size, "%s", e->value.type == T_NULL ? "null" : e->value.v ? "true" : "false");
        break;
    case E_COLUMN: snprintf(out, (size_t)size, "%s", strText(e->name)); break;
    case E_NOT: snprintf(out, (size_t)size, "not %s", a); break;
    case E_NEG: snprintf(out, (size_t)size, "-%s", a); break;
    case E_ISNULL: snprintf(out, (size_t)size, "%s is null", a); break;
    case E_CALL: snprintf(out, (size_t)size, "%s(%s)", strText(e->name), e->kid[0] ? a : "*"); break;
    case E_BINARY: snprintf(out, (size_t)size, "(%s %s %s)", a, operatorWord(e->op), b); break;
    }
}
