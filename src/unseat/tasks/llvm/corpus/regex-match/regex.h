/* regex.h - regular expressions: parser, compiler and three matching engines. */
#ifndef REGEX_H
#define REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RE_MAX_NODES   512
#define RE_MAX_PROG    2048
#define RE_MAX_CLASSES 64
#define RE_MAX_GROUPS  10
#define RE_SLOTS       (2 * RE_MAX_GROUPS)

typedef enum {
    RE_OK, RE_E_PAREN, RE_E_BRACKET, RE_E_RANGE, RE_E_NOTHING_TO_REPEAT,
    RE_E_BAD_COUNT, RE_E_TRAILING_BACKSLASH, RE_E_TOO_BIG, RE_E_COUNT_
} ReStatus;

typedef struct { uint8_t bits[32]; } CharSet;

typedef enum {
    N_EMPTY, N_CHAR, N_ANY, N_SET, N_CAT, N_ALT, N_REPEAT, N_GROUP, N_ASSERT
} NodeType;

typedef struct {
    NodeType type;
    int a, b;               /* children */
    int lo, hi;             /* repeat bounds (hi < 0: unbounded); char, set, group */
    bool lazy;
} Node;

typedef struct {
    Node nodes[RE_MAX_NODES];
    int count, root, groups, set_count;
    CharSet sets[RE_MAX_CLASSES];
} Ast;

typedef enum { OP_CHAR, OP_ANY, OP_SET, OP_SPLIT, OP_JUMP, OP_SAVE, OP_ASSERT, OP_MATCH } Opcode;

typedef struct { uint8_t op; uint8_t arg; int16_t x, y; } Inst;

typedef struct {
    Inst code[RE_MAX_PROG];
    int len, groups;
    bool has_assert;
    CharSet sets[RE_MAX_CLASSES];
} Program;

typedef struct { int slot[RE_SLOTS]; } Match;

ReStatus    re_parse(const char *pattern, Ast *ast);
ReStatus    re_compile(const Ast *ast, Program *prog);
const char *re_status_text(ReStatus s);

/* Shared by the engines. */
bool re_accepts(const Program *p, const Inst *in, unsigned char c);
bool re_assert_holds(int kind, const char *text, int len, int pos);

/* Leftmost match at or after `from`, with captures. Both agree always. */
bool pike_search(const Program *p, const char *text, int len, int from, Match *m);
bool backtrack_search(const Program *p, const char *text, int len, int from, Match *m);

/* Lazily built DFA: only answers whether some match exists. */
typedef struct Dfa Dfa;
Dfa *dfa_create(const Program *p);      /* NULL when the program has assertions */
bool dfa_test(Dfa *d, const char *text, int len);
int  dfa_state_count(const Dfa *d);
void dfa_destroy(Dfa *d);

#endif
