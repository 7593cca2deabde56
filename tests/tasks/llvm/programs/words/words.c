#include <ctype.h>
#include <stdio.h>

static int is_word(int letter) {
    return isalnum(letter) || letter == '_' || letter == '-';
}

static int next_letter(FILE *from) {
    return tolower(getc(from));
}

static unsigned mix(unsigned hash, int letter) {
    return (hash ^ (unsigned)letter) * 16777619u;
}

static int read_word(FILE *from, unsigned *hash) {
    int letter = next_letter(from), length = 0;
    while (letter != EOF && !is_word(letter))
        letter = next_letter(from);
    for (*hash = 2166136261u; letter != EOF && is_word(letter); letter = next_letter(from)) {
        *hash = mix(*hash, letter);
        length++;
    }
    return length;
}

static void report(const char *what, unsigned long value) {
    printf("%-8s %lu\n", what, value);
}

int main(void) {
    unsigned hash, all = 0;
    unsigned long words = 0, letters = 0;
    for (int length; (length = read_word(stdin, &hash)) > 0; words++) {
        letters += (unsigned long)length;
        all = mix(all, (int)(hash & 0xff));
    }
    report("words", words);
    report("letters", letters);
    report("hash", all);
    return 0;
}
