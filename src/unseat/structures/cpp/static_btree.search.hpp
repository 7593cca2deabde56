    constexpr std::size_t lanes = 64 / sizeof(model_type);
    if (size < 2 * lanes) return {0, size};
    const auto bucket = static_cast<std::size_t>(header[0]), first = static_cast<std::size_t>(header[1]);
    const std::size_t width = std::min(bucket, size);
    std::size_t node = 0;
    for (std::size_t level = 2; level < header_size; ++level) {
      const model_type* keys = tree + static_cast<std::size_t>(header[level]) + node * lanes;
      std::size_t less = 0;
      for (std::size_t lane = 0; lane < lanes; ++lane) less += keys[lane] < query;
      node = node * lanes + less;
    }
    const std::size_t start = node == 0 ? 0 : std::min(first + (node - 1) * bucket, size - width);
    return {start, start + width};
