// What the metadata of GGUF files share between architectures: keys under "<architecture>.", one spec out of them.
//
// A GGUF file states sizes as metadata and the rest by which tensors it holds: no "output.weight" means a tied head, biases are
// there or not, "rope_freqs.weight" and "rope_factors_{short,long}.weight" carry rotary factors.
#pragma once

#include <string>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/format/gguf.h"
#include "atelier/nn/spec.h"

namespace atelier::models {

// The metadata of one architecture: `get_int("block_count")` reads "<prefix>.block_count".
class GgufKeys {
 public:
  GgufKeys(const format::Gguf& file, std::string prefix) : file_(file), prefix_(std::move(prefix)) {}

  const format::Gguf& file() const { return file_; }
  Result<int64_t> get_int(const std::string& key) const;
  Result<int64_t> get_int(const std::string& key, int64_t fallback) const;
  Result<double> get_double(const std::string& key, double fallback) const;
  Result<std::string> get_string(const std::string& key, const std::string& fallback) const;
  bool has_tensor(const std::string& name) const;

  // The values of a small F32 tensor, or none when the file has no such tensor.
  Result<std::vector<float>> floats(const std::string& tensor_name) const;

 private:
  std::string full(const std::string& key) const { return prefix_ + "." + key; }
  const format::Gguf& file_;
  std::string prefix_;
};

// Sizes, norm epsilon, tied head and biases; one layer spec per layer without windows; no rotary settings.
Result<nn::TransformerSpec> gguf_shape(const GgufKeys& keys, const std::string& architecture);

// rope.freq_base, rope.dimension_count, rope.scaling.* and the factor tensors.
Result<nn::RopeSpec> gguf_rope(const GgufKeys& keys, const nn::TransformerSpec& spec);

}  // namespace atelier::models
