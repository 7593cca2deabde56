#include "common.h"
#include "zlib.h"

int main(void) {
    static unsigned char text[200000], packed[300000], back[200000];
    size_t size = make_text(text, sizeof text, 1);
    for (int level = 0; level <= 9; level += 3) {
        uLongf length = sizeof packed, again = sizeof back;
        if (compress2(packed, &length, text, size, level) || uncompress(back, &again, packed, length) || again != size)
            return 1;
        report("zlib", size, length, text, back);
    }
    printf("crc32 %08lx, adler32 %08lx\n", crc32(0, text, size), adler32(1, text, size));
    return 0;
}
