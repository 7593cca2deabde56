@ROOT@
    const std::uint64_t* leaf = leaves + 2 * (place >> 40);
    const std::uint64_t mask = (std::uint64_t{1} << 40) - 1, base = leaf[0] & mask, count = (leaf[2] & mask) - base;
    const auto bits = static_cast<std::uint32_t>(leaf[1]);
    float slope;
    std::memcpy(&slope, &bits, sizeof slope);
    const double within = static_cast<double>((place >> 8) & 0xFFFFFFFFu) - static_cast<double>(leaf[1] >> 32);
    const double rise = std::min(std::max(static_cast<double>(slope) * within, 0.0), static_cast<double>(count));
    const auto guess = static_cast<std::uint64_t>(rise);
    const std::uint64_t under = (leaf[0] >> 40) & 0xFFF, over = leaf[0] >> 52;
    const std::uint64_t below = (under & 127) << (under >> 7), above = (over & 127) << (over >> 7);
    return {static_cast<std::size_t>(base + guess - std::min(below, guess)),
            static_cast<std::size_t>(base + std::min(guess + above, count))};
