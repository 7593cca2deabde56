/* forth.h - a Forth-like machine: dictionary, compiler and inner interpreter.
 *
 * Threaded code lives in one array of cells. Cell values below PRIM_COUNT
 * are primitives; anything else is the address of a colon definition. */
#ifndef FORTH_H
#define FORTH_H

#include <stdbool.h>
#include <stdint.h>

#define CODE_CELLS  16384
#define DATA_CELLS  16384
#define STACK_CELLS 256
#define MAX_WORDS   512
#define NAME_BYTES  16

typedef int64_t cell;

#define FOR_EACH_PRIMITIVE(X)                                                          \
    X(P_EXIT, "exit") X(P_LIT, "(lit)") X(P_BRANCH, "(branch)") X(P_ZBRANCH, "(0branch)") \
    X(P_DO, "(do)") X(P_LOOP, "(loop)") X(P_PLUSLOOP, "(+loop)") X(P_I, "i") X(P_J, "j") \
    X(P_UNLOOP, "unloop") X(P_STRING, "(.\")")                                         \
    X(P_DUP, "dup") X(P_DROP, "drop") X(P_SWAP, "swap") X(P_OVER, "over") X(P_ROT, "rot") \
    X(P_NIP, "nip") X(P_TUCK, "tuck") X(P_PICK, "pick") X(P_DEPTH, "depth")            \
    X(P_TWODUP, "2dup") X(P_TWODROP, "2drop") X(P_QDUP, "?dup")                        \
    X(P_TOR, ">r") X(P_RFROM, "r>") X(P_RFETCH, "r@")                                  \
    X(P_ADD, "+") X(P_SUB, "-") X(P_MUL, "*") X(P_DIV, "/") X(P_MOD, "mod")            \
    X(P_NEGATE, "negate") X(P_ABS, "abs") X(P_MIN, "min") X(P_MAX, "max")              \
    X(P_AND, "and") X(P_OR, "or") X(P_XOR, "xor") X(P_INVERT, "invert")                \
    X(P_LSHIFT, "lshift") X(P_RSHIFT, "rshift")                                        \
    X(P_EQ, "=") X(P_NE, "<>") X(P_LT, "<") X(P_GT, ">") X(P_ZEQ, "0=") X(P_ZLT, "0<") \
    X(P_FETCH, "@") X(P_STORE, "!") X(P_PLUSSTORE, "+!") X(P_HERE, "here")             \
    X(P_ALLOT, "allot") X(P_COMMA, ",") X(P_EXECUTE, "execute")                        \
    X(P_DOT, ".") X(P_EMIT, "emit") X(P_CR, "cr") X(P_SPACE, "space") X(P_DOTS, ".s")

#define X(id, name) id,
enum { FOR_EACH_PRIMITIVE(X) PRIM_COUNT };
#undef X

typedef enum {
    F_OK, F_UNDERFLOW, F_OVERFLOW, F_RSTACK, F_ADDRESS, F_DIVIDE, F_UNKNOWN, F_STRUCTURE,
    F_COMPILE_ONLY, F_NO_NAME, F_FULL, F_BAD_TOKEN, F_STEPS
} forth_status;

typedef struct {
    char name[NAME_BYTES];
    cell xt;                  /* primitive number or code address */
    uint8_t immediate, hidden;
} word;

typedef struct forth {
    cell code[CODE_CELLS], data[DATA_CELLS];
    cell stack[STACK_CELLS], rstack[STACK_CELLS];
    int sp, rp, here, data_here;
    word words[MAX_WORDS];
    int nwords;
    int compiling;            /* index of the word being defined, or -1 */
    cell control[64];         /* compile-time control-flow stack */
    int ncontrol;
    const char *input;
    forth_status status;
    char culprit[NAME_BYTES];
    uint64_t steps, budget;
    void (*put)(char c);      /* output */
} forth;

void forth_init(forth *f, void (*put)(char c));
forth_status forth_run(forth *f, const char *text);      /* outer interpreter */
void forth_execute(forth *f, cell xt);                   /* inner interpreter */
const char *forth_status_text(forth_status s);
void forth_see(const forth *f, const char *name);        /* decompiler */
extern const char *const primitive_names[PRIM_COUNT];

#endif
