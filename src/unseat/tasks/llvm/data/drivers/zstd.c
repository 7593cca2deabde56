#include "common.h"
#include "zdict.h"
#include "zstd.h"

int main(void) {
    static unsigned char text[200000], packed[300000], back[200000], trained[4096];
    size_t size = make_text(text, sizeof text, 4);
    static const int levels[] = {-5, 1, 3, 6, 9, 13, 17, 19};
    for (unsigned at = 0; at < sizeof levels / sizeof *levels; at++) {
        size_t length = ZSTD_compress(packed, sizeof packed, text, size, levels[at]);
        if (ZSTD_isError(length) || ZSTD_decompress(back, sizeof back, packed, length) != size) return 1;
        report("zstd", size, length, text, back);
    }
    size_t parts[100];
    for (int at = 0; at < 100; at++) parts[at] = 2000;
    size_t learned = ZDICT_trainFromBuffer(trained, sizeof trained, text, parts, 100);
    if (ZDICT_isError(learned)) return 1;
    ZSTD_CCtx *in = ZSTD_createCCtx();
    ZSTD_DCtx *out = ZSTD_createDCtx();
    size_t length = ZSTD_compress_usingDict(in, packed, sizeof packed, text, 2000, trained, learned, 5);
    if (ZSTD_decompress_usingDict(out, back, sizeof back, packed, length, trained, learned) != 2000) return 1;
    report("zstd with a dictionary", 2000, length, text, back);
    ZSTD_freeCCtx(in);
    ZSTD_freeDCtx(out);
    return 0;
}
