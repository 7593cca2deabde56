/* interp.c - arithmetic, and the reference interpreter over the tree. */
#include "xc.h"

static int64_t to_signed(uint64_t u)
{
    return u <= INT64_MAX ? (int64_t)u : -(int64_t)(UINT64_MAX - u) - 1;
}

int64_t arith(op_t op, int64_t a, int64_t b)
{
    uint64_t x = (uint64_t)a, y = (uint64_t)b;
    switch (op) {
    case OP_ADD: return to_signed(x + y);
    case OP_SUB: return to_signed(x - y);
    case OP_MUL: return to_signed(x * y);
    case OP_DIV: return b == 0 ? 0 : b == -1 ? to_signed(0 - x) : a / b;
    case OP_MOD: return b == 0 || b == -1 ? 0 : a % b;
    case OP_EQ:  return a == b;
    case OP_NE:  return a != b;
    case OP_LT:  return a < b;
    case OP_LE:  return a <= b;
    case OP_NEG: return to_signed(0 - x);
    case OP_NOT: return a == 0;
    default:     return a;
    }
}

typedef struct { const program *p; uint64_t steps; } interp;

static int64_t eval(interp *in, int index, int64_t *slots);

static int64_t apply(interp *in, int func, const int64_t *args)
{
    int64_t slots[64] = { 0 };
    const ast_func *f = &in->p->func[func];
    for (int i = 0; i < f->nparams; i++)
        slots[i] = args[i];
    return eval(in, f->body, slots);
}

static int64_t eval(interp *in, int index, int64_t *slots)
{
    const ast_node *n = &in->p->node[index];
    int64_t v[MAX_ARGS];
    in->steps++;
    switch (n->kind) {
    case AST_NUM:   return n->num;
    case AST_VAR:   return slots[n->slot];
    case AST_UNARY: return arith(n->op, eval(in, n->kid[0], slots), 0);
    case AST_BINARY:
        v[0] = eval(in, n->kid[0], slots);
        return arith(n->op, v[0], eval(in, n->kid[1], slots));
    case AST_IF:
        return eval(in, n->kid[eval(in, n->kid[0], slots) ? 1 : 2], slots);
    case AST_LET:
        slots[n->slot] = eval(in, n->kid[0], slots);
        return eval(in, n->kid[1], slots);
    case AST_CALL:
        for (int i = 0; i < n->nkids; i++)
            v[i] = eval(in, n->kid[i], slots);
        return apply(in, n->slot, v);
    }
    return 0;
}

int64_t interpret(const program *p, int func, const int64_t *args, uint64_t *steps)
{
    interp in = { p, 0 };
    int64_t r = apply(&in, func, args);
    *steps += in.steps;
    return r;
}
