/* query.c - evaluates path expressions directly from their text. Predicates
 * are re-parsed for every candidate node, which keeps the code small. */
#include "xml.h"

#include <stdlib.h>
#include <string.h>

enum { VALUE_MAX = 256 };

typedef struct { const xml_doc *d; const char *error; } engine;

/* Where a predicate is evaluated. */
typedef struct { int node, position, size; } focus;

typedef struct { enum { V_NUMBER, V_STRING, V_SET, V_BOOL } type; long num; char str[VALUE_MAX]; xml_set set; } value;

static const char *eval_path(engine *e, const char *s, int context, xml_set *out);
static const char *eval_or(engine *e, const char *s, const focus *f, value *v);

static const char *fail(engine *e, const char *why)
{
    if (!e->error)
        e->error = why;
    return "";
}

void set_free(xml_set *s)
{
    free(s->v);
    s->v = NULL;
    s->n = s->cap = 0;
}

static void set_add(xml_set *s, int node)
{
    if (s->n == s->cap) {
        s->cap = s->cap * 2 + 8;
        s->v = realloc(s->v, (size_t)s->cap * sizeof *s->v);
        if (!s->v)
            abort();
    }
    s->v[s->n++] = node;
}

static int by_number(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static void set_normalize(xml_set *s)
{
    int kept = 0;
    if (s->n > 1)
        qsort(s->v, (size_t)s->n, sizeof *s->v, by_number);
    for (int i = 0; i < s->n; i++)
        if (kept == 0 || s->v[kept - 1] != s->v[i])
            s->v[kept++] = s->v[i];
    s->n = kept;
}

static const char *blanks(const char *s) { return s + strspn(s, " "); }

static bool take(const char **s, const char *what)
{
    const char *t = blanks(*s);
    size_t n = strlen(what);
    if (strncmp(t, what, n))
        return false;
    *s = t + n;
    return true;
}

static size_t name_length(const char *s)
{
    return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:");
}

/* Axes call back for every node in axis order. */
typedef struct { const xml_doc *d; xml_kind kind; int name; xml_set *out; } node_test;

static void test_node(const node_test *t, int node)
{
    const xml_node *n = &t->d->nodes[node];
    if (n->kind == t->kind && (t->name == -2 || n->name == t->name))
        set_add(t->out, node);
}

static void axis_child(const node_test *t, int node)
{
    for (int c = t->d->nodes[node].child; c; c = t->d->nodes[c].next)
        test_node(t, c);
}

static void axis_descendant(const node_test *t, int node)
{
    for (int c = t->d->nodes[node].child; c; c = t->d->nodes[c].next) {
        test_node(t, c);
        axis_descendant(t, c);
    }
}

static void axis_attribute(const node_test *t, int node)
{
    for (int a = t->d->nodes[node].attribute; a; a = t->d->nodes[a].next)
        test_node(t, a);
}

static void axis_parent(const node_test *t, int node)
{
    if (node)
        test_node(t, t->d->nodes[node].parent);
}

static void axis_ancestor(const node_test *t, int node)
{
    for (; node; node = t->d->nodes[node].parent)
        test_node(t, t->d->nodes[node].parent);
}

static void axis_following(const node_test *t, int node)
{
    if (t->d->nodes[node].kind != XML_ATTRIBUTE)
        for (int n = t->d->nodes[node].next; n; n = t->d->nodes[n].next)
            test_node(t, n);
}

static void axis_preceding(const node_test *t, int node)
{
    int first = t->out->n;
    if (t->d->nodes[node].kind == XML_ATTRIBUTE || node == 0)
        return;
    for (int n = t->d->nodes[t->d->nodes[node].parent].child; n != node; n = t->d->nodes[n].next)
        test_node(t, n);
    for (int i = first, j = t->out->n - 1; i < j; i++, j--) {     /* nearest first */
        int x = t->out->v[i];
        t->out->v[i] = t->out->v[j];
        t->out->v[j] = x;
    }
}

static const struct { const char *name; void (*walk)(const node_test *, int); } axes[] = {
    { "child::", axis_child }, { "descendant::", axis_descendant }, { "parent::", axis_parent },
    { "ancestor::", axis_ancestor }, { "following-sibling::", axis_following },
    { "preceding-sibling::", axis_preceding }, { "attribute::", axis_attribute },
};

static const char *skip_predicate(const char *s)
{
    int depth = 0;
    for (; *s; s++) {
        if (*s == '\'') {
            const char *close = strchr(s + 1, '\'');
            if (!close)
                return s + strlen(s);
            s = close;
        } else if (*s == '[') {
            depth++;
        } else if (*s == ']' && --depth == 0) {
            return s + 1;
        }
    }
    return s;
}

static bool truth(const value *v)
{
    switch (v->type) {
    case V_NUMBER: case V_BOOL: return v->num != 0;
    case V_STRING: return v->str[0] != '\0';
    default:       return v->set.n > 0;
    }
}

static bool predicate_holds(engine *e, const char *s, const focus *f)
{
    value v = { .num = 0 };
    s = eval_or(e, s, f, &v);
    if (!e->error && !take(&s, "]"))
        fail(e, "']' expected");
    bool yes = v.type == V_NUMBER ? v.num == f->position : truth(&v);
    set_free(&v.set);
    return yes;
}

/* Applies all predicates at s to the nodes found from one context node. */
static const char *filter(engine *e, const char *s, xml_set *found)
{
    while (*(s = blanks(s)) == '[') {
        int kept = 0;
        for (int i = 0; i < found->n && !e->error; i++) {
            focus f = { found->v[i], i + 1, found->n };
            if (predicate_holds(e, s + 1, &f))
                found->v[kept++] = found->v[i];
        }
        found->n = kept;
        s = skip_predicate(s);
    }
    return s;
}

static const char *eval_step(engine *e, const char *s, const xml_set *from, bool deep, xml_set *out)
{
    void (*walk)(const node_test *, int) = axis_child;
    xml_set one = { 0 };
    node_test t = { e->d, XML_ELEMENT, -2, &one };
    s = blanks(s);
    if (take(&s, "..")) {
        walk = axis_parent;
    } else if (*s == '.') {
        for (int i = 0; i < from->n; i++)
            set_add(out, from->v[i]);
        return s + 1;
    } else {
        for (size_t i = 0; i < sizeof axes / sizeof *axes; i++)
            if (take(&s, axes[i].name))
                walk = axes[i].walk;
        if (take(&s, "@"))
            walk = axis_attribute;
        if (walk == axis_attribute)
            t.kind = XML_ATTRIBUTE;
        if (take(&s, "text()")) {
            t.kind = XML_TEXT;
        } else if (!take(&s, "*")) {
            size_t n = name_length(s);
            if (n == 0)
                return fail(e, "step expected");
            t.name = xml_find_name(e->d, s, n);
            if (t.name < 0)
                t.name = -3;                     /* matches nothing */
            s += n;
        }
    }
    const char *rest = s;
    for (int i = 0; i < from->n && !e->error; i++) {
        xml_set contexts = { 0 };
        set_add(&contexts, from->v[i]);
        if (deep) {
            node_test all = { e->d, XML_ELEMENT, -2, &contexts };
            axis_descendant(&all, from->v[i]);
        }
        for (int k = 0; k < contexts.n && !e->error; k++) {
            one.n = 0;
            walk(&t, contexts.v[k]);
            rest = filter(e, s, &one);
            for (int j = 0; j < one.n; j++)
                set_add(out, one.v[j]);
        }
        set_free(&contexts);
    }
    if (from->n == 0)
        for (rest = blanks(s); *rest == '['; rest = blanks(skip_predicate(rest)))
            ;
    set_free(&one);
    set_normalize(out);
    return rest;
}

static const char *eval_path(engine *e, const char *s, int context, xml_set *out)
{
    xml_set cur = { 0 };
    bool deep = false;
    s = blanks(s);
    set_add(&cur, *s == '/' ? 0 : context);
    if (*s == '/') {
        deep = s[1] == '/';
        s += 1 + deep;
    }
    for (;;) {
        xml_set next = { 0 };
        s = eval_step(e, s, &cur, deep, &next);
        set_free(&cur);
        cur = next;
        s = blanks(s);
        if (*s != '/' || e->error)
            break;
        deep = s[1] == '/';
        s += 1 + deep;
    }
    *out = cur;
    return s;
}

static const char *read_string(engine *e, const char *s, value *v)
{
    const char *close = strchr(s + 1, '\'');
    if (!close)
        return fail(e, "unterminated string");
    size_t n = (size_t)(close - s - 1);
    if (n >= VALUE_MAX)
        n = VALUE_MAX - 1;
    v->type = V_STRING;
    memcpy(v->str, s + 1, n);
    v->str[n] = '\0';
    return close + 1;
}

static void to_string(engine *e, value *v)
{
    if (v->type != V_SET)
        return;
    v->str[0] = '\0';
    if (v->set.n)
        xml_string(e->d, v->set.v[0], v->str, VALUE_MAX);
    set_free(&v->set);
    v->type = V_STRING;
}

static const char *close_call(engine *e, const char *s)
{
    return take(&s, ")") ? s : fail(e, "')' expected");
}

static const char *eval_operand(engine *e, const char *s, const focus *f, value *v)
{
    s = blanks(s);
    v->type = V_NUMBER;
    if (*s == '\'')
        return read_string(e, s, v);
    if (*s >= '0' && *s <= '9') {
        for (v->num = 0; *s >= '0' && *s <= '9'; s++)
            if (v->num < 100000000)
                v->num = v->num * 10 + (*s - '0');
        return s;
    }
    if (take(&s, "last()")) {
        v->num = f->size;
        return s;
    }
    if (take(&s, "position()")) {
        v->num = f->position;
        return s;
    }
    if (take(&s, "count(")) {
        s = eval_path(e, s, f->node, &v->set);
        v->num = v->set.n;
        set_free(&v->set);
        return close_call(e, s);
    }
    if (take(&s, "not(")) {
        s = eval_or(e, s, f, v);
        v->num = !truth(v);
        set_free(&v->set);
        v->type = V_BOOL;
        return close_call(e, s);
    }
    if (take(&s, "contains(")) {
        value needle = { .num = 0 };
        s = eval_operand(e, s, f, v);
        to_string(e, v);
        if (!e->error && !take(&s, ","))
            s = fail(e, "',' expected");
        s = eval_operand(e, s, f, &needle);
        to_string(e, &needle);
        v->num = v->type == V_STRING && needle.type == V_STRING && strstr(v->str, needle.str);
        v->type = V_BOOL;
        return close_call(e, s);
    }
    v->type = V_SET;
    return eval_path(e, s, f->node, &v->set);
}

typedef enum { C_EQ, C_NE, C_LE, C_GE, C_LT, C_GT } comparison;

static bool ordered(comparison op, int c)
{
    switch (op) {
    case C_EQ: return c == 0;
    case C_NE: return c != 0;
    case C_LE: return c <= 0;
    case C_GE: return c >= 0;
    case C_LT: return c < 0;
    default:   return c > 0;
    }
}

static bool text_number(const char *s, long *out)
{
    bool negative = *s == '-';
    long v = 0;
    s += negative;
    if (!*s)
        return false;
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || v > 100000000)
            return false;
        v = v * 10 + (*s - '0');
    }
    *out = negative ? -v : v;
    return true;
}

static bool compare_text(comparison op, const char *a, const value *b)
{
    long x, y = b->num;
    if (b->type == V_STRING && (op == C_EQ || op == C_NE))
        return ordered(op, strcmp(a, b->str));
    if (b->type == V_STRING && !text_number(b->str, &y))
        return false;
    return text_number(a, &x) ? ordered(op, (x > y) - (x < y)) : op == C_NE;
}

/* A set compares true if any of its nodes does. */
static bool compare(engine *e, comparison op, const value *a, value *b)
{
    char text[VALUE_MAX];
    to_string(e, b);
    switch (a->type) {
    case V_STRING: return compare_text(op, a->str, b);
    case V_SET:
        for (int i = 0; i < a->set.n; i++) {
            xml_string(e->d, a->set.v[i], text, sizeof text);
            if (compare_text(op, text, b))
                return true;
        }
        return false;
    default:
        if (b->type == V_STRING)
            return text_number(b->str, &b->num) && ordered(op, (a->num > b->num) - (a->num < b->num));
        return ordered(op, (a->num > b->num) - (a->num < b->num));
    }
}

static const char *eval_comparison(engine *e, const char *s, const focus *f, value *v)
{
    static const char *const ops[] = { "=", "!=", "<=", ">=", "<", ">" };
    s = eval_operand(e, s, f, v);
    for (int op = 0; op < 6 && !e->error; op++) {
        value right = { .num = 0 };
        if (!take(&s, ops[op]))
            continue;
        s = eval_operand(e, s, f, &right);
        bool yes = compare(e, (comparison)op, v, &right);
        set_free(&v->set);
        set_free(&right.set);
        v->type = V_BOOL;
        v->num = yes;
        break;
    }
    return s;
}

static const char *eval_logical(engine *e, const char *s, const focus *f, value *v, const char *word,
                                const char *(*part)(engine *, const char *, const focus *, value *))
{
    s = part(e, s, f, v);
    while (!e->error && take(&s, word)) {
        value right = { .num = 0 };
        bool left = truth(v);
        s = part(e, s, f, &right);
        bool both = truth(&right);
        set_free(&v->set);
        set_free(&right.set);
        v->type = V_BOOL;
        v->num = word[0] == 'a' ? left && both : left || both;
    }
    return s;
}

static const char *eval_and(engine *e, const char *s, const focus *f, value *v)
{
    return eval_logical(e, s, f, v, "and ", eval_comparison);
}

static const char *eval_or(engine *e, const char *s, const focus *f, value *v)
{
    return eval_logical(e, s, f, v, "or ", eval_and);
}

const char *xml_query(const xml_doc *d, int context, const char *path, xml_set *out)
{
    engine e = { d, NULL };
    const char *rest = eval_path(&e, path, context, out);
    if (!e.error && *rest)
        fail(&e, "unexpected text after the path");
    return e.error;
}
