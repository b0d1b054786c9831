#include "atelier/format/gguf_parse.h"

#include <algorithm>
#include <bit>
#include <unordered_set>

#include "atelier/base/strings.h"
#include "atelier/format/byte_reader.h"
#include "atelier/format/extents.h"

namespace atelier::format {
namespace {

constexpr uint64_t kMaxKeyBytes = 65535;             // the specification's limit
constexpr uint64_t kMaxTensorNameBytes = 65535;      // the specification says 64, real files pass that
constexpr uint32_t kMaxRank = 4;                     // ggml's
constexpr int64_t kMaxAlignment = 1 << 20;           // ours: a larger one would only hide a wrong number
constexpr uint64_t kMinValueBytes = 8 + 4 + 1;       // empty key, type, one byte
constexpr uint64_t kMinTensorBytes = 8 + 4 + 4 + 8;  // empty name, rank 0, type, offset

// Names of GGUF's weight types that this build does not read, for the error line.
const char* unread_type_name(uint32_t id) {
  switch (id) {
    case 4:
      return "Q4_2 (retired)";
    case 5:
      return "Q4_3 (retired)";
    case 9:
      return "Q8_1";
    case 15:
      return "Q8_K";
    case 16:
      return "IQ2_XXS";
    case 17:
      return "IQ2_XS";
    case 18:
      return "IQ3_XXS";
    case 19:
      return "IQ1_S";
    case 21:
      return "IQ3_S";
    case 22:
      return "IQ2_S";
    case 29:
      return "IQ1_M";
    case 31:
      return "Q4_0_4_4 (retired)";
    case 32:
      return "Q4_0_4_8 (retired)";
    case 33:
      return "Q4_0_8_8 (retired)";
    case 34:
      return "TQ1_0";
    case 35:
      return "TQ2_0";
    case 36:
      return "IQ4_NL_4_4 (retired)";
    case 37:
      return "IQ4_NL_4_8 (retired)";
    case 38:
      return "IQ4_NL_8_8 (retired)";
    case 39:
      return "MXFP4";
    case 40:
      return "NVFP4";
    case 41:
      return "Q1_0";
    case 42:
      return "Q2_0";
    default:
      return nullptr;
  }
}

Status refuse_type(uint32_t id, std::string_view tensor) {
  const char* name = unread_type_name(id);
  const std::string of = " of tensor " + quoted(tensor);
  if (!name) return Status::corrupt("unknown type id " + std::to_string(id) + of + "; the file is newer than this build, or damaged");
  return Status::unsupported("this build cannot read type " + std::string(name) + " (id " + std::to_string(id) + ")" + of +
                             "; use a file of type Q4_K_M, Q8_0 or another that `atelier list quantizations` shows");
}

class Parser {
 public:
  explicit Parser(std::span<const uint8_t> bytes) : bytes_(bytes), reader_(bytes) {}

  Result<GgufPart> parse() {
    uint64_t num_tensors = 0, num_values = 0;
    ATELIER_RETURN_IF_ERROR(read_header(num_tensors, num_values));
    ATELIER_RETURN_IF_ERROR(read_metadata(num_values));
    ATELIER_RETURN_IF_ERROR(read_alignment());
    ATELIER_RETURN_IF_ERROR(read_tensors(num_tensors));
    ATELIER_RETURN_IF_ERROR(place_tensors());
    return part_;
  }

 private:
  Status ends_early(const std::string& what) const {
    return Status::corrupt("file ends inside " + what + ": " + std::to_string(bytes_.size()) +
                           " bytes are not all of it; download it again");
  }

  Status read_header(uint64_t& num_tensors, uint64_t& num_values) {
    const auto magic = reader_.take_bytes(4);
    if (!magic || std::memcmp(magic->data(), "GGUF", 4) != 0) return Status::corrupt("no GGUF file: does not start with \"GGUF\"");
    const auto version = reader_.take<uint32_t>();
    if (!version) return ends_early("the header");
    ATELIER_RETURN_IF_ERROR(check_version(*version));
    part_.version = *version;
    const auto tensors = reader_.take<uint64_t>(), values = reader_.take<uint64_t>();
    if (!tensors || !values) return ends_early("the header");
    num_tensors = *tensors;
    num_values = *values;
    ATELIER_RETURN_IF_ERROR(check_count(num_values, kMinValueBytes, "metadata values"));
    return check_count(num_tensors, kMinTensorBytes, "tensors");
  }

  static Status check_version(uint32_t version) {
    if (version == 2 || version == 3) return Status::ok_status();
    if (version == 0x02000000 || version == 0x03000000) {
      return Status::unsupported("big-endian GGUF; convert it with gguf-convert-endian of the gguf Python package");
    }
    if (version == 1) return Status::unsupported("GGUF version 1, want 2 or 3; convert the model again with a current tool");
    return Status::unsupported("GGUF version " + std::to_string(version) + ", want 2 or 3");
  }

  // A count cannot be larger than the smallest items that fit into what is left.
  Status check_count(uint64_t count, uint64_t min_bytes, const char* what) const {
    if (count <= reader_.left() / min_bytes) return Status::ok_status();
    return Status::corrupt("states " + std::to_string(count) + " " + what + ", but only " + std::to_string(reader_.left()) +
                           " bytes are left; download it again");
  }

  Status read_metadata(uint64_t count) {
    std::unordered_set<std::string_view> seen;
    for (uint64_t i = 0; i < count; ++i) {
      const auto key = reader_.take_string();
      if (!key) return ends_early("metadata key " + std::to_string(i));
      if (key->empty() || key->size() > kMaxKeyBytes) {
        return Status::corrupt("metadata key " + std::to_string(i) + " is " + std::to_string(key->size()) + " bytes long, want 1 to 65535");
      }
      if (!seen.insert(*key).second) return Status::corrupt("metadata key " + quoted(*key) + " stands twice");
      const auto type = reader_.take<uint32_t>();
      if (!type) return ends_early("metadata value " + quoted(*key));
      ATELIER_TRY(const GgufValue value, read_value(*key, static_cast<GgufType>(*type)));
      part_.metadata.emplace_back(*key, value);
    }
    return Status::ok_status();
  }

  Result<GgufValue> read_value(std::string_view key, GgufType type) {
    if (type == GgufType::kArray) return read_array(key);
    ATELIER_TRY(const auto bytes, take_elements(key, type, 1));
    return GgufValue(type, bytes);
  }

  Result<GgufValue> read_array(std::string_view key) {
    const auto type = reader_.take<uint32_t>();
    const auto count = reader_.take<uint64_t>();
    if (!type || !count) return ends_early("metadata array " + quoted(key));
    if (static_cast<GgufType>(*type) == GgufType::kArray) {
      return Status::unsupported("metadata array " + quoted(key) + " holds arrays, which no known model file does");
    }
    ATELIER_TRY(const auto bytes, take_elements(key, static_cast<GgufType>(*type), *count));
    return GgufValue(static_cast<GgufType>(*type), *count, bytes);
  }

  Result<std::span<const uint8_t>> take_elements(std::string_view key, GgufType type, uint64_t count) {
    if (type == GgufType::kString) return take_strings(key, count);
    const uint64_t width = static_cast<uint64_t>(gguf_type_bytes(type));
    if (width == 0) {
      return Status::corrupt("metadata value " + quoted(key) + " has unknown type id " + std::to_string(static_cast<uint32_t>(type)));
    }
    if (count > reader_.left() / width) return too_many(key, count, type);
    return *reader_.take_bytes(count * width);
  }

  Result<std::span<const uint8_t>> take_strings(std::string_view key, uint64_t count) {
    if (count > reader_.left() / sizeof(uint64_t)) return too_many(key, count, GgufType::kString);
    const uint64_t begin = reader_.position();
    for (uint64_t i = 0; i < count; ++i) {
      if (!reader_.take_string()) return ends_early("string " + std::to_string(i) + " of metadata value " + quoted(key));
    }
    return bytes_.subspan(begin, reader_.position() - begin);
  }

  Status too_many(std::string_view key, uint64_t count, GgufType type) const {
    return Status::corrupt("metadata value " + quoted(key) + " states " + std::to_string(count) + " x " + gguf_type_name(type) +
                           ", but only " + std::to_string(reader_.left()) + " bytes are left; download the file again");
  }

  Status read_alignment() {
    for (const auto& [key, value] : part_.metadata) {
      if (key != "general.alignment") continue;
      const auto alignment = value.as_int();
      if (!alignment || *alignment < 1 || *alignment > kMaxAlignment || !std::has_single_bit(static_cast<uint64_t>(*alignment))) {
        return Status::corrupt("general.alignment is " + value.to_string() + ", want a power of two up to " +
                               std::to_string(kMaxAlignment));
      }
      part_.alignment = *alignment;
    }
    return Status::ok_status();
  }

  Status read_tensors(uint64_t count) {
    std::unordered_set<std::string_view> seen;
    for (uint64_t i = 0; i < count; ++i) {
      const auto name = reader_.take_string();
      if (!name) return ends_early("the name of tensor " + std::to_string(i));
      if (name->empty() || name->size() > kMaxTensorNameBytes) {
        return Status::corrupt("the name of tensor " + std::to_string(i) + " is " + std::to_string(name->size()) +
                               " bytes long, want 1 to 65535");
      }
      if (!seen.insert(*name).second) return Status::corrupt("tensor " + quoted(*name) + " stands twice");
      ATELIER_RETURN_IF_ERROR(read_tensor(*name));
    }
    return Status::ok_status();
  }

  Status read_tensor(std::string_view name) {
    const auto rank = reader_.take<uint32_t>();
    if (!rank) return ends_early("tensor " + quoted(name));
    if (*rank > kMaxRank) return Status::corrupt("tensor " + quoted(name) + " has " + std::to_string(*rank) + " dimensions, limit 4");
    TensorEntry entry;
    entry.name = name;
    for (uint32_t axis = 0; axis < *rank; ++axis) {
      const auto dim = reader_.take<uint64_t>();
      if (!dim) return ends_early("tensor " + quoted(name));
      if (*dim == 0 || *dim > static_cast<uint64_t>(INT64_MAX)) {
        return Status::corrupt("tensor " + quoted(name) + " has a dimension of " + std::to_string(*dim));
      }
      entry.shape.insert(entry.shape.begin(), static_cast<int64_t>(*dim));  // the file lists the fastest axis first
    }
    const auto type = reader_.take<uint32_t>();
    const auto offset = reader_.take<uint64_t>();
    if (!type || !offset) return ends_early("tensor " + quoted(name));
    const auto dtype = dtype_from_gguf(*type);
    if (!dtype) return refuse_type(*type, name);
    entry.dtype = *dtype;
    ATELIER_TRY(entry.bytes, bytes_of_shape(entry.dtype, entry.shape, entry.name));
    part_.tensors.push_back(std::move(entry));
    offsets_.push_back(*offset);
    return Status::ok_status();
  }

  // Offsets to pointers, once the end of the infos and thereby the start of the data is known.
  Status place_tensors() {
    if (part_.tensors.empty()) return Status::ok_status();
    const uint64_t alignment = static_cast<uint64_t>(part_.alignment);
    const uint64_t data_begin = (reader_.position() + alignment - 1) / alignment * alignment;
    const uint64_t data_bytes = data_begin <= bytes_.size() ? bytes_.size() - data_begin : 0;
    for (size_t i = 0; i < part_.tensors.size(); ++i) {
      TensorEntry& entry = part_.tensors[i];
      const uint64_t size = static_cast<uint64_t>(entry.bytes);
      if (offsets_[i] % alignment != 0) {
        return Status::corrupt("tensor " + quoted(entry.name) + " begins at offset " + std::to_string(offsets_[i]) +
                               ", no multiple of the alignment " + std::to_string(alignment));
      }
      if (offsets_[i] > data_bytes || size > data_bytes - offsets_[i]) {
        return Status::corrupt("tensor " + quoted(entry.name) + " needs " + std::to_string(size) + " bytes at offset " +
                               std::to_string(offsets_[i]) + ", the data ends at " + std::to_string(data_bytes) +
                               "; download the file again");
      }
      entry.data = bytes_.data() + data_begin + offsets_[i];
    }
    return refuse_overlaps(part_.tensors);
  }

  std::span<const uint8_t> bytes_;
  ByteReader reader_;
  GgufPart part_;
  std::vector<uint64_t> offsets_;  // of part_.tensors, from the start of the data
};

}  // namespace

Result<GgufPart> parse_gguf(std::span<const uint8_t> bytes) { return Parser(bytes).parse(); }

}  // namespace atelier::format
