/* outer.c - text interpreter, compiler words and the decompiler. */
#include "forth.h"

#include <stdio.h>
#include <string.h>

#define X(id, name) name,
const char *const primitive_names[PRIM_COUNT] = { FOR_EACH_PRIMITIVE(X) };
#undef X

typedef void (*compiler_word)(forth *f);

static void error(forth *f, forth_status s)
{
    if (f->status == F_OK)
        f->status = s;
}

static bool next_token(forth *f, char token[NAME_BYTES])
{
    const char *s = f->input + strspn(f->input, " \n\t");
    size_t n = strcspn(s, " \n\t"), keep = n < NAME_BYTES - 1 ? n : NAME_BYTES - 1;
    memcpy(token, s, keep);
    token[keep] = '\0';
    f->input = s + n;
    return n > 0;
}

static int find(const forth *f, const char *name)
{
    for (int i = f->nwords; i-- > 0; )
        if (!f->words[i].hidden && strcmp(f->words[i].name, name) == 0)
            return i;
    return -1;
}

static void emit(forth *f, cell v)
{
    if (f->here == CODE_CELLS)
        error(f, F_FULL);
    else
        f->code[f->here++] = v;
}

static int add_word(forth *f, const char *name, cell xt)
{
    if (f->nwords == MAX_WORDS) {
        error(f, F_FULL);
        return -1;
    }
    word *w = &f->words[f->nwords];
    memset(w, 0, sizeof *w);
    strcpy(w->name, name);
    w->xt = xt;
    return f->nwords++;
}

/* Control-flow marks carry a kind so that mismatched words are noticed. */
enum { MARK_IF = 1, MARK_BEGIN, MARK_WHILE, MARK_DO };

static void mark(forth *f, int kind, int address)
{
    if (f->ncontrol == 64)
        error(f, F_STRUCTURE);
    else
        f->control[f->ncontrol++] = (cell)kind * CODE_CELLS * 2 + address;
}

static int unmark(forth *f, int kind)
{
    if (f->ncontrol == 0 || f->control[f->ncontrol - 1] / (CODE_CELLS * 2) != kind) {
        error(f, F_STRUCTURE);
        return 0;
    }
    return (int)(f->control[--f->ncontrol] % (CODE_CELLS * 2));
}

static void emit_forward(forth *f, cell branch, int kind)
{
    emit(f, branch);
    mark(f, kind, f->here);
    emit(f, 0);
}

static void resolve(forth *f, int hole)
{
    if (f->status == F_OK)
        f->code[hole] = f->here;
}

static void w_if(forth *f) { emit_forward(f, P_ZBRANCH, MARK_IF); }
static void w_then(forth *f) { resolve(f, unmark(f, MARK_IF)); }

static void w_else(forth *f)
{
    int hole = unmark(f, MARK_IF);
    emit_forward(f, P_BRANCH, MARK_IF);
    resolve(f, hole);
}

static void w_begin(forth *f) { mark(f, MARK_BEGIN, f->here); }

static void w_until(forth *f)
{
    emit(f, P_ZBRANCH);
    emit(f, unmark(f, MARK_BEGIN));
}

static void w_again(forth *f)
{
    emit(f, P_BRANCH);
    emit(f, unmark(f, MARK_BEGIN));
}

static void w_while(forth *f) { emit_forward(f, P_ZBRANCH, MARK_WHILE); }

static void w_repeat(forth *f)
{
    int hole = unmark(f, MARK_WHILE);
    w_again(f);
    resolve(f, hole);
}

static void w_do(forth *f)
{
    emit(f, P_DO);
    mark(f, MARK_DO, f->here);
}

static void close_loop(forth *f, cell primitive)
{
    emit(f, primitive);
    emit(f, unmark(f, MARK_DO));
}

static void w_loop(forth *f) { close_loop(f, P_LOOP); }
static void w_plus_loop(forth *f) { close_loop(f, P_PLUSLOOP); }

static void w_recurse(forth *f) { emit(f, f->words[f->compiling].xt); }

static void w_dot_quote(forth *f)
{
    const char *s = f->input + (*f->input == ' ');
    size_t n = strcspn(s, "\"");
    if (!s[n]) {
        error(f, F_STRUCTURE);
        return;
    }
    if (f->compiling >= 0) {
        emit(f, P_STRING);
        emit(f, (cell)n);
        for (size_t i = 0; i < n; i++)
            emit(f, s[i]);
    } else {
        for (size_t i = 0; i < n; i++)
            f->put(s[i]);
    }
    f->input = s + n + 1;
}

static void w_comment(forth *f)
{
    f->input += strcspn(f->input, ")");
    f->input += *f->input == ')';
}

static void w_line_comment(forth *f) { f->input += strcspn(f->input, "\n"); }

static int define(forth *f)
{
    char name[NAME_BYTES];
    if (f->compiling >= 0)
        error(f, F_STRUCTURE);
    else if (!next_token(f, name))
        error(f, F_NO_NAME);
    else
        return add_word(f, name, f->here);
    return -1;
}

static void w_colon(forth *f)
{
    int w = define(f);
    if (w >= 0) {
        f->words[w].hidden = 1;
        f->compiling = w;
        f->ncontrol = 0;
    }
}

static void w_semicolon(forth *f)
{
    if (f->ncontrol)
        error(f, F_STRUCTURE);
    emit(f, P_EXIT);
    f->words[f->compiling].hidden = 0;
    f->compiling = -1;
}

static void define_constant(forth *f, cell value)
{
    if (define(f) < 0)
        return;
    emit(f, P_LIT);
    emit(f, value);
    emit(f, P_EXIT);
}

static void w_variable(forth *f)
{
    int address = f->data_here;
    if (f->data_here == DATA_CELLS) {
        error(f, F_FULL);
        return;
    }
    f->data[f->data_here++] = 0;
    define_constant(f, address);
}

static void w_constant(forth *f)
{
    if (f->sp == 0)
        error(f, F_UNDERFLOW);
    else
        define_constant(f, f->stack[--f->sp]);
}

static void w_create(forth *f) { define_constant(f, f->data_here); }

static void w_tick(forth *f)
{
    char name[NAME_BYTES];
    int w = next_token(f, name) ? find(f, name) : -1;
    if (w < 0) {
        error(f, F_UNKNOWN);
    } else if (f->compiling >= 0) {
        emit(f, P_LIT);
        emit(f, f->words[w].xt);
    } else if (f->sp < STACK_CELLS) {
        f->stack[f->sp++] = f->words[w].xt;
    }
}

static void w_immediate(forth *f)
{
    if (f->nwords)
        f->words[f->nwords - 1].immediate = 1;
}

static const struct { const char *name; compiler_word fn; bool compile_only; } compiler_words[] = {
    { "if", w_if, true }, { "then", w_then, true }, { "else", w_else, true },
    { "begin", w_begin, true }, { "until", w_until, true }, { "again", w_again, true },
    { "while", w_while, true }, { "repeat", w_repeat, true }, { "do", w_do, true },
    { "loop", w_loop, true }, { "+loop", w_plus_loop, true }, { "recurse", w_recurse, true },
    { ";", w_semicolon, true }, { ".\"", w_dot_quote, false }, { "(", w_comment, false },
    { "\\", w_line_comment, false }, { ":", w_colon, false }, { "variable", w_variable, false },
    { "constant", w_constant, false }, { "create", w_create, false }, { "'", w_tick, false },
    { "immediate", w_immediate, false },
};
enum { COMPILER_WORDS = sizeof compiler_words / sizeof *compiler_words };

static bool parse_number(const char *s, cell *out)
{
    bool negative = *s == '-' && s[1];
    cell v = 0;
    for (s += negative; *s; s++) {
        if (*s < '0' || *s > '9')
            return false;
        v = v * 10 + (*s - '0');
    }
    *out = negative ? -v : v;
    return true;
}

static void interpret(forth *f, const char *token)
{
    cell value;
    int w = find(f, token);
    if (w >= 0) {
        if (f->compiling >= 0 && !f->words[w].immediate)
            emit(f, f->words[w].xt);
        else if (f->words[w].xt <= P_STRING)
            error(f, F_COMPILE_ONLY);
        else
            forth_execute(f, f->words[w].xt);
        return;
    }
    for (int i = 0; i < COMPILER_WORDS; i++)
        if (!strcmp(compiler_words[i].name, token)) {
            if (compiler_words[i].compile_only && f->compiling < 0)
                error(f, F_COMPILE_ONLY);
            else
                compiler_words[i].fn(f);
            return;
        }
    if (!parse_number(token, &value)) {
        error(f, F_UNKNOWN);
    } else if (f->compiling >= 0) {
        emit(f, P_LIT);
        emit(f, value);
    } else if (f->sp == STACK_CELLS) {
        error(f, F_OVERFLOW);
    } else {
        f->stack[f->sp++] = value;
    }
}

void forth_init(forth *f, void (*put)(char c))
{
    memset(f, 0, sizeof *f);
    f->put = put;
    f->compiling = -1;
    f->here = PRIM_COUNT;                /* so that addresses differ from primitives */
    f->budget = 20000000;
    for (int i = 0; i < PRIM_COUNT; i++)
        if (primitive_names[i][0] != '(')
            add_word(f, primitive_names[i], i);
}

forth_status forth_run(forth *f, const char *text)
{
    char token[NAME_BYTES];
    f->input = text;
    f->status = F_OK;
    while (f->status == F_OK && next_token(f, token))
        interpret(f, token);
    if (f->status == F_OK && f->compiling >= 0)
        f->status = F_STRUCTURE;
    if (f->status != F_OK) {             /* forget the unfinished word and reset */
        strcpy(f->culprit, token);
        if (f->compiling >= 0)
            f->nwords = f->compiling;
        f->compiling = -1;
        f->sp = f->rp = f->ncontrol = 0;
    }
    return f->status;
}

const char *forth_status_text(forth_status s)
{
    static const char *const text[] = {
        "ok", "stack underflow", "stack overflow", "return stack misused", "bad address",
        "division by zero", "unknown word", "unbalanced structure", "compile only",
        "name expected", "dictionary full", "not an execution token", "too many steps",
    };
    return text[s];
}

void forth_see(const forth *f, const char *name)
{
    int w = find(f, name), end = f->here;
    if (w < 0 || f->words[w].xt < PRIM_COUNT) {
        printf("see %s: no definition\n", name);
        return;
    }
    for (int i = 0; i < f->nwords; i++)
        if (f->words[i].xt > f->words[w].xt && f->words[i].xt < end)
            end = (int)f->words[i].xt;
    printf("see %s:", name);
    for (int at = (int)f->words[w].xt, base = at; at < end; at++) {
        cell op = f->code[at];
        printf(" ");
        if (op >= PRIM_COUNT) {
            int k = 0;
            while (k < f->nwords && f->words[k].xt != op)
                k++;
            printf("%s", k < f->nwords ? f->words[k].name : "?");
        } else {
            printf("%s", primitive_names[op]);
            if (op == P_LIT)
                printf(" %lld", (long long)f->code[++at]);
            else if (op == P_STRING)
                at += 1 + (int)f->code[at + 1];
            else if (op == P_BRANCH || op == P_ZBRANCH || op == P_LOOP || op == P_PLUSLOOP)
                printf(" @%d", (int)f->code[++at] - base);
        }
    }
    printf("\n");
}
