/* Text that repeats itself here and there, the same on every machine, and a checksum to print. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t make_text(unsigned char *to, size_t size, uint32_t seed) {
    static const char *const words[] = {"the ", "cache ", "evicts ", "a ", "block ", "and ", "fetches ", "another; ",
                                        "while ", "requests ", "queue ", "up\n", "0123456789 ", "ABBA "};
    size_t at = 0;
    while (at < size) {
        const char *word;
        size_t length;
        seed = seed * 1664525u + 1013904223u;
        if (at > 300 && seed >> 28 == 0) {
            length = 20 + (seed >> 20 & 63);
            if (length > size - at) length = size - at;
            memcpy(to + at, to + at - 300, length);
        } else {
            word = words[(seed >> 16) % (sizeof words / sizeof *words)];
            length = strlen(word);
            if (length > size - at) length = size - at;
            memcpy(to + at, word, length);
        }
        at += length;
    }
    return at;
}

static uint32_t checksum(const unsigned char *data, size_t size) {
    uint32_t hash = 2166136261u;
    while (size--) hash = (hash ^ *data++) * 16777619u;
    return hash;
}

static void report(const char *what, size_t given, size_t packed, const unsigned char *text, const unsigned char *back) {
    if (memcmp(text, back, given)) {
        printf("%s: differs\n", what);
        exit(1);
    }
    printf("%s: %lu bytes, %s, checksum %08lx\n", what, (unsigned long)given,
           packed < given ? "smaller" : "not smaller", (unsigned long)checksum(back, given));
}
