/* inner.c - executes threaded code; every stack access is checked. */
#include "forth.h"

#include <stdio.h>

static void fail(forth *f, forth_status s)
{
    if (f->status == F_OK)
        f->status = s;
}

static cell pop(forth *f)
{
    if (f->sp == 0) {
        fail(f, F_UNDERFLOW);
        return 0;
    }
    return f->stack[--f->sp];
}

static void push(forth *f, cell v)
{
    if (f->sp == STACK_CELLS)
        fail(f, F_OVERFLOW);
    else
        f->stack[f->sp++] = v;
}

static cell rpop(forth *f)
{
    if (f->rp == 0) {
        fail(f, F_RSTACK);
        return -1;
    }
    return f->rstack[--f->rp];
}

static void rpush(forth *f, cell v)
{
    if (f->rp == STACK_CELLS)
        fail(f, F_RSTACK);
    else
        f->rstack[f->rp++] = v;
}

static cell peek(forth *f, int depth)
{
    if (depth < 0 || depth >= f->sp) {
        fail(f, F_UNDERFLOW);
        return 0;
    }
    return f->stack[f->sp - 1 - depth];
}

static cell rpeek(forth *f, int depth)
{
    if (depth >= f->rp) {
        fail(f, F_RSTACK);
        return 0;
    }
    return f->rstack[f->rp - 1 - depth];
}

static cell wrap(uint64_t u)
{
    return u <= INT64_MAX ? (cell)u : -(cell)(UINT64_MAX - u) - 1;
}

static cell flag(bool b) { return b ? -1 : 0; }

static cell *variable(forth *f, cell address)
{
    static cell dummy;
    if (address < 0 || address >= f->data_here) {
        fail(f, F_ADDRESS);
        return &dummy;
    }
    return &f->data[address];
}

static cell binary(forth *f, cell op, cell a, cell b)
{
    uint64_t x = (uint64_t)a, y = (uint64_t)b;
    switch (op) {
    case P_ADD: return wrap(x + y);
    case P_SUB: return wrap(x - y);
    case P_MUL: return wrap(x * y);
    case P_DIV: case P_MOD: {             /* floored, as Forth likes it */
        if (b == 0) {
            fail(f, F_DIVIDE);
            return 0;
        }
        if (b == -1)
            return op == P_DIV ? wrap(0 - x) : 0;
        cell q = a / b, r = a % b;
        if (r != 0 && (r < 0) != (b < 0)) {
            q--;
            r += b;
        }
        return op == P_DIV ? q : r;
    }
    case P_MIN: return a < b ? a : b;
    case P_MAX: return a > b ? a : b;
    case P_AND: return wrap(x & y);
    case P_OR:  return wrap(x | y);
    case P_XOR: return wrap(x ^ y);
    case P_LSHIFT: return b >= 0 && b < 64 ? wrap(x << b) : 0;
    case P_RSHIFT: return b >= 0 && b < 64 ? wrap(x >> b) : 0;
    case P_EQ: return flag(a == b);
    case P_NE: return flag(a != b);
    case P_LT: return flag(a < b);
    default:   return flag(a > b);
    }
}

static void put_text(forth *f, const char *s)
{
    while (*s)
        f->put(*s++);
}

static void put_number(forth *f, cell v)
{
    char tmp[24];
    snprintf(tmp, sizeof tmp, "%lld ", (long long)v);
    put_text(f, tmp);
}

/* The cell at *ip, with a check: misuse of the return stack may lead anywhere. */
static cell fetch(forth *f, cell *ip)
{
    if (*ip < 0 || *ip >= f->here) {
        fail(f, F_BAD_TOKEN);
        return P_EXIT;
    }
    return f->code[(*ip)++];
}

/* Advances a loop; true when it goes round again. */
static bool loop_again(forth *f, cell step)
{
    if (f->rp < 2) {
        fail(f, F_RSTACK);
        return false;
    }
    cell *index = &f->rstack[f->rp - 1], limit = f->rstack[f->rp - 2];
    cell before = wrap((uint64_t)*index - (uint64_t)limit);
    cell after = wrap((uint64_t)before + (uint64_t)step);
    *index = wrap((uint64_t)*index + (uint64_t)step);
    bool crossed = step >= 0 ? before < 0 && after >= 0 : before >= 0 && after < 0;
    if (crossed)
        f->rp -= 2;
    return !crossed;
}

void forth_execute(forth *f, cell xt)
{
    int base = f->rp;
    cell ip = -1, a, b, c;
    cell op = xt;
    for (;;) {
        if (++f->steps > f->budget)
            fail(f, F_STEPS);
        if (op >= PRIM_COUNT) {                 /* call a colon definition */
            rpush(f, ip);
            ip = op;
        } else switch (op) {
        case P_EXIT:
            if (f->rp <= base) {
                fail(f, F_RSTACK);
                break;
            }
            ip = rpop(f);
            if (ip != -1 && (ip < 0 || ip >= f->here))
                fail(f, F_RSTACK);
            break;
        case P_LIT:     push(f, fetch(f, &ip)); break;
        case P_BRANCH:  ip = fetch(f, &ip); break;
        case P_ZBRANCH: a = fetch(f, &ip); if (pop(f) == 0) ip = a; break;
        case P_DO:
            a = pop(f);
            b = pop(f);
            rpush(f, b);
            rpush(f, a);
            break;
        case P_LOOP:    a = fetch(f, &ip); if (loop_again(f, 1)) ip = a; break;
        case P_PLUSLOOP: a = fetch(f, &ip); if (loop_again(f, pop(f))) ip = a; break;
        case P_I:       push(f, rpeek(f, 0)); break;
        case P_J:       push(f, rpeek(f, 2)); break;
        case P_UNLOOP:  rpop(f); rpop(f); break;
        case P_STRING:
            for (a = fetch(f, &ip); a > 0 && f->status == F_OK; a--)
                f->put((char)(fetch(f, &ip) & 127));
            break;
        case P_DUP:  push(f, peek(f, 0)); break;
        case P_DROP: pop(f); break;
        case P_SWAP: a = pop(f); b = pop(f); push(f, a); push(f, b); break;
        case P_OVER: push(f, peek(f, 1)); break;
        case P_ROT:  a = pop(f); b = pop(f); c = pop(f); push(f, b); push(f, a); push(f, c); break;
        case P_NIP:  a = pop(f); pop(f); push(f, a); break;
        case P_TUCK: a = pop(f); b = pop(f); push(f, a); push(f, b); push(f, a); break;
        case P_PICK: a = pop(f); push(f, peek(f, a >= 0 && a < STACK_CELLS ? (int)a : -1)); break;
        case P_DEPTH: push(f, f->sp); break;
        case P_TWODUP: a = peek(f, 0); b = peek(f, 1); push(f, b); push(f, a); break;
        case P_TWODROP: pop(f); pop(f); break;
        case P_QDUP: if (peek(f, 0)) push(f, peek(f, 0)); break;
        case P_TOR:    rpush(f, pop(f)); break;
        case P_RFROM:  push(f, rpop(f)); break;
        case P_RFETCH: push(f, rpeek(f, 0)); break;
        case P_ADD: case P_SUB: case P_MUL: case P_DIV: case P_MOD: case P_MIN: case P_MAX:
        case P_AND: case P_OR: case P_XOR: case P_LSHIFT: case P_RSHIFT:
        case P_EQ: case P_NE: case P_LT: case P_GT:
            b = pop(f);
            a = pop(f);
            push(f, binary(f, op, a, b));
            break;
        case P_NEGATE: push(f, wrap(0 - (uint64_t)pop(f))); break;
        case P_ABS:    a = pop(f); push(f, a < 0 ? wrap(0 - (uint64_t)a) : a); break;
        case P_INVERT: push(f, wrap(~(uint64_t)pop(f))); break;
        case P_ZEQ:    push(f, flag(pop(f) == 0)); break;
        case P_ZLT:    push(f, flag(pop(f) < 0)); break;
        case P_FETCH:  push(f, *variable(f, pop(f))); break;
        case P_STORE:  a = pop(f); b = pop(f); *variable(f, a) = b; break;
        case P_PLUSSTORE: {
            a = pop(f);
            b = pop(f);
            cell *v = variable(f, a);
            *v = wrap((uint64_t)*v + (uint64_t)b);
            break;
        }
        case P_HERE:  push(f, f->data_here); break;
        case P_ALLOT:
            a = pop(f);
            if (a < 0 || a > DATA_CELLS - f->data_here)
                fail(f, F_FULL);
            else
                f->data_here += (int)a;
            break;
        case P_COMMA:
            a = pop(f);
            if (f->data_here == DATA_CELLS)
                fail(f, F_FULL);
            else
                f->data[f->data_here++] = a;
            break;
        case P_EXECUTE: {
            a = pop(f);
            bool known = false;
            for (int i = 0; i < f->nwords && !known; i++)
                known = f->words[i].xt == a && (a >= PRIM_COUNT || a > P_STRING);
            if (!known) {
                fail(f, F_BAD_TOKEN);
            } else if (f->status == F_OK) {
                op = a;
                continue;
            }
            break;
        }
        case P_DOT:   put_number(f, pop(f)); break;
        case P_EMIT:  f->put((char)(pop(f) & 127)); break;
        case P_CR:    f->put('\n'); break;
        case P_SPACE: f->put(' '); break;
        case P_DOTS:
            put_number(f, f->sp);
            put_text(f, "items: ");
            for (int i = 0; i < f->sp; i++)
                put_number(f, f->stack[i]);
            break;
        default: fail(f, F_BAD_TOKEN); break;
        }
        if (f->status != F_OK || ip == -1)
            return;
        op = fetch(f, &ip);
        if (f->status != F_OK)
            return;
    }
}
