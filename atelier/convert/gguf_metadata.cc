#include "atelier/convert/gguf_metadata.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "atelier/convert/spec_difference.h"
#include "atelier/nn/rope.h"

namespace atelier::convert {
namespace {

uint32_t count(int64_t value) { return static_cast<uint32_t>(value); }

// The scaling of the first table: GGUF has room for one, and for a plain base of windowed layers.
void describe_rope(const std::string& prefix, const nn::TransformerSpec& spec, format::GgufMetadata& metadata) {
  const nn::RopeSpec& rope = spec.ropes[0];
  metadata.set_uint32(prefix + "rope.dimension_count", count(rope.rotary_dim));
  metadata.set_float32(prefix + "rope.freq_base", static_cast<float>(rope.theta));
  if (spec.ropes.size() > 1) metadata.set_float32(prefix + "rope.freq_base_swa", static_cast<float>(spec.ropes[1].theta));
  const std::string scaling = prefix + "rope.scaling.";
  if (rope.scaling == nn::RopeScaling::kLinear || rope.scaling == nn::RopeScaling::kYarn) {
    metadata.set_string(scaling + "type", rope.scaling == nn::RopeScaling::kLinear ? "linear" : "yarn");
    metadata.set_float32(scaling + "factor", static_cast<float>(rope.factor));
  }
  if (rope.scaling == nn::RopeScaling::kYarn) {
    metadata.set_uint32(scaling + "original_context_length", count(rope.original_context));
    metadata.set_float32(scaling + "yarn_beta_fast", static_cast<float>(rope.beta_fast));
    metadata.set_float32(scaling + "yarn_beta_slow", static_cast<float>(rope.beta_slow));
  }
  if (rope.scaling == nn::RopeScaling::kLongRope) {
    metadata.set_uint32(scaling + "original_context_length", count(rope.original_context));
    metadata.set_float32(scaling + "attn_factor", nn::rope_frequencies(rope, spec.max_context).attention_factor);
  }
}

OutputTensor float_tensor(const std::string& name, const std::vector<float>& values) {
  OutputTensor out;
  out.info = {name, DType::kF32, {static_cast<int64_t>(values.size())}};
  out.open = [values] { return [values](int64_t, float* row) { std::ranges::copy(values, row); }; };
  return out;
}

// Zeroed address space that costs no memory until it is written to.
class ZeroPages {
 public:
  explicit ZeroPages(size_t size)
      : size_(size), data_(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {}
  ZeroPages(const ZeroPages&) = delete;
  ZeroPages& operator=(const ZeroPages&) = delete;
  ~ZeroPages() {
    if (is_valid()) munmap(data_, size_);
  }
  bool is_valid() const { return data_ != MAP_FAILED; }
  std::span<uint8_t> bytes() const { return {static_cast<uint8_t*>(data_), size_}; }

 private:
  size_t size_;
  void* data_;
};

// Bytes of a GGUF file without its data.
class Header {
 public:
  void raw(const void* data, size_t size) { bytes_.append(static_cast<const char*>(data), size); }
  template <typename T>
  void number(T value) {
    raw(&value, sizeof value);
  }
  void text(const std::string& s) {
    number<uint64_t>(s.size());
    bytes_ += s;
  }
  void pad(size_t alignment) { bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

constexpr size_t kAlignment = 32;

int64_t padded(int64_t bytes) {
  return (bytes + static_cast<int64_t>(kAlignment) - 1) / static_cast<int64_t>(kAlignment) * static_cast<int64_t>(kAlignment);
}

// The tensors whose presence or values a config reader looks at; matrices stand in as one byte a weight.
std::vector<format::TensorInfo> telling_tensors(const std::vector<OutputTensor>& tensors) {
  std::vector<format::TensorInfo> out;
  for (const OutputTensor& tensor : tensors) {
    const bool is_table = tensor.info.name == "token_embd.weight" || tensor.info.name == "output.weight";
    if (tensor.info.shape.size() == 1) out.push_back(tensor.info);
    if (is_table) out.push_back({tensor.info.name, DType::kI8, tensor.info.shape});
  }
  return out;
}

Header header_of(const format::GgufMetadata& metadata, const std::vector<format::TensorInfo>& tensors, int64_t& data_bytes) {
  constexpr uint32_t kVersion = 3;
  Header header;
  header.raw("GGUF", 4);
  header.number(kVersion);
  header.number<uint64_t>(tensors.size());
  header.number<uint64_t>(static_cast<uint64_t>(metadata.size()));
  const std::string values = metadata.encode();
  header.raw(values.data(), values.size());
  for (const format::TensorInfo& tensor : tensors) {
    int64_t elements = 1;
    header.text(tensor.name);
    header.number(static_cast<uint32_t>(tensor.shape.size()));
    for (size_t i = tensor.shape.size(); i-- > 0;) {
      header.number<uint64_t>(static_cast<uint64_t>(tensor.shape[i]));
      elements *= tensor.shape[i];
    }
    header.number(static_cast<uint32_t>(tensor.dtype));
    header.number<uint64_t>(static_cast<uint64_t>(data_bytes));
    data_bytes += padded(row_bytes(tensor.dtype, elements));
  }
  header.pad(kAlignment);
  return header;
}

// Puts the values of rotary factors where the header says; all else stays zero.
void fill_rope_factors(const std::vector<OutputTensor>& tensors, const std::vector<format::TensorInfo>& telling, uint8_t* data) {
  for (const format::TensorInfo& info : telling) {
    int64_t elements = 1;
    for (const int64_t n : info.shape) elements *= n;
    if (info.name.starts_with("rope_")) {
      const auto found = std::ranges::find_if(tensors, [&](const OutputTensor& tensor) { return tensor.info.name == info.name; });
      std::vector<float> values(static_cast<size_t>(elements));
      found->open()(0, values.data());
      std::memcpy(data, values.data(), values.size() * sizeof(float));
    }
    data += padded(row_bytes(info.dtype, elements));
  }
}

}  // namespace

void describe_spec(const models::ArchDef& arch, const nn::TransformerSpec& spec, format::GgufMetadata& metadata) {
  const std::string prefix = std::string(arch.gguf_name) + ".";
  metadata.set_string("general.architecture", arch.gguf_name);
  metadata.set_string("general.type", "model");
  metadata.set_uint32(prefix + "block_count", count(spec.num_layers()));
  metadata.set_uint32(prefix + "context_length", count(spec.max_context));
  metadata.set_uint32(prefix + "embedding_length", count(spec.width));
  metadata.set_uint32(prefix + "feed_forward_length", count(spec.ffn_width));
  metadata.set_uint32(prefix + "attention.head_count", count(spec.num_heads));
  metadata.set_uint32(prefix + "attention.head_count_kv", count(spec.num_kv_heads));
  metadata.set_uint32(prefix + "attention.key_length", count(spec.head_dim));
  metadata.set_uint32(prefix + "attention.value_length", count(spec.head_dim));
  metadata.set_uint32(prefix + "vocab_size", count(spec.vocab_size));
  const char* epsilon = spec.norm == nn::NormKind::kRms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon";
  metadata.set_float32(prefix + epsilon, spec.norm_eps);
  int64_t window = 0;
  for (const nn::LayerSpec& layer : spec.layers) window = std::max(window, layer.window);
  if (window > 0) metadata.set_uint32(prefix + "attention.sliding_window", count(window));
  if (spec.attention_soft_cap != 0) metadata.set_float32(prefix + "attn_logit_softcapping", spec.attention_soft_cap);
  if (spec.final_soft_cap != 0) metadata.set_float32(prefix + "final_logit_softcapping", spec.final_soft_cap);
  if (spec.position == nn::PositionKind::kRotary) describe_rope(prefix, spec, metadata);
}

std::vector<OutputTensor> rope_tensors(const nn::TransformerSpec& spec) {
  std::vector<OutputTensor> out;
  if (spec.position != nn::PositionKind::kRotary) return out;
  const nn::RopeSpec& rope = spec.ropes[0];
  if (rope.scaling == nn::RopeScaling::kLlama3) {
    nn::RopeSpec plain = rope;
    plain.scaling = nn::RopeScaling::kNone;
    const std::vector<float> unscaled = nn::rope_frequencies(plain, 0).inverse, scaled = nn::rope_frequencies(rope, 0).inverse;
    std::vector<float> divisors(scaled.size());
    for (size_t i = 0; i < divisors.size(); ++i) divisors[i] = unscaled[i] / scaled[i];
    out.push_back(float_tensor("rope_freqs.weight", divisors));
  } else if (rope.scaling == nn::RopeScaling::kLongRope) {
    out.push_back(float_tensor("rope_factors_long.weight", rope.long_factors));
    out.push_back(float_tensor("rope_factors_short.weight", rope.short_factors));
  } else if (!rope.frequency_factors.empty()) {
    out.push_back(float_tensor("rope_freqs.weight", rope.frequency_factors));
  }
  return out;
}

Status check_reads_back(const models::ArchDef& arch, const nn::TransformerSpec& spec, const format::GgufMetadata& metadata,
                        const std::vector<OutputTensor>& tensors) {
  const std::vector<format::TensorInfo> telling = telling_tensors(tensors);
  int64_t data_bytes = 0;
  const Header header = header_of(metadata, telling, data_bytes);
  const auto pages = std::make_shared<ZeroPages>(header.bytes().size() + static_cast<size_t>(data_bytes));
  if (!pages->is_valid()) return Status::out_of_range("convert: no address space for " + std::to_string(data_bytes) + " bytes");
  std::ranges::copy(header.bytes(), pages->bytes().begin());
  fill_rope_factors(tensors, telling, pages->bytes().data() + header.bytes().size());
  ATELIER_TRY(const std::shared_ptr<const format::Gguf> file, format::Gguf::from_bytes(pages->bytes(), "the planned file", pages));
  ATELIER_TRY(const nn::TransformerSpec read, arch.from_gguf(*file));
  const std::string difference = first_difference(spec, read);
  if (difference.empty()) return Status::ok_status();
  return Status::unsupported("GGUF cannot express this " + std::string(arch.name) + " model: " + difference +
                             "; keep the Hugging Face folder");
}

}  // namespace atelier::convert
