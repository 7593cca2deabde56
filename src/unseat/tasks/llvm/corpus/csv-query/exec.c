/* exec.c - evaluation with three-valued logic, grouping, sorting. */
#include "csvq.h"

#include <stdlib.h>
#include <string.h>

/* A group is a list of row numbers; a plain row is a group of one. */
typedef struct { const int *rows; int n; } Group;

typedef struct { const Table *t; Group g; } Scope;

static const Value null_value = { V_NULL, 0, "" };

static Value integer(long long n)
{
    Value v = { V_INT, n, "" };
    return v;
}

static long long wrap(unsigned long long u)
{
    return u <= 0x7FFFFFFFFFFFFFFFull ? (long long)u : -(long long)(~u) - 1;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

/* '%' any run, '_' any character; letters match in either case. */
static bool like(const char *s, const char *pat)
{
    const char *star = NULL, *resume = NULL;
    while (*s) {
        if (*pat == '%') {
            star = ++pat;
            resume = s;
        } else if (*pat == '_' || (*pat && lower(*pat) == lower(*s))) {
            pat++;
            s++;
        } else if (star) {
            pat = star;
            s = ++resume;
        } else {
            return false;
        }
    }
    while (*pat == '%')
        pat++;
    return !*pat;
}

static Value eval(const Scope *s, const Expr *e);

static Value eval_row(const Scope *s, const Expr *e, int row)
{
    Scope one = { s->t, { &row, 1 } };
    return eval(&one, e);
}

static Value fold_aggregate(const Scope *s, const Expr *e)
{
    Value acc = e->kind == E_COUNT ? integer(0) : null_value;
    for (int i = 0; i < s->g.n; i++) {
        Value v = eval_row(s, e->left, s->g.rows[i]);
        if (v.kind == V_NULL)
            continue;
        switch (e->kind) {
        case E_COUNT:
            acc.num++;
            break;
        case E_SUM:
            acc = integer(wrap((unsigned long long)acc.num +
                               (unsigned long long)(v.kind == V_INT ? v.num : 0)));
            break;
        case E_MIN:
            if (acc.kind == V_NULL || value_compare(v, acc) < 0)
                acc = v;
            break;
        default:
            if (acc.kind == V_NULL || value_compare(v, acc) > 0)
                acc = v;
            break;
        }
    }
    return acc;
}

static Value arithmetic(ExprKind kind, Value a, Value b)
{
    if (a.kind != V_INT || b.kind != V_INT)
        return null_value;
    unsigned long long x = (unsigned long long)a.num, y = (unsigned long long)b.num;
    switch (kind) {
    case E_ADD: return integer(wrap(x + y));
    case E_SUB: return integer(wrap(x - y));
    case E_MUL: return integer(wrap(x * y));
    default:    break;
    }
    if (b.num == 0)
        return null_value;
    if (b.num == -1)
        return integer(kind == E_DIV ? wrap(0 - x) : 0);
    return integer(kind == E_DIV ? a.num / b.num : a.num % b.num);
}

static Value compare(ExprKind kind, Value a, Value b)
{
    if (a.kind == V_NULL || b.kind == V_NULL)
        return null_value;
    if (kind == E_LIKE)
        return a.kind == V_TEXT && b.kind == V_TEXT ? integer(like(a.text, b.text)) : integer(0);
    int c = value_compare(a, b);
    switch (kind) {
    case E_EQ: return integer(c == 0);
    case E_NE: return integer(c != 0);
    case E_LT: return integer(c < 0);
    case E_LE: return integer(c <= 0);
    case E_GT: return integer(c > 0);
    default:   return integer(c >= 0);
    }
}

/* 1 true, 0 false, -1 unknown. */
static int truth(Value v) { return v.kind == V_NULL ? -1 : v.kind == V_INT && v.num != 0; }

static Value from_truth(int t) { return t < 0 ? null_value : integer(t); }

static Value logical(const Scope *s, const Expr *e)
{
    int decisive = e->kind == E_OR, a = truth(eval(s, e->left));
    if (a == decisive)
        return integer(decisive);
    int b = truth(eval(s, e->right));
    if (b == decisive)
        return integer(decisive);
    return from_truth(a < 0 || b < 0 ? -1 : !decisive);
}

static Value eval(const Scope *s, const Expr *e)
{
    Value v;
    switch (e->kind) {
    case E_COLUMN:
        if (s->g.n == 0)
            return null_value;
        return s->t->cells[(size_t)s->g.rows[0] * (size_t)s->t->ncols + (size_t)e->column];
    case E_CONST:
        return e->value;
    case E_NEG:
        return arithmetic(E_SUB, integer(0), eval(s, e->left));
    case E_NOT: {
        int t = truth(eval(s, e->left));
        return from_truth(t < 0 ? t : !t);
    }
    case E_ADD: case E_SUB: case E_MUL: case E_DIV: case E_MOD:
        v = eval(s, e->left);
        return arithmetic(e->kind, v, eval(s, e->right));
    case E_EQ: case E_NE: case E_LT: case E_LE: case E_GT: case E_GE: case E_LIKE:
        v = eval(s, e->left);
        return compare(e->kind, v, eval(s, e->right));
    case E_IS_NULL:
        return integer(eval(s, e->left).kind == V_NULL);
    case E_AND: case E_OR:
        return logical(s, e);
    case E_COUNT_ALL:
        return integer(s->g.n);
    case E_COUNT: case E_SUM: case E_MIN: case E_MAX:
        return fold_aggregate(s, e);
    case E_LENGTH:
        v = eval(s, e->left);
        return v.kind == V_TEXT ? integer((long long)strlen(v.text)) : null_value;
    case E_ABS:
        v = eval(s, e->left);
        return v.kind == V_INT && v.num < 0 ? arithmetic(E_SUB, integer(0), v) : v;
    }
    return null_value;
}

typedef struct { unsigned hash; int first, count, start; } GroupEntry;

typedef struct {
    const Query *q;
    const Table *t;
    int *picked, npicked;          /* rows that pass WHERE */
    int *group_of;                 /* group number of each picked row */
    GroupEntry *groups;
    int ngroups, *buckets, nbuckets;
    int *members;                  /* rows sorted by group */
} Grouper;

static bool same_key(const Grouper *g, int row_a, int row_b)
{
    Scope s = { g->t, { NULL, 0 } };
    for (int i = 0; i < g->q->ngroup; i++)
        if (value_compare(eval_row(&s, g->q->group[i], row_a),
                          eval_row(&s, g->q->group[i], row_b)) != 0)
            return false;
    return true;
}

static int find_group(Grouper *g, int row)
{
    Scope s = { g->t, { NULL, 0 } };
    unsigned h = 7;
    for (int i = 0; i < g->q->ngroup; i++)
        h = h * 31 + value_hash(eval_row(&s, g->q->group[i], row));
    for (int b = (int)(h % (unsigned)g->nbuckets);; b = (b + 1) % g->nbuckets) {
        int id = g->buckets[b];
        if (id < 0) {
            GroupEntry fresh = { h, row, 0, 0 };
            g->groups[g->ngroups] = fresh;
            g->buckets[b] = g->ngroups;
            return g->ngroups++;
        }
        if (g->groups[id].hash == h && same_key(g, g->groups[id].first, row))
            return id;
    }
}

static void *alloc_array(int n, size_t size)
{
    void *p = calloc((size_t)n + 1, size);
    if (!p)
        abort();
    return p;
}

static void build_groups(Grouper *g)
{
    g->nbuckets = g->npicked * 2 + 1;
    g->buckets = alloc_array(g->nbuckets, sizeof(int));
    g->groups = alloc_array(g->npicked + 1, sizeof(GroupEntry));
    g->group_of = alloc_array(g->npicked, sizeof(int));
    g->members = alloc_array(g->npicked, sizeof(int));
    for (int i = 0; i < g->nbuckets; i++)
        g->buckets[i] = -1;
    if (g->q->ngroup == 0)
        g->ngroups = 1;                            /* one group, maybe empty */
    for (int i = 0; i < g->npicked; i++) {
        g->group_of[i] = g->q->ngroup ? find_group(g, g->picked[i]) : 0;
        g->groups[g->group_of[i]].count++;
    }
    for (int i = 0, at = 0; i < g->ngroups; i++) {  /* counting sort */
        g->groups[i].start = at;
        at += g->groups[i].count;
        g->groups[i].count = 0;
    }
    for (int i = 0; i < g->npicked; i++) {
        GroupEntry *e = &g->groups[g->group_of[i]];
        g->members[e->start + e->count++] = g->picked[i];
    }
}

typedef struct { Value out[MAX_OUT], key[MAX_OUT]; } ResultRow;

static int compare_results(const Query *q, const ResultRow *a, const ResultRow *b)
{
    for (int i = 0; i < q->norder; i++) {
        int c = value_compare(a->key[i], b->key[i]);
        if (c)
            return q->descending[i] ? -c : c;
    }
    return 0;
}

/* Stable merge sort of pointers. */
static void sort_results(const Query *q, ResultRow **v, ResultRow **tmp, int n)
{
    if (n < 2)
        return;
    int half = n / 2, i = 0, j = half, k = 0;
    sort_results(q, v, tmp, half);
    sort_results(q, v + half, tmp, n - half);
    memcpy(tmp, v, (size_t)n * sizeof *v);
    while (i < half && j < n)
        v[k++] = compare_results(q, tmp[j], tmp[i]) < 0 ? tmp[j++] : tmp[i++];
    while (i < half)
        v[k++] = tmp[i++];
    while (j < n)
        v[k++] = tmp[j++];
}

static bool compute_row(const Query *q, const Scope *s, ResultRow *r)
{
    if (q->having && truth(eval(s, q->having)) != 1)
        return false;
    for (int i = 0; i < q->nselect; i++)
        r->out[i] = eval(s, q->select[i]);
    for (int i = 0; i < q->norder; i++)
        r->key[i] = eval(s, q->order[i]);
    return true;
}

int query_run(const Query *q, const Table *t, RowFn row, void *user)
{
    Grouper g = { .q = q, .t = t };
    Scope s = { t, { NULL, 0 } };
    int count = 0;
    g.picked = alloc_array(t->nrows, sizeof(int));
    for (int i = 0; i < t->nrows; i++)
        if (!q->where || truth(eval_row(&s, q->where, i)) == 1)
            g.picked[g.npicked++] = i;
    if (q->aggregate)
        build_groups(&g);
    int candidates = q->aggregate ? g.ngroups : g.npicked;
    ResultRow *results = alloc_array(candidates, sizeof *results);
    ResultRow **order = alloc_array(candidates * 2, sizeof *order);
    for (int i = 0; i < candidates; i++) {
        s.g.rows = q->aggregate ? g.members + g.groups[i].start : &g.picked[i];
        s.g.n = q->aggregate ? g.groups[i].count : 1;
        if (compute_row(q, &s, &results[count])) {
            order[count] = &results[count];
            count++;
        }
    }
    sort_results(q, order, order + count, count);
    if (q->limit >= 0 && count > q->limit)
        count = (int)q->limit;
    for (int i = 0; i < count; i++)
        row(user, order[i]->out, q->nselect);
    free(results);
    free(order);
    free(g.picked);
    free(g.group_of);
    free(g.groups);
    free(g.buckets);
    free(g.members);
    return count;
}
