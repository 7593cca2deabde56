/* model.c - building models, and a reader for a small language:
 *
 *     max 3 x + 2 y;  wood: x + y <= 4;  x >= 1;  int x;  end
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "lp.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lp_clear(LpModel *m, bool maximize)
{
    memset(m, 0, sizeof *m);
    m->maximize = maximize;
}

int lp_variable(LpModel *m, const char *name)
{
    for (int i = 0; i < m->nvars; i++)
        if (strcmp(m->var[i], name) == 0)
            return i;
    if (m->nvars == LP_MAX_VARS)
        return -1;
    snprintf(m->var[m->nvars], LP_NAME, "%.7s", name);
    return m->nvars++;
}

LpRow *lp_add_row(LpModel *m, LpRelation rel, long rhs)
{
    if (m->nrows == LP_MAX_ROWS)
        return NULL;
    LpRow *r = &m->row[m->nrows++];
    memset(r, 0, sizeof *r);
    r->rel = rel;
    r->rhs = rhs;
    snprintf(r->name, LP_NAME, "r%d", m->nrows);
    return r;
}

const char *lp_status_name(LpStatus s)
{
    static const char *const names[] = {
        "optimal", "infeasible", "unbounded", "overflow", "limit reached"
    };
    return names[s];
}

/* ---- scanner ---- */

typedef enum { T_END, T_NAME, T_NUMBER, T_REL, T_PUNCT, T_BAD } TokenKind;

static struct {
    TokenKind kind;
    char text[16];
    long number;
    LpRelation rel;
    int line;
} tok = { .line = 1 };

static int next_char(void)
{
    int c = getchar();
    if (c == '\n')
        tok.line++;
    return c;
}

static void scan_relation(int c)
{
    int d = next_char();
    tok.kind = T_REL;
    tok.rel = c == '<' ? REL_LE : c == '>' ? REL_GE : REL_EQ;
    if (c != '=' && d != '=')
        tok.kind = T_BAD;
    if (c == '=')
        ungetc(d, stdin);
}

static void advance(void)
{
    int c = next_char();
    size_t n = 0;
    while (c != EOF && (isspace(c) || c == '#')) {
        if (c == '#')
            while (c != EOF && c != '\n')
                c = next_char();
        else
            c = next_char();
    }
    tok.text[0] = '\0';
    if (c == EOF) {
        tok.kind = T_END;
    } else if (isalpha(c)) {
        for (; isalnum(c) || c == '_'; c = getchar())
            if (n < LP_NAME - 1)
                tok.text[n++] = (char)c;
        tok.text[n] = '\0';
        ungetc(c, stdin);
        tok.kind = T_NAME;
    } else if (isdigit(c)) {
        tok.number = 0;
        tok.kind = T_NUMBER;
        for (; isdigit(c); c = getchar()) {
            tok.number = tok.number * 10 + (c - '0');
            if (tok.number > 1000000)
                tok.kind = T_BAD;
            if (tok.kind == T_BAD)
                tok.number = 0;
        }
        ungetc(c, stdin);
    } else if (c == '<' || c == '>' || c == '=') {
        scan_relation(c);
    } else {
        tok.kind = strchr("+-;:", c) ? T_PUNCT : T_BAD;
        tok.text[0] = (char)c;
        tok.text[1] = '\0';
    }
}

static bool is_punct(char c)
{
    return tok.kind == T_PUNCT && tok.text[0] == c;
}

static bool is_word(const char *w)
{
    return tok.kind == T_NAME && strcmp(tok.text, w) == 0;
}

/* ---- parser; each function returns an error text or NULL ---- */

/* Reads [+-] [number] [name] ...; numbers alone go to *constant. The first
 * name may have been read already. */
static const char *parse_sum(LpModel *m, const char *name, long *a, long *constant)
{
    bool first = true;
    for (;; first = false) {
        long k = 1;
        bool number = false;
        if (!name) {
            if (is_punct('+') || is_punct('-')) {
                k = is_punct('-') ? -1 : 1;
                advance();
            } else if (!first) {
                return NULL;
            }
            if (tok.kind == T_NUMBER) {
                k *= tok.number;
                number = true;
                advance();
            }
        }
        if (name || tok.kind == T_NAME) {
            int v = lp_variable(m, name ? name : tok.text);
            if (v < 0)
                return "too many variables";
            a[v] += k;
            if (!name)
                advance();
            name = NULL;
        } else if (number) {
            *constant += k;
        } else {
            return "a term was expected";
        }
    }
}

static const char *parse_row(LpModel *m)
{
    char label[16] = "", *start = NULL;
    long left = 0, right = 0, minus[LP_MAX_VARS] = { 0 };
    LpRow *r = lp_add_row(m, REL_LE, 0);
    const char *err;
    if (!r)
        return "too many rows";
    if (tok.kind == T_NAME) {
        strcpy(label, tok.text);
        advance();
        if (is_punct(':')) {
            snprintf(r->name, LP_NAME, "%.7s", label);
            advance();
        } else {
            start = label;
        }
    }
    if ((err = parse_sum(m, start, r->a, &left)))
        return err;
    if (tok.kind != T_REL)
        return "a relation was expected";
    r->rel = tok.rel;
    advance();
    if ((err = parse_sum(m, NULL, minus, &right)))
        return err;
    for (int i = 0; i < m->nvars; i++)
        r->a[i] -= minus[i];
    r->rhs = right - left;
    return NULL;
}

static const char *parse_statement(LpModel *m)
{
    const char *err = NULL;
    if (is_word("int")) {
        for (advance(); tok.kind == T_NAME && !err; advance()) {
            int v = lp_variable(m, tok.text);
            if (v < 0)
                err = "too many variables";
            else
                m->integer[v] = true;
        }
    } else {
        err = parse_row(m);
    }
    if (!err && !is_punct(';'))
        err = "';' was expected";
    return err;
}

int lp_read(LpModel *m)
{
    long constant = 0;
    const char *err = NULL;
    advance();
    if (tok.kind == T_END)
        return 0;
    lp_clear(m, is_word("max"));
    if (!is_word("max") && !is_word("min")) {
        err = "'max' or 'min' was expected";
    } else {
        advance();
        err = parse_sum(m, NULL, m->cost, &constant);
        if (!err && (!is_punct(';') || constant))
            err = "bad objective";
    }
    while (!err) {
        advance();
        if (is_word("end"))
            return 1;
        err = parse_statement(m);
    }
    printf("line %d: %s\n", tok.line, err);
    while (tok.kind != T_END && !is_word("end"))
        advance();
    return -1;
}
