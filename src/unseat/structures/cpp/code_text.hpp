  [[maybe_unused]] static std::uint64_t code(model_type key) { return key; }

  /// What all keys begin with.
  static constexpr std::string_view shared() { return {"@PREFIX@", @SKIP@}; }

  /// The first 8 bytes after that, as a number that orders as the texts do.
  static std::uint64_t text_code(std::string_view text) {
    std::uint64_t number = 0;
    for (std::size_t i = shared().size(); i < shared().size() + 8; ++i) {
      number = number << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0u);
    }
    return number;
  }

