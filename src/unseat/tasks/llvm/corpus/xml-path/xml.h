/* xml.h - XML documents in flat tables, and path queries over them. */
#ifndef XML_H
#define XML_H

#include <stdbool.h>
#include <stddef.h>

typedef enum { XML_ROOT, XML_ELEMENT, XML_ATTRIBUTE, XML_TEXT } xml_kind;

/* Nodes are numbered in document order; links are indices, 0 is the root
 * and also stands for "none" where no link can lead to the root. */
typedef struct {
    xml_kind kind;
    int name;                 /* interned; -1 for text */
    int parent, next;         /* next sibling (or attribute) */
    int child, attribute;     /* first of each */
    size_t text, len;         /* text or attribute value, in doc->chars */
} xml_node;

typedef struct {
    xml_node *nodes;
    int count, cap;
    char *chars;
    size_t nchars, chars_cap;
    char **names;
    int nnames, names_cap;
    char error[96];
    int line;
} xml_doc;

bool xml_parse(xml_doc *d, const char *text, size_t len);
void xml_free(xml_doc *d);
int  xml_find_name(const xml_doc *d, const char *name, size_t n);
/* Concatenated text of a node; returns its length, writes at most cap - 1. */
size_t xml_string(const xml_doc *d, int node, char *buf, size_t cap);

/* A node set is sorted and free of duplicates. */
typedef struct { int *v; int n, cap; } xml_set;
void set_free(xml_set *s);

/* Grammar: path = ["/" | "//"] step {("/" | "//") step}
 *   step = [axis "::"] (name | "*" | "@" name | "text()" | "." | "..") {"[" test "]"}
 *   test = number | "last()" | or-expression over comparisons of paths,
 *          'strings', numbers, count(path), contains(a, b), not(test), position() */
const char *xml_query(const xml_doc *d, int context, const char *path, xml_set *out);

#endif
