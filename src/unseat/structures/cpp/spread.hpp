    // The place in the keys' range, linear or about logarithmic, in fixed-point numbers.
    const std::uint64_t own = code(query), offset = std::min(std::max(own, shape[0]) - shape[0], shape[1]);
    std::uint64_t spread = offset;
    if (shape[3] != 0) {
      const double logarithmic = static_cast<double>(offset) + 1.0;
      std::memcpy(&spread, &logarithmic, sizeof spread);
      spread -= 0x3FF0000000000000u;
    }
    spread <<= shape[2];
