/* reader.c - line-oriented INI reader with quoting and continuation lines. */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTION_MAX = 64 };

typedef struct {
    Config *config;
    CfgReport report;
    void *user;
    int line, problems;
    char section[SECTION_MAX];
} Reader;

static void complain(Reader *r, const char *message)
{
    r->problems++;
    if (r->report)
        r->report(r->user, r->line, message);
}

static char *trim(char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    size_t n = strlen(s);
    while (n && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\r'))
        s[--n] = '\0';
    return s;
}

static bool valid_name(const char *s)
{
    if (!isalpha((unsigned char)*s))
        return false;
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && *s != '_' && *s != '-' && *s != '.')
            return false;
    return true;
}

static void strip_comment(char *s)
{
    bool quoted = false;
    for (; *s; s++) {
        if (*s == '\\' && quoted && s[1])
            s++;
        else if (*s == '"')
            quoted = !quoted;
        else if (!quoted && (*s == ';' || *s == '#')) {
            *s = '\0';
            return;
        }
    }
}

/* Decodes a quoted value in place. */
static bool unquote(Reader *r, char *s)
{
    char *w = s, *p = s + 1;
    for (; *p != '"'; p++) {
        if (!*p) {
            complain(r, "unterminated quote");
            return false;
        }
        if (*p != '\\') {
            *w++ = *p;
            continue;
        }
        switch (*++p) {
        case 'n':  *w++ = '\n'; break;
        case 't':  *w++ = '\t'; break;
        case '"': case '\\': *w++ = *p; break;
        default:
            complain(r, "unknown escape in quotes");
            return false;
        }
    }
    if (p[1]) {
        complain(r, "text after closing quote");
        return false;
    }
    *w = '\0';
    return true;
}

static void read_section(Reader *r, char *s)
{
    char *close = strchr(s, ']');
    if (!close || close[1]) {
        complain(r, "malformed section header");
        return;
    }
    *close = '\0';
    char *name = trim(s + 1);
    if (!valid_name(name) || strlen(name) >= SECTION_MAX)
        complain(r, "bad section name");
    else
        strcpy(r->section, name);
}

static void read_assignment(Reader *r, char *s)
{
    char *eq = strchr(s, '=');
    if (!eq) {
        complain(r, "assignment expected");
        return;
    }
    *eq = '\0';
    char *name = trim(s), *value = trim(eq + 1);
    if (!valid_name(name)) {
        complain(r, "bad key name");
        return;
    }
    if (*value == '"' && !unquote(r, value))
        return;
    cfg_set(r->config, r->section, name, value, r->line);
}

int cfg_read(Config *c, const char *text, CfgReport report, void *user)
{
    Reader r = { .config = c, .report = report, .user = user };
    char *buf = malloc(strlen(text) + 1);
    int next_line = 1;
    if (!buf)
        exit(2);
    while (*text) {
        char *w = buf;
        r.line = next_line;
        for (;;) {                              /* join lines that end in '\' */
            size_t n = strcspn(text, "\n");
            memcpy(w, text, n);
            w += n;
            text += n + (text[n] == '\n');
            next_line++;
            if (n == 0 || w[-1] != '\\' || !*text)
                break;
            w--;
        }
        *w = '\0';
        strip_comment(buf);
        char *s = trim(buf);
        if (*s == '[')
            read_section(&r, s);
        else if (*s)
            read_assignment(&r, s);
    }
    free(buf);
    return r.problems;
}
