/* main.c - driver: two layered files, a schema, and a stress of the store. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char base_text[] =
    "; defaults\n"
    "name = demo\n"
    "[server]\n"
    "host = localhost   # loopback\n"
    "port = 8080\n"
    "url = http://${host}:${port}/${paths.root}\n"
    "timeout = 1m30s\n"
    "buffer = 64k\n"
    "debug = off\n"
    "mode = fast\n"
    "[paths]\n"
    "root = \"srv; not comment\"\n"
    "data = ${root}/data\n"
    "cache = ${data}/cache-$$1\n"
    "list = one, two ,, \\\n"
    "       three,${server.port}\n"
    "[user.alice]\n"
    "Quota = 10M\n";

static const char over_text[] =
    "[server\n"
    "= 3\n"
    "[server]\n"
    "PORT = 70000\n"
    "debug = maybe\n"
    "timeout = 5 weeks\n"
    "buffer = 3Q\n"
    "mode = slow\n"
    "extra = \"tab\\tquote\\\"end\"\n"
    "bad = \"open\n"
    "worse = \"x\\q\"\n"
    "worst = \"x\" y\n"
    "novalue\n"
    "1key = 2\n"
    "[lo op]\n"
    "[loop]\n"
    "a = ${b}\n"
    "b = ${loop.a}\n"
    "c = ${nowhere.x}\n"
    "d = ${open\n"
    "[user.bob]\n"
    "quota = ${user.alice.quota}\n";

static const Rule rules[] = {
    { "name", K_STRING, true, 1, 20, NULL, NULL },
    { "server.host", K_STRING, true, 1, 60, NULL, NULL },
    { "server.port", K_INT, true, 1, 65535, NULL, NULL },
    { "server.url", K_STRING, true, 8, 30, NULL, NULL },
    { "server.timeout", K_DURATION, false, 10, 600000, NULL, NULL },
    { "server.buffer", K_SIZE, false, 512, 1 << 20, NULL, NULL },
    { "server.debug", K_BOOL, false, 0, 0, NULL, NULL },
    { "server.mode", K_CHOICE, false, 0, 0, "fast|safe|lazy", NULL },
    { "server.backlog", K_INT, true, 1, 1000, NULL, "128" },
    { "server.key", K_STRING, true, 0, 0, NULL, NULL },
    { "paths.*", K_STRING, false, 0, 0, NULL, NULL },
    { "user.*", K_STRING, false, 0, 0, NULL, NULL },
    { "loop.a", K_STRING, false, 0, 0, NULL, NULL },
    { "loop.c", K_STRING, false, 0, 0, NULL, NULL },
    { "loop.d", K_STRING, false, 0, 0, NULL, NULL },
};

static void print_problem(void *user, int line, const char *message)
{
    printf("  %s:%d: %s\n", (const char *)user, line, message);
}

static void print_entry(void *user, const char *key, const char *value)
{
    (void)user;
    printf("  %s = %s\n", key, value);
}

static void show_typed(const Config *c)
{
    long long n = 0;
    bool flag = false;
    char *s, **items;
    CfgStatus st = cfg_expand(c, "server.url", &s);
    printf("url: %s (%s)\n", s ? s : "-", cfg_status_text(st));
    free(s);
    st = cfg_expand(c, "paths.cache", &s);
    printf("cache: %s (%s)\n", s ? s : "-", cfg_status_text(st));
    free(s);
    st = cfg_int(c, "server.port", &n);
    printf("port: %lld (%s)\n", n, cfg_status_text(st));
    st = cfg_duration(c, "server.timeout", &n);
    printf("timeout: %lld ms (%s)\n", n, cfg_status_text(st));
    st = cfg_size(c, "SERVER.Buffer", &n);
    printf("buffer: %lld bytes (%s)\n", n, cfg_status_text(st));
    st = cfg_size(c, "user.alice.quota", &n);
    printf("quota: %lld bytes (%s)\n", n, cfg_status_text(st));
    st = cfg_bool(c, "server.debug", &flag);
    printf("debug: %d (%s)\n", flag, cfg_status_text(st));
    int count = cfg_list(c, "paths.list", &items);
    for (int i = 0; i < count; i++)
        printf("list[%d]: '%s'\n", i, items[i]);
    cfg_list_free(items, count > 0 ? count : 0);
}

static unsigned rng(unsigned *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return *s;
}

static void digest(void *user, const char *key, const char *value)
{
    unsigned *h = user;
    while (*key)
        *h = *h * 31 + (unsigned char)*key++;
    while (*value)
        *h = *h * 37 + (unsigned char)*value++;
}

/* Random sets and removals, mirrored in a plain array. */
static void stress(int rounds)
{
    enum { SECTIONS = 40, NAMES = 50 };
    static int mirror[SECTIONS][NAMES];
    Config *c = cfg_new();
    unsigned s = 7, h = 0, wrong = 0;
    size_t live = 0;
    long long sum = 0;
    for (int i = 0; i < rounds; i++) {
        int a = (int)(rng(&s) % SECTIONS), b = (int)(rng(&s) % NAMES);
        char section[16], name[16], key[40], value[40];
        snprintf(section, sizeof section, "Sec%d", a);
        snprintf(name, sizeof name, "key%d", b);
        snprintf(key, sizeof key, "SEC%d.Key%d", a, b);
        if (rng(&s) % 3) {
            live += mirror[a][b] == 0;
            mirror[a][b] = i + 1;
            if (rng(&s) % 4 == 0 && mirror[a][(b + 1) % NAMES])
                snprintf(value, sizeof value, "%d", mirror[a][b]);
            else
                snprintf(value, sizeof value, "%d", i + 1);
            cfg_set(c, section, name, value, i);
        } else {
            wrong += cfg_remove(c, key) != (mirror[a][b] != 0);
            live -= mirror[a][b] != 0;
            mirror[a][b] = 0;
        }
    }
    for (int a = 0; a < SECTIONS; a++)
        for (int b = 0; b < NAMES; b++) {
            char key[40];
            long long v = 0;
            snprintf(key, sizeof key, "sec%d.KEY%d", a, b);
            CfgStatus st = cfg_int(c, key, &v);
            wrong += st != (mirror[a][b] ? CFG_OK : CFG_MISSING) || v != mirror[a][b];
            sum += v;
        }
    wrong += live != cfg_count(c);
    cfg_each(c, digest, &h);
    printf("stress: %zu live, sum %lld, %u wrong, digest %08x\n", live, sum, wrong, h);
    cfg_delete(c);
}

/* Chains of references k0 <- k1 <- ... expand to growing texts. */
static void chains(void)
{
    Config *c = cfg_new();
    size_t total = 0;
    char name[16], value[48];
    cfg_set(c, "c", "k0", "x", 0);
    for (int i = 1; i < 18; i++) {
        snprintf(name, sizeof name, "k%d", i);
        snprintf(value, sizeof value, "${k%d}-${k%d}", i - 1, i / 2);
        cfg_set(c, "c", name, value, i);
    }
    for (int i = 0; i < 18; i++) {
        char key[20], *s;
        snprintf(key, sizeof key, "c.k%d", i);
        CfgStatus st = cfg_expand(c, key, &s);
        if (st != CFG_OK)
            printf("chain %d: %s\n", i, cfg_status_text(st));
        total += s ? strlen(s) : 0;
        free(s);
    }
    printf("chains: %zu bytes\n", total);
    cfg_delete(c);
}

int main(void)
{
    int n_rules = (int)(sizeof rules / sizeof *rules);
    Config *base = cfg_new(), *over = cfg_new();
    printf("base: %d problems\n", cfg_read(base, base_text, print_problem, "base"));
    show_typed(base);
    printf("overrides:\n");
    int problems = cfg_read(over, over_text, print_problem, "over");
    printf("overrides: %d problems\n", problems);
    cfg_merge(base, over);
    problems = cfg_validate(base, rules, n_rules, print_problem, "merged");
    printf("validation: %d problems, %zu entries\n", problems, cfg_count(base));
    cfg_each(base, print_entry, NULL);
    cfg_delete(base);
    cfg_delete(over);
    stress(60000);
    chains();
    return 0;
}
