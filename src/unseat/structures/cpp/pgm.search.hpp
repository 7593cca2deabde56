    const auto first = static_cast<std::uint64_t>(shape[0]);
    const std::uint64_t place = std::max(code(query), first) - first;
    std::int64_t low = 0, high = shape[3] - 1;
    const std::int64_t *level = shape + 2, *end = level + 4 * shape[1];
    for (; level < end; level += 4) {
      // Each level: where its segments begin, how many there are, how far places lie below and above the lines.
      const std::uint64_t* begins = origins + level[0] + 1;
      const std::int64_t segment = level[0] + (std::lower_bound(begins + low, begins + high, place) - begins);
      const auto bits = static_cast<std::uint32_t>(models[segment]);
      float slope;
      std::memcpy(&slope, &bits, sizeof slope);
      const std::int64_t base = models[segment] >> 32, next = models[segment + 1] >> 32;
      const double rise = static_cast<double>(slope) * static_cast<double>(place - origins[segment]);
      const std::int64_t most = std::max<std::int64_t>(next - base, 0);
      const std::int64_t guess = base + static_cast<std::int64_t>(std::min(rise, static_cast<double>(most)));
      const std::int64_t count = level + 4 == end ? static_cast<std::int64_t>(size) : level[5] - 1;
      low = std::min(std::max<std::int64_t>(guess - level[2], 0), count);
      high = std::max<std::int64_t>(std::min(guess + level[3], count), low);
    }
    return {static_cast<std::size_t>(low), static_cast<std::size_t>(high)};
