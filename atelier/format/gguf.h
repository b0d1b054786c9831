// GGUF files, versions 2 and 3: metadata and tensors in one mapped file or several (docs/formats/gguf.md).
//
//   "GGUF" u32 version  u64 num_tensors  u64 num_values
//   num_values  x { string key, u32 type, value }            string = u64 length, bytes; array = u32 type, u64 count, elements
//   num_tensors x { string name, u32 rank, u64 dims[rank] (fastest first), u32 type, u64 offset }
//   padding to `general.alignment` (32 when absent), then the data that offsets count from
//
// Little-endian. Every count is bounded by the bytes that are left before anything is allocated for it.
//
//   ATELIER_TRY(std::shared_ptr<const format::Gguf> file, format::Gguf::open("model.gguf"));
//   ATELIER_TRY(std::string architecture, file->get_string("general.architecture"));
//   ATELIER_TRY(std::vector<std::string> tokens, file->get_strings("tokenizer.ggml.tokens"));
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/format/checkpoint.h"
#include "atelier/format/gguf_value.h"

namespace atelier::format {

struct GgufPart;

class Gguf : public Checkpoint {
 public:
  using Member = std::pair<std::string, GgufValue>;

  // Opens a file; a split one ("x-00001-of-00003.gguf") with all its parts, by the name of any of them. Metadata is the first part's.
  static Result<std::shared_ptr<const Gguf>> open(const std::string& path);

  // Reads one file from memory that `owner` keeps alive (may be null). `name` stands in error messages.
  static Result<std::shared_ptr<const Gguf>> from_bytes(std::span<const uint8_t> bytes, const std::string& name,
                                                        const std::shared_ptr<const void>& owner);

  std::string format() const override { return "GGUF v" + std::to_string(version_); }
  const Gguf* as_gguf() const override { return this; }
  uint32_t version() const { return version_; }
  int64_t alignment() const { return alignment_; }

  const std::vector<Member>& metadata() const { return metadata_; }  // in file order
  const GgufValue* find_value(std::string_view key) const;           // null when there is none
  bool contains(std::string_view key) const { return find_value(key) != nullptr; }

  // The value of `key` in the asked kind. Errors name file, key and what was found. With a fallback: that value when the key is
  // absent; a wrong kind is still an error.
  Result<int64_t> get_int(std::string_view key) const;
  Result<double> get_double(std::string_view key) const;
  Result<bool> get_bool(std::string_view key) const;
  Result<std::string> get_string(std::string_view key) const;
  Result<int64_t> get_int(std::string_view key, int64_t fallback) const;
  Result<double> get_double(std::string_view key, double fallback) const;
  Result<bool> get_bool(std::string_view key, bool fallback) const;
  Result<std::string> get_string(std::string_view key, const std::string& fallback) const;
  Result<std::vector<int64_t>> get_ints(std::string_view key) const;
  Result<std::vector<float>> get_floats(std::string_view key) const;
  Result<std::vector<bool>> get_bools(std::string_view key) const;
  Result<std::vector<std::string>> get_strings(std::string_view key) const;

 private:
  explicit Gguf(std::string path) : Checkpoint(std::move(path)) {}
  Status open_parts(const std::vector<std::string>& paths);
  Status add_part(GgufPart part, const std::shared_ptr<const void>& owner, const io::MappedFile* file);

  uint32_t version_ = 0;
  int64_t alignment_ = 32;
  std::vector<Member> metadata_;  // of the first part
  std::shared_ptr<const void> metadata_owner_;
  std::unordered_map<std::string, size_t> value_index_;
};

}  // namespace atelier::format
