/* main.c - feeds stdin to the machine line by line, then runs error cases. */
#include "forth.h"

#include <stdio.h>
#include <string.h>

static forth machine;

static void put(char c) { putchar(c); }

static void run_input(void)
{
    static char line[256];
    int number = 0;
    while (fgets(line, sizeof line, stdin)) {
        number++;
        if (forth_run(&machine, line) != F_OK)
            printf("line %d: %s: %s\n", number, machine.culprit, forth_status_text(machine.status));
    }
}

static void run_errors(void)
{
    static const char *const bad[] = {
        "1 +", "1 0 /", "nonsense", ": x if ;", ": y begin then ;", ": z", "then", ":", "99999 @",
        "-1 @", ": deep recurse ; deep", ": forever begin again ; forever", "r>", "12345 execute",
        "' nothing", ": more begin 1 again ; more", ": a : b ;", ": l loop ;", "constant",
        "-5 allot", "99999 allot", ": s .\" open", ": rr r> drop ; rr", "exit", "0 execute",
        ": jump 12345 25 0 do i >r loop ; jump", ": hop 99999 drop 70 >r ; hop",
    };
    machine.budget = machine.steps + 100000;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (machine.steps >= machine.budget)
            machine.budget = machine.steps + 100000;
        forth_status s = forth_run(&machine, bad[i]);
        printf("%-32s -> %s (at %s)\n", bad[i], forth_status_text(s), machine.culprit);
    }
}

int main(void)
{
    forth_init(&machine, put);
    run_input();
    forth_see(&machine, "gcd");
    forth_see(&machine, "fib");
    forth_see(&machine, "stars");
    forth_see(&machine, "dup");
    printf("%d words, %d code cells, %d data cells, %llu steps\n", machine.nwords, machine.here,
           machine.data_here, (unsigned long long)machine.steps);
    run_errors();
    return 0;
}
