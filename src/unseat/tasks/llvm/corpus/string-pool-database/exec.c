/* SPDX-License-Identifier: Apache-2.0
 *
 * exec.c - statements.  A select is parsed into one structure and run as
 * nested loops; an equality on an indexed column turns a loop into a probe.
 */
#include "db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OUT = 8, MAX_ROWS = 2000, MAX_GROUPS = 256 };

typedef struct {
    Expr *out[MAX_OUT];
    int nout;
    Scope scope;
    Expr *on[MAX_SOURCES];
    Expr *where, *group, *having, *order;
    bool descending, star;
    int limit;
    Expr *calls[8];
    int ncalls;
    long probes, scans;
} Select;

typedef struct { Value cells[MAX_OUT]; Value key; int serial; } OutRow;
typedef struct { Value key, acc[8]; int64_t count[8]; Source src[MAX_SOURCES]; bool used; } Group;
typedef struct { Select *q; OutRow *rows; int nrows; Group *groups; int ngroups; } Run;

static Table *needTable(Lexer *l)
{
    StrId name = lexName(l);
    Table *t = tableFind(name);
    if (!t)
        dbFail("no table %s", strText(name));
    return t;
}

static int needColumn(const Table *t, StrId name)
{
    int c = tableColumn(t, name);
    if (c < 0)
        dbFail("no column %s", strText(name));
    return c;
}

static void needEnd(Lexer *l)
{
    if (l->kind != K_END)
        dbFail("text after the statement");
}

bool dbQuiet;

static void reportCount(int n, const char *what)
{
    if (!dbQuiet)
        printf("%d %s\n", n, what);
}

/* ---- create, index, insert, delete, update ---- */

static void doCreate(Lexer *l)
{
    Column cols[MAX_COLS];
    int n = 0;
    StrId name = lexName(l);
    lexNeedSign(l, '(');
    do {
        if (n == MAX_COLS)
            dbFail("too many columns");
        cols[n].name = lexName(l);
        if (lexWord(l, "int"))
            cols[n].type = T_INT;
        else if (lexWord(l, "text"))
            cols[n].type = T_TEXT;
        else
            dbFail("unknown type");
        n++;
    } while (lexSign(l, ','));
    lexNeedSign(l, ')');
    needEnd(l);
    Table *t = tableCreate(name);
    t->ncols = n;
    memcpy(t->cols, cols, sizeof t->cols[0] * (size_t)n);
}

static void doIndex(Lexer *l)
{
    Table *t = needTable(l);
    int c = needColumn(t, lexName(l));
    needEnd(l);
    tableIndex(t, c);
}

static void doInsert(Lexer *l)
{
    static const Scope empty;
    Table *t = needTable(l);
    int n = 0;
    do {
        Value row[MAX_COLS];
        int c = 0;
        lexNeedSign(l, '(');
        do {
            Expr *e = parseExpr(l);
            exprResolve(e, &empty);
            if (c == t->ncols)
                dbFail("too many values");
            row[c++] = exprEval(e, &empty);
        } while (lexSign(l, ','));
        lexNeedSign(l, ')');
        if (c < t->ncols)
            dbFail("too few values");
        tableInsert(t, row);
        n++;
    } while (lexSign(l, ','));
    needEnd(l);
    reportCount(n, "inserted");
}

static Expr *optionalWhere(Lexer *l, const Scope *s)
{
    Expr *e = lexWord(l, "where") ? parseExpr(l) : NULL;
    exprResolve(e, s);
    return e;
}

static void doDelete(Lexer *l)
{
    Scope s = { .n = 1 };
    lexNeedWord(l, "from");
    Table *t = needTable(l);
    s.src[0] = (Source){ t, t->name, 0 };
    Expr *where = optionalWhere(l, &s);
    needEnd(l);
    int n = 0;
    for (int r = 0; r < t->rows; r++) {
        s.src[0].row = r;
        if (!t->dead[r] && exprTrue(where, &s)) {
            tableDelete(t, r);
            n++;
        }
    }
    reportCount(n, "deleted");
}

static void doUpdate(Lexer *l)
{
    Scope s = { .n = 1 };
    Table *t = needTable(l);
    s.src[0] = (Source){ t, t->name, 0 };
    lexNeedWord(l, "set");
    int col = needColumn(t, lexName(l));
    lexNeedSign(l, '=');
    Expr *e = parseExpr(l);
    exprResolve(e, &s);
    Expr *where = optionalWhere(l, &s);
    needEnd(l);
    int n = 0;
    for (int r = 0; r < t->rows; r++) {
        s.src[0].row = r;
        if (!t->dead[r] && exprTrue(where, &s)) {
            tableSet(t, r, col, exprEval(e, &s));
            n++;
        }
    }
    reportCount(n, "updated");
}

/* ---- select ---- */

static void parseSource(Lexer *l, Select *q)
{
    if (q->scope.n == MAX_SOURCES)
        dbFail("too many tables");
    Source *src = &q->scope.src[q->scope.n++];
    src->table = needTable(l);
    src->alias = lexWord(l, "as") ? lexName(l) : src->table->name;
    src->row = -1;
}

static void expandStar(Select *q)
{
    for (int i = 0; i < q->scope.n; i++)
        for (int c = 0; c < q->scope.src[i].table->ncols; c++) {
            if (q->nout == MAX_OUT)
                dbFail("too many columns");
            Expr *e = scratch(sizeof *e);
            e->kind = E_COLUMN;
            e->table = q->scope.src[i].alias;
            e->name = q->scope.src[i].table->cols[c].name;
            e->slot = -1;
            q->out[q->nout++] = e;
        }
}

static Select *parseSelect(Lexer *l)
{
    Select *q = scratch(sizeof *q);
    q->limit = MAX_ROWS;
    if (lexSign(l, '*')) {
        q->star = true;
    } else {
        do {
            if (q->nout == MAX_OUT)
                dbFail("too many columns");
            q->out[q->nout++] = parseExpr(l);
        } while (lexSign(l, ','));
    }
    lexNeedWord(l, "from");
    parseSource(l, q);
    while (lexWord(l, "join")) {
        parseSource(l, q);
        lexNeedWord(l, "on");
        q->on[q->scope.n - 1] = parseExpr(l);
    }
    q->where = lexWord(l, "where") ? parseExpr(l) : NULL;
    if (lexWord(l, "group")) {
        lexNeedWord(l, "by");
        q->group = parseExpr(l);
    }
    q->having = lexWord(l, "having") ? parseExpr(l) : NULL;
    if (lexWord(l, "order")) {
        lexNeedWord(l, "by");
        q->order = parseExpr(l);
        q->descending = lexWord(l, "desc");
    }
    if (lexWord(l, "limit")) {
        if (l->kind != K_INT || l->number > MAX_ROWS)
            dbFail("bad limit");
        q->limit = (int)l->number;
        lexNext(l);
    }
    needEnd(l);
    if (q->star)
        expandStar(q);
    return q;
}

static void resolveSelect(Select *q)
{
    Scope visible = q->scope;
    for (int i = 0; i < q->scope.n; i++) {
        visible.n = i + 1;              /* a join sees only tables so far */
        exprResolve(q->on[i], &visible);
    }
    exprResolve(q->where, &q->scope);
    exprResolve(q->group, &q->scope);
    for (int i = 0; i < q->nout; i++)
        q->ncalls = exprAggregates(q->out[i], q->calls, q->ncalls);
    q->ncalls = exprAggregates(q->having, q->calls, q->ncalls);
    q->ncalls = exprAggregates(q->order, q->calls, q->ncalls);
    for (int i = 0; i < q->nout; i++)
        exprResolve(q->out[i], &q->scope);
    exprResolve(q->having, &q->scope);
    exprResolve(q->order, &q->scope);
}

static Group *groupFor(Run *run, Value key)
{
    uint32_t i = valueHash(key) % MAX_GROUPS;
    while (run->groups[i].used && valueCompare(run->groups[i].key, key))
        i = (i + 1) % MAX_GROUPS;
    Group *g = &run->groups[i];
    if (!g->used) {
        if (++run->ngroups == MAX_GROUPS)
            dbFail("too many groups");
        g->used = true;
        g->key = key;
        memcpy(g->src, run->q->scope.src, sizeof g->src);
    }
    return g;
}

static void accumulate(Select *q, Group *g)
{
    for (int i = 0; i < q->ncalls; i++) {
        const Expr *arg = q->calls[i]->kid[0];
        Value v = arg ? exprEval(arg, &q->scope) : (Value){ T_INT, 1 };
        if (v.type == T_NULL)
            continue;
        bool first = g->count[i]++ == 0;
        switch ((Aggregate)q->calls[i]->op) {
        case AGG_SUM:
        case AGG_AVG:
            if (v.type != T_INT)
                dbFail("cannot add text");
            g->acc[i] = (Value){ T_INT, (first ? 0 : g->acc[i].v) + v.v };
            break;
        case AGG_MIN:
            if (first || valueCompare(v, g->acc[i]) < 0)
                g->acc[i] = v;
            break;
        case AGG_MAX:
            if (first || valueCompare(v, g->acc[i]) > 0)
                g->acc[i] = v;
            break;
        case AGG_COUNT:
        case AGG_NONE:
            break;
        }
    }
}

static void finishGroup(Select *q, Group *g)
{
    for (int i = 0; i < q->ncalls; i++) {
        if (q->calls[i]->op == AGG_COUNT)
            g->acc[i] = (Value){ T_INT, g->count[i] };
        else if (q->calls[i]->op == AGG_AVG && g->count[i])
            g->acc[i].v /= g->count[i];
    }
}

static void emit(Run *run)
{
    Select *q = run->q;
    if (!exprTrue(q->having, &q->scope))
        return;
    if (run->nrows == MAX_ROWS)
        dbFail("too many rows");
    OutRow *r = &run->rows[run->nrows];
    r->serial = run->nrows++;
    for (int i = 0; i < q->nout; i++)
        r->cells[i] = exprEval(q->out[i], &q->scope);
    if (q->order)
        r->key = exprEval(q->order, &q->scope);
}

static void visit(Run *run)
{
    Select *q = run->q;
    if (!exprTrue(q->where, &q->scope))
        return;
    if (q->group || q->ncalls)
        accumulate(q, groupFor(run, q->group ? exprEval(q->group, &q->scope) : (Value){ T_NULL, 0 }));
    else
        emit(run);
}

/* Finds "column of this source = something known" among the conjuncts. */
static const Expr *probeKey(const Expr *e, int source, const Table *t, int *col)
{
    if (!e || e->kind != E_BINARY)
        return NULL;
    if (e->op == OP_AND) {
        const Expr *k = probeKey(e->kid[0], source, t, col);
        return k ? k : probeKey(e->kid[1], source, t, col);
    }
    for (int side = 0; e->op == '=' && side < 2; side++) {
        const Expr *c = e->kid[side], *k = e->kid[1 - side];
        bool known = k->kind == E_CONST || (k->kind == E_COLUMN && k->source < source);
        if (c->kind == E_COLUMN && c->source == source && t->index[c->col] && known) {
            *col = c->col;
            return k;
        }
    }
    return NULL;
}

static void loop(Run *run, int level)
{
    Select *q = run->q;
    if (level == q->scope.n || level >= MAX_SOURCES) {
        visit(run);
        return;
    }
    Source *src = &q->scope.src[level];
    int col = 0;
    const Expr *key = probeKey(q->on[level], level, src->table, &col);
    if (!key)
        key = probeKey(q->where, level, src->table, &col);
    if (key) {
        Value v = exprEval(key, &q->scope);
        q->probes++;
        for (int r = tableProbe(src->table, col, v, -1); r >= 0; r = tableProbe(src->table, col, v, r)) {
            src->row = r;
            if (exprTrue(q->on[level], &q->scope))
                loop(run, level + 1);
        }
    } else {
        q->scans++;
        for (int r = 0; r < src->table->rows; r++) {
            src->row = r;
            if (!src->table->dead[r] && exprTrue(q->on[level], &q->scope))
                loop(run, level + 1);
        }
    }
    src->row = -1;
}

static void emitGroups(Run *run)
{
    Select *q = run->q;
    if (!q->group && !run->ngroups)
        groupFor(run, (Value){ T_NULL, 0 });
    for (int i = 0; i < MAX_GROUPS; i++) {
        Group *g = &run->groups[i];
        if (!g->used)
            continue;
        finishGroup(q, g);
        memcpy(q->scope.src, g->src, sizeof g->src);
        q->scope.aggregates = g->acc;
        emit(run);
    }
}

static bool sortDescending;

static int byKey(const void *x, const void *y)
{
    const OutRow *a = x, *b = y;
    int c = valueCompare(a->key, b->key);
    if (c)
        return sortDescending ? -c : c;
    for (int i = 0; i < MAX_OUT; i++)   /* ties: by content, then by age */
        if ((c = valueCompare(a->cells[i], b->cells[i])) != 0)
            return c;
    return a->serial - b->serial;
}

static void printResult(Run *run)
{
    Select *q = run->q;
    char title[96];
    int n = run->nrows < q->limit ? run->nrows : q->limit;
    printf("%d/%d rows, %ld probes, %ld scans: ", n, run->nrows, q->probes, q->scans);
    for (int i = 0; i < q->nout; i++) {
        exprText(q->out[i], title, sizeof title);
        printf("%s%s", i ? " | " : "", title);
    }
    printf("\n");
    for (int r = 0; r < n; r++) {
        for (int i = 0; i < q->nout; i++) {
            printf(i ? " | " : "  ");
            valuePrint(run->rows[r].cells[i]);
        }
        printf("\n");
    }
}

static void doSelect(Lexer *l)
{
    static OutRow rows[MAX_ROWS];
    static Group groups[MAX_GROUPS];
    Run run = { parseSelect(l), rows, 0, groups, 0 };
    resolveSelect(run.q);
    memset(rows, 0, sizeof rows);
    memset(groups, 0, sizeof groups);
    loop(&run, 0);
    if (run.q->group || run.q->ncalls)
        emitGroups(&run);
    sortDescending = run.q->descending;
    if (run.q->order || run.q->group)
        qsort(rows, (size_t)run.nrows, sizeof rows[0], byKey);
    printResult(&run);
}

static const struct { const char *word; void (*run)(Lexer *); } statements[] = {
    { "select", doSelect }, { "insert", doInsert }, { "create", doCreate },
    { "index", doIndex }, { "delete", doDelete }, { "update", doUpdate },
};

void dbExecute(const char *sql)
{
    Lexer l;
    scratchReset();
    if (setjmp(dbTrap)) {
        printf("error: %s\n", dbError);
        return;
    }
    lexStart(&l, sql);
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        if (lexWord(&l, statements[i].word)) {
            statements[i].run(&l);
            return;
        }
    dbFail("unknown statement");
}
