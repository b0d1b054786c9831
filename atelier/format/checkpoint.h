// Named tensors in files: what GGUF and safetensors have in common, and which of the two a path holds.
//
// A Checkpoint maps its files and hands out pointers into them; nothing is read until it is touched. Shapes are in PyTorch order
// (row-major, last axis contiguous), whatever the file says. Every entry has been checked when a Checkpoint exists: its bytes lie
// inside its file, no two entries overlap or share a name, and the size follows from type and shape.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "atelier/base/dtype.h"
#include "atelier/base/status.h"

namespace atelier::io {
class MappedFile;
}

namespace atelier::format {

class Gguf;

// What a tensor is, without its data: what writers are told first.
struct TensorInfo {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;  // PyTorch order; empty for a scalar
};

// A tensor inside a mapped file. `data` may lie at any address (safetensors promises no alignment beyond its 8-byte header).
struct TensorEntry {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  const void* data = nullptr;
  int64_t bytes = 0;
  std::shared_ptr<const void> owner;     // keeps `data` mapped
  const io::MappedFile* file = nullptr;  // where `data` lies; null: in memory of the caller's

  int64_t count() const;    // product of shape; 1 for a scalar
  void drop_pages() const;  // gives the pages of a mapped file back that only this tensor touches; they are read again when needed
};

class Checkpoint {
 public:
  virtual ~Checkpoint() = default;

  const std::string& path() const { return path_; }                     // the file or folder it was opened by
  virtual std::string format() const = 0;                               // "GGUF v3", "safetensors", for `inspect`
  virtual const Gguf* as_gguf() const { return nullptr; }               // itself when it is one: it carries metadata
  const std::vector<TensorEntry>& entries() const { return entries_; }  // in file order
  const TensorEntry* find(std::string_view name) const;                 // null when there is none
  Result<const TensorEntry*> get(std::string_view name) const;          // an error with the nearest name instead of null
  int64_t total_bytes() const;                                          // of all tensors

 protected:
  explicit Checkpoint(std::string path) : path_(std::move(path)) {}
  Status add(TensorEntry entry);  // refuses a second tensor of the same name

 private:
  std::string path_;
  std::vector<TensorEntry> entries_;
  std::unordered_map<std::string, size_t> index_;
};

// Opens what `path` holds, by content: a GGUF file (any part of a split one), a safetensors file or index, or a folder with
// model.safetensors, model.safetensors.index.json or any *.safetensors. Pickle files (.bin, .pt, .pth) are refused with the way out.
Result<std::shared_ptr<const Checkpoint>> open_checkpoint(const std::string& path);

// Receives the bytes of a new checkpoint's tensors, in the order in which they were declared to the writer.
class CheckpointWriter {
 public:
  virtual ~CheckpointWriter() = default;

  // The next bytes. A tensor may come in several calls; a call never goes past the end of the current tensor.
  virtual Status write(const void* data, int64_t bytes) = 0;

  // Makes the files appear under their names. An error when tensors are missing. Without it nothing is left behind.
  virtual Status finish() = 0;
};

}  // namespace atelier::format
