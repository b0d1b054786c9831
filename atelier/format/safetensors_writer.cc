#include "atelier/format/safetensors_writer.h"

#include <cstdio>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/format/tensor_sequence.h"
#include "atelier/io/atomic_file.h"
#include "atelier/io/file.h"

namespace atelier::format {
namespace {

constexpr size_t kHeaderAlignment = 8;  // the header's end, and so the data, is padded to it with spaces

// Tensors [begin, end) of the sequence stand in one file.
struct Shard {
  size_t begin, end;
  std::string name;
};

std::vector<Shard> plan_shards(const TensorSequence& sequence, const SafetensorsOptions& options) {
  std::vector<Shard> shards = {{0, 0, {}}};
  int64_t taken = 0;
  for (size_t i = 0; i < sequence.tensors().size(); ++i) {
    if (taken > 0 && sequence.bytes_of(i) > options.shard_bytes - taken) {
      shards.push_back({i, i, {}});
      taken = 0;
    }
    taken += sequence.bytes_of(i);
    shards.back().end = i + 1;
  }
  for (size_t i = 0; i < shards.size(); ++i) {
    char name[64];
    std::snprintf(name, sizeof name, "-%05zu-of-%05zu", i + 1, shards.size());
    shards[i].name = options.stem + (shards.size() == 1 ? "" : name) + ".safetensors";
  }
  return shards;
}

Result<std::string> encode_header(const TensorSequence& sequence, const Shard& shard, const SafetensorsOptions& options) {
  Json::Object header;
  if (!options.metadata.empty()) {
    Json metadata = Json::object();
    for (const auto& [key, value] : options.metadata) metadata.set(key, value);
    header.emplace_back("__metadata__", std::move(metadata));
  }
  int64_t offset = 0;
  for (size_t i = shard.begin; i < shard.end; ++i) {
    const TensorInfo& tensor = sequence.tensors()[i];
    ATELIER_TRY(const std::string dtype, safetensors_dtype_name(tensor.dtype));
    Json shape = Json::array();
    for (const int64_t dim : tensor.shape) shape.push_back(dim);
    const int64_t end = offset + sequence.bytes_of(i);
    Json stated = Json::object();
    stated.set("dtype", dtype).set("shape", std::move(shape)).set("data_offsets", Json::Array{offset, end});
    header.emplace_back(tensor.name, std::move(stated));
    offset = end;
  }
  std::string text = Json(std::move(header)).dump();
  text.append((kHeaderAlignment - text.size() % kHeaderAlignment) % kHeaderAlignment, ' ');
  return text;
}

class SafetensorsWriter : public CheckpointWriter {
 public:
  SafetensorsWriter(std::string folder, TensorSequence sequence, std::vector<Shard> shards, SafetensorsOptions options)
      : folder_(std::move(folder)), sequence_(std::move(sequence)), shards_(std::move(shards)), options_(std::move(options)) {}

  // Opens every shard that begins at or before the current tensor; the one before it is whole by then.
  Status open_next() {
    while (files_.size() < shards_.size() && sequence_.current() >= shards_[files_.size()].begin) {
      const Shard& shard = shards_[files_.size()];
      ATELIER_TRY(const std::string header, encode_header(sequence_, shard, options_));
      ATELIER_TRY(io::AtomicFile file, io::AtomicFile::create(io::join_path(folder_, shard.name)));
      const uint64_t header_bytes = header.size();
      ATELIER_RETURN_IF_ERROR(file.write(&header_bytes, sizeof header_bytes));
      ATELIER_RETURN_IF_ERROR(file.write(header));
      files_.push_back(std::move(file));
    }
    return Status::ok_status();
  }

  Status write(const void* data, int64_t bytes) override {
    ATELIER_RETURN_IF_ERROR(open_next());
    if (const Status status = sequence_.advance(bytes); !status.ok()) return status.with_context(folder_);
    return files_.back().write(data, static_cast<size_t>(bytes));
  }

  Status finish() override {
    if (const Status status = sequence_.check_complete(); !status.ok()) return status.with_context(folder_);
    ATELIER_RETURN_IF_ERROR(open_next());
    for (io::AtomicFile& file : files_) ATELIER_RETURN_IF_ERROR(file.commit());
    return shards_.size() == 1 ? Status::ok_status() : write_index();
  }

 private:
  Status write_index() const {
    Json::Object weight_map;
    int64_t total = 0;
    for (const Shard& shard : shards_) {
      for (size_t i = shard.begin; i < shard.end; ++i) {
        weight_map.emplace_back(sequence_.tensors()[i].name, shard.name);
        total += sequence_.bytes_of(i);
      }
    }
    Json index = Json::object();
    index.set("metadata", Json::object().set("total_size", total)).set("weight_map", std::move(weight_map));
    return io::write_file(io::join_path(folder_, options_.stem + ".safetensors.index.json"), index.dump(2) + "\n");
  }

  std::string folder_;
  TensorSequence sequence_;
  std::vector<Shard> shards_;
  SafetensorsOptions options_;
  std::vector<io::AtomicFile> files_;  // of the first files_.size() shards
};

}  // namespace

Result<std::string> safetensors_dtype_name(DType dtype) {
  if (!is_quantized(dtype)) return std::string(dtype_name(dtype));  // GGUF's names of plain types are safetensors'
  return Status::unsupported("safetensors cannot hold type " + std::string(dtype_name(dtype)) + "; write F16, BF16 or F32, or a GGUF file");
}

Result<std::unique_ptr<CheckpointWriter>> create_safetensors(const std::string& folder, std::vector<TensorInfo> tensors,
                                                             const SafetensorsOptions& options) {
  for (const TensorInfo& tensor : tensors) {
    if (tensor.name == "__metadata__") return Status::invalid(folder + ": a tensor cannot be called \"__metadata__\"");
    const auto dtype = safetensors_dtype_name(tensor.dtype);
    if (!dtype.ok()) return dtype.status().with_context("tensor " + quoted(tensor.name));
  }
  ATELIER_TRY(TensorSequence sequence, TensorSequence::create(std::move(tensors)));
  std::vector<Shard> shards = plan_shards(sequence, options);
  auto writer = std::make_unique<SafetensorsWriter>(folder, std::move(sequence), std::move(shards), options);
  ATELIER_RETURN_IF_ERROR(writer->open_next());
  return std::unique_ptr<CheckpointWriter>(std::move(writer));
}

}  // namespace atelier::format
