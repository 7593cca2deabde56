/* eval.c - evaluator with proper tail calls; environments are lists of
 * (symbol . value) pairs in front of the global values kept in symbols. */
#include "lisp.h"

#include <stdarg.h>
#include <stdio.h>

enum { MAX_DEPTH = 1500 };

jmp_buf error_exit;
char error_text[128];
static int depth;

typedef enum { SF_QUOTE, SF_IF, SF_DEFINE, SF_SET, SF_LAMBDA, SF_MACRO, SF_BEGIN, SF_LET,
               SF_COND, SF_AND, SF_OR, SF_WHILE, SF_COUNT } SpecialForm;
static const char *const special_names[SF_COUNT] = {
    "quote", "if", "define", "set!", "lambda", "macro", "begin", "let", "cond", "and", "or", "while"
};
static Obj special_symbols[SF_COUNT];

void lisp_error(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(error_text, sizeof error_text, format, ap);
    va_end(ap);
    depth = 0;
    longjmp(error_exit, 1);
}

void eval_init(void)
{
    for (int i = 0; i < SF_COUNT; i++) {
        int n = 0;
        while (special_names[i][n])
            n++;
        special_symbols[i] = intern(special_names[i], n);
    }
}

static Obj *variable(Obj sym, Obj env)
{
    for (; env != nil; env = CDR(env))
        if (CAR(CAR(env)) == sym)
            return &CDR(CAR(env));
    return &sym->u.sym.value;
}

static Obj arg(Obj list, int n)
{
    for (; n > 0 && list->tag == T_PAIR; n--)
        list = CDR(list);
    if (list->tag != T_PAIR)
        lisp_error("form is too short");
    return CAR(list);
}

static Obj bind(Obj params, Obj args, Obj env)
{
    for (; params->tag == T_PAIR; params = CDR(params), args = CDR(args)) {
        if (args->tag != T_PAIR)
            lisp_error("too few arguments");
        env = cons(cons(CAR(params), CAR(args)), env);
    }
    if (params->tag == T_SYMBOL)
        return cons(cons(params, args), env);
    if (args != nil)
        lisp_error("too many arguments");
    return env;
}

static Obj eval_list(Obj list, Obj env)
{
    Obj head = nil, tail = nil;
    for (; list->tag == T_PAIR; list = CDR(list)) {
        Obj value = eval(CAR(list), env), link = cons(value, nil);
        if (tail == nil)
            head = link;
        else
            CDR(tail) = link;
        tail = link;
    }
    return head;
}

/* Evaluates all but the last form of a body and returns the last. */
static Obj body_tail(Obj body, Obj env)
{
    if (body->tag != T_PAIR)
        return nil;
    for (; CDR(body)->tag == T_PAIR; body = CDR(body)) {
        int mark = protect_mark();
        eval(CAR(body), env);
        unprotect(mark);
    }
    return CAR(body);
}

static Obj call_primitive(Obj fn, Obj args)
{
    int n = 0;
    for (Obj a = args; a->tag == T_PAIR; a = CDR(a))
        n++;
    if (n < fn->arity_min || (n > fn->arity_max && fn->arity_max != 255))
        lisp_error("%s: wrong number of arguments", fn->u.prim.name);
    return fn->u.prim.fn(args);
}

Obj apply(Obj fn, Obj args)
{
    if (fn->tag == T_PRIMITIVE)
        return call_primitive(fn, args);
    if (fn->tag != T_LAMBDA && fn->tag != T_MACRO)
        lisp_error("not a function");
    Obj env = bind(fn->u.fn.params, args, fn->u.fn.env);
    return eval(body_tail(fn->u.fn.body, env), env);
}

static void define(Obj expr, Obj env)
{
    Obj target = arg(expr, 1);
    if (target->tag == T_PAIR) {                   /* (define (f . params) body...) */
        Obj fn = make_closure(T_LAMBDA, CDR(target), CDR(CDR(expr)), env);
        target = CAR(target);
        if (target->tag == T_SYMBOL) {
            target->u.sym.value = fn;
            return;
        }
    }
    if (target->tag != T_SYMBOL)
        lisp_error("define needs a symbol");
    target->u.sym.value = eval(arg(expr, 2), env);
}

static Obj let_env(Obj bindings, Obj env)
{
    Obj inner = env;
    for (; bindings->tag == T_PAIR; bindings = CDR(bindings)) {
        Obj value = eval(arg(CAR(bindings), 1), env);
        inner = cons(cons(arg(CAR(bindings), 0), value), inner);
    }
    return inner;
}

static Obj eval_loop(Obj expr, Obj env)
{
    int mark = protect_mark();
    for (;;) {
        unprotect(mark);
        protect(expr);
        protect(env);
        if (expr->tag == T_SYMBOL) {
            Obj value = *variable(expr, env);
            if (!value)
                lisp_error("unbound symbol %s", expr->u.sym.name);
            return value;
        }
        if (expr->tag != T_PAIR)
            return expr;
        int form = 0;
        while (form < SF_COUNT && special_symbols[form] != CAR(expr))
            form++;
        switch ((SpecialForm)form) {
        case SF_QUOTE:
            return arg(expr, 1);
        case SF_IF:
            if (eval(arg(expr, 1), env) != nil) {
                expr = arg(expr, 2);
            } else {
                arg(expr, 2);
                expr = CDR(CDR(CDR(expr))) == nil ? nil : arg(expr, 3);
            }
            continue;
        case SF_DEFINE:
            define(expr, env);
            return nil;
        case SF_SET: {
            Obj value = eval(arg(expr, 2), env);
            if (arg(expr, 1)->tag != T_SYMBOL)
                lisp_error("set! needs a symbol");
            return *variable(arg(expr, 1), env) = value;
        }
        case SF_LAMBDA:
            return make_closure(T_LAMBDA, arg(expr, 1), CDR(CDR(expr)), env);
        case SF_MACRO:
            return make_closure(T_MACRO, arg(expr, 1), CDR(CDR(expr)), env);
        case SF_BEGIN:
            expr = body_tail(CDR(expr), env);
            continue;
        case SF_LET:
            env = let_env(arg(expr, 1), env);
            expr = body_tail(CDR(CDR(expr)), env);
            continue;
        case SF_COND: {
            Obj clauses = CDR(expr);
            while (clauses->tag == T_PAIR && eval(arg(CAR(clauses), 0), env) == nil)
                clauses = CDR(clauses);
            expr = clauses->tag != T_PAIR ? nil : body_tail(CDR(CAR(clauses)), env);
            continue;
        }
        case SF_AND: case SF_OR: {
            Obj rest = CDR(expr);
            if (rest->tag != T_PAIR)
                return form == SF_AND ? sym_t : nil;
            for (; CDR(rest)->tag == T_PAIR; rest = CDR(rest)) {
                Obj value = eval(CAR(rest), env);
                if ((value != nil) == (form == SF_OR))
                    return value;
            }
            expr = CAR(rest);
            continue;
        }
        case SF_WHILE:
            for (;;) {
                int inner = protect_mark();
                if (eval(arg(expr, 1), env) == nil)
                    return nil;
                eval(body_tail(CDR(CDR(expr)), env), env);
                unprotect(inner);
            }
        case SF_COUNT:
            break;
        }
        Obj fn = eval(CAR(expr), env);
        if (fn->tag == T_MACRO) {
            expr = apply(fn, CDR(expr));
            continue;
        }
        Obj args = eval_list(CDR(expr), env);
        if (fn->tag != T_LAMBDA)
            return apply(fn, args);
        env = bind(fn->u.fn.params, args, fn->u.fn.env);
        expr = body_tail(fn->u.fn.body, env);
    }
}

Obj eval(Obj expr, Obj env)
{
    int mark = protect_mark();
    if (++depth > MAX_DEPTH)
        lisp_error("recursion too deep");
    Obj result = eval_loop(expr, env);
    depth--;
    unprotect(mark);
    return protect(result);
}
