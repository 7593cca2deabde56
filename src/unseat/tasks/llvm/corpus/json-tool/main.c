/* main.c - driver: error table, round trips, pointers, patches, random fuzz. */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t rng_state = 12345;

static uint32_t rnd(uint32_t limit)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 17;
    rng_state ^= rng_state << 5;
    return rng_state % limit;
}

static jv *must_parse(arena *a, const char *text)
{
    json_error err;
    jv *v = json_parse(a, text, strlen(text), &err);
    if (!v) {
        printf("unexpected error %u:%u %s\n", err.line, err.column, err.message);
        exit(1);
    }
    return v;
}

static void show(const char *label, const jv *v, unsigned flags)
{
    char *s = json_print(v, flags, NULL);
    printf("%s%s\n", label, s);
    free(s);
}

static void test_errors(void)
{
    static const char *const bad[] = {
        "", "[1,2", "[1 2]", "{\"a\":1,}", "{\"a\" 1}", "nul", "[01]", "[1.]", "[1e+]",
        "\"abc", "\"\\q\"", "\"\\u12g4\"", "\"\\udc00\"", "\"\\ud800x\"", "\"a\nb\"",
        "{\"k\":1,\n \"k\":2}", "[1e999]", "true false", "[\n\n  ?]", "-",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        arena a;
        json_error err = { "none", 0, 0 };
        arena_init(&a);
        jv *v = json_parse(&a, bad[i], strlen(bad[i]), &err);
        printf("bad %2zu: %u:%u %s%s\n", i, err.line, err.column, err.message, v ? " (!)" : "");
        arena_free(&a);
    }
    char deep[200];
    json_error err;
    arena a;
    arena_init(&a);
    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    if (!json_parse(&a, deep, sizeof deep, &err))
        printf("deep: %u:%u %s\n", err.line, err.column, err.message);
    printf("deep 60: %s\n", json_parse(&a, deep + 40, 120, &err) ? "ok" : "error");
    arena_free(&a);
}

static void test_printing(void)
{
    arena a;
    arena_init(&a);
    jv *v = must_parse(&a,
        " { \"zeta\" : [1, -0, 0.1, 1e21, 3.0, -9223372036854775808, 9223372036854775808],\n"
        "   \"alpha\": {\"uni\": \"caf\\u00e9 \\ud83d\\ude00 \\u0001\", \"esc\": \"\\\"\\\\\\/\\b\\f\\n\\r\\t\"},\n"
        "   \"empty\": [{}, [], \"\", null, true, false] }");
    show("compact: ", v, 0);
    show("sorted:  ", v, JSON_SORT_KEYS | JSON_ASCII);
    show("pretty:\n", v, JSON_PRETTY);
    static const char *const pointers[] = { "/zeta/2", "/alpha/esc", "/empty/0", "/zeta/07",
                                            "/nope", "/empty/6", "", "zeta", "/empty/2" };
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        jv *hit = json_pointer(v, pointers[i]);
        printf("pointer '%s' -> %s\n", pointers[i], hit ? jv_kind_name(hit->kind) : "(none)");
    }
    arena_free(&a);
}

static void test_merge(void)
{
    static const char *const cases[][3] = {
        { "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
        { "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
        { "{\"a\":[{\"b\":1}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
        { "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
        { "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
        { "{\"e\":null}", "{\"a\":1}", "{\"a\":1,\"e\":null}" },
    };
    int good = 0;
    arena a;
    arena_init(&a);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        jv *got = json_merge_patch(&a, must_parse(&a, cases[i][0]), must_parse(&a, cases[i][1]));
        good += jv_equal(got, must_parse(&a, cases[i][2]));
    }
    printf("merge patches: %d of 6 right\n", good);
    arena_free(&a);
}

static void test_patch(void)
{
    arena a;
    const char *err;
    arena_init(&a);
    jv *from = must_parse(&a, "{\"a/b\":1,\"t~\":[1,2,3,4],\"gone\":{},\"keep\":[true]}");
    jv *to = must_parse(&a, "{\"a/b\":2,\"t~\":[1,9,4],\"keep\":[true,null],\"new\":{\"x\":[]}}");
    jv *ops = json_diff(&a, from, to);
    show("diff: ", ops, 0);
    jv *got = json_apply(&a, jv_clone(&a, from), ops, &err);
    printf("apply: %s\n", got && jv_equal(got, to) ? "equals target" : "WRONG");
    static const char *const broken[] = {
        "{}", "[1]", "[{\"op\":\"add\"}]", "[{\"op\":\"add\",\"path\":\"/q\"}]",
        "[{\"op\":\"move\",\"path\":\"/q\"}]", "[{\"op\":\"remove\",\"path\":\"/q\"}]",
        "[{\"op\":\"remove\",\"path\":\"/keep/1\"}]", "[{\"op\":\"remove\",\"path\":\"/x/y\"}]",
        "[{\"op\":\"add\",\"path\":\"/keep/0/z\",\"value\":0}]", "[{\"op\":\"remove\",\"path\":\"\"}]",
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        got = json_apply(&a, jv_clone(&a, from), must_parse(&a, broken[i]), &err);
        printf("broken %zu: %s\n", i, got ? "accepted (!)" : err);
    }
    arena_free(&a);
}

static jv *random_value(arena *a, int depth)
{
    uint32_t pick = rnd(depth > 0 ? 10 : 6), n;
    char key[24];
    jv *v;
    switch (pick) {
    case 0: return jv_new(a, JV_NULL);
    case 1: return jv_new(a, rnd(2) ? JV_TRUE : JV_FALSE);
    case 2: case 3: return jv_int(a, (int64_t)rnd(2000000) - 1000000);
    case 4:
        v = jv_new(a, JV_REAL);
        v->u.real = ((double)rnd(1000000) - 500000.0) / 64.0;
        return v;
    case 5:
        snprintf(key, sizeof key, "s%u\"\t\xc3\xa9/~", (unsigned)rnd(1000));
        return jv_text(a, key);
    case 6: case 7:
        v = jv_new(a, JV_ARRAY);
        for (n = rnd(7); n > 0; n--)
            jv_push(a, v, random_value(a, depth - 1));
        return v;
    default:
        v = jv_new(a, JV_OBJECT);
        for (n = rnd(14); n > 0; n--) {
            const char *format = rnd(4) ? "k%u" : "k~%u/";
            size_t len = (size_t)snprintf(key, sizeof key, format, (unsigned)rnd(20));
            jv_set(a, v, jv_str_of(arena_dup(a, key, len), len), random_value(a, depth - 1));
        }
        return v;
    }
}

/* Random local edits so that the differ finds related documents. */
static void mutate(arena *a, jv *v)
{
    if (v->kind == JV_ARRAY) {
        if (v->count && rnd(3) == 0)
            jv_remove_at(v, rnd(v->count));
        if (rnd(3) == 0) {
            uint32_t at = rnd(v->count + 1);
            jv_insert(a, v, at, random_value(a, 1));
        }
        for (uint32_t i = 0; i < v->count; i++)
            mutate(a, v->u.items[i]);
    } else if (v->kind == JV_OBJECT) {
        if (v->count && rnd(3) == 0)
            jv_unset(v, v->u.obj.members[rnd(v->count)].key);
        for (uint32_t i = 0; i < v->count; i++)
            mutate(a, v->u.obj.members[i].value);
        if (rnd(3) == 0)
            jv_set(a, v, jv_str_of("extra", 5), random_value(a, 1));
    } else if (v->kind == JV_INT && rnd(4) == 0) {
        v->u.integer++;
    }
}

static void fuzz(int rounds)
{
    size_t bytes = 0, ops_total = 0, nontrivial = 0;
    unsigned failures = 0, rejected = 0;
    uint64_t sum = 0;
    for (int r = 0; r < rounds; r++) {
        arena a;
        json_error err;
        const char *why;
        size_t len;
        arena_init(&a);
        jv *doc = random_value(&a, 5);
        char *text = json_print(doc, (unsigned)r & 7, &len);
        jv *back = json_parse(&a, text, len, &err);
        if (!back || !jv_equal(doc, back) || jv_hash(doc) != jv_hash(back))
            failures++;
        jv *changed = jv_clone(&a, doc);
        mutate(&a, changed);
        jv *ops = json_diff(&a, doc, changed);
        jv *patched = json_apply(&a, jv_clone(&a, doc), ops, &why);
        if (!patched || !jv_equal(patched, changed))
            failures++;
        size_t at = rnd((uint32_t)len);
        text[at] = "]}\",:x0\\"[rnd(8)];      /* damage one byte */
        rejected += !json_parse(&a, text, len, &err);
        bytes += len;
        ops_total += ops->count;
        nontrivial += len > 100;
        sum = sum * 31 + jv_hash(changed);
        free(text);
        arena_free(&a);
    }
    printf("fuzz: %d docs, %zu large, %zu bytes, %zu ops, %u rejected, %u failures, sum %016llx\n",
           rounds, nontrivial, bytes, ops_total, rejected, failures, (unsigned long long)sum);
}

int main(void)
{
    test_errors();
    test_printing();
    test_merge();
    test_patch();
    fuzz(600);
    return 0;
}
