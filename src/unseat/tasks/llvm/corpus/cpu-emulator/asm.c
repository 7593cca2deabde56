/* SPDX-License-Identifier: Apache-2.0
 *
 * asm.c - a two-pass assembler.  The first pass only learns the labels; both
 * passes run the same code, so sizes always agree.
 *
 *   label: op operands   ; comment
 *   .org n   .word a, b   .byte a, b   .text "..."   .space n   .equ name n
 */
#include "machine.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SYMBOLS = 96, NAME_MAX_LEN = 15 };

typedef struct { char name[NAME_MAX_LEN + 1]; u16 value; } symbol;

typedef struct {
    const char *p;
    int line, pass;
    u16 here;
    u8 *mem;
    symbol symbols[MAX_SYMBOLS];
    int count;
    asm_report report;
} assembler;

static void fail(assembler *a, const char *message)
{
    if (a->pass != 2)
        return;
    if (!a->report.errors++) {
        a->report.line = a->line;
        a->report.message = message;
    }
}

static void blanks(assembler *a)
{
    while (*a->p == ' ' || *a->p == '\t')
        a->p++;
}

static bool at_end(assembler *a)
{
    blanks(a);
    return !*a->p || *a->p == '\n' || *a->p == ';';
}

static bool accept(assembler *a, char ch)
{
    blanks(a);
    if (*a->p != ch)
        return false;
    a->p++;
    return true;
}

static void expect(assembler *a, char ch)
{
    if (!accept(a, ch))
        fail(a, ch == ',' ? "comma expected" : "bracket expected");
}

static bool name_char(char c) { return isalnum((unsigned char)c) || c == '_'; }

static bool read_name(assembler *a, char *out)
{
    int n = 0;
    blanks(a);
    if (!isalpha((unsigned char)*a->p) && *a->p != '_' && *a->p != '.')
        return false;
    for (const char *s = a->p; n == 0 || name_char(*s); s++) {
        if (n == NAME_MAX_LEN)
            break;
        out[n++] = *s;
    }
    out[n] = '\0';
    a->p += n;
    return true;
}

static symbol *lookup(assembler *a, const char *name)
{
    for (int i = 0; i < a->count; i++)
        if (!strcmp(a->symbols[i].name, name))
            return &a->symbols[i];
    return NULL;
}

static void define(assembler *a, const char *name, u16 value)
{
    symbol *s = lookup(a, name);
    if (a->pass == 2) {
        if (s && s->value != value)
            fail(a, "symbol defined twice");
        return;
    }
    if (s || a->count == MAX_SYMBOLS)
        return;
    strcpy(a->symbols[a->count].name, name);
    a->symbols[a->count++].value = value;
}

/* Never moves past the end of the line. */
static char next_char(assembler *a) { return *a->p && *a->p != '\n' ? *a->p++ : '\0'; }

static int escaped(assembler *a)
{
    char c = next_char(a);
    if (c != '\\')
        return (u8)c;
    c = next_char(a);
    return c == 'n' ? '\n' : c == '0' ? 0 : (u8)c;
}

static u16 term(assembler *a)
{
    char name[NAME_MAX_LEN + 1];
    blanks(a);
    if (isdigit((unsigned char)*a->p)) {
        char *end;
        unsigned long v = strtoul(a->p, &end, 0);
        a->p = end;
        if (v > 0xffff)
            fail(a, "number too large");
        return (u16)v;
    }
    if (*a->p == '\'') {
        a->p++;
        int v = escaped(a);
        if (next_char(a) != '\'')
            fail(a, "unterminated character");
        return (u16)v;
    }
    if (accept(a, '-'))
        return (u16)-term(a);
    if (!read_name(a, name)) {
        fail(a, "value expected");
        return 0;
    }
    symbol *s = lookup(a, name);
    if (!s)
        fail(a, "undefined symbol");
    return s ? s->value : 0;
}

static u16 product(assembler *a)
{
    u16 v = term(a);
    while (accept(a, '*'))
        v = (u16)((uint32_t)v * term(a));
    return v;
}

static u16 expression(assembler *a)
{
    u16 v = product(a);
    for (;;) {
        if (accept(a, '+'))
            v = (u16)(v + product(a));
        else if (accept(a, '-'))
            v = (u16)(v - product(a));
        else
            return v;
    }
}

static void emit8(assembler *a, int v)
{
    if (a->pass == 2)
        a->mem[a->here] = (u8)v;
    a->here++;
    if (a->here > a->report.size)
        a->report.size = a->here;
}

static void emit16(assembler *a, u16 v)
{
    emit8(a, v & 0xff);
    emit8(a, v >> 8);
}

/* -1 when the next thing is not a register; consumes nothing then. */
static int try_register(assembler *a)
{
    blanks(a);
    if (!strncmp(a->p, "sp", 2) && !name_char(a->p[2])) {
        a->p += 2;
        return SP;
    }
    if (a->p[0] == 'r' && a->p[1] >= '0' && a->p[1] <= '7' && !name_char(a->p[2])) {
        a->p += 2;
        return a->p[-1] - '0';
    }
    return -1;
}

static int need_register(assembler *a)
{
    int r = try_register(a);
    if (r < 0)
        fail(a, "register expected");
    return r < 0 ? 0 : r;
}

static void emit_flexible(assembler *a, int op, int d)
{
    int s = try_register(a);
    if (s >= 0) {
        emit16(a, encode(op, d, s, 0, 0));
    } else {
        u16 v = expression(a);
        emit16(a, encode(op, d, 0, 1, 0));
        emit16(a, v);
    }
}

/* "[rN]", "[rN+expression]" or "[expression]" cannot be mixed up, because
 * the last would need a zero register: it is refused. */
static int memory_operand(assembler *a, bool *has_offset, u16 *offset)
{
    expect(a, '[');
    int s = need_register(a);
    *has_offset = accept(a, '+');
    *offset = *has_offset ? expression(a) : 0;
    expect(a, ']');
    return s;
}

static void instruction(assembler *a, int op)
{
    bool has_offset;
    u16 offset = 0;
    int d, s;

    switch (op_formats[op]) {
    case F_RR:
        d = need_register(a);
        expect(a, ',');
        emit_flexible(a, op, d);
        break;
    case F_R:
        emit16(a, encode(op, need_register(a), 0, 0, 0));
        break;
    case F_LOAD:
        d = need_register(a);
        expect(a, ',');
        s = memory_operand(a, &has_offset, &offset);
        emit16(a, encode(op, d, s, has_offset, 0));
        if (has_offset)
            emit16(a, offset);
        break;
    case F_STORE:
        s = memory_operand(a, &has_offset, &offset);
        expect(a, ',');
        d = need_register(a);
        emit16(a, encode(op, d, s, has_offset, 0));
        if (has_offset)
            emit16(a, offset);
        break;
    case F_CALL:
        emit_flexible(a, op, 0);
        break;
    case F_SYS:
        emit16(a, encode(op, 0, 0, 0, expression(a) & 15));
        break;
    default:
        fail(a, "not an instruction");
    }
}

static void directive(assembler *a, const char *name)
{
    char symbol_name[NAME_MAX_LEN + 1];
    if (!strcmp(name, ".org")) {
        a->here = expression(a);
    } else if (!strcmp(name, ".word")) {
        do
            emit16(a, expression(a));
        while (accept(a, ','));
    } else if (!strcmp(name, ".byte")) {
        do
            emit8(a, expression(a));
        while (accept(a, ','));
    } else if (!strcmp(name, ".space")) {
        for (u16 n = expression(a); n; n--)
            emit8(a, 0);
    } else if (!strcmp(name, ".equ")) {
        if (read_name(a, symbol_name))
            define(a, symbol_name, expression(a));
        else
            fail(a, "name expected");
    } else if (!strcmp(name, ".text")) {
        if (!accept(a, '"'))
            fail(a, "string expected");
        while (*a->p && *a->p != '"' && *a->p != '\n')
            emit8(a, escaped(a));
        if (!accept(a, '"'))
            fail(a, "unterminated string");
        emit8(a, 0);
        a->here = (u16)((a->here + 1) & ~1);
    } else {
        fail(a, "unknown directive");
    }
}

static int find_in(const char *const *names, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(names[i], name))
            return i;
    return -1;
}

static void statement(assembler *a)
{
    char name[NAME_MAX_LEN + 1];
    int k;

    if (at_end(a))
        return;
    if (!read_name(a, name)) {
        fail(a, "unreadable line");
        return;
    }
    if (*a->p == ':') {
        a->p++;
        define(a, name, a->here);
        statement(a);
        return;
    }
    if (name[0] == '.')
        directive(a, name);
    else if ((k = find_in(ctl_names, CTL_COUNT, name)) >= 0)
        emit16(a, encode(OP_ctl, 0, 0, 0, k));
    else if (name[0] == 'j' && (k = find_in(if_names, IF_COUNT, name + 1)) >= 0)
        emit_flexible(a, OP_jmp, k);
    else if ((k = find_in(op_names, OP_COUNT, name)) > 0)
        instruction(a, k);
    else
        fail(a, "unknown mnemonic");
    if (!at_end(a))
        fail(a, "text after the operands");
}

asm_report assemble(const char *source, u8 *mem)
{
    static assembler a;
    memset(&a, 0, sizeof a);
    memset(mem, 0, 65536);
    a.mem = mem;
    for (a.pass = 1; a.pass <= 2; a.pass++) {
        a.p = source;
        a.here = CODE_START;
        for (a.line = 1; *a.p; a.line++) {
            statement(&a);
            while (*a.p && *a.p != '\n')
                a.p++;
            a.p += *a.p == '\n';
        }
    }
    a.report.labels = a.count;
    return a.report;
}
