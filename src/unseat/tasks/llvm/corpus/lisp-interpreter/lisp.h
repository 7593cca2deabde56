/* lisp.h - a small Lisp: heap with mark and sweep, reader, evaluator. */
#ifndef LISP_H
#define LISP_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Cell Cell;
typedef Cell *Obj;
typedef Obj (*Primitive)(Obj args);

typedef enum { T_NIL, T_INT, T_SYMBOL, T_STRING, T_PAIR, T_PRIMITIVE, T_LAMBDA, T_MACRO, T_FREE } Tag;

struct Cell {
    uint8_t tag, marked, arity_min, arity_max;
    union {
        int64_t num;
        struct { Obj car, cdr; } pair;
        struct { char *name; Obj value, next; } sym;      /* global value, hash chain */
        struct { Primitive fn; const char *name; } prim;
        struct { Obj params, body, env; Cell *unused; } fn;
        char *str;
    } u;
};

extern Obj nil, sym_t, sym_quote;

#define CAR(x) ((x)->u.pair.car)
#define CDR(x) ((x)->u.pair.cdr)

/* heap.c: every fresh object stays alive until the caller lowers the stack
 * of protected objects with unprotect(). */
void heap_init(void);
void heap_free(void);
int  protect_mark(void);
void unprotect(int mark);
Obj  protect(Obj o);
Obj  make_int(int64_t n);
Obj  cons(Obj car, Obj cdr);
Obj  make_string(const char *s, int n);
Obj  make_closure(Tag tag, Obj params, Obj body, Obj env);
Obj  make_primitive(const char *name, Primitive fn, int lo, int hi);
Obj  intern(const char *name, int n);
typedef struct { long collections, allocated, peak, live; } HeapStats;
HeapStats heap_stats(void);

/* reader.c */
Obj  read_form(const char **text);        /* NULL at the end of the text */
void print_obj(Obj o);

/* eval.c */
extern jmp_buf error_exit;
extern char error_text[128];
_Noreturn void lisp_error(const char *format, ...);
Obj  eval(Obj expr, Obj env);
Obj  apply(Obj fn, Obj args);
void eval_init(void);

/* builtins.c */
void builtins_init(void);

#endif
