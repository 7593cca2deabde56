    // The root: a spline on segments of equal width, linear or logarithmic, in fixed-point numbers.
    const std::uint64_t offset = std::min(std::max(code(query), shape[0]) - shape[0], shape[1]);
    std::uint64_t spread = offset;
    if (shape[3] != 0) {
      const double logarithmic = static_cast<double>(offset) + 1.0;
      std::memcpy(&spread, &logarithmic, sizeof spread);
      spread -= 0x3FF0000000000000u;
    }
    spread <<= shape[2];
    const std::uint64_t segment = spread >> (64 - shape[4]), rest = (spread << shape[4]) >> 32;
    const std::uint64_t here = table[segment], there = table[segment + 1];
    const std::uint64_t place = (here << 32) + rest * (there - here);
