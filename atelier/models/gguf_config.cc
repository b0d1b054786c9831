#include "atelier/models/gguf_config.h"

#include <cstring>

#include "atelier/base/strings.h"

namespace atelier::models {

Result<int64_t> GgufKeys::get_int(const std::string& key) const { return file_.get_int(full(key)); }
Result<int64_t> GgufKeys::get_int(const std::string& key, int64_t fallback) const { return file_.get_int(full(key), fallback); }
Result<double> GgufKeys::get_double(const std::string& key, double fallback) const { return file_.get_double(full(key), fallback); }
Result<std::string> GgufKeys::get_string(const std::string& key, const std::string& fallback) const {
  return file_.get_string(full(key), fallback);
}
bool GgufKeys::has_tensor(const std::string& name) const { return file_.find(name) != nullptr; }

Result<std::vector<float>> GgufKeys::floats(const std::string& tensor_name) const {
  std::vector<float> out;
  const format::TensorEntry* entry = file_.find(tensor_name);
  if (entry == nullptr) return out;
  constexpr int64_t kMaxFactors = 1 << 14;
  if (entry->dtype != DType::kF32 || entry->shape.size() != 1 || entry->count() > kMaxFactors) {
    return Status::corrupt("gguf: tensor " + quoted(tensor_name) + " must be a vector of F32 of at most " + std::to_string(kMaxFactors));
  }
  out.resize(static_cast<size_t>(entry->count()));
  std::memcpy(out.data(), entry->data, out.size() * sizeof(float));
  return out;
}

Result<nn::TransformerSpec> gguf_shape(const GgufKeys& keys, const std::string& architecture) {
  nn::TransformerSpec spec;
  spec.architecture = architecture;
  const format::TensorEntry* embedding = keys.file().find("token_embd.weight");
  if (embedding == nullptr || embedding->shape.size() != 2)
    return Status::corrupt("gguf: tensor \"token_embd.weight\" is missing or no matrix");
  spec.vocab_size = embedding->shape[0];
  ATELIER_TRY(spec.width, keys.get_int("embedding_length"));
  ATELIER_TRY(spec.ffn_width, keys.get_int("feed_forward_length"));
  ATELIER_TRY(spec.num_heads, keys.get_int("attention.head_count"));
  if (spec.num_heads < 1) return Status::corrupt("gguf: attention.head_count is " + std::to_string(spec.num_heads) + ", must be positive");
  ATELIER_TRY(spec.num_kv_heads, keys.get_int("attention.head_count_kv", spec.num_heads));
  ATELIER_TRY(spec.head_dim, keys.get_int("attention.key_length", spec.width / spec.num_heads));
  ATELIER_TRY(const int64_t value_dim, keys.get_int("attention.value_length", spec.head_dim));
  if (value_dim != spec.head_dim) {
    return Status::unsupported("gguf: key width " + std::to_string(spec.head_dim) + " and value width " + std::to_string(value_dim) +
                               " differ; this build needs them equal");
  }
  ATELIER_TRY(spec.max_context, keys.get_int("context_length", 2048));
  ATELIER_TRY(const int64_t num_layers, keys.get_int("block_count"));
  if (num_layers < 1 || num_layers > 4096)
    return Status::corrupt("gguf: block_count is " + std::to_string(num_layers) + ", must be 1 to 4096");
  spec.layers.resize(static_cast<size_t>(num_layers));
  ATELIER_TRY(const double layer_eps, keys.get_double("attention.layer_norm_epsilon", 1e-5));
  ATELIER_TRY(const double rms_eps, keys.get_double("attention.layer_norm_rms_epsilon", layer_eps));
  spec.norm_eps = static_cast<float>(rms_eps);
  spec.has_tied_head = !keys.has_tensor("output.weight");
  return spec;
}

Result<nn::RopeSpec> gguf_rope(const GgufKeys& keys, const nn::TransformerSpec& spec) {
  nn::RopeSpec rope;
  ATELIER_TRY(rope.theta, keys.get_double("rope.freq_base", 10000));
  ATELIER_TRY(rope.rotary_dim, keys.get_int("rope.dimension_count", spec.head_dim));
  ATELIER_TRY(const std::string type, keys.get_string("rope.scaling.type", "none"));
  ATELIER_TRY(rope.factor, keys.get_double("rope.scaling.factor", 1));
  ATELIER_TRY(rope.original_context, keys.get_int("rope.scaling.original_context_length", spec.max_context));
  ATELIER_TRY(rope.attention_factor, keys.get_double("rope.scaling.attn_factor", 0));
  ATELIER_TRY(rope.beta_fast, keys.get_double("rope.scaling.yarn_beta_fast", 32));
  ATELIER_TRY(rope.beta_slow, keys.get_double("rope.scaling.yarn_beta_slow", 1));
  if (type == "linear") {
    rope.scaling = nn::RopeScaling::kLinear;
  } else if (type == "yarn") {
    rope.scaling = nn::RopeScaling::kYarn;
  } else if (type != "none" && type != "longrope") {
    return Status::unsupported("gguf: rotary scaling " + quoted(type) + " is not known; known: none, linear, yarn, longrope");
  }
  ATELIER_TRY(rope.frequency_factors, keys.floats("rope_freqs.weight"));
  ATELIER_TRY(rope.short_factors, keys.floats("rope_factors_short.weight"));
  ATELIER_TRY(rope.long_factors, keys.floats("rope_factors_long.weight"));
  if (!rope.short_factors.empty()) rope.scaling = nn::RopeScaling::kLongRope;
  return rope;
}

}  // namespace atelier::models
