// One metadata value of a GGUF file: a typed, checked view of its bytes.
//
// Metadata stays in the mapped file, so that a vocabulary of 256,000 strings costs nothing until it is asked for, and is copied once.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::format {

enum class GgufType : uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};

const char* gguf_type_name(GgufType type);  // "u8" … "f64", "bool", "string", "array"

// Bytes of one value; 0 for strings and arrays, whose length stands in the file, and for unknown types.
int gguf_type_bytes(GgufType type);

// Accessors give nothing when the kind differs. Integers of any width answer as_int (a u64 above int64 does not), and integers and
// floats answer as_double.
class GgufValue {
 public:
  // The caller has checked that `bytes` are exactly one value, or `count` of them.
  GgufValue(GgufType type, std::span<const uint8_t> bytes) : type_(type), count_(1), bytes_(bytes) {}
  GgufValue(GgufType element_type, uint64_t count, std::span<const uint8_t> bytes)
      : type_(element_type), is_array_(true), count_(count), bytes_(bytes) {}

  bool is_array() const { return is_array_; }
  GgufType type() const { return type_; }                        // of the elements, for an array
  int64_t size() const { return static_cast<int64_t>(count_); }  // elements; 1 for a scalar
  std::span<const uint8_t> bytes() const { return bytes_; }      // as stored: strings with their lengths

  std::optional<int64_t> as_int() const;
  std::optional<double> as_double() const;
  std::optional<bool> as_bool() const;
  std::optional<std::string_view> as_string() const;

  // Arrays as vectors; nothing when this is no array of that kind.
  std::optional<std::vector<int64_t>> as_ints() const;
  std::optional<std::vector<double>> as_doubles() const;
  std::optional<std::vector<bool>> as_bools() const;
  std::optional<std::vector<std::string_view>> as_strings() const;

  // For people, cut when long: `"llama"`, `1e-05`, `[1, 2, 3, 4, … 49152 x i32]`.
  std::string to_string() const;

 private:
  GgufType type_;
  bool is_array_ = false;
  uint64_t count_;
  std::span<const uint8_t> bytes_;
};

}  // namespace atelier::format
