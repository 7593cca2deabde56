// A batch of lookups per call into the C++ PGM-index, for benchmarks/index_pgm.py: a Python call a lookup would measure
// Python. Compiled when the benchmark runs, against the header that it is given.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "pgm/pgm_index.hpp"

#ifndef PGM_ERROR
#error "define PGM_ERROR, the error bound of a segment"
#endif

namespace {

struct Index : pgm::PGMIndex<std::uint64_t, PGM_ERROR> {
    using pgm::PGMIndex<std::uint64_t, PGM_ERROR>::PGMIndex;
};

}  // namespace

extern "C" {

void* pgm_build(const std::uint64_t* keys, std::size_t size) { return new Index(keys, keys + size); }

void pgm_free(void* index) { delete static_cast<Index*>(index); }

std::size_t pgm_segments(const void* index) { return static_cast<const Index*>(index)->segments_count(); }

std::size_t pgm_bytes(const void* index) { return static_cast<const Index*>(index)->size_in_bytes(); }

void pgm_search(const void* index, const std::uint64_t* keys, const std::uint64_t* queries, std::size_t count,
                std::int64_t* out) {
    const Index& pgm = *static_cast<const Index*>(index);
    for (std::size_t i = 0; i < count; ++i) {
        const auto range = pgm.search(queries[i]);
        out[i] = std::lower_bound(keys + range.lo, keys + range.hi, queries[i]) - keys;
    }
}
}
