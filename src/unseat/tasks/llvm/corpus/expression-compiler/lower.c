/* lower.c - tree to three-address code with folding, dominator-scoped common
 * subexpressions, self tail calls as jumps, and dead code removal. */
#include "xc.h"

#include <stdio.h>
#include <string.h>

typedef struct { op_t op; int a, b; int64_t imm; int vreg; } value_entry;

typedef struct {
    program *p;
    unit *u;
    options opt;
    int func, entry_label;
    int slot_vreg[64];
    value_entry seen[512];    /* a stack: branches pop what they pushed */
    int nseen;
} lowerer;

static int new_vreg(lowerer *lw)
{
    if (lw->u->nvregs == MAX_VREGS - 1) {
        lw->u->overflow = true;
        return 0;
    }
    return lw->u->nvregs++;
}

static void emit(lowerer *lw, op_t op, int dst, int a, int b, int64_t imm)
{
    if (lw->u->n == MAX_CODE) {
        lw->u->overflow = true;
        return;
    }
    instr in = { op, dst, a, b, imm };
    lw->u->code[lw->u->n++] = in;
}

static bool commutes(op_t op) { return op == OP_ADD || op == OP_MUL || op == OP_EQ || op == OP_NE; }

/* Emits a pure instruction, or finds an equal value computed before. */
static int value(lowerer *lw, op_t op, int a, int b, int64_t imm)
{
    if (commutes(op) && a > b) {
        int t = a;
        a = b;
        b = t;
    }
    if (lw->opt.cse)
        for (int i = lw->nseen; i-- > 0; ) {
            const value_entry *e = &lw->seen[i];
            if (e->op == op && e->a == a && e->b == b && e->imm == imm)
                return e->vreg;
        }
    int dst = new_vreg(lw);
    emit(lw, op, dst, a, b, imm);
    if (lw->nseen < 512) {
        value_entry e = { op, a, b, imm, dst };
        lw->seen[lw->nseen++] = e;
    }
    return dst;
}

static bool is_num(const lowerer *lw, int node, int64_t n)
{
    return lw->p->node[node].kind == AST_NUM && lw->p->node[node].num == n;
}

/* Rewrites the tree bottom-up: constants, identities, decided branches. */
static int fold(lowerer *lw, int index)
{
    ast_node *n = &lw->p->node[index];
    for (int i = 0; i < n->nkids; i++)
        n->kid[i] = fold(lw, n->kid[i]);
    const ast_node *l = &lw->p->node[n->kid[0]], *r = &lw->p->node[n->kid[1]];
    switch (n->kind) {
    case AST_UNARY:
        if (l->kind == AST_NUM) {
            n->kind = AST_NUM;
            n->num = arith(n->op, l->num, 0);
            n->nkids = 0;
        } else if (l->kind == AST_UNARY && l->op == OP_NEG && n->op == OP_NEG) {
            return l->kid[0];
        }
        return index;
    case AST_BINARY:
        if (l->kind == AST_NUM && r->kind == AST_NUM) {
            n->kind = AST_NUM;
            n->num = arith(n->op, l->num, r->num);
            n->nkids = 0;
            return index;
        }
        if ((n->op == OP_ADD || n->op == OP_SUB) && is_num(lw, n->kid[1], 0))
            return n->kid[0];
        if ((n->op == OP_MUL || n->op == OP_DIV) && is_num(lw, n->kid[1], 1))
            return n->kid[0];
        if ((n->op == OP_ADD && is_num(lw, n->kid[0], 0)) ||
            (n->op == OP_MUL && is_num(lw, n->kid[0], 1)))
            return n->kid[1];
        return index;
    case AST_IF:
        return l->kind == AST_NUM ? n->kid[l->num ? 1 : 2] : index;
    default:
        return index;
    }
}

static int gen(lowerer *lw, int index, bool tail);

static int gen_if(lowerer *lw, const ast_node *n, bool tail)
{
    int no = lw->u->nlabels++, end = lw->u->nlabels++, result = new_vreg(lw), v, mark;
    v = gen(lw, n->kid[0], false);
    emit(lw, OP_BRZ, -1, v, -1, no);
    mark = lw->nseen;
    if ((v = gen(lw, n->kid[1], tail)) >= 0) {
        emit(lw, OP_MOVE, result, v, -1, 0);
        emit(lw, OP_JUMP, -1, -1, -1, end);
    }
    lw->nseen = mark;
    emit(lw, OP_LABEL, -1, -1, -1, no);
    if ((v = gen(lw, n->kid[2], tail)) >= 0)
        emit(lw, OP_MOVE, result, v, -1, 0);
    lw->nseen = mark;
    emit(lw, OP_LABEL, -1, -1, -1, end);
    return result;
}

static int gen_call(lowerer *lw, const ast_node *n, bool tail)
{
    int args[MAX_ARGS], dst;
    for (int i = 0; i < n->nkids; i++)
        args[i] = gen(lw, n->kid[i], false);
    if (tail && lw->opt.tail && n->slot == lw->func) {
        for (int i = 0; i < n->nkids; i++) {          /* parallel assignment */
            int t = new_vreg(lw);
            emit(lw, OP_MOVE, t, args[i], -1, 0);
            args[i] = t;
        }
        for (int i = 0; i < n->nkids; i++)
            emit(lw, OP_MOVE, i, args[i], -1, 0);
        emit(lw, OP_JUMP, -1, -1, -1, lw->entry_label);
        return -1;                                    /* control does not return */
    }
    for (int i = 0; i < n->nkids; i++)
        emit(lw, OP_ARG, -1, args[i], -1, i);
    dst = new_vreg(lw);
    emit(lw, OP_CALL, dst, -1, -1, n->slot);
    return dst;
}

static int gen(lowerer *lw, int index, bool tail)
{
    const ast_node *n = &lw->p->node[index];
    int a, b;
    switch (n->kind) {
    case AST_NUM:   return value(lw, OP_CONST, -1, -1, n->num);
    case AST_VAR:   return lw->slot_vreg[n->slot];
    case AST_UNARY: return value(lw, n->op, gen(lw, n->kid[0], false), -1, 0);
    case AST_BINARY:
        a = gen(lw, n->kid[0], false);
        b = gen(lw, n->kid[1], false);
        return value(lw, n->op, a, b, 0);
    case AST_LET:
        lw->slot_vreg[n->slot] = gen(lw, n->kid[0], false);
        return gen(lw, n->kid[1], tail);
    case AST_IF:    return gen_if(lw, n, tail);
    case AST_CALL:  return gen_call(lw, n, tail);
    }
    return 0;
}

static bool removable(op_t op) { return op <= OP_NOT; }

static void remove_dead(unit *u)
{
    int uses[MAX_VREGS] = { 0 }, kept = u->n;
    bool drop[MAX_CODE] = { false }, changed = true;
    for (int i = 0; i < u->n; i++) {
        if (u->code[i].a >= 0)
            uses[u->code[i].a]++;
        if (u->code[i].b >= 0)
            uses[u->code[i].b]++;
    }
    while (changed) {
        changed = false;
        for (int i = u->n; i-- > 0; ) {
            const instr *in = &u->code[i];
            if (drop[i] || !removable(in->op) || uses[in->dst] || in->dst < u->nparams)
                continue;
            drop[i] = changed = true;
            if (in->a >= 0)
                uses[in->a]--;
            if (in->b >= 0)
                uses[in->b]--;
        }
    }
    kept = 0;
    for (int i = 0; i < u->n; i++)
        if (!drop[i])
            u->code[kept++] = u->code[i];
    u->n = kept;
}

void lower(program *p, int func, unit *u, options opt)
{
    static lowerer lw;
    memset(&lw, 0, sizeof lw);
    memset(u, 0, sizeof *u);
    lw.p = p;
    lw.u = u;
    lw.opt = opt;
    lw.func = func;
    u->nparams = u->nvregs = p->func[func].nparams;
    for (int i = 0; i < u->nparams; i++)
        lw.slot_vreg[i] = i;
    lw.entry_label = u->nlabels++;
    emit(&lw, OP_LABEL, -1, -1, -1, lw.entry_label);
    if (opt.fold)
        p->func[func].body = fold(&lw, p->func[func].body);
    int v = gen(&lw, p->func[func].body, true);
    if (v >= 0)
        emit(&lw, OP_RET, -1, v, -1, 0);
    if (opt.dce && !u->overflow)
        remove_dead(u);
}

void print_unit(const unit *u, const char *title)
{
    static const char *const names[OP_COUNT_] = {
        "const", "move", "add", "sub", "mul", "div", "mod", "eq", "ne", "lt", "le", "neg",
        "not", "arg", "call", "ret", "jump", "brz", "label", "load", "store" };
    printf("%s: %d instructions, %d spills\n", title, u->n, u->nspills);
    for (int i = 0; i < u->n; i++) {
        const instr *in = &u->code[i];
        printf("  %-5s", names[in->op]);
        if (in->dst >= 0)
            printf(" r%d", in->dst);
        if (in->a >= 0)
            printf(" r%d", in->a);
        if (in->b >= 0)
            printf(" r%d", in->b);
        if (in->op == OP_CONST || in->op >= OP_ARG)
            if (in->op != OP_RET)
                printf(" %lld", (long long)in->imm);
        putchar('\n');
    }
}
