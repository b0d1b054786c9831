// Takes little-endian numbers and byte ranges off the front of a span. Nothing is taken past the end: the caller turns the empty
// optional into its own error line.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace atelier::format {

static_assert(std::endian::native == std::endian::little, "GGUF and safetensors are little-endian; so is every CPU we build for");

template <typename T>
T load_little_endian(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

class ByteReader {
 public:
  explicit ByteReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  uint64_t position() const { return position_; }
  uint64_t left() const { return bytes_.size() - position_; }

  std::optional<std::span<const uint8_t>> take_bytes(uint64_t count) {
    if (count > left()) return std::nullopt;
    const auto taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }

  template <typename T>
  std::optional<T> take() {
    const auto bytes = take_bytes(sizeof(T));
    if (!bytes) return std::nullopt;
    return load_little_endian<T>(bytes->data());
  }

  // A string of GGUF: u64 length, then its bytes.
  std::optional<std::string_view> take_string() {
    const auto length = take<uint64_t>();
    if (!length) return std::nullopt;
    const auto bytes = take_bytes(*length);
    if (!bytes) return std::nullopt;
    return std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  }

 private:
  std::span<const uint8_t> bytes_;
  uint64_t position_ = 0;  // at most bytes_.size()
};

}  // namespace atelier::format
