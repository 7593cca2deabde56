/* reader.c - text to objects and back. */
#include "lisp.h"

#include <stdio.h>
#include <string.h>

static const char *skip(const char *s)
{
    for (;;) {
        s += strspn(s, " \t\r\n");
        if (*s != ';')
            return s;
        s += strcspn(s, "\n");
    }
}

static Obj read_list(const char **text)
{
    Obj head = nil, tail = nil;
    for (;;) {
        const char *s = skip(*text);
        *text = s;
        if (*s == ')') {
            ++*text;
            return head;
        }
        if (s[0] == '.' && strchr(" \t\n(", s[1]) && s[1] && tail != nil) {
            *text = s + 1;
            CDR(tail) = read_form(text);
            *text = skip(*text);
            if (*(*text)++ != ')')
                lisp_error("bad dotted pair");
            return head;
        }
        Obj item = read_form(text);
        if (!item)
            lisp_error("unexpected end of input in a list");
        Obj link = cons(item, nil);
        if (tail == nil)
            head = link;
        else
            CDR(tail) = link;
        tail = link;
    }
}

static Obj read_string(const char **text)
{
    char buf[256];
    int n = 0;
    const char *s = *text;
    for (; *s && *s != '"'; s++) {
        if (*s == '\\' && s[1])
            s++;
        if (n < (int)sizeof buf)
            buf[n++] = s[-1] == '\\' && *s == 'n' ? '\n' : *s;
    }
    if (!*s)
        lisp_error("unterminated string");
    *text = s + 1;
    return make_string(buf, n);
}

static Obj read_atom(const char **text)
{
    const char *s = *text, *d = s + (*s == '-');
    int n = (int)strcspn(s, " \t\r\n();'\"");
    *text = s + n;
    bool number = *d >= '0' && *d <= '9' && n < 19;
    int64_t v = 0;
    for (const char *p = d; number && p < s + n; p++) {
        number = *p >= '0' && *p <= '9';
        v = v * 10 + (*p - '0');
    }
    if (number)
        return make_int(*s == '-' ? -v : v);
    if (n == 3 && !memcmp(s, "nil", 3))
        return nil;
    return intern(s, n);
}

Obj read_form(const char **text)
{
    const char *s = skip(*text);
    *text = s + (*s != '\0');
    switch (*s) {
    case '\0': return NULL;
    case '(':  return read_list(text);
    case ')':  lisp_error("unexpected ')'");
    case '"':  return read_string(text);
    case '\'': {
        Obj quoted = read_form(text);
        if (!quoted)
            lisp_error("nothing to quote");
        return cons(sym_quote, cons(quoted, nil));
    }
    default:
        *text = s;
        return read_atom(text);
    }
}

void print_obj(Obj o)
{
    switch (o->tag) {
    case T_NIL:       printf("nil"); break;
    case T_INT:       printf("%lld", (long long)o->u.num); break;
    case T_SYMBOL:    printf("%s", o->u.sym.name); break;
    case T_STRING:    printf("%s", o->u.str); break;
    case T_PRIMITIVE: printf("<primitive %s>", o->u.prim.name); break;
    case T_LAMBDA:    printf("<lambda>"); break;
    case T_MACRO:     printf("<macro>"); break;
    case T_PAIR:
        putchar('(');
        for (; o->tag == T_PAIR; o = CDR(o)) {
            print_obj(CAR(o));
            if (CDR(o)->tag == T_PAIR)
                putchar(' ');
        }
        if (o != nil) {
            printf(" . ");
            print_obj(o);
        }
        putchar(')');
        break;
    default:
        printf("<bad>");
    }
}
