/* main.c - runs the program on stdin form by form, reporting errors. */
#include "lisp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char source[1 << 16];
static const char *position = source;
static bool reading;

typedef enum { FORM_DONE, FORM_OK, FORM_FAILED } Outcome;

static Outcome run_form(void)
{
    if (setjmp(error_exit))
        return FORM_FAILED;
    unprotect(0);
    reading = true;
    Obj form = read_form(&position);
    reading = false;
    if (!form)
        return FORM_DONE;
    eval(form, nil);
    return FORM_OK;
}

/* After a syntax error reading resumes at the next line that opens a form. */
static void resynchronize(void)
{
    const char *next = strstr(position, "\n(");
    position = next ? next : position + strlen(position);
}

int main(void)
{
    size_t n = fread(source, 1, sizeof source - 1, stdin);
    int errors = 0, forms = 0;
    Outcome outcome;
    source[n] = '\0';
    if (setjmp(error_exit)) {
        printf("fatal: %s\n", error_text);
        return 1;
    }
    heap_init();
    eval_init();
    builtins_init();
    while ((outcome = run_form()) != FORM_DONE) {
        forms++;
        if (outcome == FORM_FAILED) {
            printf("error: %s\n", error_text);
            errors++;
            if (reading)
                resynchronize();
        }
    }
    HeapStats st = heap_stats();
    printf("%d forms, %d errors, %ld allocated, %ld collections, peak %ld, live %ld\n", forms,
           errors, st.allocated, st.collections, st.peak, st.live);
    heap_free();
    return 0;
}
