/* config.h - layered INI configuration: store, reader, schema check. */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Config Config;

typedef enum {
    CFG_OK, CFG_MISSING, CFG_BAD_NUMBER, CFG_BAD_BOOL, CFG_BAD_UNIT, CFG_RANGE,
    CFG_CYCLE, CFG_UNDEFINED_REF, CFG_UNTERMINATED_REF, CFG_NOT_IN_CHOICES, CFG_STATUS_COUNT
} CfgStatus;

const char *cfg_status_text(CfgStatus s);

/* config.c: keys are "section.name", names are case-insensitive. */
Config     *cfg_new(void);
void        cfg_delete(Config *c);
void        cfg_set(Config *c, const char *section, const char *name, const char *value, int line);
bool        cfg_remove(Config *c, const char *key);
const char *cfg_raw(const Config *c, const char *key);
int         cfg_line(const Config *c, const char *key);
size_t      cfg_count(const Config *c);
void        cfg_merge(Config *base, const Config *over);

/* Visits entries in order of insertion. */
typedef void (*CfgVisitor)(void *user, const char *key, const char *value);
void cfg_each(const Config *c, CfgVisitor visit, void *user);

/* reader.c: reports problems by callback, continues, returns their number. */
typedef void (*CfgReport)(void *user, int line, const char *message);
int cfg_read(Config *c, const char *text, CfgReport report, void *user);

/* values.c: "${section.name}" is replaced, "$$" is "$". Caller frees *out. */
CfgStatus cfg_expand(const Config *c, const char *key, char **out);
CfgStatus cfg_int(const Config *c, const char *key, long long *out);
CfgStatus cfg_bool(const Config *c, const char *key, bool *out);
CfgStatus cfg_size(const Config *c, const char *key, long long *out);      /* bytes: 4k, 2M */
CfgStatus cfg_duration(const Config *c, const char *key, long long *out);  /* ms: 1h30m, 250ms */
int       cfg_list(const Config *c, const char *key, char ***items);       /* comma-separated */
void      cfg_list_free(char **items, int n);

/* schema.c */
typedef enum { K_STRING, K_INT, K_BOOL, K_SIZE, K_DURATION, K_CHOICE } Kind;
typedef struct {
    const char *key;
    Kind kind;
    bool required;
    long long lo, hi;
    const char *choices;      /* "a|b|c" */
    const char *fallback;     /* value when absent */
} Rule;

int cfg_validate(Config *c, const Rule *rules, int n, CfgReport report, void *user);

#endif
