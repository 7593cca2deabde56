#include "adder.h"

static int larger(int one, int other) {
    return one > other ? one : other;
}

static int smaller(int one, int other) {
    return one < other ? one : other;
}

int adder_add(int one, int other) {
    return one + other;
}

int adder_clamp(int value, int low, int high) {
    return smaller(larger(value, low), high);
}
