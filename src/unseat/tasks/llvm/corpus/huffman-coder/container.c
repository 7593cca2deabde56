/* container.c - the block format: each block is stored, run or Huffman coded.
 *
 *   "HF" | blocks... | end marker (2 bits = 3) | adler-32
 *   block: 2-bit kind, 17-bit length, payload
 * SPDX-License-Identifier: Apache-2.0 */
#include "container.h"

#include "codebook.h"

enum { KIND_STORED, KIND_RUN, KIND_CODED, KIND_END };
enum { LENGTH_BITS = 17, MAX_BLOCK = (1 << LENGTH_BITS) - 1 };

uint32_t checksum32(const uint8_t *p, size_t n)
{
    uint32_t a = 1, b = 0;
    while (n) {
        size_t chunk = n < 5552 ? n : 5552;
        n -= chunk;
        while (chunk--) {
            a += *p++;
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    return b << 16 | a;
}

static int all_same(const uint8_t *p, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (p[i] != p[0])
            return 0;
    return 1;
}

static uint64_t header_bits(const CodeBook *cb)
{
    ByteBuf tmp;
    BitWriter w;
    bytebuf_init(&tmp);
    bw_init(&w, &tmp);
    codebook_write(cb, &w);
    uint64_t bits = 8 * (uint64_t)tmp.len + w.nacc;
    bytebuf_free(&tmp);
    return bits;
}

static void write_stored(BitWriter *w, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bw_put(w, p[i], 8);
}

static void write_coded(BitWriter *w, const CodeBook *cb, const uint8_t *p,
                        size_t n)
{
    codebook_write(cb, w);
    for (size_t i = 0; i < n; i++)
        bw_put(w, cb->code[p[i]], cb->len[p[i]]);
}

static void pack_block(BitWriter *w, const uint8_t *p, size_t n, PackStats *st)
{
    uint32_t freq[NSYM];
    CodeBook cb;
    unsigned kind = KIND_CODED;

    if (all_same(p, n)) {
        kind = KIND_RUN;
    } else {
        count_frequencies(p, n, freq);
        codebook_build(&cb, freq, MAX_CODE_LEN);
        if (header_bits(&cb) + codebook_cost(&cb, freq) >= 8 * (uint64_t)n)
            kind = KIND_STORED;
    }
    bw_put(w, kind, 2);
    bw_put(w, (uint32_t)n, LENGTH_BITS);
    switch (kind) {
    case KIND_STORED:
        write_stored(w, p, n);
        st->stored++;
        break;
    case KIND_RUN:
        bw_put(w, p[0], 8);
        st->run++;
        break;
    default:
        write_coded(w, &cb, p, n);
        st->coded++;
        break;
    }
}

void pack(const uint8_t *p, size_t n, size_t block, ByteBuf *out, PackStats *st)
{
    BitWriter w;
    uint32_t check = checksum32(p, n);

    *st = (PackStats){ 0, 0, 0 };
    if (block == 0 || block > MAX_BLOCK)
        block = MAX_BLOCK;
    bytebuf_append(out, "HF", 2);
    bw_init(&w, out);
    while (n) {
        size_t len = n < block ? n : block;
        pack_block(&w, p, len, st);
        p += len;
        n -= len;
    }
    bw_put(&w, KIND_END, 2);
    bw_put(&w, check, 32);
    bw_flush(&w);
}

/* ---- unpacking: one reader per kind of block ------------------------------ */

typedef UnpackStatus BlockReader(BitReader *r, size_t n, ByteBuf *out);

static UnpackStatus read_stored(BitReader *r, size_t n, ByteBuf *out)
{
    while (n--) {
        bytebuf_push(out, (uint8_t)br_get(r, 8));
        if (r->overrun)
            return UNPACK_TRUNCATED;
    }
    return UNPACK_OK;
}

static UnpackStatus read_run(BitReader *r, size_t n, ByteBuf *out)
{
    uint8_t c = (uint8_t)br_get(r, 8);
    while (n--)
        bytebuf_push(out, c);
    return UNPACK_OK;
}

static UnpackStatus read_coded(BitReader *r, size_t n, ByteBuf *out)
{
    CodeBook cb;
    DecodeTable table;
    if (codebook_read(&cb, r) != 0)
        return UNPACK_BAD_CODES;
    decode_table_build(&table, &cb);
    while (n--) {
        int s = decode_symbol(&table, r);
        if (s < 0)
            return UNPACK_BAD_CODES;
        bytebuf_push(out, (uint8_t)s);
        if (r->overrun)
            return UNPACK_TRUNCATED;
    }
    return UNPACK_OK;
}

static BlockReader *const readers[] = { read_stored, read_run, read_coded };

UnpackStatus unpack(const uint8_t *p, size_t n, ByteBuf *out)
{
    BitReader r;
    size_t start = out->len;

    if (n < 2 || p[0] != 'H' || p[1] != 'F')
        return UNPACK_BAD_MAGIC;
    br_init(&r, p + 2, n - 2);
    for (;;) {
        unsigned kind = br_get(&r, 2);
        if (r.overrun)
            return UNPACK_TRUNCATED;
        if (kind == KIND_END)
            break;
        size_t len = br_get(&r, LENGTH_BITS);
        if (len == 0)
            return UNPACK_BAD_BLOCK;
        UnpackStatus st = readers[kind](&r, len, out);
        if (st != UNPACK_OK)
            return st;
    }
    uint32_t want = br_get(&r, 32);
    if (r.overrun)
        return UNPACK_TRUNCATED;
    if (want != checksum32(out->data + start, out->len - start))
        return UNPACK_BAD_CHECK;
    return UNPACK_OK;
}

const char *unpack_message(UnpackStatus s)
{
    static const char *const text[] = {
        "ok", "bad magic", "truncated", "bad block", "bad codes", "bad checksum"
    };
    return text[s];
}
