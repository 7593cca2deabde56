/* parse.c - pattern text to syntax tree, by recursive descent. */
#include "regex.h"

#include <string.h>

typedef struct {
    const char *p;
    Ast *ast;
    ReStatus status;
} Parser;

static int parse_alt(Parser *ps);

static int set_error(Parser *ps, ReStatus s)
{
    if (ps->status == RE_OK)
        ps->status = s;
    return 0;
}

static int new_node(Parser *ps, NodeType type, int a, int b)
{
    if (ps->ast->count == RE_MAX_NODES)
        return set_error(ps, RE_E_TOO_BIG);
    Node *n = &ps->ast->nodes[ps->ast->count];
    memset(n, 0, sizeof *n);
    n->type = type;
    n->a = a;
    n->b = b;
    return ps->ast->count++;
}

static int new_leaf(Parser *ps, NodeType type, int value)
{
    int n = new_node(ps, type, 0, 0);
    ps->ast->nodes[n].lo = value;
    return n;
}

static void set_add(CharSet *s, int c) { s->bits[c >> 3] |= (uint8_t)(1u << (c & 7)); }

static void set_add_range(CharSet *s, int lo, int hi)
{
    for (int c = lo; c <= hi; c++)
        set_add(s, c);
}

static void set_invert(CharSet *s)
{
    for (int i = 0; i < 32; i++)
        s->bits[i] = (uint8_t)~s->bits[i];
}

/* Adds the class named by d, w or s (upper case: complement). */
static bool set_add_named(CharSet *s, char name)
{
    CharSet t = { { 0 } };
    switch (name | 0x20) {
    case 'd': set_add_range(&t, '0', '9'); break;
    case 'w':
        set_add_range(&t, '0', '9');
        set_add_range(&t, 'a', 'z');
        set_add_range(&t, 'A', 'Z');
        set_add(&t, '_');
        break;
    case 's':
        set_add(&t, ' ');
        set_add_range(&t, '\t', '\r');
        break;
    default: return false;
    }
    if (!(name & 0x20))
        set_invert(&t);
    for (int i = 0; i < 32; i++)
        s->bits[i] |= t.bits[i];
    return true;
}

static int new_set(Parser *ps)
{
    if (ps->ast->set_count == RE_MAX_CLASSES) {
        set_error(ps, RE_E_TOO_BIG);
        return 0;
    }
    memset(&ps->ast->sets[ps->ast->set_count], 0, sizeof(CharSet));
    return ps->ast->set_count++;
}

static int escape_char(char c)
{
    switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    default:  return (unsigned char)c;
    }
}

/* One bracket item: returns its character, or -1 after adding a named class. */
static int bracket_item(Parser *ps, CharSet *s)
{
    if (*ps->p != '\\')
        return (unsigned char)*ps->p++;
    ps->p++;
    if (!*ps->p)
        return set_error(ps, RE_E_TRAILING_BACKSLASH);
    if (set_add_named(s, *ps->p)) {
        ps->p++;
        return -1;
    }
    return escape_char(*ps->p++);
}

static int parse_bracket(Parser *ps)
{
    int index = new_set(ps);
    CharSet *s = &ps->ast->sets[index];
    bool invert = *ps->p == '^', first = true;
    if (invert)
        ps->p++;
    while (ps->status == RE_OK && (first || *ps->p != ']')) {
        first = false;
        if (!*ps->p)
            return set_error(ps, RE_E_BRACKET);
        int lo = bracket_item(ps, s);
        if (lo < 0)
            continue;
        int hi = lo;
        if (ps->p[0] == '-' && ps->p[1] && ps->p[1] != ']') {
            ps->p++;
            hi = bracket_item(ps, s);
            if (hi < lo)
                return set_error(ps, RE_E_RANGE);
        }
        set_add_range(s, lo, hi);
    }
    if (ps->status == RE_OK)
        ps->p++;
    if (invert)
        set_invert(s);
    return new_leaf(ps, N_SET, index);
}

static int parse_escape(Parser *ps)
{
    char c = *ps->p;
    if (!c)
        return set_error(ps, RE_E_TRAILING_BACKSLASH);
    ps->p++;
    if (c == 'b' || c == 'B')
        return new_leaf(ps, N_ASSERT, c);
    if (strchr("dwsDWS", c)) {
        int index = new_set(ps);
        set_add_named(&ps->ast->sets[index], c);
        return new_leaf(ps, N_SET, index);
    }
    return new_leaf(ps, N_CHAR, escape_char(c));
}

static int parse_group(Parser *ps)
{
    int number = -1;
    if (ps->p[0] == '?' && ps->p[1] == ':') {
        ps->p += 2;
    } else {
        if (ps->ast->groups == RE_MAX_GROUPS)
            return set_error(ps, RE_E_TOO_BIG);
        number = ps->ast->groups++;
    }
    int inner = parse_alt(ps);
    if (*ps->p != ')')
        return set_error(ps, RE_E_PAREN);
    ps->p++;
    if (number < 0)
        return inner;
    int n = new_node(ps, N_GROUP, inner, 0);
    ps->ast->nodes[n].lo = number;
    return n;
}

static int parse_atom(Parser *ps)
{
    char c = *ps->p++;
    switch (c) {
    case '(':  return parse_group(ps);
    case '[':  return parse_bracket(ps);
    case '.':  return new_leaf(ps, N_ANY, 0);
    case '^':  case '$': return new_leaf(ps, N_ASSERT, c);
    case '\\': return parse_escape(ps);
    case '*': case '+': case '?':
        return set_error(ps, RE_E_NOTHING_TO_REPEAT);
    default:   return new_leaf(ps, N_CHAR, (unsigned char)c);
    }
}

static bool parse_number(Parser *ps, int *out)
{
    if (*ps->p < '0' || *ps->p > '9')
        return false;
    *out = 0;
    while (*ps->p >= '0' && *ps->p <= '9') {
        *out = *out * 10 + (*ps->p++ - '0');
        if (*out > 1000)
            return false;
    }
    return true;
}

static bool parse_bounds(Parser *ps, int *lo, int *hi)
{
    if (!parse_number(ps, lo))
        return false;
    *hi = *lo;
    if (*ps->p == ',') {
        ps->p++;
        *hi = -1;
        if (*ps->p != '}' && !parse_number(ps, hi))
            return false;
    }
    if (*ps->p != '}')
        return false;
    ps->p++;
    return *hi < 0 || *hi >= *lo;
}

static int parse_repeat(Parser *ps)
{
    int atom = parse_atom(ps), lo, hi;
    while (ps->status == RE_OK && *ps->p && strchr("*+?{", *ps->p)) {
        char c = *ps->p++;
        lo = c == '+';
        hi = c == '?' ? 1 : -1;
        if (c == '{' && !parse_bounds(ps, &lo, &hi))
            return set_error(ps, RE_E_BAD_COUNT);
        if (ps->ast->nodes[atom].type == N_ASSERT)
            return set_error(ps, RE_E_NOTHING_TO_REPEAT);
        int n = new_node(ps, N_REPEAT, atom, 0);
        ps->ast->nodes[n].lo = lo;
        ps->ast->nodes[n].hi = hi;
        if (*ps->p == '?') {
            ps->ast->nodes[n].lazy = true;
            ps->p++;
        }
        atom = n;
    }
    return atom;
}

static int parse_cat(Parser *ps)
{
    int left = -1;
    while (ps->status == RE_OK && *ps->p && *ps->p != '|' && *ps->p != ')') {
        int right = parse_repeat(ps);
        left = left < 0 ? right : new_node(ps, N_CAT, left, right);
    }
    return left < 0 ? new_leaf(ps, N_EMPTY, 0) : left;
}

static int parse_alt(Parser *ps)
{
    int left = parse_cat(ps);
    if (ps->status == RE_OK && *ps->p == '|') {
        ps->p++;
        int right = parse_alt(ps);
        left = new_node(ps, N_ALT, left, right);
    }
    return left;
}

ReStatus re_parse(const char *pattern, Ast *ast)
{
    Parser ps = { pattern, ast, RE_OK };
    ast->count = 0;
    ast->set_count = 0;
    ast->groups = 1;
    ast->root = parse_alt(&ps);
    if (ps.status == RE_OK && *ps.p)
        set_error(&ps, RE_E_PAREN);
    return ps.status;
}

const char *re_status_text(ReStatus s)
{
    static const char *const text[RE_E_COUNT_] = {
        "ok", "unbalanced parenthesis", "unterminated bracket", "bad range",
        "nothing to repeat", "bad repeat count", "trailing backslash", "pattern too big",
    };
    return text[s];
}
