#include "common.h"
#include "lzo/lzo1b.h"
#include "lzo/lzo1c.h"
#include "lzo/lzo1f.h"
#include "lzo/lzo1x.h"
#include "lzo/lzo1y.h"
#include "lzo/lzo1z.h"
#include "lzo/lzo2a.h"

static unsigned char text[100000], packed[150000], back[100000], work[1 << 20];

static void check(const char *what, lzo_compress_t compress, lzo_decompress_t decompress) {
    lzo_uint length = sizeof packed, again = sizeof back;
    memset(back, 0, sizeof back);
    if (compress(text, sizeof text, packed, &length, work) || decompress(packed, length, back, &again, NULL)) exit(1);
    report(what, again, length, text, back);
}

int main(void) {
    if (lzo_init()) return 1;
    make_text(text, sizeof text, 5);
    check("lzo1b", lzo1b_1_compress, lzo1b_decompress_safe);
    check("lzo1b 9", lzo1b_9_compress, lzo1b_decompress);
    check("lzo1c", lzo1c_1_compress, lzo1c_decompress_safe);
    check("lzo1f", lzo1f_1_compress, lzo1f_decompress_safe);
    check("lzo1x", lzo1x_1_compress, lzo1x_decompress_safe);
    check("lzo1x 15", lzo1x_1_15_compress, lzo1x_decompress);
    check("lzo1x 999", lzo1x_999_compress, lzo1x_decompress_safe);
    check("lzo1y", lzo1y_1_compress, lzo1y_decompress_safe);
    check("lzo1z", lzo1z_999_compress, lzo1z_decompress_safe);
    check("lzo2a", lzo2a_999_compress, lzo2a_decompress_safe);
    return 0;
}
