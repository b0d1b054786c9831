#include "atelier/format/gguf_value.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/format/byte_reader.h"

namespace atelier::format {
namespace {

struct TypeRow {
  const char* name;
  int bytes;
};
constexpr std::array<TypeRow, 13> kTypes = {{{"u8", 1},
                                             {"i8", 1},
                                             {"u16", 2},
                                             {"i16", 2},
                                             {"u32", 4},
                                             {"i32", 4},
                                             {"f32", 4},
                                             {"bool", 1},
                                             {"string", 0},
                                             {"array", 0},
                                             {"u64", 8},
                                             {"i64", 8},
                                             {"f64", 8}}};

std::optional<int64_t> load_int(GgufType type, const uint8_t* p) {
  switch (type) {
    case GgufType::kUint8:
      return *p;
    case GgufType::kInt8:
      return load_little_endian<int8_t>(p);
    case GgufType::kUint16:
      return load_little_endian<uint16_t>(p);
    case GgufType::kInt16:
      return load_little_endian<int16_t>(p);
    case GgufType::kUint32:
      return load_little_endian<uint32_t>(p);
    case GgufType::kInt32:
      return load_little_endian<int32_t>(p);
    case GgufType::kInt64:
      return load_little_endian<int64_t>(p);
    case GgufType::kUint64: {
      const uint64_t value = load_little_endian<uint64_t>(p);
      return value <= static_cast<uint64_t>(INT64_MAX) ? std::optional<int64_t>(static_cast<int64_t>(value)) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::optional<double> load_double(GgufType type, const uint8_t* p) {
  if (type == GgufType::kFloat32) return load_little_endian<float>(p);
  if (type == GgufType::kFloat64) return load_little_endian<double>(p);
  if (type == GgufType::kUint64) return static_cast<double>(load_little_endian<uint64_t>(p));
  if (const auto integer = load_int(type, p)) return static_cast<double>(*integer);
  return std::nullopt;
}

std::optional<bool> load_bool(GgufType type, const uint8_t* p) { return type == GgufType::kBool ? std::optional(*p != 0) : std::nullopt; }

// All elements of an array through `load`, or nothing as soon as one is of another kind.
template <typename T>
std::optional<std::vector<T>> load_all(const GgufValue& value, std::optional<T> (*load)(GgufType, const uint8_t*)) {
  const size_t width = static_cast<size_t>(gguf_type_bytes(value.type()));
  if (!value.is_array() || width == 0) return std::nullopt;
  std::vector<T> out;
  out.reserve(static_cast<size_t>(value.size()));  // no more than the bytes that are there
  for (size_t at = 0; at < value.bytes().size(); at += width) {
    const auto element = load(value.type(), value.bytes().data() + at);
    if (!element) return std::nullopt;
    out.push_back(*element);
  }
  return out;
}

std::string shown_number(GgufType type, const uint8_t* p) {
  if (const auto boolean = load_bool(type, p)) return *boolean ? "true" : "false";
  if (const auto integer = load_int(type, p)) return std::to_string(*integer);
  if (type == GgufType::kUint64) return std::to_string(load_little_endian<uint64_t>(p));
  if (type == GgufType::kFloat32) {
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), "%.7g", static_cast<double>(load_little_endian<float>(p)));
    return text.data();
  }
  return Json(*load_double(type, p)).dump();
}

}  // namespace

const char* gguf_type_name(GgufType type) {
  const size_t id = static_cast<size_t>(type);
  return id < kTypes.size() ? kTypes[id].name : "unknown";
}

int gguf_type_bytes(GgufType type) {
  const size_t id = static_cast<size_t>(type);
  return id < kTypes.size() ? kTypes[id].bytes : 0;
}

std::optional<int64_t> GgufValue::as_int() const { return is_array_ ? std::nullopt : load_int(type_, bytes_.data()); }
std::optional<double> GgufValue::as_double() const { return is_array_ ? std::nullopt : load_double(type_, bytes_.data()); }
std::optional<bool> GgufValue::as_bool() const { return is_array_ ? std::nullopt : load_bool(type_, bytes_.data()); }

std::optional<std::string_view> GgufValue::as_string() const {
  if (is_array_ || type_ != GgufType::kString) return std::nullopt;
  return ByteReader(bytes_).take_string();
}

std::optional<std::vector<int64_t>> GgufValue::as_ints() const { return load_all(*this, load_int); }
std::optional<std::vector<double>> GgufValue::as_doubles() const { return load_all(*this, load_double); }
std::optional<std::vector<bool>> GgufValue::as_bools() const { return load_all(*this, load_bool); }

std::optional<std::vector<std::string_view>> GgufValue::as_strings() const {
  if (!is_array_ || type_ != GgufType::kString) return std::nullopt;
  std::vector<std::string_view> out;
  out.reserve(static_cast<size_t>(count_));
  ByteReader reader(bytes_);
  while (const auto text = reader.take_string()) out.push_back(*text);
  return out;
}

std::string GgufValue::to_string() const {
  constexpr int64_t kShown = 6;
  if (const auto text = as_string()) return quoted(*text);
  if (!is_array_) return shown_number(type_, bytes_.data());
  std::string out = "[";
  ByteReader reader(bytes_);
  for (int64_t i = 0; i < std::min(kShown, size()); ++i) {
    if (i) out += ", ";
    const int width = gguf_type_bytes(type_);
    out += width == 0 ? quoted(*reader.take_string(), 24) : shown_number(type_, reader.take_bytes(static_cast<uint64_t>(width))->data());
  }
  if (size() > kShown) out += ", … " + std::to_string(size()) + " x " + gguf_type_name(type_);
  return out + "]";
}

}  // namespace atelier::format
