#include "atelier/format/gguf.h"

#include <cinttypes>
#include <cstdio>

#include "atelier/base/strings.h"
#include "atelier/format/gguf_parse.h"
#include "atelier/io/file.h"
#include "atelier/io/mapped_file.h"

namespace atelier::format {
namespace {

constexpr int64_t kMaxParts = 99999;  // five digits in the name

struct OpenedPart {
  std::shared_ptr<const io::MappedFile> file;
  GgufPart part;
};

Result<OpenedPart> open_part(const std::string& path) {
  ATELIER_TRY(auto file, io::MappedFile::open(path));
  Result<GgufPart> part = parse_gguf(file->bytes());
  if (!part.ok()) return part.status().with_context(path);
  return OpenedPart{std::move(file), std::move(*part)};
}

// An integer of a part's metadata, or the fallback when it is absent or of another kind.
int64_t int_or(const GgufPart& part, std::string_view key, int64_t fallback) {
  for (const auto& [name, value] : part.metadata) {
    if (name == key) return value.as_int().value_or(fallback);
  }
  return fallback;
}

// "-00002-of-00003.gguf" for the second of three.
std::string part_suffix(int64_t index, int64_t num_parts) {
  char text[64];
  std::snprintf(text, sizeof text, "-%05" PRId64 "-of-%05" PRId64 ".gguf", index + 1, num_parts);
  return text;
}

// The paths of all parts, from the path and the metadata of any one of them.
Result<std::vector<std::string>> part_paths(const std::string& path, const GgufPart& part, int64_t num_parts) {
  const int64_t index = int_or(part, "split.no", -1);
  if (num_parts > kMaxParts || index < 0 || index >= num_parts) {
    return Status::corrupt(path + ": states to be part " + std::to_string(index) + " (from 0) of " + std::to_string(num_parts));
  }
  const std::string suffix = part_suffix(index, num_parts);
  if (!path.ends_with(suffix)) {
    return Status::invalid(path + ": is one of " + std::to_string(num_parts) + " parts, so its name must end in " + suffix);
  }
  const std::string stem = path.substr(0, path.size() - suffix.size());
  std::vector<std::string> paths;
  for (int64_t i = 0; i < num_parts; ++i) {
    paths.push_back(stem + part_suffix(i, num_parts));
    if (!io::is_file(paths.back())) {
      return Status::not_found(paths.back() + ": part " + std::to_string(i + 1) + " of " + std::to_string(num_parts) +
                               " is missing; download it beside the others");
    }
  }
  return paths;
}

// "x.gguf: llama.block_count" for an error line; keys may come from the file, so they are escaped.
std::string named(const Gguf& file, std::string_view key) {
  const std::string escaped = quoted(key);
  return file.path() + ": " + escaped.substr(1, escaped.size() - 2);
}

// What a getter wants: its words, and how it reads a value. Conversions of scalars come from GgufValue.
template <typename T>
Result<T> get_as(const Gguf& file, std::string_view key, const char* want, std::optional<T> (GgufValue::*convert)() const) {
  const GgufValue* value = file.find_value(key);
  if (!value) return Status::not_found(named(file, key) + ": missing, want " + want);
  if (auto converted = (value->*convert)()) return *std::move(converted);
  return Status::invalid(named(file, key) + ": is " + value->to_string() + ", want " + want);
}

template <typename T>
Result<T> get_or(const Gguf& file, std::string_view key, const char* want, std::optional<T> (GgufValue::*convert)() const, T fallback) {
  if (!file.contains(key)) return fallback;
  return get_as<T>(file, key, want, convert);
}

}  // namespace

Result<std::shared_ptr<const Gguf>> Gguf::open(const std::string& path) {
  ATELIER_TRY(OpenedPart opened, open_part(path));
  std::shared_ptr<Gguf> gguf(new Gguf(path));
  const int64_t num_parts = int_or(opened.part, "split.count", 1);
  if (num_parts > 1) {
    ATELIER_TRY(const std::vector<std::string> paths, part_paths(path, opened.part, num_parts));
    ATELIER_RETURN_IF_ERROR(gguf->open_parts(paths));
  } else {
    ATELIER_RETURN_IF_ERROR(gguf->add_part(std::move(opened.part), opened.file, opened.file.get()));
  }
  return std::shared_ptr<const Gguf>(std::move(gguf));
}

Result<std::shared_ptr<const Gguf>> Gguf::from_bytes(std::span<const uint8_t> bytes, const std::string& name,
                                                     const std::shared_ptr<const void>& owner) {
  Result<GgufPart> part = parse_gguf(bytes);
  if (!part.ok()) return part.status().with_context(name);
  std::shared_ptr<Gguf> gguf(new Gguf(name));
  ATELIER_RETURN_IF_ERROR(gguf->add_part(std::move(*part), owner, nullptr));
  return std::shared_ptr<const Gguf>(std::move(gguf));
}

Status Gguf::open_parts(const std::vector<std::string>& paths) {
  const int64_t num_parts = static_cast<int64_t>(paths.size());
  int64_t num_tensors_stated = -1;
  for (int64_t i = 0; i < num_parts; ++i) {
    const std::string& path = paths[static_cast<size_t>(i)];
    ATELIER_TRY(OpenedPart opened, open_part(path));
    if (int_or(opened.part, "split.no", -1) != i || int_or(opened.part, "split.count", 1) != num_parts) {
      return Status::corrupt(path + ": does not belong to the other parts: split.no and split.count must be " + std::to_string(i) +
                             " and " + std::to_string(num_parts));
    }
    if (i == 0) num_tensors_stated = int_or(opened.part, "split.tensors.count", -1);
    ATELIER_RETURN_IF_ERROR(add_part(std::move(opened.part), opened.file, opened.file.get()));
  }
  const int64_t num_tensors = static_cast<int64_t>(entries().size());
  if (num_tensors_stated >= 0 && num_tensors_stated != num_tensors) {
    return Status::corrupt(path() + ": the parts hold " + std::to_string(num_tensors) + " tensors together, split.tensors.count is " +
                           std::to_string(num_tensors_stated));
  }
  return Status::ok_status();
}

Status Gguf::add_part(GgufPart part, const std::shared_ptr<const void>& owner, const io::MappedFile* file) {
  if (version_ == 0) {  // the first part speaks for the model
    version_ = part.version;
    alignment_ = part.alignment;
    metadata_ = std::move(part.metadata);
    metadata_owner_ = owner;
    for (size_t i = 0; i < metadata_.size(); ++i) value_index_.emplace(metadata_[i].first, i);
  }
  for (TensorEntry& entry : part.tensors) {
    entry.owner = owner;
    entry.file = file;
    ATELIER_RETURN_IF_ERROR(add(std::move(entry)));
  }
  return Status::ok_status();
}

const GgufValue* Gguf::find_value(std::string_view key) const {
  const auto found = value_index_.find(std::string(key));
  return found == value_index_.end() ? nullptr : &metadata_[found->second].second;
}

Result<int64_t> Gguf::get_int(std::string_view key) const { return get_as(*this, key, "an integer", &GgufValue::as_int); }
Result<double> Gguf::get_double(std::string_view key) const { return get_as(*this, key, "a number", &GgufValue::as_double); }
Result<bool> Gguf::get_bool(std::string_view key) const { return get_as(*this, key, "a bool", &GgufValue::as_bool); }
Result<std::string> Gguf::get_string(std::string_view key) const {
  ATELIER_TRY(const std::string_view text, get_as(*this, key, "a string", &GgufValue::as_string));
  return std::string(text);
}

Result<int64_t> Gguf::get_int(std::string_view key, int64_t fallback) const {
  return get_or(*this, key, "an integer", &GgufValue::as_int, fallback);
}
Result<double> Gguf::get_double(std::string_view key, double fallback) const {
  return get_or(*this, key, "a number", &GgufValue::as_double, fallback);
}
Result<bool> Gguf::get_bool(std::string_view key, bool fallback) const {
  return get_or(*this, key, "a bool", &GgufValue::as_bool, fallback);
}
Result<std::string> Gguf::get_string(std::string_view key, const std::string& fallback) const {
  ATELIER_TRY(const std::string_view text, get_or(*this, key, "a string", &GgufValue::as_string, std::string_view(fallback)));
  return std::string(text);
}

Result<std::vector<int64_t>> Gguf::get_ints(std::string_view key) const {
  return get_as(*this, key, "an array of integers", &GgufValue::as_ints);
}
Result<std::vector<float>> Gguf::get_floats(std::string_view key) const {
  ATELIER_TRY(const std::vector<double> values, get_as(*this, key, "an array of numbers", &GgufValue::as_doubles));
  return std::vector<float>(values.begin(), values.end());
}
Result<std::vector<bool>> Gguf::get_bools(std::string_view key) const {
  return get_as(*this, key, "an array of bools", &GgufValue::as_bools);
}
Result<std::vector<std::string>> Gguf::get_strings(std::string_view key) const {
  ATELIER_TRY(const std::vector<std::string_view> texts, get_as(*this, key, "an array of strings", &GgufValue::as_strings));
  return std::vector<std::string>(texts.begin(), texts.end());
}

}  // namespace atelier::format
