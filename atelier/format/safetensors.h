// safetensors files, single and sharded (docs/formats/safetensors.md).
//
//   u64 header_bytes (at most 100 MB), a JSON object { name: {"dtype", "shape", "data_offsets": [begin, end]}, "__metadata__": {…} },
//   then the data that offsets count from, without holes.
//
// Types F64, F32, F16, BF16, I64, I32, I16, I8 are themselves; U8 and BOOL, which only old attention masks use, are shown as I8.
// A sharded model is a folder with model.safetensors.index.json, whose "weight_map" says which file holds which tensor.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/format/checkpoint.h"

namespace atelier::format {

inline constexpr int64_t kMaxSafetensorsHeader = 100'000'000;

class Safetensors : public Checkpoint {
 public:
  // `path`: a .safetensors file, a model.safetensors.index.json, or a folder that holds either (or shards without an index).
  static Result<std::shared_ptr<const Safetensors>> open(const std::string& path);

  // Reads one file from memory that `owner` keeps alive (may be null). `name` stands in error messages.
  static Result<std::shared_ptr<const Safetensors>> from_bytes(std::span<const uint8_t> bytes, const std::string& name,
                                                               const std::shared_ptr<const void>& owner);

  std::string format() const override { return "safetensors"; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }  // "__metadata__" of the files, merged

 private:
  explicit Safetensors(std::string path) : Checkpoint(std::move(path)) {}
  Status add_file(const std::string& path, const std::vector<std::string>& wanted);
  Status add_index(const std::string& path);
  Status add_bytes(std::span<const uint8_t> bytes, const std::string& name, const std::shared_ptr<const void>& owner,
                   const io::MappedFile* file);

  std::map<std::string, std::string> metadata_;
};

}  // namespace atelier::format
