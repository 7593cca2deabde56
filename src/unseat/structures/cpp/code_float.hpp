  [[maybe_unused]] static std::uint64_t code(model_type key) {
    const double wide = static_cast<double>(key) + 0.0;
    std::uint64_t bits;
    std::memcpy(&bits, &wide, sizeof bits);
    const std::uint64_t sign = std::uint64_t{1} << 63;
    return (bits & sign) != 0 ? ~bits : bits | sign;
  }

