/* render.c - walks the node tree with a stack of scopes. */
#include "tpl.h"

#include <string.h>

enum { MAX_SCOPES = 32, MAX_INCLUDES = 8 };

typedef struct {
    Value *scope[MAX_SCOPES];
    int nscopes, includes;
    TplLoader load;
    void *user;
    Out *out;
    const char *error;
} Renderer;

static void render(Renderer *r, const Node *n);

static void escape(Out *out, const Value *v)
{
    Out plain = { 0 };
    if (v->type == VAL_INT || v->type == VAL_BOOL) {
        out_value(out, v);
        return;
    }
    Value *owner = filter_find("raw", 3)->apply(v, NULL);
    plain.s = owner->str;
    for (const char *s = plain.s; *s; s++)
        switch (*s) {
        case '<': out_str(out, "&lt;"); break;
        case '>': out_str(out, "&gt;"); break;
        case '&': out_str(out, "&amp;"); break;
        case '"': out_str(out, "&quot;"); break;
        case '\'': out_str(out, "&#39;"); break;
        default:  out_add(out, s, 1);
        }
    val_drop(owner);
}

static Value *lookup(Renderer *r, const char *name)
{
    size_t n = strlen(name);
    for (int i = r->nscopes; i-- > 0; ) {
        Value *v = val_find(r->scope[i], name, n);
        if (v)
            return val_ref(v);
    }
    return val_none();
}

static Value *field(const Value *v, const char *name)
{
    Value *found = NULL;
    if (v->type == VAL_LIST && name[0] >= '0' && name[0] <= '9') {
        size_t i = 0;
        for (const char *s = name; *s >= '0' && *s <= '9' && i < 100000; s++)
            i = i * 10 + (size_t)(*s - '0');
        if (i < v->len)
            found = v->items[i];
    } else if (v->type == VAL_MAP) {
        found = val_find(v, name, strlen(name));
    }
    return found ? val_ref(found) : val_none();
}

static Value *add(const Value *a, const Value *b)
{
    if (a->type == VAL_INT && b->type == VAL_INT)
        return val_int(a->num + b->num);
    Value *list = val_list();
    if (a->type == VAL_LIST && b->type == VAL_LIST) {
        for (size_t i = 0; i < a->len; i++)
            val_append(list, val_ref(a->items[i]));
        for (size_t i = 0; i < b->len; i++)
            val_append(list, val_ref(b->items[i]));
        return list;
    }
    val_append(list, val_ref((Value *)a));          /* texts: join the pair */
    val_append(list, val_ref((Value *)b));
    Value *text = filter_find("join", 4)->apply(list, NULL);
    val_drop(list);
    return text;
}

static Value *eval(Renderer *r, const Expr *e)
{
    Value *a, *b, *result;
    switch (e->kind) {
    case X_LITERAL: return val_ref(e->literal);
    case X_NAME:    return lookup(r, e->name);
    case X_FIELD:
        a = eval(r, e->left);
        result = field(a, e->name);
        val_drop(a);
        return result;
    case X_FILTER:
        a = eval(r, e->left);
        b = e->right ? eval(r, e->right) : NULL;
        result = e->filter->apply(a, b);
        val_drop(a);
        val_drop(b);
        return result;
    case X_NOT:
        a = eval(r, e->left);
        result = val_bool(!val_truth(a));
        val_drop(a);
        return result;
    case X_AND: case X_OR:
        a = eval(r, e->left);
        if (val_truth(a) == (e->kind == X_OR))
            return a;
        val_drop(a);
        return eval(r, e->right);
    default:
        break;
    }
    a = eval(r, e->left);
    b = eval(r, e->right);
    int c = e->kind == X_ADD ? 0 : val_compare(a, b);
    switch (e->kind) {
    case X_ADD: result = add(a, b); break;
    case X_EQ:  result = val_bool(c == 0); break;
    case X_NE:  result = val_bool(c != 0); break;
    case X_LT:  result = val_bool(c < 0); break;
    default:    result = val_bool(c > 0); break;
    }
    val_drop(a);
    val_drop(b);
    return result;
}

static void render_for(Renderer *r, const Node *n)
{
    Value *list = eval(r, n->expr);
    bool iterable = list->type == VAL_LIST || list->type == VAL_MAP;
    if (!iterable || !list->len) {
        render(r, n->other);
    } else if (r->nscopes == MAX_SCOPES) {
        r->error = "loops nested too deeply";
    } else {
        Value *scope = val_map(), *loop;
        r->scope[r->nscopes++] = scope;
        for (size_t i = 0; i < list->len && !r->error; i++) {
            val_put(scope, n->text, val_ref(list->items[i]));
            loop = val_map();
            val_put(loop, "index", val_int((long)i + 1));
            val_put(loop, "first", val_bool(i == 0));
            val_put(loop, "last", val_bool(i + 1 == list->len));
            if (list->keys)
                val_put(loop, "key", val_str(list->keys[i]));
            val_put(scope, "loop", loop);
            render(r, n->body);
        }
        r->nscopes--;
        val_drop(scope);
    }
    val_drop(list);
}

static void render_include(Renderer *r, const Node *n)
{
    Value *name = eval(r, n->expr);
    const Template *t = name->type == VAL_STR ? r->load(r->user, name->str) : NULL;
    if (!t) {
        r->error = "cannot include template";
    } else if (r->includes == MAX_INCLUDES) {
        r->error = "includes nested too deeply";
    } else {
        r->includes++;
        render(r, t->root);
        r->includes--;
    }
    val_drop(name);
}

static void render(Renderer *r, const Node *n)
{
    Value *v;
    for (; n && !r->error; n = n->next) {
        switch (n->kind) {
        case N_TEXT:
            out_str(r->out, n->text);
            break;
        case N_PRINT:
            v = eval(r, n->expr);
            if (n->expr->kind == X_FILTER && n->expr->filter->safe)
                out_value(r->out, v);
            else
                escape(r->out, v);
            val_drop(v);
            break;
        case N_IF:
            v = eval(r, n->expr);
            bool yes = val_truth(v);
            val_drop(v);
            render(r, yes ? n->body : n->other);
            break;
        case N_FOR:
            render_for(r, n);
            break;
        case N_SET:
            v = eval(r, n->expr);
            val_put(r->scope[r->nscopes - 1], n->text, v);
            break;
        case N_INCLUDE:
            render_include(r, n);
            break;
        }
    }
}

const char *tpl_render(const Template *t, Value *globals, TplLoader load, void *user, Out *out)
{
    Renderer r = { .load = load, .user = user, .out = out };
    Value *locals = val_map();
    r.scope[r.nscopes++] = globals;
    r.scope[r.nscopes++] = locals;
    render(&r, t->root);
    val_drop(locals);
    return r.error;
}
