#include "atelier/format/gguf_writer.h"

#include <algorithm>
#include <bit>

#include "atelier/base/strings.h"
#include "atelier/format/tensor_sequence.h"
#include "atelier/io/atomic_file.h"

namespace atelier::format {
namespace {

template <typename T>
void append_number(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_string(std::string& out, std::string_view text) {
  append_number(out, static_cast<uint64_t>(text.size()));
  out += text;
}

void append_type(std::string& out, GgufType type) { append_number(out, static_cast<uint32_t>(type)); }

template <typename T>
std::string number_payload(GgufType type, T value) {
  std::string payload;
  append_type(payload, type);
  append_number(payload, value);
  return payload;
}

std::string array_head(GgufType element_type, size_t count) {
  std::string payload;
  append_type(payload, GgufType::kArray);
  append_type(payload, element_type);
  append_number(payload, static_cast<uint64_t>(count));
  return payload;
}

template <typename T>
std::string array_payload(GgufType element_type, std::span<const T> values) {
  std::string payload = array_head(element_type, values.size());
  payload.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  return payload;
}

int64_t padding_after(int64_t position, int64_t alignment) { return (alignment - position % alignment) % alignment; }

Status check_limits(const std::vector<TensorInfo>& tensors, int64_t alignment) {
  if (alignment < 8 || alignment > (1 << 20) || !std::has_single_bit(static_cast<uint64_t>(alignment))) {
    return Status::invalid("alignment " + std::to_string(alignment) + ", want a power of two from 8 to 1048576");
  }
  for (const TensorInfo& tensor : tensors) {
    if (tensor.shape.size() > 4) {
      return Status::unsupported("tensor " + quoted(tensor.name) + " has " + std::to_string(tensor.shape.size()) +
                                 " dimensions, GGUF holds 4");
    }
    if (std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end()) {
      return Status::unsupported("tensor " + quoted(tensor.name) + " is empty, which GGUF cannot hold");
    }
    if (static_cast<uint8_t>(tensor.dtype) >= kFirstOwnType) {
      return Status::unsupported("tensor " + quoted(tensor.name) + " has type " + dtype_name(tensor.dtype) + ", which GGUF cannot hold");
    }
    if (tensor.name.empty() || tensor.name.size() > 63) {
      return Status::unsupported("tensor name " + quoted(tensor.name) + " is " + std::to_string(tensor.name.size()) +
                                 " bytes long; other readers of GGUF take 1 to 63");
    }
  }
  return Status::ok_status();
}

// Everything before the data, padded to the alignment.
std::string encode_header(const GgufMetadata& metadata, const TensorSequence& sequence, int64_t alignment) {
  std::string out = "GGUF";
  append_number(out, uint32_t{3});
  append_number(out, static_cast<uint64_t>(sequence.tensors().size()));
  append_number(out, static_cast<uint64_t>(metadata.size()));
  out += metadata.encode();
  int64_t offset = 0;
  for (size_t i = 0; i < sequence.tensors().size(); ++i) {
    const TensorInfo& tensor = sequence.tensors()[i];
    append_string(out, tensor.name);
    append_number(out, static_cast<uint32_t>(tensor.shape.size()));
    for (auto dim = tensor.shape.rbegin(); dim != tensor.shape.rend(); ++dim) append_number(out, static_cast<uint64_t>(*dim));
    append_number(out, static_cast<uint32_t>(tensor.dtype));
    append_number(out, static_cast<uint64_t>(offset));
    offset += sequence.bytes_of(i) + padding_after(sequence.bytes_of(i), alignment);
  }
  out.append(static_cast<size_t>(padding_after(static_cast<int64_t>(out.size()), alignment)), '\0');
  return out;
}

class GgufWriter : public CheckpointWriter {
 public:
  GgufWriter(io::AtomicFile file, TensorSequence sequence, int64_t alignment)
      : file_(std::move(file)), sequence_(std::move(sequence)), alignment_(alignment) {}

  Status write(const void* data, int64_t bytes) override {
    const size_t before = sequence_.current();
    if (const Status status = sequence_.advance(bytes); !status.ok()) return status.with_context(file_.path());
    ATELIER_RETURN_IF_ERROR(file_.write(data, static_cast<size_t>(bytes)));
    return sequence_.current() == before ? Status::ok_status() : pad();
  }

  Status finish() override {
    if (const Status status = sequence_.check_complete(); !status.ok()) return status.with_context(file_.path());
    return file_.commit();
  }

 private:
  Status pad() {
    const std::string zeros(static_cast<size_t>(padding_after(file_.position(), alignment_)), '\0');
    return file_.write(zeros);
  }

  io::AtomicFile file_;
  TensorSequence sequence_;
  int64_t alignment_;
};

}  // namespace

void GgufMetadata::set_uint32(const std::string& key, uint32_t v) { set_payload(key, number_payload(GgufType::kUint32, v)); }
void GgufMetadata::set_int32(const std::string& key, int32_t v) { set_payload(key, number_payload(GgufType::kInt32, v)); }
void GgufMetadata::set_uint64(const std::string& key, uint64_t v) { set_payload(key, number_payload(GgufType::kUint64, v)); }
void GgufMetadata::set_float32(const std::string& key, float v) { set_payload(key, number_payload(GgufType::kFloat32, v)); }
void GgufMetadata::set_bool(const std::string& key, bool v) { set_payload(key, number_payload(GgufType::kBool, static_cast<uint8_t>(v))); }

void GgufMetadata::set_string(const std::string& key, std::string_view value) {
  std::string payload;
  append_type(payload, GgufType::kString);
  append_string(payload, value);
  set_payload(key, std::move(payload));
}

void GgufMetadata::set_strings(const std::string& key, std::span<const std::string> values) {
  std::string payload = array_head(GgufType::kString, values.size());
  for (const std::string& value : values) append_string(payload, value);
  set_payload(key, std::move(payload));
}

void GgufMetadata::set_int32s(const std::string& key, std::span<const int32_t> v) { set_payload(key, array_payload(GgufType::kInt32, v)); }
void GgufMetadata::set_uint32s(const std::string& key, std::span<const uint32_t> v) {
  set_payload(key, array_payload(GgufType::kUint32, v));
}
void GgufMetadata::set_float32s(const std::string& key, std::span<const float> v) {
  set_payload(key, array_payload(GgufType::kFloat32, v));
}

void GgufMetadata::set_bools(const std::string& key, const std::vector<bool>& values) {
  std::string payload = array_head(GgufType::kBool, values.size());
  for (const bool value : values) payload += static_cast<char>(value);
  set_payload(key, std::move(payload));
}

void GgufMetadata::set_value(const std::string& key, const GgufValue& value) {
  std::string payload;
  if (value.is_array()) {
    payload = array_head(value.type(), static_cast<size_t>(value.size()));
  } else {
    append_type(payload, value.type());
  }
  payload.append(reinterpret_cast<const char*>(value.bytes().data()), value.bytes().size());
  set_payload(key, std::move(payload));
}

void GgufMetadata::remove(std::string_view key) {
  std::erase_if(members_, [&](const Member& member) { return member.key == key; });
}

void GgufMetadata::set_payload(const std::string& key, std::string payload) {
  for (Member& member : members_) {
    if (member.key == key) {
      member.payload = std::move(payload);
      return;
    }
  }
  members_.push_back({key, std::move(payload)});
}

std::string GgufMetadata::encode() const {
  std::string out;
  for (const Member& member : members_) {
    append_string(out, member.key);
    out += member.payload;
  }
  return out;
}

Result<std::unique_ptr<CheckpointWriter>> create_gguf(const std::string& path, GgufMetadata metadata, std::vector<TensorInfo> tensors,
                                                      int64_t alignment) {
  if (const Status status = check_limits(tensors, alignment); !status.ok()) return status.with_context(path);
  ATELIER_TRY(TensorSequence sequence, TensorSequence::create(std::move(tensors)));
  metadata.remove("general.alignment");
  if (alignment != 32) metadata.set_uint32("general.alignment", static_cast<uint32_t>(alignment));
  ATELIER_TRY(io::AtomicFile file, io::AtomicFile::create(path));
  ATELIER_RETURN_IF_ERROR(file.write(encode_header(metadata, sequence, alignment)));
  return std::unique_ptr<CheckpointWriter>(std::make_unique<GgufWriter>(std::move(file), std::move(sequence), alignment));
}

}  // namespace atelier::format
