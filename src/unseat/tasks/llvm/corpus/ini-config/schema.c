/* schema.c - checks a configuration against a table of rules. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *cfg_status_text(CfgStatus s)
{
    static const char *const text[CFG_STATUS_COUNT] = {
        "ok", "missing", "not a number", "not a boolean", "unknown unit", "out of range",
        "references form a cycle", "reference to an undefined key", "unterminated reference",
        "not one of the choices",
    };
    return text[s];
}

static CfgStatus check_choice(const Config *c, const char *key, const char *choices)
{
    char *value;
    CfgStatus st = cfg_expand(c, key, &value);
    if (st != CFG_OK)
        return st;
    st = CFG_NOT_IN_CHOICES;
    for (const char *p = choices; *p; ) {
        size_t n = strcspn(p, "|");
        if (strlen(value) == n && !memcmp(p, value, n))
            st = CFG_OK;
        p += n + (p[n] == '|');
    }
    free(value);
    return st;
}

static CfgStatus check(const Config *c, const Rule *r)
{
    long long n = 0;
    bool flag;
    char *text;
    CfgStatus st;
    switch (r->kind) {
    case K_STRING:
        st = cfg_expand(c, r->key, &text);
        n = text ? (long long)strlen(text) : 0;      /* bounds apply to the length */
        free(text);
        break;
    case K_INT:      st = cfg_int(c, r->key, &n); break;
    case K_SIZE:     st = cfg_size(c, r->key, &n); break;
    case K_DURATION: st = cfg_duration(c, r->key, &n); break;
    case K_BOOL:     return cfg_bool(c, r->key, &flag);
    default:         return check_choice(c, r->key, r->choices);
    }
    if (st == CFG_OK && r->lo < r->hi && (n < r->lo || n > r->hi))
        st = CFG_RANGE;
    return st;
}

typedef struct {
    const Config *config;
    const Rule *rules;
    int nrules, unknown;
    CfgReport report;
    void *user;
} KnownCheck;

static void check_known(void *user, const char *key, const char *value)
{
    KnownCheck *k = user;
    char message[200];
    (void)value;
    for (int i = 0; i < k->nrules; i++) {
        size_t n = strlen(k->rules[i].key);
        if (k->rules[i].key[n - 1] == '*' ? !strncmp(key, k->rules[i].key, n - 1)
                                          : !strcmp(key, k->rules[i].key))
            return;
    }
    snprintf(message, sizeof message, "%s: unknown key", key);
    k->report(k->user, cfg_line(k->config, key), message);
    k->unknown++;
}

int cfg_validate(Config *c, const Rule *rules, int n, CfgReport report, void *user)
{
    int problems = 0;
    for (int i = 0; i < n; i++) {
        const Rule *r = &rules[i];
        char message[200];
        if (strchr(r->key, '*'))
            continue;                                /* a family: only "known" */
        if (!cfg_raw(c, r->key) && r->fallback)
            cfg_set(c, "", r->key, r->fallback, 0);
        if (!cfg_raw(c, r->key) && !r->required)
            continue;
        CfgStatus st = check(c, r);
        if (st != CFG_OK) {
            snprintf(message, sizeof message, "%s: %s", r->key, cfg_status_text(st));
            report(user, cfg_line(c, r->key), message);
            problems++;
        }
    }
    KnownCheck k = { c, rules, n, 0, report, user };
    cfg_each(c, check_known, &k);
    return problems + k.unknown;
}
