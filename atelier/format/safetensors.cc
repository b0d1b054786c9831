#include "atelier/format/safetensors.h"

#include <algorithm>
#include <unordered_set>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/format/byte_reader.h"
#include "atelier/format/extents.h"
#include "atelier/io/file.h"
#include "atelier/io/mapped_file.h"

namespace atelier::format {
namespace {

constexpr int kMaxHeaderDepth = 8;  // { tensor: { "shape": [ … ] } } needs three
constexpr size_t kMaxRank = 8;      // any layer's weight has four at most; a longer list is no tensor of a model
constexpr const char* kIndexName = "model.safetensors.index.json";

Result<DType> dtype_of(const std::string& stated, const std::string& tensor) {
  for (const DType dtype : {DType::kF64, DType::kF32, DType::kF16, DType::kBF16, DType::kI64, DType::kI32, DType::kI16, DType::kI8}) {
    if (stated == dtype_name(dtype)) return dtype;
  }
  if (stated == "U8" || stated == "BOOL") return DType::kI8;  // same bytes
  const std::string of = "tensor " + quoted(tensor) + " has type " + quoted(stated);
  for (const char* small : {"F8_E4M3", "F8_E5M2", "F8_E8M0", "F4", "F6_E2M3", "F6_E3M2"}) {
    if (stated == small)
      return Status::unsupported(of + ", which needs scales that this build does not apply; use the BF16 model it was made from");
  }
  return Status::unsupported(of + ", want one of F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL");
}

// An array of non-negative integers.
Result<std::vector<int64_t>> read_sizes(const Json& tensor, const char* key, const std::string& name) {
  const Json* array = tensor.find(key);
  const auto refused = [&](const std::string& why) { return Status::corrupt("tensor " + quoted(name) + ": " + key + " " + why); };
  if (!array || !array->is_array()) return refused("is missing or no array");
  if (array->as_array().size() > kMaxRank) {
    return refused("has " + std::to_string(array->as_array().size()) + " elements, limit " + std::to_string(kMaxRank));
  }
  std::vector<int64_t> sizes;
  for (const Json& element : array->as_array()) {
    if (!element.is_int() || element.as_int() < 0) return refused("holds " + element.dump() + ", want a count");
    sizes.push_back(element.as_int());
  }
  return sizes;
}

// One member of the header. `data` is the file behind the header.
Result<TensorEntry> read_tensor(const std::string& name, const Json& stated, std::span<const uint8_t> data) {
  if (!stated.is_object()) return Status::corrupt("tensor " + quoted(name) + " is no object");
  const auto dtype_text = stated.get_string("dtype");
  if (!dtype_text.ok()) return dtype_text.status().with_context("tensor " + quoted(name));
  TensorEntry entry;
  entry.name = name;
  ATELIER_TRY(entry.dtype, dtype_of(*dtype_text, name));
  ATELIER_TRY(entry.shape, read_sizes(stated, "shape", name));
  ATELIER_TRY(entry.bytes, bytes_of_shape(entry.dtype, entry.shape, name));
  ATELIER_TRY(const std::vector<int64_t> offsets, read_sizes(stated, "data_offsets", name));
  if (offsets.size() != 2 || offsets[0] > offsets[1] || static_cast<uint64_t>(offsets[1]) > data.size()) {
    return Status::corrupt("tensor " + quoted(name) + " has data_offsets " + shape_to_string(offsets) + ", the data is " +
                           std::to_string(data.size()) + " bytes long; download the file again");
  }
  if (offsets[1] - offsets[0] != entry.bytes) {
    return Status::corrupt("tensor " + quoted(name) + " of type " + *dtype_text + " and shape " + shape_to_string(entry.shape) + " needs " +
                           std::to_string(entry.bytes) + " bytes, its data_offsets give it " + std::to_string(offsets[1] - offsets[0]));
  }
  entry.data = data.data() + offsets[0];
  return entry;
}

// The format forbids holes: every byte behind the header belongs to exactly one tensor.
Status refuse_holes(std::vector<TensorEntry>& entries, std::span<const uint8_t> data) {
  std::stable_sort(entries.begin(), entries.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return a.data != b.data ? a.data < b.data : a.bytes < b.bytes;  // empty tensors lie before what begins at the same place
  });
  ATELIER_RETURN_IF_ERROR(refuse_overlaps(entries));
  int64_t total = 0;
  for (const TensorEntry& entry : entries) total += entry.bytes;  // disjoint and inside the data, so no overflow
  if (static_cast<uint64_t>(total) == data.size()) return Status::ok_status();
  return Status::corrupt("the tensors take " + std::to_string(total) + " of " + std::to_string(data.size()) +
                         " bytes of data, want all of them; download the file again");
}

Status read_metadata(const Json& stated, std::map<std::string, std::string>& metadata) {
  if (!stated.is_object()) return Status::corrupt("__metadata__ is no object");
  for (const auto& [key, value] : stated.as_object()) {
    if (!value.is_string()) return Status::corrupt("__metadata__: " + quoted(key) + " is no string");
    metadata[key] = value.as_string();
  }
  return Status::ok_status();
}

// The tensors of one file, in the order of their data, without owner. Errors do not name the file.
Result<std::vector<TensorEntry>> parse_safetensors(std::span<const uint8_t> bytes, std::map<std::string, std::string>& metadata) {
  ByteReader reader(bytes);
  const auto header_bytes = reader.take<uint64_t>();
  if (!header_bytes) return Status::corrupt("no safetensors file: " + std::to_string(bytes.size()) + " bytes long");
  if (*header_bytes > kMaxSafetensorsHeader || *header_bytes > reader.left()) {
    return Status::corrupt("states a header of " + std::to_string(*header_bytes) + " bytes, limit " +
                           std::to_string(kMaxSafetensorsHeader) + " and " + std::to_string(reader.left()) +
                           " that are left; not a safetensors file, or not all of one");
  }
  const auto header = *reader.take_bytes(*header_bytes);
  const auto data = bytes.subspan(reader.position());
  ATELIER_TRY(const Json json, Json::parse({reinterpret_cast<const char*>(header.data()), header.size()}, "header", kMaxHeaderDepth));
  if (!json.is_object()) return Status::corrupt("the header is no JSON object");
  std::vector<TensorEntry> entries;
  for (const auto& [name, stated] : json.as_object()) {
    if (name == "__metadata__") {
      ATELIER_RETURN_IF_ERROR(read_metadata(stated, metadata));
      continue;
    }
    ATELIER_TRY(TensorEntry entry, read_tensor(name, stated, data));
    entries.push_back(std::move(entry));
  }
  ATELIER_RETURN_IF_ERROR(refuse_holes(entries, data));
  return entries;
}

// The files of a folder without an index, when "model.safetensors" is not there: all of them.
Result<std::vector<std::string>> shards_in(const std::string& folder) {
  ATELIER_TRY(const std::vector<std::string> names, io::list_directory(folder));
  std::vector<std::string> paths;
  for (const std::string& name : names) {
    if (name.ends_with(".safetensors")) paths.push_back(io::join_path(folder, name));
  }
  if (paths.empty()) return Status::not_found(folder + ": holds no *.safetensors");
  return paths;
}

bool is_plain_name(const std::string& name) { return !name.empty() && name.find('/') == std::string::npos && name != "." && name != ".."; }

}  // namespace

Result<std::shared_ptr<const Safetensors>> Safetensors::open(const std::string& path) {
  std::shared_ptr<Safetensors> checkpoint(new Safetensors(path));
  const std::string index = io::join_path(path, kIndexName), single = io::join_path(path, "model.safetensors");
  if (path.ends_with(".index.json")) {
    ATELIER_RETURN_IF_ERROR(checkpoint->add_index(path));
  } else if (!io::is_directory(path)) {
    ATELIER_RETURN_IF_ERROR(checkpoint->add_file(path, {}));
  } else if (io::is_file(single)) {  // before the index, as transformers looks
    ATELIER_RETURN_IF_ERROR(checkpoint->add_file(single, {}));
  } else if (io::is_file(index)) {
    ATELIER_RETURN_IF_ERROR(checkpoint->add_index(index));
  } else {
    ATELIER_TRY(const std::vector<std::string> shards, shards_in(path));
    for (const std::string& shard : shards) ATELIER_RETURN_IF_ERROR(checkpoint->add_file(shard, {}));
  }
  return std::shared_ptr<const Safetensors>(std::move(checkpoint));
}

Result<std::shared_ptr<const Safetensors>> Safetensors::from_bytes(std::span<const uint8_t> bytes, const std::string& name,
                                                                   const std::shared_ptr<const void>& owner) {
  std::shared_ptr<Safetensors> checkpoint(new Safetensors(name));
  ATELIER_RETURN_IF_ERROR(checkpoint->add_bytes(bytes, name, owner, nullptr));
  return std::shared_ptr<const Safetensors>(std::move(checkpoint));
}

// The shards that the index names, each with the tensors that it must hold.
Status Safetensors::add_index(const std::string& path) {
  ATELIER_TRY(const std::string text, io::read_file(path, kMaxSafetensorsHeader));
  ATELIER_TRY(const Json index, Json::parse(text, path, kMaxHeaderDepth));
  const Json* weight_map = index.find("weight_map");
  if (!weight_map || !weight_map->is_object()) return Status::corrupt(path + ": weight_map is missing or no object");
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto& [tensor, file] : weight_map->as_object()) {
    if (!file.is_string() || !is_plain_name(file.as_string())) {
      return Status::corrupt(path + ": weight_map: " + quoted(tensor) + " is in " + file.dump() +
                             ", want the name of a file beside the index");
    }
    shards[file.as_string()].push_back(tensor);
  }
  for (const auto& [file, tensors] : shards) {
    const std::string shard = io::join_path(io::folder_of(path), file);
    if (!io::is_file(shard))
      return Status::not_found(shard + ": named by " + io::name_of(path) + ", but missing; download it beside the others");
    ATELIER_RETURN_IF_ERROR(add_file(shard, tensors));
  }
  return Status::ok_status();
}

Status Safetensors::add_file(const std::string& path, const std::vector<std::string>& wanted) {
  ATELIER_TRY(const std::shared_ptr<const io::MappedFile> file, io::MappedFile::open(path));
  const size_t num_before = entries().size();
  ATELIER_RETURN_IF_ERROR(add_bytes(file->bytes(), path, file, file.get()));
  std::unordered_set<std::string_view> present;
  for (size_t i = num_before; i < entries().size(); ++i) present.insert(entries()[i].name);
  for (const std::string& name : wanted) {
    if (!present.contains(name)) return Status::corrupt(path + ": has no tensor " + quoted(name) + ", which the index says it holds");
  }
  return Status::ok_status();
}

Status Safetensors::add_bytes(std::span<const uint8_t> bytes, const std::string& name, const std::shared_ptr<const void>& owner,
                              const io::MappedFile* file) {
  Result<std::vector<TensorEntry>> entries = parse_safetensors(bytes, metadata_);
  if (!entries.ok()) return entries.status().with_context(name);
  for (TensorEntry& entry : *entries) {
    entry.owner = owner;
    entry.file = file;
    ATELIER_RETURN_IF_ERROR(add(std::move(entry)));
  }
  return Status::ok_status();
}

}  // namespace atelier::format
