  [[maybe_unused]] static std::uint64_t code(model_type key) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(key)) ^ (std::uint64_t{1} << 63);
  }

