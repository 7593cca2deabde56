  /// Read the model from the file that was written with this header.
  index(const key_type* keys, const std::string& model_file)
      : keys_(keys), model_(static_cast<unsigned char*>(::operator new[](model_bytes, std::align_val_t{64}))) {
    std::ifstream file(model_file, std::ios::binary);
    file.read(reinterpret_cast<char*>(model_.get()), static_cast<std::streamsize>(model_bytes));
    if (!file || file.peek() != std::ifstream::traits_type::eof()) {
      throw std::runtime_error(model_file + ": cannot be read, or is not of @BYTES@ bytes");
    }
    std::uint64_t magic;
    std::memcpy(&magic, model_.get(), sizeof magic);
    if (magic != @MAGIC@ || checksum(model_.get(), model_bytes) != @CRC@u) {
      throw std::runtime_error(model_file + ": not the model that was written with this header, or damaged");
    }
@ASSIGN@
  }

  static constexpr std::size_t model_bytes = @BYTES@;

  /// CRC-32.
  static std::uint32_t checksum(const unsigned char* bytes, std::size_t count) {
    std::uint32_t table[256];
    for (std::uint32_t i = 0; i < 256; ++i) {
      table[i] = i;
      for (int bit = 0; bit < 8; ++bit) table[i] = table[i] >> 1 ^ (0xEDB88320u & (0u - (table[i] & 1u)));
    }
    std::uint32_t sum = 0xFFFFFFFFu;
    for (std::size_t i = 0; i < count; ++i) sum = sum >> 8 ^ table[(sum ^ bytes[i]) & 0xFF];
    return ~sum;
  }

