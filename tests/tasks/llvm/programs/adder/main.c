#include <stdio.h>
#include "adder.h"

static int add_all(const int *numbers, int count) {
    int total = 0;
    for (int at = 0; at < count; at++)
        total = adder_add(total, numbers[at]);
    return total;
}

static void show(const char *name, int value) {
    printf("%s %d\n", name, value);
}

int main(void) {
    int numbers[] = {3, 1, 4, 1, 5, 9};
    show("sum", add_all(numbers, 6));
    show("first", add_all(numbers, 1));
    show("clamped", adder_clamp(add_all(numbers, 6), 0, 20));
    show("signed", adder_clamp(-7, -5, 5));
    return 0;
}
