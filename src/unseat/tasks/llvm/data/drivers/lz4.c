#include "common.h"
#include "lz4.h"
#include "lz4frame.h"
#include "lz4hc.h"

int main(void) {
    static char text[200000], packed[300000], back[200000];
    int size = (int)make_text((unsigned char *)text, sizeof text, 3);
    int length = LZ4_compress_default(text, packed, size, sizeof packed);
    if (LZ4_decompress_safe(packed, back, length, sizeof back) != size) return 1;
    report("lz4", size, length, (unsigned char *)text, (unsigned char *)back);
    for (int level = 3; level <= 12; level += 9) {
        length = LZ4_compress_HC(text, packed, size, sizeof packed, level);
        if (LZ4_decompress_safe(packed, back, length, sizeof back) != size) return 1;
        report("lz4hc", size, length, (unsigned char *)text, (unsigned char *)back);
    }
    LZ4F_preferences_t wanted;
    memset(&wanted, 0, sizeof wanted);
    wanted.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    size_t framed = LZ4F_compressFrame(packed, sizeof packed, text, size, &wanted), again = sizeof back;
    LZ4F_dctx *context;
    if (LZ4F_isError(framed) || LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION))) return 1;
    if (LZ4F_decompress(context, back, &again, packed, &framed, NULL) || again != (size_t)size) return 1;
    LZ4F_freeDecompressionContext(context);
    report("lz4 frame", size, framed, (unsigned char *)text, (unsigned char *)back);
    return 0;
}
