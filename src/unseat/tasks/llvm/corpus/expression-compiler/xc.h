/* xc.h - a tiny functional language compiled to a register machine.
 *
 *   fn gcd(a, b) = if b == 0 then a else gcd(b, a % b)
 *   fn f(x) = let y = x * x in y + y
 */
#ifndef XC_H
#define XC_H

#include <stdbool.h>
#include <stdint.h>

enum { MAX_NODES = 2048, MAX_FUNCS = 32, MAX_ARGS = 6, MAX_NAME = 16,
       MAX_CODE = 4096, MAX_VREGS = 2048, NUM_REGS = 8, NUM_ALLOC = 6 };

typedef enum {
    OP_CONST, OP_MOVE, OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MOD, OP_EQ, OP_NE, OP_LT, OP_LE,
    OP_NEG, OP_NOT, OP_ARG, OP_CALL, OP_RET, OP_JUMP, OP_BRZ, OP_LABEL, OP_LOAD, OP_STORE,
    OP_COUNT_
} op_t;

typedef enum { AST_NUM, AST_VAR, AST_UNARY, AST_BINARY, AST_IF, AST_LET, AST_CALL } ast_kind;

/* Nodes refer to one another by index; variables by distance-free slot. */
typedef struct {
    ast_kind kind;
    op_t op;
    int64_t num;              /* AST_NUM */
    int slot;                 /* AST_VAR, AST_LET: variable; AST_CALL: function */
    int nkids, kid[MAX_ARGS];
} ast_node;

typedef struct {
    char name[MAX_NAME];
    int nparams, nslots, body;
    bool defined;
} ast_func;

typedef struct {
    ast_node node[MAX_NODES];
    ast_func func[MAX_FUNCS];
    int nnodes, nfuncs;
    char error[96];
} program;

typedef struct { op_t op; int dst, a, b; int64_t imm; } instr;

typedef struct {
    instr code[MAX_CODE];
    int n, nvregs, nlabels, nparams, nspills;
    bool overflow;
} unit;

typedef struct { bool fold, cse, dce, tail; } options;

/* Arithmetic shared by interpreter, folder and machine: wraps, x/0 = 0. */
int64_t arith(op_t op, int64_t a, int64_t b);

bool parse_program(program *p, const char *text);
int  find_func(const program *p, const char *name);

int64_t interpret(const program *p, int func, const int64_t *args, uint64_t *steps);

void lower(program *p, int func, unit *u, options opt);
void allocate_registers(unit *u);
void print_unit(const unit *u, const char *title);

typedef struct { uint64_t executed, loads, stores, calls; } machine_stats;
int64_t machine_run(const unit *units, int func, const int64_t *args, machine_stats *st);

#endif
