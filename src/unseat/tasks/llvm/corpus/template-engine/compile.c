/* compile.c - template source to a tree of nodes and expressions. */
#include "tpl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    Template *t;
    const char *p;            /* next source character */
    const char *s, *end;      /* inside a tag: unread part */
    const char *start;
    bool failed, eat_space;
} Compiler;

static void *zalloc(size_t n)
{
    void *p = calloc(1, n);
    if (!p)
        abort();
    return p;
}

static char *keep(const char *s, size_t n)
{
    char *p = zalloc(n + 1);
    memcpy(p, s, n);
    return p;
}

static void fail(Compiler *c, const char *message)
{
    if (c->failed)
        return;
    c->failed = true;
    c->t->line = 1;
    for (const char *q = c->start; q < c->s; q++)
        c->t->line += *q == '\n';
    snprintf(c->t->error, sizeof c->t->error, "%s", message);
}

static void blanks(Compiler *c)
{
    while (c->s < c->end && (*c->s == ' ' || *c->s == '\n' || *c->s == '\t'))
        c->s++;
}

static bool word_char(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' ||
           (ch >= '0' && ch <= '9');
}

static size_t word(Compiler *c, const char **w)
{
    blanks(c);
    *w = c->s;
    while (c->s < c->end && word_char(*c->s))
        c->s++;
    return (size_t)(c->s - *w);
}

/* Accepts a symbol, or a whole word. */
static bool accept(Compiler *c, const char *what)
{
    size_t n = strlen(what);
    blanks(c);
    if ((size_t)(c->end - c->s) < n || memcmp(c->s, what, n))
        return false;
    if (word_char(*what) && c->s + n < c->end && word_char(c->s[n]))
        return false;
    c->s += n;
    return true;
}

static Expr *expr_new(XKind kind, Expr *left, Expr *right)
{
    Expr *e = zalloc(sizeof *e);
    e->kind = kind;
    e->left = left;
    e->right = right;
    return e;
}

static Expr *literal(Value *v)
{
    Expr *e = expr_new(X_LITERAL, NULL, NULL);
    e->literal = v;
    return e;
}

static Expr *parse_or(Compiler *c);

static Expr *parse_atom(Compiler *c)
{
    const char *w;
    blanks(c);
    if (accept(c, "(")) {
        Expr *e = parse_or(c);
        if (!accept(c, ")"))
            fail(c, "')' expected");
        return e;
    }
    if (c->s < c->end && (*c->s == '"' || *c->s == '\'')) {
        char quote = *c->s++;
        const char *close = memchr(c->s, quote, (size_t)(c->end - c->s));
        if (!close) {
            fail(c, "unterminated string");
            return literal(val_none());
        }
        Value *v = val_strn(c->s, (size_t)(close - c->s));
        c->s = close + 1;
        return literal(v);
    }
    bool minus = accept(c, "-");
    size_t n = word(c, &w);
    if (n == 0 || (minus && (*w < '0' || *w > '9'))) {
        fail(c, "expression expected");
        return literal(val_none());
    }
    if (*w >= '0' && *w <= '9') {
        long v = 0;
        for (size_t i = 0; i < n; i++) {
            if (w[i] < '0' || w[i] > '9' || v > 99999999) {
                fail(c, "bad number");
                break;
            }
            v = v * 10 + (w[i] - '0');
        }
        return literal(val_int(minus ? -v : v));
    }
    if (n == 4 && !memcmp(w, "true", 4))
        return literal(val_bool(true));
    if (n == 5 && !memcmp(w, "false", 5))
        return literal(val_bool(false));
    Expr *e = expr_new(X_NAME, NULL, NULL);
    e->name = keep(w, n);
    return e;
}

static Expr *parse_postfix(Compiler *c)
{
    Expr *e = parse_atom(c);
    const char *w;
    while (!c->failed) {
        if (accept(c, ".")) {
            size_t n = word(c, &w);
            if (!n)
                fail(c, "field name expected");
            e = expr_new(X_FIELD, e, NULL);
            e->name = keep(w, n);
        } else if (accept(c, "|")) {
            size_t n = word(c, &w);
            e = expr_new(X_FILTER, e, NULL);
            e->filter = filter_find(w, n);
            if (!e->filter)
                fail(c, "unknown filter");
            else if (accept(c, ":"))
                e->right = parse_atom(c);
        } else {
            break;
        }
    }
    return e;
}

static Expr *parse_sum(Compiler *c)
{
    Expr *e = parse_postfix(c);
    while (!c->failed && accept(c, "+")) {
        Expr *right = parse_postfix(c);
        e = expr_new(X_ADD, e, right);
    }
    return e;
}

static Expr *parse_compare(Compiler *c)
{
    static const struct { const char *text; XKind kind; } ops[] = {
        { "==", X_EQ }, { "!=", X_NE }, { "<", X_LT }, { ">", X_GT },
    };
    if (accept(c, "not"))
        return expr_new(X_NOT, parse_compare(c), NULL);
    Expr *e = parse_sum(c);
    for (int i = 0; i < 4 && !c->failed; i++)
        if (accept(c, ops[i].text)) {
            Expr *right = parse_sum(c);
            return expr_new(ops[i].kind, e, right);
        }
    return e;
}

static Expr *parse_and(Compiler *c)
{
    Expr *e = parse_compare(c);
    while (!c->failed && accept(c, "and")) {
        Expr *right = parse_compare(c);
        e = expr_new(X_AND, e, right);
    }
    return e;
}

static Expr *parse_or(Compiler *c)
{
    Expr *e = parse_and(c);
    while (!c->failed && accept(c, "or")) {
        Expr *right = parse_and(c);
        e = expr_new(X_OR, e, right);
    }
    return e;
}

static void tag_done(Compiler *c)
{
    blanks(c);
    if (c->s != c->end)
        fail(c, "unexpected text in tag");
}

static Node *node_new(NodeKind kind)
{
    Node *n = zalloc(sizeof *n);
    n->kind = kind;
    return n;
}

/* Enters the tag that starts at c->p with one of the three openers. */
static bool enter_tag(Compiler *c, char kind)
{
    const char close[3] = { kind == '{' ? '}' : kind, '}', '\0' };
    const char *end = strstr(c->p + 2, close);
    c->s = c->p;
    if (!end) {
        fail(c, "unterminated tag");
        return false;
    }
    c->s = c->p + 2;
    c->end = end;
    c->p = end + 2;
    if (c->s < c->end && *c->s == '-')
        c->s++;
    c->eat_space = c->end > c->s && c->end[-1] == '-';
    if (c->eat_space)
        c->end--;
    return true;
}

typedef enum { END_FILE, END_TAG, END_ELSE, END_ELIF, END_EMPTY } Stop;

static Node *block(Compiler *c, Stop *stop);

static Node *text_node(Compiler *c)
{
    const char *from = c->p, *to;
    if (c->eat_space)
        from += strspn(from, " \t\n");
    c->eat_space = false;
    for (to = from; *to; to++)
        if (*to == '{' && (to[1] == '{' || to[1] == '%' || to[1] == '#'))
            break;
    c->p = to;
    if (*to && to[2] == '-')
        while (to > from && strchr(" \t\n", to[-1]))
            to--;
    if (to == from)
        return NULL;
    Node *n = node_new(N_TEXT);
    n->text = keep(from, (size_t)(to - from));
    return n;
}

static Node *if_node(Compiler *c)
{
    Node *n = node_new(N_IF);
    Stop stop;
    n->expr = parse_or(c);
    tag_done(c);
    n->body = block(c, &stop);
    if (stop == END_ELIF) {
        n->other = if_node(c);            /* shares the closing tag */
    } else if (stop == END_ELSE) {
        n->other = block(c, &stop);
        if (stop != END_TAG)
            fail(c, "end expected");
    } else if (stop != END_TAG) {
        fail(c, "end expected");
    }
    return n;
}

static Node *for_node(Compiler *c)
{
    Node *n = node_new(N_FOR);
    const char *w;
    size_t len = word(c, &w);
    Stop stop;
    n->text = keep(w, len);
    if (!len || !accept(c, "in"))
        fail(c, "malformed for");
    n->expr = parse_or(c);
    tag_done(c);
    n->body = block(c, &stop);
    if (stop == END_EMPTY)
        n->other = block(c, &stop);
    if (stop != END_TAG)
        fail(c, "end expected");
    return n;
}

static Node *simple_node(Compiler *c, NodeKind kind)
{
    Node *n = node_new(kind);
    const char *w;
    if (kind == N_SET) {
        size_t len = word(c, &w);
        n->text = keep(w, len);
        if (!len || !accept(c, "="))
            fail(c, "malformed set");
    }
    n->expr = parse_or(c);
    tag_done(c);
    return n;
}

static Node *block(Compiler *c, Stop *stop)
{
    Node *head = NULL, **tail = &head;
    *stop = END_FILE;
    while (!c->failed) {
        Node *n = text_node(c);
        if (n) {
            *tail = n;
            tail = &n->next;
        }
        if (!*c->p)
            break;
        char kind = c->p[1];
        if (!enter_tag(c, kind))
            break;
        n = NULL;
        if (kind == '{')
            n = simple_node(c, N_PRINT);
        else if (kind == '#')
            continue;
        else if (accept(c, "if"))
            n = if_node(c);
        else if (accept(c, "for"))
            n = for_node(c);
        else if (accept(c, "set"))
            n = simple_node(c, N_SET);
        else if (accept(c, "include"))
            n = simple_node(c, N_INCLUDE);
        else if (accept(c, "elif"))
            *stop = END_ELIF;
        else if (accept(c, "else"))
            *stop = END_ELSE;
        else if (accept(c, "empty"))
            *stop = END_EMPTY;
        else if (accept(c, "end"))
            *stop = END_TAG;
        else
            fail(c, "unknown tag");
        if (*stop != END_FILE) {
            if (*stop != END_ELIF)
                tag_done(c);
            break;
        }
        if (n) {
            *tail = n;
            tail = &n->next;
        }
    }
    return head;
}

static void expr_free(Expr *e)
{
    if (!e)
        return;
    expr_free(e->left);
    expr_free(e->right);
    val_drop(e->literal);
    free(e->name);
    free(e);
}

static void nodes_free(Node *n)
{
    while (n) {
        Node *next = n->next;
        nodes_free(n->body);
        nodes_free(n->other);
        expr_free(n->expr);
        free(n->text);
        free(n);
        n = next;
    }
}

bool tpl_compile(Template *t, const char *source)
{
    Compiler c = { .t = t, .p = source, .s = source, .start = source };
    Stop stop;
    memset(t, 0, sizeof *t);
    t->root = block(&c, &stop);
    if (stop != END_FILE)
        fail(&c, "block tag without a block");
    return !c.failed;
}

void tpl_free(Template *t)
{
    nodes_free(t->root);
    t->root = NULL;
}
