/* builtins.c - primitive functions. */
#include "lisp.h"

#include <stdio.h>
#include <string.h>

static int64_t number(Obj o)
{
    if (o->tag != T_INT)
        lisp_error("number expected");
    return o->u.num;
}

static Obj pair(Obj o)
{
    if (o->tag != T_PAIR)
        lisp_error("pair expected");
    return o;
}

static Obj truth(bool b) { return b ? sym_t : nil; }

static int64_t wrap(uint64_t u)
{
    return u <= INT64_MAX ? (int64_t)u : -(int64_t)(UINT64_MAX - u) - 1;
}

#define FIRST  CAR(args)
#define SECOND CAR(CDR(args))

static Obj p_add(Obj args)
{
    uint64_t sum = 0;
    for (; args != nil; args = CDR(args))
        sum += (uint64_t)number(CAR(args));
    return make_int(wrap(sum));
}

static Obj p_mul(Obj args)
{
    uint64_t product = 1;
    for (; args != nil; args = CDR(args))
        product *= (uint64_t)number(CAR(args));
    return make_int(wrap(product));
}

static Obj p_sub(Obj args)
{
    uint64_t v = (uint64_t)number(FIRST);
    if (CDR(args) == nil)
        return make_int(wrap(0 - v));
    for (args = CDR(args); args != nil; args = CDR(args))
        v -= (uint64_t)number(CAR(args));
    return make_int(wrap(v));
}

static Obj divide(Obj args, bool remainder)
{
    int64_t a = number(FIRST), b = number(SECOND);
    if (b == 0)
        lisp_error("division by zero");
    if (b == -1)
        return make_int(remainder ? 0 : wrap(0 - (uint64_t)a));
    return make_int(remainder ? a % b : a / b);
}

static Obj p_div(Obj args) { return divide(args, false); }
static Obj p_mod(Obj args) { return divide(args, true); }
static Obj p_less(Obj args) { return truth(number(FIRST) < number(SECOND)); }
static Obj p_greater(Obj args) { return truth(number(FIRST) > number(SECOND)); }
static Obj p_num_eq(Obj args) { return truth(number(FIRST) == number(SECOND)); }

static bool equal(Obj a, Obj b)
{
    for (; a->tag == T_PAIR && b->tag == T_PAIR; a = CDR(a), b = CDR(b))
        if (!equal(CAR(a), CAR(b)))
            return false;
    if (a->tag != b->tag)
        return false;
    if (a->tag == T_INT)
        return a->u.num == b->u.num;
    if (a->tag == T_STRING)
        return !strcmp(a->u.str, b->u.str);
    return a == b;
}

static Obj p_equal(Obj args) { return truth(equal(FIRST, SECOND)); }
static Obj p_eq(Obj args) { return truth(FIRST == SECOND); }
static Obj p_cons(Obj args) { return cons(FIRST, SECOND); }
static Obj p_car(Obj args) { return FIRST == nil ? nil : CAR(pair(FIRST)); }
static Obj p_cdr(Obj args) { return FIRST == nil ? nil : CDR(pair(FIRST)); }
static Obj p_list(Obj args) { return args; }
static Obj p_not(Obj args) { return truth(FIRST == nil); }
static Obj p_is_pair(Obj args) { return truth(FIRST->tag == T_PAIR); }
static Obj p_is_symbol(Obj args) { return truth(FIRST->tag == T_SYMBOL); }
static Obj p_is_int(Obj args) { return truth(FIRST->tag == T_INT); }

static Obj p_set_car(Obj args) { return CAR(pair(FIRST)) = SECOND; }
static Obj p_set_cdr(Obj args) { return CDR(pair(FIRST)) = SECOND; }

static Obj p_print(Obj args)
{
    for (; args != nil; args = CDR(args)) {
        print_obj(CAR(args));
        putchar(CDR(args) == nil ? '\n' : ' ');
    }
    return nil;
}

static Obj p_apply(Obj args)
{
    Obj list = SECOND;
    while (list->tag == T_PAIR)
        list = CDR(list);
    if (list != nil)
        lisp_error("apply: list expected");
    return apply(FIRST, SECOND);
}

static Obj p_eval(Obj args) { return eval(FIRST, nil); }

static Obj p_error(Obj args)
{
    lisp_error("%s", FIRST->tag == T_STRING ? FIRST->u.str : "error");
}

static Obj p_append(Obj args)
{
    Obj head = nil, tail = nil;
    for (; args != nil; args = CDR(args))
        for (Obj l = CAR(args); l->tag == T_PAIR; l = CDR(l)) {
            Obj link = cons(CAR(l), nil);
            if (tail == nil)
                head = link;
            else
                CDR(tail) = link;
            tail = link;
        }
    return head;
}

static Obj p_concat(Obj args)
{
    char buf[512];
    int n = 0;
    for (; args != nil; args = CDR(args)) {
        if (CAR(args)->tag == T_INT)
            n += snprintf(buf + n, sizeof buf - (size_t)n, "%lld", (long long)CAR(args)->u.num);
        else if (CAR(args)->tag == T_STRING)
            n += snprintf(buf + n, sizeof buf - (size_t)n, "%s", CAR(args)->u.str);
        else
            lisp_error("concat: string or number expected");
        if (n >= (int)sizeof buf)
            lisp_error("concat: string too long");
    }
    return make_string(buf, n);
}

static const struct { const char *name; Primitive fn; int lo, hi; } table[] = {
    { "+", p_add, 0, 255 }, { "*", p_mul, 0, 255 }, { "-", p_sub, 1, 255 }, { "/", p_div, 2, 2 },
    { "mod", p_mod, 2, 2 }, { "<", p_less, 2, 2 }, { ">", p_greater, 2, 2 }, { "=", p_num_eq, 2, 2 },
    { "equal", p_equal, 2, 2 }, { "eq", p_eq, 2, 2 }, { "cons", p_cons, 2, 2 },
    { "car", p_car, 1, 1 }, { "cdr", p_cdr, 1, 1 }, { "list", p_list, 0, 255 },
    { "not", p_not, 1, 1 }, { "pair?", p_is_pair, 1, 1 }, { "symbol?", p_is_symbol, 1, 1 },
    { "int?", p_is_int, 1, 1 }, { "set-car!", p_set_car, 2, 2 }, { "set-cdr!", p_set_cdr, 2, 2 },
    { "print", p_print, 0, 255 }, { "apply", p_apply, 2, 2 }, { "eval", p_eval, 1, 1 },
    { "error", p_error, 1, 1 }, { "append", p_append, 0, 255 }, { "concat", p_concat, 0, 255 },
};

void builtins_init(void)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        Obj s = intern(table[i].name, (int)strlen(table[i].name));
        s->u.sym.value = make_primitive(table[i].name, table[i].fn, table[i].lo, table[i].hi);
    }
    unprotect(0);
}
