#include "common.h"
#include <brotli/decode.h>
#include <brotli/encode.h>

int main(void) {
    static unsigned char text[100000], packed[150000], back[100000];
    size_t size = make_text(text, sizeof text, 6);
    for (int quality = 0; quality <= 11; quality++) {
        size_t length = sizeof packed, again = sizeof back;
        if (!BrotliEncoderCompress(quality, 18, BROTLI_MODE_GENERIC, size, text, &length, packed) ||
            BrotliDecoderDecompress(length, packed, &again, back) != BROTLI_DECODER_RESULT_SUCCESS || again != size)
            return 1;
        report("brotli", size, length, text, back);
    }
    return 0;
}
