/* SPDX-License-Identifier: Apache-2.0
 *
 * pool.c - interning with an open-addressing hash, the scratch arena, the
 * error trap and the basic operations on values.
 */
#include "db.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

jmp_buf dbTrap;
char dbError[128];

void dbFail(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(dbError, sizeof dbError, format, ap);
    va_end(ap);
    longjmp(dbTrap, 1);
}

static char *bytes;
static long nbytes, byteRoom;
static long *starts;            /* offset of each string; lengths follow from them */
static StrId nstrings, stringRoom;
static StrId *slots;            /* id + 1 */
static uint32_t nslots;
static long sharedCount;

static void *mustGrow(void *p, size_t size)
{
    p = realloc(p, size);
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return p;
}

static uint32_t hashBytes(const char *s, int len)
{
    uint32_t h = 2166136261u;
    for (int i = 0; i < len; i++)
        h = (h ^ (unsigned char)s[i]) * 16777619u;
    return h ^ h >> 15;
}

const char *strText(StrId id) { return bytes + starts[id]; }

int strLength(StrId id)
{
    long end = id + 1 < nstrings ? starts[id + 1] : nbytes;
    return (int)(end - starts[id] - 1);
}

static uint32_t findSlot(const char *s, int len)
{
    uint32_t i = hashBytes(s, len) & (nslots - 1);
    while (slots[i]) {
        StrId id = slots[i] - 1;
        if (strLength(id) == len && !memcmp(strText(id), s, (size_t)len))
            break;
        i = (i + 1) & (nslots - 1);
    }
    return i;
}

static void rehash(void)
{
    nslots = nslots ? nslots * 2 : 64;
    slots = mustGrow(slots, nslots * sizeof *slots);
    memset(slots, 0, nslots * sizeof *slots);
    for (StrId id = 0; id < nstrings; id++)
        slots[findSlot(strText(id), strLength(id))] = id + 1;
}

StrId strIntern(const char *s, int len)
{
    if ((nstrings + 1) * 2 > nslots)
        rehash();
    uint32_t at = findSlot(s, len);
    if (slots[at]) {
        sharedCount++;
        return slots[at] - 1;
    }
    if (nbytes + len + 1 > byteRoom) {
        byteRoom = (nbytes + len + 1) * 2;
        bytes = mustGrow(bytes, (size_t)byteRoom);
    }
    if (nstrings == stringRoom) {
        stringRoom = stringRoom ? stringRoom * 2 : 64;
        starts = mustGrow(starts, stringRoom * sizeof *starts);
    }
    starts[nstrings] = nbytes;
    memcpy(bytes + nbytes, s, (size_t)len);
    bytes[nbytes + len] = '\0';
    nbytes += len + 1;
    slots[at] = nstrings + 1;
    return nstrings++;
}

int strCompare(StrId a, StrId b) { return a == b ? 0 : strcmp(strText(a), strText(b)); }

void strStatistics(long *strings, long *used, long *shared)
{
    *strings = nstrings;
    *used = nbytes;
    *shared = sharedCount;
}

enum { SCRATCH_SIZE = 1 << 18 };
static char *arena;
static size_t arenaUsed, arenaPeak;

void *scratch(size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (!arena)
        arena = mustGrow(NULL, SCRATCH_SIZE);
    if (size > SCRATCH_SIZE - arenaUsed)
        dbFail("statement too large");
    void *p = arena + arenaUsed;
    arenaUsed += size;
    arenaPeak = arenaUsed > arenaPeak ? arenaUsed : arenaPeak;
    return memset(p, 0, size);
}

void scratchReset(void) { arenaUsed = 0; }
long scratchPeak(void) { return (long)arenaPeak; }

void strFreeAll(void)
{
    free(bytes);
    free(starts);
    free(slots);
    free(arena);
    arena = NULL;
    bytes = NULL;
    starts = NULL;
    slots = NULL;
    nbytes = byteRoom = 0;
    nstrings = stringRoom = nslots = 0;
}

static int typeRank(Type t)
{
    static const int rank[] = { [T_NULL] = 0, [T_BOOL] = 1, [T_INT] = 2, [T_TEXT] = 3 };
    return rank[t];
}

int valueCompare(Value a, Value b)
{
    if (a.type != b.type)
        return typeRank(a.type) - typeRank(b.type);
    if (a.type == T_TEXT)
        return strCompare((StrId)a.v, (StrId)b.v);
    return (a.v > b.v) - (a.v < b.v);
}

void valuePrint(Value v)
{
    switch (v.type) {
    case T_NULL: printf("null"); break;
    case T_BOOL: printf(v.v ? "true" : "false"); break;
    case T_INT: printf("%lld", (long long)v.v); break;
    case T_TEXT: printf("%s", strText((StrId)v.v)); break;
    }
}

uint32_t valueHash(Value v)
{
    uint64_t x = (uint64_t)v.v * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)v.type;
    return (uint32_t)(x >> 32) ^ (uint32_t)x;
}
