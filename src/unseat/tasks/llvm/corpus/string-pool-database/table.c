/* SPDX-License-Identifier: Apache-2.0
 *
 * table.c - row storage with tombstones and hash indexes on columns.
 */
#include "db.h"

#include <stdlib.h>
#include <string.h>

struct Index {
    int *bucket;                /* head row, or -1                 */
    int *chain;                 /* per row: next row of the bucket */
    int nbuckets, room;
};

static Table *tables[MAX_TABLES];
static int ntables;

Table *tableFind(StrId name)
{
    for (int i = 0; i < ntables; i++)
        if (tables[i]->name == name)
            return tables[i];
    return NULL;
}

Table *tableCreate(StrId name)
{
    if (tableFind(name))
        dbFail("table %s exists", strText(name));
    if (ntables == MAX_TABLES)
        dbFail("too many tables");
    Table *t = calloc(1, sizeof *t);
    if (!t)
        dbFail("out of memory");
    t->name = name;
    return tables[ntables++] = t;
}

int tableColumn(const Table *t, StrId name)
{
    for (int c = 0; c < t->ncols; c++)
        if (t->cols[c].name == name)
            return c;
    return -1;
}

static void indexLink(Table *t, int col, int row)
{
    Index *ix = t->index[col];
    int *head = &ix->bucket[valueHash(tableCell(t, row, col)) % (uint32_t)ix->nbuckets];
    int *at = head;
    while (*at >= 0 && *at < row) /* chains stay in row order */
        at = &ix->chain[*at];
    ix->chain[row] = *at;
    *at = row;
}

static void indexUnlink(Table *t, int col, int row)
{
    Index *ix = t->index[col];
    int *at = &ix->bucket[valueHash(tableCell(t, row, col)) % (uint32_t)ix->nbuckets];
    while (*at != row)
        at = &ix->chain[*at];
    *at = ix->chain[row];
}

static void indexFree(Index *ix)
{
    if (!ix)
        return;
    free(ix->bucket);
    free(ix->chain);
    free(ix);
}

void tableIndex(Table *t, int col)
{
    Index *ix = calloc(1, sizeof *ix);
    if (!ix)
        dbFail("out of memory");
    ix->nbuckets = t->rows < 16 ? 31 : t->rows * 2 + 1;
    ix->room = t->room ? t->room : 1;
    ix->bucket = malloc((size_t)ix->nbuckets * sizeof *ix->bucket);
    ix->chain = malloc((size_t)ix->room * sizeof *ix->chain);
    if (!ix->bucket || !ix->chain) {
        indexFree(ix);
        dbFail("out of memory");
    }
    for (int i = 0; i < ix->nbuckets; i++)
        ix->bucket[i] = -1;
    indexFree(t->index[col]);
    t->index[col] = ix;
    for (int r = t->rows - 1; r >= 0; r--)
        if (!t->dead[r])
            indexLink(t, col, r);
}

int tableProbe(const Table *t, int col, Value key, int after)
{
    const Index *ix = t->index[col];
    int r = after < 0 ? ix->bucket[valueHash(key) % (uint32_t)ix->nbuckets] : ix->chain[after];
    while (r >= 0 && valueCompare(tableCell(t, r, col), key))
        r = ix->chain[r];
    return r;
}

static void tableGrow(Table *t)
{
    int room = t->room ? t->room * 2 : 16;
    Value *cells = realloc(t->cells, (size_t)room * (size_t)t->ncols * sizeof *cells);
    if (cells)
        t->cells = cells;
    unsigned char *dead = realloc(t->dead, (size_t)room);
    if (dead)
        t->dead = dead;
    if (!cells || !dead)
        dbFail("out of memory");
    t->room = room;
    for (int c = 0; c < t->ncols; c++)
        if (t->index[c])
            tableIndex(t, c);
}

static void checkType(const Table *t, int col, Value v)
{
    if (v.type != T_NULL && v.type != t->cols[col].type)
        dbFail("wrong type for column %s", strText(t->cols[col].name));
}

void tableInsert(Table *t, const Value *row)
{
    for (int c = 0; c < t->ncols; c++)
        checkType(t, c, row[c]);
    if (t->rows == t->room)
        tableGrow(t);
    int r = t->rows++;
    memcpy(t->cells + r * t->ncols, row, (size_t)t->ncols * sizeof *row);
    t->dead[r] = 0;
    t->live++;
    for (int c = 0; c < t->ncols; c++)
        if (t->index[c])
            indexLink(t, c, r);
}

void tableDelete(Table *t, int row)
{
    for (int c = 0; c < t->ncols; c++)
        if (t->index[c])
            indexUnlink(t, c, row);
    t->dead[row] = 1;
    t->live--;
}

void tableSet(Table *t, int row, int col, Value v)
{
    checkType(t, col, v);
    if (t->index[col])
        indexUnlink(t, col, row);
    t->cells[row * t->ncols + col] = v;
    if (t->index[col])
        indexLink(t, col, row);
}

void tableDropAll(void)
{
    while (ntables) {
        Table *t = tables[--ntables];
        for (int c = 0; c < t->ncols; c++)
            indexFree(t->index[c]);
        free(t->cells);
        free(t->dead);
        free(t);
    }
}
