/* filters.c - the table of filters usable after '|'. */
#include "tpl.h"

#include <stdlib.h>
#include <string.h>

static Value *text_of(const Value *v)
{
    Out o = { 0 };
    out_str(&o, "");
    out_value(&o, v);
    Value *r = val_strn(o.s, o.n);
    free(o.s);
    return r;
}

static Value *take_out(Out *o)
{
    Value *r = val_strn(o->s ? o->s : "", o->n);
    free(o->s);
    return r;
}

static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_letter(char c) { return is_lower(c) || is_upper(c); }

static Value *f_upper(const Value *in, const Value *arg)
{
    Value *v = text_of(in);
    (void)arg;
    for (char *s = v->str; *s; s++)
        if (is_lower(*s))
            *s = (char)(*s - 32);
    return v;
}

static Value *f_lower(const Value *in, const Value *arg)
{
    Value *v = text_of(in);
    (void)arg;
    for (char *s = v->str; *s; s++)
        if (is_upper(*s))
            *s = (char)(*s + 32);
    return v;
}

static Value *f_title(const Value *in, const Value *arg)
{
    Value *v = f_lower(in, arg);
    for (char *s = v->str; *s; s++)
        if (is_lower(*s) && (s == v->str || !is_letter(s[-1])))
            *s = (char)(*s - 32);
    return v;
}

static Value *f_length(const Value *in, const Value *arg)
{
    (void)arg;
    return val_int(in->type >= VAL_STR ? (long)in->len : 0);
}

static Value *f_default(const Value *in, const Value *arg)
{
    return val_ref((Value *)(val_truth(in) || !arg ? in : arg));
}

static Value *f_join(const Value *in, const Value *arg)
{
    Out o = { 0 };
    if (in->type != VAL_LIST)
        return text_of(in);
    for (size_t i = 0; i < in->len; i++) {
        if (i && arg)
            out_value(&o, arg);
        out_value(&o, in->items[i]);
    }
    return take_out(&o);
}

static Value *f_first(const Value *in, const Value *arg)
{
    (void)arg;
    return in->type == VAL_LIST && in->len ? val_ref(in->items[0]) : val_none();
}

static Value *f_last(const Value *in, const Value *arg)
{
    (void)arg;
    return in->type == VAL_LIST && in->len ? val_ref(in->items[in->len - 1]) : val_none();
}

static Value *f_reverse(const Value *in, const Value *arg)
{
    Value *r;
    (void)arg;
    if (in->type != VAL_LIST) {
        r = text_of(in);
        for (size_t i = 0; i < r->len / 2; i++) {
            char c = r->str[i];
            r->str[i] = r->str[r->len - 1 - i];
            r->str[r->len - 1 - i] = c;
        }
        return r;
    }
    r = val_list();
    for (size_t i = in->len; i-- > 0; )
        val_append(r, val_ref(in->items[i]));
    return r;
}

/* Sorts a list; with an argument, a list of maps by that key (stable). */
static Value *f_sort(const Value *in, const Value *arg)
{
    Value *r = val_list();
    for (size_t i = 0; in->type == VAL_LIST && i < in->len; i++) {
        size_t j = r->len;
        val_append(r, val_ref(in->items[i]));
        Value *x = r->items[j], *kx = x;
        if (arg && arg->type == VAL_STR && !(kx = val_find(x, arg->str, arg->len)))
            kx = x;
        for (; j > 0; j--) {
            Value *y = r->items[j - 1], *ky = y;
            if (arg && arg->type == VAL_STR && !(ky = val_find(y, arg->str, arg->len)))
                ky = y;
            if (val_compare(ky, kx) <= 0)
                break;
            r->items[j] = y;
        }
        r->items[j] = x;
    }
    return r;
}

static Value *f_trim(const Value *in, const Value *arg)
{
    Value *v = text_of(in);
    size_t from = strspn(v->str, " \t\n"), to = v->len;
    (void)arg;
    while (to > from && strchr(" \t\n", v->str[to - 1]))
        to--;
    Value *r = val_strn(v->str + from, to - from);
    val_drop(v);
    return r;
}

static Value *pad(const Value *in, const Value *arg, bool right)
{
    Value *v = text_of(in);
    Out o = { 0 };
    size_t width = arg && arg->type == VAL_INT && arg->num > 0 && arg->num < 1000
                   ? (size_t)arg->num : 0;
    if (!right)
        out_add(&o, v->str, v->len);
    for (size_t i = v->len; i < width; i++)
        out_add(&o, " ", 1);
    if (right)
        out_add(&o, v->str, v->len);
    val_drop(v);
    return take_out(&o);
}

static Value *f_left(const Value *in, const Value *arg) { return pad(in, arg, false); }
static Value *f_right(const Value *in, const Value *arg) { return pad(in, arg, true); }

static Value *f_truncate(const Value *in, const Value *arg)
{
    Value *v = text_of(in);
    size_t most = arg && arg->type == VAL_INT && arg->num >= 0 ? (size_t)arg->num : 10;
    if (v->len <= most)
        return v;
    Out o = { 0 };
    out_add(&o, v->str, most);
    out_str(&o, "...");
    val_drop(v);
    return take_out(&o);
}

/* 1234567 becomes 1,234,567. */
static Value *f_group(const Value *in, const Value *arg)
{
    Value *v = text_of(in);
    Out o = { 0 };
    size_t sign = v->str[0] == '-';
    (void)arg;
    for (size_t i = 0; i < v->len; i++) {
        if (i > sign && (v->len - i) % 3 == 0)
            out_str(&o, ",");
        out_add(&o, v->str + i, 1);
    }
    val_drop(v);
    return take_out(&o);
}

static Value *f_raw(const Value *in, const Value *arg)
{
    (void)arg;
    return text_of(in);
}

const Filter *filter_find(const char *name, size_t n)
{
    static const Filter table[] = {
        { "upper", f_upper, false }, { "lower", f_lower, false }, { "title", f_title, false },
        { "length", f_length, false }, { "default", f_default, false }, { "join", f_join, false },
        { "first", f_first, false }, { "last", f_last, false }, { "reverse", f_reverse, false },
        { "sort", f_sort, false }, { "trim", f_trim, false }, { "left", f_left, false },
        { "right", f_right, false }, { "truncate", f_truncate, false },
        { "group", f_group, false }, { "raw", f_raw, true },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strlen(table[i].name) == n && !memcmp(table[i].name, name, n))
            return &table[i];
    return NULL;
}
