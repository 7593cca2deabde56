@ROOT@
    const std::uint64_t line = place >> 40, leaf = (((place >> 8) & 0xFFFFFFFFu) * 56) >> 32;
    const std::uint64_t base = lines[line * 8] & ((std::uint64_t{1} << 50) - 1), scale = lines[line * 8] >> 50;
    unsigned char ends[64];
    std::memcpy(ends, lines + line * 8, sizeof ends);
    const std::uint64_t low = base + (std::uint64_t{ends[leaf + 7]} << scale);
    const std::uint64_t high = base + (std::uint64_t{ends[leaf + 8]} << scale) + (std::uint64_t{1} << scale) - 1;
    return {static_cast<std::size_t>(low), static_cast<std::size_t>(high)};
