    const std::uint64_t image = std::max(code(query), header[0]);
    const std::uint64_t* cell = plan + 2 * std::min((image - header[0]) >> header[1], header[2]);
    const std::uint64_t least = cell[0], packed = cell[1];
    const std::uint64_t within = (std::max(image, least) - least) >> (packed & 0xFF);
    const std::uint64_t slot = (packed >> 32) + std::min(within, (packed >> 8) & 0xFFFFFF);
    return {static_cast<std::size_t>(begins[slot]), static_cast<std::size_t>(begins[slot + 1])};
