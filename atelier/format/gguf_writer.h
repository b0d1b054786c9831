// Writes GGUF version 3: metadata and tensor infos first, then each tensor's bytes as they come, so that a model is never held in
// memory as a whole. The file appears under its name when finish() succeeds.
//
//   format::GgufMetadata metadata;
//   metadata.set_string("general.architecture", "llama");
//   metadata.set_uint32("llama.block_count", 30);
//   ATELIER_TRY(auto writer, format::create_gguf("out.gguf", metadata, {{"token_embd.weight", DType::kF16, {49152, 576}}}));
//   ATELIER_RETURN_IF_ERROR(writer->write(data, bytes));
//   return writer->finish();
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/format/checkpoint.h"
#include "atelier/format/gguf.h"

namespace atelier::format {

// Metadata in the order in which it was set; setting a key again replaces its value. Kinds are those that other readers of GGUF
// expect: counts are u32, token ids u32, scores f32, token types i32.
class GgufMetadata {
 public:
  void set_uint32(const std::string& key, uint32_t value);
  void set_int32(const std::string& key, int32_t value);
  void set_uint64(const std::string& key, uint64_t value);
  void set_float32(const std::string& key, float value);
  void set_bool(const std::string& key, bool value);
  void set_string(const std::string& key, std::string_view value);
  void set_strings(const std::string& key, std::span<const std::string> values);
  void set_int32s(const std::string& key, std::span<const int32_t> values);
  void set_uint32s(const std::string& key, std::span<const uint32_t> values);
  void set_float32s(const std::string& key, std::span<const float> values);
  void set_bools(const std::string& key, const std::vector<bool>& values);
  void set_value(const std::string& key, const GgufValue& value);  // as another file holds it, bytes and all
  void remove(std::string_view key);

  // Key, type and value of every member, as the file holds them.
  std::string encode() const;
  int64_t size() const { return static_cast<int64_t>(members_.size()); }

 private:
  struct Member {
    std::string key, payload;  // payload: u32 type and the value
  };
  void set_payload(const std::string& key, std::string payload);
  std::vector<Member> members_;
};

// Starts `path` and writes all but the tensor data. Tensors come in the order of `tensors`; their rows must be whole blocks, their
// rank at most 4, their names unique. `alignment` other than 32 is stated in the metadata.
Result<std::unique_ptr<CheckpointWriter>> create_gguf(const std::string& path, GgufMetadata metadata, std::vector<TensorInfo> tensors,
                                                      int64_t alignment = 32);

}  // namespace atelier::format
