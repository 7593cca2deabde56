/* compile.c - syntax tree to a program for the matching engines. */
#include "regex.h"

#include <string.h>

typedef struct { const Ast *ast; Program *prog; bool overflow; } Emitter;

static void gen(Emitter *e, int n);

static int emit(Emitter *e, Opcode op, int arg, int x, int y)
{
    if (e->prog->len == RE_MAX_PROG) {
        e->overflow = true;
        return 0;
    }
    Inst *in = &e->prog->code[e->prog->len];
    in->op = (uint8_t)op;
    in->arg = (uint8_t)arg;
    in->x = (int16_t)x;
    in->y = (int16_t)y;
    return e->prog->len++;
}

/* Points the preferred (or, when lazy, the other) branch of a split. */
static void patch_split(Emitter *e, int at, bool lazy, int body, int exit)
{
    e->prog->code[at].x = (int16_t)(lazy ? exit : body);
    e->prog->code[at].y = (int16_t)(lazy ? body : exit);
}

static void gen_repeat(Emitter *e, const Node *n)
{
    for (int i = 0; i < n->lo && !e->overflow; i++)
        gen(e, n->a);
    if (n->hi < 0) {
        int split = emit(e, OP_SPLIT, 0, 0, 0);
        gen(e, n->a);
        emit(e, OP_JUMP, 0, split, 0);
        patch_split(e, split, n->lazy, split + 1, e->prog->len);
        return;
    }
    int splits[1024], count = 0;
    for (int i = n->lo; i < n->hi && !e->overflow; i++) {
        splits[count++] = emit(e, OP_SPLIT, 0, 0, 0);
        gen(e, n->a);
    }
    for (int i = 0; i < count; i++)
        patch_split(e, splits[i], n->lazy, splits[i] + 1, e->prog->len);
}

static void gen(Emitter *e, int index)
{
    const Node *n = &e->ast->nodes[index];
    int split, jump;
    if (e->overflow)
        return;
    switch (n->type) {
    case N_EMPTY: break;
    case N_CHAR: emit(e, OP_CHAR, n->lo, 0, 0); break;
    case N_ANY:  emit(e, OP_ANY, 0, 0, 0); break;
    case N_SET:  emit(e, OP_SET, n->lo, 0, 0); break;
    case N_CAT:
        gen(e, n->a);
        gen(e, n->b);
        break;
    case N_ALT:
        split = emit(e, OP_SPLIT, 0, 0, 0);
        gen(e, n->a);
        jump = emit(e, OP_JUMP, 0, 0, 0);
        patch_split(e, split, false, split + 1, e->prog->len);
        gen(e, n->b);
        e->prog->code[jump].x = (int16_t)e->prog->len;
        break;
    case N_REPEAT:
        gen_repeat(e, n);
        break;
    case N_GROUP:
        emit(e, OP_SAVE, 2 * n->lo, 0, 0);
        gen(e, n->a);
        emit(e, OP_SAVE, 2 * n->lo + 1, 0, 0);
        break;
    case N_ASSERT:
        e->prog->has_assert = true;
        emit(e, OP_ASSERT, n->lo, 0, 0);
        break;
    }
}

ReStatus re_compile(const Ast *ast, Program *prog)
{
    Emitter e = { ast, prog, false };
    prog->len = 0;
    prog->groups = ast->groups;
    prog->has_assert = false;
    memcpy(prog->sets, ast->sets, sizeof(CharSet) * (size_t)ast->set_count);
    emit(&e, OP_SAVE, 0, 0, 0);
    gen(&e, ast->root);
    emit(&e, OP_SAVE, 1, 0, 0);
    emit(&e, OP_MATCH, 0, 0, 0);
    return e.overflow ? RE_E_TOO_BIG : RE_OK;
}

bool re_accepts(const Program *p, const Inst *in, unsigned char c)
{
    switch (in->op) {
    case OP_CHAR: return in->arg == c;
    case OP_ANY:  return c != '\n';
    case OP_SET:  return p->sets[in->arg].bits[c >> 3] >> (c & 7) & 1;
    default:      return false;
    }
}

static bool is_word(const char *text, int len, int pos)
{
    if (pos < 0 || pos >= len)
        return false;
    char c = text[pos];
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool re_assert_holds(int kind, const char *text, int len, int pos)
{
    bool edge = is_word(text, len, pos - 1) != is_word(text, len, pos);
    switch (kind) {
    case '^': return pos == 0 || text[pos - 1] == '\n';
    case '$': return pos == len || text[pos] == '\n';
    case 'b': return edge;
    default:  return !edge;
    }
}
