/* assembler.c - two passes: the first defines labels, the second encodes. */
#include "vm.h"

#include <stdio.h>
#include <string.h>

#define X(id, name, format) { name, format },
const instruction_info instructions[I_COUNT] = { INSTRUCTIONS(X) };
#undef X

typedef struct {
    assembler *as;
    const char *s;                /* rest of the current line */
    int pass, address;
    bool line_failed;
} scanner;

static void complain(scanner *sc, const char *what, const char *detail)
{
    char message[80];
    if (sc->line_failed)
        return;
    sc->line_failed = true;
    sc->as->errors++;
    snprintf(message, sizeof message, "%s%s%s", what, detail ? ": " : "", detail ? detail : "");
    sc->as->report(sc->as->line, message);
}

static void skip_blanks(scanner *sc)
{
    while (*sc->s == ' ' || *sc->s == '\t')
        sc->s++;
    if (*sc->s == ';')
        sc->s += strcspn(sc->s, "\n");
}

static bool at_end(scanner *sc)
{
    skip_blanks(sc);
    return *sc->s == '\0' || *sc->s == '\n';
}

static bool accept(scanner *sc, char c)
{
    skip_blanks(sc);
    if (*sc->s != c)
        return false;
    sc->s++;
    return true;
}

static bool name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' ||
           (!first && c >= '0' && c <= '9');
}

static bool read_name(scanner *sc, char out[NAME_LEN])
{
    int n = 0;
    skip_blanks(sc);
    if (!name_char(*sc->s, true))
        return false;
    for (; name_char(*sc->s, false); sc->s++)
        if (n < NAME_LEN - 1)
            out[n++] = *sc->s;
    out[n] = '\0';
    return true;
}

static symbol *find_symbol(assembler *as, const char *name)
{
    for (int i = 0; i < as->nsymbols; i++)
        if (strcmp(as->symbols[i].name, name) == 0)
            return &as->symbols[i];
    return NULL;
}

static void define_symbol(scanner *sc, const char *name, int32_t value)
{
    assembler *as = sc->as;
    if (sc->pass == 2)
        return;
    if (find_symbol(as, name)) {
        complain(sc, "symbol defined twice", name);
    } else if (as->nsymbols == MAX_SYMBOLS) {
        complain(sc, "too many symbols", NULL);
    } else {
        strcpy(as->symbols[as->nsymbols].name, name);
        as->symbols[as->nsymbols++].value = value;
    }
}

static int64_t expression(scanner *sc);

static int64_t number(scanner *sc)
{
    int base = 10;
    int64_t v = 0;
    if (sc->s[0] == '0' && (sc->s[1] == 'x' || sc->s[1] == 'b')) {
        base = sc->s[1] == 'x' ? 16 : 2;
        sc->s += 2;
    }
    for (;; sc->s++) {
        char c = *sc->s;
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
        if (d >= base)
            return v;
        v = v * base + d;
        if (v > UINT32_MAX) {
            complain(sc, "number too large", NULL);
            return 0;
        }
    }
}

static int64_t primary(scanner *sc)
{
    char name[NAME_LEN];
    int64_t v;
    skip_blanks(sc);
    if (*sc->s >= '0' && *sc->s <= '9')
        return number(sc);
    if (accept(sc, '-'))
        return -primary(sc);
    if (accept(sc, '(')) {
        v = expression(sc);
        if (!accept(sc, ')'))
            complain(sc, "')' expected", NULL);
        return v;
    }
    if (*sc->s == '\'' && sc->s[1] && sc->s[1] != '\n' && sc->s[2] == '\'') {
        v = (unsigned char)sc->s[1];
        sc->s += 3;
        return v;
    }
    if (read_name(sc, name)) {
        symbol *sym = find_symbol(sc->as, name);
        if (sym)
            return sym->value;
        if (sc->pass == 2)
            complain(sc, "undefined symbol", name);
        return 0;
    }
    complain(sc, "expression expected", NULL);
    return 0;
}

static int64_t in_range(scanner *sc, int64_t v)
{
    if (v <= UINT32_MAX && v >= -(int64_t)UINT32_MAX)
        return v;
    complain(sc, "number too large", NULL);
    return 0;
}

static int64_t term(scanner *sc)
{
    int64_t v = primary(sc);
    while (!sc->line_failed && accept(sc, '*')) {
        int64_t factor = primary(sc);
        bool fits = v >= -INT32_MAX && v <= INT32_MAX && factor >= -INT32_MAX && factor <= INT32_MAX;
        v = in_range(sc, fits ? v * factor : INT64_MAX);
    }
    return v;
}

static int64_t expression(scanner *sc)
{
    int64_t v = term(sc);
    while (!sc->line_failed) {
        if (accept(sc, '+'))
            v = in_range(sc, v + term(sc));
        else if (accept(sc, '-'))
            v = in_range(sc, v - term(sc));
        else
            break;
    }
    return v;
}

static uint32_t reg(scanner *sc)
{
    skip_blanks(sc);
    if (sc->s[0] == 's' && sc->s[1] == 'p' && !name_char(sc->s[2], false)) {
        sc->s += 2;
        return VM_SP;
    }
    if (*sc->s == 'r' && sc->s[1] >= '0' && sc->s[1] <= '9') {
        uint32_t n = 0;
        for (sc->s++; *sc->s >= '0' && *sc->s <= '9' && n < 100; sc->s++)
            n = n * 10 + (uint32_t)(*sc->s - '0');
        if (n < VM_REGS)
            return n;
    }
    complain(sc, "register expected", NULL);
    return 0;
}

static uint32_t immediate(scanner *sc, int64_t v)
{
    if (sc->pass == 2 && (v < -32768 || v > 65535))
        complain(sc, "immediate out of range", NULL);
    return (uint32_t)(uint64_t)v & 0xFFFF;
}

static void put_word(scanner *sc, uint32_t w)
{
    if (sc->address == VM_MEMORY) {
        complain(sc, "program too large", NULL);
        return;
    }
    if (sc->pass == 2)
        sc->as->words[sc->address] = w;
    sc->address++;
}

static void encode(scanner *sc, int op)
{
    static const int shifts[3] = { 20, 16, 0 };
    uint32_t w = (uint32_t)op << 24;
    int at = sc->address, slot = 0;
    for (const char *f = instructions[op].format; *f && !sc->line_failed; f++) {
        if (f != instructions[op].format && !accept(sc, ',')) {
            complain(sc, "',' expected", NULL);
            break;
        }
        switch (*f) {
        case 'r': w |= reg(sc) << shifts[slot++]; break;
        case 'i': w |= immediate(sc, expression(sc)); break;
        case 'l': w |= immediate(sc, expression(sc) - at - 1); break;
        default:
            w |= at_end(sc) || *sc->s == '(' ? 0 : immediate(sc, expression(sc));
            if (!accept(sc, '('))
                complain(sc, "'(' expected", NULL);
            w |= reg(sc) << 16;
            if (!accept(sc, ')'))
                complain(sc, "')' expected", NULL);
        }
    }
    put_word(sc, w);
}

static void string_words(scanner *sc)
{
    if (!accept(sc, '"')) {
        complain(sc, "string expected", NULL);
        return;
    }
    for (; *sc->s && *sc->s != '"' && *sc->s != '\n'; sc->s++) {
        char c = *sc->s;
        if (c == '\\' && sc->s[1] == 'n') {
            c = '\n';
            sc->s++;
        }
        put_word(sc, (unsigned char)c);
    }
    if (!accept(sc, '"'))
        complain(sc, "unterminated string", NULL);
    put_word(sc, 0);
}

static void directive(scanner *sc, const char *name)
{
    char symbol_name[NAME_LEN];
    if (!strcmp(name, ".word")) {
        do
            put_word(sc, (uint32_t)(uint64_t)expression(sc));
        while (accept(sc, ','));
    } else if (!strcmp(name, ".string")) {
        string_words(sc);
    } else if (!strcmp(name, ".space")) {
        for (int64_t n = expression(sc); n > 0 && !sc->line_failed; n--)
            put_word(sc, 0);
    } else if (!strcmp(name, ".equ")) {
        if (!read_name(sc, symbol_name) || !accept(sc, ','))
            complain(sc, "malformed .equ", NULL);
        else
            define_symbol(sc, symbol_name, (int32_t)(expression(sc) & 0x7FFFFFFF));
    } else {
        complain(sc, "unknown directive", name);
    }
}

/* "li r, expr" loads 32 bits in two words; plain names are instructions. */
static void statement(scanner *sc, const char *name)
{
    if (name[0] == '.') {
        directive(sc, name);
        return;
    }
    if (!strcmp(name, "li")) {
        uint32_t r = reg(sc);
        if (!accept(sc, ','))
            complain(sc, "',' expected", NULL);
        uint32_t v = (uint32_t)(uint64_t)expression(sc);
        put_word(sc, (uint32_t)I_LDI << 24 | r << 20 | (v & 0xFFFF));
        put_word(sc, (uint32_t)I_LUI << 24 | r << 20 | v >> 16);
        return;
    }
    for (int op = 0; op < I_COUNT; op++)
        if (!strcmp(instructions[op].name, name)) {
            encode(sc, op);
            return;
        }
    complain(sc, "unknown instruction", name);
}

static void assemble_line(scanner *sc)
{
    char name[NAME_LEN];
    sc->line_failed = false;
    while (!at_end(sc)) {
        if (!read_name(sc, name)) {
            complain(sc, "name expected", NULL);
            return;
        }
        if (*sc->s == ':') {
            sc->s++;
            define_symbol(sc, name, sc->address);
            continue;
        }
        statement(sc, name);
        if (!sc->line_failed && !at_end(sc))
            complain(sc, "text after the statement", NULL);
        return;
    }
}

bool assemble(assembler *as, const char *source)
{
    as->errors = as->nsymbols = 0;
    for (int pass = 1; pass <= 2 && !as->errors; pass++) {
        scanner sc = { as, source, pass, 0, false };
        for (as->line = 1; *sc.s; as->line++) {
            assemble_line(&sc);
            sc.s += strcspn(sc.s, "\n");
            sc.s += *sc.s == '\n';
        }
        as->size = sc.address;
    }
    return as->errors == 0;
}
