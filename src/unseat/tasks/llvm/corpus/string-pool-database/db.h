/* SPDX-License-Identifier: Apache-2.0
 *
 * db.h - a tiny relational engine.  All strings are interned in one pool,
 * so that a value is a tagged machine word and equality of text is equality
 * of handles.  Errors travel by longjmp to the statement loop.
 */
#ifndef DB_H
#define DB_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- string pool (pool.c) ---- */
typedef uint32_t StrId;
StrId strIntern(const char *s, int len);
const char *strText(StrId id);
int strLength(StrId id);
int strCompare(StrId a, StrId b);
void strStatistics(long *strings, long *bytes, long *shared);
void strFreeAll(void);

/* ---- scratch arena, reset after each statement (pool.c) ---- */
void *scratch(size_t bytes);
void scratchReset(void);
long scratchPeak(void);

/* ---- errors ---- */
extern jmp_buf dbTrap;
extern char dbError[128];
#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 1, 2)))
#endif
void dbFail(const char *format, ...);

/* ---- values ---- */
typedef enum { T_NULL, T_INT, T_TEXT, T_BOOL } Type;
typedef struct { Type type; int64_t v; } Value;
int valueCompare(Value a, Value b);   /* total order: null < bool < int < text */
void valuePrint(Value v);
uint32_t valueHash(Value v);

/* ---- tables (table.c) ---- */
enum { MAX_COLS = 8, MAX_TABLES = 12 };
typedef struct { StrId name; Type type; } Column;
typedef struct Index Index;
typedef struct Table {
    StrId name;
    int ncols;
    Column cols[MAX_COLS];
    Value *cells;               /* row-major */
    unsigned char *dead;
    int rows, live, room;
    Index *index[MAX_COLS];
} Table;
Table *tableCreate(StrId name);
Table *tableFind(StrId name);  /* NULL if missing */
int tableColumn(const Table *t, StrId name);
void tableInsert(Table *t, const Value *row);
void tableDelete(Table *t, int row);
void tableSet(Table *t, int row, int col, Value v);
static inline Value tableCell(const Table *t, int row, int col) { return t->cells[row * t->ncols + col]; }
void tableIndex(Table *t, int col);
int tableProbe(const Table *t, int col, Value key, int after); /* next row, or -1 */
void tableDropAll(void);

/* ---- expressions (expr.c) ---- */
typedef struct Expr Expr;
typedef enum { E_CONST, E_COLUMN, E_NOT, E_NEG, E_ISNULL, E_BINARY, E_CALL } ExprKind;
struct Expr {
    ExprKind kind;
    Value value;
    StrId table, name;          /* column, or function name */
    int source, col;            /* resolved column          */
    int op;                     /* operator, or aggregate code */
    Expr *kid[2];
    int slot;                   /* aggregate accumulator, or -1 */
};
enum { MAX_SOURCES = 3 };
typedef struct { Table *table; StrId alias; int row; } Source;
typedef struct { Source src[MAX_SOURCES]; int n; Value *aggregates; } Scope;
void exprResolve(Expr *e, const Scope *s);
Value exprEval(const Expr *e, const Scope *s);
bool exprTrue(const Expr *e, const Scope *s);
void exprText(const Expr *e, char *out, int size);
typedef enum { AGG_COUNT, AGG_SUM, AGG_MIN, AGG_MAX, AGG_AVG, AGG_NONE } Aggregate;
int exprAggregates(Expr *e, Expr **list, int n);   /* collects the calls */

/* ---- lexer and statements (parse.c, exec.c) ---- */
typedef enum { K_END, K_NAME, K_INT, K_TEXT, K_SIGN } TokenKind;
typedef struct { const char *at; TokenKind kind; StrId text; int64_t number; int sign; } Lexer;
void lexStart(Lexer *l, const char *sql);
void lexNext(Lexer *l);
bool lexWord(Lexer *l, const char *word);       /* consumes on a match */
bool lexSign(Lexer *l, int sign);
void lexNeedWord(Lexer *l, const char *word);
void lexNeedSign(Lexer *l, int sign);
StrId lexName(Lexer *l);
Expr *parseExpr(Lexer *l);
void dbExecute(const char *sql);
extern bool dbQuiet;            /* suppresses the counts after changes */
enum { OP_LE = 256, OP_GE, OP_NE, OP_AND, OP_OR, OP_LIKE };

#endif
