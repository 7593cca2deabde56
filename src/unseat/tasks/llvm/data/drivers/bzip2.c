#include "common.h"
#include "bzlib.h"

int main(void) {
    static char text[200000], packed[300000], back[200000];
    size_t size = make_text((unsigned char *)text, sizeof text, 2);
    for (int level = 1; level <= 9; level += 4) {
        for (int small = 0; small <= 1; small++) {
            unsigned length = sizeof packed, again = sizeof back;
            if (BZ2_bzBuffToBuffCompress(packed, &length, text, size, level, 0, 30) ||
                BZ2_bzBuffToBuffDecompress(back, &again, packed, length, small, 0) || again != size)
                return 1;
            report("bzip2", size, length, (unsigned char *)text, (unsigned char *)back);
        }
    }
    return 0;
}
