/* parse.c - scanner and recursive-descent parser; resolves names at once. */
#include "xc.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    program *p;
    const char *s;
    char word[MAX_NAME];      /* current word, if any */
    int64_t number;
    enum { TK_END, TK_NUMBER, TK_WORD, TK_PUNCT } kind;
    char punct[3];
    struct { char name[MAX_NAME]; int slot; } scope[64];
    int depth, slots;
    bool bad;
} parser;

static int expression(parser *ps);

static int error(parser *ps, const char *what, const char *detail)
{
    if (!ps->bad)
        snprintf(ps->p->error, sizeof ps->p->error, "%s '%s'", what, detail);
    ps->bad = true;
    ps->kind = TK_END;
    ps->s = "";
    return 0;
}

static bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool digit(char c) { return c >= '0' && c <= '9'; }

static void advance(parser *ps)
{
    while (*ps->s == ' ' || *ps->s == '\n')
        ps->s++;
    char c = *ps->s;
    if (!c) {
        ps->kind = TK_END;
    } else if (digit(c)) {
        uint64_t v = 0;
        for (; digit(*ps->s); ps->s++)
            v = v * 10 + (uint64_t)(*ps->s - '0');
        ps->number = (int64_t)(v & INT64_MAX);
        ps->kind = TK_NUMBER;
    } else if (letter(c)) {
        int n = 0;
        for (; letter(*ps->s) || digit(*ps->s); ps->s++)
            if (n < MAX_NAME - 1)
                ps->word[n++] = *ps->s;
        ps->word[n] = '\0';
        ps->kind = TK_WORD;
    } else {
        static const char *const doubles[] = { "==", "!=", "<=", ">=", "&&", "||" };
        ps->kind = TK_PUNCT;
        ps->punct[0] = c;
        ps->punct[1] = ps->punct[2] = '\0';
        for (int i = 0; i < 6; i++)
            if (c == doubles[i][0] && ps->s[1] == doubles[i][1])
                ps->punct[1] = ps->s[1];
        ps->s += strlen(ps->punct);
    }
}

static const char *current(const parser *ps)
{
    switch (ps->kind) {
    case TK_WORD:   return ps->word;
    case TK_PUNCT:  return ps->punct;
    case TK_NUMBER: return "number";
    default:        return "end";
    }
}

static bool match(parser *ps, const char *text)
{
    if ((ps->kind == TK_WORD && !strcmp(ps->word, text)) ||
        (ps->kind == TK_PUNCT && !strcmp(ps->punct, text))) {
        advance(ps);
        return true;
    }
    return false;
}

static void expect(parser *ps, const char *text)
{
    if (!match(ps, text))
        error(ps, "unexpected", current(ps));
}

static int node(parser *ps, ast_kind kind, op_t op, int nkids, int k0, int k1)
{
    if (ps->p->nnodes == MAX_NODES)
        return error(ps, "program too large near", current(ps));
    ast_node *n = &ps->p->node[ps->p->nnodes];
    memset(n, 0, sizeof *n);
    n->kind = kind;
    n->op = op;
    n->nkids = nkids;
    n->kid[0] = k0;
    n->kid[1] = k1;
    return ps->p->nnodes++;
}

static int number(parser *ps, int64_t value)
{
    int n = node(ps, AST_NUM, OP_CONST, 0, 0, 0);
    ps->p->node[n].num = value;
    return n;
}

static int declare(parser *ps, const char *name)
{
    if (ps->depth == 64)
        return error(ps, "scope too deep at", name);
    strcpy(ps->scope[ps->depth].name, name);
    ps->scope[ps->depth++].slot = ps->slots;
    return ps->slots++;
}

int find_func(const program *p, const char *name)
{
    for (int i = 0; i < p->nfuncs; i++)
        if (!strcmp(p->func[i].name, name))
            return i;
    return -1;
}

static int call(parser *ps, const char *name)
{
    int f = find_func(ps->p, name), args[MAX_ARGS], n = 0;
    if (f < 0)
        return error(ps, "unknown function", name);
    if (!match(ps, ")")) {
        do {
            if (n == MAX_ARGS)
                return error(ps, "too many arguments for", name);
            args[n++] = expression(ps);
        } while (match(ps, ","));
        expect(ps, ")");
    }
    if (n != ps->p->func[f].nparams)
        return error(ps, "wrong number of arguments for", name);
    int c = node(ps, AST_CALL, OP_CALL, n, 0, 0);
    memcpy(ps->p->node[c].kid, args, sizeof(int) * (size_t)n);
    ps->p->node[c].slot = f;
    return c;
}

static int primary(parser *ps)
{
    char name[MAX_NAME];
    int n;
    if (match(ps, "(")) {
        n = expression(ps);
        expect(ps, ")");
        return n;
    }
    if (match(ps, "-"))
        return node(ps, AST_UNARY, OP_NEG, 1, primary(ps), 0);
    if (match(ps, "!"))
        return node(ps, AST_UNARY, OP_NOT, 1, primary(ps), 0);
    if (ps->kind == TK_NUMBER) {
        n = number(ps, ps->number);
        advance(ps);
        return n;
    }
    if (ps->kind != TK_WORD)
        return error(ps, "unexpected", current(ps));
    strcpy(name, ps->word);
    advance(ps);
    if (match(ps, "("))
        return call(ps, name);
    for (int i = ps->depth; i-- > 0; )
        if (!strcmp(ps->scope[i].name, name)) {
            n = node(ps, AST_VAR, OP_MOVE, 0, 0, 0);
            ps->p->node[n].slot = ps->scope[i].slot;
            return n;
        }
    return error(ps, "unknown variable", name);
}

static const struct { const char *text; int level; op_t op; bool swap; } binary_ops[] = {
    { "||", 1, OP_COUNT_, 0 }, { "&&", 2, OP_COUNT_, 0 }, { "==", 3, OP_EQ, 0 },
    { "!=", 3, OP_NE, 0 }, { "<", 3, OP_LT, 0 }, { "<=", 3, OP_LE, 0 }, { ">", 3, OP_LT, 1 },
    { ">=", 3, OP_LE, 1 }, { "+", 4, OP_ADD, 0 }, { "-", 4, OP_SUB, 0 }, { "*", 5, OP_MUL, 0 },
    { "/", 5, OP_DIV, 0 }, { "%", 5, OP_MOD, 0 },
};

static int conditional(parser *ps, int c, int yes, int no)
{
    int n = node(ps, AST_IF, OP_BRZ, 3, c, yes);
    ps->p->node[n].kid[2] = no;
    return n;
}

static int binary(parser *ps, int level)
{
    int left = primary(ps);
    for (;;) {
        int i = 0, count = (int)(sizeof binary_ops / sizeof *binary_ops);
        while (i < count && (ps->kind != TK_PUNCT || binary_ops[i].level < level ||
                             strcmp(binary_ops[i].text, ps->punct)))
            i++;
        if (i == count)
            return left;
        advance(ps);
        int right = binary(ps, binary_ops[i].level + 1);
        if (binary_ops[i].op == OP_COUNT_) {          /* && and || become ifs */
            int truth = node(ps, AST_BINARY, OP_NE, 2, right, number(ps, 0));
            left = binary_ops[i].level == 1 ? conditional(ps, left, number(ps, 1), truth)
                                            : conditional(ps, left, truth, number(ps, 0));
        } else if (binary_ops[i].swap) {
            left = node(ps, AST_BINARY, binary_ops[i].op, 2, right, left);
        } else {
            left = node(ps, AST_BINARY, binary_ops[i].op, 2, left, right);
        }
    }
}

static int expression(parser *ps)
{
    if (match(ps, "if")) {
        int c = expression(ps);
        expect(ps, "then");
        int yes = expression(ps);
        expect(ps, "else");
        return conditional(ps, c, yes, expression(ps));
    }
    if (match(ps, "let")) {
        char name[MAX_NAME];
        strcpy(name, current(ps));
        if (ps->kind != TK_WORD)
            return error(ps, "name expected at", name);
        advance(ps);
        expect(ps, "=");
        int value = expression(ps);
        expect(ps, "in");
        int slot = declare(ps, name), body = expression(ps);
        ps->depth--;
        int n = node(ps, AST_LET, OP_MOVE, 2, value, body);
        ps->p->node[n].slot = slot;
        return n;
    }
    return binary(ps, 0);
}

static void function(parser *ps)
{
    expect(ps, "fn");
    if (ps->kind != TK_WORD || ps->p->nfuncs == MAX_FUNCS) {
        error(ps, "function name expected at", current(ps));
        return;
    }
    if (find_func(ps->p, ps->word) >= 0) {
        error(ps, "function defined twice:", ps->word);
        return;
    }
    ast_func *f = &ps->p->func[ps->p->nfuncs++];
    strcpy(f->name, ps->word);
    f->nparams = 0;
    ps->depth = ps->slots = 0;
    advance(ps);
    expect(ps, "(");
    while (ps->kind == TK_WORD && f->nparams < MAX_ARGS) {
        declare(ps, ps->word);
        f->nparams++;
        advance(ps);
        if (!match(ps, ","))
            break;
    }
    expect(ps, ")");
    expect(ps, "=");
    f->body = expression(ps);
    f->nslots = ps->slots;
}

bool parse_program(program *p, const char *text)
{
    parser ps;
    memset(&ps, 0, sizeof ps);
    ps.p = p;
    ps.s = text;
    p->nnodes = p->nfuncs = 0;
    p->error[0] = '\0';
    advance(&ps);
    while (ps.kind != TK_END && !ps.bad)
        function(&ps);
    return !ps.bad;
}
