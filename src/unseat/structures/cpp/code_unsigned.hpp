  [[maybe_unused]] static std::uint64_t code(model_type key) { return key; }

