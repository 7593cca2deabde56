#include <stdint.h>
#include <stdio.h>

static uint32_t turn(uint32_t x, int by) {
    return x << by | x >> (32 - by);
}

#define ROUND(a, b, c, d, k)  \
    a += (b & c) ^ (~b & d);  \
    a = turn(a + k, 7) + b;   \
    d ^= turn(a, 11) * (k | 1)

/* More words are alive at once than there are registers. */
static void mix(uint32_t state[12], const uint32_t block[6]) {
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5];
    uint32_t g = state[6], h = state[7], i = state[8], j = state[9], k = state[10], l = state[11];
    for (int round = 0; round < 4; round++) {
        ROUND(a, b, c, d, block[0]);
        ROUND(e, f, g, h, block[1]);
        ROUND(i, j, k, l, block[2]);
        ROUND(b, e, i, a, block[3] ^ c);
        ROUND(f, j, c, k, block[4] ^ d);
        ROUND(g, l, h, e, block[5] ^ a);
    }
    state[0] += a, state[1] ^= b, state[2] += c, state[3] ^= d, state[4] += e, state[5] ^= f;
    state[6] += g, state[7] ^= h, state[8] += i, state[9] ^= j, state[10] += k, state[11] ^= l;
}

static uint64_t folded(const uint32_t state[12], uint64_t seed) {
    uint64_t left = seed, right = ~seed;
    for (int at = 0; at < 12; at += 2) {
        left = (left ^ state[at]) * 0x9e3779b97f4a7c15u;
        right = (right + state[at + 1]) ^ left >> 29;
    }
    return left ^ right;
}

int main(void) {
    uint32_t state[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, block[6];
    for (uint32_t number = 0; number < 50; number++) {
        for (uint32_t at = 0; at < 6; at++)
            block[at] = number * 2654435761u + at;
        mix(state, block);
    }
    for (uint64_t seed = 0; seed < 3; seed++)
        printf("%016llx\n", (unsigned long long)folded(state, seed));
    return 0;
}
